# The output head in chunks of rows: the logits of a whole batch are never held at once.

# What becomes of a product with the output embedding, in place: logits / d, and with a soft cap c of c tanh(logits / c)
# (Gemma 2). outer: the numbers outside the layers, by their names in Outer.
def finish_logits_(logits: Tensor, outer: List[float]) -> Tensor:
  if outer[Outer.LOGIT_DIVISOR] != 1.0:
    logits.div_(outer[Outer.LOGIT_DIVISOR])
  if outer[Outer.LOGIT_CAP] > 0.0:
    logits.div_(outer[Outer.LOGIT_CAP]).tanh_().mul_(outer[Outer.LOGIT_CAP])
  return logits

# From the gradient of finished logits to that of the product, in place, but for the divisor.
def uncap_logits_(d: Tensor, logits: Tensor, outer: List[float]) -> Tensor:
  if outer[Outer.LOGIT_CAP] > 0.0:
    share = logits / outer[Outer.LOGIT_CAP]
    d.sub_(share.mul_(share).mul_(d))
  return d

def head_logits(x: Tensor, head: List[Tensor], outer: List[float]) -> Tensor:
  return finish_logits_(product(x, head), outer).float()

# The logits of a chunk where the backward pass needs them (the compute type is not float32, or there is a cap), else nothing,
# and their log softmax in float32 with its value at the targets.
# a: the adapter of the head, A and s B, or nothing.
def head_forward(x: Tensor, head: List[Tensor], a: List[Tensor], targets: Tensor, outer: List[float]) -> Tuple[Tensor, Tensor, Tensor]:
  logits = finish_logits_(adapted_(product(x, head), x, a, annotate(List[Tensor], []), 0), outer)
  l = torch.log_softmax(logits.float(), 1)
  if x.dtype == l.dtype and outer[Outer.LOGIT_CAP] == 0.0:
    logits = torch.empty([0], device=x.device)
  return (logits, l, torch.gather(l, 1, targets.view([x.size(0), -1])).view([-1]))

# From d loss / d logprob of each target to the gradient of the head's input; adds to the gradients of the head and of its
# adapter, or sets the former where it holds nothing yet.
# d logprob / d logits = onehot(target) - softmax; the derivative by the logprob multiplies rows, and is left to the
# small matrices. Overwrites l, the log softmax; in bf16 the softmax is taken anew from the logits, which halves what
# passes through memory.
# Of several targets in a row the derivatives d differ, d logits = sum(d onehot) - sum(d) softmax, and nothing is left over.
# ga: the gradients of A and B.
def head_backward(logits: Tensor, l: Tensor, logprob: Tensor, targets: Tensor, dlogprob: Tensor, x: Tensor, head: List[Tensor],
    ghead: Tensor, overwrite: bool, a: List[Tensor], ga: List[Tensor], scale: float,
    outer: List[float]) -> Tensor:
  n = x.size(0)
  places = torch.arange(n, device=x.device).mul_(l.size(1)).unsqueeze(1).add(targets.view([n, -1])).view([-1])
  if targets.size(0) > n:
    several = l.exp_().mul_(dlogprob.view([n, -1]).sum(1, keepdim=True))
    several.view([-1]).index_add_(0, places, dlogprob, alpha=-1)
    p = several.to(x.dtype)
    d = torch.ones([n], dtype=dlogprob.dtype, device=x.device)
  else:
    if x.dtype == l.dtype:
      p = l.exp_()
    else:
      p = torch.softmax(logits, 1)
    # Not scatter_, which in bf16 takes longer than the softmax.
    p.view([-1]).index_copy_(0, places, torch.expm1(logprob).to(x.dtype))
    d = dlogprob
  uncap_logits_(p, logits, outer)
  g = d.neg().div_(outer[Outer.LOGIT_DIVISOR]).to(x.dtype).unsqueeze(1)
  if ghead.numel() > 0:
    add_product(ghead, p, x * g, overwrite)
  dx = product_backward(p, head)
  if len(a) > 0:
    xg = x * g
    dxa = torch.mm(p, a[1])
    ga[0].add_(torch.mm(dxa.t(), xg))
    ga[1].add_(torch.mm(p.t(), torch.mm(xg, a[0].t())), alpha=scale)
    dx.addmm_(dxa, a[0])
  return dx.mul_(g)

# Puts the gradients of selected rows back among all rows.
def spread_rows(dx: Tensor, index: Tensor, rows: int) -> Tensor:
  out = torch.zeros([rows, dx.size(1)], dtype=dx.dtype, device=dx.device)
  return out.index_copy_(0, index, dx)
