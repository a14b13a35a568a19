// The panel in which the reader changes the network: its fields, made anew whenever their number changes.
// `draft`: a spec (see stepper_net) and `keep`: whether the starting weights stay as they are.
const panel = (() => {
  const h = (tag, attributes, ...children) => element(null, tag, attributes, ...children), { range } = network;
  const BIASES = [
    ["none", "no bias"], ["unit", "a bias for each unit"], ["layer", "one bias, shared by the layer"],
    ["unit constant", "a bias for each unit, not trained"], ["layer constant", "one bias, not trained"],
  ];
  const KINDS = [["sgd", "plain gradient descent"], ["momentum", "momentum"], ["rmsprop", "RMSprop"], ["adam", "Adam"]];
  const GATES = {
    XOR: bits => bits.reduce((a, b) => a + b) % 2, AND: bits => Math.min(...bits), OR: bits => Math.max(...bits),
  };

  function number(field, name, value, attributes = {}) {
    const input = h("input", { type: "number", step: "any", inputmode: "decimal", "data-field": field, ...attributes });
    input.value = value;
    return h("label", {}, h("span", {}, name), " ", input);
  }
  function cell(field, name, value) {
    const input = number(field, "", value, { "aria-label": name }).lastChild;
    return h("td", {}, input);
  }
  function choice(field, name, options, value, attributes = {}) {
    const select = h("select", { "data-field": field, ...attributes },
      ...options.map(one => Array.isArray(one) ? one : [one, one]).map(([key, text]) => h("option", { value: key },
        text)));
    select.value = value;
    return name ? h("label", {}, h("span", {}, name), " ", select) : select;
  }
  const button = (act, text, attributes = {}) => h("button", { type: "button", "data-act": act, ...attributes }, text);
  const group = (name, title, ...children) =>
    h("fieldset", { "data-group": name }, h("legend", {}, title), ...children,
      h("p", { class: "bad line-wrong", id: `wrong-${name}`, role: "alert" }));

  function draw(form, draft) {
    const focused = document.activeElement?.closest?.("#build-form [data-field], #build-form [data-act]");
    const { field, act } = focused?.dataset ?? {};
    form.replaceChildren(layers(draft), training(draft), examples(draft), starting(draft), actions());
    // The focus stays where it was, or goes to the nearest thing that is still there.
    const again = field && all("[data-field]", form).find(one => one.dataset.field === field)
      || act && all("[data-act]", form).find(one => one.dataset.act === act)
      || act && form.querySelector("[data-act=add-example]");
    if (again) again.focus();
  }
  function layers({ inputs, layers }) {
    const row = (layer, k) => {
      const at = `layers[${k + 1}]`, last = k + 1 === layers.length,
        name = last ? "Output layer" : `Hidden layer ${k + 1}`;
      const parts = [
        h("b", {}, name), number(`${at}.units`, "units", layer.units, { step: 1, min: 1, max: specs.MOST.units }),
        choice(`${at}.activation`, "activation", specs.ACTIVATIONS, layer.activation),
        choice(`${at}.bias`, "bias", BIASES, layer.bias + (layer.constant ? " constant" : ""))];
      if (layer.activation === "leaky relu") parts.push(number(`${at}.leak`, "slope below 0", layer.leak));
      if (!last) parts.push(button(`remove-layer ${k}`, "Remove", { "aria-label": `Remove hidden layer ${k + 1}` }));
      return h("div", { class: "row", role: "group", "aria-label": name }, ...parts);
    };
    const head = h("div", { class: "row" }, h("b", {}, "Inputs"),
      number("inputs", "how many", inputs, { step: 1, min: 1, max: specs.MOST.units }));
    return group("layers", "Layers", head, ...layers.map(row), button("add-layer", "Add a hidden layer"));
  }
  function training(draft) {
    const { optimizer: { kind, ...settings }, loss, taken } = draft;
    const greek = name => h("span", {}, name, ` ${typeset.GREEK[name]}`);
    const own = Object.entries(settings).map(([name, value]) => {
      const field = number(name, "", value);
      field.firstChild.replaceWith(greek(name));
      return field;
    });
    return group("training", "Loss and steps", h("div", { class: "row" },
      choice("loss", "loss", specs.LOSSES, loss), choice("taken", "examples", specs.TAKEN, taken),
      ...taken === "one after the other" || draft.examples.length < 2 ? [] : [
        number("batch", "so many a step", draft.batch ?? draft.examples.length, { step: 1, min: 1 })],
      choice("optimizer", "optimiser", KINDS, kind), ...own,
      number("rate", "learning rate", draft.rate), number("iterations", "iterations", draft.iterations,
        { step: 1, min: 1 })));
  }
  function examples({ examples }) {
    const of = (key, letter) => (examples[0]?.[key] ?? []).map((_, k) => [letter, k + 1]),
      heads = [...of("inputs", "i"), ...of("targets", "t")];
    const head = h("tr", {}, h("th", { scope: "col" }, "example"),
      ...heads.map(([letter, k]) => h("th", { scope: "col" }, letter, h("sub", {}, k))), h("td", {}));
    const row = (example, e) => h("tr", {}, h("th", { scope: "row" }, e + 1),
      ...[["inputs", "input"], ["targets", "target"]].flatMap(([key, word]) => example[key].map((value, k) =>
        cell(`examples[${e + 1}].${key}[${k + 1}]`, `${word} ${k + 1} of example ${e + 1}`, value))),
      h("td", {}, button(`remove-example ${e}`, "Remove", { "aria-label": `Remove example ${e + 1}` })));
    const table = h("table", {}, h("thead", {}, head), h("tbody", {}, ...examples.map(row)));
    const kind = { class: "scroll", tabindex: 0, role: "region", "aria-label": "The examples" };
    return group("examples", "Examples", h("div", kind, table),
      h("div", { class: "row" }, button("add-example", "Add an example"),
        ...Object.keys(GATES).map(gate => button(`gate ${gate}`, gate,
          { "aria-label": `Take the examples of ${gate}` }))));
  }
  function starting({ keep, seedNumber }) {
    return group("start", "Starting weights", h("div", { class: "row" },
      choice("start", "weights and biases", [["kept", "as they are now"], ["drawn", "drawn at random"]], keep ? "kept"
        : "drawn"),
      number("seed", "seed", seedNumber, { step: 1, min: 0 }), button("redraw", "Draw others")));
  }
  function actions() {
    return h("div", { class: "actions" },
      h("p", { id: "build-said", class: "quiet", role: "status" }),
      h("div", { class: "row" }, button("toml", "Save as mine.toml"), button("given", "Back to the network given")),
      h("p", { class: "quiet" }, "The same network as a workbook with live formulas: save it, then ",
        h("code", {}, "tinyproof workbook mine.toml"), " writes the .xlsx; ", h("code", {}, "tinyproof page mine.toml"),
        " makes its page. The address of this page keeps the network, too."));
  }

  // --- what the fields say: each changes the draft ---
  const value = input => input.value.trim() === "" ? "" : Number(input.value);
  function read(input, draft) {
    const { field } = input.dataset, layer = field.match(/^layers\[(\d+)\]\.(\w+)$/);
    const example = field.match(/^examples\[(\d+)\]\.(\w+)\[(\d+)\]$/);
    if (layer) readLayer(draft.layers[layer[1] - 1], layer[2], input);
    else if (example) draft.examples[example[1] - 1][example[2]][example[3] - 1] = value(input);
    else if (field === "optimizer") draft.optimizer = { kind: input.value, ...specs.OPTIMIZERS[input.value] };
    else if (field === "start") draft.keep = input.value === "kept";
    else if (field === "seed") [draft.seedNumber, draft.keep] = [value(input), false];
    else if (field in draft.optimizer) draft.optimizer[field] = value(input);
    else draft[field] = ["loss", "taken"].includes(field) ? input.value : value(input);
    if (draft.batch === draft.examples.length || draft.taken === "one after the other") draft.batch = null;
    widen(draft);
  }
  function readLayer(layer, key, input) {
    if (key === "bias") [layer.bias, layer.constant] = [input.value.split(" ")[0], input.value.endsWith("constant")];
    else layer[key] = key === "activation" ? input.value : value(input);
  }
  // Examples as wide as the network; what is new is 0.
  function widen(draft) {
    const fitted = (values, count) => range(count).map(k => values[k] ?? 0),
      fine = x => Number.isInteger(x) && x >= 1 && x <= specs.MOST.units;
    const outputs = draft.layers.at(-1).units;
    for (const example of draft.examples) {
      if (fine(draft.inputs)) example.inputs = fitted(example.inputs, draft.inputs);
      if (fine(outputs)) example.targets = fitted(example.targets, outputs);
    }
  }
  function act(name, draft) {
    const [what, which] = name.split(" "), { layers, examples } = draft;
    if (what === "add-layer") {
      const { activation } = layers.at(-2) ?? { activation: "sigmoid" }, { bias } = layers.at(-1);
      layers.splice(-1, 0, { units: 2, activation, bias, constant: false, leak: 0.01 });
    } else if (what === "remove-layer") layers.splice(Number(which), 1);
    else if (what === "add-example") examples.push({ inputs: [], targets: [] });
    else if (what === "remove-example") examples.splice(Number(which), 1);
    else if (what === "redraw") [draft.seedNumber, draft.keep] = [(Number(draft.seedNumber) || 0) + 1, false];
    else if (what === "gate") gate(draft, GATES[which]);
    widen(draft);
  }
  function gate(draft, truth) {
    const wide = draft.inputs >= 1 && draft.inputs <= 4 ? draft.inputs : 2, outputs = draft.layers.at(-1).units;
    draft.inputs = wide;
    draft.examples = range(2 ** wide).map(k => {
      const bits = range(wide).map(bit => k >> wide - 1 - bit & 1), y = truth(bits);
      return { inputs: bits, targets: outputs > 1 ? [y, 1 - y] : [y] };
    });
  }

  // --- what is wrong, beside its field ---
  const GROUPS = { inputs: "layers", layers: "layers", examples: "examples", seed: "start", start: "start" };
  function say(form, problem) {
    for (const line of all(".line-wrong", form)) line.textContent = "";
    for (const input of all("[aria-invalid]", form))
      for (const key of ["aria-invalid", "aria-describedby"]) input.removeAttribute(key);
    if (!problem) return;
    const name = GROUPS[problem.field.match(/^\w+/)[0]] ?? "training", line = form.querySelector(`#wrong-${name}`);
    line.textContent = `${problem.line}. Until then the last good network is shown.`;
    const input = all("[data-field]", form).find(one => one.dataset.field === problem.field);
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", line.id);
  }
  return { draw, read, act, say };
})();
