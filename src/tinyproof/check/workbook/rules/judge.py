"""One formula judged: what its variables are worth, whether it means what it should, and what it is called on paper."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.expr import Call, Expr, Num, Var, names, substitute, walk
from tinyproof.backprop.notation import excel, text
from tinyproof.check.workbook.rules.repair import MOST_UNMENDED, Repair, find_repair
from tinyproof.check.workbook.understand.grid import Grid, Place, address
from tinyproof.check.workbook.understand.meaning import Random, Values, same, value
from tinyproof.check.workbook.understand.network_values import Network, sample
from tinyproof.check.workbook.understand.optimizer_method import Method
from tinyproof.check.workbook.understand.patterns import Pattern, before, column_of, current, is_constant
from tinyproof.check.workbook.understand.trained_network import with_helpers
from tinyproof.check.workbook.understand.unread import unknown_through
from tinyproof.core.arrays import np


class Judge:
    """Values and names for one table. Values exist for every variable that its formulas can have."""

    def __init__(self, grid: Grid, network: Network) -> None:
        self.grid, self.network = grid, network
        self.table, self.roles, self.columns = network.table, network.roles, network.columns
        self.random = Random(99)
        drawn, self.slopes = sample(network)
        self.plain = drawn
        self.outside_cells: dict[str, float] | None = None  # `retraining` fills it in
        self.method: Method | None = None  # of updates that are no plain descent; `optimizer_columns` finds it
        self._agreement: dict[int, tuple[int, Expr | None]] = {}
        self.values: Values = self._aliases(with_helpers(network, drawn))

    def _aliases(self, values: Values) -> Values:
        """A cell outside that a column only copies is worth what the column is worth."""
        for col in self.roles.of("input", "target", "given", "rate"):
            for pattern in self.columns[col].patterns:
                if isinstance(pattern.expr, Var) and column_of(pattern.expr.name) is None and current(col) in values:
                    values.setdefault(pattern.expr.name, values[current(col)])
        return values

    def complete(self, expr: Expr) -> Values:
        """The values, with one for every name of the expression."""
        for name in names(expr):
            if name not in self.values:
                self.values[name] = self._value(name)
        return self.values

    def _value(self, name: str) -> np.ndarray:
        place = column_of(name)
        if place is not None and not place.here:
            col = place.col
            known = self.values.get(current(col))
            leaf = self.roles.kinds.get(col) in ("input", "target", "given", "rate")
            if leaf and known is not None and is_constant(self.columns[col]):
                return known
        return self.random(name)

    def says(self, expr: Expr) -> np.ndarray:
        """What the expression computes on the samples."""
        return value(expr, self.complete(expr))

    def right(self, col: int) -> np.ndarray | None:
        """What a forward or gradient column should hold, on the samples."""
        return self.values.get(current(col))

    def rows_right(self, col: int) -> tuple[int, Expr | None]:
        """How many rows of a column say what they should, and the first formula that does. Counted once a column."""
        known = self._agreement.get(col)
        if known is None:
            right, count, first = self.right(col), 0, None
            for pattern in self.columns[col].patterns:
                if right is not None and pattern.expr is not None and same(self.says(pattern.expr), right):
                    count += len(pattern.rows)
                    first = first if first is not None else pattern.expr
            known = self._agreement[col] = count, first
        return known

    def unread_in(self, expr: Expr) -> int | None:
        """The column that could not be read on which the value of an expression depends; None where there is none."""
        return unknown_through(expr, self.roles, self.columns, self.network.unread)

    def taken(self, parameter: int) -> np.ndarray:
        """What the rate multiplies in the update of a parameter: its gradient in the row before, or what the states of
        an optimiser make of it."""
        if self.method is None:
            return self.slopes[parameter]
        return np.asarray(self.values[before(parameter)] - self.says(self.method.update(parameter, Num(1.0))))

    def update(self, parameter: int, rate: str, gradient: int) -> Expr:
        """The right update of a parameter, with the rate's cell; `gradient`: the column that holds its gradient."""
        if self.method is not None:
            return self.method.update(parameter, Var(rate))
        return Var(before(parameter)) - Var(rate) * Var(before(gradient))

    def gradient(self, parameter: int) -> np.ndarray:
        """The right gradient of a parameter, in the same row."""
        return np.asarray(self.values[gradient_name(self.network.loss, current(parameter))])

    # Names on paper ----------------------------------------------------------------------------------------------

    def named(self, expr: Expr) -> str:
        """The expression in the textbook's names, on one line."""
        shown = substitute(expr, {name: Var(self.spell(name)) for name in names(expr)})
        written = text(shown)
        return written if len(written) <= 400 else written[:250] + " … " + written[-100:]

    def spell(self, name: str) -> str:
        place = column_of(name)
        if place is None:
            return self.outside(name)
        own = self.roles.names.get(place.col, name)
        if place.here:
            return own
        if place.fixed is not None:
            return f"{own}[row {place.fixed}]"
        rows, side = abs(place.offset), "before" if place.offset < 0 else "after"
        return f"{own}[{rows} rows {side}]" if rows > 1 else f"{own}[row {side}]"

    def outside(self, name: str) -> str:
        """A cell outside the table as one writes it: without the sheet where it is the table's own."""
        if name == "rate":
            return "learning_rate"
        sheet, _, cell = name.rpartition("!")
        return cell if sheet == self.grid.sheet(self.table.sheet).name else name

    def in_cells(self, expr: Expr, row: int, pattern: Pattern | None) -> str:
        """The expression as a formula for a cell in that row, in the sheet's own references."""
        return "=" + excel(expr, lambda name: self.reference(name, row, pattern))

    def reference(self, name: str, row: int, pattern: Pattern | None = None) -> str:
        """The cell that a variable means in a row, with `$` where the author had it (or it stands outside)."""
        place = column_of(name)
        if place is not None:
            rows = self.table.rows
            if place.fixed is not None:
                return f"{address(1, place.col)[:-1]}${place.fixed}"
            position = min(max(rows.index(row) + place.offset, 0), len(rows) - 1)
            return address(rows[position], place.col)
        sheet, _, cell = name.rpartition("!")
        match = re.fullmatch(r"([A-Z]+)(\d+)", cell)
        fixed = f"${match[1]}${match[2]}" if match else cell
        if sheet == self.grid.sheet(self.table.sheet).name:
            return fixed
        quoted = sheet.replace("'", "''")
        return f"'{quoted}'!{fixed}"

    # Repairs ---------------------------------------------------------------------------------------------------------

    def vocabulary(self) -> list[str]:
        """Names that can stand in for one another in a formula of one row."""
        cols = self.roles.of("input", "target", "weight", "bias", "net", "act", "loss")
        inside = [current(col) for col in cols if current(col) in self.values]
        outside = [n for e in self.network.equations for n in names(e.expr) if column_of(n) is None]
        return [*inside, *dict.fromkeys(outside)]

    def factors(self) -> list[Expr]:
        """What a gradient is made of: quantities, slopes of activations, differences to the targets."""
        found: list[Expr] = [Var(name) for name in self.vocabulary()]
        for col in self.roles.of("act"):
            a = Var(current(col))
            found += [1 - a, a * (1 - a), 1 - a**2]
        for loss in self.roles.of("loss", "total"):
            expr = self.network.equation(current(loss))
            used = list(names(expr)) if expr is not None else []
            if len(used) == 2 and self.roles.kinds[loss] == "loss":
                found += [Var(used[1]) - Var(used[0]), Var(used[0]) - Var(used[1])]
        return found

    def repair(self, expr: Expr, right: np.ndarray) -> Repair | None:
        """The small repair that makes a formula right, if there is one."""
        words = self.vocabulary()
        key = expr, right.tobytes(), tuple(words)
        if key not in self.grid.repairs:  # the same mistake in six sheets is looked for once
            self.complete(expr)
            hopeless = list(self.grid.repairs.values()).count(None) >= MOST_UNMENDED
            searched = None if hopeless else find_repair(expr, right, self.values, words, self.factors())
            self.grid.repairs[key] = searched
        found: Repair | None = self.grid.repairs[key]
        return found

    def chain_rule(self, parameter: int) -> Expr:
        """The right gradient written out, in variables of the row."""
        return self.network.chain_rule(parameter)

    # Typed constants ---------------------------------------------------------------------------------------------

    def given_value(self, name: str) -> float | None:
        """The sheet's own number of an input or target, in the first row."""
        place = column_of(name)
        if place is None:
            return None
        for row in self.table.rows[:2]:
            number = self.grid.number(Place(self.table.sheet, row, place.col))
            if number is not None:
                return number
        return None

    def typed_for(self, expr: Expr, right: np.ndarray) -> tuple[dict[float, str], Expr] | None:
        """Typed numbers that stand where targets or inputs belong: number -> name, and the formula with the names."""
        count = sum(isinstance(node, Num) for node in walk(expr))
        numbers = [n.value for n in dict.fromkeys(walk(expr)) if isinstance(n, Num)]
        leaves = [current(c) for c in self.roles.of("target", "input")]
        outside = [n for e in self.network.equations for n in names(e.expr) if column_of(n) is None]
        for position in range(count):
            for name in [*leaves, *outside]:
                number, whole = _replace_one(expr, position, name)
                if same(value(whole, self.complete(whole)), right):
                    return {number: name}, whole
        for number in numbers:
            for name in leaves:
                whole = _replace_number(expr, {number: name})
                if same(value(whole, self.complete(whole)), right):
                    return {number: name}, whole
        equal = {
            n: name
            for n in numbers
            for name in leaves
            if (g := self.given_value(name)) is not None and abs(g - n) < 1e-9
        }
        if len(equal) > 1:
            whole = _replace_number(expr, equal)
            if same(value(whole, self.complete(whole)), right):
                return equal, whole
        return None


def _replace_one(expr: Expr, position: int, name: str) -> tuple[float, Expr]:
    """The expression with one of its numbers (counted from 0, from left to right) replaced, and that number."""
    seen = [-1, 0.0]

    def walked(node: Expr) -> Expr:
        if isinstance(node, Num):
            seen[0] += 1
            if seen[0] == position:
                seen[1] = node.value
                return Var(name)
        if isinstance(node, Call):
            return Call(node.function, tuple(walked(arg) for arg in node.args))
        return node

    whole = walked(expr)
    return float(seen[1]), whole


def _replace_number(expr: Expr, names_of: Mapping[float, str]) -> Expr:
    if isinstance(expr, Num) and expr.value in names_of:
        return Var(names_of[expr.value])
    if isinstance(expr, Call):
        return Call(expr.function, tuple(_replace_number(arg, names_of) for arg in expr.args))
    return expr
