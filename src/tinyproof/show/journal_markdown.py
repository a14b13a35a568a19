"""The journal as Markdown, as courses ask for it: the tries in one table, then Target, Result and Analysis of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyproof.core.markdown import fenced, plain
from tinyproof.core.table import Column, Table
from tinyproof.prove.journal.entries import Entry
from tinyproof.show.journal_page import LINES, facts
from tinyproof.show.words import epochs_table
from tinyproof.train.run_record import Run

MARK = "<!-- written by tinyproof journal; written anew by the same command -->"


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """What a run's folder has to show: its record, the text of its layers ("" where there is none), and its pictures
    as (words, link from the Markdown file)."""

    run: Run
    layers: str
    pictures: tuple[tuple[str, str], ...]


def markdown(entries: Sequence[Entry], title: str, runs: Mapping[str, RunFiles]) -> str:
    """The whole file; `runs` by the name of their entry.

    Source of the three words Target, Result, Analysis: the courses that ask for such a table.
    """
    blocks = [MARK, f"# {plain(title)}", tries(entries, runs).markdown()]
    for number, entry in enumerate(entries, 1):
        blocks += [f"## {number}. {plain(entry.name)}", *_entry(entry), *_run(runs.get(entry.name))]
    return "\n\n".join(blocks) + "\n"


def tries(entries: Sequence[Entry], runs: Mapping[str, RunFiles]) -> Table:
    """One row an entry: what was asked, what came out, what it cost."""
    columns = (
        Column("", "right"), Column("try"), Column("target"), Column("parameters", "right", ","),
        Column("epochs", "right"), Column("last epoch, %", "right", ".2f"), Column("best epoch, %", "right"),
        Column("answer"), Column("difference", "right", "+.2f"), Column("more than chance"),
    )  # fmt: skip
    rows = []
    for number, entry in enumerate(entries, 1):
        run = runs[entry.name].run if entry.name in runs else None
        cost = (run.parameters, len(run.epochs)) if run else (None, None)
        best = best_epoch(run) if run else ""
        effect = (entry.effect.difference, entry.effect.beyond)
        rows.append((number, plain(entry.name), entry.target, *cost, entry.percent, best, entry.answer, *effect))
    return Table("", columns, tuple(rows))


def best_epoch(run: Run) -> str:
    """The best accuracy on the test images, and when it was; it is no result: the test images chose it.

    Empty where only the last epoch was tested.
    """
    tested = [(x.test_percent, x.epoch) for x in run.epochs if x.test_percent is not None]
    if len(tested) < 2:
        return ""
    percent, epoch = max(tested, key=lambda pair: (pair[0], -pair[1]))
    return f"{percent:.2f} (epoch {epoch})"


def _entry(entry: Entry) -> list[str]:
    told = [f"- **{label}**: {plain(words)}" for label, words in facts(entry) if label != LINES]
    return ["\n".join(told), *([fenced("diff", entry.diff)] if entry.diff else [])]


def _run(files: RunFiles | None) -> list[str]:
    if files is None:
        return []
    found = [f"![{plain(words)}]({link})" for words, link in files.pictures]
    if files.layers:
        found.append(_folded("Layers", fenced("text", files.layers)))
    return [*found, _folded("Log of every epoch", epochs_table(files.run).markdown())]


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"
