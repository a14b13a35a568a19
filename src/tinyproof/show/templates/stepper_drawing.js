// The drawing: puts the numbers of one moment (iteration, step, example) into boxes and on lines.
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const ungraded = name => name.replace(/^dE\/d/, ""); // dE/da_h1 stands at a_h1, dE/dw5 at w5

function drawNetwork(moment) {
  const { v, next, known, current, example, changed } = moment;
  for (const place of all("[data-v]", $("stage"))) {
    const name = quantity(place.dataset.v, example), value = changed.has(name) ? next[name] : v[name];
    place.textContent = known.has(name) ? fit(value, Number(place.dataset.width ?? 9)) : "";
    place.dataset.value = known.has(name) ? String(value) : "";
  }
  const now = new Set(current.map(step => step.of)), used = new Set(current.flatMap(step => step.uses.map(ungraded)));
  for (const node of all(".slot, .weight")) {
    const name = quantity(node.dataset.slot ?? node.dataset.name, example);
    node.classList.toggle("now", now.has(name));
    node.classList.toggle("used", used.has(name) && !now.has(name));
    node.classList.toggle("changed", changed.has(name));
    if (node.dataset.pick) nameWeight(node, name, moment);
  }
  for (const place of all(".shown-example")) place.textContent = example;
  drawLinks(moment);
  drawCarried(moment);
}
function nameWeight(node, name, { v, next, known, changed, chosen, picked }) {
  const value = written(changed.has(name) ? next[name] : v[name]), gradient = DATA.gradient[name];
  const graded = known.has(gradient) ? `, gradient ${written(v[gradient])}` : "";
  node.setAttribute("aria-label", `${name}, ${value}${graded}: show where its gradient comes from`);
  node.setAttribute("aria-pressed", String(chosen && name === picked));
  node.classList.toggle("picked", chosen && name === picked);
}

// Which lines are at work: forward those into the quantity computed, backward those that bring a gradient to it.
function drawLinks({ v, current, example, picked, chosen }) {
  const sizes = DATA.weights.map(name => Math.abs(v[name])).filter(Number.isFinite);
  const largest = Math.max(1e-300, ...sizes), thin = DATA.weights.length > 40 ? 2 : 1;
  const path = chosen ? pathOf(picked) : new Set();
  for (const link of all(".link")) {
    const [from, to] = [link.dataset.from, link.dataset.to].map(slot => quantity(slot, example));
    const { weight } = link.dataset;
    const works = step => step.phase === "forward" ? step.of === to
      : weight === step.of || step.of === from && step.terms.some(term => term.through === to);
    link.classList.toggle("now", current.some(works));
    link.classList.toggle("path", path.has(lineKey(link.dataset)));
    if (weight) link.style.setProperty("--thick", ((0.8 + 3.2 * Math.abs(v[weight]) / largest) / thin).toFixed(2));
  }
}
// What each path carries stands in place of the weight's own gradient while it is on its way.
function drawCarried({ v, current, example }) {
  for (const link of all(".link.now[data-weight]")) {
    const from = quantity(link.dataset.from, example), to = quantity(link.dataset.to, example);
    const terms = current.filter(step => step.of === from).flatMap(step => step.terms);
    for (const term of terms.filter(term => term.through === to))
      for (const place of all(`.weight[data-name="${link.dataset.weight}"] .gradient`)) {
        place.textContent = "← " + fit(term.value(v));
        place.dataset.value = String(term.value(v));
      }
  }
}
// The lines between the loss and a parameter.
const lineKey = line => `${line.from}>${line.to}>${line.weight ?? ""}`;
function pathOf(picked) {
  const reached = new Set([picked]), found = new Set();
  for (const step of stepsOf(1))
    if (step.phase === "forward" && step.uses.some(use => reached.has(use))) reached.add(step.of);
  for (const { dataset: line } of all(".link"))
    if ([line.weight, line.from].includes(picked) || reached.has(line.from) && reached.has(line.to))
      found.add(lineKey(line));
  return found;
}

// Bring what happens now into view, sideways where the drawing is wider than its frame; and down, as long as the
// drawing is what the reader looks at.
function follow() {
  const frame = document.querySelector(".drawing"), edge = frame.getBoundingClientRect();
  const behavior = CALM.matches ? "auto" : "smooth", floor = $("controls").getBoundingClientRect().top;
  const places = all(".slot.now, .weight.now", frame).map(place => place.getBoundingClientRect()).filter(b => b.width);
  if (!places.length) return;
  const [left, top] = ["left", "top"].map(side => Math.min(...places.map(box => box[side])));
  const [right, bottom] = ["right", "bottom"].map(side => Math.max(...places.map(box => box[side])));
  const wide = frame.scrollWidth > frame.clientWidth + 1;
  if (wide) frame.scrollBy({ left: missing(left, right, edge.left, edge.right, 60), behavior });
  const seen = Math.min(edge.bottom, floor) - Math.max(edge.top, 0);
  if (seen > 0.3 * Math.min(edge.height, floor)) scrollBy({ top: missing(top, bottom, 0, floor, 40), behavior });
}
// How far to scroll so that low..high lies between from and to, `room` inside.
function missing(low, high, from, to, room) {
  return low < from + room ? low - from - room : high > to - room ? high - to + room : 0;
}
