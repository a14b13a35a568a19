"""Points that can be counted by hand, a roster kept as it is, and no points for what nobody could judge."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tinyproof.api.audit import AuditResult
from tinyproof.check.classes.grades import Points, grade
from tinyproof.check.classes.roster import load_roster
from tinyproof.check.classes.submissions import Submission
from tinyproof.check.finding import CodePlace, FileReport, Finding, LeftOut, Severity, Status
from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.show.feedback_page import feedback_markdown, feedback_page

Cli = Callable[..., CompletedProcess[str]]


def broken(rule: str = "wrong-gradient", severity: Severity = "error") -> Finding:
    return Finding(rule, severity, CodePlace("n.ipynb", 1, 1), "a message")


def handed_in(name: str, *findings: Finding, status: Status | None = None, problem: str = "") -> FileReport:
    wrong = any(finding.severity == "error" for finding in findings)
    return FileReport(f"class/{name}/n.ipynb", "notebook", status or ("wrong" if wrong else "right"), findings,
                      problem=problem, submission=name)  # fmt: skip


def one(*files: FileReport, left_out: tuple[LeftOut, ...] = ()) -> Submission:
    return Submission("ada", files, left_out)


# ------------------------------------------------------------------ points


def test_a_rule_costs_once_at_its_worst_and_a_note_nothing() -> None:
    files = (
        handed_in("ada", broken(), broken(), broken("no-seed", "warning"), broken("no-seed", "note")),
        handed_in("ada", broken("no-seed", "note"), broken("unused-layer", "note")),
    )
    told = grade(one(*files), Points(full=10, error=3, warning=0.5))
    assert told.points == 6.5
    assert [(each.rule, each.cost) for each in told.deductions] == [("wrong-gradient", 3.0), ("no-seed", 0.5)]
    assert told.words() == "wrong-gradient -3, no-seed -0.5"


def test_a_rule_has_a_weight_of_its_own_and_nobody_gets_less_than_nothing() -> None:
    heavy = Points(full=10, error=3, rules={"wrong-gradient": 8})
    assert grade(one(handed_in("ada", broken())), heavy).points == 2
    assert grade(one(handed_in("ada", broken(), broken("wrong-loss"))), heavy).points == 0
    free = grade(one(handed_in("ada", broken())), Points(rules={"wrong-gradient": 0}))
    assert (free.points, free.deductions) == (10, ())


@pytest.mark.parametrize("status", ["undecided", "unreadable", "nothing to judge"])
def test_what_nobody_could_judge_gets_no_points(status: Status) -> None:
    told = grade(one(handed_in("ada", status=status, problem="a reason")), Points())
    assert (told.points, told.why) == (None, "a reason")


def test_a_part_that_is_open_leaves_the_points_open_and_tells_what_is_known() -> None:
    told = grade(one(handed_in("ada", broken()), handed_in("ada", status="undecided", problem="a reason")), Points())
    assert told.points is None
    assert told.words() == "wrong-gradient -3; to be looked at: a reason"
    left = grade(one(handed_in("ada"), left_out=(LeftOut("b.zip", "encrypted"),)), Points())
    assert (left.points, left.why) == (None, "encrypted")
    by_design = grade(one(handed_in("ada"), left_out=(LeftOut("model.py", "a module", asked=False),)), Points())
    assert by_design.points == 10


def test_a_readme_without_a_claim_beside_a_right_sheet_opens_nothing() -> None:
    assert grade(one(handed_in("ada"), handed_in("ada", status="nothing to judge", problem="x")), Points()).points == 10


# ------------------------------------------------------------------ the assignment's file


def asked(folder: Path, text: str) -> Path:
    path = folder / "course.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('titel = "x"', "'titel' is not allowed"),
        ("[points]\nerror = -1", "points.error: -1 is not allowed"),
        ('[points]\nfull = "ten"', "full"),
        ("[points]\nrules = 3", "points.rules: 3 is not allowed"),
        ("[points.rules]\nwrong-gradeint = 3", "points.rules: 'wrong-gradeint' is not allowed"),
        ("points = 3", "points"),
        ("title = ", "is not TOML"),
    ],
)
def test_a_wrong_assignment_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(TinyproofError, match=r"allowed|TOML") as error:
        AuditResult(()).grades(asked(tmp_path, text))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_the_title_names_the_column(tmp_path: Path) -> None:
    result = AuditResult((handed_in("ada", broken()), handed_in("bob")))
    table = result.grades(asked(tmp_path, 'title = "Session 6"\n[points]\nfull = 20\nerror = 5'))
    assert rows(table.csv()) == [
        ["name", "Session 6", "status", "workbook", "notebook", "claimed", "logged", "parameters", "epochs", "how"],
        ["ada", "15", "wrong", "", "wrong", "", "", "", "", "wrong-gradient -5"],
        ["bob", "20", "right", "", "right", "", "", "", "", ""],
    ]


# ------------------------------------------------------------------ the roster


def listed(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_roster_keeps_its_columns_and_tells_who_is_missing_or_unknown(tmp_path: Path) -> None:
    """As Moodle exports it: names in two columns."""
    path = listed(tmp_path, "First name,Last name,Email address\nAda,Lo,a@x\nBob,My,b@x\n")
    result = AuditResult((handed_in("ada lo"), handed_in("eve", broken())))
    assert rows(result.grades(roster=path).csv()) == [
        ["First name", "Last name", "Email address", "points", "status", "how"],
        ["Ada", "Lo", "a@x", "10", "right", ""],
        ["Bob", "My", "b@x", "", "missing", "to be looked at: nothing was handed in"],
        ["eve", "", "", "7", "not in the roster", "wrong-gradient -3"],
    ]


def test_a_grade_book_has_its_own_column_filled_in(tmp_path: Path) -> None:
    """As Canvas exports it: `Last, First`, a column for each assignment, a row with the points that are possible. A
    column or a student that Canvas does not know would be a new assignment there, or a question; so there are none."""
    head = "Student,ID,SIS Login ID,Section,Session 6 (41)"
    possible = "    Points Possible,,,,10.0"
    path = listed(
        tmp_path,
        f'{head}\n{possible}\n"Lo, Ada",7,alo,1,\n"My, Bob",8,bmy,1,3\n"No, Cyd",9,cno,1,5\n"Ox, Dan",10,dox,1,6\n',
    )
    title = asked(tmp_path, 'title = "Session 6"')
    done = (handed_in("Ada Lo"), handed_in("bmy.zip", broken()), handed_in("cno", status="undecided", problem="x"),
            handed_in("eve"))  # fmt: skip
    table = AuditResult(done).grades(title, path)
    assert rows(table.csv()) == [
        head.split(","),
        ["    Points Possible", "", "", "", "10.0"],
        ["Lo, Ada", "7", "alo", "1", "10"],
        ["My, Bob", "8", "bmy", "1", "7"],
        ["No, Cyd", "9", "cno", "1", "5"],
        ["Ox, Dan", "10", "dox", "1", "6"],
    ]


def test_a_grade_book_of_moodle_keeps_who_and_why_in_columns_that_it_can_leave_out(tmp_path: Path) -> None:
    path = listed(tmp_path, "First name,Last name,ID number,Session 6\nAda,Lo,7,\nBob,My,8,4\n")
    table = AuditResult((handed_in("7", broken()), handed_in("eve"))).grades(
        asked(tmp_path, 'title = "Session 6"'), path
    )
    assert rows(table.csv()) == [
        ["First name", "Last name", "ID number", "Session 6", "status", "how"],
        ["Ada", "Lo", "7", "7", "wrong", "wrong-gradient -3"],
        ["Bob", "My", "8", "4", "missing", "to be looked at: nothing was handed in"],
        ["eve", "", "", "10", "not in the roster", ""],
    ]


def test_what_moodle_writes_for_no_grade_stays_as_it_is(tmp_path: Path) -> None:
    path = listed(tmp_path, "Full name,Quiz,Change,Note\nAda,-,-3.50,-A1\n")
    written = rows(AuditResult((handed_in("Ada", broken()),)).grades(roster=path).csv())
    assert written[1][:4] == ["Ada", "-", "-3.50", "'-A1"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_separators_and_marks(tmp_path: Path, separator: str, encoding: str) -> None:
    text = separator.join(["name", "group"]) + "\r\n" + separator.join(["Zoë", "1"]) + "\r\n"
    roster = load_roster(listed(tmp_path, text, encoding))
    assert roster.columns == ("name", "group")
    assert roster.matched(dict.fromkeys(["ZOE\u0308.xlsx"], ())) == ({0: "ZOE\u0308.xlsx"}, [])


def test_names_with_quotes_and_formulas_are_safe_to_open(tmp_path: Path) -> None:
    path = listed(tmp_path, 'name\n"=HYPERLINK(""x"")"\n"O\'Neil, ""Al"""\n')
    table = AuditResult((handed_in("=cmd|x"),)).grades(roster=path)
    for row in rows(table.csv())[1:]:
        assert not row[0].startswith(("=", "+", "-", "@")), row


@pytest.mark.parametrize(
    ("heads", "row", "name"),
    [
        ("Vorname;Nachname;ID-Nummer", "Ada;Lo;7", "Lo, Ada"),
        ("Vorname;Nachname;ID-Nummer", "Ada;Lo;7", "7"),
        ("Nr;Vollsta\u0308ndiger Name", "1;Ada Lo", "ada_lo"),
        ("Nr;E-Mail-Adresse", "1;a@x", "a@x"),
        ("Nr;Anmeldename", "1;alo", "alo.zip"),
        ("Nr;Matrikelnummer", "1;4711", "4711"),
        ("Prénom;Nom de famille", "Ada;Lo", "Ada Lo"),
        ("Nr;Numéro d\u2019identification", "1;4711", "4711"),
        ("Nr;Adresse de courriel", "1;a@x", "a@x"),
    ],
)
def test_lists_in_german_and_french(heads: str, row: str, name: str, tmp_path: Path) -> None:
    assert load_roster(listed(tmp_path, f"{heads}\n{row}\n")).may_be(name) == [0]


def test_marks_of_the_direction_of_writing_hide_nobody(tmp_path: Path) -> None:
    roster = load_roster(listed(tmp_path, "name\n\u200fעדה\u200f\nBob\u202e\n\u2066Cyd\u2069\n"))
    assert roster.matched(dict.fromkeys(["עדה", "bob", "\u200ecyd.zip"], ())) == (
        {0: "עדה", 1: "bob", 2: "\u200ecyd.zip"},
        [],
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "a column called one of"),
        ("", "a column called one of"),
        ("name\nx\ny\nX\n", "stands twice, in rows 2 and 4"),
    ],
)
def test_a_wrong_roster_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match="roster") as error:
        load_roster(listed(tmp_path, text))
    assert says in str(error.value)


def test_a_roster_in_another_encoding_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not UTF-8"):
        load_roster(listed(tmp_path, "name\nZoë\n", "latin-1"))


def test_two_submissions_of_one_student_and_one_of_two_are_not_guessed(tmp_path: Path) -> None:
    roster = load_roster(listed(tmp_path, "name,id\nAda,7\nBob,ada\n"))
    assert roster.matched(dict.fromkeys(["ada"], ())) == ({}, ["ada"])
    assert roster.matched(dict.fromkeys(["7", "7.zip"], ())) == ({}, ["7", "7.zip"])
    assert roster.matched(dict.fromkeys(["class/7.zip"], ())) == ({0: "class/7.zip"}, [])


def test_of_two_for_one_row_none_gets_points_and_both_are_told(tmp_path: Path) -> None:
    path = listed(tmp_path, "username,Full name\nada,Ada Lo\nbob,Bob My\n")
    result = AuditResult((handed_in("ada", broken()), handed_in("ada.zip"), handed_in("bob"), handed_in("eve")))
    assert rows(result.grades(roster=path).csv())[1:] == [
        ["ada", "Ada Lo", "", "not known", "to be looked at: whose submission is whose, the names do not tell"],
        ["bob", "Bob My", "10", "right", ""],
        ["ada", "", "", "not known", "it may be that of ada; 7 points; wrong-gradient -3"],
        ["ada.zip", "", "", "not known", "it may be that of ada; 10 points"],
        ["eve", "", "10", "not in the roster", ""],
    ]


def test_who_is_missing_and_who_is_nobodys_is_said_for_canvas_too(tmp_path: Path) -> None:
    """Its own file has no place for them."""
    possible = "    Points Possible,,,,10.0\n"
    people = "".join(f'"No, N{number}",{number},n{number},S,\n' for number in range(20, 34))
    path = listed(tmp_path, f'Student,ID,SIS Login ID,Section,points (4)\n{possible}"Lo, Ada",7,al,S,\n{people}')
    result = AuditResult(tuple(handed_in(name) for name in ("al", "eve", "n20", "n20.zip")))
    told = result.roster_text(path)
    assert told.splitlines() == [
        "roster: a submission for 1 of 15 rows",
        "missing: No, N21; No, N22; No, N23; No, N24; No, N25; No, N26; No, N27; No, N28;",
        "  No, N29; No, N30; No, N31; No, N32 and 1 more",
        "whose it is, the names do not tell: n20; n20.zip",
        "not in the roster: eve",
    ]
    assert "No, N33" in result.roster_text(path, details=True)


# ------------------------------------------------------------------ the command


@pytest.mark.parametrize("form", ["--brief", "--json"])
def test_the_command_tells_who_is_missing(form: str, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "eve.xlsx").write_bytes(b"nonsense")
    path = listed(tmp_path, "name\nAda\n")
    done = cli("audit", tmp_path / "class", "--roster", path, "--grades", tmp_path / "g.csv", form)
    told = done.stderr if form == "--json" else done.stdout
    assert "missing: Ada\nnot in the roster: eve.xlsx\n" in told
    assert ("missing: " in done.stdout) == (form == "--brief")


def test_points_stand_on_the_feedback() -> None:
    submission = one(handed_in("ada", broken()))
    assert "Points: 7 of 10 (wrong-gradient -3)." in feedback_markdown(submission, Points())
    assert "Points: 7 of 10 (wrong-gradient -3)." in feedback_page(submission, Points())
    assert "Points" not in feedback_markdown(submission)
    still = one(handed_in("ada", status="undecided", problem="a reason"))
    assert "Points: not given yet (to be looked at: a reason)." in feedback_markdown(still, Points())


def test_the_command_says_what_is_wrong_before_it_works(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "class").mkdir()
    none, grades = tmp_path / "none.csv", tmp_path / "g.csv"
    for words, says in (
        (("--roster", none, "--grades", grades), "roster: "),
        (("--assignment", none, "--grades", grades), "assignment: "),
        (("--roster", none), "grades is missing"),
        (("--assignment", none), "assignment: "),
    ):
        done = cli("audit", tmp_path / "class", *words)
        assert done.returncode == 2, done
        assert done.stderr.startswith(f"tinyproof: {says}")
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "g.csv").exists()


def test_the_roster_is_not_overwritten_by_the_grades(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "class").mkdir()
    path = listed(tmp_path, "name\nAda\n")
    done = cli("audit", tmp_path / "class", "--roster", path, "--grades", path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert path.read_text() == "name\nAda\n"


def test_the_command_writes_what_the_twin_gives(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / "s.xlsx").write_bytes(b"nonsense")
    done = cli("audit", tmp_path / "class", "--grades", tmp_path / "g.csv", "--feedback", tmp_path / "back")
    assert done.returncode == 1
    assert rows((tmp_path / "g.csv").read_text())[1][:3] == ["ada", "", "unreadable"]
    assert "Points" not in (tmp_path / "back" / "ada.md").read_text()
