// The state of the page, and what the reader can do to it.
const given = { ...DATA.givens }, mine = { ...DATA.givens };
let yours = run(mine, DATA.iterations);
let before = yours; // with the numbers given
const state = {
  iteration: 1, done: 0, example: 1, // where we are; `done` steps of the iteration have been taken
  picked: DATA.trained[0], chosen: false, // whose derivation is shown; whether its path is marked in the drawing
  grain: "number", playing: 0,
};

// Everything that the picture needs of this moment.
function moment() {
  const steps = stepsOf(state.example), start = yours.starts[state.iteration - 1], { v, next } = iterate(start);
  const from = state.grain === "number" ? state.done - 1 : groupStart(steps, state.done);
  const current = state.done ? steps.slice(Math.max(from, 0), state.done) : [];
  const known = new Set(Object.keys(start)), changed = new Set();
  for (const step of steps.slice(0, state.done)) (step.phase === "update" ? changed : known).add(step.name);
  const own = steps.filter(step => step.phase === current.at(-1)?.phase);
  const position = own.indexOf(current.at(-1)) + 1;
  return { ...state, v, next, steps, current, known, changed, position, total: own.length };
}
function groupStart(steps, done) {
  let k = done - 1;
  while (k > 0 && steps[k - 1].group === steps[k].group) k--;
  return k;
}
function groupEnd(steps, done) {
  let k = done + 1;
  while (k < steps.length && steps[k].group === steps[k - 1].group) k++;
  return k;
}

let planned = 0, stepped = false, version = 0, listed = "", linking = 0;
function draw() {
  clearTimeout(linking);
  linking = setTimeout(writeLink, 500);
  planned ||= requestAnimationFrame(() => {
    planned = 0;
    drawNow();
    if (stepped) follow();
    stepped = false;
  });
}
function drawNow() {
  const now = moment(), logarithmic = $("log").checked, edited = edits().length > 0;
  drawNetwork(now);
  drawStep(now);
  // The long lists change with the iteration, not with every step.
  const key = [state.iteration, state.picked, state.example, version, $("numbers").open].join();
  if (key !== listed) {
    drawChain(now);
    if ($("numbers").open) drawTable(now);
    listed = key;
  }
  drawChart({ yours, given: before, iteration: state.iteration, logarithmic, edited });
  teach.draw(now);
  $("iteration").max = yours.starts.length;
  $("iteration").value = state.iteration;
  $("iteration-number").textContent = state.iteration;
  $("play").setAttribute("aria-pressed", String(Boolean(state.playing)));
  document.body.dataset.state = `${state.iteration}/${state.done}`;
}

// --- where the reader goes ---
function go(iteration, done = 0) {
  const last = yours.starts.length, count = stepsOf(state.example).length;
  state.iteration = Math.min(Math.max(iteration, 1), last);
  state.done = iteration > last ? count : iteration < 1 ? 0 : Math.min(Math.max(done, 0), count);
  draw();
}
function forwards() {
  const steps = stepsOf(state.example);
  stepped = true;
  if (state.done < steps.length)
    go(state.iteration, state.grain === "number" ? state.done + 1 : groupEnd(steps, state.done));
  else if (state.iteration < yours.starts.length) go(state.iteration + 1);
  else pause();
}
function backwards() {
  const steps = stepsOf(state.example);
  stepped = true;
  if (state.done > 0) go(state.iteration, state.grain === "number" ? state.done - 1 : groupStart(steps, state.done));
  else if (state.iteration > 1) go(state.iteration - 1, steps.length);
}
function play() {
  if (state.playing) return pause();
  const tick = () => {
    state.playing = setTimeout(tick, Number($("speed").value));
    forwards();
  };
  tick();
}
function pause() {
  clearTimeout(state.playing);
  state.playing = 0;
  draw();
}
function phase(name) {
  const steps = stepsOf(state.example), first = steps.findIndex(step => step.phase === name);
  go(state.iteration, state.grain === "number" ? first + 1 : groupEnd(steps, first));
}
function pick(name) {
  state.chosen = !(state.chosen && state.picked === name);
  state.picked = name;
  draw();
}
function showExample(example) {
  state.example = example;
  if ($("example")) $("example").value = example;
  for (const set of all("fieldset[data-example]"))
    set.hidden = DATA.turns < 2 && Number(set.dataset.example) !== example;
  go(state.iteration, state.done);
}

// --- what the reader changes ---
let inputs = all("[data-given]");
const edits = () => Object.keys(given).filter(name => mine[name] !== given[name]);
function fill() {
  for (const input of inputs) {
    input.value = mine[input.dataset.given];
    input.removeAttribute("aria-invalid");
  }
  sayEdits();
}
function sayEdits() {
  const wrong = new Map(); // what is allowed -> the fields where something else stands
  for (const input of inputs.filter(one => one.getAttribute("aria-invalid"))) {
    const line = specs.allowed(input.dataset.given, NaN);
    wrong.set(line, [...wrong.get(line) ?? [], input.getAttribute("aria-label")]);
  }
  const lines = [...wrong].map(([line, names]) => `${names.join(", ")}: ${line}, please.`);
  const please = `${lines.join(" ")} Until then the last good one counts.`;
  $("wrong").textContent = lines.length ? please : "";
  const changed = edits();
  for (const input of inputs) input.classList.toggle("changed", changed.includes(input.dataset.given));
  const changes = changed.map(name => `${spoken(name)} from ${written(given[name])} to ${written(mine[name])}`);
  $("edited").textContent = changes.length ? `Changed by you: ${changes.join(", ")}.` : "";
}
function change(input) {
  const value = input.value.trim() === "" ? NaN : Number(input.value);
  if (!specs.allowed(input.dataset.given, value)) {
    input.removeAttribute("aria-invalid");
    mine[input.dataset.given] = value;
    recompute();
  } else input.setAttribute("aria-invalid", "true");
  sayEdits();
}
function recompute() {
  yours = run(mine, DATA.iterations);
  builder.follow();
  version++;
  go(Math.min(state.iteration, yours.starts.length), state.done);
}
function reset() {
  pause();
  Object.assign(mine, given);
  fill();
  recompute();
  go(1);
}

// --- wiring ---
const on = (id, event, act) => $(id)?.addEventListener(event, act);
on("first", "click", () => go(state.iteration, 0));
on("back", "click", backwards);
on("play", "click", play);
on("step", "click", forwards);
on("last", "click", () => go(state.iteration, Infinity));
on("reset", "click", reset);
on("iteration", "input", event => go(Number(event.target.value), state.done));
on("grain", "change", event => { state.grain = event.target.value; draw(); });
on("example", "change", event => showExample(Number(event.target.value)));
on("picked", "change", event => { state.chosen = false; pick(event.target.value); });
on("log", "change", draw);
on("numbers", "toggle", draw);
let dragging = false;
on("chart", "pointerdown", event => { dragging = true; go(iterationAt(event), state.done); });
on("chart", "pointermove", event => dragging && go(iterationAt(event), state.done));
addEventListener("pointerup", () => { dragging = false; });
document.querySelector("#givens form").addEventListener("input", event => change(event.target), true);
for (const button of all("button[data-phase]")) button.addEventListener("click", () => phase(button.dataset.phase));
on("stage", "click", event => {
  const place = event.target.closest("[data-pick]");
  if (place) pick(place.dataset.pick);
});
addEventListener("resize", () => { $("now").style.minHeight = ""; measure(); });
on("whole", "click", () => fitWhole(!document.querySelector(".drawing").classList.contains("whole")));
addEventListener("beforeprint", () => { $("numbers").open = true; drawTable(moment()); });

const KEYS = {
  ArrowRight: event => event.shiftKey ? go(state.iteration + 1, state.done) : forwards(),
  ArrowLeft: event => event.shiftKey ? go(state.iteration - 1, state.done) : backwards(),
  Home: () => go(state.iteration, 0),
  End: () => go(state.iteration, Infinity),
  " ": play,
};
addEventListener("keydown", event => {
  const at = event.target, weight = at.closest("[role=button]");
  if (event.altKey || event.ctrlKey || event.metaKey || at.matches("input, select, [data-scrolls]")) return;
  if (event.key === " " && at.matches("button, summary")) return; // the key presses what it stands on
  const choose = weight && [" ", "Enter"].includes(event.key);
  const act = choose ? () => pick(weight.dataset.pick) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
});
builder.start();
teach.rebuilt();
readLink();
fill();
showExample(state.example);
crowdedWeights();
measure();
drawNow();
