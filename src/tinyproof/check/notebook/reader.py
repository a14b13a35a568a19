"""The machine with what Python and its libraries mean: the functions that it calls back."""

from __future__ import annotations

from tinyproof.check.code.interpreter.binding import bind
from tinyproof.check.code.interpreter.calls import call_value
from tinyproof.check.code.interpreter.expressions import evaluate
from tinyproof.check.code.interpreter.machine import FindModule, Machine, Meaning
from tinyproof.check.code.interpreter.own_models import note_method
from tinyproof.check.code.interpreter.statements import execute
from tinyproof.check.code.library.foreign import call_foreign
from tinyproof.check.code.library.loaders import rows_behind
from tinyproof.check.code.library.passes import learn, note_pass
from tinyproof.check.code.library.set_arrays import as_array

_MEANING = Meaning(
    evaluate=evaluate,
    call=call_value,
    foreign=call_foreign,
    bind=bind,
    execute=execute,
    passed=note_pass,
    learned=learn,
    followed=note_method,
    behind=rows_behind,
    array=as_array,
)


def reader(find_module: FindModule, find_file: FindModule | None = None) -> Machine:
    """A machine at the beginning of a program. `find_module(dotted name, asking file)`: a local module's blocks.

    `find_file(path, asking file)`: those of a file that is run by its path.
    """
    return Machine(find_module, _MEANING, find_file)
