"""What a model answers for rows, and the right answers that are counted: measurements on arrays and tables."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Cut, Rows
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.interpreter.values import Unknown, Value
from tinyproof.check.finding import CodePlace


def off_by(one: Rows, other: Rows, place: CodePlace) -> Quantity | None:
    """`y_test - guesses`: how far a model that was fitted is off, for each row; None for any other difference."""
    answers, truth = (one, other) if one.side == "scores" else (other, one)
    fitted = answers.side == "scores" and answers.model is not None and bool(answers.fits)
    return Quantity("loss", "each", "final", answers, place) if fitted and truth.side != "scores" else None


def counted(machine: Machine, figure: Quantity, place: CodePlace) -> None:
    """Right answers over rows were added up or averaged: that is a measurement."""
    rows = figure.loader
    if not isinstance(rows, Rows) or figure.kind not in ("hits", "loss") or figure.scale != "each":
        return
    if figure.kind == "loss" and rows.model is None:
        return
    fits = rows.fits if rows.model is not None else machine.events.learned.get(id(machine.events.weights), ())
    name, text = ("==", "guesses == labels") if figure.kind == "hits" else ("off", "labels - guesses")
    done = Measured(name, rows.model, rows, figure.place or place, text, fits)
    done.repeated = bool(machine.loops or machine.passes)
    done.run = machine.frames[0].place if machine.frames else place
    done.within = machine.passes[-1] if machine.passes else None
    done.mode, done.answers = machine.events.answered.get(id(rows.model), ("unknown", done.place))
    done.asked = rows.asked
    if machine.loops and not fits:
        machine.before_learning.append(done)  # in a loop that learns further down
    machine.events.uses.append(done)
    figure.turn = done


def held_out_within(machine: Machine, owner: Value, name: str, place: CodePlace) -> Value:
    """`search.best_score_`: a figure that the fit itself took of rows it held out in turns."""
    fits = machine.events.learned[id(owner)]
    rows = fits[-1].rows
    if rows is None:
        return Unknown()
    folds = rows.cut(Cut("filter", ("folds", fits[-1].place), "folds"))
    done = Measured(name, owner, folds, place, name, crossed=True)
    done.run = machine.frames[0].place if machine.frames else place
    machine.events.uses.append(done)
    return Quantity("accuracy", "mean", "final", folds, place, done)


def guesses(machine: Machine, model: Value, rows: Rows, place: CodePlace | None = None) -> Rows:
    """What a model answers: a row of scores, or a class, for each row. `place`: where it is asked."""
    machine.keep.append(model)
    fits = machine.events.learned.get(id(model), ())
    return replace(rows, side="scores", model=model, fits=fits, names=[], asked=place if not machine.frames else None)


def told_with_answers(machine: Machine, rows: Rows, place: CodePlace) -> Value:
    """`trainer.predict(rows).metrics`: the figures that come with the answers."""
    done = Measured(
        "predict", rows.model, replace(rows, side="both", model=None), place, "predict(...).metrics", rows.fits
    )
    done.run = machine.frames[0].place if machine.frames else place
    machine.events.uses.append(done)
    return Quantity("accuracy", "mean", "final", rows, place, done)
