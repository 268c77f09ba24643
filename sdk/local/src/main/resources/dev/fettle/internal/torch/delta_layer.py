# The layer around the scan of delta.py: convolution, gates, norm. raw is what the layer's first product gives: queries, keys and
# values, which are convolved; their gate, as wide as the values; b and a for each value head.

# The widths of raw's parts: of all queries (or keys), of all values, of what is convolved.
def delta_widths(dims: List[int]) -> Tuple[int, int, int]:
  keys = dims[Dim.DELTA_KEY_HEADS] * dims[Dim.DELTA_KEY_DIM]
  values = dims[Dim.DELTA_VALUE_HEADS] * dims[Dim.DELTA_VALUE_DIM]
  return (keys, values, 2 * keys + values)

# Each channel's weighted sum of a token and those before it. x: [n, length, channels]; w: [channels, width], float32.
def short_convolution(x: Tensor, w: Tensor) -> Tensor:
  last = w.size(1) - 1
  t = x.size(1)
  y = torch.mul(x, w[:, last])
  for i in range(1, min(last, t - 1) + 1):
    y[:, i:].addcmul_(x[:, :t - i], w[:, last - i])
  return y

# The gradients of x and, where it is wanted, of w.
def short_convolution_backward(dy: Tensor, x: Tensor, w: Tensor, trained: bool) -> Tuple[Tensor, Tensor]:
  last = w.size(1) - 1
  t = x.size(1)
  dx = torch.mul(dy, w[:, last])
  dw = torch.zeros_like(w)
  for i in range(min(last, t - 1) + 1):
    if i > 0:
      dx[:, :t - i].addcmul_(dy[:, i:], w[:, last - i])
    if trained:
      dw[:, last - i].copy_(torch.sum(torch.mul(dy[:, i:], x[:, :t - i]), [0, 1]))
  return (dx, dw)

def convolution_taps(v: List[Tensor]) -> Tensor:
  return v[Vector.CONVOLUTION].flatten(1).float()

# The first channel and the number of channels of the queries, keys and values of some key heads and of the value heads that
# read them.
def delta_channels(dims: List[int], first: int, count: int) -> List[List[int]]:
  keys, _, _ = delta_widths(dims)
  kd = dims[Dim.DELTA_KEY_DIM]
  vd = dims[Dim.DELTA_VALUE_DIM] * (dims[Dim.DELTA_VALUE_HEADS] // dims[Dim.DELTA_KEY_HEADS])
  return [[first * kd, count * kd], [keys + first * kd, count * kd], [2 * keys + first * vd, count * vd]]

# How many key heads are taken at once, so that what is held is bounded.
def delta_heads_at_once(dims: List[int], rows: int) -> int:
  group = dims[Dim.DELTA_VALUE_HEADS] // dims[Dim.DELTA_KEY_HEADS]
  return min(dims[Dim.DELTA_KEY_HEADS], max(1, dims[Dim.SCORES] // (rows * group)))

# [n, length, heads x dim] as [n x heads, length, dim], float32, and back.
def delta_split(x: Tensor, heads: int) -> Tensor:
  return x.unflatten(2, [heads, -1]).transpose(1, 2).float().reshape([x.size(0) * heads, x.size(1), -1])

def delta_join(x: Tensor, n: int) -> Tensor:
  return x.unflatten(0, [n, -1]).transpose(1, 2).flatten(2)

# [n, length, dim] as [n, chunks, tokens, dim], with zeros behind the last token: these leave the state as it is. And back.
def delta_chunked(x: Tensor, dims: List[int]) -> Tensor:
  t = x.size(1)
  size = min(t, dims[Dim.TILE])
  chunks = (t + size - 1) // size
  if chunks * size > t:
    x = torch.constant_pad_nd(x, [0, 0, 0, chunks * size - t])
  return x.reshape([x.size(0), chunks, size, x.size(2)])

def delta_unchunked(x: Tensor, length: int) -> Tensor:
  return x.flatten(1, 2)[:, :length]

# Heads divided by their lengths.
def delta_unit(x: Tensor) -> Tuple[Tensor, Tensor]:
  r = torch.sum(torch.mul(x, x), [-1], True).add_(1e-6).rsqrt_()
  return (torch.mul(x, r), r)

def delta_unit_backward(dy: Tensor, y: Tensor, r: Tensor) -> Tensor:
  return torch.sub(dy, torch.mul(y, torch.sum(torch.mul(dy, y), [-1], True))).mul_(r)

# What the convolution gives of some heads: queries, keys, values, before the activation. rows: [n, length, raw's width].
def delta_convolved(rows: Tensor, taps: Tensor, channels: List[List[int]]) -> List[Tensor]:
  out = annotate(List[Tensor], [])
  for c in channels:
    x = rows[:, :, c[0]:c[0] + c[1]].float()
    out.append(short_convolution(x, taps[c[0]:c[0] + c[1]]).to(rows.dtype))
  return out

# The decay g, float32, and beta of some value heads. rows: [..., raw's width]
def delta_gates(rows: Tensor, v: List[Tensor], dims: List[int], first: int, count: int) -> Tuple[Tensor, Tensor]:
  _, values, convolved = delta_widths(dims)
  b = convolved + values + first
  a = b + dims[Dim.DELTA_VALUE_HEADS]
  z = torch.add(rows[..., a:a + count].float(), v[Vector.DECAY_BIAS][first:first + count])
  g = torch.softplus(z).mul_(torch.exp(v[Vector.DECAY][first:first + count].float())).neg_()
  return (g, torch.sigmoid(rows[..., b:b + count]).float())

# All that the scan reads of some heads, in chunks: queries, keys, values, g, beta; and the lengths of queries and keys.
def delta_inputs(rows: Tensor, u: List[Tensor], v: List[Tensor], dims: List[int], first: int,
    count: int) -> Tuple[List[Tensor], List[Tensor]]:
  group = dims[Dim.DELTA_VALUE_HEADS] // dims[Dim.DELTA_KEY_HEADS]
  q, rq = delta_unit(delta_split(activation(u[0], dims), count))
  k, rk = delta_unit(delta_split(activation(u[1], dims), count))
  g, beta = delta_gates(rows, v, dims, first * group, count * group)
  q = torch.repeat_interleave(torch.mul(q, torch.pow(float(dims[Dim.DELTA_KEY_DIM]), -0.5)), group, 0)
  return ([delta_chunked(q, dims), delta_chunked(torch.repeat_interleave(k, group, 0), dims),
      delta_chunked(delta_split(activation(u[2], dims), count * group), dims),
      delta_chunked(delta_split(g, count * group), dims), delta_chunked(delta_split(beta, count * group), dims)], [rq, rk])

# What the heads give for packed rows, before its norm: [rows, values].
def delta_forward(raw: Tensor, v: List[Tensor], runs: List[int], dims: List[int]) -> Tensor:
  _, values, _ = delta_widths(dims)
  out = torch.empty([raw.size(0), values], dtype=raw.dtype, device=raw.device)
  row = 0
  for i in range(len(runs) // 2):
    n = runs[2 * i]
    end = row + n * runs[2 * i + 1]
    delta_sequences(raw[row:end].unflatten(0, [n, -1]), v, dims, out[row:end].unflatten(0, [n, -1]))
    row = end
  return out

# The same of sequences of one length, each from a state of zeros. Returns the states after them: [n, value heads, key dim,
# value dim].
def delta_sequences(rows: Tensor, v: List[Tensor], dims: List[int], out: Tensor) -> Tensor:
  n = rows.size(0)
  taps = convolution_taps(v)
  group = dims[Dim.DELTA_VALUE_HEADS] // dims[Dim.DELTA_KEY_HEADS]
  step = delta_heads_at_once(dims, n * rows.size(1))
  states = annotate(List[Tensor], [])
  first = 0
  while first < dims[Dim.DELTA_KEY_HEADS]:
    count = min(step, dims[Dim.DELTA_KEY_HEADS] - first)
    channels = delta_channels(dims, first, count)
    p, _ = delta_inputs(rows, delta_convolved(rows, taps, channels), v, dims, first, count)
    state = torch.zeros([p[0].size(0), p[0].size(3), p[2].size(3)], device=rows.device)
    y = delta_join(delta_unchunked(delta_scan(p, state), rows.size(1)), n)
    at = first * group * dims[Dim.DELTA_VALUE_DIM]
    out[:, :, at:at + y.size(2)].copy_(y)
    states.append(state.unflatten(0, [n, -1]))
    first = first + count
  return torch.cat(states, 1)

# From the gradient of what the heads gave to the columns of raw's that these were made of, written into d; adds the gradients
# of the layer's vectors.
def delta_backward(dcore: Tensor, raw: Tensor, v: List[Tensor], gv: List[Tensor], runs: List[int], dims: List[int],
    overwrite: bool, d: Tensor) -> Tensor:
  taps = convolution_taps(v)
  dtaps = torch.zeros_like(taps)
  ddecay = torch.zeros([2, dims[Dim.DELTA_VALUE_HEADS]], device=raw.device)
  row = 0
  for i in range(len(runs) // 2):
    n = runs[2 * i]
    end = row + n * runs[2 * i + 1]
    rows = raw[row:end].unflatten(0, [n, -1])
    step = delta_heads_at_once(dims, end - row)
    first = 0
    while first < dims[Dim.DELTA_KEY_HEADS]:
      count = min(step, dims[Dim.DELTA_KEY_HEADS] - first)
      delta_heads_backward(dcore[row:end].unflatten(0, [n, -1]), rows, v, taps, dims, first, count, dtaps,
          gv[Vector.CONVOLUTION].numel() > 0, ddecay, d[row:end].unflatten(0, [n, -1]))
      first = first + count
    row = end
  if gv[Vector.CONVOLUTION].numel() > 0:
    add_to(gv[Vector.CONVOLUTION], dtaps.unsqueeze(1), overwrite)
  if gv[Vector.DECAY].numel() > 0:
    add_to(gv[Vector.DECAY], ddecay[0], overwrite)
  if gv[Vector.DECAY_BIAS].numel() > 0:
    add_to(gv[Vector.DECAY_BIAS], ddecay[1], overwrite)
  return d

# The same of some heads of sequences of one length: adds to dtaps and ddecay.
def delta_heads_backward(dcore: Tensor, rows: Tensor, v: List[Tensor], taps: Tensor, dims: List[int], first: int, count: int,
    dtaps: Tensor, trained: bool, ddecay: Tensor, d: Tensor) -> Tensor:
  n = rows.size(0)
  t = rows.size(1)
  _, values, convolved = delta_widths(dims)
  group = dims[Dim.DELTA_VALUE_HEADS] // dims[Dim.DELTA_KEY_HEADS]
  heads = count * group
  head = first * group
  channels = delta_channels(dims, first, count)
  u = delta_convolved(rows, taps, channels)
  p, lengths = delta_inputs(rows, u, v, dims, first, count)
  at = head * dims[Dim.DELTA_VALUE_DIM]
  dout = delta_chunked(delta_split(dcore[:, :, at:at + heads * dims[Dim.DELTA_VALUE_DIM]], heads), dims)
  dp = delta_scan_backward(dout, p)
  scale = torch.pow(float(dims[Dim.DELTA_KEY_DIM]), -0.5)
  for i in range(3):
    dx = delta_unchunked(dp[i], t)
    if i < 2:
      dy = torch.sum(dx.unflatten(0, [-1, group]), [1])
      y = delta_unchunked(p[i], t)[::group]
      if i == 0:
        dy.mul_(scale)
        y = y / scale
      dx = delta_unit_backward(dy, y, lengths[i])
    du = torch.empty_like(u[i])
    activation_backward(delta_join(dx, n).to(u[i].dtype), u[i], du, dims)
    c = channels[i]
    x = rows[:, :, c[0]:c[0] + c[1]].float()
    dc, dw = short_convolution_backward(du.float(), x, taps[c[0]:c[0] + c[1]], trained)
    d[:, :, c[0]:c[0] + c[1]].copy_(dc)
    dtaps[c[0]:c[0] + c[1]].add_(dw)
  dg = delta_join(delta_unchunked(dp[3], t), n)
  beta = delta_join(delta_unchunked(p[4], t), n)
  b = convolved + values + head
  a = b + dims[Dim.DELTA_VALUE_HEADS]
  d[:, :, b:b + heads].copy_(delta_join(delta_unchunked(dp[4], t), n).mul_(beta).mul_(1.0 - beta))
  z = torch.add(rows[:, :, a:a + heads].float(), v[Vector.DECAY_BIAS][head:head + heads])
  dz = torch.mul(dg, torch.sigmoid(z)).mul_(torch.exp(v[Vector.DECAY][head:head + heads].float())).neg_()
  d[:, :, a:a + heads].copy_(dz)
  g = delta_join(delta_unchunked(p[3], t), n)
  ddecay[0, head:head + heads].add_(torch.sum(torch.mul(dg, g), [0, 1]))
  ddecay[1, head:head + heads].add_(torch.sum(dz, [0, 1]))
  return d

# norm(core) silu(gate), the norm of each head's, in float32: what the layer's last product reads.
def delta_gated(core: Tensor, raw: Tensor, v: List[Tensor], dims: List[int]) -> Tensor:
  _, values, convolved = delta_widths(dims)
  gate = torch.silu(raw[:, convolved:convolved + values].float())
  return gate.mul_(delta_normed(core, v, dims)).to(core.dtype)

def delta_normed(core: Tensor, v: List[Tensor], dims: List[int]) -> Tensor:
  heads = core.unflatten(1, [dims[Dim.DELTA_VALUE_HEADS], -1])
  return rms_norm(heads, v[Vector.DELTA_NORM], v[Vector.EPS], False).flatten(1)

# Writes the gate's gradient into d; returns core's.
def delta_gated_backward(dout: Tensor, core: Tensor, raw: Tensor, v: List[Tensor], gv: List[Tensor], dims: List[int],
    reals: List[float], overwrite: bool, d: Tensor) -> Tensor:
  _, values, convolved = delta_widths(dims)
  z = raw[:, convolved:convolved + values].float()
  dy = dout.float()
  d[:, convolved:convolved + values].copy_(torch.silu_backward(torch.mul(dy, delta_normed(core, v, dims)), z))
  dn = torch.mul(dy, torch.silu(z)).to(core.dtype).view([-1, dims[Dim.DELTA_VALUE_DIM]])
  heads = core.view([-1, dims[Dim.DELTA_VALUE_DIM]])
  dx = rms_norm_backward(dn, heads, v[Vector.DELTA_NORM], reals[Real.EPS], False, gv[Vector.DELTA_NORM], overwrite,
      no_residual(heads))
  return dx.view([core.size(0), core.size(1)])

# One new token of each sequence: [sequences, values]. Changes the states [sequences, value heads x key dim, value dim], float32,
# and the windows [sequences, width - 1, channels], the last tokens that the convolution reads.
def delta_step(raw: Tensor, state: Tensor, window: Tensor, v: List[Tensor], dims: List[int]) -> Tensor:
  n = raw.size(0)
  keys, values, convolved = delta_widths(dims)
  kd = dims[Dim.DELTA_KEY_DIM]
  vd = dims[Dim.DELTA_VALUE_DIM]
  group = dims[Dim.DELTA_VALUE_HEADS] // dims[Dim.DELTA_KEY_HEADS]
  seen = torch.cat([window, raw[:, :convolved].unsqueeze(1)], 1)
  window.copy_(seen[:, 1:])
  x = activation(torch.sum(torch.mul(seen, convolution_taps(v).t()), [1]).to(raw.dtype), dims).float()
  q, _ = delta_unit(x[:, :keys].reshape([-1, 1, kd]))
  k, _ = delta_unit(x[:, keys:2 * keys].reshape([-1, 1, kd]))
  q = torch.repeat_interleave(q.mul_(torch.pow(float(kd), -0.5)), group, 0)
  k = torch.repeat_interleave(k, group, 0)
  g, beta = delta_gates(raw, v, dims, 0, dims[Dim.DELTA_VALUE_HEADS])
  s = state.view([-1, kd, vd])
  s.mul_(torch.exp(g).view([-1, 1, 1]))
  new = torch.sub(x[:, 2 * keys:].reshape([-1, 1, vd]), torch.bmm(k, s)).mul_(beta.view([-1, 1, 1]))
  s.baddbmm_(k.transpose(1, 2), new)
  return torch.bmm(q, s).view([n, values]).to(raw.dtype)

# Fills the places of some sequences with what a prompt's rows leave.
def delta_fill(raw: Tensor, v: List[Tensor], dims: List[int], state: Tensor, window: Tensor, sequence: int, count: int) -> Tensor:
  _, values, convolved = delta_widths(dims)
  out = torch.empty([1, raw.size(0), values], dtype=raw.dtype, device=raw.device)
  states = delta_sequences(raw.unsqueeze(0), v, dims, out)
  state[sequence:sequence + count].copy_(states.flatten(1, 2))
  n = min(raw.size(0), window.size(1))
  window[sequence:sequence + count, window.size(1) - n:].copy_(raw[raw.size(0) - n:, :convolved])
  return state
