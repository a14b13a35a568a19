"""The report of one run: a single page that needs no other file, from the run's record and its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinyproof.core.stats import clopper_pearson
from tinyproof.core.table import Table
from tinyproof.network.budget import Check, table
from tinyproof.show.html import data_uri, render, safe
from tinyproof.show.words import epochs_table, recipe_words, run_evidence
from tinyproof.train.run_record import Run


@dataclass(frozen=True)
class Picture:
    """A picture with its words: PNG bytes, what a reader who cannot see it is told, the caption."""

    png: bytes
    alt: str
    caption: str


@dataclass(frozen=True)
class Backprop:
    """The back-propagation half of the page: pictures, the first rows of the table, words about the rates."""

    pictures: Sequence[Picture]
    table: Table
    words: str
    workbook: str = ""


@dataclass(frozen=True)
class Page:
    """Everything the page shows besides the run. `command`: what asks many seeds."""

    dataset_title: str
    checks: tuple[Check, ...]
    pictures: Mapping[str, Picture]
    layers: Table | None = None
    drawing: str = ""  # the network as SVG
    notes: Sequence[str] = ()
    files: Sequence[tuple[str, str]] = field(default_factory=tuple)
    backprop: Backprop | None = None
    command: str = ""


def verdict(checks: Sequence[Check]) -> tuple[str, str]:
    """(`good`, `bad` or `warn`, one sentence) on the checks of a budget."""
    broken = [check.name for check in checks if check.kept is False]
    unknown = [check.name for check in checks if check.kept is None]
    if not checks:
        return "warn", "No budget was set."
    if broken:
        return "bad", f"The budget is broken: {', '.join(broken)}."
    if unknown:
        return "warn", f"Not decided: {', '.join(unknown)} not known."
    return "good", "The budget is kept."


def single_run_words(run: Run) -> str:
    """The accuracy of one run with the interval that its number of test images allows."""
    interval = clopper_pearson(run.correct, run.test_count)
    return (
        f"{run.accuracy_percent:.2f} % of the test images are read right after the last epoch "
        f"({run.correct:,} of {run.test_count:,}; with so many images, 95 % interval "
        f"{100 * interval.low:.2f} to {100 * interval.high:.2f} %)."
    )


def report_html(run: Run, page: Page) -> str:
    """The page as HTML."""
    kind, sentence = verdict(page.checks)
    return render(
        "report.html.j2",
        title=f"{run.identity.model} on {page.dataset_title}",
        run=run,
        page=page,
        kind=kind,
        sentence=sentence,
        accuracy=single_run_words(run),
        recipe=recipe_words(run.recipe),
        checks=safe(table(page.checks).html()),
        epochs=safe(epochs_table(run).html()),
        drawing=safe(page.drawing),
        layers=safe(page.layers.html()) if page.layers else "",
        evidence=safe(run_evidence(run).html()),
        backprop_table=safe(page.backprop.table.html()) if page.backprop else "",
        uri=data_uri,
    )
