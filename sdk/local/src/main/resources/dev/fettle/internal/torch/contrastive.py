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
def preference(x: Tensor, rows: Tensor, a: List[Tensor], yes: int, no: int, outer: List[float]) -> Tensor:
  z = two_logits(x, two_rows(rows, a, yes, no), outer)
  return z[:, :1] - z[:, 1:]

def two_rows(rows: Tensor, a: List[Tensor], yes: int, no: int) -> Tensor:
  w = rows.float()
  if len(a) > 0:
    w = torch.addmm(w, torch.stack([a[1][yes], a[1][no]]).float(), a[0].float())
  return w

def two_logits(x: Tensor, w: Tensor, outer: List[float]) -> Tensor:
  return finish_logits_(torch.mm(x.float(), w.t()), outer)

# Adds into the gradients of head and adapter, or sets the former where it holds nothing yet; returns that of x.
def preference_backward(d: Tensor, x: Tensor, rows: Tensor, a: List[Tensor], yes: int, no: int, ghead: Tensor,
    overwrite: bool, ga: List[Tensor], scale: float, outer: List[float]) -> Tensor:
  w = two_rows(rows, a, yes, no)
  dz = uncap_logits_(torch.cat([d, -d], 1).div_(outer[Outer.LOGIT_DIVISOR]), two_logits(x, w, outer), outer)
  g = torch.mm(dz.t(), x.float())
  if ghead.numel() > 0:
    if overwrite:
      ghead.zero_()
    ghead[yes].add_(g[0])
    ghead[no].add_(g[1])
  if len(a) > 0:
    ga[0].add_(torch.mm(torch.stack([a[1][yes], a[1][no]]).float().t(), g))
    b = torch.mm(g, a[0].float().t())
    ga[1][yes].add_(b[0], alpha=scale)
    ga[1][no].add_(b[1], alpha=scale)
  return torch.mm(dz, w).to(x.dtype)
