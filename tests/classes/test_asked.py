"""A class with an assignment: what each submission meets, misses and leaves open is what is true of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from tests.classes.invented import Truth, make_asked

import tinyproof
from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.classes.assignment import Assignment
from tinyproof.check.classes.submissions import submissions
from tinyproof.core.errors import InputError, TinyproofError

Given = tuple[Path, dict[str, Truth], AuditResult]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("asked") / "class"
    truth = make_asked(folder)
    return folder, truth, audit(folder, assignment=folder.parent / "asked.toml", quiet=True)


def test_what_is_not_met_is_found_and_nothing_else(given: Given) -> None:
    _, truth, report = given
    found = {
        one.name: tuple(f.rule for file in one.files for f in file.findings if f.rule.startswith("asked-"))
        for one in submissions(report.files, report.left_out)
    }
    assert found == {name: true.unmet for name, true in truth.items()}


def test_what_cannot_be_checked_is_said_and_accuses_nobody(given: Given) -> None:
    _, truth, report = given
    for one in submissions(report.files, report.left_out):
        text = "; ".join(file.problem for file in one.files)
        open_ = [thing for some in re.findall(r"not checked whether it is as asked \(([^()]*)\)", text)
                 for thing in some.split("; ")]  # fmt: skip
        assert len(open_) == len(truth[one.name].unchecked), (one.name, text)
        if truth[one.name].unchecked and not truth[one.name].unmet:
            assert one.status in ("undecided", "unreadable", "unsupported")


def test_each_thing_that_is_asked_is_met_missed_or_open(given: Given) -> None:
    """None is forgotten: ten things are asked of who hands in both, layers twice."""
    _, truth, report = given
    for one in submissions(report.files, report.left_out):
        true = truth[one.name]
        if {"asked-workbook", "asked-notebook"} & set(true.unmet):
            continue
        met = sum(line.startswith("asked: ") for file in one.files for line in file.checked)
        assert met + len(true.unmet) + len(true.unchecked) == 10, one.name


def test_every_row_and_its_points_are_true(given: Given) -> None:
    _, truth, report = given
    found = {row[0]: row for row in report.grades().rows}
    assert {name: row[1] for name, row in found.items()} == {name: true.points for name, true in truth.items()}
    heads = [column.name for column in report.grades().columns]
    at = [heads.index(name) for name in ("claimed", "logged", "parameters", "epochs")]
    assert {name: tuple(row[k] for k in at) for name, row in found.items()} == {
        name: tuple(None if text == "" else float(text.replace(",", "")) for text in true.figures)
        for name, true in truth.items()
    }


def test_a_finding_says_what_was_asked_what_was_found_and_where(given: Given) -> None:
    _, _, report = given
    told = {
        (one.name, f.rule): (str(f.place), f.message)
        for one in submissions(report.files)
        for file in one.files
        for f in file.findings
        if f.rule.startswith("asked-")
    }
    assert told["bea", "asked-network"] == (
        'sheet "S1", column i1 (C6)', "asked: the inputs 0.05 and 0.1; found: 0.6 and 0.1"
    )  # fmt: skip
    assert told["eli", "asked-network"][1] == "asked: the targets 0.5 and 0.5 or 0.01 and 0.99; found: 0.3 and 0.99"
    assert told["fay", "asked-rates"][1].endswith("found: 0.1, 0.2, 0.5, 0.8 and 1, and nothing of 2")
    assert told["gus", "asked-rows"][1] == "asked: at least 8 rows of training; found: 7"
    assert told["ola", "asked-accuracy"] == (
        "cell 9",
        "asked: a test accuracy of at least 98.8 % in the last epoch; found: 98.75 % (the best epoch has 98.93 %)",
    )
    assert told["pia", "asked-parameters"] == ("cell 7, line 2", "asked: fewer than 2,000 parameters; found: 2,786")
    assert told["rob", "asked-epochs"] == ("cell 9", "asked: fewer than 5 epochs; found: 5")
    assert told["kim", "asked-workbook"][1] == "asked: a workbook; found: none"


def test_the_best_epoch_counts_where_it_is_asked(given: Given, tmp_path: Path) -> None:
    folder, _, _ = given
    path = tmp_path / "best.toml"
    path.write_text('[notebook]\naccuracy_percent = 98.9\nepoch = "best"\n')
    assert audit(folder / "ola" / "S7.ipynb", assignment=path, quiet=True).files[0].status == "right"
    path.write_text("[notebook]\naccuracy_percent = 98.9\n")
    (finding,) = audit(folder / "ada" / "S7.ipynb", assignment=path, quiet=True).files[0].findings
    assert finding.rule == "asked-accuracy"


def test_without_an_assignment_nothing_was_asked(given: Given) -> None:
    folder, truth, _ = given
    plain = audit(folder, quiet=True)
    wrong = {one.name for one in submissions(plain.files) if one.status == "wrong"}
    assert wrong == {"ned"}
    held = plain.against(folder.parent / "asked.toml")
    assert held.against(folder.parent / "asked.toml").files == held.files
    assert held.judged == plain.files
    assert len(truth) == len(held.rows())


def test_the_folders_above_a_file_name_no_rates(given: Given, tmp_path: Path) -> None:
    """Only its own name does: the same workbook is as far from what was asked wherever the class is kept."""
    folder, _, _ = given
    path, held = tmp_path / "rates.toml", tmp_path / "spring 2.0" / "Session 2" / "by hand.xlsx"
    path.write_text("[workbook]\nrates = [0.1, 0.2, 0.5, 0.8, 1.0, 2.0]\n")
    held.parent.mkdir(parents=True)
    held.write_bytes((folder / "fay" / "by hand.xlsx").read_bytes())
    cache = tmp_path / "cache"
    (file,) = audit(held, assignment=path, cache=cache, quiet=True).files
    assert [finding.rule for finding in file.findings] == ["asked-rates"]
    named = held.rename(held.with_name("by hand, rate 2.xlsx"))
    (file,) = audit(named, assignment=path, cache=cache, quiet=True).files
    assert (file.status, file.findings) == ("undecided", ())


def test_feedback_says_what_was_asked_and_the_points(given: Given, tmp_path: Path) -> None:
    _, truth, report = given
    report.feedback(tmp_path)
    for name, true in truth.items():
        text = (tmp_path / f"{name}.md").read_text(encoding="utf-8")
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        for rule in true.unmet:
            assert f"{rule} -{4 if rule == 'asked-rates' else 2}" in text
            assert f"{rule} -{4 if rule == 'asked-rates' else 2}" in page
        assert len(re.findall(r"\*\*error\*\*, [^\n]*: asked: ", text)) == len(true.unmet), name
        assert ("not checked whether" in text) == bool(true.unchecked)


def test_two_of_one_kind_are_held_together_and_the_better_notebook_counts(given: Given, tmp_path: Path) -> None:
    folder, _, _ = given
    home = tmp_path / "class" / "both"
    for name in ("ola", "ada"):
        (home / name).mkdir(parents=True)
        (home / name / "S7.ipynb").write_bytes((folder / name / "S7.ipynb").read_bytes())
    path = tmp_path / "n.toml"
    path.write_text("[notebook]\naccuracy_percent = 98.8\n")
    found = audit(tmp_path / "class", assignment=path, quiet=True)
    assert [file.status for file in found.files] == ["right", "right"]


@pytest.mark.parametrize("name", ["S7.json", "S7.ipynb (1)", "S7.ipynb(2)", "S7.ipynb.txt"])
def test_a_notebook_under_the_name_that_a_browser_gave_it_is_one(name: str, given: Given, tmp_path: Path) -> None:
    folder, _, _ = given
    home = Path(shutil.copytree(folder / "ada", tmp_path / "class" / "ada"))
    (home / "S7.ipynb").rename(home / name)
    found = audit(tmp_path / "class", assignment=folder.parent / "asked.toml", quiet=True)
    assert {Path(file.file).name: file.status for file in found.files} == {name: "right", "by hand.xlsx": "right"}
    assert found.left_out == ()


@pytest.mark.parametrize("name", ["S7.html", "S7.pdf", "S7.txt", "S7.json", "S7.ipynb.txt"])
def test_what_may_be_among_files_that_were_not_read_is_not_missing(name: str, given: Given, tmp_path: Path) -> None:
    folder, _, _ = given
    home = Path(shutil.copytree(folder / "lea", tmp_path / "class" / "lea"))
    (home / name).write_text('{"cells": "none"}')
    found = audit(tmp_path / "class", assignment=folder.parent / "asked.toml", quiet=True)
    (file,) = found.files
    assert (file.status, file.findings) == ("undecided", ())
    reason = f"beside the work, and not read: {name}"
    assert file.problem == f"not checked whether it is as asked (a notebook): {reason}"
    assert [left.why for left in found.left_out] == [reason]
    (row,) = found.grades().rows
    assert row[1] is None


# ------------------------------------------------------------------ the assignments that come with the package


def test_the_presets_are_what_the_package_says_elsewhere() -> None:
    from tinyproof.backprop.sweep import COURSE_RATES
    from tinyproof.check.classes.assignment import ASSIGNMENTS, find_assignment
    from tinyproof.data.dataset import TARGETS
    from tinyproof.network.budget import course

    held = {name: find_assignment(name) for name in ASSIGNMENTS}
    book = held["course-workbook"].workbook
    assert book is not None
    assert book.nets[0] == tinyproof.preset("course")
    assert book.all_rates == COURSE_RATES
    for name, network in (("mnist-20k", "s6-16k"), ("mnist-8k", "s7-8k")):
        asked, budget = held[name].notebook, course(network)
        assert asked is not None
        assert (asked.parameters_below, asked.epochs_below) == (budget.parameters_below, budget.epochs_below)
        assert asked.accuracy_percent == TARGETS["mnist"]


def test_the_workbook_that_the_package_makes_is_what_its_preset_asks(tmp_path: Path) -> None:
    path = tinyproof.workbook("course", tmp_path / "made.xlsx", iterations=20).path
    found = audit(path, assignment="course-workbook", quiet=True)
    assert (found.files[0].status, found.exit_code) == ("right", 0)
    few = tinyproof.workbook("course", tmp_path / "few.xlsx", rates=[0.1, 2.0], iterations=20, picture=False).path
    assert [f.rule for f in audit(few, assignment="course-workbook", quiet=True).files[0].findings] == ["asked-rates"]
    other = tinyproof.workbook("xor", tmp_path / "other.xlsx", iterations=20).path
    assert "asked-network" in {f.rule for f in audit(other, assignment="course-workbook", quiet=True).files[0].findings}


def test_examples_in_turn_are_all_trained_in_one_table(tmp_path: Path) -> None:
    """And a table of the first one alone is not known to be all that was asked."""
    own = tinyproof.derive("course").text("toml").replace('"summed"', '"one after the other"')
    (tmp_path / "two.toml").write_text(own + "\n[[examples]]\ninputs = [0.3, 0.4]\ntargets = [0.9, 0.1]\n")
    (tmp_path / "asked.toml").write_text('[workbook]\nnetwork = "two.toml"\n')
    made = tinyproof.workbook(str(tmp_path / "two.toml"), tmp_path / "made.xlsx", iterations=20, picture=False).path
    one = tinyproof.workbook("course", tmp_path / "one.xlsx", iterations=20, picture=False).path
    told = [audit(path, assignment=tmp_path / "asked.toml", quiet=True).files[0] for path in (made, one)]
    assert [file.status for file in told] == ["right", "undecided"]
    assert told[1].problem.endswith("no training is known to take example 2 of 2")


def test_of_a_loose_file_nobody_says_that_the_other_is_missing(given: Given, tmp_path: Path) -> None:
    """Of a folder of loose files each is held against what is asked of its kind, unless only the other is."""
    folder, _, _ = given
    found = audit(folder / "ada", assignment=folder.parent / "asked.toml", quiet=True)
    assert [(file.status, file.problem) for file in found.files] == [("right", ""), ("right", "")]
    only = tmp_path / "only.toml"
    only.write_text("[notebook]\nparameters_below = 2_000\n")
    (file,) = audit(folder / "ada" / "by hand.xlsx", assignment=only, quiet=True).files
    assert [finding.rule for finding in file.findings] == ["asked-notebook"]


# ------------------------------------------------------------------ a wrong assignment


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('title = "Name"', "title: 'Name' is not allowed"),
        ('title = " status "', "title: ' status ' is not allowed"),
        ('title = ""', "title: '' is not allowed"),
        ("workbook = 3", "workbook: 3 is not allowed"),
        ('[workbook]\nnetwork = "corse"', "network: 'corse' is not allowed"),
        ('[workbook]\nnetwork = "none.toml"', "none.toml"),
        ('[workbook]\nrates = "many"', "workbook.rates: 'many' is not allowed"),
        ("[workbook]\nrates = [0.1, 0.1]", "each rate once"),
        ("[workbook]\nrates = [0]", "workbook.rates: 0 is not allowed"),
        ('[workbook]\nrates = ["x"]', "workbook.rates: 'x' is not allowed"),
        ("[workbook]\nrates = 0.5", "rates"),
        ("[workbook]\nrows_at_least = 0", "workbook.rows_at_least: 0"),
        ("[workbook]\ncharts_at_least = -1", "workbook.charts_at_least: -1"),
        ('[workbook]\ntargets_also_of = ["course"]', "nothing without workbook.network"),
        ('[workbook]\nnetwork = "course"\ntargets_also_of = ["xor"]', "as many as course has"),
        ("[notebook]\naccuracy_percent = 101", "notebook.accuracy_percent: 101"),
        ("[notebook]\naccuracy_percent = 0.988", "a percentage above 1, at most 100, 98.8?"),
        ("[notebook]\naccuracy_percent = 0", "notebook.accuracy_percent: 0"),
        ('[notebook]\ndata = "MINST"', "did you mean MNIST?"),
        ('[notebook]\ndata = "minst"', "did you mean MNIST?"),
        ("[notebook]\nparameters_below = 1", "notebook.parameters_below: 1"),
        ("[notebook]\nepochs_below = 1.5", "notebook.epochs_below: 1.5"),
        ('[notebook]\nepoch = "first"', "notebook.epoch: 'first'"),
        ('[notebook]\nepoch = "best"', "nothing without notebook.accuracy_percent"),
        ('[notebook]\nrules = ["uses-bathnorm"]', "rules: 'uses-bathnorm'"),
        ("[notebook]\nparameter_below = 3", "'parameter_below' is not allowed"),
        ("[points.rules]\nasked-rates = 3", "a weight for what is asked: nothing is"),
        ("[points.rules]\nasked-rates = 3\n[workbook]\nrows_at_least = 3", "asked-rows, asked-workbook"),
        ("[points]\nunmet = -1", "points.unmet: -1"),
    ],
)
def test_an_assignment_that_is_wrong_or_contradicts_itself_is_one_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text(text)
    with pytest.raises(TinyproofError) as error:
        audit(tmp_path, assignment=path, quiet=True)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_no_title_is_that_of_another_column_of_the_grades(given: Given) -> None:
    _, _, report = given
    assert report.asked is not None
    for column in report.grades().columns:
        if column.name != report.asked.title:
            with pytest.raises(InputError, match="a heading of its own"):
                Assignment(title=column.name.upper())


def test_a_name_that_no_assignment_has_tells_those_that_are_there() -> None:
    with pytest.raises(InputError, match="course-workbook, mnist-20k, mnist-8k"):
        audit(assignment="mnist-9k", quiet=True)
    for odd in ("", "x" * 5_000, "a\0b"):
        with pytest.raises(InputError, match="assignment: "):
            audit(assignment=odd, quiet=True)


def test_a_network_lies_beside_the_assignment(given: Given, tmp_path: Path) -> None:
    folder, _, _ = given
    (tmp_path / "nets").mkdir()
    mine = tinyproof.derive("worked-example").text("toml").replace("0.01", "0.02")
    (tmp_path / "nets" / "mine.toml").write_text(mine)
    path = tmp_path / "course.toml"
    path.write_text('[workbook]\nnetwork = "nets/mine.toml"\n')
    (file,) = audit(folder / "ada" / "by hand.xlsx", assignment=path, quiet=True).files
    assert [finding.message for finding in file.findings] == [
        "asked: the biases 0.35 and 0.6; found: none",
        "asked: the targets 0.02 and 0.99; found: 0.01 and 0.99",
    ]
