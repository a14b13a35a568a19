// The worker of the audit page: Python, and the audit one step at a time. Before this stand `loadPyodide` and
// `createPyodideModule`. What it is told and what it answers is one message each; a second one waits for the first.
"use strict";
const HERE = "https://here.invalid/"; // names of files that are at hand; nothing is asked for anywhere
let python = null, steps = null;

async function start({ wasm, library, packages, lock }) {
  const held = { "pyodide.asm.wasm": [wasm, "application/wasm"], "python_stdlib.zip": [library, "application/zip"] };
  self.fetch = async (address) => {
    const found = held[String(address).replace(HERE, "")];
    if (!found) throw new TypeError("nothing is fetched");
    return new Response(found[0], { headers: { "Content-Type": found[1] } });
  };
  python = await loadPyodide({ createPyodideModule, indexURL: HERE, lockFileContents: lock, packageBaseUrl: HERE });
  python.unpackArchive(packages, "zip", { extractDir: python.runPython("import site; site.getsitepackages()[0]") });
  python.runPython("import os; os.makedirs('/given', exist_ok=True); os.chdir('/given')");
  python.pyimport("tinyproof.check.workbook");
  steps = python.pyimport("tinyproof.api.audit_steps").AuditSteps();
}

function begin({ files, given }) {
  for (const { path, bytes } of files) {
    const folder = path.split("/").slice(0, -1).join("/");
    if (folder) python.FS.mkdirTree("/given/" + folder);
    python.FS.writeFile("/given/" + path, bytes);
  }
  const names = steps.begin(python.toPy(given));
  try { return names.toJs(); } finally { names.destroy(); }
}

function end({ reports, problems }) {
  const result = steps.end(python.toPy(reports), python.toPy(problems));
  const asText = python.runPython(
    "import json; lambda r: [r.html(), r.table().csv(), json.dumps(r.to_json(), ensure_ascii=False, indent=1)]");
  const [html, csv, json] = asText(result).toJs();
  return { html, csv, json };
}

const DOES = { start, begin, judge: ({ index }) => steps.judge(index), end };

let before = Promise.resolve();
self.onmessage = ({ data }) => {
  before = before.then(async () => {
    try {
      self.postMessage({ answer: await DOES[data.what](data) });
    } catch (error) {
      const lines = String(error && error.message || error).trim().split("\n");
      const deep = /call stack|recursion/.test(lines.join(" ")); // of the browser: Python has ended, and so will this worker
      self.postMessage({ problem: deep ? "is nested too deeply" : lines[lines.length - 1].slice(0, 300) });
    }
  });
};
