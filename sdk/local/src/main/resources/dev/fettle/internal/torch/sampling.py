# How the next token is sampled from logits.

# Where each row's cumulative distribution c passes the share u of its total, which stands last.
def inverse_cdf(c: Tensor, u: Tensor) -> Tensor:
  return torch.searchsorted(c, u.unsqueeze(1) * c[:, c.size(1) - 1:], right=True)

def divided(logits: Tensor, temperature: float) -> Tensor:
  if temperature == 1.0:
    return logits
  return logits / temperature

# Keeps the k likeliest tokens (0 = all), then the likeliest that together have probability p; q is sorted.
def top_k_top_p(q: Tensor, k: int, p: float) -> Tensor:
  if k > 0 and k < q.size(1):
    q[:, k:].zero_()
    q.div_(torch.sum(q, [1], True))
  if p < 1.0:
    q.masked_fill_(torch.cumsum(q, 1) - q >= p, 0.0)
  return q

# Chooses the next token of each row: the likeliest where temperature is 0, else by inverting the cumulative
# distribution of the allowed tokens at u. Also the token's logprob under the model itself (temperature 1, nothing cut
# off).
def sample_token(logits: Tensor, u: Tensor, temperature: float, k: int, p: float) -> Tuple[Tensor, Tensor]:
  if temperature == 0.0:
    ids = torch.argmax(logits, 1)
  elif k == 0 and p >= 1.0:
    c = torch.cumsum(torch.softmax(divided(logits, temperature), 1), 1)
    ids = torch.clamp(inverse_cdf(c, u), 0, logits.size(1) - 1).squeeze(1)
  else:
    l, order = torch.sort(divided(logits, temperature), 1, True)
    q = top_k_top_p(torch.softmax(l, 1), k, p)
    last = torch.sum((q > 0.0).to(4), [1], True) - 1
    ids = torch.gather(order, 1, torch.minimum(inverse_cdf(torch.cumsum(q, 1), u), last)).squeeze(1)
  z = torch.logsumexp(logits, [1])
  return (ids, torch.gather(logits, 1, ids.unsqueeze(1)).squeeze(1) - z)

# The k likeliest tokens of each row of log probabilities, the likeliest first, and theirs.
def likeliest(l: Tensor, k: int) -> Tuple[Tensor, Tensor]:
  top, ids = torch.topk(l, k, 1, True, True)
  return (ids, top)

# The log probabilities of some tokens of each row.
def logprobs_of(l: Tensor, ids: Tensor) -> Tensor:
  return torch.gather(l, 1, ids)
