"""Columns of an optimiser's states: which optimiser it is, with which settings, and which of their cells are wrong.

A setting is what most formulas read: the cell outside (or the typed number) with which they say what the optimiser
says. Where most columns fit none, it is another method, and the table is left to those who can read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import permutations

from tinyproof.backprop.expr import Expr, Num, Var, names, substitute, walk
from tinyproof.backprop.optimizer import STEP
from tinyproof.check.workbook.rules.forward import irregular, no_common_formula, not_understood, paste
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.optimizer_slips import outside, shared_slip
from tinyproof.check.workbook.rules.optimizer_starts import with_iterations, wrong_count, wrong_start
from tinyproof.check.workbook.rules.rate_cells import gradient_column
from tinyproof.check.workbook.rules.reasons import describe
from tinyproof.check.workbook.rules.repair import find_repair
from tinyproof.check.workbook.thresholds import SAMPLES
from tinyproof.check.workbook.understand.meaning import same, value
from tinyproof.check.workbook.understand.optimizer_method import Method
from tinyproof.check.workbook.understand.patterns import Pattern, before, column_of, current
from tinyproof.core.arrays import np

_KINDS = {"m": "momentum", "v": "rmsprop", "mnv": "adam"}
_SEED = 31


def find_method(judge: Judge) -> Method | None:
    """The optimiser whose states stand in the table; None where there are none, or another method's."""
    bare = _columns(judge)
    if bare is None:
        return None
    _draw(judge, bare)
    for method, odd in _with_state_settings(judge, bare):
        for col in sorted(method.states):
            drawn = method.states[col][0] == odd
            judge.values[current(col)] = judge.values[before(col)] + 1 if drawn else judge.says(method.state(col))
        whole = _with_eps(judge, method)
        found = shared_slip(judge, whole, odd) if whole is not None and odd else whole
        if found is not None:
            return found
    return None


def _columns(judge: Judge) -> Method | None:
    roles = judge.roles
    states: dict[int, tuple[str, int]] = {}
    for col in roles.of("state"):
        letter, _, own = roles.names[col].partition("_")
        parameter = 0 if letter == STEP and not own else roles.named(own)
        if parameter is None or (parameter and parameter not in judge.network.parameters):
            return None
        states[col] = letter, parameter
    kind = _KINDS.get("".join(sorted({letter for letter, _ in states.values()})))
    trained = {parameter for _, parameter in states.values() if parameter}
    gradients = {parameter: gradient_column(judge, parameter) for parameter in trained}
    told = {parameter: col for parameter, col in gradients.items() if col is not None}
    moving = {col for col in judge.network.parameters if any(_inside(p) for p in judge.columns[col].patterns)}
    whole = all((letter, p) in states.values() for letter in (kind and _letters(kind)) or "" for p in trained)
    if kind is None or len(told) < len(trained) or moving - trained or not whole:
        return None
    return Method(kind, states, told, {})


def _letters(kind: str) -> str:
    return {"momentum": "m", "rmsprop": "v", "adam": "mv"}[kind]


def _inside(pattern: Pattern) -> bool:
    """Whether a formula reads its table: what starts a column does not."""
    return pattern.expr is not None and any(column_of(name) is not None for name in names(pattern.expr))


def _draw(judge: Judge, method: Method) -> None:
    """Values for the states of the row before, and for the cells outside that states and updates read."""
    rng = np.random.default_rng(_SEED)
    for col, (letter, _) in method.states.items():
        judge.values[before(col)] = np.arange(SAMPLES) % 4 + 1.0 if letter == STEP else rng.uniform(0.2, 1.5, SAMPLES)
    with_iterations(judge, method)
    for col in (*method.states, *method.gradients):
        for pattern in judge.columns[col].patterns:
            for name in names(pattern.expr) if pattern.expr is not None else ():
                if column_of(name) is None and name not in judge.values:
                    judge.values[name] = rng.uniform(0.2, 0.9, SAMPLES)


def _with_state_settings(judge: Judge, method: Method) -> Iterator[tuple[Method, str]]:
    """The method with the settings of its states, and the letter of those that may all have one slip: none of them
    fits, or they fit with another setting than Adam's corrections read. Nothing where most states fit none."""
    votes: dict[str, Counter[Expr]] = {}
    fitting: Counter[str] = Counter()
    for col, (letter, _) in method.states.items():
        right, main = method.state(col), judge.columns[col].main
        wanted = method.open(right)
        if main is None or main.expr is None:
            continue
        found = next(_fits(judge, main.expr, right, wanted), None)
        if found is not None:
            fitting[letter] += 1
            for name, chosen in found.items():
                votes.setdefault(name, Counter())[chosen] += 1
    settings = {name: counted.most_common(1)[0][0] for name, counted in votes.items()}
    odd = [letter for letter in _letters(method.kind) if not fitting[letter]]
    if not odd and 2 * fitting.total() > len(method.states):
        yield method.with_settings(settings), ""
    if method.kind == "momentum" or len(odd) > 1:
        return
    for letter in odd or (("v", "m") if method.kind == "adam" else ()):
        own = "beta1" if letter == "m" else "beta2"
        yield method.with_settings({name: chosen for name, chosen in settings.items() if name != own}), letter


def _with_eps(judge: Judge, method: Method) -> Method | None:
    """The method with what keeps its divisor above 0, and what no state says: they stand in the updates."""
    votes: dict[str, Counter[Expr]] = {}
    fitting = 0
    for parameter in method.gradients:
        right, main = method.update(parameter, Var("rate")), judge.columns[parameter].main
        if main is None or main.expr is None:
            continue
        for rate in outside(main.expr):
            written = substitute(main.expr, {rate: Var("rate")})
            found = next(_fits(judge, written, right, method.open(right)), None)
            if found is not None:
                fitting += 1
                for name, chosen in found.items():
                    votes.setdefault(name, Counter())[chosen] += 1
                break
    if 2 * fitting <= len(method.gradients):
        return None
    return method.with_settings({name: counted.most_common(1)[0][0] for name, counted in votes.items()})


def _fits(judge: Judge, written: Expr, right: Expr, wanted: tuple[str, ...]) -> Iterator[dict[str, Expr]]:
    """The settings with which a formula says what it should."""
    says = judge.says(written)
    if not wanted:
        if same(says, value(right, judge.complete(right))):
            yield {}
        return
    numbers = [node for node in dict.fromkeys(walk(written)) if isinstance(node, Num)]
    candidates: list[Expr] = [*map(Var, outside(written)), *numbers]
    for chosen in permutations(candidates, len(wanted)):
        settings = dict(zip(wanted, chosen, strict=True))
        if any(isinstance(one, Num) and name != "eps" and not 0 <= one.value < 1 for name, one in settings.items()):
            continue  # the 1 of 1-beta1 is no beta1
        whole = substitute(right, settings)
        if same(says, value(whole, judge.complete(whole))):
            yield settings


def check_states(judge: Judge) -> list[Mistake]:
    """Every formula of every state, held against what the optimiser says."""
    method, found = judge.method, list[Mistake]()
    if method is None:
        return found
    for col in sorted(method.states):
        right = judge.values[current(col)]
        wrong = []
        for pattern in judge.columns[col].patterns:
            if pattern.expr is None:
                found.append(not_understood(judge, col, pattern))
            elif not _starts(judge, pattern) and not same(judge.says(pattern.expr), right):
                wrong.append((pattern, pattern.expr))
        if irregular(judge, col, len(wrong)):
            found.append(no_common_formula(judge, col, [pattern for pattern, _ in wrong]))
        else:
            found += [_mistake(judge, method, col, pattern, expr) for pattern, expr in wrong]
        found += wrong_start(judge, method, col)
    return found + wrong_count(judge, method)


def _starts(judge: Judge, pattern: Pattern) -> bool:
    return pattern.rows == judge.table.rows[:1] and not _inside(pattern)


def _mistake(judge: Judge, method: Method, col: int, pattern: Pattern, expr: Expr) -> Mistake:
    name, right = judge.roles.names[col], method.state(col)
    repair = find_repair(expr, judge.values[current(col)], judge.values, _words(judge, method), _factors(method, col))
    circular = current(col) in names(expr)
    why = f"{what(method, name)}, all from the row before"
    return Mistake(
        kind="circular" if circular else "wrong-update",
        severity="error",
        sheet=judge.table.sheet,
        column=name,
        message=f"{name} reads itself" if circular else f"{name} does not go on as {method.kind} says",
        col=col,
        rows=pattern.rows,
        says=judge.named(expr),
        should_say=judge.named(right),
        why=f"{describe(judge, repair)}; {why}" if repair is not None else why,
        fix=paste(judge, right, pattern, name),
        wrong=expr,
        mended=repair is not None,
    )


def what(method: Method, name: str) -> str:
    """The rule of a state in symbols."""
    letter = name.partition("_")[0]
    if letter == STEP:
        return "n <- n + 1"
    kept = {"momentum": "momentum", "rmsprop": "alpha"}.get(method.kind, "beta1" if letter == "m" else "beta2")
    gradient = f"dE/d{name.partition('_')[2]}" + ("^2" if letter == "v" else "")
    return f"{name} <- {kept}*{name} + " + (gradient if method.kind == "momentum" else f"(1-{kept})*{gradient}")


def _words(judge: Judge, method: Method) -> list[str]:
    """Names that can stand in for one another in a state or an update."""
    inside: Iterable[int] = (*method.states, *method.gradients, *method.gradients.values())
    found = [before(col) for col in inside] + [current(col) for col in method.states]
    outside = [name for setting in method.settings.values() for name in names(setting)]
    return [name for name in dict.fromkeys([*outside, *found]) if name in judge.values]


def words_of_updates(judge: Judge) -> list[str]:
    """The same, for the repair of an update; nothing where the table is plain descent."""
    return _words(judge, judge.method) if judge.method is not None else []


def _factors(method: Method, col: int) -> list[Expr]:
    """What a state's formula may have lost."""
    kept, parameter = list(method.settings.values()), method.states[col][1]
    gradient: list[Expr] = [Var(before(method.gradients[parameter]))] if parameter else []
    return [*gradient, *kept, *(1 - one for one in kept)]
