# A linear layer with an optional low-rank adapter (Hu et al. 2021):
#   y = x W^T + bias + dropout(x) A^T (s B)^T
# Several projections of one input (q, k, v; gate, up) are one product: they stand below each other in W; their A's stand
# below each other in A and their scaled B's on the diagonal of sB, so that all take part in the same few operations.
# Operations work in place where a tensor is this call's own: element-wise passes, not products, are what a step in
# bfloat16 spends most of its time on.
#
# Of a layer, by product: w the weights; a the adapters [A, s B], and with magnitudes (DoRA, Liu et al. 2024) [A, s B, gain,
# 1 / norm]; nothing where there is none. m: dropout masks of the adapters' inputs; no list at all without dropout.
# v: the layer's vectors; the bias of a product has the product's number.

# Adds an adapter's part to the product y.
def adapted_(y: Tensor, x: Tensor, a: List[Tensor], m: List[Tensor], i: int) -> Tensor:
  if len(a) > 0:
    y.addmm_(torch.mm(dropped(x, m, i), a[0].t()), a[1].t())
  return y

def dropped(x: Tensor, m: List[Tensor], i: int) -> Tensor:
  if len(m) > 0:
    return x * m[i]
  return x

# Product i of a layer: y = (x W^T + dropout(x) A^T (s B)^T) * gain + bias
def linear(x: Tensor, w: List[List[Tensor]], v: List[Tensor], a: List[List[Tensor]], m: List[Tensor], i: int) -> Tensor:
  if len(a[i]) > 2:
    y = adapted_(product(x, w[i]), x, a[i], m, i).mul_(a[i][2])
    if v[i].numel() > 0:
      y.add_(v[i])
    return y
  return adapted_(product_plus(x, w[i], v[i]), x, a[i], m, i)

# residual + the same
def linear_onto(residual: Tensor, x: Tensor, w: List[List[Tensor]], v: List[Tensor], a: List[List[Tensor]], m: List[Tensor],
    i: int) -> Tensor:
  if len(a[i]) > 2:
    return linear(x, w, v, a, m, i).add_(residual)
  return adapted_(product_onto(residual, x, w[i], v[i]), x, a[i], m, i)

# The backward pass of product i: adds the gradients of what is trained and returns the gradient of x, or an empty tensor
# where nothing below is trained.
# gw, gv: gradients of weights and vectors; ga: of A, the flat B's, the biases of the B's, the magnitudes; empty tensors where
# nothing is trained
# blocks: for each projection in turn its rows and its adapter's rank; scales: their s; flags: 1 where a projection's weight is
# trained, and 2 more where its bias is
# overwrite: whether gw and gv are set rather than added to
def linear_backward(dy: Tensor, x: Tensor, w: List[List[Tensor]], a: List[List[Tensor]], m: List[Tensor], gw: List[Tensor],
    gv: List[Tensor], ga: List[List[Tensor]], i: int, blocks: List[List[int]], scales: List[List[float]],
    flags: List[List[int]], overwrite: bool, below: bool) -> Tensor:
  d = dy
  if len(a[i]) > 2:
    z = adapted_(product(x, w[i]), x, a[i], m, i)
    add_rows(ga[i][3], torch.sum(z.mul_(dy), [0], dtype=6).mul_(a[i][3]), blocks[i], scales[i], False)
    d = dy * a[i][2]
  weight_gradient(gw[i], d, x, blocks[i], flags[i], overwrite)
  bias_gradient(gv[i], dy, blocks[i], flags[i], overwrite)
  dx = torch.empty([0], device=dy.device)
  if below:
    dx = product_backward(d, w[i])
  if len(a[i]) > 0:
    if ga[i][2].numel() > 0:
      add_rows(ga[i][2], torch.sum(d, [0], dtype=6), blocks[i], scales[i], True)
    xd = dropped(x, m, i)
    dxa = blocks_backward(d, a[i][1], blocks[i])
    adapter_gradient(ga[i][0], ga[i][1], d, xd, torch.mm(xd, a[i][0].t()), dxa, blocks[i], scales[i])
    if below:
      if len(m) > 0:
        dx.add_(torch.mm(dxa, a[i][0]).mul_(m[i]))
      else:
        dx.addmm_(dxa, a[i][0])
  return dx

# dy s B, block by block, as the rest of s B is zeros; but those of a frozen adapter come after its blocks.
def blocks_backward(dy: Tensor, sb: Tensor, blocks: List[int]) -> Tensor:
  n = len(blocks) // 2
  rank = 0
  for j in range(n):
    rank = rank + blocks[2 * j + 1]
  if n < 2 or rank != sb.size(1):
    return dense_product_backward(dy, sb)
  parts = annotate(List[Tensor], [])
  row = 0
  column = 0
  for j in range(n):
    rows = blocks[2 * j]
    r = blocks[2 * j + 1]
    if r > 0:
      parts.append(torch.mm(dy[:, row:row + rows], sb[row:row + rows, column:column + r]))
    row = row + rows
    column = column + r
  return torch.cat(parts, 1)

# The gradients of those projections of a product that are trained in full; gw holds nothing else.
def weight_gradient(gw: Tensor, dy: Tensor, x: Tensor, blocks: List[int], flags: List[int], overwrite: bool) -> Tensor:
  if gw.numel() == 0:
    return gw
  if gw.size(0) == dy.size(1):
    add_product(gw, dy, x, overwrite)
    return gw
  row = 0
  at = 0
  for j in range(len(flags)):
    n = blocks[2 * j]
    if flags[j] % 2 == 1:
      add_product(gw[at:at + n], dy[:, row:row + n], x, overwrite)
      at = at + n
    row = row + n
  return gw

# The same of the biases.
def bias_gradient(gbias: Tensor, dy: Tensor, blocks: List[int], flags: List[int], overwrite: bool) -> Tensor:
  if gbias.numel() == 0:
    return gbias
  d = torch.sum(dy, [0])
  if gbias.size(0) == d.size(0):
    add_to(gbias, d, overwrite)
    return gbias
  row = 0
  at = 0
  for j in range(len(flags)):
    n = blocks[2 * j]
    if flags[j] >= 2:
      add_to(gbias[at:at + n], d[row:row + n], overwrite)
      at = at + n
    row = row + n
  return gbias

# A may have more rows than are trained: those of a frozen adapter (the start that PiSSA takes off again) come last.
def adapter_gradient(ga: Tensor, gb: Tensor, dy: Tensor, x: Tensor, xa: Tensor, dxa: Tensor, blocks: List[int],
    scales: List[float]) -> Tensor:
  ga.add_(torch.mm(dxa[:, :ga.size(0)].t(), x))
  row = 0
  column = 0
  at = 0
  for j in range(len(scales)):
    n = blocks[2 * j]
    r = blocks[2 * j + 1]
    if r > 0:
      # The other way round it takes up to twice as long.
      b = torch.mm(xa[:, column:column + r].t(), dy[:, row:row + n])
      gb[at:at + n * r].view([n, r]).add_(b.t(), alpha=scales[j])
    row = row + n
    column = column + r
    at = at + n * r
  return ga

# Adds what belongs to the rows of adapted projections, scaled or not, to a vector that holds these rows only.
def add_rows(into: Tensor, x: Tensor, blocks: List[int], scales: List[float], scaled: bool) -> Tensor:
  row = 0
  at = 0
  for j in range(len(scales)):
    n = blocks[2 * j]
    if blocks[2 * j + 1] > 0:
      if scaled:
        into[at:at + n].add_(x[row:row + n], alpha=scales[j])
      else:
        into[at:at + n].add_(x[row:row + n])
      at = at + n
    row = row + n
  return into

# Writes the trained A's and B's of a product into what it reads: A in the compute type, s B on the diagonal.
def adapter_refresh(flat_a: Tensor, flat_b: Tensor, blocks: List[int], scales: List[float], a: Tensor, sb: Tensor) -> Tensor:
  a.copy_(flat_a)
  return place_blocks(flat_b, blocks, scales, sb)

# Writes blocks that lie one after the other, times a scale each, on the diagonal of sb; what comes after its last row begins again at
# its first, beside the others. blocks: rows and rank of each in turn; where the rank is 0 there is nothing.
def place_blocks(flat_b: Tensor, blocks: List[int], scales: List[float], sb: Tensor) -> Tensor:
  row = 0
  column = 0
  at = 0
  for j in range(len(scales)):
    n = blocks[2 * j]
    r = blocks[2 * j + 1]
    row = row % sb.size(0)
    if r > 0:
      sb[row:row + n, column:column + r].copy_(flat_b[at:at + n * r].view([n, r]) * scales[j])
    row = row + n
    column = column + r
    at = at + n * r
  return sb

# Reads the same blocks off the diagonal, one after the other.
def gather_blocks(sb: Tensor, blocks: List[int], flat_b: Tensor) -> Tensor:
  row = 0
  column = 0
  at = 0
  for j in range(len(blocks) // 2):
    n = blocks[2 * j]
    r = blocks[2 * j + 1]
    row = row % sb.size(0)
    if r > 0:
      flat_b[at:at + n * r].view([n, r]).copy_(sb[row:row + n, column:column + r])
    row = row + n
    column = column + r
    at = at + n * r
  return flat_b

# Magnitude / norm and 1 / norm for the rows of a product; rows without an adapter have 1. The norms of the rows of
# W + s B A, that is of W itself and what the adapter adds, are constants to the gradient.
def gain_refresh(w: List[Tensor], a: Tensor, sb: Tensor, magnitude: Tensor, blocks: List[int], gain: Tensor, inverse: Tensor) -> Tensor:
  n = torch.empty_like(inverse)
  step = max(1, 1048576 // a.size(1))
  for i in range((n.size(0) + step - 1) // step):
    first = i * step
    count = min(step, n.size(0) - first)
    n[first:first + count].copy_(row_norms(some_rows(w, first, count, gain.dtype), a, sb[first:first + count]))
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

# The bias of a product with s times the trained biases added; base is empty where the layer has none.
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
def scale_rows(x: Tensor, gain: Tensor) -> Tensor:
  return (x.float() * gain.float().unsqueeze(1)).to(x.dtype)

# A and B of rank r whose product s B A is the best of that rank to W, from its singular values (Meng et al. 2024).
def pissa_init(w: Tensor, r: int, scale: float) -> Tuple[Tensor, Tensor]:
  u, s, v = torch.linalg_svd(w.float(), False)
  root = torch.sqrt(s[:r] / scale)
  return (v[:r] * root.unsqueeze(1), u[:, :r] * root)

# A and B of rank r whose product is what the first columns of the QR decomposition of W make (Buyukakyuz 2024).
def olora_init(w: Tensor, r: int) -> Tuple[Tensor, Tensor]:
  q, upper = torch.linalg_qr(w.float())
  return (upper[:r], q[:, :r])

# W + s B A in float32: the layer with its adapter folded in.
def merged(w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
  return torch.addmm(w.float(), b.float(), a.float(), alpha=scale)

# The same with magnitudes.
def merged_magnitude(merged: Tensor, magnitude: Tensor) -> Tensor:
  return merged * (magnitude / torch.linalg_vector_norm(merged, 2, [1])).unsqueeze(1)
