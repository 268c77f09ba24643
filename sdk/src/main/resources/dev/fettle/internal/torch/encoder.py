# A text encoder (Devlin et al. 2018): each layer is norm(x + attention(x)), then norm(. + mlp(.)); every token sees its
# whole text and no other. Rows are packed tokens; runs lists (how many texts, how long) in turn.
# w: attention norm, qkv, qkv bias, bias of the attention norm, bias of the mlp norm, o, o bias, mlp norm, up, up bias,
#    down, down bias;  a: A and s B of qkv, o, up, down;  m: dropout masks of their inputs
# f: the weights of qkv, o, up, down as oneDNN has packed them, or empty tensors

# Statistics and weights in float32, whatever the rows are in. Returns the mean and 1 / deviation of each row too.
def layer_norm(x: Tensor, w: Tensor, b: Tensor, eps: float) -> Tuple[Tensor, Tensor, Tensor]:
  return torch.native_layer_norm(x, [x.size(1)], w.float(), b.float(), eps)

def layer_norm_backward(dy: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, w: Tensor, b: Tensor, gw: Tensor,
    gb: Tensor, fresh: bool) -> Tensor:
  trained = gw.numel() > 0 or gb.numel() > 0
  dx, dw, db = torch.native_layer_norm_backward(dy, x, [x.size(1)], mean, rstd, w.float(), b.float(), [True, trained, trained])
  if gw.numel() > 0:
    add_to(gw, dw, fresh)
  if gb.numel() > 0:
    add_to(gb, db, fresh)
  return dx

# Word, position and first-segment embeddings of each row, summed: before the norm.
def embed_rows(words: Tensor, places: Tensor, segments: Tensor, ids: Tensor, positions: Tensor) -> Tensor:
  return torch.embedding(words, ids).add_(torch.embedding(places, positions)).add_(segments[0])

# Adds into the gradients of the three, or sets them where they hold nothing yet.
def embed_rows_backward(dx: Tensor, ids: Tensor, positions: Tensor, words: Tensor, places: Tensor, segments: Tensor,
    fresh: bool) -> Tensor:
  if fresh:
    words.zero_()
    places.zero_()
    segments.zero_()
  if words.numel() > 0:
    words.index_add_(0, ids, dx.to(words.dtype))
  if places.numel() > 0:
    places.index_add_(0, positions, dx.to(places.dtype))
  if segments.numel() > 0:
    segments[0].add_(torch.sum(dx, [0]))
  return dx

# Rows [n x t, parts x heads x dim] as [parts, n x heads, t, dim].
def heads_apart(x: Tensor, n: int, t: int, parts: int, heads: int) -> Tensor:
  return x.view([n, t, parts, heads, -1]).permute([2, 0, 3, 1, 4]).reshape([parts, n * heads, t, -1])

# How many texts of a length attention takes at once: scores of a bounded number.
def texts_at_once(t: int, heads: int, most: int) -> int:
  return max(1, most // (heads * t * t))

# Attention within each text, by libtorch's fused kernel, which never holds the scores of more than a tile: from 16 to 512
# tokens faster than softmax(q k^T) v. qkv: [rows, 3 x hidden].
def whole_attention(qkv: Tensor, runs: List[int], heads: int) -> Tensor:
  parts = annotate(List[Tensor], [])
  row = 0
  for i in range(len(runs) // 2):
    n = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + n * t
    z = qkv[row:end].view([n, t, 3, heads, -1]).permute([2, 0, 3, 1, 4])
    o, _ = torch._scaled_dot_product_flash_attention_for_cpu(z[0], z[1], z[2], 0.0, False)
    parts.append(o.transpose(1, 2).reshape([n * t, -1]))
    row = end
  if len(parts) == 1:
    return parts[0]
  return torch.cat(parts)

# Backwards the probabilities are made anew and held, of some texts at a time.
def whole_attention_backward(dout: Tensor, qkv: Tensor, runs: List[int], heads: int, most: int) -> Tensor:
  d = torch.empty_like(qkv)
  row = 0
  for i in range(len(runs) // 2):
    t = runs[2 * i + 1]
    end = row + runs[2 * i] * t
    step = t * texts_at_once(t, heads, most)
    while row < end:
      stop = min(row + step, end)
      n = (stop - row) // t
      z = heads_apart(qkv[row:stop], n, t, 3, heads)
      scale = torch.pow(float(z.size(3)), -0.5)
      q = torch.mul(z[0], scale)
      p = torch.softmax(torch.bmm(q, z[1].transpose(1, 2)), -1)
      do = heads_apart(dout[row:stop], n, t, 1, heads)[0]
      ds = torch._softmax_backward_data(torch.bmm(do, z[2].transpose(1, 2)), p, -1, p.dtype)
      parts = d[row:stop].view([n, t, 3, heads, -1]).permute([2, 0, 3, 1, 4])
      parts[0].copy_(torch.bmm(ds, z[1]).mul_(scale).view([n, heads, t, -1]))
      parts[1].copy_(torch.bmm(ds.transpose(1, 2), q).view([n, heads, t, -1]))
      parts[2].copy_(torch.bmm(p.transpose(1, 2), do).view([n, heads, t, -1]))
      row = stop
  return d

def encoder_fused(x: Tensor, w: List[Tensor], f: List[Tensor], a: List[Tensor], m: List[Tensor], i: int) -> Tensor:
  if f[i].numel() == 0 or has_gain(a, i):
    return fused(x, w, a, m, i)
  y = onednn_product_plus(x, f[i], w[weight_index(i) + 1])
  return adapted_(y, dropped(x, m[i]), a[2 * i], a[2 * i + 1])

# residual + the same
def encoder_fused_onto(residual: Tensor, x: Tensor, w: List[Tensor], f: List[Tensor], a: List[Tensor], m: List[Tensor],
    i: int) -> Tensor:
  if f[i].numel() == 0 or has_gain(a, i):
    return fused_onto(residual, x, w, a, m, i)
  y = onednn_product_onto(residual, x, f[i], w[weight_index(i) + 1])
  return adapted_(y, dropped(x, m[i]), a[2 * i], a[2 * i + 1])

# Returns the output and what the backward pass needs.
def encoder_forward(x: Tensor, w: List[Tensor], f: List[Tensor], a: List[Tensor], m: List[Tensor], runs: List[int],
    heads: int, eps: float) -> Tuple[Tensor, List[Tensor]]:
  qkv = encoder_fused(x, w, f, a, m, 0)
  o = whole_attention(qkv, runs, heads)
  s1 = encoder_fused_onto(x, o, w, f, a, m, 1)
  h, mean1, rstd1 = layer_norm(s1, w[0], w[3], eps)
  u = encoder_fused(h, w, f, a, m, 2)
  s2 = encoder_fused_onto(h, torch.gelu(u), w, f, a, m, 3)
  y, mean2, rstd2 = layer_norm(s2, w[7], w[4], eps)
  return (y, [x, qkv, o, s1, mean1, rstd1, u, s2, mean2, rstd2])

# g, ga, blocks, scales, how: as in fused_backward; the place of a decoder's second projection of the MLP is empty.
# below: whether the gradient of x is wanted; where it is not, what is returned means nothing.
def encoder_backward(dy: Tensor, saved: List[Tensor], w: List[Tensor], a: List[Tensor], m: List[Tensor], g: List[Tensor],
    ga: List[Tensor], blocks: List[int], scales: List[float], how: List[int], below: bool, runs: List[int], heads: int,
    most: int, eps: float) -> Tensor:
  fresh = how[0] == 1
  x, qkv, o, s1, mean1, rstd1, u, s2, mean2, rstd2 = saved
  ds2 = layer_norm_backward(dy, s2, mean2, rstd2, w[7], w[4], g[7], g[4], fresh)
  dv = fused_backward(ds2, torch.gelu(u), w, a, m, g, ga, 3, blocks, scales, how, True)
  h, _, _ = layer_norm(s1, w[0], w[3], eps)
  dh = fused_backward(torch.gelu_backward(dv, u), h, w, a, m, g, ga, 2, blocks, scales, how, True)
  ds1 = layer_norm_backward(dh.add_(ds2), s1, mean1, rstd1, w[0], w[3], g[0], g[3], fresh)
  do = fused_backward(ds1, o, w, a, m, g, ga, 1, blocks, scales, how, True)
  dqkv = whole_attention_backward(do, qkv, runs, heads, most)
  dx = fused_backward(dqkv, x, w, a, m, g, ga, 0, blocks, scales, how, below)
  if below:
    return dx.add_(ds1)
  return ds1

# One vector a text, in float32: the mean of its rows, or its first row.
def pool(x: Tensor, runs: List[int], first: bool, unpooled: int) -> Tensor:
  parts = annotate(List[Tensor], [])
  row = 0
  for i in range(len(runs) // 2):
    t = runs[2 * i + 1]
    end = row + runs[2 * i] * t
    z = x[row:end].view([runs[2 * i], t, -1])
    if first:
      parts.append(z[:, unpooled].float())
    else:
      parts.append(torch.sum(z[:, unpooled:], [1], dtype=6).div_(float(t - unpooled)))
    row = end
  return torch.cat(parts)

def pool_backward(d: Tensor, runs: List[int], first: bool, like: Tensor) -> Tensor:
  out = torch.zeros_like(like)
  row = 0
  text = 0
  for i in range(len(runs) // 2):
    n = runs[2 * i]
    t = runs[2 * i + 1]
    end = row + n * t
    z = out[row:end].view([n, t, -1])
    if first:
      z[:, 0].copy_(d[text:text + n])
    else:
      z.copy_(torch.div(d[text:text + n], float(t)).unsqueeze(1))
    row = end
    text = text + n
  return out

# Rows of length 1.
def unit(x: Tensor) -> Tensor:
  return torch.div(x, torch.linalg_vector_norm(x, 2, [-1], True).clamp_min_(1e-12))

def unit_backward(d: Tensor, x: Tensor) -> Tensor:
  n = torch.linalg_vector_norm(x, 2, [-1], True).clamp_min_(1e-12)
  y = torch.div(x, n)
  return torch.sub(d, y.mul_(torch.sum(torch.mul(d, y), [-1], True))).div_(n)
