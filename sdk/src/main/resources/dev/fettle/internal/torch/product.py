# Beware: the parser of archives gives "or" and "and" one precedence; put parentheses.
# Matrix products with weights, through MKL or oneDNN as KernelSelection says. bf16 products go to oneDNN either way, but
# for a single row, as in decoding, where reading W is what takes the time.

def mkl_product(x: Tensor, w: Tensor) -> Tensor:
  return torch.mm(x, w.t())

def onednn_product(x: Tensor, w: Tensor) -> Tensor:
  return ops.mkldnn._linear_pointwise(x, w, None, "none", annotate(List[Optional[number]], []), "")

# x W^T + bias
def onednn_product_plus(x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
  return ops.mkldnn._linear_pointwise(x, w, bias, "none", annotate(List[Optional[number]], []), "")

# x W^T + bias + residual
def onednn_product_onto(residual: Tensor, x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
  return ops.mkldnn._linear_pointwise(x, residual, w, bias, "add")

# Dot products of a single row with the rows of W.
def vector_product(x: Tensor, w: Tensor) -> Tensor:
  return torch.mv(w, x[0]).unsqueeze(0)

# x W^T
def product(x: Tensor, w: Tensor) -> Tensor:
  if self.onednn_f32 and x.dtype == 6:
    return onednn_product(x, w)
  if x.size(0) == 1 and x.dtype == 15:
    if self.onednn_bf16:
      return onednn_product(x, w)
    return vector_product(x, w)
  return mkl_product(x, w)

# x W^T + bias, if there is one: the product begins with the bias, which spares a pass over its result.
def product_plus(x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
  if bias.numel() == 0:
    return product(x, w)
  if x.size(0) == 1:
    return product(x, w).add_(bias)
  if self.onednn_f32 and x.dtype == 6:
    return onednn_product_plus(x, w, bias)
  return torch.addmm(bias, x, w.t())

# dy W
def product_backward(dy: Tensor, w: Tensor) -> Tensor:
  if self.onednn_f32 and dy.dtype == 6:
    return onednn_product(dy, w.t())
  return torch.mm(dy, w)

# dy^T x
def product_gradient(dy: Tensor, x: Tensor) -> Tensor:
  if self.onednn_f32 and dy.dtype == 6:
    return onednn_product(dy.t(), x.t())
  return torch.mm(dy.t(), x)

# Whether this build of libtorch has oneDNN: fails where it has not.
def onednn_multiplies() -> Tensor:
  return onednn_product(torch.ones([2, 64], dtype=6), torch.ones([64, 64], dtype=6))

# Whether this processor packs weights in bf16 and multiplies with them: fails where it does not.
def bf16_packs() -> Tensor:
  return onednn_product(torch.ones([2, 64], dtype=15), packed(torch.ones([64, 64], dtype=15)))
