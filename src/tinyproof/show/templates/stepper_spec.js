// What the reader may build: the limits, said in one line each as the command says them; the network in the page's
// address, and as TOML.
const specs = (() => {
  const { range, parameterCount } = network;
  const ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky relu", "softplus", "identity", "softmax"];
  const LOSSES = ["half squared error", "mean squared error", "binary cross-entropy", "categorical cross-entropy"];
  const TAKEN = ["summed", "averaged", "one after the other"], BIASES = ["none", "layer", "unit"];
  const OPTIMIZERS = {
    sgd: {}, momentum: { momentum: 0.9 }, rmsprop: { alpha: 0.99, eps: 1e-8 },
    adam: { beta1: 0.9, beta2: 0.999, eps: 1e-8 },
  };
  const SETTINGS = Object.values(OPTIMIZERS).flatMap(Object.keys);
  const MOST = { parameters: 120, units: 10, layers: 120, examples: 16, iterations: 10000, work: 2000000, link: 8000 };

  // --- checks: undefined, or {field, line} of the first thing that does not fit ---
  const said = value => typeof value === "string" ? `'${value}'` : Array.isArray(value) ? `[${value.join(", ")}]`
    : String(value);
  const wrong = (field, value, allowed, place = field) => ({ field,
    line: `${place}: ${said(value)} is not allowed; allowed: ${allowed}` });
  const whole = (x, low, high) => Number.isInteger(x) && x >= low && x <= high;

  const checkChoices = spec => checkShape(spec) ?? checkTraining(spec) ?? checkExamples(spec) ?? checkBatch(spec)
    ?? checkLoss(spec);
  const check = spec => checkChoices(spec) ?? checkValues(spec);
  function checkShape({ inputs, layers }) {
    const count = "a whole number from 1 to 10";
    if (!whole(inputs, 1, MOST.units)) return wrong("inputs", inputs, count);
    if (!whole(layers.length, 1, MOST.layers)) return wrong("layers", layers.length, `1 to ${MOST.layers}`);
    for (const [k, layer] of layers.entries()) {
      const field = `layers[${k + 1}]`, last = k + 1 === layers.length,
        bad = (key, allowed) => wrong(`${field}.${key}`, layer[key], allowed);
      if (!whole(layer.units, 1, MOST.units)) return bad("units", count);
      if (!ACTIVATIONS.includes(layer.activation)) return bad("activation", ACTIVATIONS.join(", "));
      if (layer.activation === "softmax" && !last) return bad("activation", "softmax in the last layer only");
      if (layer.activation === "softmax" && layer.units < 2) return bad("units", "two or more with softmax");
      if (!BIASES.includes(layer.bias)) return bad("bias", BIASES.join(", "));
      if (!Number.isFinite(layer.leak)) return bad("leak", "a finite number");
    }
    const found = parameterCount({ inputs, layers });
    if (found > MOST.parameters)
      return wrong("layers", `${found} weights and biases`, `at most ${MOST.parameters} on a page`, "network");
  }
  function checkTraining({ loss, taken, rate, iterations, optimizer }) {
    if (!LOSSES.includes(loss)) return wrong("loss", loss, LOSSES.join(", "));
    if (!TAKEN.includes(taken)) return wrong("taken", taken, TAKEN.join(", "));
    if (allowed(network.RATE, rate)) return wrong("rate", rate, allowed(network.RATE, rate), "learning rate");
    if (!whole(iterations, 1, MOST.iterations)) return wrong("iterations", iterations,
      "a whole number from 1 to 10,000");
    if (!Object.hasOwn(OPTIMIZERS, optimizer.kind)) return wrong("optimizer", optimizer.kind,
      Object.keys(OPTIMIZERS).join(", "));
    for (const name of Object.keys(OPTIMIZERS[optimizer.kind])) {
      const line = allowed(name, optimizer[name]);
      if (line) return wrong(name, optimizer[name], line);
    }
  }
  // What a given of that name may be, where this value is not: in words, else nothing.
  function allowed(name, value) {
    const finite = Number.isFinite(value);
    if ([network.RATE, "eps"].includes(name)) return finite && value > 0 ? "" : "a finite number above 0";
    if (SETTINGS.includes(name)) return finite && value >= 0 && value < 1 ? "" : "a number from 0 to below 1";
    return finite ? "" : "a finite number";
  }
  function checkExamples({ inputs, layers, examples }) {
    const outputs = layers.at(-1).units;
    if (!whole(examples.length, 1, MOST.examples)) return wrong("examples", `${examples.length} examples`,
      "1 to 16 on a page", "network");
    const sides = [["inputs", inputs], ["targets", outputs]];
    for (const [k, example] of examples.entries()) for (const [key, count] of sides) {
      const field = `examples[${k + 1}].${key}`, values = example[key],
        bad = values.findIndex(value => !Number.isFinite(value));
      if (values.length !== count) return wrong(field, `${values.length} numbers`, count);
      if (bad >= 0) return wrong(`${field}[${bad + 1}]`, values[bad], "a finite number", field);
    }
  }
  function checkBatch({ batch, taken, examples: { length } }) {
    if (batch == null) return;
    if (taken === "one after the other") return wrong("batch", batch, `no batch with taken = ${taken}`);
    const fitting = range(length).map(k => k + 1).filter(k => length % k === 0);
    if (!fitting.includes(batch)) return wrong("batch", batch, length > 1
      ? `a number that divides the ${length} examples: ${fitting.join(", ")}` : "1: there is one example");
  }
  function checkLoss({ loss, layers, examples }) {
    const fitting = { "binary cross-entropy": "sigmoid", "categorical cross-entropy": "softmax" }[loss];
    if (fitting && layers.at(-1).activation !== fitting) return wrong("loss", loss,
      `${loss} with ${fitting} in the last layer`);
    if (fitting) for (const [k, { targets }] of examples.entries()) {
      const field = `examples[${k + 1}].targets`, bad = targets.findIndex(target => target < 0 || target > 1);
      if (bad >= 0) return wrong(`${field}[${bad + 1}]`, targets, `numbers from 0 to 1 with ${loss}`, field);
      if (loss === "categorical cross-entropy" && Math.abs(targets.reduce((a, b) => a + b) - 1) > 1e-9)
        return wrong(`${field}[1]`, targets, "numbers that add up to 1", field);
    }
  }
  function checkValues(spec) {
    const { values } = spec, count = parameterCount(spec);
    if (spec.seed !== null && !whole(spec.seed, 0, 2 ** 32 - 1)) return wrong("seed", spec.seed,
      "a whole number from 0 to 4294967295");
    if (values.length !== count) return wrong("start", `${values.length} numbers`, count, "starting weights");
    if (!values.every(Number.isFinite)) return wrong("start", values.find(x => !Number.isFinite(x)), "a finite number",
      "starting weights");
  }

  // Weights and biases between -1 and 1 with two decimals; the same seed, the same numbers (mulberry32).
  function drawn(seed, count) {
    let a = seed >>> 0;
    return range(count).map(() => {
      a = a + 0x6D2B79F5 | 0;
      let t = Math.imul(a ^ a >>> 15, 1 | a);
      t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
      return Math.round(((t ^ t >>> 14) >>> 0) / 4294967296 * 200 - 100) / 100 || 0;
    });
  }

  // --- in the address: net=2-3tu-1s, then loss, taken, data and so on, each a few letters and numbers ---
  const CODES = { sigmoid: "s", tanh: "t", relu: "r", "leaky relu": "l", softplus: "p", identity: "i", softmax: "m" };
  const BIAS = { none: "", layer: "b", unit: "u" };
  const short = text => text.split(" ").map(word => word[0]).join(""); // half squared error: hse
  const keyOf = (table, code) => Object.keys(table).find(key => table[key] === code);
  const flat = numbers => numbers.map(String).join("_");
  function toLink(spec, params) {
    const layer = ({ units, activation, bias, constant }) =>
      units + CODES[activation] + (constant ? BIAS[bias].toUpperCase() : BIAS[bias]);
    const { kind, ...settings } = spec.optimizer, leaks = spec.layers.map(one => one.leak);
    params.set("net", [spec.inputs, ...spec.layers.map(layer)].join("-"));
    params.set("loss", short(spec.loss));
    params.set("taken", short(spec.taken));
    if (spec.batch != null) params.set("batch", spec.batch);
    params.set("optimizer", [kind, ...Object.values(settings)].join("_"));
    params.set("rate", spec.rate);
    params.set("iterations", spec.iterations);
    if (leaks.some(leak => leak !== 0.01)) params.set("leak", flat(leaks));
    params.set("data", flat(spec.examples.flatMap(({ inputs, targets }) => [...inputs, ...targets])));
    if (spec.seed === null) params.set("start", flat(spec.values));
    else params.set("seed", spec.seed);
  }
  // The network of an address, checked: {spec}, or {line} that says what is wrong with it.
  function fromLink(params) {
    if (String(params).length > MOST.link) return { line: `the link: longer than ${MOST.link} characters` };
    const text = key => params.get(key) ?? "", exact = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;
    const numbers = key => text(key) ? text(key).split("_").map(part => exact.test(part) ? Number(part) : NaN) : [];
    const [inputs, ...rest] = text("net").split("-"), leaks = numbers("leak");
    const layers = rest.map((part, k) => {
      const found = part.match(/^(\d+)([a-z])([buBU]?)$/), [, units, code, bias] = found ?? [];
      return { units: Number(units), activation: keyOf(CODES, code), bias: keyOf(BIAS, bias?.toLowerCase()),
        constant: "BU".includes(bias || "-"), leak: leaks.length ? leaks[k] : 0.01 };
    });
    const [kind, ...settings] = text("optimizer").split("_"),
      usual = Object.hasOwn(OPTIMIZERS, kind) ? OPTIMIZERS[kind] : {};
    const named = Object.keys(usual).map((name, k) => [name, exact.test(settings[k]) ? Number(settings[k]) : NaN]);
    const one = list => list.length === 1 ? list[0] : NaN, seed = params.has("seed") ? one(numbers("seed")) : null;
    const spec = {
      inputs: exact.test(inputs) ? Number(inputs) : NaN, layers, seed,
      loss: LOSSES.find(loss => short(loss) === text("loss")),
      taken: TAKEN.find(taken => short(taken) === text("taken")),
      batch: params.has("batch") ? one(numbers("batch")) : null,
      optimizer: { kind, ...Object.fromEntries(named) }, rate: one(numbers("rate")),
      iterations: one(numbers("iterations")),
      examples: [], values: [],
    };
    const problem = checkShape(spec);
    if (problem) return problem;
    const data = numbers("data"), width = spec.inputs + layers.at(-1).units, count = parameterCount(spec);
    const row = k => data.slice(k * width, (k + 1) * width);
    if (data.length > MOST.examples * width) return wrong("examples", `${Math.ceil(data.length / width)} examples`,
      "1 to 16 on a page", "network");
    spec.examples = range(Math.ceil(data.length / width)).map(k => ({ inputs: row(k).slice(0, inputs),
      targets: row(k).slice(inputs) }));
    spec.values = seed === null ? numbers("start") : whole(seed, 0, 2 ** 32 - 1) ? drawn(seed, count) : [];
    return check(spec) ?? { spec };
  }

  // --- as TOML, which `tinyproof workbook` and all the other commands read ---
  function toToml(spec) {
    const { kind, ...settings } = spec.optimizer, real = x => Number.isInteger(x) && Math.abs(x) < 1e15 ? `${x}.0`
      : String(x);
    const list = numbers => `[${numbers.map(real).join(", ")}]`;
    const lines = ['name = "mine"', `loss = "${spec.loss}"`, `taken = "${spec.taken}"`,
      `learning_rate = ${real(spec.rate)}`];
    if (spec.batch != null) lines.push(`batch = ${spec.batch}`);
    const own = Object.entries(settings).map(([name, x]) => `${name} = ${real(x)}`);
    if (kind !== "sgd") lines.push(`optimizer = "${kind}"`, ...own);
    for (const { inputs, targets } of spec.examples)
      lines.push("", "[[examples]]", `inputs = ${list(inputs)}`, `targets = ${list(targets)}`);
    let at = 0, before = spec.inputs;
    const next = count => spec.values.slice(at, at += count);
    for (const { units, activation, bias, constant, leak } of spec.layers) {
      lines.push("", "[[layers]]", `activation = "${activation}"`, "weights = [",
        ...range(units).map(() => `  ${list(next(before))},`), "]");
      if (bias !== "none") {
        lines.push(`bias = ${bias === "unit" ? list(next(units)) : real(next(1)[0])}`, `train_bias = ${!constant}`);
      }
      if (activation === "leaky relu") lines.push(`leak = ${real(leak)}`);
      before = units;
    }
    return lines.join("\n") + "\n";
  }
  return { check, checkChoices, allowed, drawn, toLink, fromLink, toToml, ACTIVATIONS, LOSSES, TAKEN, OPTIMIZERS, MOST };
})();
