// The slips of a network that the reader builds: those of Python's slips, from the expressions that this page made.
// slipsOf(net, gradients): [gradient, kind, old, new, place, (v, t, n) => value], as EQUATIONS.slips of the given one.
const slipsOf = (() => {
  const { sub, div, names, product, addUp, compiled, isCall } = algebra, { range } = network;
  const MOST = 240, PEERS = 2, UPDATED = "new ";
  const LIKELIEST = ["lost term", "exchanged sides", "updated", "square", "sign", "brackets", "lost factor", "variable"];
  const key = JSON.stringify, bringsGradients = e => names(e).some(name => name.startsWith("dE/d"));

  function substitute(e, changed) {
    if (typeof e === "string") return changed.get(e) ?? e;
    return isCall(e) ? [e[0], ...e.slice(1).map(arg => substitute(arg, changed))] : e;
  }

  // --- as one types it: [text, how tightly it binds] ---
  const [COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM] = range(6);
  const group = text => `(${text})`;
  function at(e, least) {
    const [text, binds] = typed(e);
    return binds >= least ? text : group(text);
  }
  function unsigned(e) {
    const text = at(e, PRODUCT);
    return text.startsWith("-") ? group(text) : text;
  }
  function typed(e) {
    if (typeof e === "number") return [String(e), e < 0 ? SIGN : ATOM];
    if (typeof e === "string") return [e, ATOM];
    const [f, a, b, ...rest] = e;
    switch (f) {
      case "add": return [[at(a, SUM), ...e.slice(2).map(unsigned)].join("+"), SUM];
      case "sub": return [`${at(a, SUM)}-${unsigned(b)}`, SUM];
      case "mul": return [[at(a, PRODUCT), ...e.slice(2).map(arg => at(arg, POWER))].join("*"), PRODUCT];
      case "div": return [`${at(a, PRODUCT)}/${at(b, POWER)}`, PRODUCT];
      case "neg": return [`-${unsigned(a)}`, SIGN];
      case "pow": {
        const base = at(a, ATOM), name = typeof a === "string" && a.includes("/");
        return [`${name && !base.startsWith("(") ? group(base) : base}^${at(b, ATOM)}`, POWER];
      }
      case "gt": return [`${at(a, SUM)}>${at(b, SUM)}`, COMPARE];
      case "softmax": {
        const powers = [b, ...rest].map(logit => ["exp", logit]);
        return typed(div(powers[a - 1], ["add", ...powers]));
      }
    }
    return [f + group(e.slice(1).map(arg => typed(arg)[0]).join(",")), ATOM];
  }

  // What the first example adds to a sum over examples.
  function firstOf(e, tag) {
    if (!tag || !isCall(e, "add")) return e;
    const own = e.slice(1).filter(arg => names(arg).some(name => name.endsWith(tag)));
    return own.length === 1 ? own[0] : ["add", ...own];
  }
  // What a gradient's name has in common with those of its layer.
  function layerOf(net, of) {
    for (const [n, layer] of net.layers.entries()) {
      const units = range(layer.units).map(k => net.unit(n, k));
      const groups = [units, units.map(unit => `a_${unit}`), net.weights[n].flat(), net.biases[n]];
      for (const group of groups) if (group.includes(of)) return group[0];
    }
    return of;
  }
  // For every quantity those that are taken for it, the nearest first.
  function peersOf(net) {
    const tag = net.tags[0], found = new Map();
    const alike = members => members.forEach((name, place) => {
      const near = range(members.length).filter(k => k !== place);
      near.sort((a, b) => Math.abs(a - place) - Math.abs(b - place) || a - b);
      found.set(name, [...found.get(name) ?? [], ...near.map(k => members[k])]);
    });
    alike(net.feeds(0, tag));
    alike(range(net.shape.at(-1)).map(k => `t${k + 1}${tag}`));
    net.layers.forEach(({ activation, units }, n) => {
      const own = range(units).map(k => net.unit(n, k) + tag), weights = net.weights[n];
      weights.forEach(alike);
      range(net.shape[n]).forEach(j => alike(weights.map(row => row[j])));
      for (const before of ["a_", "", "dE/da_", "dE/d"]) alike(own.map(unit => before + unit));
      if (activation !== "identity") for (const unit of own) {
        found.get(`a_${unit}`).push(unit);
        if (!activation.includes("relu")) found.get(unit).push(`a_${unit}`); // the gate is the same
      }
    });
    return found;
  }

  // --- one slip after the other: [kind, written, belongs, whole, farther] ---
  function* slipsIn(e, peers, net) {
    for (const [node, put] of places(e))
      if (isCall(node)) for (const [kind, old, belongs, changed] of edits(node)) yield [kind, old, belongs, put(changed), 0];
    const terms = signedTerms(e);
    if (terms.length > 1 && bringsGradients(e)) for (const [k, lost] of terms.entries())
      yield ["lost term", e, lost, addUp(terms.toSpliced(k, 1)), 0];
    const used = names(e);
    for (const right of used) {
      const all = peers.get(right) ?? [], likely = all.filter(peer => !used.includes(peer)).slice(0, PEERS);
      for (const [farther, peer] of (likely.length ? likely : all.slice(0, 1)).entries())
        yield ["variable", peer, right, substitute(e, new Map([[right, peer]])), farther];
    }
    const weights = used.filter(name => net.trained.includes(name));
    if (weights.length) yield ["updated", e, e, substitute(e, new Map(weights.map(name => [name, UPDATED + name]))), 0];
  }
  // Every node, with the way to put another in its place.
  function* places(e) {
    const stack = [[e, changed => changed]];
    yield stack[0];
    while (stack.length) {
      const [node, put] = stack.pop();
      if (!isCall(node) || isCall(node, "if", "gt", "ge", "eq")) continue;
      for (const k of range(node.length - 1)) {
        const inner = [node[k + 1], changed => put(node.with(k + 1, changed))];
        yield inner;
        stack.push(inner);
      }
    }
  }
  function* edits(node) {
    const [f, a, b] = node;
    if (f === "mul") yield* productEdits(node);
    else if (f === "sub" && names(a).length && !bringsGradients(node)) yield ["exchanged sides", sub(b, a), node, sub(b, a)];
    else if (f === "neg") yield ["sign", a, node, a];
    else if (f === "div" && typeof b === "number") yield ["lost factor", node, div(1, b), a];
    else if (f === "pow" && b === 2) yield ["square", a, node, a];
  }
  // One factor lost, or two neighbours (a slope is often two); a difference that lost its brackets.
  function* productEdits(node) {
    const args = node.slice(1);
    for (const width of args.length > 2 ? [1, 2] : [1])
      for (let k = width - 1; k < args.length - width + 1; k++) {
        const lost = args.slice(k, k + width), rest = args.toSpliced(k, width);
        yield ["lost factor", node, product(...lost), rest.length === 1 ? rest[0] : ["mul", ...rest]];
      }
    for (const [k, inner] of args.entries()) {
      if (!k || !isCall(inner, "sub")) continue; // x*1-a for x*(1-a)
      const before = ["mul", ...args.slice(0, k), inner[1]];
      const after = k + 1 === args.length ? inner[2] : ["mul", inner[2], ...args.slice(k + 1)];
      yield ["brackets", sub(before, after), node, sub(before, after)];
    }
  }
  function signedTerms(e) {
    if (isCall(e, "add")) return e.slice(1).flatMap(signedTerms);
    if (isCall(e, "sub")) return [...signedTerms(e[1]), ...signedTerms(e[2]).map(term => product(-1, term))];
    return [e];
  }

  // With another example's numbers where `t` is its mark.
  function valued(wrong, tag) {
    const f = compiled(wrong), used = names(wrong);
    const place = (name, v, t, n) => name.startsWith(UPDATED) ? n[name.slice(UPDATED.length)]
      : v[tag && name.endsWith(tag) ? name.slice(0, -tag.length) + t : name];
    return (v, t, n) => f(Object.fromEntries(used.map(name => [name, place(name, v, t, n)])));
  }
  return (net, gradients) => {
    const tag = net.tags[0], peers = peersOf(net), found = [], numbers = new Map();
    const place = ([name]) => net.trained.indexOf(name.slice(4)); // Python has the parameters last, in their order
    const inOrder = gradients.toSorted((a, b) => place(a) - place(b));
    for (const [whole, e] of inOrder) {
      const name = tag && whole.endsWith(tag) ? whole.slice(0, -tag.length) : whole;
      if (name.includes("[")) continue; // another example's: the same slips
      const right = firstOf(e, tag), seen = new Set([key(right)]);
      let number = 0;
      for (const [kind, old, belongs, wrong, farther] of slipsIn(right, peers, net)) {
        const spot = `${layerOf(net, name.slice(4))} ${kind} ${number++}`;
        if (!seen.has(key(wrong))) found.push({ name, kind, old, belongs, wrong, farther, place: spot });
        seen.add(key(wrong));
      }
    }
    const rank = ({ farther, kind }) => 100 * farther + LIKELIEST.indexOf(kind);
    const kept = new Set(found.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST));
    const said = (e, kind, where) => WORDS[kind].includes(where) ? typed(e)[0].replaceAll(tag || "\n", "") : "";
    return found.filter(one => kept.has(one)).map(({ name, kind, old, belongs, wrong, place }) => {
      if (!numbers.has(place)) numbers.set(place, numbers.size);
      return [name, kind, said(old, kind, "{old}"), said(belongs, kind, "{new}"), numbers.get(place), valued(wrong, tag)];
    });
  };
})();
