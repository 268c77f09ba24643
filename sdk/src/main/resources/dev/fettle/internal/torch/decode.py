# One token for each of several sequences at once, through all layers, with cached keys and values.
# w: 12 tensors a layer as in layer.py; a: 8; cache: keys and values of each layer, [sequences x kv heads, room, dim].

def decode_attention(q: Tensor, k: Tensor, v: Tensor, keys: Tensor, values: Tensor, hidden: Tensor, slots: Tensor, used: int) -> Tensor:
  n = q.size(0)
  heads = q.size(1)
  d = q.size(2)
  kv = k.size(1)
  g = heads // kv
  keys.view([-1, d]).index_copy_(0, slots, k.reshape([n * kv, d]))
  values.view([-1, d]).index_copy_(0, slots, v.reshape([n * kv, d]))
  scores = torch.bmm((q * torch.pow(float(d), -0.5)).reshape([n * kv, g, d]), keys[:, :used].transpose(1, 2)).view([n, kv * g, used])
  scores.masked_fill_(hidden.unsqueeze(1), -1e30)
  p = torch.softmax(scores, -1).view([n * kv, g, used])
  return torch.bmm(p, values[:, :used]).view([n, heads * d])

# positions: where each new token stands. Returns the logits [sequences, vocabulary] in float32.
def decode_step(ids: Tensor, positions: Tensor, embedding: Tensor, norm: Tensor, head: Tensor, w: List[Tensor],
    a: List[Tensor], none: List[Tensor], cache: List[Tensor], cos: Tensor, sin: Tensor, windows: List[int], used: int,
    shape: List[int], eps: float) -> Tensor:
  kv = shape[1]
  x = torch.embedding(embedding, ids)
  c = torch.index_select(cos, 0, positions)
  s = torch.index_select(sin, 0, positions)
  room = cache[0].size(1)
  slots = (torch.arange(ids.size(0) * kv).view([-1, kv]) * room + positions.unsqueeze(1)).view([-1])
  j = torch.arange(used).unsqueeze(0)
  later = j > positions.unsqueeze(1)
  for i in range(len(windows)):
    wi = w[12 * i:12 * i + 12]
    ai = a[8 * i:8 * i + 8]
    hidden = later
    if windows[i] > 0:
      hidden = torch.logical_or(later, j <= positions.unsqueeze(1) - windows[i])
    raw = project_qkv(rms_norm(x, wi[0], eps), wi, ai, none, shape)
    q, k, v = position_qkv(raw, wi, c, s, shape, eps)
    o = decode_attention(q, k, v, cache[2 * i], cache[2 * i + 1], hidden, slots, used)
    x = linear_onto(x, o, wi[5], wi[6], ai[2], ai[3], none[1])
    x, gu = mlp(x, wi, ai, none, eps)
  return head_logits(rms_norm(x, norm, eps), head)

# Copies the keys and values of a prompt (rows from first on of what layer_forward saved) into the rows of a sequence.
def cache_fill(saved: List[Tensor], first: int, length: int, keys: Tensor, values: Tensor, sequence: int) -> Tensor:
  kv = saved[2].size(1)
  keys[sequence * kv:sequence * kv + kv, :length].copy_(saved[2][first:first + length].transpose(0, 1))
  values[sequence * kv:sequence * kv + kv, :length].copy_(saved[3][first:first + length].transpose(0, 1))
  return keys

# The cache of some of the sequences only, with room for more or as many tokens.
def cache_keep(cache: List[Tensor], rows: Tensor, room: int) -> List[Tensor]:
  out: List[Tensor] = []
  for c in cache:
    n = torch.zeros([rows.size(0), room, c.size(2)], dtype=c.dtype)
    n[:, :c.size(1)].copy_(torch.index_select(c, 0, rows))
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
