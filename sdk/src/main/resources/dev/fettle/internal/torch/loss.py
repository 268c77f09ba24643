# The output head in chunks of rows: the logits of a whole batch are never held at once.

def head_logits(x: Tensor, head: Tensor) -> Tensor:
  return torch.mm(x, head.t()).float()

# log softmax at the target, and the log of the normaliser, of each row.
def target_logprobs(logits: Tensor, targets: Tensor) -> Tuple[Tensor, Tensor]:
  z = torch.logsumexp(logits, [1])
  return (torch.gather(logits, 1, targets.unsqueeze(1)).squeeze(1) - z, z)

# From d loss / d logprob of each row to the gradient of the head's input; adds to the gradient of the head.
# d logprob / d logits = onehot(target) - softmax. The logits are overwritten.
def head_backward(logits: Tensor, z: Tensor, targets: Tensor, dlogprob: Tensor, x: Tensor, head: Tensor, ghead: Tensor) -> Tensor:
  d = logits.sub_(z.unsqueeze(1)).exp_().mul_(-dlogprob.unsqueeze(1))
  d = d.scatter_add_(1, targets.unsqueeze(1), dlogprob.unsqueeze(1)).to(x.dtype)
  if ghead.numel() > 0:
    ghead.add_(torch.mm(d.t(), x))
  return torch.mm(d, head)

# Puts the gradients of selected rows back among all rows.
def spread_rows(dx: Tensor, index: Tensor, rows: int) -> Tensor:
  out = torch.zeros([rows, dx.size(1)], dtype=dx.dtype)
  return out.index_copy_(0, index, dx)
