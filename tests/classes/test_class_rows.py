"""The row of a submission, in the terminal, on the page, as CSV and JSON: what is not known is empty."""

from __future__ import annotations

import json

from rich.cells import cell_len

from tinyproof.api.audit import AuditResult
from tinyproof.check.classes.assignment import Assignment
from tinyproof.check.classes.class_rows import class_row
from tinyproof.check.classes.submissions import Submission
from tinyproof.check.facts import Figure, LoggedRun, NotebookFacts, WorkbookFacts
from tinyproof.check.finding import FileReport, Status

RUN = LoggedRun(9, (97.0, 99.41, 99.4), 3, True)
FACTS = NotebookFacts(
    claimed=(Figure(99.41, "n.ipynb", 1, 1),),
    runs=(LoggedRun(4, (96.0, 98.0), 2, True), RUN),
    parameters=(Figure(7416, "n.ipynb", 3, 2), Figure(7416, "n.ipynb", 5)),
)


def notebook(name: str, facts: NotebookFacts | None, status: Status = "right", file: str = "n.ipynb") -> FileReport:
    return FileReport(f"class/{name}/{file}", "notebook", status, submission=name, facts=facts)


def book(name: str, status: Status = "right") -> FileReport:
    return FileReport(f"class/{name}/b.xlsx", "workbook", status, submission=name, facts=WorkbookFacts())


def test_a_row_has_what_the_audit_read_and_nothing_else() -> None:
    row = class_row(Submission("ada", (book("ada", "wrong"), notebook("ada", FACTS))))
    assert (row.workbook, row.notebook, row.status) == ("wrong", "right", "wrong")
    assert (row.claimed, row.logged, row.parameters, row.epochs) == ((99.41,), (99.4,), (7416,), (3,))
    assert row.grade is None
    nothing = class_row(Submission("bob", (notebook("bob", NotebookFacts(), "undecided"),)))
    assert (nothing.workbook, nothing.claimed, nothing.logged, nothing.parameters, nothing.epochs) == (
        "",
        (),
        (),
        (),
        (),
    )


def test_epochs_that_nobody_numbered_and_one_measurement_are_no_epochs() -> None:
    runs = (LoggedRun(4, (96.0, 98.0), 2, False), LoggedRun(5, (98.1,), 1, True))
    row = class_row(Submission("ada", (notebook("ada", NotebookFacts(runs=runs)),)))
    assert (row.logged, row.epochs) == ((98.1,), ())


def result() -> AuditResult:
    other = NotebookFacts(claimed=(Figure(98.5, "m.ipynb", 1, 1),), runs=(LoggedRun(2, (98.5,) * 8, 8, True),))
    several = tuple(notebook(f"student{n:02}", NotebookFacts()) for n in range(25))
    ada = (book("ada"), notebook("ada", FACTS), notebook("ada", other, "wrong", "m.ipynb"))
    return AuditResult((*several, *ada), asked=Assignment())


def test_json_has_a_row_a_submission() -> None:
    held = json.loads(json.dumps(result().to_json()))["submissions"]
    assert len(held) == 26
    assert held[-1] == {
        "name": "ada", "workbook": "right", "notebook": "wrong", "claimed": [98.5, 99.41], "logged": [98.5, 99.4],
        "parameters": [7416], "epochs": [3, 8], "status": "wrong", "points": 10, "how": "",
    }  # fmt: skip
    plain = AuditResult(result().files).to_json()["submissions"]
    assert "points" not in plain[-1]


def test_the_csv_has_numbers_and_from_where_to_where_several_go() -> None:
    lines = result().rows_table().csv().splitlines()
    assert lines[0] == "name,workbook,notebook,claimed,logged,parameters,epochs,status,points,how"
    assert lines[1] == "student00,,right,,,,,right,10,"
    assert lines[-1] == "ada,right,wrong,98.5-99.41,98.5-99.4,7416,3-8,wrong,10,"


def test_the_terminal_shows_the_figures_in_eighty_columns() -> None:
    lines = result().text().splitlines()
    assert max(map(cell_len, lines)) <= 80
    (ada,) = [line for line in lines if line.startswith("ada ") and "7,416" in line]
    assert ada.split() == ["ada", "98.50-99.41", "98.50-99.40", "7,416", "3-8", "10"]
    one = AuditResult((*(book(f"s{n:02}") for n in range(25)), notebook("ada", FACTS))).text()
    assert "ada             right       99.41   99.40       7,416       3" in one
    assert len(lines) <= 45


def test_the_page_has_the_rows_the_rubric_and_the_figures() -> None:
    page = result().html()
    assert "A row a submission, with its points" in page
    assert "Points: 10 in full; an error 3, a warning 0.5, something asked and not there 3." in page
    assert '<td class="number">98.50-99.41</td>' in page
    assert "claimed 98.50-99.41 %; logged 98.50-99.40 %; parameters 7,416; epochs 3-8;" in " ".join(page.split())
    assert "points: 10 of 10" in page
    plain = AuditResult(result().files).html()
    assert "Points:" not in plain
    assert "A row a submission</summary>" in plain
