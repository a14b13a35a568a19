"use strict";
const all = [...document.querySelectorAll(".one")];
const search = document.getElementById("search");
const order = document.getElementById("order");
const buttons = [...document.querySelectorAll("#tools button")];
const mistakes = [...document.querySelectorAll(".only")];

// A wide sheet begins at its first marked cell, not at its left.
function toFirstMark(place) {
  for (const frame of place.querySelectorAll(".scroll[role=region]")) {
    const mark = frame.querySelector(".error, .warning, .note");
    if (mark) frame.scrollLeft = mark.offsetLeft - frame.clientWidth / 2;
  }
}

function pressed(held) {
  return held.filter((each) => each.getAttribute("aria-pressed") === "true");
}

function filter() {
  const asked = pressed(buttons).map((each) => each.dataset.status);
  const wrong = pressed(mistakes).map((each) => each.dataset.mistake);
  const words = search.value.trim().toLowerCase();
  for (const one of all) {
    const found = !words || one.textContent.toLowerCase().includes(words);
    const makes = wrong.length === 0 || one.dataset.mistakes.split(" ").some((each) => wrong.includes(each));
    one.hidden = !found || !makes || (asked.length > 0 && !asked.includes(one.dataset.status));
  }
  const count = all.filter((one) => !one.hidden).length;
  document.getElementById("shown").textContent = count === all.length ? "" : `${count} of ${all.length} shown`;
}

const by = {
  rank: (a, b) => a.dataset.rank - b.dataset.rank,
  name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true }),
  errors: (a, b) => b.dataset.errors - a.dataset.errors || by.rank(a, b),
};

// A link to a finding opens the submission that holds it.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const holder = target && target.closest(".one");
  if (!holder) return;
  holder.hidden = false; // a link leads there whatever is shown
  holder.open = true;
  target.scrollIntoView();
}

for (const one of document.querySelectorAll("details")) one.addEventListener("toggle", () => one.open && toFirstMark(one));
if (search) {
  document.getElementById("tools").hidden = false;
  search.addEventListener("input", filter);
  order.addEventListener("change", () => document.getElementById("class").append(...[...all].sort(by[order.value])));
  for (const each of mistakes) each.hidden = false;
  for (const each of [...buttons, ...mistakes]) {
    each.addEventListener("click", () => {
      each.setAttribute("aria-pressed", String(each.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
}
// On paper a submission that is shown is shown whole.
let closed = [];
addEventListener("beforeprint", () => { closed = all.filter((one) => !one.open && !one.hidden); for (const one of closed) one.open = true; });
addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
addEventListener("hashchange", openTarget);
toFirstMark(document);
openTarget();
