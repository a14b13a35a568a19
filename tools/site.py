"""Build the site: `python tools/site.py --out site`, with Zensical, from mkdocs.yml, docs/ and the program itself.

Only the pages that mkdocs.yml lists are published. Notebooks are executed; the stepping pages, the audit in a browser
and the page that reads drawn digits are made and stand beside them as static files. A warning, a link that leads
nowhere and anything that a browser would fetch from another host end the build with another exit code than 0.

The audit page needs npm's pyodide (`--pyodide` or $TINYPROOF_PYODIDE names the file), the page for digits MNIST
(`tinyproof data`); where one of them is not at hand the site is built without that page, and one line says so.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.site_faults import faults
from tools.site_pages import SiteError, stage

ADDRESS = re.compile(r"""(["'`])https?://(?!www\.w3\.org/)[^"'`]*\1""")


def main() -> int:
    """Build it; how many pages and bytes is printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("site"), help="a folder; the site that it holds is replaced")
    parser.add_argument("--pyodide", type=Path, default=os.environ.get("TINYPROOF_PYODIDE") or None)
    asked = parser.parse_args()
    try:
        build(asked.out, asked.pyodide)
        found = list(faults(asked.out))
    except (SiteError, OSError, subprocess.CalledProcessError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 2
    for fault in found:
        print(f"site: {fault}", file=sys.stderr)
    files = [path for path in asked.out.rglob("*") if path.is_file()]
    pages = sum(path.suffix == ".html" for path in files)
    print(f"{asked.out}: {pages} pages, {sum(path.stat().st_size for path in files):,} bytes")
    return int(bool(found))


def build(out: Path, pyodide: Path | None) -> None:
    """The site in `out`. Raises SiteError where it cannot be built without a word."""
    if out.exists() and any(out.iterdir()) and not (out / "sitemap.xml").is_file():
        raise SiteError(f"{out} holds something else than a site; name another folder")
    with tempfile.TemporaryDirectory(prefix="tinyproof-site-") as folder:
        work = Path(folder)
        for line in stage(work, pyodide):
            print(line)
        zensical(work)
        cut(work / "site")
        for path in (work / "live").rglob("*"):
            if path.is_file():
                target = work / "site" / path.relative_to(work / "live")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(work / "site", out)


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
