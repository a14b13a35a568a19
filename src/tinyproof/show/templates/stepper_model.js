// The numbers. Nothing here knows a formula: EQUATIONS was printed from the same equations that make table and workbook.
// EQUATIONS: {forward, backward, update: [[name, v => number], ...]}; DATA: what is given, and how it is laid out.

// One iteration: from inputs, targets and parameters in `start` to every quantity, gradient and new parameter.
function iterate(start) {
  const v = { ...start };
  for (const part of [EQUATIONS.forward, EQUATIONS.backward]) for (const [name, f] of part) v[name] = f(v);
  const next = {};
  for (const [name, f] of EQUATIONS.update) next[name] = f(v);
  return { v, next };
}

// All iterations from `givens`: what each one starts from, and its loss. Ends before the iteration (`diverged`) in which
// a number is no longer finite; the first one is always kept, so that there is something to look at.
function run(givens, iterations) {
  const starts = [], losses = [];
  let start = { ...givens };
  for (let n = 0; n < iterations; n++) {
    start = turn(start, n);
    const { v, next } = iterate(start), finite = Object.values(v).every(Number.isFinite);
    if (finite || n === 0) { starts.push(start); losses.push(v[DATA.loss]); }
    if (!finite) return { starts, losses, diverged: n + 1 };
    start = { ...start, ...next };
  }
  return { starts, losses, diverged: 0 };
}

// Where examples are taken in turn, iteration n (from 0) takes the numbers of its own example.
function turn(start, n) {
  if (DATA.turns < 2) return start;
  const own = DATA.data.map(name => [name, start[`${name}[${n % DATA.turns + 1}]`]]);
  return { ...start, ...Object.fromEntries(own) };
}

// The drawing is labelled with the first example's names; `h1[1]` stands for `h1[3]` while the third is shown.
const quantity = (slot, example) => slot.replace("[1]", `[${example}]`);

// The steps of one iteration as example `example` sees them, in order.
const stepsOf = example => DATA.steps.filter(step => step.example === null || step.example === example);

// Every quantity that `name` is computed from, itself included, in the order of computation.
function ancestors(name) {
  const wanted = new Set([name]);
  for (const step of [...DATA.steps].reverse()) if (wanted.has(step.name)) step.uses.forEach(use => wanted.add(use));
  return wanted;
}

// A number for people: six digits, a true minus sign. `plain` gives every digit.
function show(x, digits = 6) {
  if (Number.isNaN(x)) return "not a number";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const small = x !== 0 && Math.abs(x) < 1e-4, large = Math.abs(x) >= 1e6;
  let text = small || large ? x.toExponential(digits - 2).replace(/\.?0+e/, "e").replace("e+", "e") : String(Number(x.toPrecision(digits)));
  return text.replaceAll("-", "−");
}
// At most `width` characters: what a box of the drawing holds.
function fit(x, width = 9) {
  let text = show(x);
  for (let digits = 5; text.length > width && digits > 1; digits--) text = show(x, digits);
  return text;
}
// For sentences: 3.9·10⁻⁸ rather than 3.9e−8.
const written = (x, digits) => show(x, digits).replace(/e(−?)(\d+)$/, (_, sign, power) => "·10" + (sign && "⁻") + [...power].map(d => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]).join(""));
const plain = x => String(x).replaceAll("-", "−");
