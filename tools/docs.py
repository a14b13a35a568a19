"""Documentation that is executed: run the commands and examples of the Markdown files and compare, or write them anew.

    python tools/docs.py            compare every generated block with what its command prints now (exit 1: differs)
    python tools/docs.py --write    write the blocks anew
    python tools/docs.py FILE...    only these files

In the Markdown files:

    <!-- run: tinyproof models -->           the fenced block below is what the command prints (exit code 0, or
    <!-- run exit 1: tinyproof audit x -->   the one named); commands of one file share one empty temporary folder
    <!-- run as markdown: COMMAND -->        what it prints stands as Markdown, up to <!-- end -->
    <!-- recorded: COMMAND; WHERE, WHEN -->  a slow command: the block below is kept, the command line is checked
    <!-- not run: REASON -->                 the python example below is not executed

Every ```python example is executed, every ```pycon example too, and what it prints must be what stands there (one
namespace and one folder per file), and every `tinyproof ...` line of a ```sh or ```console
block must name a command and options that exist. Every relative link must lead to a file.
"""

from __future__ import annotations

import argparse
import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCED = re.compile(
    r"<!-- run(?: exit (?P<exit>\d+))?: (?P<command>.+?) -->\n+```(?P<info>\w*)\n(?P<body>.*?)```", re.DOTALL
)
INLINE = re.compile(r"<!-- run as markdown: (?P<command>.+?) -->\n(?P<body>.*?)<!-- end -->", re.DOTALL)
RECORDED = re.compile(r"<!-- recorded: (?P<command>[^;]+?)(?:;[^>]*)? -->")
LINK = re.compile(r"\]\(([^)#\s][^)\s]*)\)")
CODE = re.compile(
    r"(?P<skip><!-- not run: .+? -->\n+)?```(?P<info>python|pycon|sh|console)\n(?P<body>.*?)```", re.DOTALL
)


def documents() -> list[Path]:
    """README, CONTRIBUTING and everything under docs/."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(command: str, folder: Path, expected: int = 0) -> str:
    """What a command prints on standard output and error, run in `folder`."""
    words = shlex.split(command)
    if words[0] in ("tinyproof", "python"):
        words = [sys.executable, *(["-m", "tinyproof"] if words[0] == "tinyproof" else []), *words[1:]]
    words = [
        str(ROOT / word) if word.startswith(("tools/", "tests/", "benchmarks/", "examples/", "records/")) else word
        for word in words
    ]
    paths = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": paths, "TERM": "dumb"}
    done = subprocess.run(
        words, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300
    )
    if done.returncode != expected:
        raise SystemExit(f"`{command}` ended with {done.returncode}, expected {expected}:\n{done.stdout}")
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()) + "\n"


def regenerate(text: str, folder: Path) -> str:
    """The document with every generated block as its command prints it now."""

    def fenced(match: re.Match[str]) -> str:
        body = run(match["command"], folder, int(match["exit"] or 0))
        head = f"<!-- run{' exit ' + match['exit'] if match['exit'] else ''}: {match['command']} -->"
        return f"{head}\n```{match['info']}\n{body}```"

    def inline(match: re.Match[str]) -> str:
        return f"<!-- run as markdown: {match['command']} -->\n{run(match['command'], folder)}<!-- end -->"

    # One pass over both kinds in the order of the page: a later command may read what an earlier one wrote.
    found = sorted([*FENCED.finditer(text), *INLINE.finditer(text)], key=lambda match: match.start())
    pieces, position = [], 0
    for match in found:
        pieces += [text[position : match.start()], fenced(match) if match.re is FENCED else inline(match)]
        position = match.end()
    return "".join([*pieces, text[position:]])


def unknown_words(line: str) -> Iterator[str]:
    """What a `tinyproof ...` command line names that does not exist."""
    from typer.main import get_command

    from tinyproof.cli import app

    words = shlex.split(line, comments=True)[1:]
    commands = get_command(app).commands  # type: ignore[attr-defined]
    if not words or words[0].startswith("-"):
        return
    if words[0] not in commands:
        yield f"no command {words[0]!r}"
        return
    known = {"--help", "-h"} | {name for p in commands[words[0]].params for name in (*p.opts, *p.secondary_opts)}
    yield from (
        f"{words[0]} has no option {w}" for w in words[1:] if w.startswith("--") and w.split("=")[0] not in known
    )


def examples(text: str, namespace: dict[str, object], path: Path, folder: Path) -> Iterator[str]:
    """What an interactive example prints otherwise than it says."""
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(text, namespace, path.name, str(path), 0)
    with contextlib.chdir(folder):
        doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    namespace.update(test.globs)
    if said:
        yield "the example differs: " + "".join(said)


def faults(path: Path, folder: Path) -> Iterator[str]:
    """Everything in one document that is not so."""
    text = path.read_text(encoding="utf-8")
    fresh = regenerate(text, folder)
    if fresh != text:
        old, new = text.splitlines(), fresh.splitlines()
        first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        was, now = (lines[first] if first < len(lines) else "(end)" for lines in (old, new))
        yield f"line {first + 1} is out of date; run `make docs`\n    it says  {was}\n    now      {now}"
    for target in LINK.findall(text):
        if "://" not in target and not (path.parent / target.split("#")[0]).exists():
            yield f"the link to {target} leads nowhere"
    lines = [match["command"] for match in RECORDED.finditer(text)]
    namespace: dict[str, object] = {"__name__": "example"}
    for match in CODE.finditer(text):
        if match["info"] == "python" and not match["skip"]:
            try:
                with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(match["body"], str(path), "exec"), namespace)  # noqa: S102 (our own documents)
            except Exception as error:
                yield f"the example fails: {type(error).__name__}: {error}\n{match['body']}"
        elif match["info"] == "pycon":
            yield from examples(match["body"], namespace, path, folder)
        elif match["info"] != "python":
            lines += [line.removeprefix("$ ") for line in match["body"].replace("\\\n", " ").splitlines()]
    for line in lines:
        if line.startswith("tinyproof"):
            yield from (f"`{line}`: {problem}" for problem in unknown_words(line))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="write the blocks anew")
    asked = parser.parse_args()
    failed = False
    for path in asked.files or documents():
        with tempfile.TemporaryDirectory() as folder:
            if asked.write:
                text = path.read_text(encoding="utf-8")
                fresh = regenerate(text, Path(folder))
                if fresh != text:
                    path.write_text(fresh, encoding="utf-8")
                    print(f"{path.name}: written anew")
                continue
            for fault in faults(path, Path(folder)):
                failed = True
                print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}: {fault}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
