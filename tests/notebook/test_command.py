"""`tinyproof audit` on notebooks, READMEs and folders of submissions, as a user calls it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tinyproof.api.audit import audit
from tinyproof.check.finding import CodePlace, FileReport, Finding
from tinyproof.check.notebook import audit_repository, copies
from tinyproof.show.audit_code_text import explain_file

from .books import style, write

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
PUBLISHED = (Path(__file__).parent / "published.txt").read_text()

EXPECTED = """\
cell 9   error    the "test" accuracy is measured on the training set
           test_loader = DataLoader(train_data, ...)      the log agrees: 59681/60000
           the published 99.47 % is training accuracy; the true figure is not in this notebook
cell 15  warning  the scheduler never changes the rate: step_size 15, 14 epochs
README   note     99.47 % is the last epoch's figure, quoted correctly; see cell 9 for what it measures
"""


def test_a_published_notebook_is_judged_in_words(cli: Cli, tmp_path: Path) -> None:
    path = write(PUBLISHED, tmp_path)
    done = cli("audit", path)
    assert done.returncode == 1
    assert done.stdout == f"{path}: wrong\n{EXPECTED}"
    assert done.stderr == ""


def test_json_names_file_cell_line_rule_severity_and_evidence(cli: Cli, tmp_path: Path) -> None:
    done = cli("audit", write(PUBLISHED, tmp_path), "--json")
    (file,) = json.loads(done.stdout)["files"]
    first = file["findings"][0]
    assert (first["file"], first["cell"], first["line"]) == ("S7.ipynb", 9, 2)
    assert (first["rule"], first["severity"]) == ("evaluates-on-training-data", "error")
    assert first["evidence"][0] == "the log agrees: 59681/60000"
    assert first["should_say"] == "test_loader = DataLoader(test_data, batch_size=64, shuffle=True)"


def test_a_right_notebook_ends_with_zero(cli: Cli, tmp_path: Path) -> None:
    done = cli("audit", write(style("functions"), tmp_path))
    assert done.returncode == 0
    assert "measured on the test set" in done.stdout


def test_a_rule_can_be_switched_off(cli: Cli, tmp_path: Path) -> None:
    done = cli("audit", write(PUBLISHED, tmp_path), "--disable", "evaluates-on-training-data", "--json")
    rules = {finding["rule"] for finding in json.loads(done.stdout)["files"][0]["findings"]}
    assert rules == {"scheduler-without-effect"}


def test_an_unknown_rule_is_the_users_mistake(cli: Cli, tmp_path: Path) -> None:
    done = cli("audit", write(PUBLISHED, tmp_path), "--disable", "no-such")
    assert done.returncode == 2
    assert done.stderr.startswith("tinyproof: rule: 'no-such' is not allowed")


def test_details_give_the_reason_and_the_mend(cli: Cli, tmp_path: Path) -> None:
    done = cli("audit", write(PUBLISHED, tmp_path), "--details")
    assert "why: Accuracy on images it was trained on" in done.stdout
    assert "mend: test_loader = DataLoader(test_data, batch_size=64, shuffle=True)" in done.stdout


def test_a_folder_of_submissions_is_one_report(tmp_path: Path) -> None:
    write(PUBLISHED, tmp_path / "ada")
    write(PUBLISHED, tmp_path / "bob", "copy.ipynb")
    write(style("modules"), tmp_path / "cyd")
    write(style("script"), tmp_path / "dan", "main.py")
    report = audit(tmp_path, jobs=1)
    assert [(Path(file.file).name, file.status) for file in report.files] == [
        ("S7.ipynb", "wrong"),
        ("copy.ipynb", "wrong"),
        ("S7.ipynb", "right"),
        ("main.py", "right"),
    ]
    (group,) = copies(report.files)
    assert [Path(file.file).parent.name for file in group] == ["ada", "bob"]
    twin = audit_repository(tmp_path)
    assert [file.status for file in twin] == [file.status for file in report.files]


def test_the_class_report_counts_rules_and_names_copies(cli: Cli, tmp_path: Path) -> None:
    write(PUBLISHED, tmp_path / "ada")
    write(PUBLISHED, tmp_path / "bob")
    write(style("functions"), tmp_path / "cyd")
    done = cli("audit", tmp_path, "--brief")
    assert re.search(r"evaluates-on-training-data +error +2", done.stdout)
    assert "2 of 3 files have identical logs" in done.stdout


def test_modules_of_another_submission_are_not_taken(tmp_path: Path) -> None:
    write(style("modules"), tmp_path / "ada")
    write(style("modules"), tmp_path / "bob")
    for name in ("model.py", "utils.py"):
        (tmp_path / "bob" / name).unlink()
    report = audit(tmp_path, jobs=1)
    assert [file.status for file in report.files] == ["right", "undecided"]
    assert "model" in report.files[1].problem


def test_a_readme_alone_says_what_its_figure_was_counted_on(tmp_path: Path) -> None:
    write(PUBLISHED, tmp_path)
    (file,) = audit(tmp_path / "README.md").files
    assert [(f.rule, f.severity) for f in file.findings] == [("evaluates-on-training-data", "note")]


def test_a_readme_is_judged_against_all_notebooks_beside_it(tmp_path: Path) -> None:
    write(style("functions"), tmp_path, "a.ipynb")
    write(style("classes"), tmp_path, "b.ipynb")
    (tmp_path / "README.md").write_text("First: 98.85 % test accuracy.\nSecond: 98.97 % test accuracy.\n")
    assert all(file.findings == () for file in audit(tmp_path, jobs=1).files)
    assert audit(tmp_path / "README.md").files[0].status == "right"
    (tmp_path / "README.md").write_text("First: 98.85 % test accuracy.\nSecond: 99.61 % test accuracy.\n")
    told = [f.rule for file in audit(tmp_path, jobs=1).files for f in file.findings]
    assert told == ["number-in-no-log"]


def test_the_headline_of_a_right_file_counts_its_warnings() -> None:
    place = CodePlace("a.ipynb", 2, 1)
    warning = Finding("unused-layer", "warning", place, "the layer fc has weights and is used nowhere")
    one = FileReport("a.ipynb", "notebook", "right", (warning,))
    assert explain_file(one).split("\n")[0] == "a.ipynb: right, with 1 warning"
    assert (
        explain_file(FileReport("a.ipynb", "notebook", "right", (warning, warning)))
        .split("\n")[0]
        .endswith("2 warnings")
    )
    assert explain_file(FileReport("a.ipynb", "notebook", "right")).split("\n")[0] == "a.ipynb: right"
