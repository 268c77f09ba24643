# What only one kind of device has: the seam between the kernels and libtorch's operations for processors. Nothing outside
# this file names them. Each other device would have its own beside them.

# Whether a tensor is a matrix that oneDNN has packed.
def is_packed(w: Tensor) -> bool:
  return w.is_mkldnn

# A matrix [outputs, inputs] in the order in which oneDNN likes to read it for so many rows. Only oneDNN can read the result.
def pack(w: Tensor, rows: int) -> Tensor:
  return ops.mkldnn._reorder_linear_weight(w, rows)

# x W^T
def onednn_product(x: Tensor, w: Tensor) -> Tensor:
  return ops.mkldnn._linear_pointwise(x, w, None, "none", annotate(List[Optional[number]], []), "")

# x W^T + bias
def onednn_product_plus(x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
  return ops.mkldnn._linear_pointwise(x, w, bias, "none", annotate(List[Optional[number]], []), "")

# residual + x W^T + bias
def onednn_product_onto(residual: Tensor, x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
  return ops.mkldnn._linear_pointwise(x, residual, w, bias, "add")

# Whether there is a kernel for x W^T with W in 8-bit integers that reads them as they are. It is for few rows, takes 32
# numbers at once, and does not look where a row or the matrix ends; of numbers in float32 it has a slow form alone.
def has_int8_product(x: Tensor, codes: Tensor, scales: Tensor) -> bool:
  return (scales.dtype == 15) and (x.size(0) <= 16) and (codes.size(0) % 32 == 0) and (codes.size(1) % 32 == 0)

# x W^T in bfloat16; of x in float32 the rest that bfloat16 leaves goes along as rows of its own.
def int8_product(x: Tensor, codes: Tensor, scales: Tensor) -> Tensor:
  if x.dtype == 15:
    return torch._weight_int8pack_mm(x, codes, scales)
  upper = x.to(15)
  both = torch._weight_int8pack_mm(torch.cat([upper, (x - upper.float()).to(15)]), codes, scales).float()
  return both[:x.size(0)].add_(both[x.size(0):])

# A matrix [outputs, inputs] in float16, in the order in which FBGEMM reads it: for few rows the fastest form there is, and exact for
# weights that came in bfloat16 or float16, but for those below 6e-5, of which at most 3e-8 is lost.
def pack_half(w: Tensor) -> List[FewRows]:
  return [ops.quantized.linear_prepack_fp16(w.float(), None)]

# |W - W in float16| / |W|; infinite or no number at all where float16 does not reach.
def lost_in_half(w: Tensor) -> float:
  lost = torch.zeros([1], dtype=7, device=w.device)
  all = torch.zeros([1], dtype=7, device=w.device)
  step = max(1, 1048576 // w.size(1))
  for i in range((w.size(0) + step - 1) // step):
    x = torch.narrow(w, 0, i * step, min(step, w.size(0) - i * step)).float()
    lost.add_(torch.sum(torch.square(x - x.to(5).float())))
    all.add_(torch.sum(torch.square(x)))
  return float(torch.sqrt(lost.div_(all.clamp_min_(1e-30))))

# x W^T, added up in float32.
def half_product(x: Tensor, w: FewRows) -> Tensor:
  return ops.quantized.linear_dynamic_fp16(x.float(), w).to(x.dtype)

# 8-bit integers [outputs, inputs] and their scales in FBGEMM's order.
def pack_int8(codes: Tensor, scales: Tensor) -> List[FewRows]:
  zeros = torch.zeros([codes.size(0)], dtype=4, device=codes.device)
  return [ops.quantized.linear_prepack(torch._make_per_channel_quantized_tensor(codes, scales.float(), zeros, 0), None)]

# x W^T with such a W, for numbers of any type. A row of x is cut into steps of a 63rd of its largest magnitude, and what that
# leaves into steps of a 126th of these: two rows of integers from -63 to 63, as good as 14 bits. FBGEMM takes integers from 0 on, so
# 64 stands for 0; it would take them up to 255, but without VNNI its sums of two products have 16 bits.
def int8_digits_product(x: Tensor, w: FewRows) -> Tensor:
  n = x.size(0)
  step = torch.amax(torch.abs(x), [1], True).float().mul_(1.0 / 63.0).clamp_min_(1e-30)
  rest = torch.div(x, step)
  upper = torch.round(rest)
  digits = torch.cat([upper, rest.sub_(upper).mul_(126.0)])
  y = ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(digits, 1.0, 64, w)
  return torch.add(y[:n], y[n:], alpha=1.0 / 126.0).mul_(step).to(x.dtype)

# 4-bit integers as quantised.py has them, in the order in which the kernel for them reads them, and for each block of 32 its
# scale and 0, which is added.
def pack_int4(codes: Tensor, scales: Tensor) -> Tuple[Tensor, Tensor]:
  places = torch.stack([torch.bitwise_right_shift(codes, 4), torch.bitwise_and(codes, 15)], 2).flatten(1).to(3)
  s = scales.t().to(15)
  return (torch._convert_weight_to_int4pack_for_cpu(places, 1), torch.stack([s, torch.zeros_like(s)], 2).contiguous())

# x W^T in bfloat16 with such a W; of x in float32 as int8_product has it.
def int4_product(x: Tensor, packed: Tensor, scales: Tensor) -> Tensor:
  if x.dtype == 15:
    return torch._weight_int4pack_mm_for_cpu(x, packed, 32, scales)
  upper = x.to(15)
  both = torch._weight_int4pack_mm_for_cpu(torch.cat([upper, (x - upper.float()).to(15)]), packed, 32, scales).float()
  return both[:x.size(0)].add_(both[x.size(0):])

# softmax(q k^T s + mask) v, of which no more scores than those of a tile are ever held. q, k, v: [n, heads, length, dim].
def fused_attention(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], scale: float) -> Tensor:
  o, _ = torch._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, False, attn_mask=mask, scale=scale)
  return o

# Whether this build of libtorch has oneDNN: fails where it has not.
def onednn_multiplies() -> Tensor:
  return onednn_product(torch.ones([2, 64], dtype=6, device=torch.device("cpu")), torch.ones([64, 64], dtype=6, device=torch.device("cpu")))

# Whether this processor packs weights in bfloat16 and multiplies with them: fails where it does not.
def bf16_packs() -> Tensor:
  return onednn_product(torch.ones([2, 64], dtype=15, device=torch.device("cpu")), pack(torch.ones([64, 64], dtype=15, device=torch.device("cpu")), 1))

# Whether this build of libtorch has FBGEMM, and the processor what it needs: fails where not.
def fbgemm_multiplies() -> Tensor:
  w = torch.ones([32, 32], device=torch.device("cpu"))
  x = torch.ones([1, 32], device=torch.device("cpu"))
  return half_product(int8_digits_product(x, pack_int8(w.to(1), w[0])[0]), pack_half(w)[0])

# Sums of products of 8-bit integers, in 32 bits. Those of y must be within -63 and 63: without VNNI, oneDNN adds two products
# in 16 bits and cuts off what these do not hold, with x shifted to 0 to 255.
def int8_sums(x: Tensor, y: Tensor, into: Tensor) -> Tensor:
  return torch._int_mm(x, y, out=into)
