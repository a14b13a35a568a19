// Why a gradient is small: the activation of one unit with the unit's place on it, and error x slope x input.
teach.sections.slope = (() => {
  let chosen = "";
  const units = () => stepsOf(1).filter(one => one.phase === "forward" && one.of.startsWith("a_"))
    .map(one => withoutExample(one.of).slice(2));
  const find = (part, name) => EQUATIONS[part].find(one => one[0] === name)?.[1];

  // Everything about one unit in the example shown.
  function look(unit, { v, example, steps }) {
    const act = steps.find(one => one.phase === "forward" && withoutExample(one.of) === `a_${unit}`);
    const [out, net] = [act.of, act.of.slice(2)], value = find("forward", out), back = find("backward", `dE/d${net}`);
    const alone = act.uses.length === 1; // softmax reads every unit of its layer
    const kind = act.meaning.match(/after its activation \((.+)\)/)?.[1] ?? "activation";
    const spelled = kind.replace("relu", "ReLU");
    const f = x => value({ ...v, [net]: x });
    // The slope at x, by the page's own equation: what arrives where 1 arrives at this unit's output and 0 at others'.
    const layer = steps.filter(one => one.phase === "forward" && one.of.startsWith("a_") && one.uses.includes(net));
    const slope = x => {
      const there = { ...v, [net]: x };
      for (const one of layer) [there[one.of], there[`dE/d${one.of}`]] = [find("forward", one.of)(there),
          Number(one.of === out)];
      return back(there);
    };
    const here = v[net];
    return { net, out, kind: spelled, alone, f, slope, here, error: v[`dE/d${out}`], arrived: v[`dE/d${net}`],
        now: slope(here) };
  }
  // [class, words]: how much of what arrives passes.
  function passes({ alone, slope, here, now, kind }) {
    let largest = Math.abs(now);
    for (let k = -64; k <= 64; k++) largest = Math.max(largest, Math.abs(slope(k / 8)));
    const share = largest ? Math.abs(now) / largest : 0,
        percent = `${show(100 * share, 3)} % of the steepest slope, ${written(largest, 3)}`;
    if (!Number.isFinite(now)) return ["bad", "the numbers are too large to be held"];
    if (kind === "identity") return ["good", "the identity: a straight line, which never saturates"];
    if (now === 0) return ["bad", "shut: the slope is 0, nothing that arrives passes"];
    if (share < 0.1) return ["bad", `saturated: ${percent}, little of what arrives passes`];
    if (share < 0.5) return ["warn", `flattening: ${percent}`];
    return ["good", `steep: ${percent}`];
  }
  function chart(one, [state]) {
    const { f, now, here, net, out, alone } = one, place = Number.isFinite(here) ? here : 0;
    const x0 = Math.min(-6, place - 1), x1 = Math.max(6, place + 1);
    const heights = Array.from({ length: 121 }, (_, k) => f(x0 + (x1 - x0) * k / 120)).filter(Number.isFinite);
    const [low, high] = [Math.min(...heights), Math.max(...heights)], room = (high - low || 1) * 0.08;
    const on = plane(x0, x1, low - room, high + room, spoken(net)), height = f(here);
    const lines = element(SVG, "g", { "clip-path": "url(#slope-clip)" }, lineOf(f, x0, x1, on, { class: "yours" }),
      lineOf(x => height + now * (x - here), x0, x1, on, { class: `tangent ${state}` }, 1));
    const parts = [clip("slope-clip"), ...on.parts, lines];
    if (Number.isFinite(here + height)) parts.push(element(SVG, "circle", { class: `marker ${state}`, cx: on.x(here),
      cy: on.y(height), r: 6, "data-value": height }));
    told("slope-chart", ...parts);
    const others = alone ? "" : ", the other outputs' sums held where they are";
    const over = `${withoutExample(out)} over ${withoutExample(net)}${others}`;
    told("slope-said", ...worded(`${over}: the point is this unit now,`
      + " the dashed line its tangent."));
  }

  // Of each weight into the unit: what its gradient is a product of.
  function factors(one, { v, steps }) {
    const found = [];
    for (const step of steps.filter(each => each.phase === "backward" && DATA.trained.includes(each.of)))
      for (const term of step.terms.filter(each => each.through === one.net)) {
        const input = term.value({ ...v, [`dE/d${one.net}`]: 1 }), product = term.value(v);
        found.push({ name: step.of, input, product, gradient: v[step.name], others: step.terms.length > 1 });
      }
    return found;
  }
  function bar(kind, value, full) {
    const width = Number.isFinite(value) ? Math.min(100, 100 * Math.abs(value) / full) : 100;
    const inner = element(null, "i", { class: kind, style: `width: ${width.toFixed(2)}%` });
    return element(null, "td", { class: "bars", "data-value": value },
      element(null, "span", { class: "number" }, written(value, 4)),
      element(null, "span", { class: "bar", "aria-hidden": "true" }, inner));
  }
  function smallest(parts) {
    const least = Math.min(...parts.map(([, value]) => Math.abs(value)));
    return parts.filter(([, value]) => Math.abs(value) === least).map(([name]) => name).join(" and ");
  }
  function table(one, rows, state) {
    const shared = one.alone ? [["error", one.error], ["slope", one.now]] : [["error", one.arrived]];
    const full = Math.max(1, ...rows.flatMap(row => [...shared.map(([, x]) => x),
        row.input]).map(Math.abs).filter(Number.isFinite));
    const first = one.alone ? ["error", "slope"] : ["error, slopes in it"];
    const heads = ["weight", ...first, "input", "product", "smallest"];
    $("slope-table").tHead.replaceChildren(element(null, "tr", {}, ...heads.map(head => element(null, "th",
        { scope: "col" }, head))));
    const several = rows.some(row => row.others);
    $("slope-table").tBodies[0].replaceChildren(...rows.map(row => element(null, "tr", { "data-weight": row.name },
      element(null, "th", { scope: "row" }, ...worded(row.name)),
      ...shared.map(([kind, value]) => bar(kind === "slope" ? `slope ${state}` : kind, value, full)),
      bar("input", row.input, full),
      element(null, "td", { class: "number", "data-value": row.product }, written(row.product, 6)),
      element(null, "td", {}, smallest([...shared, ["input", row.input]])))));
    told("slope-scale", `A full bar is ${written(full, 3)}.`
      + (several ? " The product is what comes through this unit in the example"
        + " shown; a gradient adds up all of them." : ""));
  }
  return {
    wire() {
      heard("slope-form", "submit", draw);
      heard("slope-unit", "change", () => {
        chosen = $("slope-unit").value;
        draw();
      });
    },
    make() {
      const names = units();
      choices($("slope-unit"), names);
      if (!names.includes(chosen)) chosen = "";
    },
    draw(now) {
      // Unless one is chosen: the unit that the weight spoken of leads into.
      const into = DATA.steps.find(one => one.phase === "backward" && one.of === now.picked)?.terms[0]?.through ?? "";
      const names = units(), followed = withoutExample(into);
      const unit = names.includes(chosen) ? chosen : names.includes(followed) ? followed : names[0];
      $("slope-unit").value = unit;
      const one = look(unit, now), [state, words] = passes(one), rows = factors(one, now);
      told("slope-lead", ...worded(`${withoutExample(one.net)} is `), numberIn(one.here), ", ",
          ...worded(`${withoutExample(one.out)} is `),
        numberIn(one.f(one.here)), one.alone ? `; the slope of the ${one.kind} there is `
            : "; its own slope in the softmax is ",
        numberIn(one.now), ": ", element(null, "b", { class: state }, words), ".");
      const softmax = `With softmax there is no single slope: ${withoutExample(one.net)} moves every output.`
        + " What arrives is each output's error times its own slope, added up; below it is one number.";
      told("slope-softmax", ...(one.alone ? [] : worded(softmax)));
      chart(one, [state]);
      table(one, rows, state);
    },
    write(link) {
      if (chosen) link.set("unit", chosen);
    },
    read(asked) {
      if (units().includes(asked.get("unit"))) chosen = asked.get("unit");
    },
  };
})();
