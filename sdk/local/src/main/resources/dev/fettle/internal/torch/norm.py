# Norms. A layer may have one before each of its two parts, one on what a part gives, and one on the sum of that and the
# residual: each stands in the list of the layer's vectors with its bias behind it, and is empty where there is none.

# x / sqrt(mean(x^2) + eps) * w over the last dimension (Zhang and Sennrich 2019), computed in float32; eps as a tensor, which
# spares operations. unit_offset: times 1 + w, and that in float32 too (Gemma).
def rms_norm(x: Tensor, w: Tensor, eps: Tensor, unit_offset: bool) -> Tensor:
  l = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
  r = torch.addcmul(eps, l, l, value=1.0 / float(x.size(-1))).rsqrt_()
  y = torch.mul(x, r)
  if unit_offset:
    return y.addcmul_(y, w).to(x.dtype)
  return y.to(x.dtype).mul_(w)

# Returns onto + dx for matrices x [rows, n]. With g = dy w and rows of length l = sqrt(sum(x^2) + n eps):
# dx = sqrt(n) (g - x (g . x) / l^2) / l, which, but for sqrt(n), is the backward pass of weight normalisation (Salimans and
# Kingma 2016): one fused pass.
def rms_norm_backward(dy: Tensor, x: Tensor, w: Tensor, eps: float, unit_offset: bool, gw: Tensor, overwrite: bool,
    onto: Tensor) -> Tensor:
  root = torch.pow(float(x.size(1)), 0.5)
  l = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
  l = l.mul_(l).add_(eps * float(x.size(1))).sqrt_()
  if gw.numel() > 0:
    add_to(gw, torch.sum(torch.mul(dy, x).float().div_(l).mul_(root), [0]), overwrite)
  g = dy * w
  if unit_offset:
    g.add_(dy)
  dx, _ = torch._weight_norm_interface_backward(g, x, torch.ones([x.size(0), 1], dtype=x.dtype, device=x.device), l, 0)
  return torch.add(onto, dx, alpha=root)

# What rms_norm_backward adds to where there is no residual.
def no_residual(x: Tensor) -> Tensor:
  return torch.zeros([1, x.size(1)], dtype=x.dtype, device=x.device)

# Statistics and weights in float32, whatever the rows are in. Returns the mean and 1 / deviation of each row too.
def layer_norm(x: Tensor, w: Tensor, b: Tensor, eps: float) -> Tuple[Tensor, Tensor, Tensor]:
  return torch.native_layer_norm(x, [x.size(1)], w.float(), b.float(), eps)

def layer_norm_backward(dy: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, w: Tensor, b: Tensor, gw: Tensor,
    gb: Tensor, overwrite: bool) -> Tensor:
  trained = gw.numel() > 0 or gb.numel() > 0
  dx, dw, db = torch.native_layer_norm_backward(dy, x, [x.size(1)], mean, rstd, w.float(), b.float(), [True, trained, trained])
  if gw.numel() > 0:
    add_to(gw, dw, overwrite)
  if gb.numel() > 0:
    add_to(gb, db, overwrite)
  return dx

# The norm at place i of a layer's vectors v, or x itself where there is none.
def norm(x: Tensor, v: List[Tensor], i: int, dims: List[int], reals: List[float]) -> Tensor:
  if v[i].numel() == 0:
    return x
  if v[i + 1].numel() > 0:
    y, _, _ = layer_norm(x, v[i], v[i + 1], reals[Real.EPS])
    return y
  return rms_norm(x, v[i], v[Vector.EPS], dims[Dim.UNIT_OFFSET] == 1)

# Returns onto + dx; overwrites dy.
def norm_backward(dy: Tensor, x: Tensor, v: List[Tensor], gv: List[Tensor], i: int, dims: List[int], reals: List[float],
    overwrite: bool, onto: Tensor) -> Tensor:
  if v[i].numel() == 0:
    return dy.add_(onto)
  if v[i + 1].numel() > 0:
    _, mean, rstd = layer_norm(x, v[i], v[i + 1], reals[Real.EPS])
    return layer_norm_backward(dy, x, mean, rstd, v[i], v[i + 1], gv[i], gv[i + 1], overwrite).add_(onto)
  return rms_norm_backward(dy, x, v[i], reals[Real.EPS], dims[Dim.UNIT_OFFSET] == 1, gv[i], overwrite, onto)
