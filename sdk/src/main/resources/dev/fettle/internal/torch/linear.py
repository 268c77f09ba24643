# A linear layer with an optional low-rank adapter, and the norm before it. Empty tensors stand for what is absent.
#   y = x W^T + bias + dropout(x) A^T (s B)^T
# Several projections of one input (q, k, v; gate, up) stand below each other in W; their A's stand below each other
# in A and their scaled B's on the diagonal of sB, so that all take part in the same few products.
# Operations work in place where a tensor is this call's own: element-wise passes, not products, are what a step in
# bf16 spends most of its time on.

def linear(x: Tensor, w: Tensor, bias: Tensor, a: Tensor, sb: Tensor, mask: Tensor) -> Tensor:
  return adapted_(product_plus(x, w, bias), dropped(x, mask), a, sb)

# residual + linear(x)
def linear_onto(residual: Tensor, x: Tensor, w: Tensor, bias: Tensor, a: Tensor, sb: Tensor, mask: Tensor) -> Tensor:
  if x.size(0) == 1 or (self.onednn_f32 and x.dtype == 6):
    y = product(x, w).add_(residual)
  else:
    y = torch.addmm(residual, x, w.t())
  if bias.numel() > 0:
    y.add_(bias)
  return adapted_(y, dropped(x, mask), a, sb)

# Adds an adapter's part to the product y.
def adapted_(y: Tensor, x: Tensor, a: Tensor, sb: Tensor) -> Tensor:
  if a.numel() > 0:
    y.addmm_(torch.mm(x, a.t()), sb.t())
  return y

def dropped(x: Tensor, mask: Tensor) -> Tensor:
  if mask.numel() > 0:
    return x * mask
  return x

# Which tensors of a layer make up fused product i (qkv, o, gate-up, down), and its first projection among the seven.
def weight_index(i: int) -> int:
  return [1, 5, 8, 10][i]

def first_projection(i: int) -> int:
  return [0, 3, 4, 6, 7][i]

# Whether product i of a layer has magnitudes (DoRA): a then has, after A and s B of each, its gains and inverse norms.
def has_gain(a: List[Tensor], i: int) -> bool:
  return len(a) > 8 and a[8 + i].numel() > 0

# Product i of a layer with its adapter and, where it has magnitudes, gains (Liu et al. 2024):
#   y = (x W^T + dropout(x) A^T (s B)^T) * magnitude / norm + bias
def fused(x: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], i: int) -> Tensor:
  p = weight_index(i)
  if has_gain(a, i):
    y = linear(x, w[p], torch.empty([0]), a[2 * i], a[2 * i + 1], m[i]).mul_(a[8 + i])
    if w[p + 1].numel() > 0:
      y.add_(w[p + 1])
    return y
  return linear(x, w[p], w[p + 1], a[2 * i], a[2 * i + 1], m[i])

# residual + the same
def fused_onto(residual: Tensor, x: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], i: int) -> Tensor:
  if has_gain(a, i):
    return fused(x, w, a, m, i).add_(residual)
  p = weight_index(i)
  return linear_onto(residual, x, w[p], w[p + 1], a[2 * i], a[2 * i + 1], m[i])

# The way back through product i of a layer: adds the gradients of what is trained into g and ga and returns the gradient
# of x, or nothing where nothing below is trained.
# g: gradients in the order of w;  ga: those of A and the flat B's of each product, of the biases of the B's, of the
# magnitudes; empty tensors where nothing is trained.
# blocks: rows and rank of each projection in turn;  scales: their s
# how: 1 if g is to be set rather than added to, then for each projection 1 if its weight is trained
def fused_backward(dy: Tensor, x: Tensor, w: List[Tensor], a: List[Tensor], m: List[Tensor], g: List[Tensor],
    ga: List[Tensor], i: int, blocks: List[int], scales: List[float], how: List[int], below: bool) -> Tensor:
  p = weight_index(i)
  first = first_projection(i)
  last = first_projection(i + 1)
  d = dy
  if has_gain(a, i):
    z = linear(x, w[p], torch.empty([0]), a[2 * i], a[2 * i + 1], m[i])
    add_rows(ga[12 + i], torch.sum(z.mul_(dy), [0], dtype=6).mul_(a[12 + i]), blocks, scales, first, last, False)
    d = dy * a[8 + i]
  weight_gradient(g[p], g[p + 1], d, x, blocks, how, first, last)
  if ga[8 + i].numel() > 0:
    add_rows(ga[8 + i], torch.sum(d, [0], dtype=6), blocks, scales, first, last, True)
  dx = torch.empty([0])
  if below:
    dx = product_backward(d, w[p])
  if a[2 * i].numel() > 0:
    xd = dropped(x, m[i])
    dxa = torch.mm(d, a[2 * i + 1])
    adapter_gradient(ga[2 * i], ga[2 * i + 1], d, xd, torch.mm(xd, a[2 * i].t()), dxa, blocks, scales, first, last)
    if below:
      if m[i].numel() > 0:
        dx.add_(torch.mm(dxa, a[2 * i]).mul_(m[i]))
      else:
        dx.addmm_(dxa, a[2 * i])
  return dx

# into += dy^T x, or = where it holds nothing yet.
def add_product(into: Tensor, dy: Tensor, x: Tensor, fresh: bool) -> Tensor:
  if into.dtype == x.dtype and not self.onednn_f32:
    if fresh:
      return torch.mm(dy.t(), x, out=into)
    return into.addmm_(dy.t(), x)
  if fresh:
    return into.copy_(product_gradient(dy, x))
  return into.add_(product_gradient(dy, x))

# into += x, or = where it holds nothing yet.
def add_to(into: Tensor, x: Tensor, fresh: bool) -> Tensor:
  if fresh:
    return into.copy_(x)
  return into.add_(x)

# The gradients of those projections of a product that are trained as a whole; gw and gbias hold nothing else.
def weight_gradient(gw: Tensor, gbias: Tensor, dy: Tensor, x: Tensor, blocks: List[int], how: List[int], first: int,
    last: int) -> Tensor:
  fresh = how[0] == 1
  if gw.numel() == 0:
    return gw
  if gw.size(0) == dy.size(1):
    add_product(gw, dy, x, fresh)
    if gbias.numel() > 0:
      add_to(gbias, torch.sum(dy, [0]), fresh)
    return gw
  row = 0
  at = 0
  for j in range(first, last):
    n = blocks[2 * j]
    if how[1 + j] == 1:
      d = dy[:, row:row + n]
      add_product(gw[at:at + n], d, x, fresh)
      if gbias.numel() > 0:
        add_to(gbias[at:at + n], torch.sum(d, [0]), fresh)
      at = at + n
    row = row + n
  return gw

# A may have more rows than are trained: those of a frozen adapter (the start that PiSSA takes off again) come last.
def adapter_gradient(ga: Tensor, gb: Tensor, dy: Tensor, x: Tensor, xa: Tensor, dxa: Tensor, blocks: List[int],
    scales: List[float], first: int, last: int) -> Tensor:
  ga.add_(torch.mm(dxa[:, :ga.size(0)].t(), x))
  row = 0
  column = 0
  at = 0
  for j in range(first, last):
    n = blocks[2 * j]
    r = blocks[2 * j + 1]
    if r > 0:
      b = torch.mm(dy[:, row:row + n].t(), xa[:, column:column + r])
      gb[at:at + n * r].view([n, r]).add_(b, alpha=scales[j])
    row = row + n
    column = column + r
    at = at + n * r
  return ga

# Adds what belongs to the rows of adapted projections, scaled or not, to a vector that holds these rows only.
def add_rows(into: Tensor, x: Tensor, blocks: List[int], scales: List[float], first: int, last: int, scaled: bool) -> Tensor:
  row = 0
  at = 0
  for j in range(first, last):
    n = blocks[2 * j]
    if blocks[2 * j + 1] > 0:
      if scaled:
        into[at:at + n].add_(x[row:row + n], alpha=scales[j])
      else:
        into[at:at + n].add_(x[row:row + n])
      at = at + n
    row = row + n
  return into

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

# Magnitude / norm and 1 / norm for the rows of a fused layer; rows without an adapter have 1. The norms of the rows of
# W + s B A, that is of W itself and what the adapter adds, are constants to the gradient.
def gain_refresh(w: Tensor, a: Tensor, sb: Tensor, magnitude: Tensor, blocks: List[int], gain: Tensor, inverse: Tensor) -> Tensor:
  n = row_norms(w, a, sb)
  gain.fill_(1.0)
  inverse.copy_(torch.reciprocal(n))
  row = 0
  at = 0
  for j in range(len(blocks) // 2):
    rows = blocks[2 * j]
    if blocks[2 * j + 1] > 0:
      gain[row:row + rows].copy_(magnitude[at:at + rows] / n[row:row + rows])
      at = at + rows
    row = row + rows
  return gain

# The lengths of the rows of W + s B A, in float32.
def row_norms(w: Tensor, a: Tensor, sb: Tensor) -> Tensor:
  return torch.linalg_vector_norm(torch.addmm(w.float(), sb.float(), a.float()), 2, [1])

# The bias of a fused layer with s times the trained biases added; base is empty where the layer has none.
def bias_refresh(base: Tensor, trained: Tensor, blocks: List[int], scales: List[float], bias: Tensor) -> Tensor:
  if base.numel() > 0:
    bias.copy_(base)
  else:
    bias.zero_()
  row = 0
  at = 0
  for j in range(len(scales)):
    n = blocks[2 * j]
    if blocks[2 * j + 1] > 0:
      bias[row:row + n].add_(trained[at:at + n], alpha=scales[j])
      at = at + n
    row = row + n
  return bias

# Rows of a matrix times a gain each.
def gained(x: Tensor, gain: Tensor) -> Tensor:
  return (x.float() * gain.float().unsqueeze(1)).to(x.dtype)

# A and B of rank r whose product s B A is the best of that rank to W, from its singular values (Meng et al. 2024).
def principal(w: Tensor, r: int, scale: float) -> Tuple[Tensor, Tensor]:
  u, s, v = torch.linalg_svd(w.float(), False)
  root = torch.sqrt(s[:r] / scale)
  return (v[:r] * root.unsqueeze(1), u[:, :r] * root)

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
def rms_norm_backward(dy: Tensor, x: Tensor, w: Tensor, eps: float, gw: Tensor, fresh: bool, onto: Tensor) -> Tensor:
  root = torch.pow(float(x.size(1)), 0.5)
  l = row_lengths(x, eps)
  if gw.numel() > 0:
    add_to(gw, torch.sum(torch.mul(dy, x).float().div_(l).mul_(root), [0]), fresh)
  dx, _ = torch._weight_norm_interface_backward(dy * w, x, torch.ones([x.size(0), 1], dtype=x.dtype), l, 0)
  return torch.add(onto, dx, alpha=root)

# What rms_norm_backward adds to where there is no residual.
def no_residual(x: Tensor) -> Tensor:
  return torch.zeros([1, x.size(1)], dtype=x.dtype)

# W + s B A in float32: the layer with its adapter folded in.
def merged(w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
  return torch.addmm(w.float(), b.float(), a.float(), alpha=scale)

# The same with magnitudes.
def merged_magnitude(merged: Tensor, magnitude: Tensor) -> Tensor:
  return merged * (magnitude / torch.linalg_vector_norm(merged, 2, [1])).unsqueeze(1)
