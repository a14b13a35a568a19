"""What takes part when a function runs: everything that can change its result, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinyproof.core.reached import reached

# A small program: `run` calls across modules, in a function's own import, through a class and a table.
FILES = {
    "__init__.py": "",
    "work/__init__.py": '"""Work."""\n',
    "work/loop.py": """
        import math
        from app.work import steps
        from app.shapes import Kind as Form, TABLE
        RATE = 0.1
        UNUSED = 2
        def run(job: Form, name: str) -> float:
            from app.late import finish
            return finish(steps.step(RATE) + TABLE[name]() + math.pi)
        def other():
            return UNUSED
        """,
    "work/steps.py": """
        def step(rate):
            if rate < 0:
                raise Wrong(words(rate))
            return rate * 2
        def words(rate):
            return f"{rate} is wrong"
        class Wrong(ValueError):
            text = "wrong"
        """,
    "shapes.py": """
        from dataclasses import dataclass
        @dataclass
        class Kind:
            size: int
            def area(self): return self.size * helper()
        def helper(): return 3
        def one(): return 1
        def two(): return 2
        TABLE = {"one": one}
        """,
    "late.py": "def finish(x): return x\n",
    "apart.py": "def nobody(): return 0\n",
}


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """The digest of the program with some files changed: an old text and a new one, or another place."""

    def digest(*changes: tuple[str, str, str], root: str = "app.work.loop.run", cuts: tuple[str, ...] = ()) -> str:
        import textwrap

        folder = tmp_path / str(len(list(tmp_path.iterdir()))) / "app"
        texts = {name: textwrap.dedent(text) for name, text in FILES.items()}
        for name, old, new in changes:
            if old:
                assert old in texts[name]
            texts[name] = texts[name].replace(old, new) if old else texts.get(name, "") + new
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return reached(folder, [root], cuts).digest

    return digest


def test_all_that_is_called_takes_part(program: Callable[..., str], tmp_path: Path) -> None:
    program()
    found = reached(next(tmp_path.iterdir()) / "app", ["app.work.loop.run"])
    assert {target.name for target in found.definitions} == {
        "run", "RATE", "step", "Wrong", "Kind", "helper", "TABLE", "one", "finish",
    }  # fmt: skip


CHANGES = [
    ("work/loop.py", "RATE = 0.1", "RATE = 0.2"),
    ("work/loop.py", "math.pi", "math.e"),
    ("work/steps.py", "rate * 2", "rate * 3"),
    ("work/steps.py", "rate < 0", "rate <= 0"),
    ("work/steps.py", "Wrong(words", "KeyError(words"),
    ("shapes.py", "self.size * helper", "self.size + helper"),
    ("shapes.py", "return 3", "return 4"),
    ("shapes.py", '"one": one', '"one": two'),
    ("late.py", "return x", "return x + 1"),
    # What is done when a module is imported, also one that is imported for something else, or by nobody's name.
    ("shapes.py", "", "\nkinds = [one]\nkinds[0] = two\n"),
    ("work/__init__.py", "", "\nimport os\nos.environ['X'] = '1'\n"),
    ("late.py", "", "\nimport app.apart\nif True:\n    def finish(x): return 0\n"),
    ("work/steps.py", "", "\nstep = None\n"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_takes_part_changes_the_digest(
    program: Callable[..., str], change: tuple[str, str, str]
) -> None:
    assert program(change) != program()


NOTHING = [
    ("work/loop.py", "UNUSED = 2", "UNUSED = 3"),
    ("work/steps.py", "is wrong", "is not allowed"),
    ("work/steps.py", 'text = "wrong"', 'text = "not right"'),
    ("shapes.py", "return 2", "return 22"),
    ("apart.py", "return 0", "return 1"),
    ("work/loop.py", "-> float", "-> complex"),
    ("work/loop.py", "import math", '"""Prose."""\nimport math  # more'),
    ("work/loop.py", "import math\n", "import os\nimport math\n"),
    ("shapes.py", "    size: int", "    size: float"),
]


@pytest.mark.parametrize("change", NOTHING)
def test_a_change_of_anything_else_does_not(program: Callable[..., str], change: tuple[str, str, str]) -> None:
    assert program(change) == program()


def test_a_module_may_move(program: Callable[..., str], tmp_path: Path) -> None:
    import shutil

    before = program()
    folder = next(tmp_path.iterdir()) / "app"
    (folder / "shapes.py").rename(folder / "work" / "forms.py")
    loop = folder / "work" / "loop.py"
    loop.write_text(
        loop.read_text().replace("from app.shapes import Kind as Form, TABLE", "from .forms import TABLE, Kind")
    )
    loop.write_text(loop.read_text().replace("job: Form", "job: Kind"))
    assert reached(folder, ["app.work.loop.run"]).digest == before
    shutil.rmtree(folder / "work" / "__pycache__", ignore_errors=True)


def test_two_definitions_of_one_name_are_told_apart(program: Callable[..., str]) -> None:
    again = ("late.py", "", "\ndef step(rate): return rate * 9\n")
    elsewhere = ("work/loop.py", "from app.work import steps", "from app import late as steps")
    assert program(again, elsewhere) != program(again)


def test_a_module_that_is_imported_by_a_name_in_quotes_is_taken_as_a_whole(program: Callable[..., str]) -> None:
    quoted = ("late.py", "return x", "return __import__('app.apart').apart.nobody()")
    assert program(quoted) != program(quoted, ("apart.py", "return 0", "return 1"))


def test_what_is_cut_is_named_and_not_followed(program: Callable[..., str]) -> None:
    inside, outside = (
        ("work/steps.py", "rate * 2", "rate * 3"),
        ("work/loop.py", "steps.step(RATE)", "steps.words(RATE)"),
    )
    assert program(inside, cuts=("app.work.steps",)) == program(cuts=("app.work.steps",))
    assert program(outside, cuts=("app.work.steps",)) != program(cuts=("app.work.steps",))


def test_a_local_variable_is_no_definition(program: Callable[..., str]) -> None:
    local = (
        "late.py",
        "def finish(x): return x",
        "from app.apart import nobody\ndef finish(x, nobody=1): return nobody",
    )
    assert program(local) == program(local, ("apart.py", "return 0", "return 1"))


def test_a_root_that_is_not_there_is_refused(program: Callable[..., str]) -> None:
    with pytest.raises(ValueError, match=r"app\.work\.loop\.ran is no definition of app"):
        program(root="app.work.loop.ran")
