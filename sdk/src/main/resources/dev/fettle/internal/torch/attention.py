# Causal attention of packed sequences with grouped queries, tile by tile over the queries: no tile reads keys that
# none of its queries sees, and memory grows with tile x length, not length x length.
# q is [sequences x kv heads, group, length, head dim]; k and v are [sequences x kv heads, length, head dim].

# Rotates halves of heads against each other by the position's angles (Su et al. 2021), in place.
# z: [rows, heads, dim]; cos, sin: [rows, 1, dim / 2].
def rotate_(z: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
  h = z.size(-1) // 2
  z1 = z[:, :, :h]
  z2 = z[:, :, h:]
  old = torch.clone(z1)
  z1.mul_(cos).addcmul_(z2, sin, value=-1.0)
  z2.mul_(cos).addcmul_(old, sin)
  return z

# -1e30 where a query start..end must not look: at later keys, and at keys that have left the sliding window (0 = none).
def mask(like: Tensor, start: int, end: int, first: int, window: int) -> Tensor:
  i = torch.arange(start, end).unsqueeze(1)
  j = torch.arange(first, end).unsqueeze(0)
  hidden = j > i
  if window > 0:
    hidden = torch.logical_or(hidden, j <= i - window)
  return torch.zeros([end - start, end - first], dtype=like.dtype).masked_fill_(hidden, -1e30)

def first_key(start: int, window: int) -> int:
  if window > 0 and start - window + 1 > 0:
    return start - window + 1
  return 0

# softmax(q k^T / sqrt(d)) of the queries start..end over the keys first..end: [n, group x queries, keys].
def probabilities(q: Tensor, k: Tensor, start: int, end: int, first: int, window: int) -> Tensor:
  n = q.size(0)
  g = q.size(1)
  d = q.size(3)
  m = mask(q, start, end, first, window).repeat([g, 1]).unsqueeze(0)
  rows = q[:, :, start:end].reshape([n, g * (end - start), d])
  scores = torch.baddbmm(m, rows, k[:, first:end].transpose(1, 2), alpha=torch.pow(float(d), -0.5))
  return torch.softmax(scores, -1)

def attend(q: Tensor, k: Tensor, v: Tensor, window: int, tile: int) -> Tensor:
  n = q.size(0)
  g = q.size(1)
  t = q.size(2)
  d = q.size(3)
  out = torch.empty_like(q)
  start = 0
  while start < t:
    end = min(start + tile, t)
    first = first_key(start, window)
    p = probabilities(q, k, start, end, first, window)
    out[:, :, start:end].copy_(torch.bmm(p, v[:, first:end]).view([n, g, end - start, d]))
    start = end
  return out

def attend_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, window: int, tile: int) -> Tuple[Tensor, Tensor, Tensor]:
  n = q.size(0)
  g = q.size(1)
  t = q.size(2)
  d = q.size(3)
  scale = torch.pow(float(d), -0.5)
  dq = torch.empty_like(q)
  dk = torch.zeros_like(k)
  dv = torch.zeros_like(v)
  start = 0
  while start < t:
    end = min(start + tile, t)
    first = first_key(start, window)
    p = probabilities(q, k, start, end, first, window)
    rows = dout[:, :, start:end].reshape([n, g * (end - start), d])
    dv[:, first:end].add_(torch.bmm(p.transpose(1, 2), rows))
    dp = torch.bmm(rows, v[:, first:end].transpose(1, 2))
    ds = torch._softmax_backward_data(dp, p, -1, p.dtype)
    dq[:, :, start:end].copy_(torch.bmm(ds, k[:, first:end]).view([n, g, end - start, d]))
    dk[:, first:end].add_(torch.bmm(ds.transpose(1, 2), q[:, :, start:end].reshape([n, g * (end - start), d])))
    start = end
  return (dq.mul_(scale), dk.mul_(scale), dv)

# Rows [sequences x length, kv heads x group, dim] of one run of equally long sequences, ordered for attention.
def split_queries(x: Tensor, count: int, length: int, kv: int) -> Tensor:
  g = x.size(1) // kv
  d = x.size(2)
  return x.reshape([count, length, kv, g, d]).permute([0, 2, 3, 1, 4]).reshape([count * kv, g, length, d])

def join_queries(x: Tensor, count: int, kv: int) -> Tensor:
  g = x.size(1)
  t = x.size(2)
  d = x.size(3)
  return x.view([count, kv, g, t, d]).permute([0, 3, 1, 2, 4]).reshape([count * t, kv * g, d])

def split_keys(x: Tensor, count: int, length: int) -> Tensor:
  kv = x.size(1)
  d = x.size(2)
  return x.reshape([count, length, kv, d]).transpose(1, 2).reshape([count * kv, length, d])

def join_keys(x: Tensor, count: int) -> Tensor:
  t = x.size(1)
  d = x.size(2)
  kv = x.size(0) // count
  return x.view([count, kv, t, d]).transpose(1, 2).reshape([count * t, kv, d])

# Attention over packed rows: runs lists (how many sequences, how long) in turn. q: [rows, heads, dim]; k, v: [rows,
# kv heads, dim].
def packed_attention(q: Tensor, k: Tensor, v: Tensor, runs: List[int], window: int, tile: int) -> Tensor:
  kv = k.size(1)
  out = torch.empty([q.size(0), q.size(1), q.size(2)], dtype=q.dtype)
  row = 0
  for i in range(len(runs) // 2):
    c = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + c * t
    o = attend(split_queries(q[row:end], c, t, kv), split_keys(k[row:end], c, t), split_keys(v[row:end], c, t), window, tile)
    out[row:end].copy_(join_queries(o, c, kv))
    row = end
  return out

# Writes the gradients of q, k and v into dqkv: [rows, heads + 2 kv heads, dim].
def packed_attention_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, runs: List[int], window: int, tile: int,
    dqkv: Tensor) -> Tensor:
  heads = q.size(1)
  kv = k.size(1)
  row = 0
  for i in range(len(runs) // 2):
    c = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + c * t
    dq, dk, dv = attend_backward(split_queries(dout[row:end], c, t, kv), split_queries(q[row:end], c, t, kv),
        split_keys(k[row:end], c, t), split_keys(v[row:end], c, t), window, tile)
    dqkv[row:end, :heads].copy_(join_queries(dq, c, kv))
    dqkv[row:end, heads:heads + kv].copy_(join_keys(dk, c))
    dqkv[row:end, heads + kv:].copy_(join_keys(dv, c))
    row = end
  return dqkv
