# One decoder layer (Touvron et al. 2023): x + attention(norm(x)), then + mlp(norm(.)). Rows are packed tokens.
# w: norm, qkv, qkv bias, q norm, k norm, o, o bias, norm, gate-up, gate-up bias, down, down bias
# a: A and s B of qkv, o, gate-up, down, and with DoRA their gains and inverse norms;  m: dropout masks of their inputs;  empty tensors stand for what is absent
# shape: heads, kv heads, sliding window, attention tile

def project_qkv(n: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], shape: List[int]) -> Tensor:
  heads = shape[0] + 2 * shape[1]
  return fused(n, w, a, m, 0).view([n.size(0), heads, w[1].size(0) // heads])

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
  gu = fused(rms_norm(x, w[7], eps), w, a, m, 2)
  return (fused_onto(x, swiglu(gu), w, a, m, 3), gu)

# Returns the output and what the backward pass needs.
def layer_forward(x: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], cos: Tensor, sin: Tensor, runs: List[int],
    shape: List[int], eps: float) -> Tuple[Tensor, List[Tensor]]:
  raw = project_qkv(rms_norm(x, w[0], eps), w, a, m, shape)
  q, k, v = position_qkv(raw, w, cos, sin, shape, eps)
  o = packed_attention(q, k, v, runs, shape[2], shape[3]).view([x.size(0), -1])
  x2 = fused_onto(x, o, w, a, m, 1)
  y, gu = mlp(x2, w, a, m, eps)
  return (y, [x, q, k, v, o, x2, gu, raw])

# The norm of each head, backwards and in place.
def head_norm_backward(d: Tensor, raw: Tensor, w: Tensor, eps: float, gw: Tensor, fresh: bool) -> Tensor:
  n = w.size(0)
  rows = raw.reshape([-1, n])
  dx = rms_norm_backward(d.reshape([-1, n]), rows, w, eps, gw, fresh, no_residual(rows))
  return d.copy_(dx.view([d.size(0), d.size(1), n]))

# g, ga, blocks, scales, how: as in fused_backward, of all seven projections.
# saved: as layer_forward gave it, or the input alone, from which it is computed again.
# below: whether the gradient of x is wanted; where it is not, what is returned means nothing.
def layer_backward(dy: Tensor, saved: List[Tensor], w: List[Tensor], a: List[Tensor], m: List[Tensor], g: List[Tensor],
    ga: List[Tensor], blocks: List[int], scales: List[float], how: List[int], below: bool, cos: Tensor, sin: Tensor,
    runs: List[int], shape: List[int], eps: float) -> Tensor:
  heads = shape[0]
  kv = shape[1]
  fresh = how[0] == 1
  kept = saved
  if len(saved) == 1:
    y, kept = layer_forward(saved[0], w, a, m, cos, sin, runs, shape, eps)
  x, q, k, v, o, x2, gu, raw = kept
  f = gu.size(1) // 2
  s = torch.silu(gu[:, :f])
  dh = fused_backward(dy, s * gu[:, f:], w, a, m, g, ga, 3, blocks, scales, how, True)
  dn = fused_backward(swiglu_backward(dh, s, gu), rms_norm(x2, w[7], eps), w, a, m, g, ga, 2, blocks, scales, how, True)
  dx2 = rms_norm_backward(dn, x2, w[7], eps, g[7], fresh, dy)
  do = fused_backward(dx2, o, w, a, m, g, ga, 1, blocks, scales, how, True)
  dqkv = packed_attention_backward(do.view([x.size(0), heads, -1]), q, k, v, runs, shape[2], shape[3], torch.empty_like(raw))
  rotate_(dqkv[:, :heads + kv], cos, -sin)
  if w[3].numel() > 0:
    head_norm_backward(dqkv[:, :heads], raw[:, :heads], w[3], eps, g[3], fresh)
    head_norm_backward(dqkv[:, heads:heads + kv], raw[:, heads:heads + kv], w[4], eps, g[4], fresh)
  through = below or g[0].numel() > 0
  dn = fused_backward(dqkv.view([x.size(0), -1]), rms_norm(x, w[0], eps), w, a, m, g, ga, 0, blocks, scales, how, through)
  if through:
    return rms_norm_backward(dn, x, w[0], eps, g[0], fresh, dx2)
  return dx2

# Cosines and sines of every position for rotary embedding: [positions, 1, dim / 2].
def angles(frequencies: Tensor, positions: int, dtype: int) -> Tuple[Tensor, Tensor]:
  a = torch.outer(torch.arange(positions).to(6), frequencies).unsqueeze(1)
  return (torch.cos(a).to(dtype), torch.sin(a).to(dtype))

def select_rows(x: Tensor, index: Tensor) -> Tensor:
  return torch.index_select(x, 0, index)
