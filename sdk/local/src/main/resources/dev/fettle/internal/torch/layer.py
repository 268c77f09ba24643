# One layer of a transformer (Vaswani et al. 2017), in any order of its norms:
#   x2 = sum norm(x + s out norm(attention(norm(x)))),  y = sum norm(x2 + s out norm(mlp(norm(x2))))
# A Llama (Touvron et al. 2023) has the inner norms alone, a BERT (Devlin et al. 2018) those of the sums; what a layer lacks
# is empty. Rows are packed tokens; runs lists (how many sequences, how long) in turn. For w, v, a, m see linear.py.
# dims, reals: the numbers of a layer, by the names in Dim and Real

# The rows of all queries, keys and values as heads: [rows, heads + 2 kv heads, dim], with a gate behind each query where there
# are gates. Of a layer with a state, the rows as they are.
def project_qkv(n: Tensor, w: List[List[Tensor]], v: List[Tensor], a: List[List[Tensor]], m: List[Tensor], dims: List[int]) -> Tensor:
  raw = linear(n, w, v, a, m, Product.QKV)
  if dims[Dim.DELTA_KEY_HEADS] > 0:
    return raw
  return raw.view([n.size(0), (1 + dims[Dim.OUTPUT_GATE]) * dims[Dim.HEADS] + 2 * dims[Dim.KV_HEADS], -1])

# The same without gates.
def ungated(raw: Tensor, dims: List[int]) -> Tensor:
  if dims[Dim.OUTPUT_GATE] == 0:
    return raw
  both = 2 * dims[Dim.HEADS]
  return torch.cat([raw[:, :both:2], raw[:, both:]], 1)

# What attention gives each head, or a layer with a state, as the layer's second product reads it.
def gated_attention(attended: Tensor, raw: Tensor, v: List[Tensor], dims: List[int]) -> Tensor:
  if dims[Dim.DELTA_KEY_HEADS] > 0:
    return delta_gated(attended, raw, v, dims)
  if dims[Dim.OUTPUT_GATE] == 0:
    return attended
  return torch.mul(torch.sigmoid(raw[:, 1:2 * dims[Dim.HEADS]:2]).flatten(1), attended)

# Queries and keys, normalised (Qwen 3, OLMo 2) and rotated, and values. Without norms they are views of raw, rotated in place.
def position_qkv(raw: Tensor, v: List[Tensor], cos: Tensor, sin: Tensor, dims: List[int]) -> Tuple[Tensor, Tensor, Tensor]:
  step = 1 + dims[Dim.OUTPUT_GATE]
  heads = step * dims[Dim.HEADS]
  both = heads + dims[Dim.KV_HEADS]
  values = raw[:, both:]
  if v[Vector.Q_NORM].numel() > 0 or step > 1:
    q = raw[:, :heads:step]
    k = raw[:, heads:both]
    if v[Vector.Q_NORM].numel() > 0:
      q = heads_norm(q, v[Vector.Q_NORM], v[Vector.EPS], dims)
      k = heads_norm(k, v[Vector.K_NORM], v[Vector.EPS], dims)
    return (rotate_(q, cos, sin), rotate_(k, cos, sin), values)
  qk = rotate_(raw[:, :both], cos, sin)
  return (qk[:, :heads], qk[:, heads:], values)

# Queries times 1 + g log(1 + floor(position / period)), in place (Llama 4, Ministral 3), or their gradient. before: how many
# positions there are before the first row.
def grow_queries_(q: Tensor, before: int, runs: List[int], dims: List[int], reals: List[float]) -> Tensor:
  period = dims[Dim.GROWTH_PERIOD]
  if period == 0:
    return q
  row = 0
  for i in range(len(runs) // 2):
    n = runs[2 * i]
    t = runs[2 * i + 1]
    if before + t > period:
      positions = torch.arange(before, before + t, device=q.device).repeat([n])
      q[row:row + n * t].mul_(query_growth(positions, period, reals[Real.GROWTH], q.dtype))
    row = row + n * t
  return q

def query_growth(positions: Tensor, period: int, growth: float, dtype: int) -> Tensor:
  steps = torch.floor(positions.to(6) / float(period))
  return (torch.log1p(steps).mul_(growth) + 1.0).to(dtype).unsqueeze(1).unsqueeze(1)

# The norm of each head [rows, heads, dim] (Qwen 3, Gemma 3), or of all heads of a row together (OLMo 2), as w is long.
def heads_norm(z: Tensor, w: Tensor, eps: Tensor, dims: List[int]) -> Tensor:
  if w.size(0) == z.size(2):
    return rms_norm(z, w, eps, dims[Dim.UNIT_OFFSET] == 1)
  return rms_norm(z.flatten(1), w, eps, dims[Dim.UNIT_OFFSET] == 1).view([z.size(0), z.size(1), z.size(2)])

# silu(gate) * up (Shazeer 2020), the halves of one product, or another activation with or without a gate.
def activate(u: Tensor, dims: List[int]) -> Tensor:
  if dims[Dim.GATED] == 0:
    return activation(u, dims)
  f = u.size(1) // 2
  return activation(torch.narrow(u, 1, 0, f), dims).mul_(torch.narrow(u, 1, f, f))

def activation(u: Tensor, dims: List[int]) -> Tensor:
  if dims[Dim.ACTIVATION] == Activation.SILU:
    return torch.silu(u)
  if dims[Dim.ACTIVATION] == Activation.GELU_TANH:
    return torch.gelu(u, approximate="tanh")
  return torch.gelu(u)

# What activate gave, and with a gate what its activation gave: the backward pass needs both.
def activate_again(u: Tensor, dims: List[int]) -> Tuple[Tensor, Tensor]:
  if dims[Dim.GATED] == 0:
    h = activation(u, dims)
    return (h, h)
  f = u.size(1) // 2
  s = activation(u[:, :f], dims)
  return (s * u[:, f:], s)

# s: what the activation gave. Overwrites dh.
def activate_backward(dh: Tensor, s: Tensor, u: Tensor, dims: List[int]) -> Tensor:
  if dims[Dim.GATED] == 0:
    return activation_backward(dh, u, torch.empty_like(u), dims)
  f = u.size(1) // 2
  d = torch.empty_like(u)
  torch.mul(s, dh, out=d[:, f:])
  activation_backward(dh.mul_(u[:, f:]), u[:, :f], d[:, :f], dims)
  return d

def activation_backward(d: Tensor, u: Tensor, into: Tensor, dims: List[int]) -> Tensor:
  if dims[Dim.ACTIVATION] == Activation.SILU:
    return torch.silu_backward(d, u, grad_input=into)
  if dims[Dim.ACTIVATION] == Activation.GELU_TANH:
    return torch.gelu_backward(d, u, approximate="tanh", grad_input=into)
  return torch.gelu_backward(d, u, grad_input=into)

# The residual stream after a part of the layer: sum norm(x + s out norm(product i of h)). Also what the backward pass needs, as
# add_output has it.
def add_branch(x: Tensor, h: Tensor, w: List[List[Tensor]], v: List[Tensor], a: List[List[Tensor]], m: List[Tensor], i: int,
    out_norm: int, sum_norm: int, dims: List[int], reals: List[float]) -> Tuple[Tensor, List[Tensor]]:
  if v[out_norm].numel() > 0 or reals[Real.RESIDUAL] != 1.0:
    return add_output(x, linear(h, w, v, a, m, i), v, out_norm, sum_norm, dims, reals)
  return normed_sum(linear_onto(x, h, w, v, a, m, i), annotate(List[Tensor], []), v, sum_norm, reals)

# The same from what a part gives. Keeps that where there is a norm on it, and the sum with its statistics where there is a norm
# on the sum.
def add_output(x: Tensor, b: Tensor, v: List[Tensor], out_norm: int, sum_norm: int, dims: List[int],
    reals: List[float]) -> Tuple[Tensor, List[Tensor]]:
  kept = annotate(List[Tensor], [])
  if v[out_norm].numel() > 0:
    kept.append(b)
  return normed_sum(torch.add(x, norm(b, v, out_norm, dims, reals), alpha=reals[Real.RESIDUAL]), kept, v, sum_norm, reals)

def normed_sum(s: Tensor, kept: List[Tensor], v: List[Tensor], sum_norm: int, reals: List[float]) -> Tuple[Tensor, List[Tensor]]:
  if v[sum_norm].numel() > 0:
    y, mean, rstd = layer_norm(s, v[sum_norm], v[sum_norm + 1], reals[Real.EPS])
    kept.append(s)
    kept.append(mean)
    kept.append(rstd)
    return (y, kept)
  return (s, kept)

# Returns the output and what the backward pass needs, by the names in Saved; the residual stream between the parts is left out
# where it is a norm of what is kept too. What add_branch keeps of each part comes last.
# before: keys and values of the rows of the same sequence before x, see with_before; mostly none.
def layer_forward(x: Tensor, w: List[List[Tensor]], v: List[Tensor], a: List[List[Tensor]], m: List[Tensor], cos: Tensor,
    sin: Tensor, runs: List[int], dims: List[int], reals: List[float], before: List[List[Tensor]]) -> Tuple[Tensor, List[Tensor]]:
  raw = project_qkv(norm(x, v, Vector.ATTENTION_NORM, dims, reals), w, v, a, m, dims)
  none = torch.empty([0], device=x.device)
  q = none
  k = none
  z = none
  if dims[Dim.DELTA_KEY_HEADS] > 0:
    o = delta_forward(raw, v, runs, dims)
  else:
    q, k, z = position_qkv(raw, v, cos, sin, dims)
    keys = with_before(before, 0, k)
    grow_queries_(q, keys.size(0) - q.size(0), runs, dims, reals)
    o = attention(q, keys, with_before(before, 1, z), runs, dims, reals, v[Vector.ATTENTION_BIAS]).view([x.size(0), -1])
  x2, kept = add_branch(x, gated_attention(o, raw, v, dims), w, v, a, m, Product.O, Vector.ATTENTION_OUT_NORM,
      Vector.ATTENTION_SUM_NORM, dims, reals)
  n = norm(x2, v, Vector.MLP_NORM, dims, reals)
  if dims[Dim.EXPERTS] > 0:
    logits = linear(n, w, v, a, m, Product.ROUTER)
    b, u = experts_forward(n, logits, w, a, dims)
    y, kept2 = add_output(x2, b, v, Vector.MLP_OUT_NORM, Vector.MLP_SUM_NORM, dims, reals)
  else:
    logits = none
    u = linear(n, w, v, a, m, Product.GATE_UP)
    y, kept2 = add_branch(x2, activate(u, dims), w, v, a, m, Product.DOWN, Vector.MLP_OUT_NORM, Vector.MLP_SUM_NORM, dims, reals)
  middle = x2
  if v[Vector.ATTENTION_SUM_NORM].numel() > 0:
    middle = none
  saved = [x, raw, q, k, z, o, middle, u, logits]
  saved.extend(kept)
  saved.extend(kept2)
  return (y, saved)

# From the gradient of the residual stream after a part to that of the stream before it and of the product of the part; first
# is where what add_branch kept begins.
def add_branch_backward(dy: Tensor, saved: List[Tensor], first: int, v: List[Tensor], gv: List[Tensor], out_norm: int,
    sum_norm: int, dims: List[int], reals: List[float], overwrite: bool) -> Tuple[Tensor, Tensor]:
  d = dy
  if v[sum_norm].numel() > 0:
    at = first
    if v[out_norm].numel() > 0:
      at = first + 1
    d = layer_norm_backward(dy, saved[at], saved[at + 1], saved[at + 2], v[sum_norm], v[sum_norm + 1], gv[sum_norm],
        gv[sum_norm + 1], overwrite)
  b = d
  if reals[Real.RESIDUAL] != 1.0:
    b = d * reals[Real.RESIDUAL]
  if v[out_norm].numel() > 0:
    x = saved[first]
    b = norm_backward(b, x, v, gv, out_norm, dims, reals, overwrite, no_residual(x))
  return (d, b)

# How many tensors add_branch keeps.
def kept_by_branch(v: List[Tensor], out_norm: int, sum_norm: int) -> int:
  n = 0
  if v[out_norm].numel() > 0:
    n = n + 1
  if v[sum_norm].numel() > 0:
    n = n + 3
  return n

# The same backwards, and in place.
def heads_norm_backward(d: Tensor, raw: Tensor, w: Tensor, eps: float, gw: Tensor, overwrite: bool, dims: List[int]) -> Tensor:
  n = w.size(0)
  # What is one head, or all of them, is reshaped into a view with gaps.
  rows = raw.reshape([-1, n]).contiguous()
  dx = rms_norm_backward(d.reshape([-1, n]), rows, w, eps, dims[Dim.UNIT_OFFSET] == 1, gw, overwrite, no_residual(rows))
  return d.copy_(dx.view([d.size(0), d.size(1), d.size(2)]))

# From the gradient of what attention gave to that of queries, keys and values before norms and rotation, in the shape of raw,
# and those of keys and values before the first row.
def project_qkv_backward(do: Tensor, kept: List[Tensor], raw: Tensor, v: List[Tensor], gv: List[Tensor], overwrite: bool,
    cos: Tensor, sin: Tensor, runs: List[int], dims: List[int], reals: List[float], before: List[List[Tensor]],
    after: List[List[Tensor]]) -> Tuple[Tensor, List[Tensor]]:
  heads = dims[Dim.HEADS]
  both = heads + dims[Dim.KV_HEADS]
  dqkv = torch.empty_like(raw)
  keys = with_before(before, 0, kept[Saved.KEYS])
  positions = keys.size(0) - raw.size(0)
  others = attention_backward(do.view([raw.size(0), heads, -1]), kept[Saved.QUERIES], keys, with_before(before, 1, kept[Saved.VALUES]),
      runs, dims, reals, v[Vector.ATTENTION_BIAS], gv[Vector.ATTENTION_BIAS], dqkv)
  add_after_(dqkv, after, positions, dims[Dim.KV_HEADS])
  grow_queries_(dqkv[:, :heads], positions, runs, dims, reals)
  rotate_(dqkv[:, :both], cos, -sin)
  if v[Vector.Q_NORM].numel() > 0:
    heads_norm_backward(dqkv[:, :heads], raw[:, :heads], v[Vector.Q_NORM], reals[Real.EPS], gv[Vector.Q_NORM], overwrite, dims)
    heads_norm_backward(dqkv[:, heads:both], raw[:, heads:both], v[Vector.K_NORM], reals[Real.EPS], gv[Vector.K_NORM], overwrite,
        dims)
  return (dqkv, others)

# gw, gv, ga, blocks, scales, flags, overwrite: as in linear_backward.
# saved: as layer_forward gave it, or the input alone, from which it is computed again.
# below: whether the gradient of x is wanted; where it is not, what is returned for it means nothing.
# before, after: see with_before and add_after_; what is returned in the second place is for parts before this one.
def layer_backward(dy: Tensor, saved: List[Tensor], w: List[List[Tensor]], v: List[Tensor], a: List[List[Tensor]],
    m: List[Tensor], gw: List[Tensor], gv: List[Tensor], ga: List[List[Tensor]], blocks: List[List[int]],
    scales: List[List[float]], flags: List[List[int]], overwrite: bool, below: bool, cos: Tensor, sin: Tensor,
    runs: List[int], dims: List[int], reals: List[float], before: List[List[Tensor]],
    after: List[List[Tensor]]) -> Tuple[Tensor, List[Tensor]]:
  kept = saved
  if len(saved) == 1:
    y, kept = layer_forward(saved[Saved.INPUT], w, v, a, m, cos, sin, runs, dims, reals, before)
  x = kept[Saved.INPUT]
  raw = kept[Saved.QKV]
  u = kept[Saved.MLP]
  second = Saved.BRANCHES + kept_by_branch(v, Vector.ATTENTION_OUT_NORM, Vector.ATTENTION_SUM_NORM)
  x2 = kept[Saved.MIDDLE]
  if x2.numel() == 0:
    x2 = norm(kept[second - 3], v, Vector.ATTENTION_SUM_NORM, dims, reals)

  d2, b2 = add_branch_backward(dy, kept, second, v, gv, Vector.MLP_OUT_NORM, Vector.MLP_SUM_NORM, dims, reals, overwrite)
  if dims[Dim.EXPERTS] > 0:
    n2 = norm(x2, v, Vector.MLP_NORM, dims, reals)
    dn, dlogits = experts_backward(b2, n2, kept[Saved.ROUTED], u, w, a, gw, ga, blocks, scales, flags, overwrite, dims)
    dn.add_(linear_backward(dlogits, n2, w, a, m, gw, gv, ga, Product.ROUTER, blocks, scales, flags, overwrite, True))
  else:
    h, s = activate_again(u, dims)
    dh = linear_backward(b2, h, w, a, m, gw, gv, ga, Product.DOWN, blocks, scales, flags, overwrite, True)
    du = activate_backward(dh, s, u, dims)
    dn = linear_backward(du, norm(x2, v, Vector.MLP_NORM, dims, reals), w, a, m, gw, gv, ga, Product.GATE_UP, blocks, scales,
        flags, overwrite, True)
  dx2 = norm_backward(dn, x2, v, gv, Vector.MLP_NORM, dims, reals, overwrite, d2)

  d1, b1 = add_branch_backward(dx2, kept, Saved.BRANCHES, v, gv, Vector.ATTENTION_OUT_NORM, Vector.ATTENTION_SUM_NORM, dims, reals,
      overwrite)
  o = kept[Saved.ATTENDED]
  do = linear_backward(b1, gated_attention(o, raw, v, dims), w, a, m, gw, gv, ga, Product.O, blocks, scales, flags, overwrite, True)
  others = annotate(List[Tensor], [])
  if dims[Dim.DELTA_KEY_HEADS] > 0:
    dqkv = torch.empty_like(raw)
    do = delta_gated_backward(do, o, raw, v, gv, dims, reals, overwrite, dqkv)
    delta_backward(do, raw, v, gv, runs, dims, overwrite, dqkv)
  elif dims[Dim.OUTPUT_GATE] == 1:
    both = 2 * dims[Dim.HEADS]
    gates = raw[:, 1:both:2]
    dqkv = torch.empty_like(raw)
    s = torch.sigmoid(gates).flatten(1)
    dqkv[:, 1:both:2].copy_(torch.sigmoid_backward(torch.mul(do, o), s).view_as(gates))
    d, others = project_qkv_backward(do.mul_(s), kept, ungated(raw, dims), v, gv, overwrite, cos, sin, runs, dims, reals, before, after)
    dqkv[:, :both:2].copy_(d[:, :dims[Dim.HEADS]])
    dqkv[:, both:].copy_(d[:, dims[Dim.HEADS]:])
  else:
    dqkv, others = project_qkv_backward(do, kept, raw, v, gv, overwrite, cos, sin, runs, dims, reals, before, after)
  through = below or gv[Vector.ATTENTION_NORM].numel() > 0
  dn = linear_backward(dqkv.view([x.size(0), -1]), norm(x, v, Vector.ATTENTION_NORM, dims, reals), w, a, m, gw, gv, ga, Product.QKV,
      blocks, scales, flags, overwrite, through)
  if through:
    return (norm_backward(dn, x, v, gv, Vector.ATTENTION_NORM, dims, reals, overwrite, d1), others)
  return (d1, others)

# Cosines and sines for rotary embedding, times a factor: [rows, 1, dim / 2].
# positions: int64 [rows]; frequencies: [dim / 2], or those of each row, [rows, dim / 2].
def angles(positions: Tensor, frequencies: Tensor, factor: float, dtype: int) -> Tuple[Tensor, Tensor]:
  a = torch.mul(positions.to(6).unsqueeze(1), frequencies).unsqueeze(1)
  return (torch.cos(a).mul_(factor).to(dtype), torch.sin(a).mul_(factor).to(dtype))
