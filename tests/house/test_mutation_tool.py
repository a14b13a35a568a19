"""The kept mutations fit the tree, and the command that tries them tells a test that notices from one that does not."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from tools.mutation import Copy, Mutation, Unfit, check, known, load, run, table
from tools.mutation_draw import changes, draw

KEPT = load()
SOURCE = "def judge(bound, target):\n    return bound >= target\n"
ONE = Mutation("one", "judge.py", ">= target", "> target", ("tests/test_judge.py",))


def test_every_kept_mutation_fits() -> None:
    check(KEPT)


def test_there_are_enough_and_a_sample_for_ci() -> None:
    assert len(KEPT) >= 60
    assert 10 <= sum(m.quick for m in KEPT) <= 20
    assert {m.file.partition("/")[0] for m in KEPT} >= {"prove", "check", "core", "network"}


def test_nothing_is_known_of_a_mutation_that_is_not_kept() -> None:
    assert set(known()) <= {m.name for m in KEPT}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project: one rule, a test that notices a change of it, one that does not, one that fails."""
    (tmp_path / "src" / "tinyproof").mkdir(parents=True)
    (tmp_path / "src" / "tinyproof" / "__init__.py").write_text("")
    (tmp_path / "src" / "tinyproof" / "judge.py").write_text(SOURCE)
    (tmp_path / "tests").mkdir()
    head = "from tinyproof.judge import judge\n\n\ndef test_it() -> None:\n    assert "
    for name, line in (("judge", "judge(1, 1)"), ("blind", "judge(2, 1)"), ("failing", "judge(1, 2)")):
        (tmp_path / "tests" / f"test_{name}.py").write_text(head + line + "\n")
    return tmp_path


@pytest.mark.parametrize(("name", "fate"), [("judge", "killed"), ("blind", "survived")])
def test_what_is_noticed_and_what_is_not(name: str, fate: str, tree: Path, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy", tree)
    assert copy.test(None, [f"tests/test_{name}.py"]) == "survived"
    assert copy.test(ONE, [f"tests/test_{name}.py"]) == fate
    assert (tree / "src" / "tinyproof" / "judge.py").read_text() == SOURCE
    assert (tmp_path / "copy" / "src" / "tinyproof" / "judge.py").read_text() == SOURCE


def test_a_test_that_fails_anyway_kills_nothing(tree: Path) -> None:
    with pytest.raises(Unfit, match=r"fail without any mutation \(killed\): tests/test_failing.py"):
        run([replace(ONE, tests=("tests/test_failing.py",))], 1, tree)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"old": "<= target"}, "stands 0 times in judge.py"),
        ({"old": "target"}, "stands 2 times in judge.py"),
        ({"new": ">= target"}, "stands 1 times in judge.py"),
        ({"new": ">> > target"}, "no Python"),
        ({"file": "gone.py"}, "there is no gone.py"),
        ({"tests": ("tests/test_gone.py",)}, "there is no tests/test_gone.py"),
    ],
    ids=["not there", "twice", "no change", "no Python", "no file", "no test"],
)
def test_an_entry_that_does_not_fit_is_named(changed: dict[str, object], told: str, tree: Path) -> None:
    check([ONE], tree)
    with pytest.raises(Unfit, match="one: ") as caught:
        check([replace(ONE, **changed)], tree)  # type: ignore[arg-type]
    assert told in str(caught.value)


def test_the_table_counts_what_was_run() -> None:
    same = replace(ONE, name="same", survives="nothing can tell")
    rows = table(
        [ONE, replace(ONE, name="two"), replace(ONE, name="three"), same], {"one": "killed", "two": "survived"}
    )
    assert rows.splitlines()[-1] == "| all | 4 | 1 | 2 | 1 (50.0 %) |"


def test_drawn_changes_are_python_and_each_is_another_program() -> None:
    text = (Path(__file__).parents[2] / "src" / "tinyproof" / "prove" / "verdict.py").read_text(encoding="utf-8")
    found = list(changes("verdict.py", text))
    assert len(found) > 40
    for drawn in found:
        assert text.count(drawn.old) == 1
        changed = text.replace(drawn.old, drawn.new)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text)), drawn
    assert draw({"verdict.py": text}, 9, 4) == draw({"verdict.py": text}, 9, 4) != draw({"verdict.py": text}, 9, 5)
