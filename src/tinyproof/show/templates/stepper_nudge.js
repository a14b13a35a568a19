// Nudge a weight: what the loss does, what the gradient said, and what lies between them.
teach.sections.nudge = (() => {
  const FIRST = 0.01, VIEWS = { near: [4, 0], wider: [4, 1], far: [12, 5] }; // to each side: steps, and at least
  let step = FIRST;

  // The loss along one weight, all else as it is now.
  function along(name) {
    const start = startNow(), gradient = DATA.gradient[name], at = start[name];
    const moved = value => iterate({ ...start, [name]: value }).v;
    const here = moved(at), there = moved(at + step), rise = there[DATA.loss] - here[DATA.loss];
    // The second derivative: how much the gradient changes, from a central difference.
    const h = 1e-4 * Math.max(1, Math.abs(at)), bend = (moved(at + h)[gradient] - moved(at - h)[gradient]) / (2 * h);
    const said = here[gradient] * step, rest = rise - said, curvature = bend * step ** 2 / 2;
    return { at, here, there, moved, gradient: here[gradient], rise, said, rest, bend, curvature };
  }
  // Units whose line has a corner between the two points: there no tangent holds.
  function corners({ here, there }) {
    const bent = DATA.steps.filter(one => one.phase === "forward" && /relu/.test(one.meaning) && one.uses.length === 1);
    return bent.map(one => one.uses[0]).filter(unit => here[unit] > 0 !== there[unit] > 0);
  }
  const row = (words, value, note) => element(null, "tr", {}, element(null, "th", { scope: "row" }, ...words),
    element(null, "td", { class: "number", "data-value": value }, written(value, 9)), element(null, "td", {}, ...note));

  function table(name, found) {
    const rows = [
      row(["the loss moves by"], found.rise,
          [`from ${written(found.here[DATA.loss], 9)} to ${written(found.there[DATA.loss], 9)}`]),
      row(["the gradient said"], found.said, [gradientOf(name),
          ` · step = ${written(found.gradient)} · ${written(step)}`]),
      row(["the remainder"], found.rest, ["what the loss did and the tangent did not say"]),
      row(["the curvature says"], found.curvature,
          [`½ · second derivative · step² = ½ · ${written(found.bend)} · ${step < 0 ? `(${written(step)})` : written(step)}²`]),
    ];
    $("nudge-table").querySelector("tbody").replaceChildren(...rows);
  }
  function explained(name, found) {
    const crossed = corners(found).map(spoken), noise = 4e-16 * Math.abs(found.here[DATA.loss]);
    if (![found.rise, found.curvature].every(Number.isFinite))
      return "The loss there is no finite number: the step is too large.";
    if (found.at + step === found.at) return "The step is lost: the weight is too large for so small a step.";
    if (crossed.length) return `On the way ${crossed.join(" and ")} passes 0, where the activation has a corner:`
      + " the slope changes at once, so the remainder is more than curvature.";
    if (found.rise === 0 && found.gradient === 0) 
      return "The loss does not move: nothing reaches it from this weight now.";
    if (Math.abs(found.rest) <= noise) return "The remainder is smaller than the last digit of the loss.";
    const left = found.rest - found.curvature, share = Math.abs(found.rest / found.said);
    const bends = found.bend > 0 ? "bends upwards: it grows more, or falls less, than the tangent"
      : found.bend < 0 ? "bends downwards: it falls more, or grows less, than the tangent" : "is straight here";
    const size = Number.isFinite(share) ? ` The remainder is ${show(100 * share, 2)} % of what the gradient said;`
      + " half the step leaves a quarter of it." : "";
    return `Along ${spoken(name)} the loss ${bends}.${size} What curvature does not explain, ${written(left, 2)},`
      + " is of the third order and smaller still, or rounding.";
  }
  function chart(name, found) {
    const [steps, least] = VIEWS[$("nudge-view").value], wide = Math.max(steps * Math.abs(step), least);
    const { at, here, there, moved, gradient } = found;
    const [x0, x1] = [at - wide, at + wide], loss = w => moved(w)[DATA.loss], tangent = w => here[DATA.loss]
        + gradient * (w - at);
    const heights = Array.from({ length: 41 }, (_, k) => loss(x0 + (x1 - x0) * k / 40)).filter(Number.isFinite);
    const [low, high] = [Math.min(...heights), Math.max(...heights)], room = (high - low) * 0.12;
    const on = plane(x0, x1, low - room, high + room, ""), dot = (kind, w, value) =>
      element(SVG, "circle", { class: kind, cx: on.x(w), cy: on.y(value), r: 5.5, "data-value": value });
    const clipped = element(SVG, "g", { "clip-path": "url(#nudge-clip)" },
      lineOf(tangent, x0, x1, on, { class: "tangent" }, 1), lineOf(loss, x0, x1, on, { class: "yours" }, 80));
    const parts = [clip("nudge-clip"), ...on.parts, label((CHART.left + CHART.right) / 2, CHART.bottom + 34,
        spoken(name)), clipped];
    const end = there[DATA.loss];
    if (Number.isFinite(here[DATA.loss])) parts.push(dot("marker", at, here[DATA.loss]));
    if (Number.isFinite(end)) parts.push(dot("moved", at + step, end));
    told("nudge-chart", ...parts);
    told("nudge-said", ...worded(`The loss along ${name}, its tangent (dashed), where ${name} is now`
      + ` (${written(at)}, filled) and where the step leads (${written(at + step)}, open).`));
  }
  function typed() {
    const text = $("nudge-step").value.trim().replace("−", "-").replace(",", "."), value = Number(text);
    const good = text !== "" && Number.isFinite(value) && value !== 0 && Math.abs(value) <= 1e6;
    told("nudge-wrong", good ? "" : "step: a number other than 0, please. Until then the last good one counts.");
    $("nudge-step").toggleAttribute("aria-invalid", !good);
    if (good) step = value;
    draw();
  }
  return {
    wire() {
      heard("nudge-form", "submit", typed);
      heard("nudge-step", "input", typed);
      heard("nudge-view", "change", draw);
      heard("nudge-weight", "change", () => choose($("nudge-weight").value));
    },
    make() {
      choices($("nudge-weight"), DATA.trained);
      $("nudge-step").value = String(step);
    },
    draw({ picked, iteration }) {
      $("nudge-weight").value = picked;
      const found = along(picked);
      told("nudge-lead", `Iteration ${iteration}: `, ...worded(picked), " from ", numberIn(found.at), " to ",
        numberIn(found.at + step), ": the loss moves by ", numberIn(found.rise), ", the gradient said ",
            numberIn(found.said), ".");
      table(picked, found);
      told("nudge-why", ...worded(explained(picked, found)));
      chart(picked, found);
    },
    write(link) {
      if (step !== FIRST) link.set("nudge", step);
    },
    read(asked) {
      const value = Number(asked.get("nudge") || NaN);
      if (Number.isFinite(value) && value !== 0 && Math.abs(value) <= 1e6) step = value;
      $("nudge-step").value = String(step);
    },
  };
})();
