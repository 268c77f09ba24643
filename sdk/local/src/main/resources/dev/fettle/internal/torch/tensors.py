# Making, reading and moving tensors. Number types: 4 = int64, 5 = float16, 6 = float32, 15 = bfloat16.

def empty_tensor(dtype: int, device: str) -> Tensor:
  return torch.empty([0], dtype=dtype, device=torch.device(device))

def clone(x: Tensor) -> Tensor:
  return torch.clone(x)

def zeros(shape: List[int], dtype: int, device: str) -> Tensor:
  return torch.zeros(shape, dtype=dtype, device=torch.device(device))

def uniform(shape: List[int], bound: float, device: str) -> Tensor:
  return torch.rand(shape, device=torch.device(device)).mul_(2.0 * bound).sub_(bound)

def normal(shape: List[int], std: float, dtype: int, device: str) -> Tensor:
  return torch.randn(shape, device=torch.device(device)).mul_(std).to(dtype)

def constant(shape: List[int], value: float, dtype: int, device: str) -> Tensor:
  return torch.full(shape, value, dtype=dtype, device=torch.device(device))

# A part of a flat vector as a matrix or vector that shares its memory.
def view_slice(flat: Tensor, start: int, shape: List[int]) -> Tensor:
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

def empty(shape: List[int], dtype: int, device: str) -> Tensor:
  return torch.empty(shape, dtype=dtype, device=torch.device(device))

# How many elements of two tensors differ.
def differences(x: Tensor, y: Tensor) -> float:
  return float(torch.sum(torch.ne(x, y)))

# Tensors one after the other along a dimension.
def joined(x: Tensor, y: Tensor, dimension: int) -> Tensor:
  return torch.cat([x, y], dimension)

# Inverted dropout: 1 / (1 - p) where kept, 0 where dropped.
def dropout_mask(shape: List[int], p: float, dtype: int, device: str) -> Tensor:
  kept = torch.rand(shape, device=torch.device(device)) >= p
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

# x + factor y, in float32
def plus(x: Tensor, y: Tensor, factor: float) -> Tensor:
  return torch.add(x.float(), y, alpha=factor)

def select_rows(x: Tensor, index: Tensor) -> Tensor:
  return torch.index_select(x, 0, index)

# Where a tensor is, and its number type.
def device_of(x: Tensor) -> str:
  return str(x.device)

# Lists within a list: so many of the tensors, or numbers, of a flat list in turn.
def nest(flat: List[Tensor], counts: List[int]) -> List[List[Tensor]]:
  out = annotate(List[List[Tensor]], [])
  at = 0
  for n in counts:
    out.append(flat[at:at + n])
    at = at + n
  return out

def nest_lists(flat: List[List[Tensor]], count: int) -> List[List[List[Tensor]]]:
  out = annotate(List[List[List[Tensor]]], [])
  at = 0
  while at < len(flat):
    out.append(flat[at:at + count])
    at = at + count
  return out

def nest_ints(flat: List[int], counts: List[int]) -> List[List[int]]:
  out = annotate(List[List[int]], [])
  at = 0
  for n in counts:
    out.append(flat[at:at + n])
    at = at + n
  return out

def nest_floats(flat: List[float], counts: List[int]) -> List[List[float]]:
  out = annotate(List[List[float]], [])
  at = 0
  for n in counts:
    out.append(flat[at:at + n])
    at = at + n
  return out

# A tensor on a device, as it is if it is there.
def to_device(x: Tensor, device: str) -> Tensor:
  return x.to(torch.device(device))
