# The output head in chunks of rows: the logits of a whole batch are never held at once.

def head_logits(x: Tensor, head: Tensor) -> Tensor:
  return product(x, head).float()

# The logits of a chunk in the compute type, and their log softmax in float32 with its value at the targets.
# a, sb: the adapter of the head, or empty.
def head_forward(x: Tensor, head: Tensor, a: Tensor, sb: Tensor, targets: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
  logits = linear(x, head, torch.empty([0]), a, sb, torch.empty([0]))
  l = torch.log_softmax(logits.float(), 1)
  return (logits, l, torch.gather(l, 1, targets.unsqueeze(1)).squeeze(1))

# From d loss / d logprob of each row to the gradient of the head's input; adds to the gradients of the head and of its
# adapter, or sets the former where it holds nothing yet.
# d logprob / d logits = onehot(target) - softmax; the derivative by the logprob multiplies rows, and is left to the
# small matrices. Overwrites l, the log softmax; in bf16 the softmax is taken anew from the logits, which halves what
# passes through memory.
def head_backward(logits: Tensor, l: Tensor, logprob: Tensor, targets: Tensor, dlogprob: Tensor, x: Tensor, head: Tensor,
    ghead: Tensor, fresh: bool, a: Tensor, sb: Tensor, ga: Tensor, gb: Tensor, scale: float) -> Tensor:
  if x.dtype == l.dtype:
    p = l.exp_()
  else:
    p = torch.softmax(logits, 1)
  # Not scatter_, which in bf16 takes longer than the softmax.
  places = torch.arange(p.size(0)) * p.size(1) + targets
  p.view([-1]).index_copy_(0, places, torch.expm1(logprob).to(x.dtype))
  g = dlogprob.neg().to(x.dtype).unsqueeze(1)
  if ghead.numel() > 0:
    add_product(ghead, p, x * g, fresh)
  dx = product_backward(p, head)
  if a.numel() > 0:
    xg = x * g
    dxa = torch.mm(p, sb)
    ga.add_(torch.mm(dxa.t(), xg))
    gb.add_(torch.mm(p.t(), torch.mm(xg, a.t())), alpha=scale)
    dx.addmm_(dxa, a)
  return dx.mul_(g)

# Puts the gradients of selected rows back among all rows.
def spread_rows(dx: Tensor, index: Tensor, rows: int) -> Tensor:
  out = torch.zeros([rows, dx.size(1)], dtype=dx.dtype)
  return out.index_copy_(0, index, dx)
