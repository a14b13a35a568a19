// The board to draw on, and what is shown of the answer. Words of the file become text, never markup.
const at = id => document.getElementById(id);
const board = at('board'), pen = board.getContext('2d', { willReadFrequently: true }), CELLS = 28, STEP = board.width / CELLS;
let inputs = [], shown = 0, last = null, down = false, cell = [CELLS / 2, CELLS / 2], waiting = 0;

function element(name, text, parent) {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  return made;
}

function wipe() {
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, board.width, board.height);
}

function stroke(from, to) {
  pen.strokeStyle = '#000', pen.lineWidth = 22, pen.lineCap = pen.lineJoin = 'round';
  pen.beginPath(), pen.moveTo(...from), pen.lineTo(...to), pen.stroke();
}

// Read the board, or a picture, and say what is on it.
function look(pixels) {
  try {
    const found = read(pixels || pen.getImageData(0, 0, board.width, board.height));
    inputs = found.inputs, shown = 0, at('doubts').textContent = found.doubts.join('; ');
  } catch (error) {
    inputs = [], at('doubts').textContent = error.message;
  }
  tell();
}

function tell() {
  const found = inputs.map(layers), sure = found.map(one => probabilities(one[one.length - 1]));
  const best = sure.map(p => p.indexOf(Math.max(...p))), all = sure.reduce((t, p, i) => t * p[best[i]], 1);
  at('answer').textContent = best.map(i => CLASSES[i]).join(inputs.length > 1 && CLASSES.some(c => c.length > 1) ? ' ' : '') || '–';
  at('sure').textContent = inputs.length ? `${(100 * all).toFixed(1)} % sure` + (inputs.length > 1 ? ' of all of them' : '') : '';
  at('digits').replaceChildren();
  if (inputs.length > 1) best.forEach((b, i) => {
    const button = element('button', CLASSES[b], at('digits'));
    button.setAttribute('aria-pressed', i == shown), button.onclick = () => (shown = i, tell());
  });
  tellScores(sure[shown]), tellLayers(found[shown]);
}

function tellScores(sure) {
  const table = at('scores'), order = [...CLASSES.keys()];
  table.replaceChildren();
  if (CLASSES.length > 12 && sure) order.sort((a, b) => sure[b] - sure[a]).splice(12);
  for (const i of order.slice(0, 12)) {
    const row = element('tr', '', table), bar = element('td', '', row);
    element('th', CLASSES[i], row).scope = 'row', row.append(bar);
    const meter = bar.appendChild(document.createElement('meter'));
    meter.value = sure ? sure[i] : 0, meter.setAttribute('aria-label', CLASSES[i]);
    element('td', sure ? `${(100 * sure[i]).toFixed(2)} %` : '', row);
  }
}

// Maps side by side: blue above 0, red below, the further from the colour of the page the larger.
function draw(canvas, maps, [many, h, w], most) {
  const across = Math.min(many, h > 1 ? Math.max(1, Math.floor(120 / (w + 1))) : 32), down = Math.ceil(many / across);
  const gap = h > 1 ? 1 : 0;
  canvas.width = across * (w + gap) - gap, canvas.height = down * (h + gap) - gap;
  canvas.style.width = `${canvas.width * (h > 1 ? 5 : 18)}px`;
  const to = canvas.getContext('2d'), top = most || maps.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
  const image = to.createImageData(canvas.width, canvas.height);
  const paper = matchMedia('(prefers-color-scheme: dark)').matches ? [20, 24, 29] : [255, 255, 255];
  const put = (c, y, x, colour) => {
    y += Math.floor(c / across) * (h + gap), x += c % across * (w + gap);
    if (y < canvas.height && x < canvas.width) image.data.set([...colour, 255], 4 * (y * canvas.width + x));
  };
  for (let c = 0; c < many * gap; c++) for (let y = 0; y <= h; y++) for (let x = 0; x <= w; x++) put(c, y, x, [140, 150, 160]);
  maps.forEach((v, i) => {
    const ink = v < 0 ? [209, 73, 91] : [40, 120, 220], deep = Math.min(1, Math.abs(v) / top);
    put(Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w, paper.map((p, k) => p + (ink[k] - p) * deep));
  });
  to.putImageData(image, 0, 0);
}

function tellLayers(found) {
  const place = at('layers');
  place.replaceChildren();
  if (!found) return;
  const add = (words, maps, shape, most) => {
    const figure = element('figure', '', place), canvas = figure.appendChild(document.createElement('canvas'));
    element('figcaption', words, figure), draw(canvas, maps, shape, most);
    canvas.setAttribute('role', 'img'), canvas.setAttribute('aria-label', words);
  };
  add('what the network is given', inputs[shown], FACTS.shape, 255);
  STAGES.forEach((s, i) => add(s.words, found[i], s.given));
}

// A picture: as it is where it has the network's size, and never larger than can be held.
async function open(file) {
  try {
    const bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none' }), longest = Math.max(bitmap.width, bitmap.height);
    const scale = Math.min(1, 2048 / longest), canvas = document.createElement('canvas'), fit = board.width / longest;
    canvas.width = Math.round(bitmap.width * scale) || 1, canvas.height = Math.round(bitmap.height * scale) || 1;
    const to = canvas.getContext('2d', { willReadFrequently: true });
    to.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    wipe(), pen.imageSmoothingEnabled = fit < 1;
    pen.drawImage(bitmap, (board.width - bitmap.width * fit) / 2, (board.height - bitmap.height * fit) / 2, bitmap.width * fit, bitmap.height * fit);
    look(to.getImageData(0, 0, canvas.width, canvas.height));
  } catch (error) {
    inputs = [], tell(), at('doubts').textContent = 'this file is no picture that the browser reads';
  }
}

function soon() {
  if (!waiting) waiting = setTimeout(() => (waiting = 0, look()), 200);
}

const place = event => {
  const box = board.getBoundingClientRect();
  return [(event.clientX - box.left) * board.width / box.width, (event.clientY - box.top) * board.height / box.height];
};

function pointers() {
  board.onpointerdown = event => {
    if (event.button) return;
    board.setPointerCapture(event.pointerId), last = place(event), stroke(last, last), soon();
  };
  board.onpointermove = event => {
    if (!last) return;
    for (const one of event.getCoalescedEvents?.() || [event]) stroke(last, last = place(one));
    soon();
  };
  board.onpointerup = board.onpointercancel = () => { last = null; };
}

// Arrow keys go from cell to cell; the space bar puts the pen down, and lifts it.
function keys() {
  const centre = () => cell.map(v => (v + .5) * STEP), mark = at('cursor');
  const tellCell = () => {
    mark.style.left = `${100 * cell[0] / CELLS}%`, mark.style.top = `${100 * cell[1] / CELLS}%`, mark.classList.toggle('down', down);
    at('pen').textContent = `pen ${down ? 'down' : 'up'}, column ${cell[0] + 1}, row ${cell[1] + 1}`;
  };
  board.onkeydown = event => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], ' ': [0, 0] }[event.key];
    if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const from = centre();
    if (event.key == ' ') down = !down;
    cell = cell.map((v, i) => clamp(v + way[i], 0, CELLS - 1));
    if (down) stroke(from, centre()), soon();
    tellCell();
  };
  board.onfocus = () => board.matches(':focus-visible') && tellCell(), board.onblur = () => { down = false, at('pen').textContent = ''; };
}

function start() {
  wipe(), tell();
  if (FACTS.reading == 'ink') pointers(), keys();
  at('clear').onclick = () => { wipe(), look(), at('doubts').textContent = ''; };
  at('save').onclick = () => {
    const link = document.createElement('a');
    link.href = board.toDataURL('image/png'), link.download = 'drawing.png', link.click();
  };
  at('file').onchange = event => { if (event.target.files[0]) open(event.target.files[0]), event.target.value = ''; };
  document.ondragover = event => event.preventDefault();
  document.ondrop = event => { event.preventDefault(); if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]); };
  document.onpaste = event => { if (event.clipboardData.files[0]) open(event.clipboardData.files[0]); };
}

start();
