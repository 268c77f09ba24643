# Embeddings of tokens, of positions and of kinds of segments, and the pooling of rows into one vector a text.

# The embeddings of tokens: x = (W[id] + A^T[id] (s B)^T) * scale, with an adapter A [rank, vocabulary] and s B [hidden, rank].
# scale: of the model, such as the root of its width (Gemma)
def embed(table: List[Tensor], ids: Tensor, dtype: int, a: List[Tensor], outer: List[float]) -> Tensor:
  x = chosen_rows(table, ids, dtype)
  if len(a) > 0:
    x.addmm_(torch.index_select(a[0], 1, ids).t(), a[1].t())
  if outer[Outer.EMBEDDING_SCALE] != 1.0:
    x.mul_(outer[Outer.EMBEDDING_SCALE])
  return x

# From the gradient of what embed gave to that of the sum in it, in place.
def unscale_embedded(dx: Tensor, outer: List[float]) -> Tensor:
  if outer[Outer.EMBEDDING_SCALE] != 1.0:
    dx.mul_(outer[Outer.EMBEDDING_SCALE])
  return dx

# The gradient that the table's rows have, of which that of the padding token (-1 for none) takes none.
def of_rows(dx: Tensor, ids: Tensor, padding: int) -> Tensor:
  if padding < 0:
    return dx
  return dx.masked_fill(torch.eq(ids, padding).unsqueeze(1), 0.0)

def embedding_gradient(dx: Tensor, ids: Tensor, into: Tensor, overwrite: bool, padding: int) -> Tensor:
  if overwrite:
    into.zero_()
  return into.index_add_(0, ids, of_rows(dx, ids, padding).to(into.dtype))

def embedding_adapter_gradient(dx: Tensor, ids: Tensor, a: List[Tensor], ga: List[Tensor], scale: float, padding: int) -> Tensor:
  ga[0].t().index_add_(0, ids, torch.mm(of_rows(dx, ids, padding), a[1]).to(ga[0].dtype))
  return ga[1].add_(torch.mm(dx.t(), torch.index_select(a[0], 1, ids).t()), alpha=scale)

# An embedding with its adapter folded in, in float32: W + s (B A)^T.
def merged_embedding(w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
  return torch.addmm(w.float(), a.t(), b.t(), alpha=scale)

# Word, position and segment embeddings of each row, summed, as far as there are any: before the norm. kinds: the segment of
# each row, or nothing where all are of the first.
def embed_rows(words: List[Tensor], places: Tensor, segments: Tensor, ids: Tensor, positions: Tensor, kinds: Tensor,
    dtype: int) -> Tensor:
  x = chosen_rows(words, ids, dtype)
  if places.numel() > 0:
    x.add_(torch.embedding(places, positions))
  if segments.numel() > 0:
    if kinds.numel() > 0:
      x.add_(torch.embedding(segments, kinds))
    else:
      x.add_(segments[0])
  return x

# Adds into the gradients of the three, or sets them where they hold nothing yet.
def embed_rows_backward(dx: Tensor, ids: Tensor, positions: Tensor, kinds: Tensor, words: Tensor, places: Tensor,
    segments: Tensor, overwrite: bool, padding: int) -> Tensor:
  if overwrite:
    words.zero_()
    places.zero_()
    segments.zero_()
  if words.numel() > 0:
    words.index_add_(0, ids, of_rows(dx, ids, padding).to(words.dtype))
  if places.numel() > 0:
    places.index_add_(0, positions, dx.to(places.dtype))
  if segments.numel() > 0:
    if kinds.numel() > 0:
      segments.index_add_(0, kinds, dx.to(segments.dtype))
    else:
      segments[0].add_(torch.sum(dx, [0]))
  return dx

# One vector a text, in float32: what each of some modes makes of its rows, but for the first that are not pooled, side by side.
def pool(x: Tensor, runs: List[int], modes: List[int], unpooled: int) -> Tensor:
  parts = annotate(List[Tensor], [])
  row = 0
  for i in range(len(runs) // 2):
    t = runs[2 * i + 1]
    end = row + runs[2 * i] * t
    z = x[row:end].view([runs[2 * i], t, -1])
    side = annotate(List[Tensor], [])
    for mode in modes:
      side.append(pool_rows(z, mode, unpooled))
    parts.append(torch.cat(side, 1))
    row = end
  return torch.cat(parts)

# z: [texts, rows, n].
def pool_rows(z: Tensor, mode: int, unpooled: int) -> Tensor:
  t = z.size(1)
  if mode == Pool.CLS:
    return z[:, unpooled].float()
  if mode == Pool.LAST:
    return z[:, t - 1].float()
  s = z[:, unpooled:]
  if mode == Pool.MAX:
    return torch.amax(s, [1]).float()
  if mode == Pool.WEIGHTED_MEAN:
    w = row_weights(t, unpooled, z)
    return torch.sum(s * w, [1]).div_(torch.sum(w))
  if mode == Pool.MEAN_SQRT_LEN:
    return torch.sum(s, [1], dtype=6).div_(float(t - unpooled) ** 0.5)
  return torch.sum(s, [1], dtype=6).div_(float(t - unpooled))

# Places from 1 on, of the rows that are pooled.
def row_weights(t: int, unpooled: int, like: Tensor) -> Tensor:
  return torch.arange(unpooled + 1, t + 1, device=like.device).to(6).view([1, -1, 1])

def pool_backward(d: Tensor, runs: List[int], modes: List[int], x: Tensor) -> Tensor:
  out = torch.zeros_like(x)
  n = x.size(1)
  row = 0
  text = 0
  for i in range(len(runs) // 2):
    c = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + c * t
    for j in range(len(modes)):
      pool_rows_backward(d[text:text + c, j * n:j * n + n], modes[j], x[row:end].view([c, t, n]), out[row:end].view([c, t, n]))
    row = end
    text = text + c
  return out

# Adds to the gradient of the rows z.
def pool_rows_backward(d: Tensor, mode: int, z: Tensor, into: Tensor) -> Tensor:
  t = z.size(1)
  if mode == Pool.CLS:
    into[:, 0].add_(d)
  elif mode == Pool.LAST:
    into[:, t - 1].add_(d)
  elif mode == Pool.MAX:
    largest = torch.argmax(z, 1, True)
    into.scatter_add_(1, largest, d.unsqueeze(1).to(into.dtype))
  elif mode == Pool.WEIGHTED_MEAN:
    w = row_weights(t, 0, z)
    into.add_(d.unsqueeze(1) * w.div_(torch.sum(w)))
  elif mode == Pool.MEAN_SQRT_LEN:
    into.add_(torch.div(d, float(t) ** 0.5).unsqueeze(1))
  else:
    into.add_(torch.div(d, float(t)).unsqueeze(1))
  return into

# act(x W^T + b), with x added, or x R^T where r is not empty.
def vector_dense(x: Tensor, w: Tensor, b: Tensor, r: Tensor, activation: int, adds: bool) -> Tensor:
  y = vector_activation(vector_product(x, w, b), activation)
  if adds and r.numel() > 0:
    return torch.addmm(y, x, r.t())
  if adds:
    return y + x
  return y

def vector_product(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
  if b.numel() > 0:
    return torch.addmm(b, x, w.t())
  return torch.mm(x, w.t())

def vector_activation(u: Tensor, activation: int) -> Tensor:
  if activation == DenseActivation.TANH:
    return torch.tanh(u)
  if activation == DenseActivation.RELU:
    return torch.relu(u)
  if activation == DenseActivation.GELU:
    return torch.gelu(u)
  if activation == DenseActivation.SILU:
    return torch.silu(u)
  if activation == DenseActivation.SIGMOID:
    return torch.sigmoid(u)
  return u

def vector_activation_backward(d: Tensor, u: Tensor, activation: int) -> Tensor:
  if activation == DenseActivation.TANH:
    y = torch.tanh(u)
    return d * (1.0 - y * y)
  if activation == DenseActivation.RELU:
    return d * (u > 0).to(d.dtype)
  if activation == DenseActivation.GELU:
    return torch.gelu_backward(d, u)
  if activation == DenseActivation.SILU:
    return torch.silu_backward(d, u)
  if activation == DenseActivation.SIGMOID:
    y = torch.sigmoid(u)
    return d * y * (1.0 - y)
  return d

# The gradient of x.
def vector_dense_backward(d: Tensor, x: Tensor, w: Tensor, b: Tensor, r: Tensor, activation: int, adds: bool) -> Tensor:
  dx = torch.mm(vector_activation_backward(d, vector_product(x, w, b), activation), w)
  if adds and r.numel() > 0:
    return torch.addmm(dx, d, r)
  if adds:
    return dx.add_(d)
  return dx

# Rows of length 1.
def unit(x: Tensor) -> Tensor:
  return torch.div(x, torch.linalg_vector_norm(x, 2, [-1], True).clamp_min_(1e-12))

def unit_backward(d: Tensor, x: Tensor) -> Tensor:
  n = torch.linalg_vector_norm(x, 2, [-1], True).clamp_min_(1e-12)
  y = torch.div(x, n)
  return torch.sub(d, y.mul_(torch.sum(torch.mul(d, y), [-1], True))).div_(n)
