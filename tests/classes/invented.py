"""A class of invented submissions, with what is true of each: `python tests/classes/invented.py FOLDER [COUNT]`.

Folders, archives and loose files; workbooks right and broken in every kind whose numbers change, notebooks right and
wrong, files of nonsense, an archive that cannot be read, a folder without work. `FOLDER asked`: a class that was given
the assignment in `asked.toml`, which it writes too (and a template of feedback, `words.md`), and meets or misses each
thing that was asked.
"""

from __future__ import annotations

import io
import random
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.notebook.books import style  # noqa: E402
from tests.notebook.books import write as write_notebook  # noqa: E402
from tests.workbook.mutants import Mutant, mutant, right  # noqa: E402
from tests.workbook.sheets import Cells, Plan, Sheet  # noqa: E402
from tests.workbook.sheets import make as make_sheet  # noqa: E402
from tests.workbook.sheets import write as write_sheets  # noqa: E402

KINDS = ("wrong-gradient", "wrong-forward", "wrong-update", "wrong-rate-cell", "overwritten", "wrong-loss")
NOTEBOOK_STYLES = ("functions", "classes", "modules")
PUBLISHED = (ROOT / "tests" / "notebook" / "published.txt").read_text(encoding="utf-8")


Rows = tuple[int, int]
SHORT: Rows = (6, 12)
COURSE: Rows = (48, 100)  # rows of the tables that are handed in, one step of training each


def make(folder: Path, count: int = 60, rows: Rows = SHORT, signed: bool = False) -> dict[str, str]:
    """Write `count` submissions and return the status that each must have, by its name. `rows`: least and most of a
    workbook's. `signed`: the names stand in files, sheets, cells and texts too."""
    truth = {}
    for number in range(count):
        name = f"student{number + 1:02}"
        truth.update(_one(folder, name, number, rows, f"by {name}" if signed else ""))
    return truth


def _one(folder: Path, name: str, number: int, rows: Rows, by: str) -> dict[str, str]:
    """Of ten: four right, four wrong (three workbooks, one notebook), one archive, one that is nothing."""
    place = number % 10
    if place == 8:
        return _archive(folder, name, number, rows, by)
    if place == 9:
        return _odd(folder, name, number)
    home = folder / name
    home.mkdir(parents=True)
    if place in (1, 3, 5):
        _signed(mutant(KINDS[(number // 10 + place) % len(KINDS)], number, rows), by).write(home)
        return {name: "wrong"}
    if place == 7:
        _notebook(PUBLISHED, home, by)
        return {name: "wrong"}
    _signed(right(number, rows), by).write(home)
    if place == 6:
        _notebook(style(NOTEBOOK_STYLES[number // 10 % len(NOTEBOOK_STYLES)]), home, by)
    return {name: "right"}


def _signed(made: Mutant, by: str) -> Mutant:
    """Under its usual name; `by`: in the names of file and sheet, and in texts above and beside the table."""
    made.file = f"backprop {by}.xlsx" if by else "backprop.xlsx"
    if by:
        made.title = f"table {by}"
        made.cells[1, 60] = made.cells[made.sheet.first, 60] = f"worked out {by}"
    return made


def _notebook(text: str, home: Path, by: str) -> Path:
    signed = f"# %% [markdown]\n# Session 7, {by}\n\n" if by else ""
    return write_notebook(signed + text, home, f"S7 {by}.ipynb" if by else "S7.ipynb")


def _archive(folder: Path, name: str, number: int, rows: Rows, by: str) -> dict[str, str]:
    """The archive of one right workbook in a folder of its own."""
    held = io.BytesIO()
    sheet = _signed(right(number, rows), by).write(folder)
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(f"my work/{sheet.name}", sheet.read_bytes())
    sheet.unlink()
    (folder / f"{name}.zip").write_bytes(held.getvalue())
    return {f"{name}.zip": "right"}


def _odd(folder: Path, name: str, number: int) -> dict[str, str]:
    """Nonsense under the name of a workbook, or of an archive; a folder without work."""
    if number // 10 % 3 == 1:
        (folder / f"{name}.zip").write_bytes(b"PK\x03\x04 and nothing more")
        return {f"{name}.zip": "unreadable"}
    home = folder / name
    home.mkdir()
    if number // 10 % 3 == 2:
        (home / "essay.pdf").write_bytes(b"%PDF-1.7")
        return {name: "nothing to judge"}
    (home / "backprop.xlsx").write_bytes(b"this is not a workbook")
    return {name: "unreadable"}


# A class with an assignment -------------------------------------------------------------------------------------------

RATES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
ASKED = """title = "Two by hand, one by machine"

[workbook]
network = "course"
targets_also_of = ["worked-example"]
rates = [0.1, 0.2, 0.5, 0.8, 1.0, 2.0]
rows_at_least = 8
charts_at_least = 1

[notebook]
data = "MNIST"
accuracy_percent = 98.8
parameters_below = 2_000
epochs_below = 5
rules = ["uses-batch-norm", "uses-dropout"]

[points]
full = 20
unmet = 2

[points.rules]
asked-rates = 4
"""


WORDS = """Dear $name,

$sentence You have $points points.

$body

My door is open on Thursdays.
"""


@dataclass(frozen=True)
class Truth:
    """What is true of a submission: what it does not meet, what nobody can check, its points (None: not given), and
    what stands in its row: claimed, logged, parameters, epochs."""

    unmet: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    points: float | None = 20
    figures: tuple[str, ...] = ("98.85", "98.85", "1,442", "4")


def make_asked(folder: Path) -> dict[str, Truth]:
    """Write a class and `asked.toml` beside it; what is true of each submission."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "asked.toml").write_text(ASKED, encoding="utf-8")
    (folder.parent / "words.md").write_text(WORDS, encoding="utf-8")
    truth = {}
    for name, (book, notebook, true) in _ASKED.items():
        home = folder / name
        home.mkdir()
        if book is not None:
            book(home)
        if notebook is not None:
            write_notebook(notebook, home)
        truth[name] = true
    return truth


def _sheet(rate: float = 0.5, rows: int = 8, changed: dict[str, float] | None = None, bias: str = "none") -> Sheet:
    """The course's table; `changed`: given numbers that are others in every row, weights in the first."""
    sheet = make_sheet(Plan(rate=rate, rows=rows, bias=bias), random.Random(1))
    for quantity, number in (changed or {}).items():
        for row in range(sheet.first, sheet.first + 1 if quantity[0] == "w" else sheet.last + 1):
            sheet.cells[row, sheet.at[quantity]] = number
    return sheet


def _book(
    rates: tuple[float, ...] = RATES,
    rows: int = 8,
    chart: bool = True,
    note: str = "",
    changed: dict[str, float] | None = None,
    bias: str = "none",
) -> Callable[[Path], None]:
    """A workbook with a sheet a rate; `note`: a text beside the first table."""

    def made(home: Path) -> None:
        sheets: dict[str, Cells] = {}
        for number, rate in enumerate(rates, 1):
            sheets[f"S{number}"] = _sheet(rate, rows, changed, bias).cells
        if note:
            sheets["S1"][1, 45] = note
        one = _sheet(rows=rows, bias=bias)
        loss = f"{one.ref('E_total', one.first)}:{one.ref('E_total', one.last)}"
        write_sheets(home / "by hand.xlsx", sheets, charts=[(on, loss, "Loss") for on in sheets] * chart)

    return made


def _book_a_rate(home: Path) -> None:
    for rate in RATES:
        part = home / f"{rate:g}"
        part.mkdir()
        _book((rate,))(part)


def _nonsense(home: Path) -> None:
    (home / "by hand.xlsx").write_bytes(b"this is not a workbook")


def _wrong_gradient(home: Path) -> None:
    """As it was asked, and dE/dw3 takes the slope of another unit."""
    sheet = _sheet()
    for row in range(sheet.first, sheet.last + 1):
        held = str(sheet.cells[row, sheet.at["dE/dw3"]])
        sheet.cells[row, sheet.at["dE/dw3"]] = held.replace(sheet.ref("a_h2", row), sheet.ref("a_h1", row))
    others = {f"S{number}": _sheet(rate).cells for number, rate in enumerate(RATES)}
    loss = f"{sheet.ref('E_total', sheet.first)}:{sheet.ref('E_total', sheet.last)}"
    write_sheets(home / "by hand.xlsx", {**others, "last": sheet.cells}, charts=[("last", loss, "Loss")])


BOOK_AS_ASKED, BOOK_WITH_A_WRONG_GRADIENT = _book(), _wrong_gradient


def _but(*pairs: tuple[str, str]) -> str:
    """The right notebook with pieces of it replaced; each must be there."""
    text = style("functions")
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


_GOOD = style("functions")
_NEXT = "EPOCH: 5\n\nTest set: Average loss: 0.0361, Accuracy: 9885/10000 (98.85%)\n"
_WIDE = (("nn.Conv2d(8, 16, 3, bias=False)", "nn.Conv2d(8, 32, 3, bias=False)"), ("BatchNorm2d(16)", "BatchNorm2d(32)"),
         ("nn.Linear(16, 10)", "nn.Linear(32, 10)"), ("view(-1, 16)", "view(-1, 32)"), ("1,442", "2,786"))  # fmt: skip
_ASKED: dict[str, tuple[Callable[[Path], None] | None, str | None, Truth]] = {
    "ada": (_book(), _GOOD, Truth()),
    "bea": (_book(changed={"i1": 0.6}), _GOOD, Truth(("asked-network",), points=18)),
    "cem": (_book(changed={"w1": 0.16}), _GOOD, Truth(("asked-network",), points=18)),
    "dan": (_book(changed={"t1": 0.5, "t2": 0.5}), _GOOD, Truth()),
    "eli": (_book(changed={"t1": 0.3}), _GOOD, Truth(("asked-network",), points=18)),
    "eve": (_book(bias="trained"), _GOOD, Truth(("asked-network",), points=18)),
    "eza": (_book(bias="outside"), _GOOD, Truth(("asked-network",), points=18)),
    "fay": (_book(rates=(0.1, 0.2, 0.5, 0.8, 1.0)), _GOOD, Truth(("asked-rates",), points=16)),
    "fin": (_book(rates=(0.5,), note="0.1 0.2 0.8 1 2 tried: see the report"), _GOOD,
            Truth(unchecked=("asked-rates",), points=None)),
    "gus": (_book(rows=7), _GOOD, Truth(("asked-rows",), points=18)),
    "hal": (_book(chart=False), _GOOD, Truth(("asked-charts",), points=18)),
    "ida": (_book(rates=(0.1,), rows=7, chart=False), _GOOD,
            Truth(("asked-rates", "asked-rows", "asked-charts"), points=12)),
    "jan": (_book_a_rate, _GOOD, Truth()),
    "kim": (None, _GOOD, Truth(("asked-workbook",), points=18)),
    "lea": (_book(), None, Truth(("asked-notebook",), points=18, figures=("", "", "", ""))),
    "max": (_nonsense, _GOOD, Truth(unchecked=("asked-network", "asked-rates", "asked-rows", "asked-charts"),
                                    points=None)),
    "ned": (_wrong_gradient, _GOOD, Truth(points=17)),
    "ola": (_book(), _but(("9885/10000 (98.85%)", "9875/10000 (98.75%)"), ("98.85 % test", "98.75 % test")),
            Truth(("asked-accuracy",), points=18, figures=("98.75", "98.75", "1,442", "4"))),
    "pia": (_book(), _but(*_WIDE), Truth(("asked-parameters",), points=18, figures=("98.85", "98.85", "2,786", "4"))),
    "rob": (_book(), _but(("EPOCHS = 4", "EPOCHS = 5"), ("in 4 epochs", "in 5 epochs"),
                          ("(98.85%)\n\n# %%\nimport matplotlib", f"(98.85%)\n\n{_NEXT}\n# %%\nimport matplotlib")),
            Truth(("asked-epochs",), points=18, figures=("98.85", "98.85", "1,442", "5"))),
    "sam": (_book(), _but(("        self.drop = nn.Dropout(0.05)\n", ""), ("self.drop(self.pool(F.relu(self.bn1("
                          "self.conv1(x)))))", "self.pool(F.relu(self.bn1(self.conv1(x))))"),
                          ("self.drop(F.relu(self.bn2(self.conv2(x))))", "F.relu(self.bn2(self.conv2(x)))")),
            Truth(("asked-layers",), points=18)),
    "uma": (_book(), _but(("datasets.MNIST", "datasets.FashionMNIST")), Truth(("asked-data",), points=18)),
    "tom": (_book(), _GOOD[: _GOOD.index("# %% output\nEPOCH: 1")],
            Truth(unchecked=("asked-accuracy", "asked-epochs"), points=None, figures=("98.85", "", "1,442", ""))),
}  # fmt: skip


if __name__ == "__main__":
    place = Path(sys.argv[1])
    asked = sys.argv[2:] == ["asked"]
    if not asked:
        place.mkdir(parents=True)
    made = make_asked(place) if asked else make(place, int(sys.argv[2]) if len(sys.argv) > 2 else 60)
    print(f"{len(made)} submissions in {place}")
