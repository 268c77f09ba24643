# One decoder layer (Touvron et al. 2023): x + attention(norm(x)), then + mlp(norm(.)). Rows are packed tokens.
# w: norm, qkv, qkv bias, q norm, k norm, o, o bias, norm, gate-up, gate-up bias, down, down bias
# a: A and s B of qkv, o, gate-up, down;  m: dropout masks of their inputs;  empty tensors stand for what is absent
# shape: heads, kv heads, sliding window, attention tile

def project_qkv(n: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], shape: List[int]) -> Tensor:
  heads = shape[0] + 2 * shape[1]
  return linear(n, w[1], w[2], a[0], a[1], m[0]).view([n.size(0), heads, w[1].size(0) // heads])

# Queries and keys, normalised (Qwen 3) and rotated, and values. Without norms they are views of raw, rotated in place.
def position_qkv(raw: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor, shape: List[int], eps: float) -> Tuple[Tensor, Tensor, Tensor]:
  heads = shape[0]
  kv = shape[1]
  v = raw[:, heads + kv:]
  if w[3].numel() > 0:
    q = rotate_(rms_norm(raw[:, :heads], w[3], eps), cos, sin)
    k = rotate_(rms_norm(raw[:, heads:heads + kv], w[4], eps), cos, sin)
    return (q, k, v)
  qk = rotate_(raw[:, :heads + kv], cos, sin)
  return (qk[:, :heads], qk[:, heads:], v)

# silu(gate) * up (Shazeer 2020), the halves of one product.
def swiglu(gu: Tensor) -> Tensor:
  f = gu.size(1) // 2
  return torch.silu(torch.narrow(gu, 1, 0, f)).mul_(torch.narrow(gu, 1, f, f))

# s = silu(gate), which the gradient of what follows has already needed. Overwrites dh.
def swiglu_backward(dh: Tensor, s: Tensor, gu: Tensor) -> Tensor:
  f = gu.size(1) // 2
  d = torch.empty_like(gu)
  torch.mul(s, dh, out=d[:, f:])
  torch.silu_backward(dh.mul_(gu[:, f:]), gu[:, :f], grad_input=d[:, :f])
  return d

def mlp(x: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], eps: float) -> Tuple[Tensor, Tensor]:
  gu = linear(rms_norm(x, w[7], eps), w[8], w[9], a[4], a[5], m[2])
  return (linear_onto(x, swiglu(gu), w[10], w[11], a[6], a[7], m[3]), gu)

# Returns the output and what the backward pass needs.
def layer_forward(x: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], cos: Tensor, sin: Tensor, runs: List[int],
    shape: List[int], eps: float) -> Tuple[Tensor, List[Tensor]]:
  raw = project_qkv(rms_norm(x, w[0], eps), w, a, m, shape)
  q, k, v = position_qkv(raw, w, cos, sin, shape, eps)
  o = packed_attention(q, k, v, runs, shape[2], shape[3]).view([x.size(0), -1])
  x2 = linear_onto(x, o, w[5], w[6], a[2], a[3], m[1])
  y, gu = mlp(x2, w, a, m, eps)
  return (y, [x, q, k, v, o, x2, gu, raw])

# The norm of each head, backwards and in place.
def head_norm_backward(d: Tensor, raw: Tensor, w: Tensor, eps: float, gw: Tensor) -> Tensor:
  n = w.size(0)
  rows = raw.reshape([-1, n])
  dx = rms_norm_backward(d.reshape([-1, n]), rows, w, eps, gw, no_residual(rows))
  return d.copy_(dx.view([d.size(0), d.size(1), n]))

# g: where the gradients of w are added, in the same order; ga: the same of a, A then the flat B's.
# blocks and scales: of q, k, v, o, gate, up, down (rows and rank in turn).
def layer_backward(dy: Tensor, saved: List[Tensor], w: List[Tensor], a: List[Tensor], m: List[Tensor], g: List[Tensor],
    ga: List[Tensor], blocks: List[int], scales: List[float], cos: Tensor, sin: Tensor, runs: List[int],
    shape: List[int], eps: float) -> Tensor:
  heads = shape[0]
  kv = shape[1]
  x, q, k, v, o, x2, gu, raw = saved
  f = gu.size(1) // 2
  s = torch.silu(gu[:, :f])
  dh = linear_backward(dy, s * gu[:, f:], w[10], a[6], a[7], m[3], g[10], g[11], ga[6], ga[7], blocks[12:14], scales[6:7])
  dn = linear_backward(swiglu_backward(dh, s, gu), rms_norm(x2, w[7], eps), w[8], a[4], a[5], m[2], g[8], g[9], ga[4], ga[5], blocks[8:12], scales[4:6])
  dx2 = rms_norm_backward(dn, x2, w[7], eps, g[7], dy)
  do = linear_backward(dx2, o, w[5], a[2], a[3], m[1], g[5], g[6], ga[2], ga[3], blocks[6:8], scales[3:4])
  dqkv = packed_attention_backward(do.view([x.size(0), heads, -1]), q, k, v, runs, shape[2], shape[3], torch.empty_like(raw))
  rotate_(dqkv[:, :heads + kv], cos, -sin)
  if w[3].numel() > 0:
    head_norm_backward(dqkv[:, :heads], raw[:, :heads], w[3], eps, g[3])
    head_norm_backward(dqkv[:, heads:heads + kv], raw[:, heads:heads + kv], w[4], eps, g[4])
  dn = linear_backward(dqkv.view([x.size(0), -1]), rms_norm(x, w[0], eps), w[1], a[0], a[1], m[0], g[1], g[2], ga[0], ga[1], blocks[0:6], scales[0:3])
  return rms_norm_backward(dn, x, w[0], eps, g[0], dx2)

# Cosines and sines of every position for rotary embedding: [positions, 1, dim / 2].
def angles(frequencies: Tensor, positions: int, dtype: int) -> Tuple[Tensor, Tensor]:
  a = torch.outer(torch.arange(positions).to(6), frequencies).unsqueeze(1)
  return (torch.cos(a).to(dtype), torch.sin(a).to(dtype))

def select_rows(x: Tensor, index: Tensor) -> Tensor:
  return torch.index_select(x, 0, index)
