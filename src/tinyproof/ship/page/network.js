// The network: its stages one after the other, each from maps to maps, in float64 with the weights of the file.
const FACTS = JSON.parse(document.getElementById('facts').textContent);
const STAGES = FACTS.stages, CLASSES = FACTS.classes;

let taken = 0;
for (const s of STAGES) {
  s.w = WEIGHTS.subarray(taken, taken += s.weights);
  s.b = WEIGHTS.subarray(taken, taken += s.biases);
}

// Maps with the values around them that a stage takes.
function padded(s, maps) {
  const [n, h, w] = s.taken, [dy, dx] = s.padding, W = w + 2 * dx, H = h + 2 * dy;
  if (!dy && !dx) return maps;
  const out = new Float64Array(n * H * W);
  for (let c = 0; c < n; c++) {
    out.fill(s.kind == 'conv' ? s.outside[c] : -Infinity, c * H * W, (c + 1) * H * W);
    for (let y = 0; y < h; y++) {
      out.set(maps.subarray((c * h + y) * w, (c * h + y + 1) * w), (c * H + y + dy) * W + dx);
    }
  }
  return out;
}

// Each window's place in turn: adds (or takes the larger) of one row of one map to a row of another.
function windows(s, maps, out) {
  const [n, h, w] = s.taken, [many, oh, ow] = s.given, [dy, dx] = s.padding, [kh, kw] = s.kernel, [sy, sx] = s.stride;
  const from = padded(s, maps), W = w + 2 * dx, H = h + 2 * dy, conv = s.kind == 'conv', max = s.kind == 'max_pool';
  const groups = conv ? s.groups || 1 : many, each = n / groups, [py, px] = s.dilation || [1, 1];
  for (let o = 0, k = 0; o < many; o++) for (let e = 0, i = (o * groups / many | 0) * each; e < each; e++, i++) {
    for (let ky = 0; ky < kh; ky++) for (let kx = 0; kx < kw; kx++, k++) {
      const weight = conv ? s.w[k] : 1 / (kh * kw);
      for (let y = 0; y < oh; y++) {
        let at = (i * H + y * sy + ky * py) * W + kx * px, to = (o * oh + y) * ow;
        const end = to + ow;
        if (max) for (; to < end; to++, at += sx) out[to] = Math.max(out[to], from[at]);
        else for (; to < end; to++, at += sx) out[to] += weight * from[at];
      }
    }
  }
}

const sigmoid = x => 1 / (1 + Math.exp(-x)), hard = x => Math.max(0, Math.min(1, x / 6 + .5));
// The share of a normal distribution below x: Abramowitz and Stegun, 7.1.26.
function below(x) {
  const z = Math.abs(x) * Math.SQRT1_2, t = 1 / (1 + .3275911 * z);
  const sum = (((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - .284496736) * t + .254829592;
  const beyond = sum * t * Math.exp(-z * z) / 2;
  return x < 0 ? beyond : 1 - beyond;
}
const ACTIVATIONS = {
  relu6: x => Math.max(0, Math.min(6, x)), silu: x => x * sigmoid(x), sigmoid, tanh: Math.tanh,
  hardswish: x => x * hard(x), hardsigmoid: hard, elu: (x, a) => x > 0 ? x : a * Math.expm1(x),
  gelu: x => x * below(x), gelu_tanh: x => x * sigmoid(Math.sqrt(8 / Math.PI) * (x + .044715 * x ** 3)),
};

function stage(s, maps, parts) {
  const [many, oh, ow] = s.given, out = new Float64Array(many * oh * ow);
  if (s.kind == 'add') return out.map((_, i) => parts.reduce((sum, part) => sum + part[i], 0));
  if (s.kind == 'concat') return Float64Array.from(parts.flatMap(part => [...part]));
  if (s.kind == 'affine') return out.map((_, i) => maps[i] * s.w[i] + s.b[i]);
  if (s.kind == 'rectify') return out.map((_, i) => maps[i] > 0 ? maps[i] : s.slope * maps[i]);
  if (s.kind == 'activation') return out.map((_, i) => ACTIVATIONS[s.function](maps[i], s.alpha));
  if (s.kind == 'max_pool') out.fill(-Infinity);
  windows(s, maps, out);
  if (s.kind == 'conv') for (let c = 0, i = 0; c < many; c++) for (let k = 0; k < oh * ow; k++, i++) {
    out[i] += s.b[c];
    if (s.rectified && out[i] < 0) out[i] = 0;
  }
  return out;
}

// What every stage gives for an image of bytes [channels, rows, columns]; the last one gives the scores.
function layers(image) {
  const maps = [Float64Array.from(image)];
  STAGES.forEach((s, i) => {
    const parts = (s.takes || [i - 1]).map(k => maps[k + 1]);
    maps.push(stage(s, parts[0], parts));
  });
  return maps.slice(1);
}

function probabilities(scores) {
  const top = Math.max(...scores), powers = Array.from(scores, v => Math.exp(v - top));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map(v => v / sum);
}

// The scores of many images, one after the other: [images * classes].
function answers(images) {
  const size = FACTS.shape.reduce((a, b) => a * b), out = new Float64Array(images.length / size * CLASSES.length);
  for (let at = 0, to = 0; at < images.length; at += size, to += CLASSES.length) {
    out.set(layers(images.subarray(at, at + size)).pop(), to);
  }
  return out;
}
