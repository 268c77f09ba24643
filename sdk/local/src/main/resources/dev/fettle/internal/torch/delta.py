# Gated DeltaNet (Yang et al. 2025): attention with a state [key dim, value dim] for each head in place of a cache,
#   S <- e^g S,  S <- S + k (beta (v - k^T S))^T,  o = q^T S
# for each token in turn. Here in chunks of tokens, with products of matrices within a chunk (Yang et al. 2024), in float32.
# p: what all tokens bring, in chunks: queries, keys [n, chunks, tokens, key dim], values, and for each token g and beta; n counts
# heads of sequences.

# Of each chunk: e^(sum of g up to a token), e^(sum of g from there to the end), e^(all of it), e^(sums between two tokens).
def delta_decays(g: Tensor) -> List[Tensor]:
  sums = torch.cumsum(g, 2)
  total = sums[:, :, -1:]
  later = torch.ones([g.size(2), g.size(2)], device=g.device).triu_(1) > 0.0
  between = torch.sub(sums, sums.transpose(2, 3)).masked_fill_(later, -1e30).exp_()
  return [torch.exp(sums), torch.exp(total - sums), torch.exp(total), between]

# What a chunk writes, and what it reads of the state that it begins with, solved for all its tokens at once:
# (I + L) x = [beta v, beta e^sums k]. Returns L, with a diagonal that means nothing, and x.
def delta_solved(p: List[Tensor], decays: List[Tensor]) -> Tuple[Tensor, Tensor]:
  kb = torch.mul(p[1], p[4])
  l = torch.matmul(kb, p[1].transpose(2, 3)).mul_(decays[3])
  y = torch.cat([torch.mul(p[2], p[4]), kb.mul_(decays[0])], 3)
  return (l, torch.linalg_solve_triangular(l, y, upper=False, left=True, unitriangular=True))

# From chunk to chunk: [n, chunks, tokens, value dim]. Changes the state.
def delta_scan(p: List[Tensor], state: Tensor) -> Tensor:
  decays = delta_decays(p[3])
  _, x = delta_solved(p, decays)
  dim = p[2].size(3)
  scores = torch.matmul(p[0], p[1].transpose(2, 3)).mul_(decays[3])
  q = torch.mul(p[0], decays[0])
  k = torch.mul(p[1], decays[1]).transpose(2, 3)
  out = torch.empty_like(p[2])
  for i in range(out.size(1)):
    new = torch.baddbmm(x[:, i, :, :dim], x[:, i, :, dim:], state, alpha=-1.0)
    out[:, i].copy_(torch.bmm(q[:, i], state).baddbmm_(scores[:, i], new))
    state.mul_(decays[2][:, i]).baddbmm_(k[:, i], new)
  return out

# The gradients of what the scan reads, from that of what it gives; it begins with a state of zeros.
def delta_scan_backward(dout: Tensor, p: List[Tensor]) -> List[Tensor]:
  decays = delta_decays(p[3])
  l, x = delta_solved(p, decays)
  n = p[0].size(0)
  chunks = p[0].size(1)
  dim = p[2].size(3)
  scores = torch.matmul(p[0], p[1].transpose(2, 3)).mul_(decays[3])
  q = torch.mul(p[0], decays[0])
  k = torch.mul(p[1], decays[1])
  states = torch.empty([chunks, n, p[0].size(3), dim], device=dout.device)
  states[0].zero_()
  new = torch.empty_like(p[2])
  for i in range(chunks):
    new[:, i].copy_(torch.baddbmm(x[:, i, :, :dim], x[:, i, :, dim:], states[i], alpha=-1.0))
    if i + 1 < chunks:
      states[i + 1].copy_(torch.mul(states[i], decays[2][:, i]).baddbmm_(k[:, i].transpose(1, 2), new[:, i]))
  dx = torch.empty_like(x)
  dk = torch.empty_like(k)
  dtotal = torch.empty_like(decays[2])
  dstate = torch.zeros_like(states[0])
  i = chunks - 1
  while i >= 0:
    dnew = torch.bmm(scores[:, i].transpose(1, 2), dout[:, i]).baddbmm_(k[:, i], dstate)
    dk[:, i].copy_(torch.bmm(new[:, i], dstate.transpose(1, 2)))
    dtotal[:, i].copy_(torch.sum(torch.mul(states[i], dstate), [1, 2], True))
    dx[:, i, :, :dim].copy_(dnew)
    dx[:, i, :, dim:].copy_(torch.bmm(dnew, states[i].transpose(1, 2)).neg_())
    dstate.mul_(decays[2][:, i]).baddbmm_(q[:, i].transpose(1, 2), dout[:, i])
    dstate.baddbmm_(x[:, i, :, dim:].transpose(1, 2), dnew, alpha=-1.0)
    i = i - 1
  dq = torch.matmul(dout, states.permute([1, 0, 3, 2]))
  dscores = torch.matmul(dout, new.transpose(2, 3))
  # Of the solution, then of what it was made of.
  dy = torch.linalg_solve_triangular(l.transpose(2, 3), dx, upper=True, left=True, unitriangular=True)
  dl = torch.matmul(dy, x.transpose(2, 3)).neg_().tril_(-1)
  dbetween = torch.mul(dl, l).add_(torch.mul(dscores, scores))
  dl.mul_(decays[3])
  dscores.mul_(decays[3])
  kb = torch.mul(p[1], p[4])
  dkb = torch.matmul(dl, p[1]).add_(torch.mul(dy[:, :, :, dim:], decays[0]))
  from_end = torch.sum(torch.mul(dk, k), [3], True)
  dsums = torch.sum(torch.mul(dq, q), [3], True).sub_(from_end)
  dsums.add_(torch.sum(torch.mul(dy[:, :, :, dim:], kb), [3], True).mul_(decays[0]))
  dsums.add_(torch.sum(dbetween, [3], True)).sub_(torch.sum(dbetween, [2], True).transpose(2, 3))
  dsums[:, :, -1:].add_(torch.sum(from_end, [2], True)).add_(dtotal.mul_(decays[2]))
  dbeta = torch.sum(torch.mul(dkb, p[1]), [3], True).add_(torch.sum(torch.mul(dy[:, :, :, :dim], p[2]), [3], True))
  dk.mul_(decays[1]).add_(torch.matmul(dscores.transpose(2, 3), p[0])).add_(torch.matmul(dl.transpose(2, 3), kb))
  dk.add_(dkb.mul_(p[4]))
  dq.mul_(decays[0]).add_(torch.matmul(dscores, p[1]))
  dg = torch.flip(torch.cumsum(torch.flip(dsums, [2]), 2), [2])
  return [dq, dk, torch.mul(dy[:, :, :, :dim], p[4]), dg, dbeta]
