# A linear layer with an optional low-rank adapter, and the norm before it. Empty tensors stand for what is absent.
#   y = x W^T + bias + dropout(x) A^T (s B)^T
# Several projections of one input (q, k, v; gate, up) stand below each other in W; their A's stand below each other
# in A and their scaled B's on the diagonal of sB, so that all take part in the same few products.
# Operations work in place where a tensor is this call's own: element-wise passes, not products, are what a step in
# bf16 spends most of its time on.

def linear(x: Tensor, w: Tensor, bias: Tensor, a: Tensor, sb: Tensor, mask: Tensor) -> Tensor:
  y = product(x, w)
  if bias.numel() > 0:
    y.add_(bias)
  if a.numel() > 0:
    y.addmm_(torch.mm(dropped(x, mask), a.t()), sb.t())
  return y

# residual + linear(x)
def linear_onto(residual: Tensor, x: Tensor, w: Tensor, bias: Tensor, a: Tensor, sb: Tensor, mask: Tensor) -> Tensor:
  if x.size(0) == 1 or (self.onednn and x.dtype == 6):
    y = product(x, w).add_(residual)
  else:
    y = torch.addmm(residual, x, w.t())
  if bias.numel() > 0:
    y.add_(bias)
  if a.numel() > 0:
    y.addmm_(torch.mm(dropped(x, mask), a.t()), sb.t())
  return y

def dropped(x: Tensor, mask: Tensor) -> Tensor:
  if mask.numel() > 0:
    return x * mask
  return x

# Adds the gradients of what is trained into gw, gbias, ga, gb and returns the gradient of x. gb holds the B's of the
# projections one after the other; blocks lists their rows and ranks in turn.
def linear_backward(dy: Tensor, x: Tensor, w: Tensor, a: Tensor, sb: Tensor, mask: Tensor, gw: Tensor, gbias: Tensor,
    ga: Tensor, gb: Tensor, blocks: List[int], scales: List[float]) -> Tensor:
  dx = product_backward(dy, w)
  if gw.numel() > 0:
    gw.add_(torch.mm(dy.t(), x))
  if gbias.numel() > 0:
    gbias.add_(torch.sum(dy, [0]))
  if a.numel() > 0:
    xd = dropped(x, mask)
    xa = torch.mm(xd, a.t())
    dxa = torch.mm(dy, sb)
    ga.add_(torch.mm(dxa.t(), xd))
    row = 0
    column = 0
    at = 0
    for i in range(len(scales)):
      n = blocks[2 * i]
      r = blocks[2 * i + 1]
      if r > 0:
        g = torch.mm(dy[:, row:row + n].t(), xa[:, column:column + r])
        gb[at:at + n * r].view([n, r]).add_(g, alpha=scales[i])
      row = row + n
      column = column + r
      at = at + n * r
    if mask.numel() > 0:
      dx.add_(torch.mm(dxa, a).mul_(mask))
    else:
      dx.addmm_(dxa, a)
  return dx

# Writes the trained A's and B's of one fused layer into what the products read: A in the compute type, s B on the
# diagonal.
def adapter_refresh(flat_a: Tensor, flat_b: Tensor, blocks: List[int], scales: List[float], a: Tensor, sb: Tensor) -> Tensor:
  a.copy_(flat_a)
  row = 0
  column = 0
  at = 0
  for i in range(len(scales)):
    n = blocks[2 * i]
    r = blocks[2 * i + 1]
    if r > 0:
      sb[row:row + n, column:column + r].copy_(flat_b[at:at + n * r].view([n, r]) * scales[i])
    row = row + n
    column = column + r
    at = at + n * r
  return sb

# y = x / sqrt(mean(x^2) + eps) * w over the last dimension (Zhang and Sennrich 2019), computed in float32.
# The length of a row here is sqrt(sum(x^2) + n eps) = sqrt(n) rms(x).
def row_lengths(x: Tensor, eps: float) -> Tensor:
  n = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
  return n.mul_(n).add_(eps * float(x.size(-1))).sqrt_()

def rms_norm(x: Tensor, w: Tensor, eps: float) -> Tensor:
  r = torch.reciprocal(row_lengths(x, eps)).mul_(torch.pow(float(x.size(-1)), 0.5))
  return torch.mul(x, r).to(x.dtype).mul_(w)

# Returns onto + dx for matrices x [rows, n]. With g = dy w and rows of length l: dx = sqrt(n) (g - x (g . x) / l^2) / l,
# which, but for sqrt(n), is the backward pass of weight normalisation (Salimans and Kingma 2016): one fused pass.
def rms_norm_backward(dy: Tensor, x: Tensor, w: Tensor, eps: float, gw: Tensor, onto: Tensor) -> Tensor:
  root = torch.pow(float(x.size(1)), 0.5)
  l = row_lengths(x, eps)
  if gw.numel() > 0:
    gw.add_(torch.sum(torch.mul(dy, x).float().div_(l).mul_(root), [0]))
  dx, _ = torch._weight_norm_interface_backward(dy * w, x, torch.ones([x.size(0), 1], dtype=x.dtype), l, 0)
  return torch.add(onto, dx, alpha=root)

# What rms_norm_backward adds to where there is no residual.
def no_residual(x: Tensor) -> Tensor:
  return torch.zeros([1, x.size(1)], dtype=x.dtype)

# W + s B A in float32: the layer with its adapter folded in.
def merged(w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
  return torch.addmm(w.float(), b, a, alpha=scale)
