"""What is to be tried on the site, as static files: the audit in a browser, stepping pages, one that reads digits."""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "tools" / "site_parts"
# A network that was proved, with its weights: the first of the ten runs in this record.
PROVED, RUN = ROOT / "records" / "fast-c-int8.zip", "seed-1121416784"
# The proof of the first screen, and of the picture below it.
THIRTY = ROOT / "records" / "s7-8k-30.zip"


def live(folder: Path, docs: Path, pyodide: Path | None) -> tuple[dict[str, str], list[str]]:
    """Everything to be tried, into `folder`, their drawings into docs/images; the pages that lead there, as Markdown by
    name, and what was left out, a line each."""
    folder.mkdir()
    left_out = [*audit_page(folder, pyodide), *digits(folder)]
    cards = stepping(folder / "step", docs / "images")
    values = {
        "AUDIT": card(folder, "audit.html"), "DIGITS": card(folder, "digits.html"), "STEPS": cards,
        "CHECK": "audit.html" if (folder / "audit.html").is_file() else "learner.html",
        "FOUND": found(), "PROVE": declared(), "PROVED": proved(),
        "THIRTY": f"{facts(THIRTY)['parameters']:,}", "DIGIT": f"{facts(PROVED)['parameters']:,}",
        "RUNS": str(facts(PROVED)["seeds"]),
    }  # fmt: skip
    pages = {}
    for name in ("index.md", "live.md"):
        text = (PARTS / name).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        pages[name] = text
    return pages, left_out


def audit_page(folder: Path, pyodide: Path | None) -> Iterator[str]:
    """The audit in a browser, where npm's pyodide is at hand."""
    if pyodide is None:
        yield "left out: the audit in a browser, for $TINYPROOF_PYODIDE names no file (npm pack pyodide)"
        return
    command = [sys.executable, str(ROOT / "tools" / "audit_page.py"), "--pyodide", str(pyodide)]
    subprocess.run([*command, "--out", str(folder / "audit.html")], check=True, stdout=subprocess.DEVNULL)


def digits(folder: Path) -> Iterator[str]:
    """The page of a proved network to draw on, where MNIST is at hand. Its figures are those of the record."""
    import tinyproof
    from tinyproof.core.errors import TinyproofError

    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(PROVED) as archive:
        archive.extractall(work)
        path = os.environ["PATH"]
        os.environ["PATH"] = ""  # no Chromium: all 10,000 images were answered when the record was made
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                made = tinyproof.export(Path(work) / RUN, to="html", out=Path(work) / "page")
        except TinyproofError as error:
            yield f"left out: the page that reads digits: {error}"
            return
        finally:
            os.environ["PATH"] = path
        (made.folder / "network.html").rename(folder / "digits.html")


def stepping(folder: Path, images: Path) -> str:
    """A stepping page and its drawing for each preset; the cards that lead there."""
    import tinyproof
    from tinyproof.backprop.presets import PRESETS

    folder.mkdir()
    images.mkdir(parents=True, exist_ok=True)
    cards = []
    for name in PRESETS:
        tinyproof.page(name, folder / f"{name}.html", iterations=200)
        tinyproof.draw(name, images / f"step-{name}.svg", theme="light")
        tinyproof.draw(name, images / f"step-{name}-dark.svg", theme="dark")
        words = html.escape(tinyproof.preset(name).title)
        cards.append(f"-   [**{name}**](step/{name}.html)\n\n    ![{words}](images/step-{name}.svg)\n\n    {words}\n")
    return "\n".join(cards)


def card(folder: Path, name: str) -> str:
    """What stands of a page to be tried; empty where it was left out."""
    page = folder / name
    if not page.is_file():
        return ""
    text = (PARTS / f"card-{page.stem}.md").read_text(encoding="utf-8")
    return text.replace("@MB@", f"{page.stat().st_size / 1e6:.0f}")


def found() -> str:
    """What the audit says of a sheet with the commonest mistake: the first finding, as HTML."""
    import tinyproof

    with tempfile.TemporaryDirectory() as work:
        sheet = Path(work) / "homework.xlsx"
        command = [sys.executable, str(ROOT / "tools" / "homework.py"), str(sheet)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (file,) = tinyproof.audit(sheet, quiet=True).files
    first = file.findings[0]
    says, should = marked(first.says, first.should_say)
    lines = (
        ("wrong", f"{html.escape(first.place.column)} is not the gradient"),
        ("", f"it says     {says}"), ("better", f"it should   {should}"),
        ("why", html.escape(first.why)), ("quiet", html.escape(first.effect)),
    )  # fmt: skip
    return "\n".join(f'<span class="{kind}">{text}</span>' for kind, text in lines)


def marked(says: str, should: str) -> tuple[str, str]:
    """Two formulas from the factor on in which they differ; the factors that differ are marked.

    >>> marked("(a+b)*h1*(1-h1)*i", "(a+b)*h2*(1-h2)*i")
    ('…*<mark>h1*(1-h1)</mark>*i', '…*<mark>h2*(1-h2)</mark>*i')
    """
    mine, theirs = re.split(r"(?<=\*)", says), re.split(r"(?<=\*)", should)
    first = next(n for n, (one, other) in enumerate(zip(mine, theirs, strict=False)) if one != other)
    last = next(n for n, (one, other) in enumerate(zip(mine[::-1], theirs[::-1], strict=False)) if one != other)

    def shown(parts: list[str]) -> str:
        middle, rest = "".join(parts[first : len(parts) - last]), "".join(parts[len(parts) - last :])
        star = "*" * middle.endswith("*")
        return f"…*<mark>{html.escape(middle.removesuffix('*'))}</mark>{star}{html.escape(rest)}"

    return shown(mine), shown(theirs)


def facts(record: Path) -> dict[str, Any]:
    """What a stored proof was of: model, seeds, target, parameters, as its declaration and its first run say."""
    with zipfile.ZipFile(record) as archive:
        named = {Path(name).name: name for name in reversed(archive.namelist())}
        declared, run = (json.loads(archive.read(named[name])) for name in ("declared.json", "run.json"))
    told = {"model": declared["model"], "seeds": len(declared["seeds"]), "target": declared["target"]}
    return {**told, "parameters": run["parameters"]}


def declared() -> str:
    """The command that asks what that record answers."""
    of = facts(THIRTY)
    return f"tinyproof prove {of['model']} --seeds {of['seeds']} --target {of['target']:g}"


def proved() -> str:
    """What thirty declared runs proved, from the record."""
    command = [sys.executable, str(ROOT / "tools" / "records.py"), "proof", str(THIRTY)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return html.escape(said.strip().splitlines()[-1])
