# Scores between embeddings of queries q [m, n] and of texts t [k, n].

def similarities(q: Tensor, t: Tensor) -> Tensor:
  return torch.mm(q, t.t())

# From the gradient of the scores [m, k] to those of q and t.
def similarities_backward(d: Tensor, q: Tensor, t: Tensor) -> Tuple[Tensor, Tensor]:
  return (torch.mm(d, t), torch.mm(d.t(), q))

# The logit of one token less that of another, for rows x [n, hidden]: [n, 1]. No other logit is computed.
def preference(x: Tensor, head: Tensor, yes: int, no: int) -> Tensor:
  return torch.mv(x.float(), head[yes].float() - head[no].float()).unsqueeze(1)

def preference_backward(d: Tensor, x: Tensor, head: Tensor, yes: int, no: int, ghead: Tensor) -> Tensor:
  if ghead.numel() > 0:
    g = torch.mm(d.t(), x.float())[0]
    ghead[yes].add_(g)
    ghead[no].sub_(g)
  return torch.mul(d, (head[yes].float() - head[no].float()).unsqueeze(0)).to(x.dtype)
