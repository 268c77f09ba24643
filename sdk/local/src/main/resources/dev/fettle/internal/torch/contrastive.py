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
# rows: those of the output embedding that belong to the two tokens;  a: the embedding's adapter, A and s B, or nothing
def preference(x: Tensor, rows: Tensor, a: List[Tensor], yes: int, no: int) -> Tensor:
  return torch.mv(x.float(), preferred(rows, a, yes, no)).unsqueeze(1)

def preferred(rows: Tensor, a: List[Tensor], yes: int, no: int) -> Tensor:
  w = rows[0].float() - rows[1].float()
  if len(a) > 0:
    w = torch.addmv(w, a[0].float().t(), a[1][yes].float() - a[1][no].float())
  return w

# Adds into the gradients of head and adapter, or sets the former where it holds nothing yet; returns that of x.
def preference_backward(d: Tensor, x: Tensor, rows: Tensor, a: List[Tensor], yes: int, no: int, ghead: Tensor,
    overwrite: bool, ga: List[Tensor], scale: float) -> Tensor:
  g = torch.mm(d.t(), x.float())[0]
  if ghead.numel() > 0:
    if overwrite:
      ghead.zero_()
    ghead[yes].add_(g)
    ghead[no].sub_(g)
  if len(a) > 0:
    ga[0].add_(torch.outer(a[1][yes].float() - a[1][no].float(), g))
    b = torch.mv(a[0].float(), g)
    ga[1][yes].add_(b, alpha=scale)
    ga[1][no].sub_(b, alpha=scale)
  return torch.mul(d, preferred(rows, a, yes, no).unsqueeze(0)).to(x.dtype)
