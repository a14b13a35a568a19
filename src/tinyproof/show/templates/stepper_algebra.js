// Expressions of a network that the reader builds: the trees, derivatives and tidying of Python's expr, diff, tidy.
// A number is a number, a name a string, a function an array: ["add", "w1", ["mul", 2, "x"]].
const algebra = (() => {
  const isCall = (e, ...functions) => Array.isArray(e) && (!functions.length || functions.includes(e[0]));
  const chain = (f, e) => isCall(e, f) ? e.slice(1) : [e];
  const add = (a, b) => ["add", ...chain("add", a), b], mul = (a, b) => ["mul", ...chain("mul", a), b];
  const sub = (a, b) => ["sub", a, b], div = (a, b) => ["div", a, b], pow = (a, b) => ["pow", a, b],
    neg = a => ["neg", a];
  const total = terms => terms.length > 1 ? ["add", ...terms] : terms.length ? terms[0] : 0;

  // The names in an expression, each once, in order of first appearance.
  function names(e, found = new Set()) {
    if (typeof e === "string") found.add(e);
    else if (isCall(e)) e.slice(1).forEach(arg => names(arg, found));
    return [...found];
  }
  const gradientOf = name => `dE/d${name}`;
  const graded = name => name.startsWith("dE/d") ? name.slice(4) : "";

  // --- products and sums as a person would write them ---
  function fraction(p, q) {
    let [a, b] = [Math.abs(p), q];
    while (b) [a, b] = [b, a % b];
    const sign = q < 0 ? -1 : 1;
    return [sign * p / a || 0, sign * q / a];
  }
  const times = ([p, q], [r, s]) => fraction(p * r, q * s), over = ([p, q], [r, s]) => fraction(p * s, q * r);
  // A simple fraction, and factors [expression, whether it divides] without one.
  function split(e) {
    if (typeof e === "number") {
      const simple = Math.abs(e) < 2 ** 53 && Number.isInteger(e * 64);
      return simple ? [fraction(e * 64, 64), []] : [[1, 1], [[e, false]]];
    }
    if (isCall(e, "neg")) {
      const [number, parts] = split(e[1]);
      return [[-number[0], number[1]], parts];
    }
    if (isCall(e, "mul")) {
      const both = ([n, a], [m, b]) => [times(n, m), [...a, ...b]];
      return e.slice(1).map(split).reduce(both, [[1, 1], []]);
    }
    if (isCall(e, "div")) {
      const [number, parts] = split(e[1]), [divisor, others] = split(e[2]);
      if (!others.length && divisor[0] !== 0) return [over(number, divisor), parts];
      if (!parts.length) return [number, [[e[2], true]]];
    }
    return [[1, 1], [[e, false]]];
  }
  const isDifference = e => isCall(e, "sub") && typeof e[1] !== "number";
  function product(...factors) {
    let coefficient = [1, 1], rest = [];
    for (const factor of factors) {
      const [number, parts] = split(factor);
      coefficient = times(coefficient, number);
      rest.push(...parts);
    }
    if (coefficient[0] === 0) return 0;
    if (!rest.length) return quotient(coefficient);
    const at = rest.findIndex(([part, divides]) => !divides && isDifference(part));
    if (coefficient[0] < 0 && at >= 0) {
      const [part, divides] = rest[at];
      rest = rest.with(at, [sub(part[2], part[1]), divides]);
      coefficient = [-coefficient[0], coefficient[1]];
    }
    return assemble(coefficient, rest);
  }
  const quotient = ([p, q]) => Number.isInteger(Math.log2(q)) ? p / q : div(p, q);
  function assemble([p, q], rest) {
    let result = Math.abs(p) !== 1 || rest[0][1] ? Math.abs(p) : null;
    for (const [factor, divides] of rest)
      result = result === null ? factor : divides ? div(result, factor) : mul(result, factor);
    if (q !== 1) result = div(result, q);
    return p < 0 ? neg(result) : result;
  }
  function addUp(terms) {
    const kept = terms.filter(term => term !== 0);
    if (!kept.slice(1).some(term => isCall(term, "neg"))) return total(kept);
    return kept.slice(1).reduce((sum, term) => isCall(term, "neg") ? sub(sum, term[1]) : add(sum, term), kept[0]);
  }

  // --- derivatives ---
  // The partial derivatives with respect to those names for which `wanted(name)`. `known`: Map, expression -> its name.
  function partials(e, wanted, known) {
    if (typeof e === "string") return wanted(e) ? new Map([[e, 1]]) : new Map();
    if (!isCall(e)) return new Map();
    const [f, ...args] = e, inside = args.map(arg => partials(arg, wanted, known));
    if (f === "if") {
      const both = [...new Set([...inside[1].keys(), ...inside[2].keys()])];
      return new Map(both.map(name => [name, ["if", args[0], inside[1].get(name) ?? 0, inside[2].get(name) ?? 0]]));
    }
    const terms = new Map();
    inside.forEach((found, position) => {
      for (const [name, inner] of found) {
        const factors = f === "mul" ? args.with(position, inner) : [slope(e, position, known), inner];
        terms.set(name, [...terms.get(name) ?? [], product(...factors)]);
      }
    });
    return new Map([...terms].map(([name, parts]) => [name, addUp(parts)]).filter(([, sum]) => sum !== 0));
  }
  const named = (e, known) => known.get(JSON.stringify(e)) ?? e;
  function slope(e, position, known) {
    const [f, a, b] = e, value = named(e, known);
    switch (f) {
      case "add": return 1;
      case "sub": return position ? -1 : 1;
      case "neg": return -1;
      case "div": return position ? neg(div(a, pow(b, 2))) : div(1, b);
      case "pow": return product(b, b === 2 ? a : pow(a, b - 1)); // of a number
      case "ln": return div(1, a);
      case "sigmoid": return mul(value, sub(1, value));
      case "tanh": return sub(1, pow(value, 2));
      case "softplus": return named(["sigmoid", a], known);
      case "max": return ["if", ["gt", a, b], 1, 0]; // of max(x, 0): flat at 0
      case "softmax": {
        if (position === a) return mul(value, sub(1, value));
        return neg(mul(value, named(["softmax", position, ...e.slice(2)], known)));
      }
    }
    return 0; // of a comparison
  }
  // The gradient equations [name, expression] of the last equation, from the loss back.
  function backward(equations, wanted) {
    const known = new Map(), needed = new Set(wanted), terms = new Map([[equations.at(-1)[0], [1]]]), found = new Map();
    for (const [name, e] of equations) {
      const key = JSON.stringify(e);
      if (!known.has(key)) known.set(key, name);
      if (names(e).some(use => needed.has(use))) needed.add(name);
    }
    for (const [name, e] of equations.toReversed()) {
      if (!needed.has(name) || !terms.has(name)) continue;
      const gradient = addUp(terms.get(name).toReversed()),
        upstream = names(gradient).length ? gradientOf(name) : gradient;
      found.set(name, gradient);
      for (const [use, inner] of partials(e, n => needed.has(n), known))
        terms.set(use, [...terms.get(use) ?? [], product(upstream, inner)]);
    }
    for (const name of wanted) if (!found.has(name)) found.set(name, addUp((terms.get(name) ?? []).toReversed()));
    const shown = [...found].filter(([name, e]) => wanted.includes(name) || names(e).length);
    return shown.map(([name, e]) => [gradientOf(name), e]);
  }
  // Which equations use a name: name -> their names, in order.
  function usersOf(equations) {
    const users = new Map();
    for (const [user, e] of equations) for (const name of names(e)) users.set(name, [...users.get(name) ?? [], user]);
    return users;
  }
  // The terms of a gradient, each with the quantity through which it comes: [expression, name].
  function paths([name, e], usersOfAll) {
    const users = usersOfAll.get(graded(name)) ?? [];
    const terms = summands(e), through = terms.map(term => names(term).map(graded).find(Boolean) ?? "");
    const left = users.filter(user => !through.includes(user));
    return terms.map((term, k) => [term, through[k] || (left.shift() ?? "")]);
  }
  function summands(e, sign = 1) {
    if (isCall(e, "add")) return e.slice(1).flatMap(arg => summands(arg, sign));
    if (isCall(e, "sub") && names(e).some(graded)) return [...summands(e[1], sign), ...summands(e[2], -sign)];
    return [sign > 0 ? e : neg(e)];
  }

  // --- numbers ---
  const FUNCTIONS = {
    add: (...x) => x.reduce((a, b) => a + b), sub: (a, b) => a - b, mul: (...x) => x.reduce((a, b) => a * b),
    div: (a, b) => a / b, pow: Math.pow, neg: a => -a, ln: Math.log, sqrt: Math.sqrt, exp: Math.exp, tanh: Math.tanh,
    sigmoid, softplus, softmax, max: Math.max, gt: (a, b) => a > b ? 1 : 0, if: (c, a, b) => c ? a : b,
  };
  // The expression as a function of the numbers of an iteration: v => number.
  function compiled(e) {
    if (typeof e === "number") return () => e;
    if (typeof e === "string") return v => v[e];
    const f = FUNCTIONS[e[0]], args = e.slice(1).map(compiled);
    if (args.length === 1) return v => f(args[0](v));
    if (args.length === 2) return v => f(args[0](v), args[1](v));
    return v => f(...args.map(arg => arg(v)));
  }
  return { isCall, product, addUp, add, sub, mul, div, pow, neg, total, names, partials, backward, paths, usersOf, compiled, gradientOf,
    graded };
})();
