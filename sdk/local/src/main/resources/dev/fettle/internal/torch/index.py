# Exact search for the largest inner products. Each vector x is kept twice: in float32, and as 8-bit whole numbers c with
# a scale s, where x = s c + e. A scan of the small copy gives q.x up to |q| |e| (Cauchy-Schwarz), which rules out nearly
# all vectors; what is left is computed anew from float32.

# Codes of rows from start on. errors: |e|, norms: |x|; both with room for the rounding of float32.
def index_rows(vectors: Tensor, start: int, count: int, codes: Tensor, scales: Tensor, errors: Tensor, norms: Tensor) -> Tensor:
  x = vectors[start:start + count]
  s = torch.clamp_min(torch.amax(torch.abs(x), [1], True) / 127.0, 1e-30)
  c = torch.round(x / s)
  e = x - c * s
  n = torch.sqrt(torch.sum(x * x, [1]))
  codes[start:start + count].copy_(c)
  scales[start:start + count].copy_(s.squeeze(1))
  norms[start:start + count].copy_(n * 1.0001)
  return errors[start:start + count].copy_(torch.sqrt(torch.sum(e * e, [1])) * 1.0001 + n * 2e-6)

# At least k numbers of x are as large as this: where there are enough blocks, the k-th largest of their maxima, which
# takes one reading of x; the largest k themselves would take a copy with indices.
def index_least(x: Tensor, k: int) -> float:
  blocks = x.size(0) // 256
  if blocks >= 4 * k:
    x = torch.amax(x[:blocks * 256].view([blocks, 256]), [1])
  best, places = torch.topk(x, k)
  return float(torch.amin(best, [0]))

# The vectors that can be among the k best of each query, one query's after the other's, and how many each has. A query
# is the sum of two vectors of 7-bit numbers and a tiny rest: then its own rounding costs nothing. sums, score and lower
# are room that is kept: fresh memory would take as long as the arithmetic.
def index_candidates(codes: Tensor, scales: Tensor, errors: Tensor, norms: Tensor, sums: Tensor, score: Tensor,
    lower: Tensor, queries: Tensor, dimensions: int, k: int) -> Tuple[Tensor, Tensor]:
  q = queries.view([-1, dimensions])
  b = q.size(0)
  n = codes.size(0)
  # Up to 63: a processor without VNNI adds two products in 16 bits, and 2 * 255 * 63 is the most that these hold.
  s = torch.clamp_min(torch.amax(torch.abs(q), [1], True) / 63.0, 1e-30)
  high = torch.round(q / s)
  rest = q - high * s
  low = torch.clamp(torch.round(rest / s * 126.0), -63, 63)
  rest = rest - low * s / 126.0
  length = torch.sqrt(torch.sum(q * q, [1])) * 1.0001
  missed = torch.sqrt(torch.sum(rest * rest, [1])) * 1.0001
  largest = torch.amax(norms, [0])
  columns = torch.stack([high, low], 1).view([2 * b, dimensions]).to(1).t().contiguous()
  products = sums[:n * 2 * b].view([n, 2 * b])
  int8_sums(codes, columns, products)
  columns = products.t()
  found: List[Tensor] = []
  counts: List[Tensor] = []
  # In units of s, which does not change the order.
  for i in range(b):
    share = float(length[i] / s[i])
    rounding = float(missed[i] * largest / s[i])
    score.copy_(columns[2 * i]).add_(columns[2 * i + 1], alpha=1.0 / 126.0).mul_(scales)
    least = index_least(lower.copy_(score).add_(errors, alpha=-share), k) - 2.0 * rounding
    ids = torch.nonzero(score.add_(errors, alpha=share) >= least).view([-1])
    found.append(ids)
    counts.append(torch.full([1], ids.numel(), dtype=4, device=ids.device))
  return (torch.cat(found, 0), torch.cat(counts, 0))
