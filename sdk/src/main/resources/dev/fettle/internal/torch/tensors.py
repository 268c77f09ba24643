# Making, reading and moving tensors. Number types: 4 = int64, 5 = float16, 6 = float32, 15 = bfloat16.

def nothing(integers: bool) -> Tensor:
  if integers:
    return torch.empty([0], dtype=4)
  return torch.empty([0], dtype=6)

def clone(x: Tensor) -> Tensor:
  return torch.clone(x)

def zeros(shape: List[int], dtype: int) -> Tensor:
  return torch.zeros(shape, dtype=dtype)

def uniform(shape: List[int], bound: float) -> Tensor:
  return torch.rand(shape).mul_(2.0 * bound).sub_(bound)

def normal(shape: List[int], std: float, dtype: int) -> Tensor:
  return torch.randn(shape).mul_(std).to(dtype)

def constant(shape: List[int], value: float, dtype: int) -> Tensor:
  return torch.full(shape, value, dtype=dtype)

# A part of a flat vector as a matrix or vector that shares its memory.
def part(flat: Tensor, start: int, shape: List[int]) -> Tensor:
  n = 1
  for s in shape:
    n = n * s
  return flat[start:start + n].view(shape)

# Rows of a matrix or vector, sharing its memory.
def rows(x: Tensor, start: int, count: int) -> Tensor:
  return x[start:start + count]

# Raw little-endian bytes of the given number type into a tensor of any type, elements from start on.
def store(raw: Tensor, dtype: int, into: Tensor, start: int) -> Tensor:
  values = ops.aten.view_copy(raw, dtype=dtype)
  return into.view([-1])[start:start + values.numel()].copy_(values)

# The elements from start on as bytes of the given number type.
def load(x: Tensor, dtype: int, start: int, count: int) -> Tensor:
  return ops.aten.view_copy(x.reshape([-1])[start:start + count].to(dtype).contiguous(), dtype=0)

def copy(into: Tensor, x: Tensor) -> Tensor:
  return into.copy_(x)

# The elements of a vector from start on, as many as into has.
def copy_from(into: Tensor, x: Tensor, start: int) -> Tensor:
  return into.copy_(x[start:start + into.numel()])

def elements(x: Tensor) -> float:
  return float(x.numel())

# Some columns of a matrix, sharing its memory.
def columns(x: Tensor, start: int, count: int) -> Tensor:
  return x[:, start:start + count]

def empty(shape: List[int], dtype: int) -> Tensor:
  return torch.empty(shape, dtype=dtype)

# How many elements of two tensors differ.
def differences(x: Tensor, y: Tensor) -> float:
  return float(torch.sum(torch.ne(x, y)))

# Tensors one after the other along a dimension.
def joined(x: Tensor, y: Tensor, dimension: int) -> Tensor:
  return torch.cat([x, y], dimension)

# The embeddings of tokens: x = W[id] + A^T[id] (s B)^T, with an adapter A [rank, vocabulary] and s B [hidden, rank].
def embed(table: Tensor, ids: Tensor, a: Tensor, sb: Tensor) -> Tensor:
  x = torch.embedding(table, ids)
  if a.numel() > 0:
    x.addmm_(torch.index_select(a, 1, ids).t(), sb.t())
  return x

def embedding_gradient(dx: Tensor, ids: Tensor, into: Tensor, fresh: bool) -> Tensor:
  if fresh:
    into.zero_()
  return into.index_add_(0, ids, dx.to(into.dtype))

def embedding_adapter_gradient(dx: Tensor, ids: Tensor, a: Tensor, sb: Tensor, ga: Tensor, gb: Tensor, scale: float) -> Tensor:
  ga.t().index_add_(0, ids, torch.mm(dx, sb).to(ga.dtype))
  return gb.add_(torch.mm(dx.t(), torch.index_select(a, 1, ids).t()), alpha=scale)

# Inverted dropout: 1 / (1 - p) where kept, 0 where dropped.
def dropout_mask(shape: List[int], p: float, dtype: int) -> Tensor:
  kept = torch.rand(shape) >= p
  return kept.to(6).div_(1.0 - p).to(dtype)

def zero(x: Tensor) -> Tensor:
  return x.zero_()

def flat(x: Tensor) -> Tensor:
  return x.view([-1])

def add_and_clear(into: Tensor, x: Tensor) -> Tensor:
  into.add_(x)
  return x.zero_()

def cast(x: Tensor, dtype: int) -> Tensor:
  return x.to(dtype)

# into = factor x
def scaled(into: Tensor, x: Tensor, factor: float) -> Tensor:
  return into.copy_(x * factor)

# Some rows of a table replaced by others.
def replace_rows(table: Tensor, index: Tensor, by: Tensor) -> Tensor:
  return table.index_copy_(0, index, by.to(table.dtype))

# An embedding with its adapter folded in, in float32: W + s (B A)^T.
def merged_embedding(w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
  return torch.addmm(w.float(), a.t(), b.t(), alpha=scale)

def times(x: Tensor, factor: float) -> Tensor:
  return x * factor

# x + factor y, in float32
def plus(x: Tensor, y: Tensor, factor: float) -> Tensor:
  return torch.add(x.float(), y, alpha=factor)
