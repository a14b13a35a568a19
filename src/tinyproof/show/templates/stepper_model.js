// The numbers. Nothing here knows a formula: EQUATIONS was printed from the equations that make table and workbook.
// EQUATIONS: {forward, backward, update, terms: [[name, v => number], ...]}; DATA: what is given, and every step.

// One iteration: from inputs, targets, parameters and states in `start` to every quantity, gradient, new state and
// new parameter.
function iterate(start) {
  const v = { ...start };
  for (const part of [EQUATIONS.forward, EQUATIONS.backward]) for (const [name, f] of part) v[name] = f(v);
  const next = {}, made = { ...v }; // an update reads what the ones before it made: an optimiser's states
  for (const [name, f] of EQUATIONS.update) made[name] = next[name] = f(made);
  return { v, next };
}

// One iteration after the other from `givens`: what each starts from, and its loss. Ends before the iteration in which
// a number is no longer finite, and returns it (from 1), else 0; the first one is always kept, so that there is
// something to look at.
function* descent(givens, iterations) {
  let start = { ...givens };
  for (let n = 0; n < iterations; n++) {
    start = turn(start, n, givens);
    const { v, next } = iterate(start), finite = Object.values(v).every(Number.isFinite);
    if (finite || n === 0) yield { start, loss: v[DATA.loss] };
    if (!finite) return n + 1;
    start = { ...start, ...next };
  }
  return 0;
}
// All of them.
function run(givens, iterations) {
  const starts = [], losses = [], all = descent(givens, iterations);
  for (;;) {
    const { value, done } = all.next();
    if (done) return { starts, losses, diverged: value };
    starts.push(value.start);
    losses.push(value.loss);
  }
}

// Where examples are taken in turn, one or some at a time, iteration n (from 0) takes the numbers of its own. Of some, the
// k-th is called by [k] within the step: `i1[2]` of the step is `i1[4]` of those given.
const turnOf = n => n % DATA.turns + 1;
function turn(start, n, givens) {
  if (DATA.turns < 2) return start;
  const taken = { ...start }, before = n % DATA.turns * DATA.examples;
  for (let k = 1; k <= DATA.examples; k++) for (const name of DATA.data) {
    const bare = withoutExample(name);
    taken[DATA.examples > 1 ? `${bare}[${k}]` : bare] = givens[`${bare}[${before + k}]`];
  }
  return taken;
}

// The drawing is labelled with the first example's names; `h1[1]` stands for `h1[3]` while the third is shown.
const quantity = (slot, example) => slot.replace("[1]", `[${example}]`);
const withoutExample = name => name.replace(/\[\d+\]/, "");

// The steps of one iteration as example `example` sees them, in order.
const stepsOf = example => DATA.steps.filter(step => step.example === null || step.example === example);

// Every quantity that `name` is computed from, itself included.
function ancestors(name) {
  const wanted = new Set([name]);
  for (const step of [...DATA.steps].reverse()) if (wanted.has(step.name)) step.uses.forEach(use => wanted.add(use));
  return wanted;
}

// The numbers that a step reads: in the update those that the updates before it made.
function readBy(step, v) {
  if (step.phase !== "update") return v;
  const made = { ...v };
  for (const [name, f] of EQUATIONS.update) {
    if (name === step.of) break;
    made[name] = f(made);
  }
  return made;
}

// What a step computes, and what each of its paths brings.
function prepare() {
  const update = new Map(EQUATIONS.update), terms = new Map(EQUATIONS.terms);
  for (const step of DATA.steps) {
    step.result = step.phase === "update" ? v => update.get(step.of)(readBy(step, v)) : v => v[step.name];
    for (const term of step.terms) term.value = terms.get(term.name);
  }
}
prepare();
