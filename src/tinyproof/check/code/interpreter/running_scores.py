"""Scores that are kept over several turns of a loop: counters that no turn sets back, metrics of libraries."""

from __future__ import annotations

import ast
import re

from tinyproof.check.code.interpreter.events import Kept, RunsOn
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.turns import Loop, Pass, epoch_loops
from tinyproof.check.code.interpreter.values import Made, Value
from tinyproof.check.finding import CodePlace

_METRICS = re.compile(r"(?:torchmetrics|torcheval\.metrics|keras\.metrics)\.(?!functional)")
_HOW = {
    **dict.fromkeys(("update", "update_state", "forward", "__call__"), "fed"),
    **dict.fromkeys(("compute", "result"), "read"),
    **dict.fromkeys(("reset", "reset_state", "reset_states"), "set back"),
}


def keeps_score(path: str) -> bool:
    """Whether something of a library is a metric, which is called with guesses and labels."""
    return _METRICS.match(path) is not None


def note_metric(machine: Machine, owner: Value, name: str, place: CodePlace) -> None:
    """A metric object of a library is used."""
    if isinstance(owner, Made) and name in _HOW and _METRICS.match(owner.path):
        turn = machine.passes[-1] if machine.passes else None
        machine.events.kept.append(Kept(owner, _HOW[name], tuple(machine.loops), turn, place))  # type: ignore[arg-type]


def epoch_loop(loops: tuple[Loop, ...]) -> Loop | None:
    """The innermost loop that may count epochs."""
    found = epoch_loops(loops)
    return found[-1] if found and found[-1].count != 1 else None


def note_counter(machine: Machine, node: ast.AugAssign, after: Value) -> None:
    """`correct += ...` in a pass: whether the loop over epochs around it ever sets the counter back."""
    turn = machine.passes[-1] if machine.passes else None
    loop = epoch_loop(turn.loops) if turn is not None else None
    if loop is None or turn is None or not isinstance(node.target, ast.Name):
        return
    if not isinstance(after, Quantity) or after.kind != "hits" or after.reach != "total":
        return
    parts = [part for statement in loop.body for part in ast.walk(statement)]
    looked_at = {node.target.id, *re.findall(r"[A-Za-z_]\w*", turn.text)}  # a loader made in the loop: other rows
    if not any(part is node for part in parts) or looked_at & _set_in(parts):
        return
    machine.keep.append(after)
    machine.runs_on[id(after)] = (loop, turn)


def _set_in(parts: list[ast.AST]) -> set[str]:
    """The names that statements give a value afresh."""
    added = {id(part.target) for part in parts if isinstance(part, ast.AugAssign)}
    return {
        part.id
        for part in parts
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del) and id(part) not in added
    }


def note_shown(machine: Machine, figure: Value, place: CodePlace) -> None:
    """A counter that runs on is divided, outside of its pass, in the loop over epochs that it runs on over."""
    known = machine.runs_on.get(id(figure))
    if known is None:
        return
    loop, turn = known
    if loop in machine.loops and turn not in machine.passes and isinstance(turn, Pass):
        machine.events.runs_on.append(RunsOn(place, turn))
