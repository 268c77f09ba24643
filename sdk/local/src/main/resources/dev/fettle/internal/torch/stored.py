# Weights of checkpoints that are quantised already, as the tensors of a file have them.

# The largest magnitude; not a number where there is one that is none.
def largest(x: Tensor) -> float:
  return float(torch.amax(torch.abs(x.float())))

# bitsandbytes: numbers in blocks that run through the whole tensor, the last of which may be shorter.
# codes: bytes of which each holds two numbers, the first in its upper half; levels: what the 16 codes stand for
def in_long_blocks(codes: Tensor, levels: Tensor, scales: Tensor, length: int, count: int) -> Tensor:
  places = torch.stack([torch.bitwise_right_shift(codes, 4), torch.bitwise_and(codes, 15)], 1).flatten()[:count]
  values = torch.index_select(levels, 0, places.to(3))
  return values.mul_(scales.repeat_interleave(length)[:count])

# Scales that are in 8 bits too.
def unnested(steps: Tensor, levels: Tensor, factors: Tensor, length: int, mean: float) -> Tensor:
  return torch.index_select(levels, 0, steps.to(3)).mul_(factors.repeat_interleave(length)[:steps.size(0)]).add_(mean)

# Numbers [outputs, inputs] times a scale for each block of so many rows and columns.
def scaled_blocks(w: Tensor, scales: Tensor, rows: int, columns: int) -> Tensor:
  s = scales.repeat_interleave(rows, 0)[:w.size(0)].repeat_interleave(columns, 1)[:, :w.size(1)]
  return w.mul_(s)

# Eight numbers of 4 bits from each 32-bit integer: along the rows [n, m] -> [8 n, m], or the columns [n, m] -> [n, 8 m], in
# the order of shifts.
def unpacked(x: Tensor, shifts: List[int], columns: bool) -> Tensor:
  s = torch.tensor(shifts, dtype=3, device=x.device)
  if columns:
    return torch.bitwise_and(torch.bitwise_right_shift(x.unsqueeze(2), s.view([1, 1, 8])), 15).flatten(1)
  return torch.bitwise_and(torch.bitwise_right_shift(x.unsqueeze(1), s.view([1, 8, 1])), 15).flatten(0, 1)

# From codes [inputs, outputs], zero points and scales [groups, outputs] to the codes and scales of a weight, and what each
# block adds: (code - zero) scale = code scale - zero scale.
def packed_parts(codes: Tensor, zeros: Tensor, scales: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
  return (four_bits(codes.t()), scales.t().contiguous(), (zeros * scales).neg_().t().contiguous())

# The same as numbers [outputs, inputs]; groups: that of each input.
def packed_dense(codes: Tensor, zeros: Tensor, scales: Tensor, groups: Tensor) -> Tensor:
  values = codes.float().sub_(torch.index_select(zeros, 0, groups))
  return values.mul_(torch.index_select(scales, 0, groups)).t().contiguous()
