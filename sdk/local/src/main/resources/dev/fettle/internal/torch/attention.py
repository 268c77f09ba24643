# Attention within packed sequences: causal, with grouped queries and perhaps a sliding window, or of whole texts.
# Causal attention goes tile by tile over the queries: no tile reads keys that none of its queries sees, and memory grows with
# tile x length, not length x length. Queries and what is written stay views of the packed rows; each tile copies them once.

# Rotates halves of heads against each other by the position's angles (Su et al. 2021), in place; nothing where there are none.
# z: [rows, heads, dim]; cos, sin: [rows, 1, half].
def rotate_(z: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
  if cos.numel() == 0:
    return z
  h = cos.size(2)
  z1 = z[:, :, :h]
  z2 = z[:, :, h:2 * h]
  old = torch.clone(z1)
  z1.mul_(cos).addcmul_(z2, sin, value=-1.0)
  z2.mul_(cos).addcmul_(old, sin)
  return z

# Packed rows [rows, heads, dim], see layer.py, to what each row attends to: [rows, heads, dim].
# table: of biases by distance, or empty.
def attention(q: Tensor, k: Tensor, v: Tensor, runs: List[int], dims: List[int], reals: List[float], table: Tensor) -> Tensor:
  if dims[Dim.CAUSAL] == 1:
    return causal_attention(q, k, v, runs, dims[Dim.WINDOW], dims[Dim.TILE], reals[Real.SCALE],
        reals[Real.SOFT_CAP])
  if dims[Dim.WINDOW] > 0 or k.size(1) != q.size(1):
    return sided_attention(q, k, v, runs, dims[Dim.WINDOW], dims[Dim.TILE], reals[Real.SCALE], table)
  return whole_attention(q, k, v, runs, reals[Real.SCALE], table)

# Writes the gradients of q, k and v into dqkv: [rows, heads + 2 kv heads, dim]. Returns those of the keys and values before
# the first row, if there are any.
def attention_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, runs: List[int], dims: List[int], reals: List[float],
    table: Tensor, gtable: Tensor, dqkv: Tensor) -> List[Tensor]:
  if dims[Dim.CAUSAL] == 1:
    return causal_attention_backward(dout, q, k, v, runs, dims[Dim.WINDOW], dims[Dim.TILE], reals[Real.SCALE],
        reals[Real.SOFT_CAP], dqkv)
  if dims[Dim.WINDOW] > 0 or k.size(1) != q.size(1) or table.numel() > 0:
    sided_attention_backward(dout, q, k, v, runs, dims[Dim.WINDOW], dims[Dim.TILE], reals[Real.SCALE], table, gtable, dqkv)
  else:
    whole_attention_backward(dout, q, k, v, runs, dims[Dim.SCORES], dims[Dim.TILE], reals[Real.SCALE], dqkv)
  return annotate(List[Tensor], [])

# -1e30 where a query start..end must not look: at later keys, and at keys that have left the sliding window (0 = none).
def mask(like: Tensor, start: int, end: int, first: int, window: int) -> Tensor:
  i = torch.arange(start, end, device=like.device).unsqueeze(1)
  j = torch.arange(first, end, device=like.device).unsqueeze(0)
  hidden = j > i
  if window > 0:
    hidden = torch.logical_or(hidden, j <= i - window)
  return torch.zeros([end - start, end - first], dtype=like.dtype, device=like.device).masked_fill_(hidden, -1e30)

def first_key(start: int, window: int) -> int:
  if window > 0 and start - window + 1 > 0:
    return start - window + 1
  return 0

# softmax(s q k^T) of the queries start..end over the keys first..end: [n, group x queries, keys]; with a soft cap c of
# c tanh(s q k^T / c) (Gemma 2).
def probabilities(rows: Tensor, g: int, k: Tensor, start: int, end: int, first: int, window: int, scale: float,
    cap: float) -> Tensor:
  m = mask(rows, start, end, first, window).repeat([g, 1]).unsqueeze(0)
  if cap > 0.0:
    return torch.softmax(torch.add(m, share_of_cap(rows, k[:, first:end], scale, cap), alpha=cap), -1)
  scores = torch.baddbmm(m, rows, k[:, first:end].transpose(1, 2), alpha=scale)
  return torch.softmax(scores, -1)

# tanh(s q k^T / c)
def share_of_cap(q: Tensor, k: Tensor, scale: float, cap: float) -> Tensor:
  return torch.matmul(q, k.transpose(-2, -1)).mul_(scale / cap).tanh_()

# The queries start..end of [count, kv heads, group, length, dim] as [count x kv heads, group x queries, dim].
def query_rows(q: Tensor, start: int, end: int) -> Tensor:
  return q[:, :, :, start:end].reshape([q.size(0) * q.size(1), q.size(2) * (end - start), q.size(4)])

# q and out: [count, kv heads, group, length, dim], views of packed rows; k, v: [count x kv heads, length, dim], of which more
# than queries stand before the first query.
def attend(q: Tensor, k: Tensor, v: Tensor, window: int, tile: int, scale: float, cap: float, out: Tensor) -> Tensor:
  c = q.size(0)
  kv = q.size(1)
  g = q.size(2)
  t = q.size(3)
  before = k.size(1) - t
  start = 0
  while start < t:
    end = min(start + tile, t)
    last = before + end
    first = first_key(before + start, window)
    p = probabilities(query_rows(q, start, end), g, k, before + start, last, first, window, scale, cap)
    out[:, :, :, start:end].copy_(torch.bmm(p, v[:, first:last]).view([c, kv, g, end - start, q.size(4)]))
    start = end
  return out

# Writes dq, a view of packed rows as q is; returns dk and dv in the shape of k and v.
def attend_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, window: int, tile: int, scale: float, cap: float,
    dq: Tensor) -> Tuple[Tensor, Tensor]:
  c = q.size(0)
  kv = q.size(1)
  g = q.size(2)
  t = q.size(3)
  before = k.size(1) - t
  dk = torch.zeros_like(k)
  dv = torch.zeros_like(v)
  start = 0
  while start < t:
    end = min(start + tile, t)
    last = before + end
    first = first_key(before + start, window)
    rows = query_rows(q, start, end)
    drows = query_rows(dout, start, end)
    p = probabilities(rows, g, k, before + start, last, first, window, scale, cap)
    dv[:, first:last].add_(torch.bmm(p.transpose(1, 2), drows))
    dp = torch.bmm(drows, v[:, first:last].transpose(1, 2))
    ds = torch._softmax_backward_data(dp, p, -1, p.dtype)
    if cap > 0.0:
      ds = torch.tanh_backward(ds, share_of_cap(rows, k[:, first:last], scale, cap))
    dq[:, :, :, start:end].copy_(torch.bmm(ds, k[:, first:last]).view([c, kv, g, end - start, q.size(4)]))
    dk[:, first:last].add_(torch.bmm(ds.transpose(1, 2), rows))
    start = end
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

# There may be keys before the first row where there is one sequence.
def causal_attention(q: Tensor, k: Tensor, v: Tensor, runs: List[int], window: int, tile: int, scale: float,
    cap: float) -> Tensor:
  kv = k.size(1)
  before = k.size(0) - q.size(0)
  out = torch.empty([q.size(0), q.size(1), q.size(2)], dtype=q.dtype, device=q.device)
  row = 0
  for i in range(len(runs) // 2):
    c = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + c * t
    last = before + end
    attend(by_group(q[row:end], c, t, kv), split_keys(k[row:last], c, before + t), split_keys(v[row:last], c, before + t), window,
        tile, scale, cap, by_group(out[row:end], c, t, kv))
    row = end
  return out

def causal_attention_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, runs: List[int], window: int, tile: int,
    scale: float, cap: float, dqkv: Tensor) -> List[Tensor]:
  heads = q.size(1)
  kv = k.size(1)
  before = k.size(0) - q.size(0)
  others = annotate(List[Tensor], [])
  row = 0
  for i in range(len(runs) // 2):
    c = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + c * t
    last = before + end
    dk, dv = attend_backward(by_group(dout[row:end], c, t, kv), by_group(q[row:end], c, t, kv),
        split_keys(k[row:last], c, before + t), split_keys(v[row:last], c, before + t), window, tile, scale, cap,
        by_group(dqkv[row:end, :heads], c, t, kv))
    join_keys(dk[:, before:], c, dqkv[row:end, heads:heads + kv])
    join_keys(dv[:, before:], c, dqkv[row:end, heads + kv:])
    if before > 0:
      others = [dk[:, :before].transpose(0, 1), dv[:, :before].transpose(0, 1)]
    row = end
  return others

# Where a sequence is cut into parts, each of which goes through the layer by itself: keys or values (which: 0 or 1) of the
# parts before, each a list of both, and of this part.
def with_before(before: List[List[Tensor]], which: int, own: Tensor) -> Tensor:
  if len(before) == 0:
    return own
  all = annotate(List[Tensor], [])
  for part in before:
    all.append(part[which])
  all.append(own)
  return torch.cat(all)

# Adds what later parts give for the keys and values of this one, whose first row comes after as many as before; heads as in
# dqkv. after: of each part the gradients of all keys and values before it.
def add_after_(dqkv: Tensor, after: List[List[Tensor]], before: int, kv: int) -> Tensor:
  rows = dqkv.size(0)
  heads = dqkv.size(1)
  for d in after:
    dqkv[:, heads - 2 * kv:heads - kv].add_(d[0][before:before + rows])
    dqkv[:, heads - kv:].add_(d[1][before:before + rows])
  return dqkv

# What a layer has saved that later parts read: its keys and values; copied, if the rest of what was saved goes.
def keys_of_part(saved: List[Tensor], copied: bool) -> List[Tensor]:
  if copied:
    return [torch.clone(saved[Saved.KEYS]), torch.clone(saved[Saved.VALUES])]
  return [saved[Saved.KEYS], saved[Saved.VALUES]]

# Each text's rows attend to all of that text, by a fused kernel: from 16 to 512 tokens faster than softmax(q k^T) v.
def whole_attention(q: Tensor, k: Tensor, v: Tensor, runs: List[int], scale: float, table: Tensor) -> Tensor:
  parts = annotate(List[Tensor], [])
  row = 0
  for i in range(len(runs) // 2):
    n = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + n * t
    bias: Optional[Tensor] = None
    if table.numel() > 0:
      bias = distance_bias(table, 0, t, 0, t).to(q.dtype).contiguous().unsqueeze(0)
    o = fused_attention(text_heads(q[row:end], n, t), text_heads(k[row:end], n, t), text_heads(v[row:end], n, t), bias, scale)
    parts.append(o.transpose(1, 2).reshape([n * t, q.size(1), q.size(2)]))
    row = end
  if len(parts) == 1:
    return parts[0]
  return torch.cat(parts)

# Rows [n x t, heads, dim] seen as [n, heads, t, dim].
def text_heads(x: Tensor, n: int, t: int) -> Tensor:
  return x.unflatten(0, [n, t]).transpose(1, 2)

# The same as matrices: [n x heads, t, dim].
def head_matrices(x: Tensor, n: int, t: int) -> Tensor:
  return text_heads(x, n, t).reshape([n * x.size(1), t, x.size(2)])

# How many texts of a length attention takes at once: scores of a bounded number.
def texts_at_once(t: int, heads: int, most: int) -> int:
  return max(1, most // (heads * t * t))

# The probabilities are computed again and held, of some texts at a time, or of some queries of a text that has too many.
def whole_attention_backward(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, runs: List[int], most: int, tile: int, scale: float,
    dqkv: Tensor) -> Tensor:
  heads = q.size(1)
  row = 0
  for i in range(len(runs) // 2):
    t = runs[2 * i + 1]
    end = row + runs[2 * i] * t
    step = t * texts_at_once(t, heads, most)
    while row < end:
      stop = min(row + step, end)
      n = (stop - row) // t
      if heads * t * t > most:
        none = torch.empty([0], dtype=q.dtype, device=q.device)
        sided_attention_backward(dout[row:stop], q[row:stop], k[row:stop], v[row:stop], [n, t], 0, tile, scale, none, none,
            dqkv[row:stop])
        row = stop
        continue
      zq = head_matrices(q[row:stop] * scale, n, t)
      zk = head_matrices(k[row:stop], n, t)
      zv = head_matrices(v[row:stop], n, t)
      p = torch.softmax(torch.bmm(zq, zk.transpose(1, 2)), -1)
      do = head_matrices(dout[row:stop], n, t)
      ds = torch._softmax_backward_data(torch.bmm(do, zv.transpose(1, 2)), p, -1, p.dtype)
      d = dqkv[row:stop]
      text_heads(d[:, :heads], n, t).copy_(torch.bmm(ds, zk).mul_(scale).view([n, heads, t, -1]))
      text_heads(d[:, heads:2 * heads], n, t).copy_(torch.bmm(ds.transpose(1, 2), zq).view([n, heads, t, -1]))
      text_heads(d[:, 2 * heads:], n, t).copy_(torch.bmm(p.transpose(1, 2), do).view([n, heads, t, -1]))
      row = stop
  return dqkv
