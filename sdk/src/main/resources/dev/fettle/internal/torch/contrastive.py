# Scores between embeddings of queries q [m, n] and of texts t [k, n].

def similarities(q: Tensor, t: Tensor) -> Tensor:
  return torch.mm(q, t.t())

# From the gradient of the scores [m, k] to those of q and t.
def similarities_backward(d: Tensor, q: Tensor, t: Tensor) -> Tuple[Tensor, Tensor]:
  return (torch.mm(d, t), torch.mm(d.t(), q))

# Adds the gradients of rows that were selected from a matrix to that of the matrix.
def selected_backward(d: Tensor, index: Tensor, into: Tensor) -> Tensor:
  return into.index_add_(0, index, d)

# The logit of one token less that of another, for rows x [n, hidden]: [n, 1]. No other logit is computed.
# a, sb: the output embedding's adapter, if it has one.
def preference(x: Tensor, head: Tensor, a: Tensor, sb: Tensor, yes: int, no: int) -> Tensor:
  return torch.mv(x.float(), preferred(head, a, sb, yes, no)).unsqueeze(1)

def preferred(head: Tensor, a: Tensor, sb: Tensor, yes: int, no: int) -> Tensor:
  w = head[yes].float() - head[no].float()
  if a.numel() > 0:
    w = torch.addmv(w, a.float().t(), sb[yes].float() - sb[no].float())
  return w

# Adds into the gradients of head and adapter, or sets the former where it holds nothing yet; returns that of x.
def preference_backward(d: Tensor, x: Tensor, head: Tensor, a: Tensor, sb: Tensor, yes: int, no: int, ghead: Tensor,
    fresh: bool, ga: Tensor, gb: Tensor, scale: float) -> Tensor:
  g = torch.mm(d.t(), x.float())[0]
  if ghead.numel() > 0:
    if fresh:
      ghead.zero_()
    ghead[yes].add_(g)
    ghead[no].sub_(g)
  if a.numel() > 0:
    ga.add_(torch.outer(sb[yes].float() - sb[no].float(), g))
    b = torch.mv(a.float(), g)
    gb[yes].add_(b, alpha=scale)
    gb[no].sub_(b, alpha=scale)
  return torch.mul(d, preferred(head, a, sb, yes, no).unsqueeze(0)).to(x.dtype)
