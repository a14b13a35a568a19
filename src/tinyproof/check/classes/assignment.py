"""An assignment: what was asked of a class, and its worth; from a TOML file, or one that comes with the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from tinyproof.backprop.presets import PRESETS
from tinyproof.check.classes.grades import Points
from tinyproof.check.classes.requirements import AskedNotebook, AskedWorkbook
from tinyproof.check.classes.roster import WHO
from tinyproof.check.finding import ASKED
from tinyproof.core.errors import InputError
from tinyproof.core.fields import from_mapping, one_of
from tinyproof.core.files import existing, is_plain, read_bounded
from tinyproof.core.plain_data import parse_toml

ASSIGNMENTS = ("course-workbook", "mnist-20k", "mnist-8k")
_WORKBOOK = ("workbook", "network", "rates", "rows", "charts")
_NOTEBOOK = ("notebook", "data", "accuracy", "parameters", "epochs", "layers")
ASKED_RULES = tuple(f"{ASKED}{what}" for what in (*_WORKBOOK, *_NOTEBOOK))
_MOST_BYTES = 100_000
# Columns of the grades that are not the points.
_OTHER_COLUMNS = (*WHO, "status", "workbook", "notebook", "claimed", "logged", "parameters", "epochs", "how")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What was asked of the class. `title`: its name, which is also that of the column of points.

    `workbook`, `notebook`: what these must hold; None: nothing is asked of them. Raises InputError where a rule has a
    weight and is not asked, and for a title that another column of the grades has.
    """

    title: str = "points"
    points: Points = field(default_factory=Points)
    workbook: AskedWorkbook | None = None
    notebook: AskedNotebook | None = None

    def __post_init__(self) -> None:
        if self.title.strip().casefold() in ("", *_OTHER_COLUMNS):
            taken = f"a heading of its own for the points, none of {', '.join(_OTHER_COLUMNS)}"
            raise InputError("title", self.title, taken)
        asked = {rule for part in (self.workbook, self.notebook) if part is not None for rule in part.finding_rules()}
        for rule in self.points.rules:
            if rule in ASKED_RULES and rule not in asked:
                allowed = f"a weight for what is asked: {', '.join(sorted(asked)) or 'nothing is'}"
                raise InputError("points.rules", rule, allowed)


def find_assignment(which: Path | str) -> Assignment:
    """An assignment by the name of one that comes with the package, or from a TOML file. Raises DataError, InputError.

    >>> find_assignment("mnist-8k").notebook.parameters_below
    8000
    """
    if which in ASSIGNMENTS:
        shipped = files(__package__).joinpath("assignments", f"{which}.toml")
        return _assignment(parse_toml(shipped.read_bytes(), "assignment", str(which)), str(which), None)
    try:
        path = existing(which, "assignment")
    except InputError as error:
        allowed = f"a TOML file that is there, or {', '.join(ASSIGNMENTS)}"
        raise InputError("assignment", str(which), allowed) from error
    return _assignment(parse_toml(read_bounded(path, _MOST_BYTES), "assignment", str(path)), str(path), path.parent)


def _assignment(data: Mapping[str, Any], where: str, folder: Path | None) -> Assignment:
    held = dict(data)
    if "points" in held:
        table = held["points"]
        if isinstance(table, Mapping) and not isinstance(table.get("rules", {}), Mapping):
            raise InputError("points.rules", table["rules"], "a table of rules and what they cost", where)
        held["points"] = _part(Points, table, "points", where)
    if "workbook" in held:
        held["workbook"] = _part(AskedWorkbook, _beside(held["workbook"], folder), "workbook", where)
    if "notebook" in held:
        held["notebook"] = _part(AskedNotebook, held["notebook"], "notebook", where)
    return _told_where(lambda: from_mapping(Assignment, held, where), where)


def _part(kind: type[T], table: object, name: str, where: str) -> T:
    if not isinstance(table, Mapping):
        raise InputError(name, table, "a table of fields", where)
    return _told_where(lambda: from_mapping(kind, table, f"{where}, table {name}"), where)


def _told_where(make: Callable[[], T], where: str) -> T:
    """What is made, its refusal with the file that it is about."""
    try:
        return make()
    except InputError as error:
        if error.where:
            raise
        raise InputError(error.field, error.value, error.allowed, where, problem=error.problem) from error


def _beside(table: object, folder: Path | None) -> object:
    """The table with networks in TOML files as they lie beside the assignment."""
    if not isinstance(table, Mapping) or folder is None:
        return table
    found = dict(table)
    if isinstance(found.get("network"), str):
        found["network"] = _file(found["network"], folder)
    if isinstance(found.get("targets_also_of"), list):
        found["targets_also_of"] = [_file(name, folder) for name in found["targets_also_of"]]
    return found


def _file(name: object, folder: Path) -> object:
    if not isinstance(name, str) or name in PRESETS or name.startswith("random:"):
        return name
    return str(folder / name) if name.endswith(".toml") or is_plain(folder / name) else name


def check_rules(asked: Assignment, rules: list[str], where: str) -> None:
    """Raise InputError where the rubric weighs a rule that none of `rules` is, and no requirement either."""
    for rule in asked.points.rules:
        one_of("points.rules", rule, [*ASKED_RULES, *rules], where)
