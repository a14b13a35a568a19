// The reader of pictures: what data/digit_reader.py, brightness.py, paper.py, ink_parts.py, as_prepared.py and picture_reader.py do,
// in the same order and with numbers rounded to 32 bits where they are there, so that the same bytes come out.
const f = Math.fround;
const even = v => { const low = Math.floor(v), d = v - low; return d < .5 || (d == .5 && low % 2 == 0) ? low : low + 1; };
const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
const shadow = (a, give) => ({ ...a, v: Float32Array.from(a.v, give) });
const largest = v => v.reduce((a, b) => Math.max(a, b), -Infinity);
const smallest = v => v.reduce((a, b) => Math.min(a, b), Infinity);

// A grid: h rows, w columns, values v row by row.
const grid = (h, w, v) => ({ h, w, v: v || new Float32Array(h * w) });

function cropped(g, top, left, bottom, right) {
  bottom = Math.min(bottom, g.h), right = Math.min(right, g.w);
  const out = grid(bottom - top, right - left);
  for (let y = top; y < bottom; y++) out.v.set(g.v.subarray(y * g.w + left, y * g.w + right), (y - top) * out.w);
  return out;
}

function median(values) {
  const v = Float32Array.from(values).sort(), n = v.length;
  return n % 2 ? v[n >> 1] : f(f(v[n / 2 - 1] + v[n / 2]) / 2);
}

// Sums as numpy adds them: by eights.
function total(v, round = f) {
  if (v.length < 8) return v.reduce((a, b) => round(a + b), 0);
  const r = Array.from(v.slice(0, 8)), whole = v.length - v.length % 8;
  for (let i = 8; i < whole; i++) r[i % 8] = round(r[i % 8] + v[i]);
  const two = (a, b) => round(a + b);
  let sum = two(two(two(r[0], r[1]), two(r[2], r[3])), two(two(r[4], r[5]), two(r[6], r[7])));
  for (let i = whole; i < v.length; i++) sum = round(sum + v[i]);
  return sum;
}

// One value for each place from a line of them, along rows, then along columns.
function lines(g, across, give) {
  const out = grid(g.h, g.w), n = across ? g.w : g.h, step = across ? 1 : g.w;
  for (let l = 0; l < (across ? g.h : g.w); l++) {
    const start = across ? l * g.w : l, line = new Float64Array(n);
    for (let i = 0; i < n; i++) line[i] = g.v[start + i * step];
    give(line, (i, value) => out.v[start + i * step] = value);
  }
  return out;
}

const mirrored = (i, n) => { for (; i < 0 || i >= n;) i = i < 0 ? -1 - i : 2 * n - 1 - i; return i; };

function blurred(g, sigma) {
  if (!sigma) return g;
  const radius = Math.floor(4 * sigma + .5), k = [];
  for (let i = -radius; i <= radius; i++) k.push(Math.exp(-.5 / (sigma * sigma) * i * i));
  const sum = k.reduce((a, b) => a + b);
  const pass = (line, put) => line.forEach((value, at) => {
    let t = value * k[radius] / sum;
    for (let i = -radius; i < 0; i++) {
      t += (line[mirrored(at + i, line.length)] + line[mirrored(at - i, line.length)]) * (k[radius + i] / sum);
    }
    put(at, t);
  });
  return lines(lines(g, false, pass), true, pass);
}

// The largest (or, with sign -1, the smallest) value in a square; outside lies `around`, or nothing.
function extreme(g, size, sign, around) {
  const left = size >> 1, pass = (line, put) => line.forEach((_, at) => {
    const from = at - left, to = from + size;
    let best = around !== undefined && (from < 0 || to > line.length) ? sign * around : -Infinity;
    for (let i = Math.max(0, from); i < Math.min(line.length, to); i++) best = Math.max(best, sign * line[i]);
    put(at, sign * best);
  });
  return lines(lines(g, false, pass), true, pass);
}

function mean(g, size) {
  const left = size >> 1, pass = (line, put) => line.forEach((_, at) => {
    let sum = 0;
    for (let i = at - left; i < at - left + size; i++) sum += line[mirrored(i, line.length)];
    put(at, sum / size);
  });
  return lines(lines(g, false, pass), true, pass);
}

// Connected parts of what is true: numbers from 1, and how many there are.
function labelled(on, h, w, corners) {
  const labels = new Int32Array(h * w);
  let count = 0;
  for (let start = 0; start < on.length; start++) {
    if (!on[start] || labels[start]) continue;
    labels[start] = ++count;
    for (const todo = [start]; todo.length;) {
      const at = todo.pop(), y = Math.floor(at / w), x = at % w;
      for (let dy = -1; dy < 2; dy++) for (let dx = -1; dx < 2; dx++) {
        const to = at + dy * w + dx;
        if ((dy && dx && !corners) || y + dy < 0 || y + dy >= h || x + dx < 0 || x + dx >= w) continue;
        if (on[to] && !labels[to]) labels[to] = count, todo.push(to);
      }
    }
  }
  return { labels, count };
}

const ring = g => {
  const out = [];
  for (let x = 0; x < g.w; x++) out.push(g.v[x], g.v[(g.h - 1) * g.w + x]);
  for (let y = 0; y < g.h; y++) out.push(g.v[y * g.w], g.v[y * g.w + g.w - 1]);
  return out;
};

function filled(g) {
  const { labels, count } = labelled(g.v.map(v => v ? 0 : 1), g.h, g.w, false), open = new Uint8Array(count + 1);
  for (const label of ring({ ...g, v: labels })) open[label] = 1;
  return { ...g, v: g.v.map((v, i) => v || !open[labels[i]] ? 1 : 0) };
}

// ---- paper: which is the ink, how bright is the paper
function otsu(g) {
  const low = smallest(g.v), high = largest(g.v), step = Math.max(high - low, 1e-6) / 255, shares = new Float64Array(256);
  for (const v of g.v) shares[Math.min(255, Math.floor(f(f(f(v - low) / f(step)) + .5)))]++;
  const sums = [], masses = [];
  let below = 0, mass = 0, best = 0, most = -1, spread = 0;
  shares.forEach((n, i) => {
    shares[i] = n / g.v.length, below += shares[i], mass += shares[i] * (low + step * i);
    sums.push(below), masses.push(mass);
  });
  sums.forEach((s, i) => {
    const between = s > 1e-9 && s < 1 - 1e-9 ? (mass * s - masses[i]) ** 2 / (s * (1 - s)) : 0;
    if (between > most) most = between, best = i;
    spread += shares[i] * (low + step * i - mass) ** 2;
  });
  return [low + step * best + step / 2, spread > 0 ? most / spread : 0];
}

function fits(mask, whole, size) {
  const inside = extreme(whole, size, -1, 0), share = mean(mask, size);
  return inside.v.some((v, i) => v > 0 && share.v[i] > .75);
}

// Twice the area of the convex hull of rows of pixels, each from its first to its last.
function hull(points) {
  const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]), around = [];
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (const way of [points, points.slice().reverse()]) {
    const chain = [];
    for (const p of way) {
      while (chain.length > 1 && turn(chain[chain.length - 2], chain[chain.length - 1], p) <= 0) chain.pop();
      chain.push(p);
    }
    around.push(...chain.slice(0, -1));
  }
  return Math.abs(around.reduce((t, p, i) => { const q = around[(i + 1) % around.length]; return t + p[0] * q[1] - p[1] * q[0]; }, 0));
}

function isSheet(bright, whole) {
  const { labels, count } = labelled(whole.v, whole.h, whole.w, false), areas = new Array(count + 1).fill(0), points = [];
  labels.forEach(l => l && areas[l]++);
  const most = areas.indexOf(Math.max(...areas));
  for (let y = 0; y < whole.h; y++) {
    const row = labels.subarray(y * whole.w, (y + 1) * whole.w), first = row.indexOf(most), last = row.lastIndexOf(most) + 1;
    if (last) for (const down of [y, y + 1]) points.push([down, first], [down, last]);
  }
  const holes = labels.reduce((t, l, i) => t + (l == most && !bright.v[i] ? 1 : 0), 0);
  return areas[most] > .92 * hull(points) / 2 && holes > .005 * areas[most];
}

// Without the pixels that have one outside beside them, three times.
function eroded(g) {
  for (let turn = 0; turn < 3; turn++) {
    const p = framed(g, 1), inner = (_, i) => { const at = (Math.floor(i / g.w) + 1) * p.w + i % g.w + 1; return p.v[at] && p.v[at - 1] && p.v[at + 1] && p.v[at - p.w] && p.v[at + p.w] ? 1 : 0; };
    g = shadow(g, inner);
  }
  return g;
}

// Whether ink is dark on light; and where the sheet is, if it lies on a desk.
function inkIsDark(smooth, size) {
  const [threshold, apart] = otsu(smooth), line = f(threshold), side = Math.min(smooth.h, smooth.w);
  const bright = shadow(smooth, v => v > line ? 1 : 0), dim = shadow(bright, v => 1 - v);
  const edge = ring(smooth), border = edge.filter(v => v > line).length / edge.length;
  if (border >= .5 && fits(bright, bright, size)) return [true];
  const whole = filled(bright), light = fits(bright, whole, size), dark = fits(dim, filled(dim), size);
  const sheet = border < .5 && apart > .8 && fits(bright, whole, Math.floor(.4 * side))
    && median(edge.filter(v => v <= line)) < .45 * median(smooth.v.filter(v => v > line)) && isSheet(bright, whole);
  if (light && (border >= .5 || sheet)) return [true, sheet && eroded(whole)];
  if (!light && border < .02) return [false];
  if (!light && !dark) return [border >= .5, sheet && eroded(whole)];
  const far = blurred(smooth, size / 2);
  return [smooth.v.reduce((sum, v, i) => sum + f(v - far.v[i]) ** 3, 0) < 0, sheet && eroded(whole)];
}

const noInk = c => { const most = f(Math.max(largest(c) / 2, smallest(c), .01)); return v => v <= most; };
const plain = c => median(c.filter(noInk(c)));

function paperOf(small) {
  const side = Math.min(small.h, small.w), size = Math.max(3, Math.floor(.25 * side) | 1);
  let smooth = blurred(small, side > 60 ? .7 : 0);
  const [isDark, found] = inkIsDark(smooth, size), inverted = !isDark, on = !inverted && found && largest(found.v) ? found.v : smooth.v.map(() => 1);
  if (inverted) smooth = shadow(smooth, v => 255 - v);
  const ground = shadow(extreme(extreme(smooth, size, 1), size, -1), v => Math.max(v, 1));
  const missing = smooth.v.map((v, i) => 1 - f(v / ground.v[i])), around = plain(missing.filter((_, i) => on[i]));
  const contrast = shadow(smooth, (_, i) => on[i] ? missing[i] : around), known = noInk(contrast.v), white = plain(contrast.v);
  const away = contrast.v.map((v, i) => f(Math.abs(f(v - white)) * ground.v[i])).filter((_, i) => on[i] && known(contrast.v[i]));
  const strength = f(f(1.48) * median(away));
  return { inverted, ground, contrast, noise: ground.v.map(v => strength / v) };
}

function strongest(paper) {
  const { h, w, v } = paper.contrast, y = h >> 3, x = w >> 3;
  return largest(cropped(grid(h, w, v), y, x, h - y, w - x).v);
}

const NAMES = ['red', 'green', 'blue'];
const luma = p => grid(p[0].h, p[0].w, p[0].v.map((r, i) => even(f(f(f(f(.299) * r) + f(f(.587) * p[1].v[i])) + f(f(.114) * p[2].v[i])))));

// The paper of a picture in one or three channels; its `channel` where a colour shows the ink better.
function paper(planes) {
  const best = paperOf(planes.length == 1 ? planes[0] : luma(planes));
  if (planes.length == 1 || strongest(best) >= .25) return best;
  const found = planes.map((p, channel) => ({ ...paperOf(p), channel })), powers = found.map(strongest);
  const at = powers.indexOf(Math.max(...powers));
  return powers[at] > 1.5 * strongest(best) ? found[at] : best;
}

// ---- ink: which dark parts are digits
const tall = p => p.bottom - p.top, wide = p => p.right - p.left;
const joined = (a, b) => ({
  numbers: [...a.numbers, ...b.numbers], area: a.area + b.area, top: Math.min(a.top, b.top), left: Math.min(a.left, b.left),
  bottom: Math.max(a.bottom, b.bottom), right: Math.max(a.right, b.right),
});

function parts(on, h, w) {
  const { labels, count } = labelled(on, h, w, true), found = [];
  for (let n = 1; n <= count; n++) found.push({ numbers: [n], area: 0, top: h, left: w, bottom: 0, right: 0 });
  labels.forEach((label, at) => {
    if (!label) return;
    const p = found[label - 1], y = Math.floor(at / w), x = at % w;
    p.area++, p.top = Math.min(p.top, y), p.left = Math.min(p.left, x), p.bottom = Math.max(p.bottom, y + 1), p.right = Math.max(p.right, x + 1);
  });
  return { labels, found };
}

const large = (found, h, w) => found.some(p => tall(p) >= Math.max(5, .04 * Math.max(h, w)));

function digitLike({ labels, found }, h, w) {
  const touching = new Int32Array(found.length + 1), around = 2 * (h + w) - 4;
  labels.forEach((l, at) => { if (at < w || at >= w * (h - 1) || at % w == 0 || at % w == w - 1) touching[l]++; });
  const rule = p => (wide(p) > .9 * w && tall(p) < .2 * h) || (tall(p) > .9 * h && wide(p) < .05 * w);
  const rest = found.filter(p => touching[p.numbers[0]] <= .2 * around && !rule(p));
  const [inside, edge] = [false, true].map(on => rest.filter(p => (touching[p.numbers[0]] > 0) == on));
  return [inside, edge].map(group => large(group, h, w) ? group : []);
}

function chosen(inside, edge) {
  if (!inside.length || !edge.length) return inside.length ? inside : edge;
  return 2 * Math.max(...inside.map(tall)) >= Math.max(...edge.map(tall)) ? inside : edge;
}

function findInk({ contrast, noise }) {
  const { h, w } = contrast, white = plain(contrast.v);
  let left = contrast.v.map((v, i) => { const d = f(v - white); return d > f(5 * noise[i]) ? d : 0; }), cut = null;
  for (let turn = 0, split; turn < 4; turn++) {
    const darkest = largest(left);
    if (darkest < .03) break;
    for (const share of [.3, .5]) {
      split = parts(left.map(v => v > f(share * darkest) ? 1 : 0), h, w);
      const [inside, edge] = digitLike(split, h, w), found = chosen(inside, edge), ink = { labels: split.labels, white, darkest, h, w };
      if (found.length && !(share < .5 && found === edge)) return readInk(found, edge, ink);
      if (!cut && share == .5 && large(split.found, h, w)) cut = readInk(split.found, split.found, ink);
    }
    const near = extreme(grid(h, w, Float32Array.from(split.labels)), 5, 1);
    left = left.map((v, i) => near.v[i] > 0 ? 0 : v);
  }
  return cut;
}

function readInk(found, edge, ink) {
  const highest = Math.max(...found.map(tall)), doubts = found === edge ? ['the ink touches the edge: is the digit cut off?'] : [];
  if (!doubts.length && edge.some(p => 2 * tall(p) > highest)) doubts.push('ink that touches the edge was left aside: is there more than one digit?');
  const big = found.filter(p => 2 * tall(p) >= highest);
  const digits = withSmall(merged(big), found.filter(p => !big.includes(p)), highest);
  let [line, others] = inLine(digits);
  if (others) doubts.push('there is more ink above or below, which was left aside: more than one digit?');
  if (line.length > 12) {
    doubts.push(`${line.length} parts side by side, of which the largest was taken: is this a digit?`);
    line = [line.reduce((a, b) => b.area > a.area ? b : a)];
  }
  if (line.length > 1) doubts.push(`${line.length} digits side by side, read from left to right`);
  if (line.some(p => wide(p) > 1.6 * tall(p))) doubts.push('the ink is much wider than high: is there more than one digit?');
  if (line.reduce((sum, p) => sum + p.area, 0) > .4 * ink.labels.length) doubts.push('the picture is nearly all ink: is there paper around the digit?');
  if (ink.darkest < .06) doubts.push(`the ink is faint, ${(100 * ink.darkest).toFixed(0)} % darker than the paper`);
  return { ...ink, digits: line, doubts };
}

function merged(found) {
  for (;;) {
    let pair = null;
    found.forEach((a, i) => found.slice(i + 1).forEach(b => pair = pair || (oneDigit(a, b) ? [a, b] : null)));
    if (!pair) return found.slice().sort((a, b) => a.left - b.left);
    found = [...found.filter(p => !pair.includes(p)), joined(...pair)];
  }
}

function oneDigit(a, b) {
  const both = joined(a, b), across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  if (2 * across > Math.min(wide(a), wide(b))) return Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom) < .1 * tall(both);
  return apartBy(a, b) < .05 * tall(both) && wide(both) < .9 * tall(both);
}

const apartBy = (a, b) => Math.hypot(
  Math.max(0, Math.max(a.left, b.left) - Math.min(a.right, b.right)), Math.max(0, Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom)));

function withSmall(digits, small, highest) {
  for (const p of small.slice().sort((a, b) => b.area - a.area)) {
    const away = digits.map(d => apartBy(p, d)), at = away.indexOf(Math.min(...away));
    if (away[at] < .25 * highest && Math.max(tall(p), wide(p)) > .1 * highest) digits[at] = joined(digits[at], p);
  }
  return digits;
}

function inLine(digits) {
  const rows = [], beside = (a, b) => 2 * (Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)) > Math.min(tall(a), tall(b));
  for (const d of digits.slice().sort((a, b) => tall(b) - tall(a))) {
    const home = rows.find(row => beside(row[0], d));
    if (home) home.push(d);
    else rows.push([d]);
  }
  const area = row => row.reduce((sum, p) => sum + p.area, 0);
  rows.sort((a, b) => area(b) - area(a));
  return [rows[0].sort((a, b) => a.left - b.left), rows.length > 1];
}

// ---- from the picture to the input
function reduced(g, longest) {
  const k = Math.ceil(Math.max(g.h, g.w) / longest);
  if (k == 1) return g;
  const out = grid(Math.ceil(g.h / k), Math.ceil(g.w / k));
  for (let y = 0; y < out.h; y++) for (let x = 0; x < out.w; x++) {
    const bottom = Math.min(g.h, (y + 1) * k), right = Math.min(g.w, (x + 1) * k), n = (bottom - y * k) * (right - x * k);
    let sum = n >> 1;
    for (let r = y * k; r < bottom; r++) for (let c = x * k; c < right; c++) sum += g.v[r * g.w + c];
    out.v[y * out.w + x] = Math.floor(sum * Math.floor(f(2 ** 24 / n)) / 2 ** 24);
  }
  return out;
}

const LANCZOS = [3, x => x == 0 ? 1 : Math.abs(x) >= 3 ? 0 : Math.sin(Math.PI * x) / (Math.PI * x) * Math.sin(Math.PI * (x / 3)) / (Math.PI * (x / 3))];
const CUBIC = [2, x => (x = Math.abs(x), x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -.5 : 0)];

// Pillow's resampling: fractions for LANCZOS, whole numbers for bytes.
function resized(g, h, w, [support, filter], bytes) {
  const pass = (g, across, n) => {
    const size = across ? g.w : g.h;
    if (n == size) return g;
    const scale = size / n, wider = Math.max(1, scale), reach = support * wider, out = across ? grid(g.h, n) : grid(n, g.w);
    for (let to = 0; to < n; to++) {
      const centre = (to + .5) * scale, first = Math.max(0, Math.trunc(centre - reach + .5)), k = [];
      for (let i = first; i < Math.min(size, Math.trunc(centre + reach + .5)); i++) k.push(filter((i - centre + .5) * (1 / wider)));
      const sum = k.reduce((a, b) => a + b), whole = k.map(v => bytes ? Math.trunc(v / sum * 2 ** 22 + (v < 0 ? -.5 : .5)) : v / sum);
      for (let l = 0; l < (across ? g.h : g.w); l++) {
        const t = whole.reduce((t, v, i) => t + v * (across ? g.v[l * g.w + first + i] : g.v[(first + i) * g.w + l]), bytes ? 2 ** 21 : 0);
        out.v[across ? l * n + to : to * g.w + l] = bytes ? clamp(Math.floor(t / 2 ** 22), 0, 255) : t;
      }
    }
    return out;
  };
  return pass(pass(g, true, w), false, h);
}

function cutOut(grey, sheet, ink, part) {
  const scale = Math.max(1, even(Math.max(grey.h, grey.w) / Math.max(ink.h, ink.w)));
  const top = Math.max(0, part.top - 2), left = Math.max(0, part.left - 2), place = [top, left, part.bottom + 2, part.right + 2];
  const own = grid(ink.h, ink.w, Float32Array.from(ink.labels, l => part.numbers.includes(l) ? 1 : 0));
  const there = extreme(cropped(own, ...place), 5, 1), ground = cropped(sheet.ground, ...place);
  const cut = cropped(grey, ...place.map(v => v * scale));
  const dark = cropped(sheet.contrast, part.top, part.left, part.bottom, part.right).v.filter((_, i) => {
    const w = wide(part);
    return own.v[(part.top + Math.floor(i / w)) * ink.w + part.left + i % w];
  }).sort();
  const depth = f(Math.max(dark[dark.length - 1 - Math.floor(dark.length / 5)] - ink.white, .01)), white = f(ink.white);
  const shown = shadow(cut, (v, i) => {
    const at = Math.floor(Math.floor(i / cut.w) / scale) * there.w + Math.floor(i % cut.w / scale);
    if (!there.v[at]) return 0;
    return clamp(f(f(f(f(f(1 - f(v / ground.v[at])) - white) / depth) - .25) / .5), 0, 1);
  });
  let box = [shown.h, shown.w, 0, 0];
  shown.v.forEach((v, i) => {
    const y = Math.floor(i / shown.w), x = i % shown.w;
    if (v > 0) box = [Math.min(box[0], y), Math.min(box[1], x), Math.max(box[2], y + 1), Math.max(box[3], x + 1)];
  });
  return widened(cropped(shown, ...box));
}

function framed(g, n) {
  const out = grid(g.h + 2 * n, g.w + 2 * n);
  for (let y = 0; y < g.h; y++) out.v.set(g.v.subarray(y * g.w, (y + 1) * g.w), (y + n) * out.w + n);
  return out;
}

function widened(ink) {
  const p = framed(shadow(ink, v => v > .5 ? 1 : 0), 1), longest = Math.max(ink.h, ink.w);
  const sum = p.v.reduce((a, b) => a + b), inner = p.v.filter((v, i) => v && p.v[i - 1] && p.v[i + 1] && p.v[i - p.w] && p.v[i + p.w]).length;
  const width = 2 * sum / Math.max(sum - inner, 1), more = even((.115 * longest - width) / 2);
  return width >= .1 * longest || more < 1 ? ink : extreme(framed(ink, more), 2 * more + 1, 1);
}

function centred(ink) {
  const { box, shape: [, rows, columns] } = FACTS, scale = box / Math.max(ink.h, ink.w);
  let small = resized(ink, Math.max(1, even(ink.h * scale)), Math.max(1, even(ink.w * scale)), LANCZOS);
  const factor = f(255 / Math.max(largest(small.v), 1e-3)), out = grid(rows, columns), { h, w } = small;
  small = shadow(small, v => clamp(f(v * factor), 0, 255));
  const offset = (mass, n, side) => {
    const centre = total(mass.map((v, i) => v * i), v => v) / total(mass);
    return clamp(even((side - 1) / 2 - centre), 0, side - n);
  };
  const downs = [], acrosses = new Array(w).fill(0);
  for (let y = 0; y < h; y++) downs.push(total(Array.from(small.v.subarray(y * w, (y + 1) * w))));
  small.v.forEach((v, i) => acrosses[i % w] = f(acrosses[i % w] + v));
  const top = offset(downs, h, rows), left = offset(acrosses, w, columns);
  small.v.forEach((v, i) => out.v[(top + Math.floor(i / w)) * columns + left + i % w] = even(v));
  return out.v;
}

function prepared(g) {
  const { box, shape: [, rows, columns] } = FACTS;
  if (g.h != rows || g.w != columns || median(ring(g)) >= 64 || g.v.filter(v => v == 0).length / g.v.length <= .1) return false;
  const sums = [new Float64Array(g.h), new Float64Array(g.w)];
  g.v.forEach((v, i) => { sums[0][Math.floor(i / g.w)] += v, sums[1][i % g.w] += v; });
  const reach = Math.max(...sums.map(s => { const on = [...s.keys()].filter(i => s[i]); return on.length ? on.pop() - on[0] + 1 : 0; }));
  const middle = s => Math.abs(s.reduce((t, v, i) => t + v * i, 0) / Math.max(s.reduce((a, b) => a + b), 1) - (s.length - 1) / 2) <= 1;
  return reach <= box && reach >= .95 * box && (box >= Math.min(rows, columns) || sums.every(middle));
}

// A picture of digits, in one or three channels, as inputs of the network, and what is doubtful in its reading.
function digitsOf(planes) {
  const given = FACTS.inverted ? planes.map(p => shadow(p, v => 255 - v)) : planes;
  if (planes.length == 1 && prepared(given[0])) return { inputs: [given[0].v], doubts: [] };
  const fine = planes.map(p => reduced(p, 1024)), small = fine.map(p => reduced(p, 256)), sheet = paper(small), ink = findInk(sheet);
  if (!ink) throw Error('nothing is drawn: no ink stands out from the paper');
  const grey = fine.length == 1 ? fine[0] : sheet.channel === undefined ? luma(fine) : fine[sheet.channel];
  const dark = sheet.inverted ? shadow(grey, v => 255 - v) : grey;
  return { inputs: ink.digits.map(part => centred(cutOut(dark, sheet, ink, part))), doubts: ink.doubts };
}

// Any other picture: scaled to fit, on the colour of its own border.
function pictureOf(planes) {
  const [channels, rows, columns] = FACTS.shape;
  if (channels == 1 && planes.length == 3) {
    planes = [grid(planes[0].h, planes[0].w, planes[0].v.map((r, i) => (r * 19595 + planes[1].v[i] * 38470 + planes[2].v[i] * 7471 + 0x8000) >> 16))];
  }
  const fitted = planes.map(p => {
    if (p.h == rows && p.w == columns) return p.v;
    const scale = Math.min(rows / p.h, columns / p.w), h = Math.max(1, even(p.h * scale)), w = Math.max(1, even(p.w * scale));
    const small = resized(p, h, w, CUBIC, true), out = grid(rows, columns).v.fill(Math.floor(median(ring(p))));
    const top = Math.floor((rows - h) / 2), left = Math.floor((columns - w) / 2);
    small.v.forEach((v, i) => out[(top + Math.floor(i / w)) * columns + left + i % w] = v);
    return out;
  }).map(v => FACTS.inverted ? v.map(one => 255 - one) : v);
  const all = Array.from({ length: channels }, (_, c) => fitted[fitted.length == 1 ? 0 : c]);
  return { inputs: [Float32Array.from(all.flatMap(v => [...v]))], doubts: [] };
}

// Pixels as a canvas gives them [rows * columns * 4], laid on white where they are transparent, grey where no colour shows.
function planesOf({ width, height, data }) {
  const lay = ground => [0, 1, 2].map(c => grid(height, width, Float32Array.from({ length: width * height }, (_, i) => {
    const a = data[4 * i + 3], t = data[4 * i + c] * a * 128 + ground * (255 - a) * 128 + (128 << 7);
    return a == 255 ? data[4 * i + c] : ((t >> 8) + t >> 8) >> 7;
  })));
  let planes = lay(255);
  if (data.some((v, i) => i % 4 == 3 && v < 255) && planes.every(p => largest(p.v) - smallest(p.v) < 30)) planes = lay(0);
  return planes[0].v.every((v, i) => v == planes[1].v[i] && v == planes[2].v[i]) ? [planes[0]] : planes;
}

const read = pixels => (FACTS.reading == 'ink' ? digitsOf : pictureOf)(planesOf(pixels));
