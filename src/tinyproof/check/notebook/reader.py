"""The machine with what Python and its libraries mean: the functions that it calls back."""

from __future__ import annotations

from tinyproof.check.notebook.interpreter.binding import bind
from tinyproof.check.notebook.interpreter.calls import call_value
from tinyproof.check.notebook.interpreter.expressions import evaluate
from tinyproof.check.notebook.interpreter.machine import FindModule, Machine, Meaning
from tinyproof.check.notebook.interpreter.statements import execute
from tinyproof.check.notebook.library.foreign import call_foreign
from tinyproof.check.notebook.library.passes import note_pass

_MEANING = Meaning(
    evaluate=evaluate, call=call_value, foreign=call_foreign, bind=bind, execute=execute, passed=note_pass
)


def reader(find_module: FindModule, find_file: FindModule | None = None) -> Machine:
    """A machine at the beginning of a program. `find_module(dotted name, asking file)`: a local module's blocks.

    `find_file(path, asking file)`: those of a file that is run by its path.
    """
    return Machine(find_module, _MEANING, find_file)
