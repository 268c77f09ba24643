# AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW computes it, over a run of flat float32 vectors, in pieces that
# stay in the processor's cache from the first operation to the last.

def l2_norm(g: Tensor) -> float:
  return float(torch.linalg_vector_norm(g))

# Steps what the elements start .. start + count of the vectors and a piece of the gradient, whose first element is that
# of the vectors at an offset, have in common.
# clear: whether the gradient is zeroed as it has been read.
def adamw(values: Tensor, gradient: Tensor, first: Tensor, second: Tensor, start: int, count: int, offset: int, lr: float,
    beta1: float, beta2: float, eps: float, decay: float, step: int, clip: float, clear: bool) -> Tensor:
  correction = torch.pow(1.0 - torch.pow(beta2, float(step)), -0.5)
  rate = -lr / (1.0 - torch.pow(beta1, float(step)))
  at = max(start, offset)
  last = min(start + count, offset + gradient.numel())
  while at < last:
    end = min(at + 262144, last)
    p = values[at:end]
    g = gradient[at - offset:end - offset]
    m = first[at:end]
    v = second[at:end]
    if clip != 1.0:
      g.mul_(clip)
    m.lerp_(g, 1.0 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1.0 - beta2)
    if decay != 0.0:
      p.mul_(1.0 - lr * decay)
    p.addcdiv_(m, torch.sqrt(v).mul_(correction).add_(eps), value=rate)
    if clear:
      g.zero_()
    at = end
  return values
