"""Models and rows: fitted on which, chosen by which, measured on which."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.answers import collected
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.operators import truth
from tinyproof.check.code.interpreter.pairs import note_features, note_pair
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.row_answers import guesses
from tinyproof.check.code.interpreter.row_expressions import note_mismatch
from tinyproof.check.code.interpreter.rows import Cut, Fit, Parts, Rows, rows_in
from tinyproof.check.code.interpreter.uses import Answered, Chosen, Measured
from tinyproof.check.code.interpreter.values import Const, Made, Object, Seq, Unknown, Value, constant, options
from tinyproof.check.code.library import facts
from tinyproof.check.code.library.call import Call
from tinyproof.check.code.library.facts.fact import Argument, Chooses, Compares, Crosses, Fits, Measures, Predicts
from tinyproof.check.code.library.hand_made_folds import held_out
from tinyproof.check.code.library.sources import given


def fit(fact: Fits, call: Call) -> Value | None:
    """A model learns from rows."""
    model = call.owner
    if model is None:
        return None
    rows, validation = _both(fact, call)
    if rows is None and not isinstance(model, Made):
        return None
    if fact.bundle is None and fact.of_owner is None:
        features = rows_in(given(call.args, call.kwargs, fact.x))
        note_pair(call.machine, features, _labels(call), call.place)
        note_features(call.machine, features, _labels(call), model, call.place)
    events = call.machine.events
    call.machine.keep.append(model)
    done = Fit(model, rows, call.place, call.name, validation, _callbacks(fact, call))
    before = () if fact.afresh else events.learned.get(id(model), ())
    events.learned[id(model)] = (*before, done)[-8:]
    events.uses.append(done)
    if validation is not None:
        _choices(fact, call, model, validation)
        _keeps_best(fact, call, model, validation)
        _stops(fact, call, model, validation)
    return model if fact.afresh else Made("keras.callbacks.History", [], {}, call.place, attrs={"model": model})


def _labels(call: Call) -> Rows | None:
    """The labels that are given beside the rows: `y`, or the second argument."""
    return rows_in(given(call.args, call.kwargs, ("y", 1)))


def _both(fact: Fits, call: Call) -> tuple[Rows | None, Rows | None]:
    """The rows to learn from, and those to measure on meanwhile."""
    model = call.owner
    if fact.bundle is not None and isinstance(model, Made):
        parts = held_parts(model)
        return (rows_in(parts.items.get("train")), rows_in(parts.items.get("valid"))) if parts else (None, None)
    if fact.of_owner is not None and isinstance(model, Made):
        return call.rows(given(model.args, model.kwargs, fact.of_owner)), _watched(call, model)
    rows = call.rows(given(call.args, call.kwargs, fact.x))
    watched = given(call.args, call.kwargs, fact.validation)
    if fact.stops and isinstance(watched, Seq) and watched.items and isinstance(watched.items[-1], Seq):
        watched = watched.items[-1]  # of several pairs the last one is looked at
    validation = call.rows(watched) if isinstance(watched, Object) else held_out(call.machine, rows_in(watched))
    share = given(call.args, call.kwargs, fact.share)
    if rows is not None and validation is None and isinstance(share, Const) and share.value:
        key = ("validation_split", call.place)
        return rows.cut(Cut("split", key, "train")), rows.cut(Cut("split", key, "validation"))
    return rows, validation


def _watched(call: Call, model: Made) -> Rows | None:
    """The rows that a trainer is measured on meanwhile; None where they are not known (it may be None itself)."""
    value = model.kwargs.get("eval_dataset")
    return call.rows(value) if rows_in(value) is not None or isinstance(value, Object) else None


def held_parts(model: Value) -> Parts | None:
    """The training and the validation part that a learner was given together."""
    if not isinstance(model, Made):
        return None
    return next((value for value in (*model.args, *model.kwargs.values()) if isinstance(value, Parts)), None)


def _of_bundle(call: Call, x: Argument) -> Value | None:
    """The rows that a learner is asked for: those that it is given, else a part of its own, by number or name."""
    parts, value = held_parts(call.owner or Unknown()), call.kwargs.get(x[0])
    asked = next((arg for arg in call.args if rows_in(arg) is not None), None)
    if value is not None or asked is not None or parts is None:
        return value if value is not None else asked
    told = call.kwargs.get("ds_idx", call.kwargs.get("ds_type", call.args[0] if call.args else Const(1)))
    number = constant(told)
    if number in (0, 1):
        return parts.items.get("train" if number == 0 else "valid")
    kind = getattr(told, "path", "").rpartition(".")[2].lower()
    return parts.items.get(kind) if kind in ("train", "valid") else told if number is None else None


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


def _stops(fact: Fits, call: Call, model: Value, validation: Rows) -> None:
    """An argument of the model or of the call, or a callback, stops the boosting by the validation rows."""
    given_to = {**getattr(model, "kwargs", {}), **call.kwargs}
    by = [name for name in fact.stops if constant(given_to.get(name)) not in (None, False, 0)]
    by += [callback.short for callback in _callbacks(fact, call) if callback.short in fact.stops]
    if by:
        chosen = Chosen("the number of trees", validation, model, call.place, by[0])
        call.machine.events.uses.append(chosen)


def _looks_at_validation(known: Chooses, callback: Made) -> bool:
    if known.when and truth(callback.kwargs.get(known.when, Const(False))) is not True:
        return False
    monitor = given(callback.args, callback.kwargs, known.argument)
    name = known.monitor if monitor is None else constant(monitor)
    return isinstance(name, str) and (name.startswith("val") or callback.path.startswith("fastai"))


def predict(fact: Predicts, call: Call) -> Value | None:
    """A model answers rows."""
    value = _of_bundle(call, fact.x) if fact.bundle is not None else given(call.args, call.kwargs, fact.x)
    rows = call.rows(value)
    if rows is None or call.owner is None:
        return None
    fits = call.machine.events.learned.get(id(call.owner), ())
    call.machine.events.uses.append(Answered(call.owner, rows, call.place, fits))
    answers = guesses(call.machine, call.owner, rows, call.place)
    if fact.bundle is None:
        return answers
    more = [answers] if constant(call.kwargs.get("with_decoded")) is True else []
    return Seq([answers, rows.turned("y"), *more])


def measure(fact: Measures, call: Call) -> Value | None:
    """A model is measured on rows."""
    model = call.owner
    value = _of_bundle(call, fact.x) if fact.bundle is not None else given(call.args, call.kwargs, fact.x)
    if value is None and isinstance(model, Made):
        if fact.of_owner is not None:
            value = given(model.args, model.kwargs, fact.of_owner)
    rows = call.rows(value)
    if rows is None or model is None:
        return None
    if fact.bundle is None and fact.of_owner is None and note_pair(call.machine, rows, _labels(call), call.place):
        return Unknown()
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
    done.asked = rows.asked
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
    if len(known) == 2 and _alike(*known):
        return Unknown()
    rows = guess or known[0]
    if len(known) == 2 and relation(known[0].paths, known[1].paths) == "apart":
        note_mismatch(call.machine, known[0], known[1], call.place)
        return Unknown()
    if len(known) == 2 and note_pair(call.machine, rows, known[known[0] is rows], call.place):
        return Unknown()
    truth_names = [name for other in known if other.side != "scores" for name in other.names]
    rows = replace(rows, names=truth_names) if truth_names else rows
    swapped = fact.lopsided and guess is not None and guess is first and second is not None and second.side != "scores"
    done = noted(call, guess.model if guess else None, rows, guess.fits if guess else (), swapped=swapped)
    return Quantity("accuracy", "mean", "final", rows, call.place, done)


def _alike(one: Rows, other: Rows) -> bool:
    """Whether it is one thing twice, or two that are both answers: not answers beside labels."""
    if "scores" in (one.side, other.side):
        return one.side == other.side
    return one is other or (one.same_as(other) and one.columns == other.columns)


def cross(fact: Crosses, call: Call) -> Value | None:
    """A model is fitted and measured in turns on the folds of rows."""
    rows = call.rows(given(call.args, call.kwargs, fact.data))
    if rows is None:
        return None
    model = next((option for option in options(call.args[0])), None) if call.args else None
    held_out = rows.cut(Cut("filter", ("folds", call.place), "folds"))
    done = noted(call, model, held_out, (), crossed=True)
    return Quantity("accuracy", "mean", "final", held_out, call.place, done)
