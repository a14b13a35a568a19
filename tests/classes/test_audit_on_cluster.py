"""A file that is judged on a worker of a cluster gets the report that it gets here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.classes.test_report_cache import handed_in  # noqa: F401

from tinyproof.api import judge_sent
from tinyproof.api.judge_file import audit_one
from tinyproof.api.survey import Survey
from tinyproof.core import parcel
from tinyproof.core.errors import DataError, TinyproofError


def judged_elsewhere(item: judge_sent.Item, folder: Path) -> object:
    folder.mkdir()
    return judge_sent.report(judge_sent.judge(judge_sent.sent(item), folder))


def test_the_report_from_a_worker_is_the_report_from_here(handed_in: Path, tmp_path: Path) -> None:  # noqa: F811
    (handed_in / "cyd" / "README.md").write_text("The accuracy on the test set is 99.4 %.\n")
    with Survey() as survey:
        survey.add([handed_in])
        assert len(survey.items) >= 3
        assert {item.kind for item in survey.items} >= {"workbook", "notebook"}
        for number, item in enumerate(survey.items):
            assert judge_sent.can_be_sent(item)
            here = replace(audit_one(item), file="", submission="")
            assert judged_elsewhere(item, tmp_path / str(number)) == here


def test_with_a_notebook_goes_what_is_read_beside_it_and_with_a_workbook_nothing(handed_in: Path) -> None:  # noqa: F811
    (handed_in / "cyd" / "README.md").write_text("99.4 %\n")
    (handed_in / "ada" / "diary.txt").write_text("nobody's business\n")
    with Survey() as survey:
        survey.add([handed_in])
        sent = {item.kind: parcel.unpack(judge_sent.sent(item)) for item in survey.items}
    assert any(name.endswith("cyd/README.md") for name in sent["notebook"])
    assert len(sent["workbook"]) == 2  # the file, and what is asked


def test_what_is_large_or_needs_another_program_is_judged_here(
    handed_in: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Survey() as survey:
        survey.add([handed_in])
        item = survey.items[0]
    assert judge_sent.can_be_sent(item)
    assert not judge_sent.can_be_sent(replace(item, convert=True))
    assert not judge_sent.can_be_sent(replace(item, path=str(handed_in / "none.xlsx")))
    monkeypatch.setattr(judge_sent, "MOST_READ_BYTES", 10)
    assert not judge_sent.can_be_sent(item)


def test_other_code_is_refused_with_the_reason(tmp_path: Path) -> None:
    told = json.loads(judge_sent.introduction())
    assert judge_sent.introduce(json.dumps(told).encode(), tmp_path) == b"{}"
    for change, words in (({"version": "9.9"}, "where 9.9 asks"), ({"code": "0"}, "would judge with other code")):
        with pytest.raises(TinyproofError, match=words):
            judge_sent.introduce(json.dumps({**told, **change}).encode(), tmp_path)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"file": 1}', b"\x80\x04N."])
def test_what_is_no_report_is_refused(answer: bytes) -> None:
    with pytest.raises(DataError):
        judge_sent.report(answer)
