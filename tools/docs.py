"""Documentation that is executed: run the commands and examples of the Markdown files and compare, or write them anew.

    python tools/docs.py            compare every generated block with what its command prints now (exit 1: differs)
    python tools/docs.py --write    write the blocks anew
    python tools/docs.py FILE...    only these files

In the Markdown files:

    <!-- run: tinyproof models -->           the fenced block below is what the command prints (exit code 0, or
    <!-- run exit 1: tinyproof audit x -->   the one named); commands of one file share one empty temporary folder
    <!-- run about: tinyproof train x -->    the same, where figures (times, rounding) may be others: words are compared
                                             and the whole numbers of lines without times and fractions; --write leaves
                                             alone what differs in its times only
    <!-- run last 5: COMMAND -->             only its last lines stand there, below "..."
    <!-- run as markdown: COMMAND -->        what it prints stands as Markdown, up to <!-- end -->
    <!-- recorded: COMMAND; WHERE, WHEN -->  a slow command: the block below is kept, the command line is checked
    <!-- file: NAME -->                      the fenced block below is a file of that name for what follows
    <!-- not run: REASON -->                 the python example below is not executed

These marks are for this program; the reader is shown the command too, by a ```sh block between the mark and the output
(below what stands as Markdown in a line of its own). --write puts it there, and it is compared like the output.

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
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHOWN = r"(?:```sh\n(?:(?!```).)*```\n+)?"
FENCED = re.compile(
    r"<!-- (?P<how>run(?: exit (?P<exit>\d+))?(?P<about> about)?(?: last (?P<last>\d+))?): (?P<command>.+?) -->\n+"
    + SHOWN
    + r"```(?P<info>\w*)\n(?P<body>.*?)```",
    re.DOTALL,
)
INLINE = re.compile(r"<!-- run as markdown: (?P<command>.+?) -->\n(?P<body>.*?)<!-- end -->", re.DOTALL)
RECORDED = re.compile(r"<!-- recorded: (?P<said>[^>]+?) -->\n+" + SHOWN, re.DOTALL)
FILE = re.compile(r"<!-- file: (?P<name>[\w.-]+) -->\n+```\w*\n(?P<body>.*?)```", re.DOTALL)
COMMAND = re.compile(r"(?:[A-Z_]+=(?:\"[^\"]*\"|\S*) )*(?:tinyproof|python) ")
WIDTH = 100
ONCE = "compiling the kernels"  # that is said once on a machine
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT[\d:+]+|\b(?:\d[\d,.]* (?:s|min|h)\b ?)+")
FIGURE = re.compile(r"\d[\d,.]*(?:e[-+]?\d+)?")
MEASURED = re.compile(rf"{TIME.pattern}|\d\.\d|\d %")
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
    lines = (line.rstrip() for line in done.stdout.strip("\n").splitlines())
    return "\n".join(line for line in lines if not line.startswith(ONCE)) + "\n"


def recorded(said: str) -> tuple[list[str], str]:
    """The commands that a mark names, and the rest of what it says: where, when, of what.

    >>> recorded("python a.py x (of y.zip); python b.py; two cores, one thread")
    (['python a.py x', 'python b.py'], 'of y.zip; two cores, one thread')
    """
    commands, words = [], []
    for part in said.split("; "):
        if COMMAND.match(part):
            command, _, note = part.partition(" (")
            commands.append(command)
            words += [note.rstrip(")")] if note else []
        else:
            words.append(part)
    return commands, "; ".join(words)


def shown(commands: list[str], remark: str = "") -> str:
    """The block in which the reader sees them, long ones over several lines."""
    lines = [f"# {remark}"] if remark else []
    for command in commands:
        first, *options = command.split(" --")
        line = first
        for option in options:
            if len(f"{line} --{option}") > WIDTH:
                lines.append(line + " \\")
                line = "   "
            line += f" --{option}"
        lines.append(line)
    return "```sh\n" + "".join(line + "\n" for line in lines) + "```\n"


def fenced(match: re.Match[str], folder: Path, write: bool) -> str:
    """A command, as the reader sees it, and what it prints."""
    body = run(match["command"], folder, int(match["exit"] or 0))
    lines = body.splitlines(keepends=True)
    if match["last"] and len(lines) > int(match["last"]):
        body = "...\n" + "".join(lines[-int(match["last"]) :])
    alike = but_for_times if write else but_for_figures
    if match["about"] and alike(body) == alike(match["body"]):
        body = match["body"]
    return f"<!-- {match['how']}: {match['command']} -->\n{shown([match['command']])}\n```{match['info']}\n{body}```"


def but_for_times(text: str) -> list[str]:
    """The words and figures of a text without its times; a column is as wide as it must be.

    >>> but_for_times("done in 42 s") == but_for_times("done in 1 min 12 s")
    True
    >>> but_for_times("98.61 %  0.3 s") == but_for_times("98.33 %  0.3 s")
    False
    """
    return re.sub(r"-{2,}", "--", TIME.sub("0 s ", text)).split()


def but_for_figures(text: str) -> list[str]:
    """The words of a text, and its whole numbers where the line has neither times nor fractions: how many parameters
    and epochs there are is the same on every machine.

    >>> but_for_figures("acc 97.9 %  0.3 s\\n-----") == but_for_figures("acc 8 %   12.1 s\\n---")
    True
    >>> but_for_figures("parameters  7,904  kept") == but_for_figures("parameters  7,820  kept")
    False
    >>> but_for_figures("kept") == but_for_figures("broken")
    False
    """
    lines = (FIGURE.sub("0", TIME.sub("0 s ", line)) if MEASURED.search(line) else line for line in text.splitlines())
    return but_for_times("\n".join(lines))


def inline(match: re.Match[str], folder: Path, write: bool) -> str:
    """What a command prints as Markdown, and the command."""
    head = f"<!-- run as markdown: {match['command']} -->"
    return f"{head}\n{run(match['command'], folder)}\n*Printed by `{match['command']}`.*\n<!-- end -->"


def kept(match: re.Match[str], folder: Path, write: bool) -> str:
    """A command that is not run here, as the reader sees it."""
    commands, remark = recorded(match["said"])
    head = f"<!-- recorded: {match['said']} -->\n"
    return head + (f"{shown(commands, remark and 'recorded: ' + remark)}\n" if commands else "")


def regenerate(text: str, folder: Path, wrong: list[str], write: bool = False) -> str:
    """The document with every generated block as its command prints it now. `wrong` takes what its examples fail in."""
    # One pass in the order of the page: a later command may read what an earlier one, or an example, wrote.
    made = {FENCED: fenced, INLINE: inline, RECORDED: kept}
    found = sorted(
        (match for kind in (*made, FILE, CODE) for match in kind.finditer(text)), key=lambda match: match.start()
    )
    pieces, position, namespace = [], 0, {"__name__": "example"}
    for match in found:
        if match.re is FILE:
            (folder / match["name"]).write_text(match["body"], encoding="utf-8")
        elif match.re is CODE:
            wrong += example(match, namespace, folder)
        else:
            pieces += [text[position : match.start()], made[match.re](match, folder, write)]
            position = match.end()
    return "".join([*pieces, text[position:]])


def example(match: re.Match[str], namespace: dict[str, Any], folder: Path) -> Iterator[str]:
    """What is not so of an example in Python, which is run."""
    if match["info"] == "python" and not match["skip"]:
        try:
            with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(match["body"], "example", "exec"), namespace)  # noqa: S102 (our own documents)
        except Exception as error:
            yield f"the example fails: {type(error).__name__}: {error}\n{match['body']}"
    elif match["info"] == "pycon":
        yield from session(match["body"], namespace, folder)


def session(text: str, namespace: dict[str, Any], folder: Path) -> Iterator[str]:
    """What an interactive example prints otherwise than it says."""
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(text, namespace, "example", "example", 0)
    with contextlib.chdir(folder):
        doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    namespace.update(test.globs)
    if said:
        yield "the example differs: " + "".join(said)


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


def faults(path: Path, folder: Path) -> Iterator[str]:
    """Everything in one document that is not so."""
    text = path.read_text(encoding="utf-8")
    wrong: list[str] = []
    fresh = regenerate(text, folder, wrong)
    if fresh != text:
        old, new = text.splitlines(), fresh.splitlines()
        first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        was, now = (lines[first] if first < len(lines) else "(end)" for lines in (old, new))
        yield f"line {first + 1} is out of date; run `make docs`\n    it says  {was}\n    now      {now}"
    for target in LINK.findall(text):
        if "://" not in target and not (path.parent / target.split("#")[0]).exists():
            yield f"the link to {target} leads nowhere"
    lines = [command for match in RECORDED.finditer(text) for command in recorded(match["said"])[0]]
    for match in CODE.finditer(text):
        if match["info"] in ("sh", "console"):
            lines += [line.removeprefix("$ ") for line in match["body"].replace("\\\n", " ").splitlines()]
    for line in lines:
        if line.startswith("tinyproof"):
            yield from (f"`{line}`: {problem}" for problem in unknown_words(line))
    yield from wrong


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
                fresh = regenerate(text, Path(folder), [], write=True)
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
