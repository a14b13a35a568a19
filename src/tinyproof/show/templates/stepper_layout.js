// Where everything stands in the drawing of a network that the reader builds: Python's drawing/layered and
// sliding_labels, over again. Lengths are CSS pixels at the drawing's natural size.
const layout = (() => {
  const HALF = 92, TALL = 64, SHORT = 46, LABEL = [100, 40], PILL = 26, STACKED = 40, MARGIN = 14, WIDEST = 1690,
    { range } = network;
  const CURVES = {
    sigmoid: "M-6 4C1 4-1-4 6-4", tanh: "M-6 4C1 4-1-4 6-4", relu: "M-6 3H0L5-4", "leaky relu": "M-6 4L0 2 5-5",
    softplus: "M-6 4C-1 4 0 2 5-4", identity: "M-5 5L5-5",
  };

  // The columns: inputs (and a bias that a layer shares), each layer's units, the losses, the whole loss.
  function columnsOf(net) {
    const tag = net.tags[0], columns = [net.feeds(0, tag).map(name => box([name], "input"))];
    net.layers.forEach((layer, n) => {
      const uses = (layer.units > 1) && layer.bias === "layer", units = range(layer.units).map(k => net.unit(n, k));
      if (uses) columns.at(-1).push(box(net.biases[n], layer.constant ? "constant" : "bias"));
      const own = k => uses ? "" : net.biasOf(n, k);
      if (layer.activation === "softmax") {
        columns.push(units.map((unit, k) => box([unit + tag], "unit", own(k))));
        columns.push(units.map(unit => box([`a_${unit}${tag}`], "unit")));
      } else {
        const curve = CURVES[layer.activation];
        columns.push(units.map((unit, k) => box([unit + tag, `a_${unit}${tag}`], "unit", own(k), curve)));
      }
    });
    columns.push(range(net.shape.at(-1)).map(k => box([`t${k + 1}${tag}`, `E${k + 1}${tag}`], "loss")));
    columns.push([box([`E_total${tag}`], "total")]);
    return tag ? [...columns, [box(["E_total"], "total")]] : columns;
  }
  const box = (slots, kind, bias = "", curve = "") => ({ slots, kind, bias, curve, stacked: false });
  const extra = b => !b.bias ? 0 : b.slots.length > 1 && !b.stacked ? PILL : STACKED;
  const cell = b => b.stacked ? [b.width, (b.height - extra(b)) / b.slots.length]
    : [b.width / b.slots.length, b.height - extra(b)];
  const middle = b => [b.x + b.width / 2, b.y + b.height / 2];
  // The upper middle of a slot: the names stand below it.
  function place(b, slot) {
    const [wide, high] = cell(b);
    return b.stacked ? [b.x + wide / 2, b.y + extra(b) + slot * high] : [b.x + (slot + 0.5) * wide, b.y];
  }
  const badge = b => b.stacked ? [b.x + b.width, place(b, 1)[1]] : [b.x + b.width / 2, b.y];

  // Lines: what stands in one column and is used by what stands in another, and the weight on the way.
  function wires(columns, equations, parameters) {
    const home = new Map(columns.flatMap((column, k) => column.flatMap(b => b.slots.map(slot => [slot, k])))),
      found = [];
    for (const [name, e] of equations) {
      if (!home.has(name)) continue;
      const slopes = algebra.partials(e, n => home.has(n), new Map());
      for (const use of algebra.names(e)) {
        if (!home.has(use) || home.get(use) === home.get(name)) continue;
        const slope = slopes.get(use);
        found.push({ source: use, target: name, weight: parameters.includes(slope) ? slope : "", label: [0, 0],
          crowded: false });
      }
    }
    return found;
  }

  // Of a deep network one quantity of a box stands below the other.
  function draw(net, equations, direction) {
    const usual = drawn(net, equations, direction, false);
    return direction === "down" || usual.width <= WIDEST ? usual : drawn(net, equations, direction, true);
  }
  function drawn(net, equations, direction, stacked) {
    const across = direction === "across", links = wires(columnsOf(net), equations, net.parameters);
    const columns = columnsOf(net).map(column => column.map(b => sized(b, !across || stacked)));
    const counts = columns.map(column => {
      const slots = new Set(column.flatMap(b => b.slots));
      return links.filter(link => slots.has(link.target) && link.weight).length;
    });
    const largest = Math.max(...columns.flat().map(b => across ? b.height : b.width)), boxes = [];
    let here = MARGIN;
    columns.forEach((column, k) => {
      const depth = Math.max(...column.map(b => across ? b.width : b.height));
      boxes.push(...stand(column, here, depth, largest, across, stacked));
      here += depth + (k + 1 < columns.length ? gap(counts[k + 1], across, stacked) : MARGIN);
    });
    const low = Math.min(...boxes.map(b => across ? b.y : b.x)) - MARGIN;
    for (const b of boxes) b[across ? "y" : "x"] -= low;
    const end = MARGIN + Math.max(...boxes.map(b => across ? b.y + b.height : b.x + b.width));
    for (const link of links) Object.assign(link, ends(link, boxes, across));
    slide(boxes, links, across);
    const [width, height] = across ? [here, end] : [end, here];
    return { direction, width, height, boxes, links, plates: plates(boxes, links) };
  }
  function sized(b, stacks) {
    const height = ["unit", "bias"].includes(b.kind) ? TALL : SHORT;
    if (b.slots.length > 1 && stacks) {
      const one = { ...b, stacked: true };
      return { ...one, width: HALF, height: b.slots.length * (height - 4) + extra(one) };
    }
    return { ...b, width: HALF * b.slots.length, height: height + extra(b) };
  }
  function gap(labelled, across, stacked) {
    if (!labelled) return across ? 56 : 26;
    if (stacked) return Math.min(150 + 10 * labelled, 240);
    return across ? Math.min(170 + 12 * labelled, 270) : Math.min(80 + 12 * labelled, 190);
  }
  // One column's boxes across the flow, around 0; a bias that several units share stands after them.
  function stand(column, here, depth, largest, across, stacked) {
    const units = column.filter(b => b.kind !== "bias" && b.kind !== "constant").length;
    const room = Math.max(28, stacked ? 100 - 20 * units : 190 - 40 * units);
    const pitch = largest + (across ? room : units === column.length && units < 3 ? 60 : 14);
    const nearer = across ? pitch - largest - 30 : 0;
    return column.map((b, k) => {
      const at = (k - (units - 1) / 2) * pitch - (k >= units ? nearer : 0);
      return across ? { ...b, x: here + (depth - b.width) / 2, y: at - b.height / 2 }
        : { ...b, x: at - b.width / 2, y: here + (depth - b.height) / 2 };
    });
  }
  // A line from the edge of one box to the edge of the other.
  function ends({ source, target }, boxes, across) {
    const a = boxes.find(b => b.slots.includes(source)), b = boxes.find(one => one.slots.includes(target));
    const [ax, ay] = middle(a), [bx, by] = middle(b);
    if (across) {
      if (Math.abs(ax - bx) < 1)
        return { start: [ax, ay < by ? a.y + a.height : a.y], end: [bx, ay < by ? b.y : b.y + b.height] };
      return { start: [a.x + a.width, ay], end: [b.x, by] };
    }
    if (Math.abs(ay - by) < 1)
      return { start: [ax < bx ? a.x + a.width : a.x, ay], end: [ax < bx ? b.x : b.x + b.width, by] };
    return { start: [ax, a.y + a.height], end: [bx, b.y] };
  }
  function plates(boxes, links) {
    const lines = links.filter(link => link.weight).map(link =>
      ({ name: link.weight, x: link.label[0], y: link.label[1], width: LABEL[0], height: LABEL[1],
        crowded: link.crowded }));
    const pills = boxes.filter(b => b.bias).map(b => {
      const y = b.y + (b.stacked ? extra(b) / 2 + 1 : b.height - extra(b) / 2 - 1), oneLine = extra(b) === PILL;
      const [width, height] = oneLine ? [b.width - 10, 22] : [b.width - 6, 36];
      return { name: b.bias, x: middle(b)[0], y, width, height, pill: true, oneLine, crowded: false };
    });
    return [...lines, ...pills];
  }

  // --- labels on lines that cross: each slides along its line to where it covers least ---
  const PLACES = range(33).map(k => (k + 9) / 50), POINTS = range(41).map(k => k / 40), SWEEPS = 8, CROWDED = 120;
  const along = (line, part) => [0, 1].map(k => line.start[k] + part * (line.end[k] - line.start[k]));
  const common = (axis, a, b) => Math.max(0, LABEL[axis] - Math.abs(a[axis] - b[axis]));
  const shared = (a, b) => common(0, a, b) * common(1, a, b);
  function slide(boxes, links, across) {
    const own = links.filter(link => link.weight), middles = own.map(link => PLACES.map(part => along(link, part)));
    const points = links.map(link => POINTS.map(part => along(link, part)));
    const cost = (link, spot, k) => 40 * Math.abs(PLACES[k] - 0.5) + hides(spot, boxes, points, links.indexOf(link));
    const fixed = own.map((link, j) => middles[j].map((spot, k) => cost(link, spot, k)));
    const chosen = own.map(() => PLACES.length >> 1), at = j => middles[j][chosen[j]];
    const covers = (j, spot) => own.reduce((sum, _, k) => k === j ? sum : sum + shared(spot, at(k)), 0);
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const before = chosen.join();
      own.forEach((_, j) => {
        const costs = middles[j].map((spot, k) => Math.round((fixed[j][k] + covers(j, spot)) * 1e6) / 1e6);
        chosen[j] = costs.indexOf(Math.min(...costs));
      });
      if (chosen.join() === before) break;
    }
    own.forEach((link, j) => Object.assign(link, { label: at(j), crowded: covers(j, at(j)) > CROWDED }));
    // Between two layers either (nearly) all are shown or none is: a few of many would mislead.
    const layers = Map.groupBy(own, link => link.end[across ? 0 : 1]);
    for (const members of layers.values())
      if (members.filter(link => link.crowded).length > members.length / 4)
        for (const link of members) link.crowded = true;
  }
  // What a label there hides of boxes, and of the points of other lines.
  function hides([x, y], boxes, points, own) {
    let cost = 0;
    for (const b of boxes) {
      const wide = Math.min(x + LABEL[0] / 2, b.x + b.width) - Math.max(x - LABEL[0] / 2, b.x);
      const high = Math.min(y + LABEL[1] / 2, b.y + b.height) - Math.max(y - LABEL[1] / 2, b.y);
      cost += 2 * Math.max(0, wide) * Math.max(0, high);
    }
    const around = ([px, py]) => Math.abs(x - px) < LABEL[0] / 2 && Math.abs(y - py) < LABEL[1] / 2;
    points.forEach((line, k) => {
      const [[ax, ay], [bx, by]] = [line[0], line.at(-1)], [wide, high] = [LABEL[0] / 2, LABEL[1] / 2];
      if (k === own || x + wide < Math.min(ax, bx) || x - wide > Math.max(ax, bx)) return; // most are nowhere near
      if (y + high < Math.min(ay, by) || y - high > Math.max(ay, by)) return;
      cost += 2 * line.filter(around).length;
    });
    return cost;
  }
  return { draw, cell, place, badge };
})();
