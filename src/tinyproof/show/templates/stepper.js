// The state of the page, and what the reader can do to it.
const given = { ...DATA.givens }, mine = { ...DATA.givens };
let yours = run(mine, DATA.iterations);
const before = yours;
const state = { iteration: 1, done: 0, example: 1, picked: DATA.trained[0], chosen: false, grain: "number", playing: 0 };

for (const step of DATA.steps) {
  step.result = step.phase === "update" ? EQUATIONS.update.find(([name]) => name === step.of)[1] : v => v[step.name];
  for (const term of step.terms) term.value = EQUATIONS.terms.find(([name]) => name === term.name)[1];
}

// Everything that the picture needs of this moment.
function moment() {
  const steps = stepsOf(state.example), start = yours.starts[state.iteration - 1], { v, next } = iterate(start);
  const from = state.grain === "number" ? state.done - 1 : groupStart(steps, state.done);
  const current = state.done ? steps.slice(Math.max(from, 0), state.done) : [];
  const known = new Set(Object.keys(start)), changed = new Set();
  for (const step of steps.slice(0, state.done)) step.phase === "update" ? changed.add(step.of) : known.add(step.name);
  const own = current.length ? steps.filter(step => step.phase === current.at(-1).phase) : [];
  return { ...state, v, next, steps, current, known, changed, position: own.indexOf(current.at(-1)) + 1, total: own.length };
}
const groupStart = (steps, done) => { let k = done - 1; while (k > 0 && steps[k - 1].group === steps[k].group) k--; return k; };
const groupEnd = (steps, done) => { let k = done + 1; while (k < steps.length && steps[k].group === steps[k - 1].group) k++; return k; };

let planned = 0, stepped = false, version = 0, listed = "";
function draw() {
  if (!planned) planned = requestAnimationFrame(() => { planned = 0; drawNow(); if (stepped) follow(); stepped = false; });
}
function drawNow() {
  const now = moment();
  drawNetwork(now); drawStep(now);
  // The long lists change with the iteration, not with every step.
  const key = [state.iteration, state.picked, state.example, version, $("numbers").open].join();
  if (key !== listed) { listed = key; drawChain(now); if ($("numbers").open) drawTable(now); }
  drawChart({ yours, given: before, iteration: state.iteration, logarithmic: $("log").checked, edited: edits().length > 0 });
  $("iteration").max = $("iteration").ariaValueMax = yours.starts.length;
  $("iteration").value = state.iteration;
  $("iteration-number").textContent = state.iteration;
  $("play").setAttribute("aria-pressed", String(Boolean(state.playing)));
  document.body.dataset.state = `${state.iteration}/${state.done}`;
}

function go(iteration, done = 0) {
  const last = yours.starts.length, count = stepsOf(state.example).length;
  state.iteration = Math.min(Math.max(iteration, 1), last);
  state.done = iteration > last ? count : iteration < 1 ? 0 : Math.min(Math.max(done, 0), count);
  draw();
}
function forwards() {
  stepped = true;
  const steps = stepsOf(state.example);
  if (state.done >= steps.length) { if (state.iteration >= yours.starts.length) return pause(); return go(state.iteration + 1); }
  go(state.iteration, state.grain === "number" ? state.done + 1 : groupEnd(steps, state.done));
}
function backwards() {
  stepped = true;
  const steps = stepsOf(state.example);
  if (state.done <= 0) return state.iteration > 1 && go(state.iteration - 1, steps.length);
  go(state.iteration, state.grain === "number" ? state.done - 1 : groupStart(steps, state.done));
}
function play() {
  if (state.playing) return pause();
  const tick = () => { state.playing = setTimeout(tick, Number($("speed").value)); forwards(); };
  tick();
}
function pause() { clearTimeout(state.playing); state.playing = 0; draw(); }
function pick(name) { state.chosen = !(state.chosen && state.picked === name); state.picked = name; draw(); }

// --- what the reader changes ---
const inputs = all("[data-given]");
const edits = () => Object.keys(given).filter(name => mine[name] !== given[name]);
function fill() {
  for (const input of inputs) { input.value = mine[input.dataset.given]; input.removeAttribute("aria-invalid"); }
  complain();
}
function complain() {
  const wrong = inputs.filter(input => input.getAttribute("aria-invalid"));
  $("wrong").textContent = wrong.length ? `${wrong.map(input => input.getAttribute("aria-label")).join(", ")}: a finite number, please. Until then the last good one counts.` : "";
  for (const input of inputs) input.classList.toggle("changed", mine[input.dataset.given] !== given[input.dataset.given]);
  const names = edits();
  $("edited").textContent = names.length ? `Changed by you: ${names.map(name => `${spoken(name)} from ${written(given[name])} to ${written(mine[name])}`).join(", ")}.` : "";
}
function change(input) {
  const value = input.value.trim() === "" ? NaN : Number(input.value);
  if (!Number.isFinite(value)) input.setAttribute("aria-invalid", "true");
  else { input.removeAttribute("aria-invalid"); mine[input.dataset.given] = value; recompute(); }
  complain();
}
function recompute() {
  yours = run(mine, DATA.iterations);
  version++;
  go(Math.min(state.iteration, yours.starts.length), state.done);
}
function reset() {
  pause(); Object.assign(mine, given); fill(); recompute(); go(1);
}
function showExample(example) {
  state.example = example;
  for (const set of all("fieldset[data-example]")) set.hidden = Number(set.dataset.example) !== example;
  go(state.iteration, Math.min(state.done, stepsOf(example).length));
}

// --- wiring ---
const on = (id, event, act) => $(id)?.addEventListener(event, act);
on("first", "click", () => go(state.iteration, 0)); on("last", "click", () => go(state.iteration, Infinity));
on("back", "click", backwards); on("step", "click", forwards); on("play", "click", play); on("reset", "click", reset);
on("iteration", "input", event => go(Number(event.target.value), state.done));
on("grain", "change", event => { state.grain = event.target.value; draw(); });
on("example", "change", event => showExample(Number(event.target.value)));
on("picked", "change", event => { state.chosen = false; pick(event.target.value); }); on("log", "change", draw); on("numbers", "toggle", draw);
addEventListener("beforeprint", () => { $("numbers").open = true; drawTable(moment()); });
let dragging = false;
on("chart", "pointerdown", event => { dragging = true; go(iterationAt(event), state.done); });
on("chart", "pointermove", event => dragging && go(iterationAt(event), state.done));
addEventListener("pointerup", () => { dragging = false; });
for (const input of inputs) input.addEventListener("input", () => change(input));
for (const button of all("button[data-phase]")) button.addEventListener("click", () => {
  const steps = stepsOf(state.example), first = steps.findIndex(step => step.phase === button.dataset.phase);
  go(state.iteration, state.grain === "number" ? first + 1 : groupEnd(steps, first));
});
for (const mark of all("[data-pick]")) mark.addEventListener("click", () => pick(mark.dataset.pick));
addEventListener("keydown", event => {
  const at = event.target, typing = at.matches("input, select, textarea");
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const chosen = at.closest?.(".weight");
  if (chosen && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); return pick(chosen.dataset.pick); }
  if (typing) return;
  const keys = { ArrowRight: () => event.shiftKey ? go(state.iteration + 1, state.done) : forwards(), ArrowLeft: () => event.shiftKey ? go(state.iteration - 1, state.done) : backwards(),
    Home: () => go(state.iteration, 0), End: () => go(state.iteration, Infinity), " ": () => at.matches("button, summary") || play() };
  const act = keys[event.key];
  if (act && !(event.key === " " && at.matches("button, summary"))) { event.preventDefault(); act(); }
});
addEventListener("resize", () => { $("now").style.minHeight = ""; });
fill(); showExample(1); drawNow();
