# One token for each of several sequences at once, through all layers, with cached keys and values. A token's work is small:
# what counts is to stream the weights at the speed of memory, in few operations, and to ask little on the way.
# w, v, a, dims, reals: of each layer, see layer.py;  few: forms of w for few rows, rounded: whether these are in 8 bits;
# cache: the keys and values of each layer, [sequences, 2 kv heads, room, dim], or its state, see delta_step; then what the
# convolution of each layer reads again, which most layers do not have
# dtype: the model's own. Where its matrices have forms for few rows, which take and give float32, rows are float32 between the
# products too: numbers that are changed to and fro cost more than their sums do.

# Queries and keys, normalised where the model does, are rotated in place. raw: [sequences, heads + 2 kv heads, dim].
# cos: [sequences, 1, 1, half]; sin: [sequences, 1, 2, half], negative for the first halves; numbers of a head beyond two halves
# stay as they are.
def decode_position_(raw: Tensor, positions: Tensor, used: int, v: List[Tensor], cos: Tensor, sin: Tensor, dims: List[int],
    reals: List[float]) -> Tensor:
  heads = dims[Dim.HEADS]
  kv = dims[Dim.KV_HEADS]
  if v[Vector.Q_NORM].numel() > 0:
    q = torch.narrow(raw, 1, 0, heads)
    k = torch.narrow(raw, 1, heads, kv)
    q.copy_(heads_norm(q, v[Vector.Q_NORM], v[Vector.EPS], dims))
    k.copy_(heads_norm(k, v[Vector.K_NORM], v[Vector.EPS], dims))
  half = cos.size(3)
  if half > 0:
    z = torch.narrow(raw, 1, 0, heads + kv)
    if 2 * half < raw.size(2):
      z = torch.narrow(z, 2, 0, 2 * half)
    z = z.unflatten(2, [2, half])
    turned = torch.flip(z, [2])
    z.mul_(cos).addcmul_(turned, sin)
  period = dims[Dim.GROWTH_PERIOD]
  if period > 0 and used > period:
    torch.narrow(raw, 1, 0, heads).mul_(query_growth(positions, period, reals[Real.GROWTH], raw.dtype))
  return raw

# 0 where a sequence's new token may look, -1e30 elsewhere.
def decode_mask(positions: Tensor, used: int, window: int, dtype: int) -> Tensor:
  j = torch.arange(used, device=positions.device).unsqueeze(0)
  p = positions.unsqueeze(1)
  hidden = j > p
  if window > 0:
    hidden = torch.logical_or(hidden, j <= p - window)
  m = torch.zeros([positions.size(0), used], dtype=dtype, device=positions.device)
  return m.masked_fill_(hidden, -1e30).unsqueeze(1).unsqueeze(1)

# Writes the new keys and values into the cache at used - 1, or where slots says if the sequences differ in length, and
# attends to what the mask leaves, or to the window where there is none: [sequences, heads x dim].
def decode_attention(raw: Tensor, cache: Tensor, mask: Optional[Tensor], slots: Tensor, used: int, dims: List[int],
    reals: List[float]) -> Tensor:
  heads = dims[Dim.HEADS]
  kv = dims[Dim.KV_HEADS]
  window = dims[Dim.WINDOW]
  new = torch.narrow(raw, 1, heads, 2 * kv)
  first = 0
  if slots.numel() > 0:
    cache.view([-1, raw.size(2)]).index_copy_(0, slots, new.flatten(0, 1))
  else:
    torch.select(cache, 2, used - 1).copy_(new)
    if window > 0 and window < used:
      first = used - window
  q = torch.narrow(raw, 1, 0, heads).unflatten(1, [kv, heads // kv])
  seen = torch.narrow(cache, 2, first, used - first)
  if cache.size(0) < raw.size(0):
    seen = seen.expand([raw.size(0), -1, -1, -1])
  k = torch.narrow(seen, 1, 0, kv)
  z = torch.narrow(seen, 1, kv, kv)
  if reals[Real.SOFT_CAP] > 0.0:
    return capped_attention(q, k, z, mask, reals[Real.SCALE], reals[Real.SOFT_CAP]).flatten(1)
  return fused_attention(q, k, z, mask, reals[Real.SCALE]).flatten(1)

# softmax(c tanh(s q k^T / c) + mask) v
def capped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], scale: float, cap: float) -> Tensor:
  scores = share_of_cap(q, k, scale, cap).mul_(cap)
  if mask is not None:
    scores.add_(mask)
  return torch.matmul(torch.softmax(scores, -1), v)

# What adapters add of which each sequence has one. a: see stack_adapters; the row of x for each place of each adapter, [adapters x
# places]; the place of each row of x among these.
def stacked_adapters(x: Tensor, a: List[Tensor]) -> Tensor:
  placed = torch.index_select(x, 0, a[2]).view([a[0].size(0), -1, x.size(1)])
  added = torch.bmm(torch.bmm(placed, a[0].transpose(1, 2)), a[1].transpose(1, 2))
  return torch.index_select(added.flatten(0, 1), 0, a[3])

# Adapters of one product, [rank, inputs] and the blocks of place_blocks, as [adapters, rank, inputs] and [adapters, outputs, rank],
# smaller ranks filled up with zeros. which: the place of each among so many as there are in all; those of other places stay zeros.
def stack_adapters(a: List[Tensor], b: List[Tensor], blocks: List[List[int]], which: List[int], n: int,
    outputs: int) -> Tuple[Tensor, Tensor]:
  rank = 0
  for one in a:
    rank = max(rank, one.size(0))
  down = torch.zeros([n, rank, a[0].size(1)], dtype=a[0].dtype, device=a[0].device)
  up = torch.zeros([n, outputs, rank], dtype=b[0].dtype, device=b[0].device)
  for i in range(len(a)):
    down[which[i], :a[i].size(0)].copy_(a[i])
    place_blocks(b[i], blocks[i], [1.0] * (len(blocks[i]) // 2), up[which[i], :, :a[i].size(0)])
  return (down, up)

# Product i of a layer, as linear has it, without dropout.
def decode_linear(x: Tensor, w: List[List[Tensor]], few: List[List[FewRows]], rounded: bool, v: List[Tensor], a: List[List[Tensor]],
    dtype: int, i: int) -> Tensor:
  y = decoding_product(x, w[i], few[i], rounded, dtype)
  if len(a[i]) == 4:
    y.add_(stacked_adapters(x.to(dtype), a[i]))
  elif len(a[i]) > 0:
    down = torch.mm(x.to(dtype), a[i][0].t())
    if y.dtype == dtype:
      y.addmm_(down, a[i][1].t())
    else:
      y.add_(torch.mm(down, a[i][1].t()))
    if len(a[i]) > 2:
      y.mul_(a[i][2])
  if v[i].numel() > 0:
    y.add_(v[i])
  return y

# x + s out norm(product i of h), in place.
def decode_branch_(x: Tensor, h: Tensor, w: List[List[Tensor]], few: List[List[FewRows]], rounded: bool, v: List[Tensor],
    a: List[List[Tensor]], dtype: int, i: int, out_norm: int, dims: List[int], reals: List[float]) -> Tensor:
  return decode_output_(x, decode_linear(h, w, few, rounded, v, a, dtype, i), v, out_norm, dims, reals)

# The same from what a part gives.
def decode_output_(x: Tensor, b: Tensor, v: List[Tensor], out_norm: int, dims: List[int], reals: List[float]) -> Tensor:
  return x.add_(decode_norm(b, v, out_norm, dims), alpha=reals[Real.RESIDUAL])

# What a part of the layer reads, or what becomes of what it gives: RMS norm(x), or x where there is none.
def decode_norm(x: Tensor, v: List[Tensor], i: int, dims: List[int]) -> Tensor:
  if v[i].numel() == 0:
    return x
  return rms_norm(x, v[i], v[Vector.EPS], dims[Dim.UNIT_OFFSET] == 1)

# A layer of a decoder, all of whose norms are RMS norms, for one new token of each sequence, in place.
def decode_layer_(x: Tensor, positions: Tensor, w: List[List[Tensor]], few: List[List[FewRows]], rounded: bool, v: List[Tensor],
    a: List[List[Tensor]], cache: Tensor, convolved: Tensor, mask: Optional[Tensor], slots: Tensor, used: int, cos: Tensor,
    sin: Tensor, dtype: int, dims: List[int], reals: List[float]) -> Tensor:
  qkv = decode_linear(decode_norm(x, v, Vector.ATTENTION_NORM, dims), w, few, rounded, v, a, dtype, Product.QKV).to(dtype)
  if dims[Dim.DELTA_KEY_HEADS] > 0:
    o = delta_step(qkv, cache, convolved, v, dims)
  else:
    qkv = qkv.view([x.size(0), (1 + dims[Dim.OUTPUT_GATE]) * dims[Dim.HEADS] + 2 * dims[Dim.KV_HEADS], -1])
    raw = decode_position_(ungated(qkv, dims), positions, used, v, cos, sin, dims, reals)
    o = decode_attention(raw, cache, mask, slots, used, dims, reals)
  h = gated_attention(o, qkv, v, dims).to(x.dtype)
  decode_branch_(x, h, w, few, rounded, v, a, dtype, Product.O, Vector.ATTENTION_OUT_NORM, dims, reals)
  n = decode_norm(x, v, Vector.MLP_NORM, dims)
  if dims[Dim.EXPERTS] > 0:
    logits = decode_linear(n, w, few, rounded, v, a, dtype, Product.ROUTER).to(dtype)
    y, _ = experts_forward(n.to(dtype), logits, w, a, dims)
    return decode_output_(x, y.to(x.dtype), v, Vector.MLP_OUT_NORM, dims, reals)
  u = decode_linear(n, w, few, rounded, v, a, dtype, Product.GATE_UP)
  return decode_branch_(x, activate(u, dims), w, few, rounded, v, a, dtype, Product.DOWN, Vector.MLP_OUT_NORM, dims, reals)

# at: where each new token stands; level: whether all stand at used - 1. If there is one sequence in the cache, all tokens may be of it.
# cos, sin: of all positions, for each way of rotating; ropes: which of them a layer has; few: that of the head comes last
# Returns the logits [sequences, vocabulary] in float32.
def decode_step(tokens: List[int], at: List[int], level: bool, embedding: List[Tensor], final_norm: List[Tensor], head: List[Tensor],
    w: List[List[List[Tensor]]], few: List[List[List[FewRows]]], rounded: bool, v: List[List[Tensor]], a: List[List[List[Tensor]]],
    cache: List[Tensor], cos: List[Tensor], sin: List[Tensor], ropes: List[int], used: int, dims: List[List[int]],
    reals: List[List[float]], outer: List[float]) -> Tensor:
  n = len(tokens)
  ids = torch.tensor(tokens, dtype=4, device=final_norm[0].device)
  positions = torch.tensor(at, dtype=4, device=ids.device)
  dtype = final_norm[0].dtype
  x = embed(embedding, ids, dtype, annotate(List[Tensor], []), outer)
  if len(few[len(w)][0]) > 0:
    x = x.float()
  cs = annotate(List[Tensor], [])
  sn = annotate(List[Tensor], [])
  for i in range(len(cos)):
    if cos[i].numel() > 0:
      cs.append(torch.index_select(cos[i], 0, positions).unsqueeze(1))
      s = torch.index_select(sin[i], 0, positions).unsqueeze(1)
      sn.append(torch.cat([-s, s], 2))
    else:
      none = torch.empty([0, 0, 0, 0], device=ids.device)
      cs.append(none)
      sn.append(none)
  slots = torch.empty([0], dtype=4, device=ids.device)
  all: Optional[Tensor] = None
  near: Optional[Tensor] = None
  if not level:
    for i in range(len(w)):
      if cache[i].dim() == 4 and slots.numel() == 0:
        rows = cache[i].size(1)
        places = torch.arange(cache[i].size(0) * rows, device=ids.device).view([-1, rows]) * cache[i].size(2)
        slots = (places + positions.unsqueeze(1)).view([-1])
    all = decode_mask(positions, used, 0, dtype)
  window = 0
  for i in range(len(w)):
    mask = all
    if (not level) and dims[i][Dim.WINDOW] > 0:
      if dims[i][Dim.WINDOW] != window:
        window = dims[i][Dim.WINDOW]
        near = decode_mask(positions, used, window, dtype)
      mask = near
    decode_layer_(x, positions, w[i], few[i], rounded, v[i], a[i], cache[i], cache[len(w) + i], mask, slots, used, cs[ropes[i]],
        sn[ropes[i]], dtype, dims[i], reals[i])
  n2 = rms_norm(x, final_norm[0], final_norm[1], outer[Outer.UNIT_OFFSET] == 1.0)
  return finish_logits_(decoding_product(n2, head, few[len(w)][0], rounded, dtype), outer).float()

# Copies what a layer leaves of a prompt (rows from first on of what layer_forward saved) into the caches of some sequences.
def cache_fill(saved: List[Tensor], first: int, length: int, v: List[Tensor], dims: List[int], cache: Tensor, convolved: Tensor,
    sequence: int, count: int) -> Tensor:
  if dims[Dim.DELTA_KEY_HEADS] > 0:
    return delta_fill(saved[Saved.QKV][first:first + length], v, dims, cache, convolved, sequence, count)
  kv = saved[Saved.KEYS].size(1)
  places = cache[sequence:sequence + count]
  places[:, :kv, :length].copy_(saved[Saved.KEYS][first:first + length].transpose(0, 1))
  places[:, kv:, :length].copy_(saved[Saved.VALUES][first:first + length].transpose(0, 1))
  return cache

# The cache of some of the sequences only, with room for so many tokens; they may have had room for more.
def cache_keep(cache: List[Tensor], sequences: Tensor, room: int) -> List[Tensor]:
  out: List[Tensor] = []
  for c in cache:
    chosen = torch.index_select(c, 0, sequences)
    if c.dim() == 4:
      n = torch.zeros([sequences.size(0), c.size(1), room, c.size(3)], dtype=c.dtype, device=c.device)
      n[:, :, :c.size(2)].copy_(chosen[:, :, :room])
      chosen = n
    out.append(chosen)
  return out

# The caches of sequences and after them those of others, with room for so many tokens; they may have had room for more.
def cache_join(cache: List[Tensor], others: List[Tensor], room: int) -> List[Tensor]:
  out: List[Tensor] = []
  for i in range(len(cache)):
    a = cache[i]
    b = others[i]
    if a.dim() == 4:
      n = torch.zeros([a.size(0) + b.size(0), a.size(1), room, a.size(3)], dtype=a.dtype, device=a.device)
      n[:a.size(0), :, :a.size(2)].copy_(a[:, :, :room])
      n[a.size(0):, :, :b.size(2)].copy_(b[:, :, :room])
      out.append(n)
    else:
      out.append(torch.cat([a, b], 0))
  return out
