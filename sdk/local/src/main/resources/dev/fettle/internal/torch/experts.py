# A mixture of experts in the place of an MLP (Shazeer et al. 2017; Fedus et al. 2021): a router gives each row a probability for
# each expert, the row goes through those of the highest, and their outputs are added up by these probabilities.
# A row is copied as often as it has experts and the copies are put in the order of their experts, so that all rows of an
# expert are one product. logits: what the router gave, [rows, experts]; w, a: the weights and adapters of a layer by product, see
# linear.py. The adapters of all experts are of one rank; theirs stand below each other in both A and s B.

# Of each row the probabilities of all experts, of those that are chosen, which these are and what they count: float32.
def route(logits: Tensor, dims: List[int]) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
  all = torch.softmax(logits, -1, dtype=6)
  best, which = torch.topk(all, dims[Dim.EXPERTS_PER_TOKEN], -1)
  if dims[Dim.NORMALISED] == 1:
    return (all, best, which, torch.div(best, torch.sum(best, [-1], True)))
  return (all, best, which, best)

# The copies in the order of their experts, by their numbers [rows x experts a row], and where those of each expert end.
def by_expert(which: Tensor, dims: List[int]) -> Tuple[Tensor, List[int]]:
  flat = which.flatten()
  _, order = torch.sort(flat, stable=True, dim=0, descending=False)
  counts = torch.bincount(flat, None, dims[Dim.EXPERTS])
  ends = annotate(List[int], [])
  end = 0
  for e in range(dims[Dim.EXPERTS]):
    end = end + int(counts[e])
    ends.append(end)
  return (order, ends)

# The weight of one of n experts, whose rows stand side by side.
def of_expert(weight: List[Tensor], e: int, n: int) -> List[Tensor]:
  rows = weight[0].size(0) // n
  return rows_of(weight, e * rows, rows)

# Each expert's rows times its weight and what its adapter adds to it.
def experts_product(x: Tensor, weight: List[Tensor], a: List[Tensor], ends: List[int]) -> Tensor:
  n = len(ends)
  y = torch.empty([x.size(0), weight[0].size(0) // n], dtype=x.dtype, device=x.device)
  begin = 0
  for e in range(n):
    if ends[e] > begin:
      rows = x[begin:ends[e]]
      into = y[begin:ends[e]].copy_(product(rows, of_expert(weight, e, n)))
      if len(a) > 0:
        own = of_expert(a, e, n)
        into.addmm_(torch.mm(rows, own[0].t()), own[1].t())
    begin = ends[e]
  return y

def experts_product_backward(dy: Tensor, weight: List[Tensor], a: List[Tensor], ends: List[int]) -> Tensor:
  n = len(ends)
  dx = torch.empty([dy.size(0), inputs_of(weight)], dtype=dy.dtype, device=dy.device)
  begin = 0
  for e in range(n):
    if ends[e] > begin:
      rows = dy[begin:ends[e]]
      into = dx[begin:ends[e]].copy_(product_backward(rows, of_expert(weight, e, n)))
      if len(a) > 0:
        own = of_expert(a, e, n)
        into.addmm_(torch.mm(rows, own[1]), own[0])
    begin = ends[e]
  return dx

# Adds the gradients of the experts' adapters: of A, [experts x rank, inputs], and of B as PEFT keeps it, [outputs, rank x experts],
# the experts being what changes fastest.
def experts_adapter_gradient(ga: List[Tensor], dy: Tensor, x: Tensor, a: List[Tensor], ends: List[int],
    scales: List[float]) -> List[Tensor]:
  if len(a) == 0:
    return ga
  n = len(ends)
  rank = a[1].size(1)
  gb = torch.zeros([n, dy.size(1), rank], device=dy.device)
  begin = 0
  for e in range(n):
    if ends[e] > begin:
      d = dy[begin:ends[e]]
      rows = x[begin:ends[e]]
      own = of_expert(a, e, n)
      ga[0][e * rank:(e + 1) * rank].add_(torch.mm(torch.mm(d, own[1]).t(), rows))
      gb[e].copy_(torch.mm(d.t(), torch.mm(rows, own[0].t())))
    begin = ends[e]
  ga[1].view([-1, n]).add_(gb.view([n, -1]).t(), alpha=scales[0])
  return ga

# Writes the trained A's and B's of n experts into what is read of them.
def experts_adapter_refresh(flat_a: Tensor, flat_b: Tensor, n: int, scale: float, a: Tensor, sb: Tensor) -> Tensor:
  a.copy_(flat_a)
  b = torch.mul(flat_b.view([-1, sb.size(1), n]), scale)
  sb.copy_(b.permute([2, 0, 1]).reshape([sb.size(0), sb.size(1)]))
  return sb

# The B of one of n experts: [outputs, rank].
def experts_b(b: Tensor, e: int, n: int) -> Tensor:
  return b.view([b.size(0), -1, n])[:, :, e]

# Writes a part of the B of one of n experts, from an output and a rank on.
def place_experts_b(part: Tensor, into: Tensor, e: int, n: int, row: int, rank: int) -> Tensor:
  into.view([into.size(0), -1, n])[row:row + part.size(0), rank:rank + part.size(1), e].copy_(part)
  return into

# The gradients of those of the experts' projections that are trained; see weight_gradient. What no row went through has none.
def experts_weight_gradient(gw: Tensor, dy: Tensor, x: Tensor, ends: List[int], blocks: List[int], flags: List[int],
    overwrite: bool) -> Tensor:
  if gw.numel() == 0:
    return gw
  each = len(flags) // len(ends)
  begin = 0
  at = 0
  for e in range(len(ends)):
    f = flags[each * e:each * (e + 1)]
    b = blocks[2 * each * e:2 * each * (e + 1)]
    rows = 0
    for j in range(each):
      rows = rows + f[j] * b[2 * j]
    into = gw[at:at + rows]
    if rows > 0:
      if ends[e] > begin:
        weight_gradient(into, dy[begin:ends[e]], x[begin:ends[e]], b, f, overwrite)
      else:
        if overwrite:
          into.zero_()
    at = at + rows
    begin = ends[e]
  return gw

# The copies of each row side by side: [rows, experts a row, n].
def in_rows(copies: Tensor, order: Tensor, which: Tensor) -> Tensor:
  return torch.empty_like(copies).index_copy_(0, order, copies).view([which.size(0), which.size(1), -1])

# What the experts make of the rows n, and what their first products gave.
def experts_forward(n: Tensor, logits: Tensor, w: List[List[Tensor]], a: List[List[Tensor]], dims: List[int]) -> Tuple[Tensor, Tensor]:
  _, _, which, share = route(logits, dims)
  order, ends = by_expert(which, dims)
  x = torch.index_select(n, 0, torch.floor_divide(order, dims[Dim.EXPERTS_PER_TOKEN]))
  u = experts_product(x, w[Product.EXPERTS_GATE_UP], a[Product.EXPERTS_GATE_UP], ends)
  y = in_rows(experts_product(activate(u, dims), w[Product.EXPERTS_DOWN], a[Product.EXPERTS_DOWN], ends), order, which)
  return (torch.bmm(share.to(y.dtype).unsqueeze(1), y).squeeze(1), u)

# The gradients of n and of the router's logits from that of the output; adds those of the weights that are trained and of
# adapters. u: what the first products gave.
def experts_backward(dy: Tensor, n: Tensor, logits: Tensor, u: Tensor, w: List[List[Tensor]], a: List[List[Tensor]],
    gw: List[Tensor], ga: List[List[Tensor]], blocks: List[List[int]], scales: List[List[float]], flags: List[List[int]],
    overwrite: bool, dims: List[int]) -> Tuple[Tensor, Tensor]:
  all, best, which, share = route(logits, dims)
  order, ends = by_expert(which, dims)
  rows = torch.floor_divide(order, dims[Dim.EXPERTS_PER_TOKEN])
  h, s = activate_again(u, dims)
  d = torch.index_select(dy, 0, rows)
  dh = experts_product_backward(d, w[Product.EXPERTS_DOWN], a[Product.EXPERTS_DOWN], ends)
  dshare = in_rows(torch.sum(torch.mul(dh, h), [1], dtype=6), order, which).squeeze(2)
  p = torch.index_select(share.flatten(), 0, order).to(n.dtype).unsqueeze(1)
  experts_gradients(d, torch.mul(h, p), a, gw, ga, Product.EXPERTS_DOWN, ends, blocks, scales, flags, overwrite)
  du = activate_backward(dh.mul_(p), s, u, dims)
  experts_gradients(du, torch.index_select(n, 0, rows), a, gw, ga, Product.EXPERTS_GATE_UP, ends, blocks, scales, flags, overwrite)
  dn = torch.sum(in_rows(experts_product_backward(du, w[Product.EXPERTS_GATE_UP], a[Product.EXPERTS_GATE_UP], ends), order, which), [1])
  return (dn, route_backward(dshare, all, best, which, share, dims).to(logits.dtype))

# Those of product i, of the weights and of the adapters.
def experts_gradients(dy: Tensor, x: Tensor, a: List[List[Tensor]], gw: List[Tensor], ga: List[List[Tensor]], i: int,
    ends: List[int], blocks: List[List[int]], scales: List[List[float]], flags: List[List[int]], overwrite: bool) -> Tensor:
  experts_adapter_gradient(ga[i], dy, x, a[i], ends, scales[i])
  return experts_weight_gradient(gw[i], dy, x, ends, blocks[i], flags[i], overwrite)

# The gradient of the logits from that of what the chosen experts count.
def route_backward(d: Tensor, all: Tensor, best: Tensor, which: Tensor, share: Tensor, dims: List[int]) -> Tensor:
  dbest = d
  if dims[Dim.NORMALISED] == 1:
    dbest = torch.div(d - torch.sum(d * share, [-1], True), torch.sum(best, [-1], True))
  dall = torch.zeros_like(all).scatter_(1, which, dbest)
  return all * (dall - torch.sum(dbest * best, [-1], True))
