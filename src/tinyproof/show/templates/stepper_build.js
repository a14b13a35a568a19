// A network that the reader builds takes the place of the one given: the same page over its equations.
const builder = (() => {
  const GIVEN = { data: { ...DATA }, equations: { ...EQUATIONS }, drawing: null, groups: null, title: "" };
  const copy = value => JSON.parse(JSON.stringify(value)), { range, RATE } = network;
  const form = $("build-form");
  let shown = DATA.spec, built = false, draft = { ...copy(shown), keep: true, seedNumber: 1 };

  // --- from a draft to the page ---
  const outline = ({ inputs, layers }) => JSON.stringify([inputs, ...layers.map(({ units, bias }) => [units, bias])]);
  // The spec that the draft means, or {field, line} of what is wrong.
  function meant() {
    const { keep, seedNumber, ...spec } = copy(draft), fits = outline(spec) === outline(shown);
    draft.keep = keep && fits;
    spec.seed = draft.keep ? shown.seed : seedNumber;
    const problem = specs.checkChoices(spec);
    if (problem) return problem;
    if (!draft.keep) spec.values = specs.drawn(seedNumber, network.parameterCount(spec));
    else if (spec.values.some((value, k) => value !== shown.values[k])) spec.seed = null;
    return specs.check(spec) ?? { spec };
  }
  // Why that network cannot be shown, or nothing once it is.
  function show(spec) {
    const made = network.generate(spec), { forward, backward, update } = made.equations;
    const work = forward.length + backward.length + update.length - made.net.trained.length;
    const most = Math.max(1, Math.floor(specs.MOST.work / work));
    if (spec.iterations > most) {
      const allowed = `at most ${most.toLocaleString("en")} for a network of this size`;
      return { field: "iterations", line: `iterations: ${spec.iterations} is not allowed; allowed: ${allowed}` };
    }
    const drawn = way => drawnNetwork(made.net, layout.draw(made.net, made.ahead, way), made.data);
    const drawing = ["across", "down"].map(drawn);
    rebuild({ ...made, drawing, groups: fields(made.net, made.data.givens), title: titleOf(spec) });
    [shown, built] = [spec, true];
  }
  function apply() {
    const { spec, ...problem } = meant(), wrong = spec ? show(spec) : problem;
    if (!wrong) draft.values = [...spec.values];
    panel.draw(form, draft);
    panel.say(form, wrong);
    $("build-said").textContent = wrong ? "" : `Shown now: ${titleOf(shown).replace(/^A /, "a ")}.`;
  }
  // Who types a value and then presses a button changes the field while the button is down: it must not move away.
  let pressing = false, waiting = false;
  form.addEventListener("pointerdown", event => { pressing = event.target.matches("button"); });
  addEventListener("pointerup", () => setTimeout(() => {
    pressing = false;
    if (waiting) apply();
    waiting = false;
  }, 30));
  const NAMES_OF = { sgd: "plain gradient descent", momentum: "momentum", rmsprop: "RMSprop", adam: "Adam" };
  function titleOf({ inputs, layers, loss, examples, taken, batch, optimizer, seed }) {
    const shape = [inputs, ...layers.map(({ units }) => units)].join("-"),
      kinds = layers.map(({ activation }) => activation).join(", ");
    const several = examples.length > 1 ? `${examples.length} examples, ${taken}` + (batch == null ? "" : `, ${batch} at a time`)
      : "1 example";
    return `A network built here: ${shape} (${kinds}), ${loss}, ${several}, ${NAMES_OF[optimizer.kind]}`
      + (seed === null ? "" : `, weights drawn with seed ${seed}`);
  }

  // --- the page over again ---
  function rebuild({ data, equations, drawing, groups, title }) {
    pause();
    const frame = document.querySelector(".drawing"), legend = document.querySelector("header p");
    GIVEN.drawing ??= [...frame.childNodes];
    GIVEN.groups ??= all("#givens fieldset");
    GIVEN.title ||= legend.textContent;
    Object.assign(DATA, data);
    Object.assign(EQUATIONS, equations);
    prepare();
    NAMES = namesOf(DATA);
    for (const values of [given, mine]) {
      for (const name of Object.keys(values)) delete values[name];
      Object.assign(values, DATA.givens);
    }
    frame.replaceChildren(...drawing);
    legend.textContent = title;
    for (const set of all("#givens fieldset")) set.remove();
    document.querySelector("#givens form").prepend(...groups);
    inputs = all("[data-given]");
    Object.assign(state, { iteration: 1, done: 0, example: 1, picked: DATA.trained[0], chosen: false });
    options("picked", DATA.trained.map(name => [name, name]));
    options("example", range(DATA.examples).map(k => [k + 1, `${k + 1} of ${DATA.examples}`]));
    $("example").closest("label").hidden = $("chain-of-one").hidden = DATA.examples < 2;
    before = yours = run(mine, DATA.iterations);
    version++;
    fill();
    showExample(1);
    crowdedWeights();
    measure();
    if (typeof teach !== "undefined") teach.rebuilt?.();
  }
  const options = (id, pairs) =>
    $(id).replaceChildren(...pairs.map(([value, text]) => element(null, "option", { value }, text)));
  // The fields of the form: the rate, each example, each layer's parameters.
  function fields(net, values) {
    const several = net.examples.length > 1, settings = Object.keys(net.optimizer).filter(name => name !== "kind");
    const groups = [["Learning rate", [RATE], 0]];
    if (settings.length) groups.push([`Optimiser: ${net.optimizer.kind}`, settings, 0]);
    net.examples.forEach((_, k) => {
      const names = Object.keys(net.data(k, several ? `[${k + 1}]` : "")),
        of = letter => names.filter(name => name[0] === letter);
      const title = several ? `Example ${k + 1} of ${net.examples.length}` : "Inputs and targets";
      groups.push([title, [...of("i"), ...of("t")], several ? k + 1 : 0]);
    });
    net.layers.forEach((_, n) => groups.push([`Layer ${n + 1}`, [...net.weights[n].flat(), ...net.biases[n]], 0]));
    return groups.map(([title, names, example]) => element(null, "fieldset", example ? { "data-example": example } : {},
      element(null, "legend", {}, title), ...names.filter(name => name in values).map(labelled)));
  }
  function labelled(name) {
    const greek = typeset.GREEK[name], [base, index] = greek ?? typeset.parts(name),
      kind = { type: "number", step: "any", inputmode: "decimal" };
    const input = element(null, "input", { ...kind, "data-given": name, "aria-label": name.replaceAll("_", " ") });
    const below = index ? [element(null, "sub", {}, index)] : [];
    return element(null, "label", {}, element(null, "span", {}, base, ...below), " ", input);
  }

  // --- there and back ---
  function back() {
    if (built) rebuild(GIVEN);
    [shown, built] = [GIVEN.data.spec, false];
    draft = { ...copy(shown), keep: true, seedNumber: 1 };
    panel.draw(form, draft);
    $("build-said").textContent = "Shown now: the network given.";
  }
  // The network on the page, with what the reader changed in the fields below.
  function current() {
    const net = network.named(shown), several = shown.examples.length > 1;
    const side = (letter, values, e) => values.map((_, k) => mine[`${letter}${k + 1}${several ? `[${e + 1}]` : ""}`]);
    return {
      ...shown, rate: mine[RATE], values: net.parameters.map(name => mine[name]),
      optimizer: Object.fromEntries(Object.entries(shown.optimizer).map(([name, x]) => [name, mine[name] ?? x])),
      examples: shown.examples.map(({ inputs, targets }, e) =>
        ({ inputs: side("i", inputs, e), targets: side("t", targets, e) })),
    };
  }
  // It counts in the panel as well.
  function follow() {
    const { rate, values, examples, optimizer } = current();
    if (outline(draft) !== outline(shown) || draft.examples.length !== examples.length) return;
    Object.assign(draft, { rate, values, examples }, draft.optimizer.kind === optimizer.kind ? { optimizer } : {});
    draft.keep ||= values.some((value, k) => value !== shown.values[k]);
    panel.draw(form, draft);
  }
  function save() {
    const link = element(null, "a", { download: "mine.toml" });
    link.href = URL.createObjectURL(new Blob([toml()], { type: "application/toml" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  const toml = () => specs.toToml(current());

  // --- the address ---
  function link() {
    const params = new URLSearchParams();
    if (built) specs.toLink(shown, params);
    return params;
  }
  function open(params) {
    if (!params.has("net")) return;
    const { spec, ...problem } = specs.fromLink(params), wrong = spec ? show(spec) : problem;
    if (wrong) {
      const line = `The network in this address cannot be shown: ${wrong.line.slice(0, 300)}. The network given is shown.`;
      const kind = { class: "panel warn", role: "alert", id: "link-wrong" };
      document.querySelector("header").after(element(null, "p", kind, line));
    } else draft = { ...copy(spec), keep: spec.seed === null, seedNumber: spec.seed ?? 1 };
    panel.draw(form, draft);
  }

  form.addEventListener("change", event => {
    panel.read(event.target, draft);
    waiting = pressing;
    if (!waiting) apply();
  });
  form.addEventListener("click", event => {
    const { act } = event.target.closest("[data-act]")?.dataset ?? {};
    if (act && waiting) apply();
    waiting &&= !act;
    if (act === "toml") save();
    else if (act === "given") back();
    else if (act) {
      panel.act(act, draft);
      apply();
    }
  });
  form.addEventListener("submit", event => event.preventDefault());
  return { open, link, follow, show, toml, start: () => panel.draw(form, draft) };
})();
