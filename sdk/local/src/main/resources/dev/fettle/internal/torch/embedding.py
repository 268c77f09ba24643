# Embeddings of tokens, of positions and of kinds of segments, and the pooling of rows into one vector a text.

# The embeddings of tokens: x = (W[id] + A^T[id] (s B)^T) * scale, with an adapter A [rank, vocabulary] and s B [hidden, rank].
# scale: of the model, such as the root of its width (Gemma)
def embed(table: Tensor, ids: Tensor, a: List[Tensor], outer: List[float]) -> Tensor:
  x = torch.embedding(table, ids)
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

def embedding_gradient(dx: Tensor, ids: Tensor, into: Tensor, overwrite: bool) -> Tensor:
  if overwrite:
    into.zero_()
  return into.index_add_(0, ids, dx.to(into.dtype))

def embedding_adapter_gradient(dx: Tensor, ids: Tensor, a: List[Tensor], ga: List[Tensor], scale: float) -> Tensor:
  ga[0].t().index_add_(0, ids, torch.mm(dx, a[1]).to(ga[0].dtype))
  return ga[1].add_(torch.mm(dx.t(), torch.index_select(a[0], 1, ids).t()), alpha=scale)

# An embedding with its adapter folded in, in float32: W + s (B A)^T.
def merged_embedding(w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
  return torch.addmm(w.float(), a.t(), b.t(), alpha=scale)

# Word, position and first-segment embeddings of each row, summed: before the norm.
def embed_rows(words: Tensor, places: Tensor, segments: Tensor, ids: Tensor, positions: Tensor) -> Tensor:
  return torch.embedding(words, ids).add_(torch.embedding(places, positions)).add_(segments[0])

# Adds into the gradients of the three, or sets them where they hold nothing yet.
def embed_rows_backward(dx: Tensor, ids: Tensor, positions: Tensor, words: Tensor, places: Tensor, segments: Tensor,
    overwrite: bool) -> Tensor:
  if overwrite:
    words.zero_()
    places.zero_()
    segments.zero_()
  if words.numel() > 0:
    words.index_add_(0, ids, dx.to(words.dtype))
  if places.numel() > 0:
    places.index_add_(0, positions, dx.to(places.dtype))
  if segments.numel() > 0:
    segments[0].add_(torch.sum(dx, [0]))
  return dx

# One vector a text, in float32: the mean of its rows, or its first row, but for the first that are not pooled.
def pool(x: Tensor, runs: List[int], first: bool, unpooled: int) -> Tensor:
  parts = annotate(List[Tensor], [])
  row = 0
  for i in range(len(runs) // 2):
    t = runs[2 * i + 1]
    end = row + runs[2 * i] * t
    z = x[row:end].view([runs[2 * i], t, -1])
    if first:
      parts.append(z[:, unpooled].float())
    else:
      parts.append(torch.sum(z[:, unpooled:], [1], dtype=6).div_(float(t - unpooled)))
    row = end
  return torch.cat(parts)

def pool_backward(d: Tensor, runs: List[int], first: bool, like: Tensor) -> Tensor:
  out = torch.zeros_like(like)
  row = 0
  text = 0
  for i in range(len(runs) // 2):
    n = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + n * t
    z = out[row:end].view([n, t, -1])
    if first:
      z[:, 0].copy_(d[text:text + n])
    else:
      z.copy_(torch.div(d[text:text + n], float(t)).unsqueeze(1))
    row = end
    text = text + n
  return out

# Rows of length 1.
def unit(x: Tensor) -> Tensor:
  return torch.div(x, torch.linalg_vector_norm(x, 2, [-1], True).clamp_min_(1e-12))

def unit_backward(d: Tensor, x: Tensor) -> Tensor:
  n = torch.linalg_vector_norm(x, 2, [-1], True).clamp_min_(1e-12)
  y = torch.div(x, n)
  return torch.sub(d, y.mul_(torch.sum(torch.mul(d, y), [-1], True))).div_(n)
