# Matrices in 8 or 4 bits: how they are rounded, and how they become numbers again. Lists of tensors as in weight.py:
#   [codes, scales]                                8-bit integers [outputs, inputs], and a scale for each row
#   [codes, scales, pairs]                         4 bits, two in a byte, the first in its upper half: [outputs, inputs / 2];
#                                                  scales [outputs, blocks], float32; pairs: the two numbers of a byte [256, 2]
#   [packed, scales]                               the same as the processor's kernel for 4-bit integers reads it
#   [codes, scales, pairs, least]                  and for each block a number that is added
#   [codes, steps, pairs, levels, factors, means]  scales in 8 bits too, as bitsandbytes nests them (Dettmers et al. 2023): each
#                                                  levels[step] * factor + mean, with a factor and a mean for 256 scales in turn
# A block is a power of two of inputs, or a whole row; the last one of a row may be shorter.

def is_quantised(w: List[Tensor]) -> bool:
  return (w[0].dtype == 1) or (w[0].dtype == 0)

# How many numbers a row of a weight has.
def inputs_of(w: List[Tensor]) -> int:
  if w[0].dtype == 0:
    return 2 * w[0].size(1)
  return w[0].size(1)

# Some rows of a weight as a weight that shares its memory. Scales that are nested must begin at a multiple of 256.
def rows_of(w: List[Tensor], start: int, count: int) -> List[Tensor]:
  out = annotate(List[Tensor], [])
  n = w[0].size(0)
  for i in range(len(w)):
    t = w[i]
    if (w[0].dtype == 0) and ((i == 2) or ((i == 3) and (len(w) > 4))):
      out.append(t)
    else:
      out.append(torch.narrow(t, 0, start * t.size(0) // n, count * t.size(0) // n))
  return out

# The length of a block, from how many a row has: of powers of two only one fits.
def block_length(inputs: int, blocks: int) -> int:
  length = 1
  if blocks == 1:
    length = inputs
  while (inputs + length - 1) // length > blocks:
    length = 2 * length
  return length

# Rows of numbers [rows, inputs] times a scale for each block, or with a number for each block added, in place.
def each_block_(values: Tensor, numbers: Tensor, multiplies: bool) -> Tensor:
  blocks = numbers.size(1)
  length = block_length(values.size(1), blocks)
  whole = values.size(1) // length
  if whole > 0:
    v = values[:, :whole * length].unflatten(1, [whole, length])
    n = numbers[:, :whole].unsqueeze(2)
    if multiplies:
      v.mul_(n)
    else:
      v.add_(n)
  if whole < blocks:
    rest = values[:, whole * length:]
    if multiplies:
      rest.mul_(numbers[:, whole:])
    else:
      rest.add_(numbers[:, whole:])
  return values

# The scales of some rows, in float32.
def block_scales(w: List[Tensor], start: int, count: int) -> Tensor:
  if len(w) < 6:
    return w[1][start:start + count]
  steps = w[1][start:start + count]
  n = steps.size(1)
  group = torch.floor_divide(torch.arange(start * n, (start + count) * n, device=steps.device), 256)
  return unnested_scales(w, steps, group)

# Nested scales [rows, blocks] from their steps, and which 256 of them each is among.
def unnested_scales(w: List[Tensor], steps: Tensor, group: Tensor) -> Tensor:
  s = torch.index_select(w[3], 0, steps.flatten().to(3))
  return s.mul_(torch.index_select(w[4], 0, group)).add_(torch.index_select(w[5], 0, group)).view_as(steps)

# Rows of a quantised weight as numbers.
def dense_rows(w: List[Tensor], start: int, count: int, dtype: int) -> Tensor:
  codes = w[0][start:start + count]
  if codes.dtype == 1:
    return codes.to(dtype).mul_(w[1][start:start + count].unsqueeze(1))
  # A pair of numbers is looked up as one complex number: the quickest of libtorch's ways.
  pairs = torch.index_select(torch.view_as_complex(w[2]), 0, codes.flatten().to(3))
  return in_numbers_(torch.view_as_real(pairs).view([count, -1]), w, start, count).to(dtype)

# What the codes of some rows stand for as the rows, in place.
def in_numbers_(values: Tensor, w: List[Tensor], start: int, count: int) -> Tensor:
  each_block_(values, block_scales(w, start, count), True)
  if len(w) == 4:
    each_block_(values, w[3][start:start + count], False)
  return values

# Rows of a weight, however it is stored, as numbers; those of a dense one share its memory.
def some_rows(w: List[Tensor], start: int, count: int, dtype: int) -> Tensor:
  if is_quantised(w):
    return dense_rows(w, start, count, dtype)
  return w[0][start:start + count]

# Some rows of a weight as numbers, by their places.
def chosen_rows(w: List[Tensor], places: Tensor, dtype: int) -> Tensor:
  if not is_quantised(w):
    return torch.embedding(w[0], places)
  n = places.size(0)
  out = torch.empty([n, inputs_of(w)], dtype=dtype, device=places.device)
  step = max(1, 1048576 // out.size(1))
  at = 0
  while at < n:
    count = min(step, n - at)
    some = at_places(w, places[at:at + count])
    out[at:at + count].copy_(dense_rows(some, 0, count, dtype))
    at = at + count
  return out

# The same as a weight, its scales in float32.
def at_places(w: List[Tensor], places: Tensor) -> List[Tensor]:
  out = [torch.index_select(w[0], 0, places), torch.index_select(w[1], 0, places)]
  if w[0].dtype == 0:
    out.append(w[2])
  if len(w) == 6:
    n = w[1].size(1)
    numbers = places.unsqueeze(1) * n + torch.arange(n, device=places.device)
    out[1] = unnested_scales(w, out[1], torch.floor_divide(numbers.flatten(), 256))
  if len(w) == 4:
    out.append(torch.index_select(w[3], 0, places))
  return out

# How many rows are made dense at a time: few, where few numbers are multiplied with them, so that they stay in the
# processor's cache.
def rows_at_once(x: Tensor, w: List[Tensor]) -> int:
  numbers = 4194304
  if x.size(0) <= 16:
    numbers = 524288
  elif x.size(0) <= 128:
    numbers = 1048576
  rows = numbers // inputs_of(w)
  if rows < 1:
    return 1
  return rows

# x W^T
def quantised_product(x: Tensor, w: List[Tensor]) -> Tensor:
  if (w[0].dtype == 0) and (len(w) == 2):
    return int4_product(x, w[0], w[1])
  if (w[0].dtype == 1) and has_int8_product(x, w[0], w[1]):
    return int8_product(x, w[0], w[1])
  if (w[0].dtype == 0) and (x.size(0) <= 4):
    return few_rows_product(x, w)
  n = w[0].size(0)
  step = rows_at_once(x, w)
  if n <= step:
    return dense_product(x, dense_rows(w, 0, n, x.dtype))
  y = torch.empty([x.size(0), n], dtype=x.dtype, device=x.device)
  at = 0
  while at < n:
    count = min(step, n - at)
    y[:, at:at + count].copy_(dense_product(x, dense_rows(w, at, count, x.dtype)))
    at = at + count
  return y

# x W^T of few rows with W in 4 bits, all of it in float32: making the numbers bfloat16 takes longer than what that would spare.
# Where they are made they are written over, which spares asking for memory that is in no cache.
def few_rows_product(x: Tensor, w: List[Tensor]) -> Tensor:
  n = w[0].size(0)
  k = inputs_of(w)
  step = min(rows_at_once(x, w), n)
  columns = x.float().t().contiguous()
  y = torch.empty([n, x.size(0)], device=x.device)
  codes = torch.empty([step, k // 2], dtype=3, device=x.device)
  values = torch.empty([step, k], device=x.device)
  pairs = torch.view_as_complex(w[2])
  at = 0
  while at < n:
    count = min(step, n - at)
    places = codes[:count].copy_(w[0][at:at + count])
    d = values[:count]
    torch.index_select(pairs, 0, places.view([-1]), out=torch.view_as_complex(d.view([-1, 2])))
    in_numbers_(d, w, at, count)
    if x.size(0) == 1:
      torch.mv(d, columns.view([-1]), out=y[at:at + count].view([-1]))
    else:
      torch.mm(d, columns, out=y[at:at + count])
    at = at + count
  return y.t().to(x.dtype).contiguous()

# dy W
def quantised_product_backward(dy: Tensor, w: List[Tensor]) -> Tensor:
  n = w[0].size(0)
  step = rows_at_once(dy, w)
  if n <= step:
    return dense_product_backward(dy, dense_rows(w, 0, n, dy.dtype))
  # In float32: sums of many parts.
  dx = torch.zeros([dy.size(0), inputs_of(w)], device=dy.device)
  at = 0
  while at < n:
    count = min(step, n - at)
    dx.add_(dense_product_backward(dy[:, at:at + count].contiguous(), dense_rows(w, at, count, dy.dtype)))
    at = at + count
  return dx.to(dy.dtype)

# A dense matrix as 8-bit integers: each row divided by its scale, the largest magnitude over 127, and rounded.
def quantise_rows(w: Tensor, dtype: int) -> Tuple[Tensor, Tensor]:
  rows = w.float()
  most = torch.maximum(torch.amax(rows, [1], True), -torch.amin(rows, [1], True))
  scale = torch.clamp(most / 127.0, 1e-30).to(dtype)
  return (torch.div(rows, scale).round_().clamp_(-127.0, 127.0).to(1), scale.squeeze(1))

# Rows in blocks [rows, blocks, length], the last of a row filled with zeros.
def in_blocks(rows: Tensor, length: int) -> Tensor:
  missing = (length - rows.size(1) % length) % length
  if missing > 0:
    return torch.constant_pad_nd(rows, [0, missing]).unflatten(1, [-1, length])
  return rows.unflatten(1, [-1, length])

# A dense matrix in 4 bits: each block divided by its scale, each quotient the nearest of 16 levels, which rise. The scale is
# the largest magnitude of the block; of levels that reach further down than up, which are integers, what makes that number the
# lowest of them.
def quantise_blocks(w: Tensor, levels: Tensor, length: int) -> Tuple[Tensor, Tensor]:
  v = in_blocks(w.float(), length)
  lowest = float(levels[0])
  scale = torch.gather(v, 2, torch.argmax(torch.abs(v), 2, True))
  if lowest == -float(levels[15]):
    scale = torch.abs(scale)
  else:
    scale = scale / lowest
  quotient = torch.div(v, torch.where(scale == 0.0, torch.ones_like(scale), scale))
  if lowest == -float(levels[15]):
    codes = nearest(quotient, levels)
  else:
    codes = (quotient.round_().clamp_(lowest, float(levels[15])) - lowest).to(3)
  return (four_bits(codes.flatten(1)[:, :w.size(1)]), scale.squeeze(2))

# The place of the nearest of some levels, which rise.
def nearest(x: Tensor, levels: Tensor) -> Tensor:
  middles = (levels[1:] + levels[:levels.size(0) - 1]) * 0.5
  return torch.bucketize(x, middles, out_int32=True, right=False)

# Numbers from 0 to 15 two in a byte.
def four_bits(codes: Tensor) -> Tensor:
  two = codes.unflatten(1, [-1, 2])
  return (torch.select(two, 2, 0) * 16 + torch.select(two, 2, 1)).to(0)

# The scales of a matrix in 8 bits: steps like scales, factors and means for 256 of them in turn.
def nest_scales(scales: Tensor, levels: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
  mean = torch.mean(scales)
  groups = (scales - mean).view([-1, 256])
  factors = torch.amax(torch.abs(groups), [1], True)
  quotient = torch.div(groups, torch.where(factors == 0.0, torch.ones_like(factors), factors))
  return (nearest(quotient, levels).to(0).view_as(scales), factors.flatten(), mean.expand([factors.size(0)]).contiguous())
