# AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW computes it, over one flat float32 vector.

def norm(g: Tensor) -> float:
  return float(torch.linalg_vector_norm(g))

def adamw(p: Tensor, g: Tensor, m: Tensor, v: Tensor, lr: float, beta1: float, beta2: float, eps: float, decay: float,
    step: int, clip: float) -> Tensor:
  if clip != 1.0:
    g.mul_(clip)
  m.lerp_(g, 1.0 - beta1)
  v.mul_(beta2).addcmul_(g, g, value=1.0 - beta2)
  if decay != 0.0:
    p.mul_(1.0 - lr * decay)
  root = torch.sqrt(v).mul_(torch.pow(1.0 - torch.pow(beta2, float(step)), -0.5)).add_(eps)
  p.addcdiv_(m, root, value=-lr / (1.0 - torch.pow(beta1, float(step))))
  return g.zero_()
