// The text beside the drawing: the current step in words and formulas, a gradient's derivation, the table.
const spoken = name => name.replace("learning_rate", "learning rate").replace(/\[(\d+)\]/, " of example $1");
let NAMES = namesOf(DATA);
function namesOf(data) {
  return new Set([...Object.keys(data.givens), ...data.steps.map(step => step.of)].map(withoutExample));
}
const BEFORE = { forward: "", backward: "the gradient at ", update: "the new " };
const capital = text => text[0].toUpperCase() + text.slice(1);

// The current step, for everybody and for screen readers: [where we are, what happens].
function say({ v, current, iteration, position, total }) {
  const hint = iteration === 1 ? " Press Play, or the right arrow key for one step." : "";
  const nothing = ` Inputs, targets and weights are in place; nothing is computed yet.${hint}`;
  if (!current.length) return [`Iteration ${iteration} begins.`, nothing];
  const last = current.at(-1), phase = capital(last.phase), first = position - current.length + 1;
  const is = (step, digits) => {
    const name = step.phase === "forward" ? withoutExample(step.of) : spoken(step.of);
    return `${BEFORE[step.phase]}${name} is ${written(step.result(v), digits)}`;
  };
  if (current.length > 1)
    return [`${phase}, steps ${first} to ${position} of ${total}.`, ` ${current.map(step => is(step)).join(", ")}.`];
  const text = `${is(last, 9)}, ${spoken(last.meaning)}${carried(last, v)}.`;
  return [`${phase}, step ${position} of ${total}.`, " " + text.replace(/^the/, "The")];
}
// The parts of a gradient that comes on several paths.
function carried(step, v) {
  if (step.phase !== "backward" || step.terms.length < 2) return "";
  const several = DATA.trained.includes(step.of); // a parameter: one part from each unit or example
  const place = term => several ? `from ${spoken(term.through)}` : `through ${withoutExample(term.through)}`;
  const parts = step.terms.map(term => `${written(term.value(v))} ${place(term)}`);
  return ` (${parts.slice(0, -1).join(", ")} and ${parts.at(-1)})`;
}
// Text in which names of quantities have their index below the line.
function worded(text) {
  return text.split(/\b([a-zA-Z]\w*)/).map(word => {
    const found = NAMES.has(word) && word.match(/^([A-Za-z]+?)(?:_(\w+)|(\d[\d_]*))$/);
    if (!found) return word;
    const index = element(null, "sub", {}, (found[2] ?? found[3]).replaceAll("_", ","));
    return element(null, "span", { class: "quantity" }, found[1], index);
  });
}

const MOST_FORMULAS = 8; // of one step: a layer has more numbers than anybody reads at once
function drawStep(moment) {
  const { v, current, steps, done, iteration, known } = moment, last = current.at(-1);
  const [where, rest] = say(moment);
  $("said").replaceChildren(element(null, "b", {}, where), ...worded(rest));
  const brief = step => mathematics(`${step.left}<mrow data-q="now"></mrow>`, { now: step.result(v) }, 7);
  $("brief").replaceChildren(last ? brief(last) : where);
  $("now").style.minHeight = `${$("now").offsetHeight}px`; // never smaller again: the controls below must not jump
  $("mathematics").replaceChildren(...current.slice(0, MOST_FORMULAS).flatMap(step => equationLines(step, v)));
  document.body.className = last?.phase ?? "forward";
  for (const button of all("[data-phase]", $("stage"))) {
    const own = steps.filter(step => step.phase === button.dataset.phase);
    const part = Math.min(Math.max(done - steps.indexOf(own[0]), 0), own.length) / own.length;
    button.querySelector("i").style.setProperty("--done", part);
    if (last?.phase === button.dataset.phase) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  const upTo = turnOf(iteration - 1) * DATA.examples, several = DATA.examples > 1;
  const own = several ? `examples ${upTo - DATA.examples + 1} to ${upTo}` : `example ${upTo}`;
  const example = DATA.turns > 1 ? `, ${own} of ${DATA.turns * DATA.examples}` : "";
  $("where-iteration").textContent = `Iteration ${iteration}${example}`;
  $("where-loss").textContent = known.has(DATA.loss) ? `loss ${written(v[DATA.loss], 9)}` : "";
}

// Where the gradient of the chosen parameter comes from, from the loss back, and the step that it takes.
function drawChain({ v, picked, example }) {
  const gradient = DATA.gradient[picked], wanted = ancestors(gradient);
  const back = stepsOf(example).filter(step => step.phase === "backward" && wanted.has(step.name));
  const update = DATA.steps.find(step => step.phase === "update" && step.of === picked);
  const states = DATA.steps.filter(({ phase, of }) => phase === "update" && of !== picked && update.uses.includes(of));
  const item = (step, kind) => element(null, "li", { class: kind }, ...equationLines(step, v));
  const items = [...back.map(step => item(step, "back")), ...[...states, update].map(step => item(step, "step-down"))];
  $("chain").replaceChildren(element(null, "ol", {}, ...items));
  $("picked").value = picked;
}

function drawTable({ v, iteration, steps }) {
  $("numbers-caption").textContent = `Iteration ${iteration}`;
  const row = step => element(null, "tr", { "data-row": step.name, "data-phase": step.phase },
    element(null, "td", {}, mathematics(step.left + step.symbols, v)),
    element(null, "td", { class: "number", "data-value": step.result(v) }, plain(step.result(v))));
  $("numbers").querySelector("tbody").replaceChildren(...steps.map(row));
}
