# The head of a classifier, in float32: norm(act(x D^T + d)) L^T + l, without what is empty. With two labels the score is the
# logit of the second less that of the first.
# w: D, d, the norm's weight and bias, L, l; gw: where their gradients are added, or set where these hold nothing yet.

# x: [texts, hidden], float32. Returns [texts, 1].
def classify(x: Tensor, w: List[Tensor], activation: int, eps: float) -> Tensor:
  y = classifier_dense(x, w, activation)
  z = vector_product(classifier_norm(y, w, eps), w[4].float(), w[5].float())
  if z.size(1) == 2:
    return z[:, 1:] - z[:, :1]
  return z

def classifier_dense(x: Tensor, w: List[Tensor], activation: int) -> Tensor:
  if w[0].numel() == 0:
    return x
  return vector_activation(vector_product(x, w[0].float(), w[1].float()), activation)

def classifier_norm(y: Tensor, w: List[Tensor], eps: float) -> Tensor:
  if w[2].numel() == 0:
    return y
  n, _, _ = layer_norm(y, w[2], classifier_norm_bias(w), eps)
  return n

def classifier_norm_bias(w: List[Tensor]) -> Tensor:
  if w[3].numel() > 0:
    return w[3]
  return torch.zeros_like(w[2])

# From the gradient of the scores to that of x.
def classify_backward(d: Tensor, x: Tensor, w: List[Tensor], gw: List[Tensor], overwrite: bool, activation: int, eps: float) -> Tensor:
  y = classifier_dense(x, w, activation)
  n = classifier_norm(y, w, eps)
  dz = d
  if w[4].size(0) == 2:
    dz = torch.cat([-d, d], 1)
  if gw[4].numel() > 0:
    add_to(gw[4], torch.mm(dz.t(), n), overwrite)
  if gw[5].numel() > 0:
    add_to(gw[5], torch.sum(dz, [0]), overwrite)
  dy = torch.mm(dz, w[4].float())
  if w[2].numel() > 0:
    _, mean, rstd = layer_norm(y, w[2], classifier_norm_bias(w), eps)
    dy = layer_norm_backward(dy, y, mean, rstd, w[2], classifier_norm_bias(w), gw[2], gw[3], overwrite)
  if w[0].numel() == 0:
    return dy
  du = vector_activation_backward(dy, vector_product(x, w[0].float(), w[1].float()), activation)
  if gw[0].numel() > 0:
    add_to(gw[0], torch.mm(du.t(), x), overwrite)
  if gw[1].numel() > 0:
    add_to(gw[1], torch.sum(du, [0]), overwrite)
  return torch.mm(du, w[0].float())
