// A network that the reader builds, as equations: the textbook's names, the order and the words of Python's net,
// equations and page_data. A spec: {inputs, layers: [{units, activation, bias, constant, leak}], loss, taken,
// batch (examples a step; null: all), examples: [{inputs, targets}], rate, iterations, optimizer: {kind, ..}, values}; bias: "none", "layer" or "unit";
// values: the starting weights and biases, layer by layer, a layer's weights before its biases.
const network = (() => {
  const { add, sub, mul, div, pow, neg, total, names, backward, paths, usersOf, compiled, gradientOf,
    graded } = algebra;
  const range = count => [...Array(count).keys()], RATE = "learning_rate";

  // --- names ---
  function named(spec) {
    const { layers } = spec, last = layers.length - 1, count = spec.examples.length;
    const atOnce = spec.taken === "one after the other" ? 1 : spec.batch ?? count, together = atOnce > 1;
    const net = { ...spec, last, together, atOnce, turns: count / atOnce, shape: [spec.inputs, ...layers.map(layer => layer.units)] };
    net.tags = together ? range(atOnce).map(k => `[${k + 1}]`) : [""];
    net.unit = (n, k) => n === last ? `o${k + 1}` : last === 1 ? `h${k + 1}` : `h${n + 1}_${k + 1}`;
    net.feeds = (n, tag = "") => n ? range(layers[n - 1].units).map(k => `a_${net.unit(n - 1, k)}${tag}`)
      : range(spec.inputs).map(k => `i${k + 1}${tag}`);
    let w = 0, b = 0;
    net.weights = layers.map((layer, n) => range(layer.units).map(() => range(net.shape[n]).map(() => `w${++w}`)));
    net.biases = layers.map(layer => range(biasesOf(layer)).map(() => `b${++b}`));
    net.biasOf = (n, k) => layers[n].bias === "none" ? "" : net.biases[n][layers[n].bias === "unit" ? k : 0];
    net.parameters = layers.flatMap((_, n) => [...net.weights[n].flat(), ...net.biases[n]]);
    net.trained = [...net.weights.flat(2), ...layers.flatMap((layer, n) => layer.constant ? [] : net.biases[n])];
    net.data = (example, tag) => {
      const { inputs, targets } = spec.examples[example],
        pair = (letter, x) => x.map((value, k) => [`${letter}${k + 1}${tag}`, value]);
      return Object.fromEntries([...pair("t", targets), ...pair("i", inputs)]);
    };
    return net;
  }
  const biasesOf = layer => ({ none: 0, layer: 1, unit: layer.units })[layer.bias];
  const parameterCount = ({ inputs, layers }) => layers.reduce(
    ({ sum, before }, layer) => ({ sum: sum + layer.units * before + biasesOf(layer), before: layer.units }),
    { sum: 0, before: inputs }).sum;

  // --- equations: [name, expression] ---
  function forward(net) {
    const found = net.tags.flatMap(tag => [...net.layers.flatMap((_, n) => layerOf(net, n, tag)), ...losses(net, tag)]);
    if (net.together) {
      const whole = total(net.tags.map(tag => `E_total${tag}`));
      found.push(["E_total", net.taken === "averaged" ? div(whole, net.tags.length) : whole]);
    }
    return found;
  }
  function layerOf(net, n, tag) {
    const layer = net.layers[n], feeds = net.feeds(n, tag), units = range(layer.units).map(k => net.unit(n, k));
    const logits = units.map(unit => unit + tag);
    const pairs = units.map((unit, k) => {
      const terms = net.weights[n][k].map((weight, j) => mul(weight, feeds[j])), bias = net.biasOf(n, k);
      return [[unit + tag, total(bias ? [...terms, bias] : terms)], [`a_${unit}${tag}`, activate(layer, k, logits)]];
    });
    return layer.activation === "softmax" ? [...pairs.map(pair => pair[0]), ...pairs.map(pair => pair[1])]
      : pairs.flat();
  }
  function activate({ activation, leak }, k, logits) {
    const x = logits[k];
    switch (activation) {
      case "identity": return x;
      case "relu": return ["max", x, 0];
      case "leaky relu": return ["if", ["gt", x, 0], x, ["mul", leak, x]];
      case "softmax": return ["softmax", k + 1, ...logits];
    }
    return [activation, x];
  }
  function losses(net, tag) {
    const count = net.shape.at(-1);
    const error = k => {
      const t = `t${k}${tag}`, a = `a_o${k}${tag}`;
      switch (net.loss) {
        case "half squared error": return mul(div(1, 2), pow(sub(t, a), 2));
        case "mean squared error": return pow(sub(t, a), 2);
        case "binary cross-entropy":
          return neg(add(mul(t, ["ln", a]), mul(sub(1, t), ["ln", sub(1, a)])));
      }
      return neg(mul(t, ["ln", a]));
    };
    const found = range(count).map(k => [`E${k + 1}${tag}`, error(k + 1)]), whole = total(found.map(([name]) => name));
    const mean = net.loss === "mean squared error" && count > 1;
    return [...found, [`E_total${tag}`, mean ? div(whole, count) : whole]];
  }
  // What the optimiser remembers, then the step of every parameter; each equation sees the new states before it.
  // The conventions are PyTorch's.
  function updates(net) {
    const { kind } = net.optimizer, average = (keep, state, value) => add(mul(keep, state), mul(sub(1, keep), value));
    const next = state => {
      const g = gradientOf(state.slice(2)), first = state.startsWith("m_");
      if (state === "n") return add("n", 1);
      if (kind === "momentum") return add(mul("momentum", state), g);
      return average(kind === "rmsprop" ? "alpha" : first ? "beta1" : "beta2", state, first ? g : pow(g, 2));
    };
    const step = name => {
      const g = gradientOf(name), m = `m_${name}`, v = `v_${name}`;
      const corrected = (state, beta) => div(state, sub(1, pow(beta, "n")));
      switch (kind) {
        case "momentum": return mul(RATE, m);
        case "rmsprop": return div(mul(RATE, g), add(["sqrt", v], "eps"));
        case "adam": return div(mul(RATE, corrected(m, "beta1")), add(["sqrt", corrected(v, "beta2")], "eps"));
      }
      return mul(RATE, g);
    };
    const moved = name => [name, sub(name, step(name))];
    return [...statesOf(net).map(name => [name, next(name)]), ...net.trained.map(moved)];
  }
  function statesOf(net) {
    const kept = { momentum: ["m_"], rmsprop: ["v_"], adam: ["m_", "v_"] }[net.optimizer.kind] ?? [];
    return [...net.optimizer.kind === "adam" ? ["n"] : [],
      ...kept.flatMap(letter => net.trained.map(name => letter + name))];
  }

  // --- the gradients' order, as one writes them on paper ---
  function columnsOf(net) {
    const column = new Map(), last = 2 * net.layers.length + 1;
    net.layers.forEach((layer, n) => range(layer.units).forEach(k => {
      for (const name of [...net.weights[n][k], net.biasOf(n, k)]) column.set(name, 2 * n + 1);
      for (const tag of net.tags)
        for (const name of [net.unit(n, k), `a_${net.unit(n, k)}`]) column.set(name + tag, 2 * n + 2);
    }));
    for (const tag of net.tags) {
      for (const k of range(net.shape.at(-1))) column.set(`E${k + 1}${tag}`, last);
      column.set(`E_total${tag}`, last + 1);
    }
    if (net.together) column.set("E_total", last + 2);
    return column;
  }
  function gradients(net, ahead, column) {
    const found = new Map(backward(ahead, net.trained)), way = [],
      place = new Map(net.parameters.map((name, k) => [name, k]));
    for (const n of range(net.layers.length).reverse()) for (const before of ["a_", ""])
      for (const tag of net.tags) for (const k of range(net.layers[n].units)) way.push(before + net.unit(n, k) + tag);
    const kept = [...way, ...net.trained].filter(name => found.has(gradientOf(name)));
    const key = (name, k) => [-column.get(name), place.has(name) ? 1 : 0, place.get(name) ?? k];
    const keyed = kept.map((name, k) => [key(name, k), name]);
    keyed.sort(([a], [b]) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return keyed.map(([, name]) => [gradientOf(name), found.get(gradientOf(name))]);
  }

  // --- everything the page is told: what DATA and EQUATIONS are ---
  function generate(spec) {
    const net = named(spec), ahead = forward(net), column = columnsOf(net), back = gradients(net, ahead, column);
    const change = updates(net), words = meanings(net), users = usersOf(ahead);
    const terms = back.map(equation => paths(equation, users));
    const steps = [
      ...ahead.map(equation => stepOf("forward", equation, column.get(equation[0]), words[equation[0]])),
      ...back.map((equation, k) => backwardStep(equation, terms[k], column, words)),
      ...change.map(equation => stepOf("update", equation, partOf(net, equation[0]), wordsOfUpdate(net, equation[0]))),
    ];
    const functions = equations => equations.map(([name, e]) => [name, compiled(e)]);
    const several = spec.examples.length > 1, { kind, ...settings } = spec.optimizer;
    const data = {
      iterations: spec.iterations,
      examples: net.atOnce,
      turns: net.turns,
      givens: Object.assign({ [RATE]: spec.rate }, ...spec.examples.map((_, k) => net.data(k, several ? `[${k + 1}]`
        : "")),
        Object.fromEntries(net.parameters.map((name, k) => [name, spec.values[k]])), settings,
        Object.fromEntries(statesOf(net).map(name => [name, 0]))),
      data: Object.keys(net.data(0, net.tags[0])).sort(),
      loss: "E_total",
      weights: net.weights.flat(2),
      trained: net.trained,
      gradient: Object.fromEntries(net.trained.map(name => [name, gradientOf(name)])),
      steps,
    };
    const lines = back.flatMap(([name], k) => terms[k].map(([term], j) => [`${name} ${j}`, term]));
    const equations = { forward: functions(ahead), backward: functions(back), update: functions(change),
      terms: functions(lines), slips: null, later: () => slipsOf(net, back) };
    return { net, ahead, data, equations };
  }
  // Of an update with an optimiser: n and m, then v, then the parameters.
  const partOf = (net, name) => net.trained.includes(name) ? 2 : name.startsWith("v_") ? 1 : 0;
  function stepOf(phase, [name, e], column, meaning) {
    const of = graded(name) || name, tag = typeset.parts(of)[2];
    return {
      phase, name, of, meaning, example: tag ? Number(tag) : null, group: `${phase} ${column}`, uses: names(e),
      chain: "", terms: [],
      left: typeset.nameOf(name) + (phase === "update" ? "<mo>←</mo>" : "<mo>=</mo>"),
      symbols: typeset.symbols(e), numbers: typeset.numbers(e),
    };
  }
  function backwardStep(equation, found, column, words) {
    const of = graded(equation[0]), through = found.map(([, name]) => name);
    return {
      ...stepOf("backward", equation, column.get(of), words[equation[0]]), chain: typeset.chainRule(of, through),
      terms: through.map((name, k) => ({ name: `${equation[0]} ${k}`, through: name })),
    };
  }
  return { generate, named, parameterCount, range, RATE };
})();
