// The loss curve: yours, that of the numbers given (dashed, once you changed something), and where you are.
const CHART = { left: 58, right: 508, top: 14, bottom: 214, width: 520 };

function drawChart({ yours, given, iteration, logarithmic, edited }) {
  const drawn = loss => Number.isFinite(loss) && (!logarithmic || loss > 0);
  const scale = loss => logarithmic ? Math.log10(loss) : loss;
  const shown = [...yours.losses, ...edited ? given.losses : []].filter(drawn).map(scale);
  let low = logarithmic ? Math.floor(Math.min(...shown)) : 0;
  let high = logarithmic ? Math.ceil(Math.max(...shown)) : Math.max(...shown) * 1.06;
  if (!Number.isFinite(low + high) || high <= low) [low, high] = [0, 1];
  const part = n => DATA.iterations > 1 ? (n - 1) / (DATA.iterations - 1) : 0.5;
  const x = n => CHART.left + (CHART.right - CHART.left) * part(n);
  const y = loss => CHART.bottom - (CHART.bottom - CHART.top) * (scale(loss) - low) / (high - low);
  const here = yours.losses[iteration - 1], parts = [...levels(low, high, logarithmic, y), ...ticks(x)];
  if (edited) parts.push(curve(given.losses, x, y, drawn, "given"));
  parts.push(curve(yours.losses, x, y, drawn, "yours"));
  const at = x(iteration);
  parts.push(element(SVG, "line", { class: "rule", x1: at, x2: at, y1: CHART.top, y2: CHART.bottom }));
  const marker = () => element(SVG, "circle", { class: "marker", cx: at, cy: y(here), r: 6, "data-value": here });
  if (drawn(here)) parts.push(marker());
  $("chart").replaceChildren(...parts);
  $("chart-said").textContent = sayCurve(yours, iteration, edited);
}
function sayCurve({ losses, diverged }, iteration, edited) {
  const ends = `First ${written(losses[0])}, last ${written(losses.at(-1))}.`;
  const too = ` At iteration ${diverged} a number is too large to be held: the learning rate is too large for these`
    + " numbers. What was computed before it is shown.";
  return `Iteration ${iteration}: loss ${written(losses[iteration - 1], 9)}. ${ends}`
    + (diverged ? too : "") + (edited ? " Dashed: the numbers given." : "");
}
function curve(losses, x, y, drawn, kind) {
  const every = Math.max(1, Math.ceil(losses.length / 1200)), points = [];
  losses.forEach((loss, k) => {
    if ((k % every === 0 || k === losses.length - 1) && drawn(loss))
      points.push(`${x(k + 1).toFixed(1)},${y(loss).toFixed(1)}`);
  });
  return element(SVG, "polyline", { class: kind, points: points.join(" ") });
}
function levels(low, high, logarithmic, y) {
  const step = logarithmic ? Math.max(1, Math.ceil((high - low) / 5)) : niceStep((high - low) / 4), lines = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-12; k++) {
    const loss = logarithmic ? 10 ** (k * step) : k * step, at = y(loss);
    lines.push(element(SVG, "line", { class: "grid", x1: CHART.left, x2: CHART.right, y1: at, y2: at }));
    lines.push(label(CHART.left - 7, at + 4, show(loss, 3), "end"));
  }
  return lines;
}
function ticks(x) {
  const step = Math.max(1, niceStep((DATA.iterations - 1) / 5)), numbers = [1];
  for (let n = step; n <= DATA.iterations; n += step) if (n > 1) numbers.push(n);
  const name = label((CHART.left + CHART.right) / 2, CHART.bottom + 34, "iteration");
  return [...numbers.map(n => label(x(n), CHART.bottom + 17, n)), name];
}
const label = (x, y, text, anchor = "middle") => element(SVG, "text", { x, y, "text-anchor": anchor }, text);
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return [1, 2, 5, 10].find(k => k * power >= rough) * power;
}
function iterationAt(event) {
  const box = $("chart").getBoundingClientRect(), at = (event.clientX - box.left) / box.width * CHART.width;
  return Math.round(1 + (at - CHART.left) / (CHART.right - CHART.left) * (DATA.iterations - 1));
}
