// Guess a gradient: the page asks, checks to the digits typed, and names the slip where it knows one.
// EQUATIONS.slips: [gradient, kind, old, new, place, (v, t, n) => value], wrong formulas made from the right ones, by
// Python or, of what was built here, by stepper_slips; WORDS has their words, OTHER_NUMBERS what is right and was not
// asked.
teach.sections.guess = (() => {
  let asked = "", open = false, first = true, right = 0, count = 0, at = "";
  const HALF = 0.5 + 1e-9, ALMOST = 1e-12, LEAST = 2, ENOUGH = 3; // digits that count: to be checked, to be explained

  // What was typed: its value, one unit of its last place, how many digits count; null where it is no number.
  function read(text) {
    const plain = text.trim().replaceAll("−", "-").replace(",", ".").replace(/\s*[·*×x]\s*10\s*\^?\s*/i, "e");
    const found = plain.match(/^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i);
    if (!found || !(found[2] || found[3])) return null;
    const [, , whole, part = "", power = "0"] = found, digits = (whole + part).replace(/^0+/, "").length;
    return { value: Number(plain), unit: 10 ** (Number(power) - part.length), digits };
  }
  const fits = (typed, value, units = HALF) =>
    Math.abs(typed.value - value) <= Math.max(units * typed.unit, ALMOST * Math.abs(value));

  // All gradients where some equations are replaced by wrong ones, after which everything else is right.
  function gone(wrong, v, n) {
    const w = { ...v };
    for (const [name, f] of EQUATIONS.backward) {
      const own = withoutExample(name), slip = wrong.get(own), tag = name.slice(own.length);
      if (!slip) w[name] = f(w);
      else if (tag || DATA.examples < 2) w[name] = slip(w, tag, n);
      else {
        w[name] = 0;
        for (let k = 1; k <= DATA.examples; k++) w[name] += slip(w, `[${k}]`, n);
      }
    }
    return w;
  }
  const wordsOf = ([, kind, old, belongs]) => WORDS[kind].replace("{old}", old).replace("{new}", belongs);
  function meaningOf(gradient) {
    const step = DATA.steps.find(one => one.phase === "backward" && withoutExample(one.name) === gradient);
    return step ? ` ${gradient} is ${spoken(step.meaning)}.` : "";
  }
  // Every wrong number that the page knows for this weight: [value, words], the likelier first.
  function* candidates(name, start) {
    const { v, next } = iterate(start), gradient = DATA.gradient[name],
        wanted = new Set([...ancestors(gradient)].map(withoutExample));
    for (const [words, f] of OTHER_NUMBERS) yield [f(v[gradient], v[name], next[name], v, DATA.examples),
        `${capital(words)}.`];
    EQUATIONS.slips ??= EQUATIONS.later?.() ?? []; // of what was built here, when they are first asked for
    const slips = EQUATIONS.slips.filter(slip => wanted.has(slip[0])), places = new Map();
    for (const slip of slips) places.set(slip[4], [...places.get(slip[4]) ?? [], slip]);
    for (const slip of slips)
      yield [gone(new Map([[slip[0], slip[5]]]), v, next)[gradient],
          `In ${slip[0]} ${wordsOf(slip)}.${meaningOf(slip[0])}`];
    for (const same of places.values()) {
      if (same.length < 2) continue;
      const all = gone(new Map(same.map(slip => [slip[0], slip[5]])), v, next)[gradient];
      yield [all, `In ${same.map(slip => slip[0]).join(", ")}: ${wordsOf(same[0])}, and the same`
        + ` in the others.${meaningOf(same[0][0])}`];
    }
    for (const other of DATA.trained) if (other !== name) yield [v[DATA.gradient[other]], `That is dE/d${other}.`];
    const terms = DATA.steps.find(one => one.name === gradient)?.terms ?? [];
    if (terms.length > 1) for (const term of terms)
      yield [term.value(v),
          `That is only what comes through ${spoken(term.through)}: all ${terms.length} parts are added up.`];
    for (const [by, words] of [[-2, "before"], [0, "after"]]) {
      const there = yours.starts[state.iteration + by];
      if (there) yield [iterate(there).v[gradient], `That is dE/d${name} of the iteration ${words} this one.`];
    }
  }
  function slipOf(typed, name) {
    const found = [];
    for (const [value, words] of candidates(name, startNow()))
      if (Number.isFinite(value) && value !== 0 && fits(typed, value) && !found.includes(words)) found.push(words);
    return found;
  }

  function judge(text) {
    const typed = read(text), value = iterate(startNow()).v[DATA.gradient[asked]];
    if (!typed) return ["again", "A number, please, as in 0.0821, −1.5 or 3.2e-5."];
    if (typed.digits < LEAST && !(typed.value === 0 && value === 0))
      return ["again", "Please give at least two digits that count: 0.0 could be many numbers."];
    if (fits(typed, value)) return ["right", `Right: it is ${written(value, 9)}.`];
    const slip = typed.digits >= ENOUGH ? slipOf(typed, asked) : [];
    const short = Math.abs(typed.value) < Math.abs(value) && fits(typed, value, 1);
    if (!slip.length && short)
      return ["right", `Right, cut off where one would round: it is ${written(value, 9)}.`];
    if (slip.length) return ["wrong", `Not right. ${slip[0]}${slip.length > 1 ? ` Or: ${slip[1]}` : ""}`];
    const other = typed.value < 0 !== value < 0 && value !== 0 ? "Its sign is another one"
      : `It is too ${Math.abs(typed.value) > Math.abs(value) ? "large" : "small"} in size`;
    return ["wrong", `Not right. ${other}${typed.digits < ENOUGH ? "." : ", and none of the usual slips."}`
      + (typed.digits < ENOUGH ? " With three digits or more the page can look for the slip." : "")];
  }
  function check() {
    if (!asked) return;
    const [verdict, words] = judge($("guess-number").value);
    if (verdict !== "again") {
      if (open && first) [count, right, first] = [count + 1, right + Number(verdict === "right"), false];
      if (verdict === "right") open = false;
    }
    say(verdict, words);
  }
  function say(verdict, words) {
    told("guess-verdict", element(null, "span", { class: verdict === "right" ? "good" : verdict === "wrong" ? "bad"
        : "warn" }, ...worded(words)));
    told("guess-score", count ? `Right at the first try: ${right} of ${count}.` : "");
    cover();
  }
  function reveal() {
    if (open && first) count += 1;
    [open, first] = [false, false];
    say("shown", `It is ${written(iterate(startNow()).v[DATA.gradient[asked]], 9)}: where it comes from`
      + " is written out above.");
    choose(asked);
  }
  function ask(name) {
    const others = DATA.trained.filter(one => one !== asked);
    asked = name ?? others[Math.floor(Math.random() * others.length)] ?? DATA.trained[0];
    [open, first, at] = [true, true, ""];
    $("guess-number").value = "";
    $("nudge").open = $("slope").open = false; // they would tell
    told("guess-verdict");
    cover();
    draw();
  }
  // While a question is open, its answer is covered wherever the page shows it.
  function cover() {
    const name = DATA.gradient[asked], places = [`[data-v="${name}"]`, `[data-row="${name}"] td`, "#chain .numbers"];
    $("guess-style").textContent = open && $("guess").open ? `${places.join()} { visibility: hidden; }` : "";
    $("guess-form").hidden = !asked;
    told("guess-ask", asked ? "Another one" : "Ask me");
  }
  return {
    wire() {
      heard("guess", "toggle", cover);
      heard("guess-ask", "click", () => ask());
      heard("guess-form", "submit", check);
      heard("guess-help", "toggle", scrollable);
      heard("guess-reveal", "click", reveal);
    },
    make() {
      [asked, open] = ["", false];
      told("guess-verdict");
      cover();
    },
    draw({ iteration, example, v }) {
      cover();
      if (!asked) return;
      if (at !== `${iteration} ${version}`) told("guess-verdict");
      at = `${iteration} ${version}`;
      told("guess-question", "What is ", gradientOf(asked), ` now, in iteration ${iteration}?`,
        DATA.examples > 1 ? ` (All ${DATA.examples} examples together.)` : "");
      const step = DATA.steps.find(one => one.name === DATA.gradient[asked]);
      const row = element(null, "div", { class: "line" }, ...broken(mathematics(step.left + step.symbols, v)));
      told("guess-hint", row);
    },
    write(link) {
      if (asked) link.set("guess", asked);
    },
    read(link) {
      if (DATA.trained.includes(link.get("guess"))) {
        $("guess").open = true;
        ask(link.get("guess"));
      }
    },
  };
})();
