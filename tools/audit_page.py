"""Build the audit as one page that needs nothing: `python tools/audit_page.py --out audit.html`.

Python itself comes from npm's `pyodide`, the audit from this package's own wheel, and of four other packages as much as
an audit needs; each is pinned by its digest. Needs npm, node and pip. `--pyodide` (or $TINYPROOF_PYODIDE) names npm's
file where it was fetched before.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = Path(__file__).resolve().parent / "audit_page_parts"
PYODIDE = "314.0.0"
PYODIDE_SHA512 = (
    "588a1f4507a163bf080bd9f7fa9f423a32946460821dfaefb51e5d5ca9b40472"
    "1652e9f607c0c17f5eeb5f2b4c17f29892bb034116be0431a18bc50ac33694df"
)
SOURCE = f"https://github.com/pyodide/pyodide/tree/{PYODIDE}"
MOST_BYTES = 10_000_000
ROOMS = ("api", "backprop", "check", "core", "network", "show")  # of this package, and OWN_FILES
OWN_FILES = ("__init__.py", "_moved.py")
# Of other packages the files that an audit imports; openpyxl's own __init__ would load all of it, so an empty one
# stands in its place.
TAKEN = (
    r"(defusedxml|jinja2|markupsafe)/.*\.py", r"rich/(__init__|_extension|cells|_unicode_data/.*)\.py",
    r"openpyxl/utils/(__init__|cell|exceptions|formulas)\.py", r"openpyxl/formula/.*\.py",
)  # fmt: skip
# What no audit and no start of Python imports.
UNUSED = (
    r"(_pyrepl|unittest|xmlrpc|wsgiref|ensurepip|idlelib|turtledemo|lib2to3|pydoc_data|tkinter|curses|sqlite3|dbm)/.*",
    r"(pdb|bdb|doctest|pydoc|imaplib|smtplib|ftplib|poplib|mailbox|turtle|cProfile|profile|pstats|trace|socketserver)\.py",
    r"(optparse|plistlib|pickletools|modulefinder|ssl|cmd|tabnanny|webbrowser|nturl2path|sndhdr)\.py",
    r"(ctypes|xml/dom|xml/sax|zoneinfo|asyncio/(windows|proactor)_\w*|logging/(config|handlers)|multiprocessing/dummy)(/.*|\.py)",
    r"multiprocessing/(forkserver|heap|managers|pool|popen_\w+|queues|resource_\w+|shared\w+|spawn|synchronize)\.py",
    r"(_pyio|_pydatetime|configparser|compileall|py_compile|filecmp|fileinput|getpass|graphlib|netrc|pyclbr|sched)\.py",
    r"(shelve|this|antigravity|timeit|wave|colorsys|zipapp|http/(server|cookiejar)|urllib/robotparser|symtable)\.py",
)  # fmt: skip


def main() -> int:
    """Build the page; its size is printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("audit.html"))
    parser.add_argument("--pyodide", type=Path, default=os.environ.get("TINYPROOF_PYODIDE") or None)
    asked = parser.parse_args()
    try:
        page = build(asked.pyodide)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"audit_page: {error}", file=sys.stderr)
        return 2
    beside = asked.out.with_name(asked.out.name + ".part")
    beside.write_bytes(page)
    beside.replace(asked.out)
    print(f"{asked.out}: {len(page):,} bytes, SHA-256 {hashlib.sha256(page).hexdigest()}")
    return 0


def build(pyodide: Path | None) -> bytes:
    """The page. Raises OSError, ValueError and CalledProcessError where a part is not to be had, or is another one."""
    with tempfile.TemporaryDirectory(prefix="tinyproof-page-") as folder:
        work = Path(folder)
        runtime = unpacked(pyodide or fetched(work), work)
        wheels = [own_wheel(work), *other_wheels(work)]
        python = {name: content for wheel in wheels for name, content in taken(wheel).items()}
        python["openpyxl/__init__.py"] = b""
        library = {n: c for n, c in members(runtime / "python_stdlib.zip").items() if not fits(n, UNUSED)}
        parts = {
            "CODE": packed(joined(runtime)),
            "WASM": packed((runtime / "pyodide.asm.wasm").read_bytes()),
            "LIBRARY": packed(compiled(library, runtime, work)),
            "PACKAGES": packed(compiled(python, runtime, work)),
            "LOCK": lock(runtime),
            "LICENCES": html.escape("\n\n".join(licences(wheels))),
        }
    page = assembled(parts)
    if len(page) > MOST_BYTES:
        raise ValueError(f"the page has {len(page):,} bytes; at most {MOST_BYTES:,} are allowed")
    return page


def fetched(work: Path) -> Path:
    """npm's file of Pyodide."""
    subprocess.run(["npm", "pack", "--silent", f"pyodide@{PYODIDE}"], cwd=work, check=True, stdout=subprocess.DEVNULL)
    return work / f"pyodide-{PYODIDE}.tgz"


def unpacked(archive: Path, work: Path) -> Path:
    """Its folder, beside an empty `ws`: node's Pyodide wants that package, and uses it for the network only."""
    if hashlib.sha512(archive.read_bytes()).hexdigest() != PYODIDE_SHA512:
        raise ValueError(f"{archive} is not npm's pyodide {PYODIDE}: its digest is another one")
    with tarfile.open(archive) as tar:
        tar.extractall(work / "runtime", filter="data")
    stub = work / "runtime" / "node_modules" / "ws"
    stub.mkdir(parents=True)
    (stub / "package.json").write_text('{"name": "ws", "main": "index.js", "type": "module"}', encoding="utf-8")
    (stub / "index.js").write_text("export default {};\n", encoding="utf-8")
    return work / "runtime" / "package"


def own_wheel(work: Path) -> Path:
    """The wheel of this package, built from a copy of what the wheel is made of: the tree stays as it is."""
    copy = work / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", copy / "src", ignore=ignored)
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    pip(["wheel", "--no-deps", str(copy), "-w", str(work / "own")])
    return next((work / "own").glob("*.whl"))


def other_wheels(work: Path) -> list[Path]:
    """Those of other packages: of one that is compiled (MarkupSafe) the Python that it falls back on is taken."""
    arguments = [
        "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(PARTS / "requirements.txt"),
        "--python-version", "3.14", "--implementation", "cp", "--abi", "cp314", "--abi", "none",
        "--platform", "manylinux2014_x86_64", "--platform", "any", "-d", str(work / "wheels"),
    ]  # fmt: skip
    pip(arguments)
    return sorted((work / "wheels").glob("*.whl"))


def pip(arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments], check=True)


def members(archive: Path) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is the whole name."""
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def taken(wheel: Path) -> dict[str, bytes]:
    """Of a wheel the files that an audit needs."""
    own = [f"tinyproof/{room}/.*" for room in ROOMS] + [f"tinyproof/{re.escape(name)}" for name in OWN_FILES]
    return {name: content for name, content in members(wheel).items() if fits(name, (*own, *TAKEN))}


def licences(wheels: Iterable[Path]) -> list[str]:
    """The licences that the wheels bring along, each under the name of its package."""
    found = []
    for wheel in wheels:
        for name, content in sorted(members(wheel).items()):
            if re.search(r"\.dist-info/.*LICEN[CS]E[^/]*$", name, re.IGNORECASE):
                found.append(f"{wheel.name.split('-')[0]}\n\n{content.decode('utf-8', 'replace').strip()}")
    return found


def compiled(files: Mapping[str, bytes], runtime: Path, work: Path) -> bytes:
    """A zip of the files, Python ones compiled: reading the source at every start would take seconds."""
    source, target = work / "in.zip", work / "out.zip"
    with zipfile.ZipFile(source, "w") as made:
        for name, content in sorted(files.items()):
            made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    subprocess.run(["node", str(PARTS / "compile.mjs"), str(runtime), str(source), str(target)], check=True)
    return target.read_bytes()


def joined(runtime: Path) -> bytes:
    """The program of the worker: Pyodide's two files without their export lines, then ours."""
    loader, ends = re.subn(
        r"export\{(\w+) as loadPyodide,\w+ as version\};\s*(//# sourceMappingURL.*)?\s*$", r"return \1;",
        (runtime / "pyodide.mjs").read_text(encoding="utf-8"),
    )  # fmt: skip
    module, others = re.subn(
        r"export default _createPyodideModule;\s*$", "return _createPyodideModule;",
        (runtime / "pyodide.asm.mjs").read_text(encoding="utf-8"),
    )  # fmt: skip
    if (ends, others) != (1, 1):
        raise ValueError(f"the files of pyodide {PYODIDE} do not end as they did")
    own = (PARTS / "worker.js").read_text(encoding="utf-8")
    given = (("loadPyodide", loader), ("createPyodideModule", module))
    notice = f"/* Pyodide {PYODIDE}, Mozilla Public License 2.0; source: {SOURCE} */"
    made = (f"const {name} = (() => {{{body}}})();" for name, body in given)
    return "\n".join([notice, *made, own]).encode()


def lock(runtime: Path) -> str:
    """Pyodide's list of packages, without the packages: none is fetched."""
    whole = json.loads((runtime / "pyodide-lock.json").read_text(encoding="utf-8"))
    return json.dumps({**whole, "packages": {}}).replace("</", "<\\/")


def packed(content: bytes) -> str:
    """Small, and as text."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def assembled(parts: Mapping[str, str]) -> bytes:
    """The page of its parts, with a policy that lets the two scripts run that it is made of, and nothing else."""
    from tinyproof import __version__

    script = (PARTS / "page.js").read_text(encoding="utf-8")
    hashes = " ".join(f"'sha256-{digest(one)}'" for one in (script, report_script()))
    policy = (
        f"default-src 'none'; script-src {hashes} 'wasm-unsafe-eval'; worker-src data: blob:; connect-src data: blob:; "
        "style-src 'unsafe-inline'; img-src data: blob:; frame-src blob: data:; base-uri 'none'; form-action 'none'"
    )
    style = "".join((at / name).read_text(encoding="utf-8") for at, name in (BASE, (PARTS, "page.css")))
    values = {
        **parts, "SCRIPT": script, "POLICY": policy, "STYLE": style,
        "VERSION": __version__, "PYODIDE": PYODIDE, "SOURCE": SOURCE,
    }  # fmt: skip
    page = (PARTS / "page.html").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], page).encode()


def digest(script: str) -> str:
    """As a policy names a script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def report_script() -> str:
    """The one script of the report of an audit, which stands in the page's frame under the page's policy."""
    from tinyproof.check.finding import Report
    from tinyproof.show.audit_page import audit_page

    (script,) = re.findall(r"<script>(.*?)</script>", audit_page(Report(())), re.DOTALL)
    return str(script)


BASE = (ROOT / "src" / "tinyproof" / "show" / "templates", "base.css")


if __name__ == "__main__":
    sys.exit(main())
