// The audit page: files in, workers that can be ended, a report out. Nothing here asks for anything from anywhere.
"use strict";
(() => {
  const MB = 1e6, MOST_FILE = 100 * MB, MOST_ALL = 300 * MB, MOST_FILES = 5000, FEW = 6, MOST_WORKERS = 3;
  const $ = (id) => document.getElementById(id);
  const seconds = () => Number(document.documentElement.dataset.seconds);
  let parts = null, spare = null, running = null, made = [];

  // What the page holds ---------------------------------------------------------------------------------------------
  async function unpacked(id) {
    const text = atob($(id).textContent.trim()), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Response(new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  async function allParts() {
    const [code, wasm, library, packages] = await Promise.all(["code", "wasm", "library", "packages"].map(unpacked));
    const program = await new Promise((done) => {
      const reader = new FileReader(); // a module worker from a blob never starts on file://, one from data: does
      reader.onload = () => done(reader.result);
      reader.readAsDataURL(new Blob([code], { type: "text/javascript" }));
    });
    return { program, wasm, library, packages, lock: JSON.parse($("lock").textContent) };
  }

  // A worker, one question at a time --------------------------------------------------------------------------------
  class Helper {
    constructor() {
      this.worker = new Worker(parts.program, { type: "module" });
      const { wasm, library, packages, lock } = parts;
      this.ready = this.ask("start", { wasm, library, packages, lock });
      this.ready.catch(() => {});
    }
    ask(what, values = {}, limit = 0) {
      return new Promise((done, failed) => {
        const timer = limit && setTimeout(() => failed(`took longer than ${limit} s and was stopped`), limit * 1000);
        const over = (tell, value) => { clearTimeout(timer); tell(value); };
        this.worker.onmessage = ({ data }) => "problem" in data ? over(failed, data.problem) : over(done, data.answer);
        this.worker.onerror = (event) => { event.preventDefault(); over(failed, "the worker died (out of memory?)"); };
        this.stop = () => { this.worker.terminate(); over(failed, "cancelled"); };
        this.worker.postMessage({ what, ...values });
      });
    }
  }

  // The next audit finds a worker that has started already.
  function prepare() {
    delete document.documentElement.dataset.waiting;
    spare = new Helper();
    spare.ready.then(() => { document.documentElement.dataset.waiting = "yes"; }, () => {});
    return spare.ready;
  }

  // Files -----------------------------------------------------------------------------------------------------------
  async function entries(entry, path, found) {
    if (found.length > MOST_FILES) return;
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed)).catch(() => null);
      found.push({ path, file });
    } else {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((done, failed) => reader.readEntries(done, failed)).catch(() => []);
        if (!some.length) return;
        for (const one of some) await entries(one, `${path}/${one.name}`, found);
      }
    }
  }

  async function dropped(items) {
    const found = [], tops = [...items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    for (const top of tops) await entries(top, top.name, found);
    return found;
  }

  function chosen(list) {
    return [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  }

  const size = (bytes) => bytes >= MB ? `${Math.round(bytes / MB)} MB` : `${Math.ceil(bytes / 1000)} kB`;

  // The bytes of all files that can be taken, each under a path of its own; what cannot is said in a line.
  async function read(found) {
    if (found.length > MOST_FILES) {
      say(`More than ${MOST_FILES.toLocaleString("en")} files: choose fewer, or use the command tinyproof audit.`);
      return [];
    }
    const files = [], paths = new Set(), gone = [], over = [];
    let all = 0;
    for (const { path: asked, file } of found) {
      if (file && file.size > MOST_FILE) {
        say(`${asked} has ${size(file.size)}: this page takes files of at most ${size(MOST_FILE)}.`);
      } else if (file && all + file.size > MOST_ALL) {
        over.push(asked);
      } else {
        const bytes = file && await file.arrayBuffer().then((held) => new Uint8Array(held), () => null);
        if (!bytes) { gone.push(asked); continue; }
        let path = asked;
        for (let n = 2; paths.has(path); n++) path = asked.replace(/(\.[^./]*)?$/, (ending) => ` (${n})${ending}`);
        paths.add(path);
        files.push({ path, bytes });
        all += bytes.length;
      }
    }
    const those = (names) => `${names[0]}${names.length > 1 ? ` and ${(names.length - 1).toLocaleString("en")} more` : ""}`;
    const [are, were] = [over.length > 1 ? "are" : "is", gone.length > 1 ? "they were" : "it was"];
    if (over.length) say(`${those(over)} ${are} left out: this page takes ${size(MOST_ALL)} at once.`);
    if (gone.length) say(`${those(gone)} could not be read: ${were} removed or changed in the meantime.`);
    return files;
  }

  // The audit -------------------------------------------------------------------------------------------------------
  async function audit(gather) {
    if (!parts) return;
    if (running) return say("An audit is going on: wait for it, or cancel it.");
    const now = running = { cancelled: false, helpers: new Set() };
    clear();
    busy(true);
    try {
      const found = await gather();
      if (!found.length) return say("There was no file in it.");
      progress("reading", 0, 0);
      const files = await read(found);
      if (files.length && !now.cancelled) await judged(now, files);
    } catch (problem) {
      if (!now.cancelled) say(String(problem && problem.message || problem));
    } finally {
      const [kept, ...others] = [...now.helpers];
      others.forEach((helper) => helper.worker.terminate());
      if (kept) kept.worker.terminate();
      if (!spare) prepare();
      running = null;
      busy(false);
      if (now.cancelled) say("Cancelled: nothing was reported.");
    }
  }

  async function judged(now, files) {
    const given = [...new Set(files.map(({ path }) => path.split("/")[0]))];
    const first = await helper(now, files, given);
    const names = first.names, reports = names.map(() => ""), problems = names.map(() => "");
    let next = 0, done = 0;
    async function lane(one) {
      while (next < names.length && !now.cancelled) {
        const index = next++;
        progress(names[index], done, names.length);
        try {
          one ??= await helper(now, files, given);
          reports[index] = await one.ask("judge", { index }, seconds());
        } catch (problem) {
          problems[index] = String(problem);
          if (one) { one.worker.terminate(); now.helpers.delete(one); }
          one = null; // what hung or died costs itself only: the next file goes on in a new worker
        }
        progress(names[index], ++done, names.length);
      }
      return one;
    }
    const cores = Math.max(1, Math.floor((navigator.hardwareConcurrency || 2) / 2));
    const lanes = names.length < FEW ? 1 : Math.min(MOST_WORKERS, cores);
    const left = await Promise.all([lane(first), ...Array.from({ length: lanes - 1 }, () => lane(null))]);
    if (now.cancelled) return;
    const last = left.find(Boolean) || await helper(now, files, given);
    progress("the report", names.length, names.length);
    show(await last.ask("end", { reports, problems }, seconds()));
  }

  async function helper(now, files, given) {
    const one = spare || new Helper();
    spare = null;
    now.helpers.add(one);
    await one.ready;
    one.names = await one.ask("begin", { files, given }, seconds()).catch((problem) => {
      throw `${given.length > 1 ? "The files" : given[0]} cannot be looked through: ${problem}.`;
    });
    return one;
  }

  // What is seen ----------------------------------------------------------------------------------------------------
  function say(line) {
    const item = document.createElement("li");
    item.textContent = line;
    $("said").append(item);
  }

  function clear() {
    $("said").textContent = "";
    $("result").hidden = true;
    $("report").removeAttribute("srcdoc");
    made.forEach(URL.revokeObjectURL);
    made = [];
  }

  function busy(is) {
    $("working").hidden = !is;
    $("files").disabled = $("folder").disabled = is;
    if (!is) $("state").textContent = "";
  }

  function progress(what, done, of) {
    $("state").textContent = of ? `${done} of ${of} judged: ${what}` : `${what} …`;
    if (of) { $("bar").max = of; $("bar").value = done; } else $("bar").removeAttribute("value");
  }

  function show({ html, csv, json }) {
    const ways = { html: ["text/html", html], csv: ["text/csv", csv], json: ["application/json", json] };
    for (const [name, [type, text]] of Object.entries(ways)) {
      const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
      made.push(address);
      $(`as-${name}`).href = address;
    }
    const counts = {};
    for (const { status } of JSON.parse(json).files) counts[status] = (counts[status] || 0) + 1;
    const words = Object.entries(counts).map(([status, count]) => `${count} ${status}`).join(", ");
    $("outcome").textContent = words ? `Judged: ${words}.` : "There was nothing to judge in it.";
    $("report").srcdoc = html;
    $("result").hidden = false;
    $("outcome").focus();
  }

  // Hands -----------------------------------------------------------------------------------------------------------
  function listen() {
    for (const id of ["files", "folder"]) {
      $(id).addEventListener("change", ({ target }) => {
        const found = chosen(target.files);
        audit(async () => found).finally(() => { target.value = ""; });
      });
    }
    $("cancel").addEventListener("click", () => {
      if (!running) return;
      running.cancelled = true;
      running.helpers.forEach((one) => one.stop());
    });
    for (const type of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(type, (event) => {
        event.preventDefault();
        $("drop").classList.toggle("over", type === "dragover");
        if (type === "drop") {
          const found = dropped(event.dataTransfer.items); // the browser forgets them when this turn is over
          audit(() => found);
        }
      });
    }
  }

  async function main() {
    if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
      $("getting").textContent = "This browser cannot run the audit (it has no WebAssembly): use a newer one.";
      return;
    }
    listen();
    try {
      parts = await allParts();
      await prepare();
    } catch (problem) {
      $("getting").textContent = `The audit could not be started: ${problem && problem.message || problem}`;
      return;
    }
    $("getting").textContent = "Ready.";
    $("files").disabled = $("folder").disabled = false;
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
  }

  main();
})();
