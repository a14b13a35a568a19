// Mathematics typeset in the page: the same MathML as Python's (mathematics.py), for names and for whole expressions.
const typeset = (() => {
  const [SUM, PRODUCT, SIGN, POWER, ATOM] = [1, 2, 3, 4, 5];
  const mo = sign => `<mo>${sign.replace(">", "&gt;")}</mo>`, still = '<mo stretchy="false">';
  const SHOWN = { sigmoid: "σ", tanh: "tanh", max: "max", softplus: "softplus", exp: "exp", ln: "ln" };

  const GREEK = { learning_rate: "η", momentum: "μ", alpha: "α", beta1: "β1", beta2: "β2", eps: "ε" };

  // A quantity's letter, index and example: a_h1[2] is ["a", "h1", "2"].
  function parts(name) {
    const found = name.match(/^([A-Za-z]+?)(?:_([A-Za-z]\w*)|(\d[\d_]*))?(?:\[(\d+)\])?$/);
    return found ? [found[1], (found[2] ?? found[3] ?? "").replaceAll("_", ","), found[4] ?? ""] : [name, "", ""];
  }
  function nameOf(name) {
    const [top, bottom] = name.split("/");
    if (bottom) return `<mfrac>${[top, bottom].map(n => `<mrow><mo>∂</mo>${nameOf(n.slice(1))}</mrow>`).join("")}</mfrac>`;
    if (GREEK[name]) {
      const [letter, index] = GREEK[name];
      return index ? `<msub><mi>${letter}</mi><mn>${index}</mn></msub>` : `<mi>${letter}</mi>`;
    }
    const [base, index, example] = parts(name), sub = `<mi>${index}</mi>`;
    const sup = `<mrow><mo>(</mo><mn>${example}</mn><mo>)</mo></mrow>`;
    if (index && example) return `<msubsup><mi>${base}</mi>${sub}${sup}</msubsup>`;
    if (example) return `<msup><mi>${base}</mi>${sup}</msup>`;
    return index ? `<msub><mi>${base}</mi>${sub}</msub>` : `<mi>${base}</mi>`;
  }
  // The chain rule in symbols: dE/do1 · do1/da_h1 + dE/do2 · do2/da_h1
  const chainRule = (of, through) => through
    .map(name => `${nameOf(`dE/d${name}`)}<mo>·</mo>${nameOf(`d${name}/d${of}`)}`).join("<mo>+</mo>");
  const place = name => `<mrow data-q="${name}"></mrow>`;

  // The shortest text that reads back as the same number, as Python writes it.
  function text(x) {
    const far = Math.abs(x) < 1e-4 && x !== 0 || Math.abs(x) >= 1e16;
    return far ? x.toExponential() : String(x) + (Math.abs(x) >= 1e15 ? ".0" : "");
  }
  function writer(name) {
    const whole = e => write(e)[0];
    const at = (e, least) => ((shown, p) => p >= least ? shown : group(shown))(...write(e));
    const group = inner => inner.includes("<mfrac>") ? `<mrow>${mo("(")}${inner}${mo(")")}</mrow>`
      : `<mrow>${still}(</mo>${inner}${still})</mo></mrow>`;
    // What is raised to a power: a gradient, whose name is a fraction, in brackets.
    const base = e => typeof e === "string" && e.includes("/") ? group(name(e)) : at(e, ATOM);
    const unsigned = e => {
      const shown = at(e, PRODUCT);
      return shown.startsWith(mo("−")) ? group(shown) : shown;
    };
    function number(x) {
      const [digits, power] = text(Math.abs(x)).split("e"), sign = Number(power) < 0 ? mo("−") : "";
      const raised = power ? `${mo("×")}<msup><mn>10</mn><mrow>${sign}<mn>${Math.abs(power)}</mn></mrow></msup>` : "";
      return [`${x < 0 ? mo("−") : ""}<mn>${digits}</mn>${raised}`, x < 0 ? SIGN : power ? PRODUCT : ATOM];
    }
    const WRITE = {
      add: (a, ...rest) => [[at(a, SUM), ...rest.map(unsigned)].join(mo("+")), SUM],
      sub: (a, b) => [at(a, SUM) + mo("−") + unsigned(b), SUM],
      mul: (a, ...rest) => [[at(a, PRODUCT), ...rest.map(e => at(e, POWER))].join(mo("·")), PRODUCT],
      div: (a, b) => [`<mfrac><mrow>${whole(a)}</mrow><mrow>${whole(b)}</mrow></mfrac>`, ATOM],
      neg: a => [mo("−") + unsigned(a), SIGN],
      pow: (a, b) => [`<msup><mrow>${base(a)}</mrow><mrow>${whole(b)}</mrow></msup>`, POWER],
      sqrt: a => [`<msqrt>${whole(a)}</msqrt>`, ATOM],
      gt: (a, b) => [at(a, SUM) + mo(">") + at(b, SUM), 0],
      softmax: (k, ...x) => write(["div", ["exp", x[k - 1]], ["add", ...x.map(one => ["exp", one])]]),
      if: (c, a, b) => {
        const row = (value, when) => `<mtr><mtd>${value}</mtd><mtd>${when}</mtd></mtr>`;
        const rows = row(whole(a), `<mtext>if&#160;</mtext>${whole(c)}`) + row(whole(b), "<mtext>otherwise</mtext>");
        return [`<mrow>${mo("{")}<mtable>${rows}</mtable></mrow>`, ATOM];
      },
    };
    function write(e) {
      if (typeof e === "number") return number(e);
      if (typeof e === "string") return [name(e), ATOM];
      const [f, ...args] = e;
      if (WRITE[f]) return WRITE[f](...args);
      return [(SHOWN[f] ? `<mi>${SHOWN[f]}</mi>` : f) + group(args.map(whole).join(mo(","))), ATOM];
    }
    return whole;
  }
  return { parts, nameOf, chainRule, place, text, GREEK, symbols: writer(nameOf), numbers: writer(place) };
})();

// The steps come packed: where `numbers` has {w5} the name w5 stands, a step with * is one of each parameter, and the
// rest follows from name, group and terms.
function unpacked(data) {
  const put = (text, write) => text.replace(/\{([^{}<>]+)\}/g, (_, name) => write(name));
  const each = (step, parameter) =>
    Object.fromEntries(Object.entries(step).map(([key, text]) => [key, text.replaceAll("*", parameter)]));
  const whole = ({ name, group, meaning, uses, numbers, symbols = numbers, terms = [] }) => {
    const [phase] = group.split(" "), of = name.replace(/^dE\/d/, ""), example = typeset.parts(of)[2];
    return {
      phase, name, of, group, meaning, example: example ? Number(example) : null, uses: uses.split(" "),
      left: typeset.nameOf(name) + (phase === "update" ? "<mo>←</mo>" : "<mo>=</mo>"),
      chain: typeset.chainRule(of, terms), symbols: put(symbols, typeset.nameOf), numbers: put(numbers, typeset.place),
      terms: terms.map((through, k) => ({ name: `${name} ${k}`, through })),
    };
  };
  data.steps = data.steps
    .flatMap(step => step.name.includes("*") ? data.trained.map(name => each(step, name)) : [step]).map(whole);
  return data;
}
