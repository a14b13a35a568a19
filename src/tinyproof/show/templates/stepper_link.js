// The address of a moment: `page.html#iteration=12&step=20&weight=w5&learning_rate=2` opens there, with that change.
// The page keeps the part after # up to date, so what a reader sees can be sent to another.
function readLink() {
  const asked = new URLSearchParams(location.hash.slice(1)), number = key => Number(asked.get(key) || NaN);
  builder.open(asked);
  for (const name of Object.keys(given)) if (!specs.allowed(name, number(name))) mine[name] = number(name);
  if (edits().length) recompute();
  if (Number.isInteger(number("example")) && number("example") >= 1 && number("example") <= DATA.examples)
    state.example = number("example");
  if (DATA.trained.includes(asked.get("weight"))) [state.picked, state.chosen] = [asked.get("weight"), true];
  teach.read(asked);
  go(Math.trunc(number("iteration")) || 1, Math.trunc(number("step")) || 0);
}
function writeLink() {
  const now = builder.link();
  if (state.iteration > 1) now.set("iteration", state.iteration);
  if (state.done) now.set("step", state.done);
  if (state.example > 1) now.set("example", state.example);
  if (state.chosen) now.set("weight", state.picked);
  for (const name of edits()) now.set(name, mine[name]);
  teach.write(now);
  // Browsers allow it a hundred times in half a minute: so not more often than twice a second, and never a complaint.
  const link = String(now) ? `#${now}` : location.pathname + location.search;
  try { history.replaceState(null, "", link); } catch { /* then there is no link */ }
}
