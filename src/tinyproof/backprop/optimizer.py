"""How a step is taken: plain gradient descent, momentum, RMSprop or Adam, with its settings, as plain data.

What an optimiser remembers from one iteration to the next are its states: `m_w1` a running sum or average of the
gradient of w1, `v_w1` one of its square, `n` the number of the step. All are 0 before the first. `next_state` and
`step` say how they go on, and what is taken off a parameter.

>>> parse_optimizer("adam:beta1=0.8")
Optimizer(kind='adam', settings=(('beta1', 0.8), ('beta2', 0.999), ('eps', 1e-08)))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tinyproof.backprop.expr import Expr, Var, call
from tinyproof.core.errors import InputError

Kind = Literal["sgd", "momentum", "rmsprop", "adam"]
KINDS: tuple[str, ...] = get_args(Kind)
DEFAULTS: dict[str, dict[str, float]] = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "rmsprop": {"alpha": 0.99, "eps": 1e-8},
    "adam": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
}
SETTINGS: tuple[str, ...] = tuple(dict.fromkeys(name for settings in DEFAULTS.values() for name in settings))
STEP = "n"  # the number of the step, which Adam's correction needs
_MEMORIES = {"sgd": "", "momentum": "m", "rmsprop": "v", "adam": "mv"}


@dataclass(frozen=True)
class Optimizer:
    """A kind of step and its settings; those that are not named have their usual values.

    `kind`: `sgd` (plain gradient descent), `momentum`, `rmsprop`, `adam`. `settings`: pairs of a name and a number:
    `momentum`, `alpha`, `beta1`, `beta2` from 0 to below 1, `eps` above 0. Raises InputError for another kind, a
    setting that the kind does not have or that is given twice, or a number that cannot be.
    """

    kind: Kind = "sgd"
    settings: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in DEFAULTS:
            raise InputError("optimizer", self.kind, ", ".join(KINDS))
        given = dict(self.settings)
        if len(given) < len(self.settings):
            raise InputError("optimizer", [name for name, _ in self.settings], "each setting once")
        for name, value in given.items():
            _check(self.kind, name, value)
        whole = {name: float(given.get(name, usual)) for name, usual in DEFAULTS[self.kind].items()}
        object.__setattr__(self, "settings", tuple(whole.items()))

    def values(self) -> dict[str, float]:
        """Every setting by name."""
        return dict(self.settings)

    def states(self, trained: Iterable[str]) -> tuple[str, ...]:
        """What is remembered, by name, in the order in which it is computed: `n`, `m_w1 ..`, `v_w1 ..`."""
        names = tuple(trained)
        found = [f"{letter}_{name}" for letter in _MEMORIES[self.kind] for name in names]
        return (STEP, *found) if self.kind == "adam" else tuple(found)

    def __str__(self) -> str:
        """As `parse_optimizer` reads it, with the settings that are not the usual ones."""
        usual = DEFAULTS[self.kind]
        other = [f"{name}={value!r}" for name, value in self.settings if value != usual[name]]
        return self.kind + (f":{','.join(other)}" if other else "")


PLAIN = Optimizer()  # gradient descent


def next_state(kind: str, letter: str, state: Expr, gradient: Expr) -> Expr:
    """A state (`n`, `m` or `v`) after one more gradient; the settings are variables by their names."""
    if letter == STEP:
        return state + 1
    if kind == "momentum":
        return Var("momentum") * state + gradient
    kept = Var("alpha" if kind == "rmsprop" else "beta1" if letter == "m" else "beta2")
    return kept * state + (1 - kept) * (gradient if letter == "m" else gradient**2)


def step(kind: str, rate: Expr, gradient: Expr, states: Mapping[str, Expr]) -> Expr:
    """What is taken off a parameter: the rate times its gradient, or what the new states (by their letters) say."""
    match kind:
        case "momentum":
            return rate * states["m"]
        case "rmsprop":
            return rate * gradient / (call("sqrt", states["v"]) + Var("eps"))
        case "adam":
            first, second = (1 - Var(f"beta{k}") ** states[STEP] for k in (1, 2))
            return rate * (states["m"] / first) / (call("sqrt", states["v"] / second) + Var("eps"))
        case _:
            return rate * gradient


def _check(kind: str, name: str, value: float, where: str = "") -> None:
    own = DEFAULTS[kind]
    if name not in own:
        has = f"only {', '.join(own)}" if own else "no setting"
        raise InputError(name, value, f"{has} with the optimizer {kind}", where)
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if name == "eps" and not (fine and value > 0):
        raise InputError(name, value, "a finite number above 0", where)
    if name != "eps" and not (fine and 0 <= value < 1):
        raise InputError(name, value, "a number from 0 to below 1", where)


def optimizer_of(kind: object, settings: Mapping[str, object], where: str = "") -> Optimizer:
    """The optimiser of a kind and settings as a file gives them; `where` is named in messages. Raises InputError."""
    if not isinstance(kind, str) or kind not in DEFAULTS:
        raise InputError("optimizer", kind, ", ".join(KINDS), where)
    for name, value in settings.items():
        _check(kind, name, value, where)  # type: ignore[arg-type]  # checked there
    return Optimizer(kind, tuple(settings.items()))  # type: ignore[arg-type]


def parse_optimizer(text: str) -> Optimizer:
    """`adam`, or with settings `adam:beta1=0.8,eps=1e-6`. Raises InputError for an unknown kind or setting, a number
    that cannot be, and a setting given twice."""
    kind, colon, rest = text.partition(":")
    settings: dict[str, object] = {}
    for part in rest.split(",") if colon else ():
        name, equal, value = (piece.strip() for piece in part.partition("="))
        if not equal:
            raise InputError("optimizer", text, "a kind, or with settings as in adam:beta1=0.8,eps=1e-6")
        if name in settings:
            raise InputError("optimizer", text, f"{name} once")
        try:
            settings[name] = float(value)
        except ValueError:
            settings[name] = value
    return optimizer_of(kind.strip(), settings)
