// The drawing of a network that the reader builds: the same elements as the page's own, made one by one.
function drawnNetwork(net, drawing, data) {
  const svg = (tag, attributes, ...children) => element(SVG, tag, attributes, ...children);
  const round = x => String(Math.round(x * 10) / 10), move = ([x, y]) => `translate(${round(x)} ${round(y)})`;
  const trained = new Set(net.trained),
    graded = new Set(data.steps.filter(step => step.phase === "backward").map(step => step.name));
  const gradient = name => graded.has(`dE/d${name}`) ? `dE/d${name}` : "";
  const pick = name => trained.has(name) ? { "data-pick": name, role: "button", tabindex: 0 } : {};

  function name(quantity) {
    const [base, index, example] = typeset.parts(quantity), shown = [base];
    if (index) shown.push(svg("tspan", { class: "index", dy: 3 }, index));
    if (example && index === "total")
      shown.push(svg("tspan", { class: "index", dy: -9 }, "(", svg("tspan", { class: "shown-example" }, example), ")"));
    return shown;
  }
  function line({ source, target, weight, start, end }) {
    const ends = { x1: start[0].toFixed(1), y1: start[1].toFixed(1), x2: end[0].toFixed(1), y2: end[1].toFixed(1) };
    const parts = ["wire", "flow"].map(kind => svg("line", { class: kind, ...ends }));
    if (trained.has(weight)) parts.push(svg("line", { class: "reach", "data-pick": weight, ...ends }));
    return svg("g", { class: "link", "data-from": source, "data-to": target, ...weight ? { "data-weight": weight }
      : {} }, ...parts);
  }
  function box(b) {
    const parts = [svg("rect", { x: round(b.x), y: round(b.y), width: b.width, height: b.height, rx: 12 })];
    const [wide, high] = layout.cell(b);
    if (b.slots.length === 2) {
      const d = b.stacked ? `M${b.x + 10} ${layout.place(b, 1)[1]}h${b.width - 20}`
        : `M${b.x + b.width / 2} ${b.y + 9}v${high - 18}`;
      parts.push(svg("path", { class: "divide", d }));
    }
    b.slots.forEach((slot, k) => {
      const bias = b.kind === "bias", texts = [
        svg("rect", { class: "glow", x: 3 - wide / 2, y: 3, width: wide - 6, height: high - 6, rx: 9 }),
        svg("text", { class: "name", y: 17 }, ...name(slot)), svg("text", { class: "value", y: 35, "data-v": slot })];
      if (gradient(slot)) texts.push(svg("text", { class: "gradient", y: 53, "data-v": gradient(slot) }));
      const kind = { class: bias ? "slot weight" : "slot", "data-slot": slot, ...bias ? pick(slot) : {} };
      parts.push(svg("g", { ...kind, transform: move(layout.place(b, k)) }, ...texts));
    });
    if (b.curve)
      parts.push(svg("g", { class: "badge", transform: move(layout.badge(b)) }, svg("circle", { r: 10 }),
        svg("path", { d: b.curve })));
    return svg("g", { class: `box ${b.kind}` }, ...parts);
  }
  function plate(p) {
    const shift = p.oneLine ? p.width / 2 - 8 : 0, [low, high] = p.oneLine ? [5, 5] : p.pill ? [14, -3] : [15, -6];
    const kind = ["weight", p.crowded && "crowded", p.pill && "pill", p.oneLine
      && "one-line"].filter(Boolean).join(" ");
    const number = {
      class: "number", dx: 5, dy: typeset.parts(p.name)[1] ? -3 : 0, "data-v": p.name, "data-width": p.pill
        && !p.oneLine ? 7 : 9,
    };
    const parts = [
      svg("rect", { class: "plate", x: -p.width / 2, y: -p.height / 2, width: p.width, height: p.height, rx: 8 }),
      svg("text", { class: "value", x: -shift, y: high }, svg("tspan", { class: "name" }, ...name(p.name)), " ",
        svg("tspan", number))];
    if (gradient(p.name)) parts.push(svg("text", { class: "gradient", x: shift, y: low, "data-v": gradient(p.name) }));
    return svg("g", { class: kind, "data-name": p.name, ...pick(p.name), transform: move([p.x, p.y]) }, ...parts);
  }
  const { direction, width, height } = drawing, arrow = `arrow-${direction}`;
  const box0 = `0 0 ${round(width)} ${round(height)}`,
    style = `--natural: ${Math.round(width)}px; --arrow: url(#${arrow})`;
  const head = { id: arrow, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 5, markerHeight: 5,
    orient: "auto-start-reverse" };
  return svg("svg", { class: `net ${direction}`, viewBox: box0, role: "group", "aria-label": "The network", style },
    svg("defs", {}, svg("marker", head, svg("path", { d: "M0 0L10 5L0 10z" }))),
    ...drawing.links.map(line), ...drawing.boxes.map(box), ...drawing.plates.map(plate));
}
