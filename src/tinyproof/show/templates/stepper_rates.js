// Compare learning rates: the same network at as many rates as wanted, in one picture.
teach.sections.rates = (() => {
  const FIRST = "0.1, 0.2, 0.5, 0.8, 1, 2", MOST = 24, MOST_WORK = 12e6, SLICE = 12; // evaluations; milliseconds
  const RATE = "learning_rate", COLOURS = 8;
  let rates = [], found = new Map(), key = "", job = 0;

  // `0.1, 0.5, 2`, and as in the command `0.1:2:0.1` (from, to, step) or `0.01:10:*2` (from, to, times).
  function read(text) {
    const wanted = [];
    for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
      const pieces = part.split(":"), by = Number(pieces[2]?.replace("*", "")), times = pieces[2]?.startsWith("*");
      const [from, to] = [pieces[0], pieces[1] ?? pieces[0]].map(Number);
      const good = [1, 3].includes(pieces.length) && [from, to, by || 1].every(x => Number.isFinite(x) && x > 0);
      if (!good || to < from || pieces.length === 3 && (!(by > 0) || times && by <= 1)) return { wrong: part };
      const count = pieces.length === 1 ? 0 : times ? Math.log(to / from) / Math.log(by) : (to - from) / by;
      for (let k = 0; k <= Math.min(count + 1e-9, 999); k++)
        wanted.push(Number((times ? from * by ** k : from + (by || 0) * k).toPrecision(12)));
    }
    return { wanted: [...new Set(wanted)].sort((a, b) => a - b) };
  }
  function most() {
    const one = DATA.iterations * (EQUATIONS.forward.length + EQUATIONS.backward.length);
    return Math.max(1, Math.min(MOST, Math.floor(MOST_WORK / one)));
  }
  function ask() {
    const { wrong, wanted } = read($("rates-asked").value);
    const problem = wrong !== undefined
        ? `learning rates: “${wrong.slice(0, 30)}” is not allowed; allowed: numbers above 0,`
        + " as in 0.1, 0.5, 2 or 0.1:2:0.1 (from, to, step)"
      : !wanted.length ? "learning rates: give at least one number above 0"
      : wanted.length > most()
          ? `learning rates: ${wanted.length} are too many; allowed: at most ${most()} for this network`
      : "";
    told("rates-wrong", problem);
    $("rates-asked").toggleAttribute("aria-invalid", Boolean(problem));
    if (problem) return;
    rates = wanted;
    key = "";
    draw();
  }

  // All rates, a few milliseconds at a time, so that the page stays at work; what is done is drawn.
  function compute(now) {
    clearTimeout(job);
    found = new Map();
    const todo = [...rates], mineNow = { ...mine };
    let one = null, losses = [];
    const slice = () => {
      const end = performance.now() + SLICE;
      while (performance.now() < end) {
        if (!one) {
          if (!todo.length) return paint();
          [one, losses] = [descent({ ...mineNow, [RATE]: todo[0] }, DATA.iterations), []];
        }
        const { value, done } = one.next();
        if (!done) losses.push(value.loss);
        else {
          found.set(todo.shift(), { losses, diverged: value });
          one = null;
          paint();
        }
      }
      job = setTimeout(slice);
    };
    slice();
  }
  // Of the last iteration, or, with examples in turn, of the last round.
  const turnsOf = losses => DATA.turns > 1 ? Math.min(DATA.turns, losses.length) : 1;
  const mean = some => some.reduce((sum, loss) => sum + loss, 0) / some.length;
  const end = losses => mean(losses.slice(-turnsOf(losses)));
  const begin = losses => mean(losses.slice(0, turnsOf(losses)));
  function became(rate, best) {
    const { losses, diverged } = found.get(rate);
    if (diverged) return `diverges, the numbers overflow at iteration ${diverged}; ${diverged - 1} rows are kept`;
    if (end(losses) > begin(losses)) return "diverges: ends above its start";
    return rate === best ? "best" : "";
  }
  function bestOf() {
    const whole = [...found].filter(([, one]) => !one.diverged).map(([rate, { losses }]) => [end(losses), rate]);
    return whole.length ? whole.reduce((a, b) => b[0] < a[0] ? b : a)[1] : null;
  }

  const look = k => `rate c${k % COLOURS} d${Math.floor(k / COLOURS) + k % 2}`;
  function paint() {
    const logarithmic = $("rates-log").checked, drawn = loss => Number.isFinite(loss) && (!logarithmic || loss > 0);
    const scale = loss => logarithmic ? Math.log10(loss) : loss, best = bestOf();
    const every = [...found.values()].flatMap(one => one.losses).filter(drawn);
    const starts = [...found.values()].flatMap(one => one.losses.slice(0, turnsOf(one.losses))).filter(drawn);
    const [start, top] = [starts, every].map(some => some.reduce((a, b) => Math.max(a, b), 0));
    const low = every.reduce((a, b) => Math.min(a, b), Infinity), cut = Math.min(top, logarithmic ? start * 100
        : start * 1.3);
    const parts = [clip("rates-clip")];
    let [y0, y1] = logarithmic ? [Math.floor(scale(low)), Math.ceil(scale(cut))] : [0, cut * 1.04];
    if (!Number.isFinite(y0 + y1) || y1 <= y0) [y0, y1] = [0, 1];
    const y = loss => Math.max(-999, CHART.bottom - (CHART.bottom - CHART.top) * (scale(loss) - y0) / (y1 - y0));
    const x = n => CHART.left + (CHART.right - CHART.left) * (DATA.iterations > 1 ? (n - 1) / (DATA.iterations - 1)
        : 0.5);
    parts.push(...levels(y0, y1, logarithmic, y), ...ticks(x));
    const lines = element(SVG, "g", { "clip-path": "url(#rates-clip)" });
    rates.forEach((rate, k) => {
      const one = found.get(rate);
      if (!one) return;
      const line = kind => curve(one.losses, x, y, drawn, kind), mark = rate === mine[RATE] ? " shown" : "";
      const reach = line("reach"), title = element(SVG, "title", {}, `learning rate ${rate}: open this run`);
      const group = element(SVG, "g", { class: look(k) + mark, "data-rate": rate }, line("line"), reach, title);
      group.addEventListener("click", () => open(rate));
      lines.append(group);
      if (!one.diverged) return;
      const [at, loss] = [one.losses.length, one.losses.at(-1)];
      const height = Math.max(CHART.top + 5, drawn(loss) ? y(loss) : 0);
      const cross = label(x(Math.max(at, 1)), height + 5, "×");
      cross.setAttribute("class", `${look(k)} cross`);
      parts.push(cross);
    });
    told("rates-chart", ...parts, lines);
    told("rates-said", sentence(best, every.some(loss => loss > cut * 1.04)));
    const focused = document.activeElement?.dataset?.rate;
    $("rates-table").querySelector("tbody").replaceChildren(...rates.map((rate, k) => row(rate, k, best)));
    if (focused) $("rates-table").querySelector(`[data-rate="${CSS.escape(focused)}"]`)?.focus();
  }
  function sentence(best, leaves) {
    const missing = rates.length - found.size, gone = rates.filter(rate => found.get(rate)?.diverged);
    if (missing) return `${found.size} of ${rates.length} rates are computed.`;
    const good = best === null ? "Every rate diverges: the smallest is already too large."
      : `After ${DATA.iterations} iterations the best of these rates is ${best}.`;
    const from = gone.length ? ` From ${Math.min(...gone)} on the numbers overflow (×).` : "";
    return good + from + (leaves ? " What is larger than the frame is in the table." : "");
  }
  function row(rate, k, best) {
    const one = found.get(rate), cells = one ? [begin(one.losses), end(one.losses)] : ["", ""];
    const swatch = element(SVG, "svg", { viewBox: "0 0 34 10", class: look(k), "aria-hidden": "true" },
      element(SVG, "path", { class: "line", d: "M1 5H33" }));
    const button = element(null, "button", { type: "button", "data-rate": rate, "aria-pressed": rate === mine[RATE],
      "aria-label": `Open the run with learning rate ${rate}` }, swatch, ` ${rate}`);
    button.addEventListener("click", () => open(rate));
    const number = loss => element(null, "td", { class: "number", "data-value": loss }, loss === "" ? ""
        : written(loss));
    return element(null, "tr", {}, element(null, "th", { scope: "row" }, button), ...cells.map(number),
      element(null, "td", {}, one ? became(rate, best) : "…"));
  }
  // That run in the whole page.
  function open(rate) {
    mine[RATE] = rate;
    fill();
    recompute();
  }

  return {
    wire() {
      heard("rates-form", "submit", ask);
      heard("rates-log", "change", paint);
    },
    make() {
      if (!rates.length) rates = read(FIRST).wanted;
      rates = rates.slice(0, most());
      $("rates-asked").value = rates.join(", ");
      const turn = Math.min(DATA.turns, DATA.iterations);
      told("rates-first", turn > 1 ? `mean of 1 to ${turn}` : "loss at 1");
      told("rates-last", turn > 1 ? `mean of the last ${turn}` : `loss at ${DATA.iterations}`);
      key = "";
    },
    // Everything but the rate makes other curves.
    draw() {
      const { [RATE]: _, ...rest } = mine, wanted = JSON.stringify([rest, rates, DATA.iterations]);
      if (wanted === key) return paint();
      key = wanted;
      compute();
    },
    write(link) {
      if (rates.join() !== read(FIRST).wanted.join()) link.set("rates", rates.join(" "));
    },
    read(asked) {
      const { wanted } = read(asked.get("rates") ?? "");
      if (wanted?.length && wanted.length <= most()) rates = wanted;
      $("rates-asked").value = rates.join(", ");
    },
  };
})();
