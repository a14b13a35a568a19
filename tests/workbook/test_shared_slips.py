"""A slip that all states of one letter share is named at every cell of theirs; what may be another method never is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.workbook.test_optimizers import SHEET, Slip, column, errors, slipped, swap

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import preset
from tinyproof.backprop.random_net import drawn

ROWS = range(6, 17)
NET = drawn([2, 2, 1], 3)
# Kind, the letter of the states, the slip: in B3 stands alpha or beta1, in D3 beta2.
WRONG: dict[str, tuple[str, str, Slip]] = {
    "rmsprop: the square": ("rmsprop", "v", swap("^2", "")),
    "rmsprop: the sign": ("rmsprop", "v", swap("+(1", "-(1")),
    "adam: the square": ("adam", "v", swap("^2", "")),
    "adam: beta1 for beta2": ("adam", "v", swap("$D$3", "$B$3")),
    "adam: beta1 for beta2 in the state": ("adam", "v", lambda formula: re.sub(r"^\$D", "$B", formula)),
    "adam: beta2 for beta1": ("adam", "m", swap("$B$3", "$D$3")),
    "adam: the rest of beta1 is lost": ("adam", "m", swap("(1-$B$3)*", "")),
    "adam: beta2 is lost": ("adam", "v", lambda formula: re.sub(r"^\$D\$3\*", "", formula)),
    "adam: the sign": ("adam", "m", swap("+(1", "-(1")),
}
NO_ROOT = ("rmsprop: the square", "rmsprop: the sign", "adam: the square")  # of a v below 0


def states(net: Net, letter: str) -> tuple[str, ...]:
    return tuple(name for name in net.states if name.startswith(f"{letter}_"))


@pytest.mark.parametrize("slip", WRONG)
def test_every_cell_of_a_shared_slip_is_named(tmp_path: Path, slip: str) -> None:
    kind, letter, change = WRONG[slip]
    net = NET.with_optimizer(kind)
    report = slipped(net, tmp_path, states(net, letter), change, ROWS)
    wanted = {(SHEET, name, f"{column(net, name)}6:{column(net, name)}16") for name in states(net, letter)}
    assert report.status == "wrong"
    assert set(errors(report)) == wanted
    first = next(finding for finding in report.findings if finding.severity == "error")
    assert first.fix.startswith("write in ")
    assert ("loss after" in first.effect) == (slip not in NO_ROOT)


def test_a_shared_slip_in_the_course_network(tmp_path: Path) -> None:
    net = preset("course").with_optimizer("adam")
    report = slipped(net, tmp_path, states(net, "v"), swap("^2", ""), ROWS)
    assert {name for _, name, _ in errors(report)} == set(states(net, "v"))


def surprise(formula: str) -> str:
    """v of the squared difference between gradient and m: m stands as many columns left of v as there are states."""
    found = re.search(r"([A-Z]+)(\d+)\^2", formula)
    own = re.search(r"\*([A-Z]+)\d+\+", formula)
    assert found
    assert own
    net = NET.with_optimizer("adam")
    name = next(name for name in states(net, "v") if column(net, name) == own[1])
    mean = column(net, "m" + name[1:])
    return formula.replace(found[0], f"({found[1]}{found[2]}-{mean}{found[2]})^2")


VARIANTS: dict[str, tuple[str, str, Slip]] = {
    "a running sum of squares, forgotten slowly": ("rmsprop", "v", swap("(1-$B$3)*", "")),
    "a running sum of all squares": ("rmsprop", "v", lambda f: f.replace("(1-$B$3)*", "").replace("$B$3*", "")),
    "the square of the surprise": ("adam", "v", surprise),
    "no corrections": ("adam", "", lambda f: re.sub(r"/\(1-\$.\$3\^[A-Z]+\d+\)", "", f)),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_another_method_is_never_accused(tmp_path: Path, variant: str) -> None:
    kind, letter, change = VARIANTS[variant]
    net = NET.with_optimizer(kind)
    report = slipped(net, tmp_path, states(net, letter) if letter else net.trained, change, ROWS)
    assert errors(report) == []
    assert report.status == "undecided"
