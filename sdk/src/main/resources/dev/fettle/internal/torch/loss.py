# The output head in chunks of rows: the logits of a whole batch are never held at once.

def head_logits(x: Tensor, head: Tensor) -> Tensor:
  return product(x, head).float()

# The logits of a chunk in the compute type, and their log softmax in float32 with its value at the targets.
def head_forward(x: Tensor, head: Tensor, targets: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
  logits = product(x, head)
  l = torch.log_softmax(logits.float(), 1)
  return (logits, l, torch.gather(l, 1, targets.unsqueeze(1)).squeeze(1))

# From d loss / d logprob of each row to the gradient of the head's input; adds to the gradient of the head.
# d logprob / d logits = onehot(target) - softmax; the derivative by the logprob multiplies rows, and is left to the
# small matrices. Overwrites l, the log softmax; in bf16 the softmax is taken anew from the logits, which halves what
# passes through memory.
def head_backward(logits: Tensor, l: Tensor, logprob: Tensor, targets: Tensor, dlogprob: Tensor, x: Tensor, head: Tensor,
    ghead: Tensor) -> Tensor:
  if x.dtype == l.dtype:
    p = l.exp_()
  else:
    p = torch.softmax(logits, 1)
  # Not scatter_, which in bf16 takes longer than the softmax.
  places = torch.arange(p.size(0)) * p.size(1) + targets
  p.view([-1]).index_copy_(0, places, torch.expm1(logprob).to(x.dtype))
  g = dlogprob.neg().to(x.dtype).unsqueeze(1)
  if ghead.numel() > 0:
    ghead.add_(torch.mm(p.t(), x * g))
  return product_backward(p, head).mul_(g)

# Puts the gradients of selected rows back among all rows.
def spread_rows(dx: Tensor, index: Tensor, rows: int) -> Tensor:
  out = torch.zeros([rows, dx.size(1)], dtype=dx.dtype)
  return out.index_copy_(0, index, dx)
