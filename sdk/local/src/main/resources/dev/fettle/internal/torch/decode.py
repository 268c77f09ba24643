# One token for each of several sequences at once, through all layers (the parts of layer.py), with cached keys and values. A
# token's work is small: what counts is to stream the weights at the speed of memory, in few operations.
# w, v, a, dims, reals: of each layer, see layer.py;  cache: the keys and values of each layer, [sequences, 2 kv heads, room, dim]

# Queries and keys, normalised where the model does, are rotated in place. raw: [sequences, heads + 2 kv heads, dim].
# cos: [sequences, 1, 1, dim / 2]; sin: [sequences, 1, 2, dim / 2], negative for the first halves.
def decode_position_(raw: Tensor, v: List[Tensor], cos: Tensor, sin: Tensor, dims: List[int]) -> Tensor:
  heads = dims[Dim.HEADS]
  kv = dims[Dim.KV_HEADS]
  if v[Vector.Q_NORM].numel() > 0:
    q = torch.narrow(raw, 1, 0, heads)
    k = torch.narrow(raw, 1, heads, kv)
    q.copy_(rms_norm(q, v[Vector.Q_NORM], v[Vector.EPS]))
    k.copy_(rms_norm(k, v[Vector.K_NORM], v[Vector.EPS]))
  if cos.numel() > 0:
    z = torch.narrow(raw, 1, 0, heads + kv).unflatten(2, [2, cos.size(3)])
    turned = torch.flip(z, [2])
    z.mul_(cos).addcmul_(turned, sin)
  return raw

# 0 where a sequence's new token may look, -1e30 elsewhere; nothing where all may look at all.
def decode_mask(positions: Tensor, used: int, window: int, level: bool, dtype: int) -> Optional[Tensor]:
  out: Optional[Tensor] = None
  if (not level) or (window > 0 and window < used):
    j = torch.arange(used, device=positions.device).unsqueeze(0)
    p = positions.unsqueeze(1)
    hidden = j > p
    if window > 0:
      hidden = torch.logical_or(hidden, j <= p - window)
    m = torch.zeros([positions.size(0), used], dtype=dtype, device=positions.device)
    out = m.masked_fill_(hidden, -1e30).unsqueeze(1).unsqueeze(1)
  return out

# Writes the new keys and values into the cache at used - 1, or where slots says if the sequences differ in length, and
# attends to all of it: [sequences, heads x dim].
def decode_attention(raw: Tensor, cache: Tensor, mask: Optional[Tensor], slots: Tensor, used: int, dims: List[int],
    reals: List[float]) -> Tensor:
  heads = dims[Dim.HEADS]
  kv = dims[Dim.KV_HEADS]
  new = torch.narrow(raw, 1, heads, 2 * kv)
  if slots.numel() > 0:
    cache.view([-1, raw.size(2)]).index_copy_(0, slots, new.flatten(0, 1))
  else:
    torch.select(cache, 2, used - 1).copy_(new)
  q = torch.narrow(raw, 1, 0, heads).unflatten(1, [kv, heads // kv])
  seen = torch.narrow(cache, 2, 0, used)
  o = fused_attention(q, torch.narrow(seen, 1, 0, kv), torch.narrow(seen, 1, kv, kv), mask, reals[Real.SCALE])
  return o.flatten(1)

# A layer for one new token of each sequence.
def decode_layer(x: Tensor, w: List[List[Tensor]], v: List[Tensor], a: List[List[Tensor]], cache: Tensor, mask: Optional[Tensor],
    slots: Tensor, used: int, cos: Tensor, sin: Tensor, dims: List[int], reals: List[float]) -> Tensor:
  m = annotate(List[Tensor], [])
  raw = project_qkv(norm(x, v, Vector.ATTENTION_NORM, reals), w, v, a, m, dims)
  o = decode_attention(decode_position_(raw, v, cos, sin, dims), cache, mask, slots, used, dims, reals)
  x2, _ = add_branch(x, o, w, v, a, m, Product.O, Vector.ATTENTION_OUT_NORM, Vector.ATTENTION_SUM_NORM, dims, reals)
  u = linear(norm(x2, v, Vector.MLP_NORM, reals), w, v, a, m, Product.GATE_UP)
  y, _ = add_branch(x2, activate(u, dims), w, v, a, m, Product.DOWN, Vector.MLP_OUT_NORM, Vector.MLP_SUM_NORM, dims, reals)
  return y

# positions: where each new token stands; level: whether all stand at used - 1.
# Returns the logits [sequences, vocabulary] in float32.
def decode_step(ids: Tensor, positions: Tensor, level: bool, embedding: Tensor, final_norm: List[Tensor], head: List[Tensor],
    w: List[List[List[Tensor]]], v: List[List[Tensor]], a: List[List[List[Tensor]]], cache: List[Tensor], cos: Tensor,
    sin: Tensor, used: int, dims: List[List[int]], reals: List[List[float]]) -> Tensor:
  n = ids.size(0)
  x = torch.embedding(embedding, ids)
  c = torch.index_select(cos, 0, positions).unsqueeze(1)
  s = torch.index_select(sin, 0, positions).unsqueeze(1)
  s = torch.cat([-s, s], 2)
  slots = torch.empty([0], dtype=4, device=ids.device)
  if not level:
    rows = cache[0].size(1)
    places = torch.arange(n * rows, device=ids.device).view([n, rows]) * cache[0].size(2)
    slots = (places + positions.unsqueeze(1)).view([-1])
  window = 0
  mask = decode_mask(positions, used, window, level, x.dtype)
  for i in range(len(w)):
    if dims[i][Dim.WINDOW] != window:
      window = dims[i][Dim.WINDOW]
      mask = decode_mask(positions, used, window, level, x.dtype)
    x = decode_layer(x, w[i], v[i], a[i], cache[i], mask, slots, used, c, s, dims[i], reals[i])
  return product(rms_norm(x, final_norm[0], final_norm[1]), head).float()

# Copies the keys and values of a prompt (rows from first on of what layer_forward saved) into the cache of a sequence.
def cache_fill(saved: List[Tensor], first: int, length: int, cache: Tensor, sequence: int) -> Tensor:
  kv = saved[Saved.KEYS].size(1)
  cache[sequence, :kv, :length].copy_(saved[Saved.KEYS][first:first + length].transpose(0, 1))
  cache[sequence, kv:, :length].copy_(saved[Saved.VALUES][first:first + length].transpose(0, 1))
  return cache

# The cache of some of the sequences only, with room for more or as many tokens.
def cache_keep(cache: List[Tensor], sequences: Tensor, room: int) -> List[Tensor]:
  out: List[Tensor] = []
  for c in cache:
    n = torch.zeros([sequences.size(0), c.size(1), room, c.size(3)], dtype=c.dtype, device=c.device)
    n[:, :, :c.size(2)].copy_(torch.index_select(c, 0, sequences))
    out.append(n)
  return out
