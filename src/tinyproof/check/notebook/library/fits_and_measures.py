"""Models and rows: fitted on which, chosen by which, measured on which."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook.interpreter.flows import Quantity
from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.operators import collected, truth
from tinyproof.check.notebook.interpreter.relations import relation
from tinyproof.check.notebook.interpreter.row_expressions import guesses
from tinyproof.check.notebook.interpreter.rows import Cut, Fit, Parts, Rows, rows_in
from tinyproof.check.notebook.interpreter.uses import Answered, Chosen, Measured
from tinyproof.check.notebook.interpreter.values import Const, Made, Scope, Seq, Unknown, Value, constant, options
from tinyproof.check.notebook.library import facts
from tinyproof.check.notebook.library.facts.fact import Chooses, Compares, Crosses, Fits, Measures, Predicts
from tinyproof.check.notebook.library.hand_made_folds import held_out
from tinyproof.check.notebook.library.sources import given, opaque


@dataclass(frozen=True)
class Call:
    """One call as it is read: of a function by its path, or of a method of an owner."""

    machine: Machine
    owner: Value | None
    name: str
    args: list[Value]
    kwargs: dict[str, Value]
    node: ast.AST
    scope: Scope
    path: str

    @property
    def place(self) -> CodePlace:
        return self.machine.place(self.node, self.scope)

    def text(self, index: int) -> str:
        """How an argument is written."""
        if isinstance(self.node, ast.Call) and index < len(self.node.args):
            return ast.unparse(self.node.args[index])[:60]
        return "the data"

    @property
    def written(self) -> str:
        """How the call is written, without its owner: `evaluate(x_test, y_test)`."""
        if not isinstance(self.node, ast.Call):
            return self.name
        text = ast.unparse(self.node)
        start = text.find(f"{self.name}(")
        return (text[start:] if start >= 0 else text)[:80]

    def rows(self, value: Value | None) -> Rows | None:
        """The rows of an argument; those of a value of which nothing is known but itself."""
        found = rows_in(value)
        if found is not None or value is None or isinstance(value, Const):
            return held_out(self.machine, found)
        self.machine.keep.append(value)
        return opaque(value, "the data", self.place)


def fit(fact: Fits, call: Call) -> Value | None:
    """A model learns from rows."""
    model = call.owner
    if model is None:
        return None
    rows, validation = _both(fact, call)
    if rows is None and not isinstance(model, Made):
        return None
    events = call.machine.events
    call.machine.keep.append(model)
    done = Fit(model, rows, call.place, call.name, validation, _callbacks(fact, call))
    before = () if fact.afresh else events.learned.get(id(model), ())
    events.learned[id(model)] = (*before, done)[-8:]
    events.uses.append(done)
    if validation is not None:
        _choices(fact, call, model, validation)
        _keeps_best(fact, call, model, validation)
    return model if fact.afresh else Made("keras.callbacks.History", [], {}, call.place, attrs={"model": model})


def _both(fact: Fits, call: Call) -> tuple[Rows | None, Rows | None]:
    """The rows to learn from, and those to measure on meanwhile."""
    model = call.owner
    if fact.bundle is not None and isinstance(model, Made):
        bundle = given(model.args, model.kwargs, fact.bundle)
        if isinstance(bundle, Parts):
            return rows_in(bundle.items.get("train")), rows_in(bundle.items.get("valid"))
        return None, None
    if fact.of_owner is not None and isinstance(model, Made):
        return rows_in(given(model.args, model.kwargs, fact.of_owner)), rows_in(model.kwargs.get("eval_dataset"))
    rows = call.rows(given(call.args, call.kwargs, fact.x))
    validation = held_out(call.machine, rows_in(given(call.args, call.kwargs, fact.validation)))
    share = given(call.args, call.kwargs, fact.share)
    if rows is not None and validation is None and isinstance(share, Const) and share.value:
        key = ("validation_split", call.place)
        return rows.cut(Cut("split", key, "train")), rows.cut(Cut("split", key, "validation"))
    return rows, validation


def _callbacks(fact: Fits, call: Call) -> tuple[Made, ...]:
    value = given(call.args, call.kwargs, fact.callbacks)
    listed = value.items if isinstance(value, Seq) else [value] if value is not None else []
    return tuple(callback for callback in listed if isinstance(callback, Made))


def _choices(fact: Fits, call: Call, model: Value, validation: Rows) -> None:
    """The callbacks that let the validation rows choose."""
    for callback in _callbacks(fact, call):
        for known in facts.of_function(callback.path):
            if isinstance(known, Chooses) and _looks_at_validation(known, callback):
                chosen = Chosen(known.what, validation, model, callback.place, callback.short)
                call.machine.events.uses.append(chosen)


def _keeps_best(fact: Fits, call: Call, model: Value, validation: Rows) -> None:
    """The owner's settings say that the best checkpoint is kept."""
    settings = given(model.args, model.kwargs, ("args", 1)) if isinstance(model, Made) and fact.best else None
    if isinstance(settings, Made) and constant(settings.kwargs.get(fact.best)) is True:
        chosen = Chosen("the checkpoint", validation, model, settings.place, fact.best)
        call.machine.events.uses.append(chosen)


def _looks_at_validation(known: Chooses, callback: Made) -> bool:
    if known.when and truth(callback.kwargs.get(known.when, Const(False))) is not True:
        return False
    monitor = given(callback.args, callback.kwargs, known.argument)
    name = known.monitor if monitor is None else constant(monitor)
    return isinstance(name, str) and (name.startswith("val") or callback.path.startswith("fastai"))


def predict(fact: Predicts, call: Call) -> Value | None:
    """A model answers rows."""
    value = given(call.args, call.kwargs, fact.x)
    rows = call.rows(value)
    if rows is None or call.owner is None:
        return None
    fits = call.machine.events.learned.get(id(call.owner), ())
    call.machine.events.uses.append(Answered(call.owner, rows, call.place, fits))
    return guesses(call.machine, call.owner, rows)


def measure(fact: Measures, call: Call) -> Value | None:
    """A model is measured on rows."""
    model = call.owner
    value = given(call.args, call.kwargs, fact.x)
    if value is None and isinstance(model, Made):
        if fact.bundle is not None:
            bundle = given(model.args, model.kwargs, fact.bundle)
            value = bundle.items.get("valid") if isinstance(bundle, Parts) else None
        elif fact.of_owner is not None:
            value = given(model.args, model.kwargs, fact.of_owner)
    rows = call.rows(value)
    if rows is None or model is None:
        return None
    done = noted(call, model, rows, call.machine.events.learned.get(id(model), ()))
    figures = [
        Quantity("loss" if f == "loss" else "accuracy", "mean", "final", rows, call.place, done) for f in fact.figures
    ]
    if constant(call.kwargs.get("return_dict")) is True:
        return Parts(dict(zip(fact.figures, figures, strict=True)), whole=False)
    return figures[0] if len(figures) == 1 else Seq(list(figures))


def noted(
    call: Call, model: Value | None, rows: Rows, fits: tuple[Fit, ...], crossed: bool = False, swapped: bool = False
) -> Measured:
    """A measurement, noted among what happens."""
    repeated = bool(call.machine.loops or call.machine.passes)
    done = Measured(
        call.name,
        model,
        rows,
        call.place,
        call.written,
        fits=fits,
        crossed=crossed,
        repeated=repeated,
        swapped=swapped,
    )
    done.run = call.machine.frames[0].place if call.machine.frames else call.place
    call.machine.events.uses.append(done)
    return done


def compare(fact: Compares, call: Call) -> Value | None:
    """A figure of guesses against the truth."""
    truth_given, guess_given = (given(call.args, call.kwargs, a) for a in (fact.truth, fact.guess))
    if guess_given is None:
        guess_given = call.kwargs.get("y_pred", call.kwargs.get("y_prob"))
    first, second = rows_in(truth_given), rows_in(guess_given)
    known = [rows for rows in (first, second) if rows is not None]
    if not known:
        turn = collected(call.machine, [value for value in (guess_given, truth_given) if value is not None])
        inside = turn is None or turn in call.machine.passes
        return None if turn is None or inside else Quantity("accuracy", "mean", "final", turn.loader, call.place, turn)
    guess = next((rows for rows in known if rows.side == "scores"), None)
    rows = guess or known[0]
    if len(known) == 2 and relation(known[0].paths, known[1].paths) == "apart":
        return Unknown()
    truth_names = [name for other in known if other.side != "scores" for name in other.names]
    rows = replace(rows, names=truth_names) if truth_names else rows
    swapped = fact.lopsided and guess is not None and guess is first and second is not None and second.side != "scores"
    done = noted(call, guess.model if guess else None, rows, guess.fits if guess else (), swapped=swapped)
    return Quantity("accuracy", "mean", "final", rows, call.place, done)


def cross(fact: Crosses, call: Call) -> Value | None:
    """A model is fitted and measured in turns on the folds of rows."""
    rows = call.rows(given(call.args, call.kwargs, fact.data))
    if rows is None:
        return None
    model = next((option for option in options(call.args[0])), None) if call.args else None
    held_out = rows.cut(Cut("filter", ("folds", call.place), "folds"))
    done = noted(call, model, held_out, (), crossed=True)
    return Quantity("accuracy", "mean", "final", held_out, call.place, done)
