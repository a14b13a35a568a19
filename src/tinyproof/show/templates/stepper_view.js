// The picture: puts the numbers of one moment (iteration, step, example) into the drawing, the mathematics and the table.
const $ = id => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const SVG = "http://www.w3.org/2000/svg", MATHML = "http://www.w3.org/1998/Math/MathML";

function element(namespace, tag, attributes = {}, ...children) {
  const made = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A line of mathematics printed by Python; the places marked with data-q are filled with numbers.
function mathematics(markup, v, digits) {
  const holder = element(null, "span");
  holder.innerHTML = `<math>${markup}</math>`;
  for (const place of all("[data-q]", holder)) place.replaceChildren(...mathNumber(v[place.dataset.q], needsBrackets(place), digits));
  for (const bracket of all("mrow > mo", holder)) if ("()".includes(bracket.textContent) && !bracket.parentElement.querySelector("mfrac, mtable")) bracket.setAttribute("stretchy", "false");
  return holder.firstChild;
}
const mo = (text, form = "infix") => element(MATHML, "mo", { stretchy: "false", form }, text);
function mathNumber(x, brackets, digits) {
  const [mantissa, exponent] = show(Math.abs(x), digits).split("e");
  const parts = [element(MATHML, "mn", {}, mantissa)];
  if (exponent) parts.push(mo("·"), element(MATHML, "msup", {}, element(MATHML, "mn", {}, "10"), element(MATHML, "mn", {}, exponent)));
  if (x < 0) parts.unshift(mo("−", "prefix"));
  return x < 0 && brackets ? [mo("(", "prefix"), ...parts, mo(")", "postfix")] : parts;
}
// A negative number after an operator, or under a power, stands in brackets.
function needsBrackets(place) {
  const before = place.previousElementSibling;
  const powered = place.parentElement.closest("msup")?.firstElementChild;
  return before?.localName === "mo" && "+−·".includes(before.textContent) || Boolean(powered?.contains(place));
}

// name = chain rule = symbols = numbers = result, as it stands on paper
function equationLines(step, v) {
  const row = (kind, ...markup) => element(null, "div", { class: "line " + kind }, ...markup.flatMap(one => broken(mathematics(one, v))));
  const equals = markup => "<mo>=</mo>" + markup;
  const value = mathematics(equals(`<mrow data-q="${step.name}"></mrow>`), { [step.name]: step.result(v) }, 9);
  value.classList.add("result");
  const numbers = row("numbers", equals(step.numbers));
  numbers.append(value);
  if (!step.chain) return [row("symbols", step.left + step.symbols), numbers];
  return [row("symbols", step.left + step.chain, equals(step.symbols)), numbers];
}
// Browsers do not break mathematics over lines: each summand becomes a formula of its own, and the row wraps.
function broken(math) {
  const pieces = [math];
  if (math.textContent.length < 22) return pieces;
  for (const part of [...math.children]) {
    if (part.localName === "mo" && "+−".includes(part.textContent) && part.previousElementSibling && part.getAttribute("form") !== "prefix" && part.previousElementSibling.textContent !== "=") {
      part.setAttribute("form", "infix");
      pieces.push(element(MATHML, "math"));
    }
    if (pieces.length > 1) pieces.at(-1).append(part);
  }
  return pieces;
}

function drawNetwork(moment) {
  const { v, known, current, example, picked, changed } = moment;
  for (const place of all("[data-v]", $("stage"))) {
    const name = quantity(place.dataset.v, example);
    const value = changed.has(name) ? moment.next[name] : v[name];
    place.textContent = known.has(name) ? fit(value, Number(place.dataset.width ?? 9)) : "";
    place.dataset.value = known.has(name) ? String(value) : "";
  }
  const now = new Set(current.map(step => step.of)), used = new Set(current.flatMap(step => step.uses.map(ungraded)));
  for (const slot of all(".slot")) mark(slot, quantity(slot.dataset.slot, example), now, used);
  for (const weight of all(".weight")) {
    const name = weight.dataset.name;
    if (!weight.dataset.slot) mark(weight, name, now, used);
    if (!weight.dataset.pick) continue;
    weight.classList.toggle("picked", moment.chosen && name === picked);
    weight.classList.toggle("changed", changed.has(name));
    const gradient = known.has(DATA.gradient[name]) ? `, gradient ${show(v[DATA.gradient[name]])}` : "";
    weight.setAttribute("aria-label", `${spoken(name)}, ${show(changed.has(name) ? moment.next[name] : v[name])}${gradient}: show where its gradient comes from`);
    weight.setAttribute("aria-pressed", String(moment.chosen && name === picked));
  }
  for (const place of all(".shown-example")) place.textContent = example;
  drawLinks(moment);
}
// Bring what happens now into view: sideways where the drawing is wider than its frame, and down on a small screen.
function follow() {
  const frame = document.querySelector(".drawing"), edge = frame.getBoundingClientRect(), behavior = CALM.matches ? "auto" : "smooth";
  const places = all(".slot.now, .weight.now", frame).map(place => place.getBoundingClientRect()).filter(box => box.width);
  if (!places.length) return;
  const span = (low, high, from, to, room) => low < from + room ? low - from - room : high > to - room ? high - to + room : 0;
  const left = Math.min(...places.map(box => box.left)), right = Math.max(...places.map(box => box.right));
  if (frame.scrollWidth > frame.clientWidth + 1) frame.scrollBy({ left: span(left, right, edge.left, edge.right, 60), behavior });
  const top = Math.min(...places.map(box => box.top)), bottom = Math.max(...places.map(box => box.bottom));
  const floor = $("controls").getBoundingClientRect().top, seen = Math.min(edge.bottom, floor) - Math.max(edge.top, 0);
  if (seen > 0.3 * Math.min(edge.height, floor)) scrollBy({ top: span(top, bottom, 0, floor, 40), behavior });
}
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
function mark(node, name, now, used) {
  node.classList.toggle("now", now.has(name));
  node.classList.toggle("used", used.has(name) && !now.has(name));
}

// Which lines are at work: forward those into the quantity computed, backward those that bring a gradient to it.
function drawLinks({ v, current, example, picked, chosen }) {
  const thickest = Math.max(1e-300, ...DATA.weights.map(name => Math.abs(v[name])).filter(Number.isFinite));
  const path = chosen ? pathOf(picked) : new Set();
  for (const link of all(".link")) {
    const { from, to, weight } = link.dataset;
    const a = quantity(from, example), b = quantity(to, example);
    let active = false;
    for (const step of current) {
      if (step.phase === "forward") active ||= step.of === b;
      else if (step.phase === "backward") active ||= weight === step.of || (step.of === a && step.terms.some(term => term.through === b));
      else active ||= weight === step.of;
    }
    link.classList.toggle("now", active);
    link.classList.toggle("path", path.has(from + ">" + to + ">" + (weight ?? "")));
    if (weight) link.style.setProperty("--thick", ((0.8 + 3.2 * Math.abs(v[weight]) / thickest) / (DATA.weights.length > 40 ? 2 : 1)).toFixed(2));
  }
  // What each path carries is written in place of the weight's own gradient while it is on its way.
  for (const step of current) if (step.phase === "backward" && step.terms.length)
    for (const term of step.terms) for (const link of all(".link.now")) {
      if (!link.dataset.weight || quantity(link.dataset.from, example) !== step.of || quantity(link.dataset.to, example) !== term.through) continue;
      for (const place of all(`.weight[data-name="${link.dataset.weight}"] .gradient`)) {
        place.textContent = "← " + fit(term.value(v));
        place.dataset.value = String(term.value(v));
      }
    }
}
// The lines between the loss and a parameter, as from>to>weight.
function pathOf(picked) {
  const ahead = stepsOf(1).filter(step => step.phase === "forward"), key = line => `${line.from}>${line.to}>${line.weight ?? ""}`;
  const reached = new Set([picked]), found = new Set();
  for (const step of ahead) if (step.uses.some(use => reached.has(use))) reached.add(step.of);
  for (const { dataset: line } of all(".link"))
    if (line.weight === picked || line.from === picked || (reached.has(line.from) && reached.has(line.to))) found.add(key(line));
  return found;
}

// dE/da_h1 stands at a_h1; dE/dw5 at w5.
const ungraded = name => name.replace(/^dE\/d/, "");
const spoken = name => name.replace("learning_rate", "learning rate").replace(/\[(\d+)\]/, " of example $1");
const NAMES = new Set([...Object.keys(DATA.givens), ...DATA.steps.map(step => step.of)].map(name => name.replace(/\[\d+\]/, "")));

// The current step in words, for everybody and for screen readers.
function say(moment) {
  const { v, current, iteration, position, total } = moment;
  if (!current.length) return [`Iteration ${iteration} begins.`, " Inputs, targets and weights are in place; nothing is computed yet."];
  const step = current.at(-1), phase = step.phase[0].toUpperCase() + step.phase.slice(1);
  const subject = s => (s.phase === "backward" ? "the gradient at " : s.phase === "update" ? "the new " : "") + (s.phase === "forward" ? s.of.replace(/\[\d+\]/, "") : spoken(s.of));
  if (current.length > 1)
    return [`${phase}, steps ${position - current.length + 1} to ${position} of ${total}.`, ` ${current.map(s => `${subject(s)} is ${written(s.result(v))}`).join(", ")}.`];
  const text = `${subject(step)} is ${written(step.result(v), 9)}, ${spoken(step.meaning)}${carried(step, v)}.`;
  return [`${phase}, step ${position} of ${total}.`, " " + text.replace(/^the/, "The")];
}
// Text in which names of quantities have their index below the line.
function worded(text) {
  return text.split(/\b([a-zA-Z]\w*)/).map(word => {
    const found = NAMES.has(word) && word.match(/^([A-Za-z]+?)_?(\d[\d_]*|(?<=_)\w+)$/);
    return found ? element(null, "span", { class: "quantity" }, found[1], element(null, "sub", {}, found[2].replaceAll("_", ","))) : word;
  });
}
function carried(step, v) {
  if (step.phase !== "backward" || step.terms.length < 2) return "";
  const several = DATA.trained.includes(step.of), place = several ? spoken : name => name.replace(/\[\d+\]/, "");
  const parts = step.terms.map(term => `${written(term.value(v))} ${several ? "from" : "through"} ${place(term.through)}`);
  return ` (${parts.slice(0, -1).join(", ")} and ${parts.at(-1)})`;
}

function drawStep(moment) {
  const [where, rest] = say(moment);
  $("said").replaceChildren(element(null, "b", {}, where), ...worded(rest));
  const last = moment.current.at(-1);
  $("brief").replaceChildren(...last ? [mathematics(last.left + `<mrow data-q="${last.name}"></mrow>`, { [last.name]: last.result(moment.v) }, 7)] : [where]);
  $("now").style.minHeight = `${$("now").offsetHeight}px`;
  $("mathematics").replaceChildren(...moment.current.slice(0, 8).flatMap(step => equationLines(step, moment.v)));
  document.body.className = last?.phase ?? "forward";
  for (const button of all("[data-phase]", $("stage"))) {
    const own = moment.steps.filter(step => step.phase === button.dataset.phase), first = moment.steps.indexOf(own[0]);
    const done = Math.min(Math.max(moment.done - first, 0), own.length) / own.length;
    button.querySelector("i").style.setProperty("--done", done);
    if (moment.current.at(-1)?.phase === button.dataset.phase) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
  }
  $("where-iteration").textContent = `Iteration ${moment.iteration}`;
  $("where-loss").textContent = moment.known.has(DATA.loss) ? `loss ${written(moment.v[DATA.loss], 9)}` : "";
}

function drawChain({ v, next, picked, example }) {
  const gradient = DATA.gradient[picked], wanted = ancestors(gradient);
  const steps = DATA.steps.filter(step => step.phase === "backward" && wanted.has(step.name) && (step.example === null || step.example === example || DATA.examples <= 1));
  const list = element(null, "ol");
  for (const step of steps) list.append(element(null, "li", {}, ...equationLines(step, v)));
  const update = DATA.steps.find(step => step.phase === "update" && step.of === picked);
  if (update) list.append(element(null, "li", { class: "step-down" }, ...equationLines(update, v)));
  $("chain").replaceChildren(list);
  $("chain").dataset.value = String(v[gradient]);
  $("picked").value = picked;
}

function drawTable({ v, next, iteration, steps }) {
  $("numbers-caption").textContent = `Iteration ${iteration}`;
  const rows = steps.map(step => element(null, "tr", { "data-row": step.name, "data-phase": step.phase },
    element(null, "td", {}, mathematics(step.left + step.symbols, v)),
    element(null, "td", { class: "number", "data-value": step.result(v) }, plain(step.result(v)))));
  $("numbers").querySelector("tbody").replaceChildren(...rows);
}
