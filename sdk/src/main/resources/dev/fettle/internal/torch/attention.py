# Causal attention of packed sequences with grouped queries, tile by tile over the queries: no tile reads keys that
# none of its queries sees, and memory grows with tile x length, not length x length.
# Queries and what is written stay views of the packed rows; each tile copies them once.

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
def probabilities(rows: Tensor, g: int, k: Tensor, start: int, end: int, first: int, window: int) -> Tensor:
  m = mask(rows, start, end, first, window).repeat([g, 1]).unsqueeze(0)
  scores = torch.baddbmm(m, rows, k[:, first:end].transpose(1, 2), alpha=torch.pow(float(rows.size(2)), -0.5))
  return torch.softmax(scores, -1)

# The queries start..end of [count, kv heads, group, length, dim] as [count x kv heads, group x queries, dim].
def query_rows(q: Tensor, start: int, end: int) -> Tensor:
  return q[:, :, :, start:end].reshape([q.size(0) * q.size(1), q.size(2) * (end - start), q.size(4)])

# q and out: [count, kv heads, group, length, dim], views of packed rows; k, v: [count x kv heads, length, dim].
def attend(q: Tensor, k: Tensor, v: Tensor, window: int, tile: int, out: Tensor) -> Tensor:
  c = q.size(0)
  kv = q.size(1)
  g = q.size(2)
  t = q.size(3)
  start = 0
  while start < t:
    end = min(start + tile, t)
    first = first_key(start, window)
    p = probabilities(query_rows(q, start, end), g, k, start, end, first, window)
    out[:, :, :, start:end].copy_(torch.bmm(p, v[:, first:end]).view([c, kv, g, end - start, q.size(4)]))
    start = end
  return out

# Writes dq, a view of packed rows as q is; returns dk and dv in the shape of k and v.
def attend_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, window: int, tile: int, dq: Tensor) -> Tuple[Tensor, Tensor]:
  c = q.size(0)
  kv = q.size(1)
  g = q.size(2)
  t = q.size(3)
  dk = torch.zeros_like(k)
  dv = torch.zeros_like(v)
  start = 0
  while start < t:
    end = min(start + tile, t)
    first = first_key(start, window)
    rows = query_rows(q, start, end)
    drows = query_rows(dout, start, end)
    p = probabilities(rows, g, k, start, end, first, window)
    dv[:, first:end].add_(torch.bmm(p.transpose(1, 2), drows))
    dp = torch.bmm(drows, v[:, first:end].transpose(1, 2))
    ds = torch._softmax_backward_data(dp, p, -1, p.dtype)
    dq[:, :, :, start:end].copy_(torch.bmm(ds, k[:, first:end]).view([c, kv, g, end - start, q.size(4)]))
    dk[:, first:end].add_(torch.bmm(ds.transpose(1, 2), rows))
    start = end
  scale = torch.pow(float(q.size(4)), -0.5)
  dq.mul_(scale)
  return (dk.mul_(scale), dv)

# Packed rows [count x length, heads, dim] seen as [count, kv heads, group, length, dim].
def by_group(x: Tensor, count: int, length: int, kv: int) -> Tensor:
  g = x.size(1) // kv
  return x.unflatten(0, [count, length]).unflatten(2, [kv, g]).permute([0, 2, 3, 1, 4])

# Packed rows [count x length, kv heads, dim] as [count x kv heads, length, dim].
def split_keys(x: Tensor, count: int, length: int) -> Tensor:
  return x.unflatten(0, [count, length]).transpose(1, 2).reshape([count * x.size(1), length, x.size(2)])

# The other way round, into packed rows.
def join_keys(x: Tensor, count: int, into: Tensor) -> Tensor:
  kv = x.size(0) // count
  return into.unflatten(0, [count, x.size(1)]).copy_(x.view([count, kv, x.size(1), x.size(2)]).transpose(1, 2))

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
    attend(by_group(q[row:end], c, t, kv), split_keys(k[row:end], c, t), split_keys(v[row:end], c, t), window, tile,
        by_group(out[row:end], c, t, kv))
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
    dk, dv = attend_backward(by_group(dout[row:end], c, t, kv), by_group(q[row:end], c, t, kv),
        split_keys(k[row:end], c, t), split_keys(v[row:end], c, t), window, tile,
        by_group(dqkv[row:end, :heads], c, t, kv))
    join_keys(dk, c, dqkv[row:end, heads:heads + kv])
    join_keys(dv, c, dqkv[row:end, heads + kv:])
    row = end
  return dqkv
