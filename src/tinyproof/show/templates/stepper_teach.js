// The sections that explain: opened by the reader, drawn for the moment shown, made anew when the network is another.
// A section: { wire(), make(), draw(moment), write(link), read(asked) }: once for its buttons; for every network; for
// every moment while it is open; for the address of a moment.
const teach = {
  sections: {}, wired: false,
  // Fill in what hangs on the network; call it again whenever DATA and EQUATIONS are those of another one.
  rebuilt() {
    if (!this.wired) for (const [name, section] of Object.entries(this.sections)) {
      $(name).addEventListener("toggle", draw);
      section.wire();
    }
    this.wired = true;
    for (const section of Object.values(this.sections)) section.make();
  },
  draw(now) {
    for (const [name, section] of Object.entries(this.sections)) if ($(name).open) section.draw(now);
    scrollable();
  },
  write(link) {
    const open = Object.keys(this.sections).filter(name => $(name).open);
    if (open.length) link.set("open", open.join(" "));
    for (const name of open) this.sections[name].write?.(link);
  },
  read(asked) {
    for (const name of (asked.get("open") ?? "").split(" ")) if (Object.hasOwn(this.sections,
        name)) $(name).open = true;
    for (const section of Object.values(this.sections)) section.read?.(asked);
  },
};

// What the sections share.
const totalLoss = start => iterate(start).v[DATA.loss];
const startNow = () => yours.starts[state.iteration - 1];
const choices = (select, names) => select.replaceChildren(...names.map(name => element(null, "option",
    { value: name }, name)));
const gradientOf = name => element(null, "span", { class: "quantity" }, "∂E/∂", ...worded(name));
// Puts it there, unless it is there: what is said again would be spoken again.
function told(id, ...parts) {
  const fresh = element(null, "div");
  fresh.append(...parts);
  if (fresh.innerHTML !== $(id).innerHTML) $(id).replaceChildren(...fresh.childNodes);
}
// A number in a sentence, and what it is to every digit.
const numberIn = (x, digits = 6) => element(null, "b", { "data-value": x }, written(x, digits));

const heard = (id, event, act) => $(id).addEventListener(event, happened => {
  if (event === "submit") happened.preventDefault();
  act(happened);
});

// What is wider than its frame is reached with Tab, and then scrolls with the arrow keys.
function scrollable() {
  for (const frame of all("#mathematics, #chain, #guess-hint, .scroll")) {
    const wide = frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight;
    frame.toggleAttribute("data-scrolls", wide);
    if (wide) frame.setAttribute("tabindex", "0");
    else frame.removeAttribute("tabindex");
  }
}

// The weight whose derivation is shown is the one that all sections speak of.
function choose(name) {
  if (!DATA.trained.includes(name)) return;
  [state.picked, state.chosen] = [name, true];
  draw();
}

// Axes for a picture of 520 x 250: lines, labels with as many digits as they need, and where a point lies.
function plane(x0, x1, y0, y1, nameOfX) {
  const apart = (a, b) => b > a ? [a, b] : [a - (Math.abs(a) * 0.1 || 1), a + (Math.abs(a) * 0.1 || 1)];
  [[x0, x1], [y0, y1]] = [apart(x0, x1), apart(y0, y1)];
  const { left, right, top, bottom } = CHART;
  const x = value => left + (right - left) * ((value - x0) / (x1 - x0));
  const y = value => Math.min(Math.max(bottom - (bottom - top) * ((value - y0) / (y1 - y0)), -999), 999);
  const parts = [];
  for (const value of evenly(y0, y1, 6)) {
    parts.push(element(SVG, "line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }));
    parts.push(label(left - 7, y(value) + 4, evenly.text(value, y0, y1, 6), "end"));
  }
  for (const value of evenly(x0, x1, 5)) parts.push(label(x(value), bottom + 17, evenly.text(value, x0, x1, 5)));
  parts.push(label((left + right) / 2, bottom + 34, nameOfX));
  return { x, y, parts };
}
function evenly(low, high, count) {
  const step = niceStep((high - low) / count), first = Math.ceil(low / step - 1e-9), found = [];
  for (let k = 0; k <= 2 * count && (first + k) * step <= high + 1e-9 * step; k++) found.push((first + k) * step);
  return found;
}
evenly.text = (value, low, high, count) => {
  const step = niceStep((high - low) / count), largest = Math.max(Math.abs(low), Math.abs(high));
  const near = Math.abs(value) < step * 1e-6 ? 0 : value;
  return show(near, Math.min(12, Math.max(1, Math.ceil(Math.log10(largest / step)) + 1)));
};
const clip = id => element(SVG, "clipPath", { id }, element(SVG, "rect",
  { x: CHART.left, y: CHART.top, width: CHART.right - CHART.left, height: CHART.bottom - CHART.top }));
// A function as a line over the whole width of the picture.
function lineOf(f, x0, x1, { x, y }, attributes, count = 120) {
  const points = [];
  for (let k = 0; k <= count; k++) {
    const at = x0 + (x1 - x0) * k / count, value = f(at);
    if (Number.isFinite(value)) points.push(`${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  }
  return element(SVG, "polyline", { ...attributes, points: points.join(" ") });
}
