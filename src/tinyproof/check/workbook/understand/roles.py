"""Which column is what. Headings are hints; where formulas say otherwise, they decide."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyproof.backprop.expr import Call, Expr, Num, Var, names, walk
from tinyproof.check.workbook.thresholds import SAMPLES
from tinyproof.check.workbook.understand.grid import address
from tinyproof.check.workbook.understand.meaning import value
from tinyproof.check.workbook.understand.patterns import ColumnPatterns, Pattern, before, column_of, current, elsewhere
from tinyproof.check.workbook.understand.structure import activation, terms
from tinyproof.check.workbook.understand.tables import Table
from tinyproof.core.arrays import np

FORWARD = ("net", "act", "loss", "total")


@dataclass
class Roles:
    """Kind and textbook name of every column. Names are unique; `surprises`: columns whose heading says otherwise."""

    kinds: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    surprises: dict[int, str] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[int]:
        """The columns of these kinds, from left to right."""
        return [col for col in sorted(self.kinds) if self.kinds[col] in kinds]

    def named(self, name: str) -> int | None:
        return next((col for col, own in self.names.items() if own == name), None)


def forward_pattern(columns: ColumnPatterns) -> Pattern | None:
    """The pattern that can be a forward formula: it reads only its own row; the one with most rows of those."""
    own_row = [p for p in columns.patterns if p.expr is not None and not _looks_back(p.expr)]
    return max(own_row, key=lambda p: len(p.rows), default=columns.main)


def _looks_back(expr: Expr) -> bool:
    return any(elsewhere(name) for name in names(expr))


def find_roles(table: Table, columns: dict[int, ColumnPatterns]) -> Roles:
    """Roles by heading, put right by what the formulas do."""
    roles = Roles()
    for col in table.cols:
        roles.kinds[col] = _kind(table, columns[col])
    _by_use(table, columns, roles)
    _name(table, columns, roles)
    return roles


def _kind(table: Table, columns: ColumnPatterns) -> str:
    word = table.words.get(columns.col)
    hint = word.kind if word else ""
    exprs = [p.expr for p in columns.patterns if p.expr is not None]
    recurrent = any(before(columns.col) in names(e) and not isinstance(e, Var) for e in exprs)
    computed = any(not isinstance(e, Num) and any(column_of(n) for n in names(e)) for e in exprs)
    if hint in ("net", "act", "loss", "total", "gradient", "derivative", "rate", "iteration", "state"):
        return hint
    if recurrent:
        return "bias" if hint == "bias" else "weight"
    if hint in ("weight", "bias"):
        return hint
    if not computed:
        return hint or ("given" if columns.typed or columns.patterns else "empty")
    copies = all(isinstance(e, Num) or (isinstance(e, Var) and _is_own(e.name, columns.col)) for e in exprs)
    if copies or hint in ("input", "target"):
        return hint or "given"
    return "helper"


def _is_own(name: str, col: int) -> bool:
    found = column_of(name)
    return found is None or found.col == col


def _by_use(table: Table, columns: dict[int, ColumnPatterns], roles: Roles) -> None:
    """Unheaded columns by the shape of their formulas; inputs and targets by where they are used."""
    parameters = {current(col) for col in roles.of("weight", "bias")}
    for col in roles.of("helper"):
        pattern = forward_pattern(columns[col])
        if pattern is not None and pattern.expr is not None and col not in table.words:
            roles.kinds[col] = _shape(pattern.expr, parameters) or "helper"
    _velocities(table, columns, roles)
    _counter(table, columns, roles)
    _differences(columns, roles)
    _gradients_and_losses(table, columns, roles)
    fed, compared = set[str](), set[str]()
    for col in roles.of(*FORWARD):
        pattern = forward_pattern(columns[col])
        if pattern is None or pattern.expr is None:
            continue
        used = set(names(pattern.expr))
        if used & parameters:
            fed |= used
        elif roles.kinds[col] in ("loss", "total"):
            compared |= used
    for col in roles.of("input", "target", "given"):
        name, kind = current(col), roles.kinds[col]
        use = "input" if name in fed and name not in compared else "target" if name in compared - fed else ""
        if use and use != kind:
            if kind != "given":
                roles.surprises[col] = use
            roles.kinds[col] = use


def _velocities(table: Table, columns: dict[int, ColumnPatterns], roles: Roles) -> None:
    """Columns that go on from their own value and that no sum or activation reads are no weights but a momentum."""
    forward = [p.expr for col in roles.of(*FORWARD) if (p := forward_pattern(columns[col])) and p.expr is not None]
    read = {name for expr in forward for name in names(expr)}
    for col in roles.of("weight"):
        if forward and col not in table.words and current(col) not in read:
            roles.kinds[col] = "helper"


def _counter(table: Table, columns: dict[int, ColumnPatterns], roles: Roles) -> None:
    """Beside running averages, a column called n that counts on, or that is an exponent: the number of the step."""
    for col in roles.of("rate") if roles.of("state") else ():
        main = columns[col].main
        read = names(main.expr) if main is not None and main.expr is not None else ()
        counts = read == (before(col),)
        if "".join(table.texts.get(col, "").split()) == "n" and (counts or _is_exponent(columns, current(col))):
            roles.kinds[col] = "state"


def _is_exponent(columns: dict[int, ColumnPatterns], name: str) -> bool:
    written = [pattern.expr for held in columns.values() for pattern in held.patterns if pattern.expr is not None]
    return any(
        isinstance(node, Call) and node.function == "pow" and node.args[1] == Var(name)
        for expr in written if name in names(expr)
        for node in walk(expr)
    )  # fmt: skip


def _differences(columns: dict[int, ColumnPatterns], roles: Roles) -> None:
    """Columns that are called an error and can be negative, and that a gradient or an update reads: output less target,
    no loss."""
    readers = roles.of("gradient", "derivative", "weight", "bias")
    read = {name for col in readers for p in columns[col].patterns if p.expr is not None for name in names(p.expr)}
    for col in roles.of("loss", "total"):
        pattern = forward_pattern(columns[col])
        expr = pattern.expr if pattern is not None else None
        if expr is not None and {current(col), before(col)} & read and _negative(expr, roles):
            roles.kinds[col] = "helper"


def _negative(expr: Expr, roles: Roles) -> bool:
    """Whether a formula can be negative where outputs, targets and losses lie between 0 and 1."""
    rng = np.random.default_rng(5)
    values = {}
    for name in names(expr):
        place = column_of(name)
        signed = place is None or roles.kinds.get(place.col) in ("helper", "net")
        values[name] = rng.uniform(-1.0 if signed else 0.0, 1.0, SAMPLES)
    with np.errstate(all="ignore"):
        return bool((value(expr, values) < 0).any())


def _counts(expr: Expr | None) -> bool:
    """Whether a formula has one of two values, as what counts the right answers has."""
    rng = np.random.default_rng(5)
    return (
        expr is None or len(np.unique(value(expr, {name: rng.uniform(0.0, 1.0, SAMPLES) for name in names(expr)}))) < 3
    )


def _gradients_and_losses(table: Table, columns: dict[int, ColumnPatterns], roles: Roles) -> None:
    """Unheaded columns that updates read are gradients; functions of an output and a typed column are losses."""
    read_back = {
        place.col
        for col in roles.of("weight", "bias")
        for p in columns[col].patterns if p.expr is not None and before(col) in names(p.expr)
        for name in names(p.expr) if (place := column_of(name)) and place.above and place.col != col
    }  # fmt: skip
    bare = [col for col in roles.of("helper") if col not in table.words]
    for col in bare:
        if col in read_back:
            roles.kinds[col] = "gradient"
    acts = {current(col) for col in roles.of("act")}
    typed = {current(col) for col in roles.of("given", "target")}
    if roles.of("total", "loss"):
        return
    for col in bare:
        pattern = forward_pattern(columns[col])
        used = set(names(pattern.expr)) if pattern is not None and pattern.expr is not None else set()
        both = used & acts and used & typed and used <= acts | typed and len(used) == 2
        if roles.kinds[col] == "helper" and both and pattern is not None and not _counts(pattern.expr):
            roles.kinds[col] = "loss"
    losses = {current(col) for col in roles.of("loss")}
    for col in bare:
        pattern = forward_pattern(columns[col])
        used = set(names(pattern.expr)) if pattern is not None and pattern.expr is not None else set()
        if roles.kinds[col] == "helper" and used and used == losses and len(losses) > 1:
            roles.kinds[col] = "total"


def _name_by_use(columns: dict[int, ColumnPatterns], roles: Roles, taken: set[str]) -> None:
    """Gradients without a heading are called after the parameter whose update reads them; units after their layer."""
    parameters = roles.of("weight", "bias")
    for col in parameters:
        main = columns[col].main
        for name in names(main.expr) if main is not None and main.expr is not None else ():
            place = column_of(name)
            own = f"dE/d{roles.names.get(col, '?')}"
            if place and place.above and roles.kinds.get(place.col) == "gradient" and place.col not in roles.names:
                if own not in taken:
                    roles.names[place.col] = own
                    taken.add(own)
    weights = {current(col) for col in parameters}
    inputs = {current(col) for col in roles.of("input")}
    for col in roles.of("net", "act"):
        pattern = forward_pattern(columns[col])
        if col in roles.names or pattern is None or pattern.expr is None:
            continue
        used = set(names(pattern.expr)) - weights
        nets = [roles.names.get(place.col, "") if (place := column_of(name)) else "" for name in used]
        if roles.kinds[col] == "net":
            letter = "h" if used & inputs else "o"
            found = next(f"{letter}{n}" for n in range(1, 10_000) if f"{letter}{n}" not in taken)
        else:
            found = f"a_{nets[0]}" if len(nets) == 1 else ""
        if found and found not in taken:
            roles.names[col] = found
            taken.add(found)


def _shape(expr: Expr, parameters: set[str]) -> str:
    """net, act or helper, by the formula alone."""
    found = terms(expr)
    if found is not None and len(found) >= 1 and all(len(set(n) & parameters) == 1 for _, n in found if len(n) == 2):
        if sum(len(n) == 2 for _, n in found) >= 1 and all(len(n) <= 2 for _, n in found):
            return "net"
    peeled = activation(expr)
    if peeled is not None and peeled.name and (isinstance(peeled.inner, Var) or set(names(peeled.inner)) & parameters):
        return "act"
    return ""


_PREFIX = {"input": "i", "target": "t", "weight": "w", "bias": "b", "net": "s", "act": "a_s", "loss": "E"}


def _name(table: Table, columns: dict[int, ColumnPatterns], roles: Roles) -> None:
    taken: set[str] = set()
    for col in table.cols:
        word = table.words.get(col)
        if word is not None and word.kind == roles.kinds[col] and word.name not in taken:
            roles.names[col] = word.name
            taken.add(word.name)
    for col in table.cols:
        if col not in roles.names and roles.kinds[col] in ("weight", "bias", "input", "target"):
            roles.names[col] = _free_name(table, roles.kinds[col], col, taken)
            taken.add(roles.names[col])
    _name_by_use(columns, roles, taken)
    for col in table.cols:
        if col not in roles.names:
            roles.names[col] = _free_name(table, roles.kinds[col], col, taken)
            taken.add(roles.names[col])


def _free_name(table: Table, kind: str, col: int, taken: set[str]) -> str:
    text = "".join(table.texts.get(col, "").split())
    if kind in ("helper", "state") and text and text not in taken and len(text) <= 30:
        return text
    if kind in _PREFIX:
        return next(f"{_PREFIX[kind]}{n}" for n in range(1, 10_000) if f"{_PREFIX[kind]}{n}" not in taken)
    return address(1, col).rstrip("1")
