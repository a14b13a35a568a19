// A drawing that is wider than its frame says so, and can be shown whole; and weights that have no room on their lines
// stand in tables below it, layer by layer.
function measure() {
  const frame = document.querySelector(".drawing"), whole = frame.classList.contains("whole");
  const wider = frame.scrollWidth > frame.clientWidth + 1;
  $("wide").hidden = !wider && !whole;
  $("wide").firstChild.textContent = whole ? "The whole drawing, made small."
    : "⟷ The drawing is wider than the screen: it follows the steps, and scrolls sideways.";
  $("whole").textContent = whole ? "Show it large" : "Show it whole";
  $("whole").setAttribute("aria-pressed", String(whole));
}
function fitWhole(whole) {
  document.querySelector(".drawing").classList.toggle("whole", whole);
  measure();
  draw();
}

function crowdedWeights() {
  const tables = all(".net").flatMap(net => {
    const way = net.classList.contains("across") ? "across" : "down";
    const hidden = new Set(all(".weight.crowded", net).map(node => node.dataset.name));
    const links = all(".link[data-weight]", net).map(link => link.dataset).filter(link => hidden.has(link.weight));
    const sources = Map.groupBy(Map.groupBy(links, link => link.to).values(), ([first]) => first.from);
    return [...sources.values()].map(rows => weightTable(rows, way));
  });
  $("crowded").lastElementChild.replaceChildren(...tables);
  const ways = ["across", "down"].filter(way => tables.some(table => table.classList.contains(way)));
  $("crowded").hidden = !tables.length;
  $("crowded").className = ways.length === 1 ? `only-${ways[0]}` : "";
}
// A row for each unit of a layer, a column for what each weight multiplies; below each weight its gradient.
function weightTable(rows, way) {
  const name = text => worded(withoutExample(text)),
    cells = ({ weight }) => element(null, "td", { "data-pick": weight },
    element(null, "i", {}, ...worded(weight)), element(null, "span", { "data-v": weight }),
    element(null, "span", { class: "gradient", "data-v": DATA.gradient[weight] ?? "" }));
  const feeds = [...new Set(rows.flat().map(link => link.from))];
  const head = element(null, "tr", {}, element(null, "td"), ...feeds.map(feed => element(null, "th", { scope: "col" },
    ...name(feed))));
  const row = links => element(null, "tr", {}, element(null, "th", { scope: "row" }, ...name(links[0].to)),
    ...feeds.map(feed => links.find(link => link.from === feed)).map(link => link ? cells(link) : element(null, "td")));
  const units = rows.map(([first]) => withoutExample(first.to)),
    ends = units.length > 1 ? `${units[0]} to ${units.at(-1)}` : units[0];
  const table = element(null, "table", {}, element(null, "caption", {}, ...worded(`Weights into ${ends}`)),
    element(null, "thead", {}, head), element(null, "tbody", {}, ...rows.map(row)));
  return element(null, "div", { class: `scroll ${way}`, tabindex: 0, role: "region",
    "aria-label": `Weights into ${ends}` }, table);
}
