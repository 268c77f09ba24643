# Weights and products with them. A weight [outputs, inputs] is a list of tensors, by how it is stored:
#   [dense]           float32 or bfloat16
#   [dense, packed]   and a copy in the order in which oneDNN reads it fastest
#   [packed]          that copy alone
#   [codes, ...]      8 or 4 bits, see quantised.py
# Nothing outside these two files asks which. FewRows: a matrix in FBGEMM's order, in float16 or 8 bits, see
# processor.py; it is no tensor, and decoding alone reads it. self.onednn_f32 and self.onednn_bf16 are what KernelSelection says.
# Beware: the parser of archives gives "or" and "and" one precedence; put parentheses.

def dense_product(x: Tensor, w: Tensor) -> Tensor:
  if self.onednn_f32 and x.dtype == 6:
    return onednn_product(x, w)
  if x.size(0) == 1 and x.dtype == 15:
    if self.onednn_bf16:
      return onednn_product(x, w)
    return torch.mv(w, x[0]).unsqueeze(0)
  return torch.mm(x, w.t())

# Whether x is multiplied with the packed form of W: always where there is no other, else where oneDNN multiplies such numbers.
def reads_packed(x: Tensor, w: List[Tensor]) -> bool:
  if not is_packed(w[len(w) - 1]):
    return False
  if len(w) == 1:
    return True
  if x.dtype == 15:
    return self.onednn_bf16
  return self.onednn_f32

# x W^T
def product(x: Tensor, w: List[Tensor]) -> Tensor:
  if reads_packed(x, w):
    return onednn_product(x, w[len(w) - 1])
  if is_quantised(w):
    return quantised_product(x, w)
  return dense_product(x, w[0])

# x W^T from a form of W for few rows, in float16 or rounded to 8 bits, where there is one; else in dtype, the model's own.
def decoding_product(x: Tensor, w: List[Tensor], few: List[FewRows], rounded: bool, dtype: int) -> Tensor:
  if len(few) == 0:
    return product(x.to(dtype), w).to(x.dtype)
  if rounded:
    return int8_digits_product(x, few[0])
  return half_product(x, few[0])

# Where there is none.
def no_few_rows() -> List[FewRows]:
  return annotate(List[FewRows], [])

# x W^T + bias, if there is one: the product begins with the bias where that spares a pass over its result.
def product_plus(x: Tensor, w: List[Tensor], bias: Tensor) -> Tensor:
  if bias.numel() == 0:
    return product(x, w)
  if reads_packed(x, w):
    return onednn_product_plus(x, w[len(w) - 1], bias)
  if x.size(0) == 1 or is_quantised(w):
    return product(x, w).add_(bias)
  if self.onednn_f32 and x.dtype == 6:
    return onednn_product_plus(x, w[0], bias)
  return torch.addmm(bias, x, w[0].t())

# residual + x W^T + bias, if there is one
def product_onto(residual: Tensor, x: Tensor, w: List[Tensor], bias: Tensor) -> Tensor:
  packed = reads_packed(x, w)
  if packed and bias.numel() > 0:
    return onednn_product_onto(residual, x, w[len(w) - 1], bias)
  plain = x.size(0) > 1 and not (self.onednn_f32 and x.dtype == 6)
  if plain and not (is_quantised(w) or packed):
    y = torch.addmm(residual, x, w[0].t())
  else:
    y = product(x, w).add_(residual)
  if bias.numel() > 0:
    y.add_(bias)
  return y

# dy W
def product_backward(dy: Tensor, w: List[Tensor]) -> Tensor:
  if is_quantised(w):
    return quantised_product_backward(dy, w)
  return dense_product_backward(dy, w[0])

def dense_product_backward(dy: Tensor, w: Tensor) -> Tensor:
  if self.onednn_f32 and dy.dtype == 6:
    return onednn_product(dy, w.t())
  return torch.mm(dy, w)

# dy^T x
def product_gradient(dy: Tensor, x: Tensor) -> Tensor:
  if self.onednn_f32 and dy.dtype == 6:
    return onednn_product(dy.t(), x.t())
  return torch.mm(dy.t(), x)

# into += dy^T x, or = where it holds nothing yet.
def add_product(into: Tensor, dy: Tensor, x: Tensor, overwrite: bool) -> Tensor:
  if into.dtype == x.dtype and not self.onednn_f32:
    if overwrite:
      return torch.mm(dy.t(), x, out=into)
    return into.addmm_(dy.t(), x)
  return add_to(into, product_gradient(dy, x), overwrite)

# into += x, or = where it holds nothing yet.
def add_to(into: Tensor, x: Tensor, overwrite: bool) -> Tensor:
  if overwrite:
    return into.copy_(x)
  return into.add_(x)
