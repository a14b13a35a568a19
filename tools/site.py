"""Build the site: `python tools/site.py --out site`, with Zensical, from mkdocs.yml, docs/ and the program itself.

Only the pages that mkdocs.yml lists are published. Notebooks are executed; the stepping pages, the audit in a browser
and the page that reads drawn digits are made and stand beside them as static files. A warning, a link that leads
nowhere and anything that a browser would fetch from another host end the build with another exit code than 0.

The audit page needs npm's pyodide (`--pyodide` or $TINYPROOF_PYODIDE names the file), the page for digits MNIST
(`tinyproof data`); where one of them is not at hand the site is built without that page, and one line says so; with
`--whole`, as for a release, that is a fault. The folder is replaced as a whole, at the end: until then, and after
Ctrl-C, it is as it was.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.site_faults import faults
from tools.site_pages import SiteError, stage

from tinyproof.core.errors import Stopped, TinyproofError

NEEDED = ("zensical", "nbclient", "nbformat", "ipykernel", "yaml", "PIL", "torch")
ADDRESS = re.compile(r"""(["'`])https?://(?!www\.w3\.org/)[^"'`]*\1""")


def main() -> int:
    """Build it; how many pages and bytes is printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("site"), help="a folder; the site that it holds is replaced")
    parser.add_argument("--pyodide", type=Path, default=os.environ.get("TINYPROOF_PYODIDE") or None)
    parser.add_argument("--whole", action="store_true", help="a page that would be left out ends the build")
    asked = parser.parse_args()
    interrupted: list[int] = []

    def stop(number: int, frame: object) -> None:
        interrupted.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        found = build(asked.out, asked.pyodide, asked.whole)
    except BaseException as error:
        # What is interrupted may end with an error of its own.
        if interrupted or isinstance(error, KeyboardInterrupt | Stopped):
            print(f"site: stopped; {asked.out} is as it was", file=sys.stderr)
            return 130
        if not isinstance(error, SiteError | TinyproofError | OSError | subprocess.CalledProcessError):
            raise
        print(f"site: {error}", file=sys.stderr)
        return 2
    for fault in found:
        print(f"site: {fault}", file=sys.stderr)
    if found:
        print(f"site: {asked.out} is as it was", file=sys.stderr)
        return 1
    files = [path for path in asked.out.rglob("*") if path.is_file()]
    pages = sum(path.suffix == ".html" for path in files)
    print(f"{asked.out}: {pages} pages, {sum(path.stat().st_size for path in files):,} bytes")
    return 0


def build(out: Path, pyodide: Path | None, whole: bool = False) -> list[str]:
    """The site in `out`, or what is wrong with it: then `out` stays. `whole`: what is left out is wrong, too. Raises
    SiteError where it cannot be built."""
    check(out, pyodide)
    with tempfile.TemporaryDirectory(prefix="tinyproof-site-") as folder:
        work = Path(folder)
        for line in stage(work, pyodide):
            if whole:
                return [line]
            print(line, flush=True)
        zensical(work)
        cut(work / "site")
        shutil.copytree(work / "live", work / "site", dirs_exist_ok=True)
        found = list(faults(work / "site"))
        if not found:
            put(work / "site", out)
    return found


def check(out: Path, pyodide: Path | None) -> None:
    """Raise SiteError, before any work, where something that it needs is missing or `out` is no place for a site."""
    if absent := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise SiteError(f"{', '.join(absent)} cannot be imported: pip install '.[docs]' -c constraints.txt")
    if pyodide is not None and not pyodide.is_file():
        raise SiteError(f"{pyodide} is no file; npm pack pyodide writes the one that --pyodide names")
    if file := next((each for each in (out, *out.resolve().parents) if each.exists() and not each.is_dir()), None):
        raise SiteError(f"{file} is a file; name a folder")
    if out.exists() and any(out.iterdir()) and not (out / "sitemap.xml").is_file():
        raise SiteError(f"{out} holds something else than a site; name another folder")


def put(made: Path, out: Path) -> None:
    """Copy a site beside its place, and rename it into that: whole, or not at all."""
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as beside:
        shutil.copytree(made, Path(beside, "site"))
        before = Path(beside, "before")
        if out.exists():
            out.rename(before)
        try:
            Path(beside, "site").rename(out)
        except BaseException:
            if before.exists() and not out.exists():
                before.rename(out)
            raise


def zensical(work: Path) -> None:
    """The pages of the staged folder. Raises SiteError with what it complains of."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=work, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    if done.returncode or "arning" in said or "rror" in said:
        raise SiteError(f"zensical ended with {done.returncode}:\n{said}")


def cut(site: Path) -> None:
    """The theme knows other hosts, from which it fetches what no page here asks for: their addresses are cut out."""
    for path in (site / "assets").rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        path.write_text(ADDRESS.sub(r"\1\1", text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
