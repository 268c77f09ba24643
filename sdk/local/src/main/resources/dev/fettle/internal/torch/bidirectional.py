# Attention in both directions that holds scores of its own, tile by tile over the queries: within a window, with a bias by
# distance, or over texts so long that all their scores would be too many. What causal attention has too is in attention.py.

# Kinds of distance from query to key (Raffel et al. 2020): 16 to each side, near ones one by one, far ones by the logarithm up
# to 128: [queries, keys].
def distance_kinds(like: Tensor, start: int, end: int, first: int, last: int) -> Tensor:
  i = torch.arange(start, end, device=like.device).unsqueeze(1)
  j = torch.arange(first, last, device=like.device).unsqueeze(0)
  d = j - i
  n = torch.abs(d)
  far = (torch.log(n.clamp(1).float() / 8.0) / 2.772588722239781 * 8.0).to(4).add_(8).clamp_max_(15)
  return torch.where(n < 8, n, far).add_((d > 0).to(4) * 16)

# What is added to the scores for a distance, from the table [kinds, heads]: [heads, queries, keys].
def distance_bias(table: Tensor, start: int, end: int, first: int, last: int) -> Tensor:
  return torch.embedding(table, distance_kinds(table, start, end, first, last)).permute([2, 0, 1])

# The same for rows of query_rows; without a table -1e30 where a key is a window or more away, 0 elsewhere.
def sided_bias(like: Tensor, count: int, g: int, start: int, end: int, first: int, last: int, window: int, table: Tensor) -> Tensor:
  if table.numel() > 0:
    b = distance_bias(table, start, end, first, last).to(like.dtype)
    return b.reshape([b.size(0) // g, g * (end - start), last - first]).repeat([count, 1, 1])
  i = torch.arange(start, end, device=like.device).unsqueeze(1)
  j = torch.arange(first, last, device=like.device).unsqueeze(0)
  m = torch.zeros([end - start, last - first], dtype=like.dtype, device=like.device)
  if window > 0:
    m.masked_fill_(torch.abs(j - i) >= window, -1e30)
  return m.repeat([g, 1]).unsqueeze(0)

def last_key(end: int, t: int, window: int) -> int:
  if window > 0:
    return min(t, end + window - 1)
  return t

def sided_probabilities(rows: Tensor, count: int, g: int, k: Tensor, start: int, end: int, first: int, last: int, window: int,
    table: Tensor, scale: float) -> Tensor:
  b = sided_bias(rows, count, g, start, end, first, last, window, table)
  return torch.softmax(torch.baddbmm(b, rows, k[:, first:last].transpose(1, 2), alpha=scale), -1)

# q and out: [count, kv heads, group, length, dim], views of packed rows; k, v: [count x kv heads, length, dim].
def sided_attend(q: Tensor, k: Tensor, v: Tensor, window: int, tile: int, scale: float, table: Tensor, out: Tensor) -> Tensor:
  c = q.size(0)
  g = q.size(2)
  t = q.size(3)
  start = 0
  while start < t:
    end = min(start + tile, t)
    first = first_key(start, window)
    last = last_key(end, t, window)
    p = sided_probabilities(query_rows(q, start, end), c, g, k, start, end, first, last, window, table, scale)
    out[:, :, :, start:end].copy_(torch.bmm(p, v[:, first:last]).view([c, q.size(1), g, end - start, q.size(4)]))
    start = end
  return out

# Writes dq, a view of packed rows as q is, and adds to the gradient of the table; returns dk and dv in the shape of k and v.
def sided_attend_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, window: int, tile: int, scale: float, table: Tensor,
    gtable: Tensor, dq: Tensor) -> Tuple[Tensor, Tensor]:
  c = q.size(0)
  g = q.size(2)
  t = q.size(3)
  dk = torch.zeros_like(k)
  dv = torch.zeros_like(v)
  start = 0
  while start < t:
    end = min(start + tile, t)
    first = first_key(start, window)
    last = last_key(end, t, window)
    rows = query_rows(q, start, end)
    drows = query_rows(dout, start, end)
    p = sided_probabilities(rows, c, g, k, start, end, first, last, window, table, scale)
    dv[:, first:last].add_(torch.bmm(p.transpose(1, 2), drows))
    ds = torch._softmax_backward_data(torch.bmm(drows, v[:, first:last].transpose(1, 2)), p, -1, p.dtype)
    if gtable.numel() > 0:
      d = ds.view([c, table.size(1), (end - start) * (last - first)]).sum([0], dtype=6)
      gtable.index_add_(0, distance_kinds(table, start, end, first, last).view([-1]), d.t().to(gtable.dtype))
    dq[:, :, :, start:end].copy_(torch.bmm(ds, k[:, first:last]).view([c, q.size(1), g, end - start, q.size(4)]))
    dk[:, first:last].add_(torch.bmm(ds.transpose(1, 2), rows))
    start = end
  dq.mul_(scale)
  return (dk.mul_(scale), dv)

def sided_attention(q: Tensor, k: Tensor, v: Tensor, runs: List[int], window: int, tile: int, scale: float, table: Tensor) -> Tensor:
  kv = k.size(1)
  out = torch.empty([q.size(0), q.size(1), q.size(2)], dtype=q.dtype, device=q.device)
  row = 0
  for i in range(len(runs) // 2):
    c = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + c * t
    sided_attend(by_group(q[row:end], c, t, kv), split_keys(k[row:end], c, t), split_keys(v[row:end], c, t), window, tile,
        scale, table, by_group(out[row:end], c, t, kv))
    row = end
  return out

# Writes the gradients of q, k and v into dqkv, as attention_backward.
def sided_attention_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, runs: List[int], window: int, tile: int,
    scale: float, table: Tensor, gtable: Tensor, dqkv: Tensor) -> Tensor:
  heads = q.size(1)
  kv = k.size(1)
  row = 0
  for i in range(len(runs) // 2):
    c = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + c * t
    dk, dv = sided_attend_backward(by_group(dout[row:end], c, t, kv), by_group(q[row:end], c, t, kv),
        split_keys(k[row:end], c, t), split_keys(v[row:end], c, t), window, tile, scale, table, gtable,
        by_group(dqkv[row:end, :heads], c, t, kv))
    join_keys(dk, c, dqkv[row:end, heads:heads + kv])
    join_keys(dv, c, dqkv[row:end, heads + kv:])
    row = end
  return dqkv
