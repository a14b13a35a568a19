// What each quantity and each step of a network that the reader builds is, in the words of Python's descriptions and
// sentences.
function meanings(net) {
  const words = {}, { range } = network, count = net.shape.at(-1), batch = net.turns > 1 ? " of the batch" : "";
  net.tags.forEach((tag, k) => {
    const of = tag ? ` of example ${k + 1}${batch}` : "";
    net.layers.forEach((layer, n) => range(layer.units).forEach(u => {
      const unit = net.unit(n, u), place = placeOf(net, n, u);
      const kind = layer.activation === "leaky relu" ? `leaky relu, slope ${general(layer.leak)} below 0`
        : layer.activation;
      words[unit + tag] = `${place}${of} before its activation: the weighted sum`;
      words[`a_${unit}${tag}`] = `${place}${of} after its activation (${kind})`;
    }));
    for (const e of range(count)) words[`E${e + 1}${tag}`] = `loss of output ${e + 1}${of} (${net.loss})`;
    words[`E_total${tag}`] = tag ? `loss of example ${k + 1}${batch}` : "loss of all outputs together";
    net.layers.forEach((_, n) => gradientWords(words, net, n, tag));
  });
  if (net.together) words.E_total = `loss of ${batch ? "the examples of the batch" : "all examples"}, ${net.taken}`;
  return words;
}
function placeOf(net, n, k) {
  if (n === net.last) return `output ${k + 1}`;
  return `hidden unit ${k + 1}` + (net.layers.length > 2 ? ` of hidden layer ${n + 1}` : "");
}
function gradientWords(words, net, n, tag) {
  const layer = net.layers[n], feeds = net.feeds(n);
  const kind = { relu: "ReLU", "leaky relu": "leaky ReLU" }[layer.activation] ?? layer.activation;
  const each = net.together ? `, of each of the ${net.atOnce} examples` : "";
  for (const k of network.range(layer.units)) {
    const unit = net.unit(n, k), bias = net.biasOf(n, k);
    words[`dE/da_${unit}${tag}`] = n === net.last ? `how fast the loss grows with a_${unit}`
      : `what comes back to a_${unit} through the weights that carried it on`;
    words[`dE/d${unit}${tag}`] = kind === "softmax" ? "what arrived at the outputs, each times its slope of the softmax"
      : `what arrived at a_${unit} times the slope of the ${kind}`;
    net.weights[n][k].forEach((weight, j) => {
      words[`dE/d${weight}`] = `what arrived at ${unit} times ${feeds[j]}, which ${weight} multiplies${each}`;
    });
    const where = layer.bias === "layer" && layer.units > 1 ? "every unit of its layer" : unit;
    if (bias) words[`dE/d${bias}`] = `what arrived at ${where}${each}: a bias is added as it is`;
  }
}
// A number as "%g" writes it.
function general(x) {
  const [digits, power] = Number(x).toExponential(5).split("e");
  if (x === 0 || power >= -4 && power < 6) return String(Number(Number(x).toPrecision(6)));
  return `${Number(digits)}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}
// What the update of a parameter, or of what an optimiser remembers, does.
function wordsOfUpdate({ optimizer: { kind }, trained }, name) {
  const of = trained.includes(name) ? name : name.slice(2), [m, v] = [`m_${of}`, `v_${of}`];
  const adam = "both are brought up to size first, as they began at 0";
  if (of === name) return {
    sgd: "one step down the slope: the old value less the learning rate times the gradient",
    momentum: `one step: the old value less the learning rate times the new ${m}`,
    rmsprop: `one step: the old value less the learning rate times the gradient, divided by the root of the new ${v}`,
    adam: `one step: the old value less the learning rate times the new ${m}, divided by the root of the new ${v}; ${adam}`,
  }[kind];
  if (name === "n") return "one step more";
  if (kind === "momentum") return `what goes on of the old ${m}, and the gradient of ${of}`;
  return `what is kept of the old ${name}, and some of the ${name === v ? "squared " : ""}gradient of ${of}`;
}
