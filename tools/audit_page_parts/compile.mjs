// Python files of a zip, compiled by the very Python that will run them: node compile.mjs PYODIDE_FOLDER IN.zip OUT.zip
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, source, target] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: folder, env: { PYTHONNODEBUGRANGES: "1" } });
python.FS.writeFile("/in.zip", new Uint8Array(readFileSync(source)));
// Without docstrings, and all of a file on one line: that halves what has to be loaded.
const program = `
import ast, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

def bare(content):
    tree = ast.parse(content)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                body[:1] = [] if len(body) > 1 else [ast.copy_location(ast.Pass(), first)]
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0
    return tree

with zipfile.ZipFile("/in.zip") as given, zipfile.ZipFile("/out.zip", "w", zipfile.ZIP_STORED) as made:
    for name in sorted(given.namelist()):
        content = given.read(name)
        if name.endswith(".py") and not name.startswith(("pyodide/", "_pyodide/")):  # these need their docstrings
            code = compile(bare(content), name, "exec", dont_inherit=True, optimize=0)
            name, content = name + "c", _code_to_hash_pyc(code, source_hash(content), False)
        made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
`;
try {
  python.runPython(program);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
writeFileSync(target, python.FS.readFile("/out.zip"));
