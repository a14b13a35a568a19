"""The picture of claimed against logged accuracies on the page of a class."""

from __future__ import annotations

import re

from tinyproof.check.classes.submissions import submissions
from tinyproof.check.facts import Figure, LoggedRun, NotebookFacts
from tinyproof.check.finding import FileReport, Report
from tinyproof.show.audit_page import audit_page
from tinyproof.show.claims_picture import SIDE, claims_picture


def notebook(name: str, logged: float | None, *claimed: float) -> FileReport:
    runs = () if logged is None else (LoggedRun(1, (50.0, logged), 2, True),)
    facts = NotebookFacts(claimed=tuple(Figure(value, "n.ipynb") for value in claimed), runs=runs)
    return FileReport(f"class/{name}/n.ipynb", "notebook", "right", submission=name, facts=facts)


TWO = (notebook("ada", 98.0, 99.0), notebook("<bea>", 97.0, 97.0))
OTHERS = (notebook("cem", None, 99.0), notebook("dan", 98.5), notebook("eli", 98.5, 98.0, 99.0))


def test_a_point_for_each_notebook_with_both_figures() -> None:
    picture = claims_picture(submissions((*TWO, *OTHERS)))
    assert picture is not None
    assert {(point.name, point.claimed, point.logged) for point in picture.points} == {
        ("ada", 99.0, 98.0), ("<bea>", 97.0, 97.0),
    }  # fmt: skip
    ada, bea = sorted(picture.points, key=lambda point: -point.claimed)
    assert bea.x == bea.y  # on the diagonal
    assert ada.y > ada.x  # above it: more is claimed
    assert all(0 <= place <= SIDE for point in picture.points for place in (point.x, point.y))


def test_the_page_draws_it_in_words_too_and_escapes_names() -> None:
    page = audit_page(Report((*TWO, *OTHERS)))
    assert page.count("<circle") == 2
    assert re.search(r'<svg[^>]*role="img"[^>]*aria-labelledby="claims-title claims-desc"', page)
    assert "ada: claimed 99.00 %, logged 98.00 %" in page
    assert "<bea>" not in page


def test_where_fewer_than_two_have_both_there_is_none() -> None:
    assert claims_picture(submissions((TWO[0], *OTHERS))) is None
    assert "<circle" not in audit_page(Report((TWO[0], *OTHERS)))


def test_a_class_in_which_all_say_100() -> None:
    picture = claims_picture(submissions((notebook("a", 100.0, 100.0), notebook("b", 100.0, 100.0))))
    assert picture is not None
    assert (picture.low, picture.high) == (99.0, 100.0)
