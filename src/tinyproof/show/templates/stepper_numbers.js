// How numbers and formulas are written.
const $ = id => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const SVG = "http://www.w3.org/2000/svg", MATHML = "http://www.w3.org/1998/Math/MathML";

function element(namespace, tag, attributes = {}, ...children) {
  const made = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A number for people: six digits, a true minus sign, 3.9e−8 where it is very small or large.
function show(x, digits = 6) {
  if (Number.isNaN(x)) return "not a number";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const far = x !== 0 && Math.abs(x) < 1e-4 || Math.abs(x) >= 1e6;
  const exponential = () => x.toExponential(digits - 2).replace(/\.?0+e/, "e").replace("e+", "e");
  return (far ? exponential() : String(Number(x.toPrecision(digits)))).replaceAll("-", "−");
}
// At most `width` characters: what a box of the drawing holds.
function fit(x, width = 9) {
  let text = show(x);
  for (let digits = 5; text.length > width && digits > 1; digits--) text = show(x, digits);
  return text;
}
// For sentences: 3.9·10⁻⁸. For the table: every digit.
const raised = digits => [...digits].map(digit => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
const written = (x, digits) =>
  show(x, digits).replace(/e(−?)(\d+)$/, (_, sign, power) => "·10" + (sign && "⁻") + raised(power));
const plain = x => String(x).replaceAll("-", "−");

// Mathematics printed by Python; the places marked with data-q are filled with numbers.
function mathematics(markup, v, digits) {
  const holder = element(null, "span");
  holder.innerHTML = `<math>${markup}</math>`;
  for (const place of all("[data-q]", holder))
    place.replaceChildren(...mathNumber(v[place.dataset.q], needsBrackets(place), digits));
  return holder.firstChild;
}
const mo = (text, form = "infix") => element(MATHML, "mo", { stretchy: "false", form }, text);
const mn = text => element(MATHML, "mn", {}, text);
function mathNumber(x, brackets, digits) {
  const [mantissa, exponent] = show(Math.abs(x), digits).split("e");
  const parts = [mn(mantissa)];
  if (exponent) parts.push(mo("·"), element(MATHML, "msup", {}, mn("10"), mn(exponent)));
  if (x < 0) parts.unshift(mo("−", "prefix"));
  return x < 0 && brackets ? [mo("(", "prefix"), ...parts, mo(")", "postfix")] : parts;
}
// A negative number after an operator, or under a power, stands in brackets.
function needsBrackets(place) {
  const before = place.previousElementSibling, base = place.parentElement.closest("msup")?.firstElementChild;
  return before?.localName === "mo" && "+−·".includes(before.textContent) || Boolean(base?.contains(place));
}

// name = chain rule = symbols = numbers = result, as it stands on paper
function equationLines(step, v) {
  const row = (kind, ...markup) =>
    element(null, "div", { class: `line ${kind}` }, ...markup.flatMap(one => broken(mathematics(one, readBy(step, v)))));
  const numbers = row("numbers", `<mo>=</mo>${step.numbers}`);
  const result = mathematics(`<mo>=</mo><mrow data-q="${step.name}"></mrow>`, { [step.name]: step.result(v) }, 9);
  result.classList.add("result");
  numbers.append(result);
  if (!step.chain) return [row("symbols", step.left + step.symbols), numbers];
  return [row("symbols", step.left + step.chain, `<mo>=</mo>${step.symbols}`), numbers];
}
// Browsers do not break mathematics over lines: each summand becomes a formula of its own, and the row wraps.
function broken(math) {
  const pieces = [math];
  if (math.textContent.length < 22) return pieces;
  for (const part of [...math.children]) {
    const before = part.previousElementSibling, sign = part.localName === "mo" && "+−".includes(part.textContent);
    if (sign && before && before.textContent !== "=" && part.getAttribute("form") !== "prefix") {
      part.setAttribute("form", "infix");
      pieces.push(element(MATHML, "math"));
    }
    if (pieces.length > 1) pieces.at(-1).append(part);
  }
  return pieces;
}
