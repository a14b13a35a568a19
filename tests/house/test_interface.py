"""The public interface: the names that type checkers see are those that are there, every call is typed, and a command
and its twin have the same defaults."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.main import get_command

import tinyproof
from tinyproof.backprop.exercise_book import PARTS
from tinyproof.backprop.sweep import parse_rates

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "src" / "tinyproof" / "__init__.pyi"
VERBS = [name for name in tinyproof.__all__ if inspect.isfunction(getattr(tinyproof, name))]
# How a command prints and where it writes its text is no matter of its twin, which returns the result.
PRESENTATION = {
    "as_json", "json", "brief", "details", "markdown", "format", "digits", "columns", "show", "context",
}  # fmt: skip
# Of some commands only: `--csv` of audit is `result.table().csv()`, and so on.
WRITTEN_BY_THE_COMMAND = {
    "audit": {"csv", "html", "feedback", "grades", "template", "roster", "rules"},
    "trace": {"out"}, "derive": {"out"}, "sweep": {"out"}, "report": {"quiet"},
    "predict": {"pictures", "csv", "processes"},
    "workbook": {"exercise", "seed", "student", "roster"},
}  # fmt: skip


# ------------------------------------------------------------------ names


def stub() -> dict[str, str]:
    """Name -> module, as __init__.pyi says; it must say nothing else, so that no signature can differ from the code."""
    found = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body[1:]:
        if isinstance(node, ast.AnnAssign):
            assert ast.unparse(node) == "__version__: str"
            continue
        assert isinstance(node, ast.ImportFrom)
        (alias,) = node.names
        assert alias.asname == alias.name, f"{alias.name} is not re-exported"
        found[alias.name] = str(node.module)
    return found


def test_type_checkers_see_the_names_that_are_there() -> None:
    assert stub() == tinyproof._WHERE
    assert sorted(tinyproof.__all__) == sorted([*stub(), "__version__"])
    assert dir(tinyproof) == sorted(tinyproof.__all__)


@pytest.mark.parametrize("name", sorted(stub()))
def test_a_name_is_what_its_module_holds(name: str) -> None:
    found = getattr(tinyproof, name)
    assert found.__name__ == name
    assert found.__doc__
    assert getattr(tinyproof, name) is found


def test_completion_offers_every_name() -> None:
    import rlcompleter

    offered = rlcompleter.Completer({"tinyproof": tinyproof})
    found = {
        (offered.complete("tinyproof.", state) or "").removeprefix("tinyproof.").rstrip("()") for state in range(200)
    }
    assert set(tinyproof.__all__) - {"__version__"} <= found


# ------------------------------------------------------------------ signatures


@pytest.mark.parametrize("name", VERBS)
def test_every_argument_has_a_name_and_a_type(name: str) -> None:
    signature = inspect.signature(getattr(tinyproof, name))
    assert signature.return_annotation not in (inspect.Signature.empty, "Any")
    for parameter in signature.parameters.values():
        assert parameter.kind is not parameter.VAR_KEYWORD
        assert parameter.annotation is not inspect.Parameter.empty, parameter.name
        assert "Any" not in str(parameter.annotation), parameter.name


@pytest.mark.parametrize("name", VERBS)
def test_a_docstring_says_what_is_raised_and_has_an_example(name: str) -> None:
    text = inspect.getdoc(getattr(tinyproof, name)) or ""
    assert "Raises" in text
    assert ">>> " in text


def test_the_page_of_the_interface_has_every_verb_and_every_result() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    results = [name for name in tinyproof.__all__ if name.endswith("Result")]
    assert [name for name in [*VERBS, *results] if f"### `{name}`\n" not in text] == []


def plain(value: Any) -> Any:
    """A default as both sides may write it: an Enum's value, a path's text, nothing as an empty tuple."""
    if isinstance(value, Enum):
        return value.value
    return () if value is None else str(value) if isinstance(value, Path) else value


def differences(command: Callable[..., object], twin: Callable[..., object], apart: set[str]) -> list[str]:
    """In what the options of a command and the arguments of its twin differ."""
    options, arguments = (
        {name: one for name, one in inspect.signature(call).parameters.items() if name not in apart}
        for call in (command, twin)
    )
    found = [f"the twin has no {name}" for name in options if name not in arguments]
    for name, option in options.items():
        argument = arguments.get(name)
        if argument is None or argument.kind is argument.VAR_POSITIONAL:
            continue
        theirs, ours = plain(option.default), plain(argument.default)
        if name == "rates" and isinstance(theirs, str):
            theirs = parse_rates(theirs)
        if theirs != ours:
            found.append(f"{name} is {theirs!r} by default, in the twin {ours!r}")
    return found


def commands() -> dict[str, Callable[..., object]]:
    from tinyproof.cli import app

    callbacks = [command.callback for command in app.registered_commands]
    assert len(callbacks) == len(get_command(app).commands)  # type: ignore[attr-defined]
    return {callback.__name__: callback for callback in callbacks if callback is not None}


def test_every_command_has_a_twin_with_its_defaults() -> None:
    found = commands()
    assert set(found) <= set(VERBS)
    for name, command in found.items():
        apart = PRESENTATION | WRITTEN_BY_THE_COMMAND.get(name, set())
        assert differences(command, getattr(tinyproof, name), apart) == [], name


def test_many_pictures_have_a_twin_of_their_own() -> None:
    assert differences(commands()["predict"], tinyproof.predict_many, PRESENTATION) == []


def test_exercises_have_a_twin_of_their_own() -> None:
    command, twin = (inspect.signature(f).parameters for f in (commands()["workbook"], tinyproof.exercise))
    for name in ("net", "seed", "student", "roster", "iterations"):
        assert command[name].default == twin[name].default, name
    assert command["style"].default.value == twin["style"].default
    kinds = {kind.value for kind in get_args(get_type_hints(commands()["workbook"])["exercise"])[0]}
    assert kinds == set(PARTS)


def test_another_default_and_a_missing_argument_are_seen() -> None:
    def command(seeds: int = 5, out: str = "") -> None: ...
    def twin(seeds: int = 6) -> None: ...

    assert differences(command, twin, set()) == ["the twin has no out", "seeds is 5 by default, in the twin 6"]


# ------------------------------------------------------------------ types, as a user's script sees them

RIGHT = """
from pathlib import Path
import tinyproof
from tinyproof import InputError, ProveResult, Recipe

def proof(model: str) -> ProveResult:
    return tinyproof.prove(model, Recipe("mine"), seeds=3, dataset="digits", out=Path("proof"))

try:
    report = tinyproof.audit("a.xlsx", Path("b.ipynb"), jobs=2)
except InputError as error:
    print(error)
else:
    print(report, report.exit_code + 1, [file.status for file in report.files])
print(tinyproof.trace("course", iterations=3).column("w5").shape)
print(tinyproof.lr_test("s7-8k").steepest, tinyproof.lr_test("s7-8k", rates=[0.1]).tried[0].percent)
print(proof("s7-8k").verdict.mean, tinyproof.verify("proof", weights=False).broken)
print(tinyproof.models().records()[0]["model"], tinyproof.train("s7-8k", dataset="digits").run.parameters)
"""
WRONG = """
import tinyproof

tinyproof.audit(3, foo="bar")  # arg-type, call-arg
tinyproof.trace("course", iterations="many")  # arg-type
tinyproof.prove("s7-8k", seed=3)  # call-arg
tinyproof.train("s7-8k", "best")  # call-arg
tinyproof.lr_test("s7-8k", rates=0.1)  # call-overload
tinyproof.verify("proof").verdict  # attr-defined
tinyproof.workbook("course", style="fancy")  # arg-type
tinyproof.frobnicate()  # attr-defined
"""


def mypy(folder: Path, scripts: Sequence[Path]) -> str:
    """What mypy --strict says of scripts in an environment that has tinyproof, whose types count for its py.typed."""
    home = folder / "home"
    venv.create(home, with_pip=False, symlinks=True)
    places = [str(ROOT / "src"), *(path for path in sys.path if "site-packages" in path)]
    (packages,) = home.glob("lib/python3*/site-packages")
    (packages / "here.pth").write_text("\n".join(places) + "\n")
    command = [
        sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", "--show-error-codes",
        f"--python-executable={home / 'bin' / 'python'}", f"--cache-dir={ROOT / '.mypy_cache' / 'scripts'}",
    ]  # fmt: skip
    done = subprocess.run([*command, *map(str, scripts)], capture_output=True, text=True, cwd=folder, timeout=900)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="an environment looks different there")
def test_mypy_finds_the_wrong_calls_of_a_script_and_only_those(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(RIGHT)
    wrong.write_text(WRONG)
    said = [line for line in mypy(tmp_path, [right, wrong]).splitlines() if ": error: " in line]
    expected = {
        (number, code)
        for number, line in enumerate(WRONG.splitlines(), 1)
        if "  # " in line
        for code in line.partition("  # ")[2].split(", ")
    }
    found = set()
    for line in said:
        place, _, problem = line.partition(": error: ")
        name, _, number = place.rpartition(":")
        assert name.endswith("wrong.py"), line
        found.add((int(number), problem.rpartition("[")[2].rstrip("]")))
    assert found == expected, said
