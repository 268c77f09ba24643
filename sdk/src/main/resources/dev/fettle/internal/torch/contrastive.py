# Scores between embeddings of queries q [m, n] and of texts t [k, n].

def similarities(q: Tensor, t: Tensor) -> Tensor:
  return torch.mm(q, t.t())

# From the gradient of the scores [m, k] to those of q and t.
def similarities_backward(d: Tensor, q: Tensor, t: Tensor) -> Tuple[Tensor, Tensor]:
  return (torch.mm(d, t), torch.mm(d.t(), q))
