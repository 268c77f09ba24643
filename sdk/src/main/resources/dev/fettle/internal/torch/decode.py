# One token for each of several sequences at once, through all layers, with cached keys and values. A token's work is
# small: what counts is to stream the weights at the speed of memory, in few operations.
# w: 12 tensors a layer as in layer.py, its four matrices plain, packed for oneDNN, or 8-bit integers with a scale for
# each row in scales (four a layer, empty where there is none); a: 8; cache: the keys and values of each layer,
# [sequences, 2 kv heads, room, dim].

# A matrix [out, in] as oneDNN likes to read it for few rows of input. Only oneDNN can read the result.
def packed(w: Tensor) -> Tensor:
  return ops.mkldnn._reorder_linear_weight(w, 1)

# Each row divided by its scale, the largest magnitude over 127, and rounded.
def quantised(w: Tensor) -> Tuple[Tensor, Tensor]:
  rows = w.float()
  most = torch.maximum(torch.amax(rows, [1], True), -torch.amin(rows, [1], True))
  scale = torch.clamp(most / 127.0, 1e-30).to(w.dtype)
  return (rows.div_(scale).round_().clamp_(-127.0, 127.0).to(1), scale.squeeze(1))

def decode_product(x: Tensor, w: Tensor, scale: Tensor, onednn: bool) -> Tensor:
  if scale.numel() > 0:
    return torch._weight_int8pack_mm(x, w, scale)
  if onednn:
    return onednn_product(x, w)
  return product(x, w)

def decode_linear(x: Tensor, w: Tensor, scale: Tensor, bias: Tensor, a: Tensor, sb: Tensor, onednn: bool) -> Tensor:
  y = decode_product(x, w, scale, onednn)
  if bias.numel() > 0:
    y.add_(bias)
  return adapted_(y, x, a, sb)

# Queries and keys, normalised where the model does, are rotated in place. raw: [sequences, heads + 2 kv heads, dim].
# cos: [sequences, 1, 1, dim / 2]; sin: [sequences, 1, 2, dim / 2], negative for the first halves.
def decode_rotate_(raw: Tensor, heads: int, kv: int, qn: Tensor, kn: Tensor, cos: Tensor, sin: Tensor, eps: Tensor) -> Tensor:
  if qn.numel() > 0:
    q = torch.narrow(raw, 1, 0, heads)
    k = torch.narrow(raw, 1, heads, kv)
    q.copy_(decode_norm(q, qn, eps))
    k.copy_(decode_norm(k, kn, eps))
  z = torch.narrow(raw, 1, 0, heads + kv).unflatten(2, [2, cos.size(3)])
  turned = torch.flip(z, [2])
  z.mul_(cos).addcmul_(turned, sin)
  return raw

# rms_norm in fewer operations; eps as a tensor.
def decode_norm(x: Tensor, w: Tensor, eps: Tensor) -> Tensor:
  l = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
  r = torch.addcmul(eps, l, l, value=1.0 / float(x.size(-1))).rsqrt_()
  return torch.mul(x, r).to(x.dtype).mul_(w)

# 0 where a sequence's new token may look, -1e30 elsewhere; nothing where all may look at all.
def decode_mask(positions: Tensor, used: int, window: int, level: bool, dtype: int) -> Optional[Tensor]:
  out: Optional[Tensor] = None
  if (not level) or (window > 0 and window < used):
    j = torch.arange(used).unsqueeze(0)
    p = positions.unsqueeze(1)
    hidden = j > p
    if window > 0:
      hidden = torch.logical_or(hidden, j <= p - window)
    out = torch.zeros([positions.size(0), used], dtype=dtype).masked_fill_(hidden, -1e30).unsqueeze(1).unsqueeze(1)
  return out

# Writes the new keys and values into the cache at used - 1, or where slots says if the sequences differ in length, and
# attends to all of it: [sequences, heads x dim].
def decode_attention(raw: Tensor, heads: int, kv: int, cache: Tensor, mask: Optional[Tensor], slots: Tensor, used: int) -> Tensor:
  new = torch.narrow(raw, 1, heads, 2 * kv)
  if slots.numel() > 0:
    cache.view([-1, raw.size(2)]).index_copy_(0, slots, new.flatten(0, 1))
  else:
    torch.select(cache, 2, used - 1).copy_(new)
  q = torch.narrow(raw, 1, 0, heads).unflatten(1, [kv, heads // kv])
  seen = torch.narrow(cache, 2, 0, used)
  o, l = torch._scaled_dot_product_flash_attention_for_cpu(q, torch.narrow(seen, 1, 0, kv), torch.narrow(seen, 1, kv, kv), 0.0, False, attn_mask=mask)
  return o.flatten(1)

# positions: where each new token stands; level: whether all stand at used - 1.
# Returns the logits [sequences, vocabulary] in float32.
def decode_step(ids: Tensor, positions: Tensor, level: bool, embedding: Tensor, norm: Tensor, head: List[Tensor],
    w: List[Tensor], scales: List[Tensor], onednn: bool, a: List[Tensor], cache: List[Tensor], cos: Tensor, sin: Tensor,
    windows: List[int], used: int, heads: int, kv: int, epsilon: float) -> Tensor:
  n = ids.size(0)
  x = torch.embedding(embedding, ids)
  eps = torch.full([1], epsilon, dtype=6)
  c = torch.index_select(cos, 0, positions).unsqueeze(1)
  s = torch.index_select(sin, 0, positions).unsqueeze(1)
  s = torch.cat([-s, s], 2)
  slots = torch.empty([0], dtype=4)
  if not level:
    slots = (torch.arange(2 * n * kv).view([n, 2 * kv]) * cache[0].size(2) + positions.unsqueeze(1)).view([-1])
  window = 0
  mask = decode_mask(positions, used, window, level, x.dtype)
  for i in range(len(windows)):
    if windows[i] != window:
      window = windows[i]
      mask = decode_mask(positions, used, window, level, x.dtype)
    j = 12 * i
    m = 4 * i
    b = 8 * i
    qkv = decode_linear(decode_norm(x, w[j], eps), w[j + 1], scales[m], w[j + 2], a[b], a[b + 1], onednn)
    raw = decode_rotate_(qkv.view([n, heads + 2 * kv, -1]), heads, kv, w[j + 3], w[j + 4], c, s, eps)
    o = decode_attention(raw, heads, kv, cache[i], mask, slots, used)
    x.add_(decode_linear(o, w[j + 5], scales[m + 1], w[j + 6], a[b + 2], a[b + 3], onednn))
    gu = decode_linear(decode_norm(x, w[j + 7], eps), w[j + 8], scales[m + 2], w[j + 9], a[b + 4], a[b + 5], onednn)
    x.add_(decode_linear(swiglu(gu), w[j + 10], scales[m + 3], w[j + 11], a[b + 6], a[b + 7], onednn))
  return decode_product(decode_norm(x, norm, eps), head[0], head[1], onednn).float()

# Copies the keys and values of a prompt (rows from first on of what layer_forward saved) into the cache of a sequence.
def cache_fill(saved: List[Tensor], first: int, length: int, cache: Tensor, sequence: int) -> Tensor:
  kv = saved[2].size(1)
  cache[sequence, :kv, :length].copy_(saved[2][first:first + length].transpose(0, 1))
  cache[sequence, kv:, :length].copy_(saved[3][first:first + length].transpose(0, 1))
  return cache

# The cache of some of the sequences only, with room for more or as many tokens.
def cache_keep(cache: List[Tensor], sequences: Tensor, room: int) -> List[Tensor]:
  out: List[Tensor] = []
  for c in cache:
    n = torch.zeros([sequences.size(0), c.size(1), room, c.size(3)], dtype=c.dtype)
    n[:, :, :c.size(2)].copy_(torch.index_select(c, 0, sequences))
    out.append(n)
  return out

# Where each row's cumulative distribution c passes the share u of its total.
def invert(c: Tensor, u: Tensor) -> Tensor:
  return torch.sum((c <= u.unsqueeze(1) * torch.amax(c, [1], True)).to(4), [1], True)

# Keeps the k likeliest tokens (0 = all), then the likeliest that together have probability p; q is sorted.
def restrict(q: Tensor, k: int, p: float) -> Tensor:
  if k > 0 and k < q.size(1):
    q[:, k:].zero_()
    q.div_(torch.sum(q, [1], True))
  if p < 1.0:
    q.masked_fill_(torch.cumsum(q, 1) - q >= p, 0.0)
  return q

# Chooses the next token of each row: the likeliest where temperature is 0, else by inverting the cumulative
# distribution of the allowed tokens at u. Also the token's logprob under the model itself (temperature 1, nothing cut
# off).
def choose(logits: Tensor, u: Tensor, temperature: float, k: int, p: float) -> Tuple[Tensor, Tensor]:
  if temperature == 0.0:
    ids = torch.argmax(logits, 1)
  elif k == 0 and p >= 1.0:
    c = torch.cumsum(torch.softmax(logits / temperature, 1), 1)
    ids = torch.clamp(invert(c, u), 0, logits.size(1) - 1).squeeze(1)
  else:
    l, order = torch.sort(logits / temperature, 1, True)
    q = restrict(torch.softmax(l, 1), k, p)
    last = torch.sum((q > 0.0).to(4), [1], True) - 1
    ids = torch.gather(order, 1, torch.minimum(invert(torch.cumsum(q, 1), u), last)).squeeze(1)
  z = torch.logsumexp(logits, [1])
  return (ids, torch.gather(logits, 1, ids.unsqueeze(1)).squeeze(1) - z)
