// The loss curve: yours, the one of the numbers given (dashed, once you changed something), and where you are.
const CHART = { left: 58, right: 508, top: 14, bottom: 214 };

function drawChart({ yours, given, iteration, logarithmic, edited }) {
  const finite = [...yours.losses, ...(edited ? given.losses : [])].filter(y => Number.isFinite(y) && (!logarithmic || y > 0));
  const scale = y => logarithmic ? Math.log10(y) : y;
  if (!finite.length) finite.push(1);
  let low = logarithmic ? Math.floor(scale(Math.min(...finite))) : 0;
  let high = logarithmic ? Math.ceil(scale(Math.max(...finite))) : Math.max(...finite) * 1.06 || 1;
  if (high <= low) high = low + 1;
  const x = n => CHART.left + (CHART.right - CHART.left) * (DATA.iterations > 1 ? (n - 1) / (DATA.iterations - 1) : 0.5);
  const y = loss => CHART.bottom - (CHART.bottom - CHART.top) * (scale(loss) - low) / (high - low);
  const parts = [...horizontal(low, high, logarithmic, y), ...vertical(x)];
  if (edited) parts.push(curve(given.losses, x, y, logarithmic, "given"));
  parts.push(curve(yours.losses, x, y, logarithmic, "yours"));
  const here = yours.losses[iteration - 1];
  parts.push(element(SVG, "line", { class: "rule", x1: x(iteration), x2: x(iteration), y1: CHART.top, y2: CHART.bottom }));
  if (Number.isFinite(here) && (!logarithmic || here > 0)) parts.push(element(SVG, "circle", { class: "marker", cx: x(iteration), cy: y(here), r: 6, "data-value": here }));
  $("chart").replaceChildren(...parts);
  const end = yours.losses.at(-1);
  let said = `Iteration ${iteration}: loss ${written(here, 9)}. First ${written(yours.losses[0])}, last ${written(end)}.`;
  if (yours.diverged) said += ` At iteration ${yours.diverged} a number is too large to be held: the learning rate is too large for these numbers. What was computed before it is shown.`;
  $("chart-said").textContent = said + (edited ? " Dashed: the numbers given." : "");
}

function curve(losses, x, y, logarithmic, kind) {
  const every = Math.max(1, Math.ceil(losses.length / 1200));
  const points = losses.map((loss, k) => [k, loss]).filter(([k, loss]) => (k % every === 0 || k === losses.length - 1) && Number.isFinite(loss) && (!logarithmic || loss > 0));
  return element(SVG, "polyline", { class: kind, points: points.map(([k, loss]) => `${x(k + 1).toFixed(1)},${y(loss).toFixed(1)}`).join(" ") });
}
function horizontal(low, high, logarithmic, y) {
  const step = logarithmic ? Math.max(1, Math.ceil((high - low) / 5)) : niceStep((high - low) / 4);
  const lines = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-12; k++) {
    const loss = logarithmic ? 10 ** (k * step) : k * step;
    lines.push(element(SVG, "line", { class: "grid", x1: CHART.left, x2: CHART.right, y1: y(loss), y2: y(loss) }),
      element(SVG, "text", { x: CHART.left - 7, y: y(loss) + 4, "text-anchor": "end" }, show(loss, 3)));
  }
  return lines;
}
function vertical(x) {
  const step = Math.max(1, niceStep((DATA.iterations - 1) / 5)), ticks = [1];
  for (let n = step; n <= DATA.iterations; n += step) if (n > 1) ticks.push(n);
  return [...ticks.map(n => element(SVG, "text", { x: x(n), y: CHART.bottom + 17, "text-anchor": "middle" }, n)),
    element(SVG, "text", { x: (CHART.left + CHART.right) / 2, y: CHART.bottom + 34, "text-anchor": "middle" }, "iteration")];
}
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return [1, 2, 5, 10].find(k => k * power >= rough) * power;
}
function iterationAt(event) {
  const box = $("chart").getBoundingClientRect(), at = (event.clientX - box.left) / box.width * 520;
  return Math.round(1 + (at - CHART.left) / (CHART.right - CHART.left) * (DATA.iterations - 1));
}
