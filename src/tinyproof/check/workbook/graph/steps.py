"""Parameters and their successors: a cell that is another cell plus a change that depends on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tinyproof.backprop.expr import Call, Expr, Num, Var, names
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.cell_roles import Readers, Roles
from tinyproof.check.workbook.graph.order import order
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.core.arrays import np

MAX_VISITED = 6_000  # cells looked at for one candidate
MOST_SINGLE = 50  # steps beside a training that are looked at
TRIED = 5  # cells of one form that are looked at


@dataclass(frozen=True)
class Update:
    """`successor = parameter + change`; both are sources (no copies). `bare`: the name of the parameter in it."""

    parameter: int
    successor: int
    bare: str


def terms(expr: Expr, sign: int = 1) -> Iterator[tuple[int, Expr]]:
    """The terms of a sum with their signs; both branches of an IF."""
    if isinstance(expr, Call) and expr.function == "add":
        for arg in expr.args:
            yield from terms(arg, sign)
    elif isinstance(expr, Call) and expr.function == "sub":
        yield from terms(expr.args[0], sign)
        yield from terms(expr.args[1], -sign)
    elif isinstance(expr, Call) and expr.function == "neg":
        yield from terms(expr.args[0], -sign)
    elif (
        isinstance(expr, Call)
        and expr.function == "mul"
        and expr.args[0] in (Num(1.0), Num(-1.0))
        and len(expr.args) == 2
    ):
        yield from terms(expr.args[1], sign * int(expr.args[0].value))
    else:
        yield sign, expr


def plus_terms(expr: Expr) -> list[str]:
    """The names that could be the parameter of an update: added once; a sum over examples adds one more often."""
    branches = [expr]
    if isinstance(expr, Call) and expr.function == "if":
        branches = [*expr.args[1:]]
        branches += [
            b
            for branch in list(branches)
            if isinstance(branch, Call) and branch.function == "if"
            for b in branch.args[1:]
        ]
    found: dict[str, None] = {}
    for branch in branches:
        parts = list(terms(branch))
        if len(parts) > 1:
            added = Counter(part.name for sign, part in parts if sign > 0 and isinstance(part, Var))
            found.update(dict.fromkeys(name for name, count in added.items() if count == 1))
    return list(found)


class _Finder:
    def __init__(self, net: Net) -> None:
        self.net, self.graph = net, net.graph
        self.whole = order(net)
        self.level = np.where(self.whole.level < 0, 10**9, self.whole.level)
        self.read_here = net.form_of >= 0
        self.roles = Roles(net)

    def depends(self, cell: int, bare: str) -> bool:
        """Whether the change in a formula depends on its own parameter."""
        meaning = self.graph.meaning[cell]
        parameter = int(self.net.canon[meaning.refs[bare]])
        parts = [part for sign, part in terms(meaning.expr)]
        if sum(bare in names(part) for part in parts) > 1 and len(parts) > 1:
            return True
        if self.again(meaning, bare, parts):
            return False
        front = np.unique(self.net.canon[[ref for name, ref in meaning.refs.items() if name != bare]].astype(int))
        base = self.level[parameter]
        seen = np.zeros(self.net.size, dtype=bool)
        seen[front] = True
        visited = len(front)
        while len(front) and visited < MAX_VISITED and not seen[parameter]:
            levels = self.level[front]
            front = self.whole.up.after(front[self.read_here[front] & ((levels > base) | (levels == 10**9))])
            front = np.unique(front[~seen[front]])
            seen[front] = True
            visited += len(front)
        return bool(seen[parameter])

    def carried(self, cell: int, bare: str) -> bool:
        """Whether something else than the next of its kind reads a formula's cell as it reads the parameter in it: it
        is carried on, whatever it depends on."""
        parameter, form = int(self.net.canon[self.graph.meaning[cell].refs[bare]]), int(self.net.form_of[cell])
        own = range(self.roles.first[form], self.roles.first[form] + self.net.forms[form].tape.slots)
        return bool((self.roles.of(cell) & self.roles.of(parameter)).difference(own))

    def again(self, meaning: Meaning, bare: str, parts: list[Expr]) -> bool:
        """Whether a sum adds another copy of the same parameter: a sum over examples, and no step from it."""
        canon, refs = self.net.canon, meaning.refs
        others = (part.name for part in parts if isinstance(part, Var) and part.name != bare)
        return any(canon[refs[name]] == canon[refs[bare]] for name in others)

    def candidates(self) -> list[Update]:
        by_key: dict[object, list[int]] = {}
        for cell, meaning in self.graph.meaning.items():
            if self.net.form_of[cell] >= 0 and not isinstance(meaning.expr, Var):
                by_key.setdefault(meaning.key, []).append(cell)
        found = []
        for cells in by_key.values():
            bares = {
                cell: plus_terms(self.graph.meaning[cell].expr)
                for cell in cells[:: max(1, len(cells) // TRIED)][:TRIED]
            }
            some = [cell for cell, names_of in bares.items() if names_of]
            if 2 * len(some) < len(bares):
                continue
            first = self.graph.meaning[some[0]].expr
            for place in range(max(len(bares[cell]) for cell in some)):
                holds = [c for c in some if place < len(bares[c]) and self.depends(c, bares[c][place])]
                on = [c for c in some if place < len(bares[c]) and holds and self.carried(c, bares[c][place])]
                if 2 * len(holds) < len(some) and 2 * len(on) <= len(some):
                    continue
                for cell in cells:
                    meaning = self.graph.meaning[cell]
                    own = bares[some[0]] if meaning.expr is first else plus_terms(meaning.expr)
                    if place < len(own):
                        found.append(Update(int(self.net.canon[meaning.refs[own[place]]]), cell, own[place]))
        return found


def find_updates(net: Net) -> tuple[list[Update], list[Update], Roles]:
    """The updates of the workbook, dead ends left out; candidates that are read in other places than what they start
    from; how each cell is read."""
    finder = _Finder(net)
    candidates, roles = [u for u in finder.candidates() if not _is_slope(net, u)], finder.roles
    read = {u.successor for u in candidates if roles.of(u.successor)}
    linked = {u for u in candidates if roles.of(u.successor) & roles.of(u.parameter)}
    linked |= _filled_alike(net, [u for u in candidates if u.successor in read], linked)
    ends = _live_ends(net, [u for u in candidates if u.successor not in read], linked, roles)
    one: dict[int, Update] = {}
    for update in [u for u in candidates if u in linked] + ends:
        one.setdefault(update.successor, update)
    strange = _strangers(net, list(one.values())) if linked else []
    for update in strange:
        del one[update.successor]
    for update in _like_them(finder, roles, list(one.values())):
        one.setdefault(update.successor, update)
    dropped = [u for u in candidates if u.successor in read and u not in linked]
    said = {_computes(net, cell) for cell in one}  # an end that says what an update says: it was not moved, perhaps
    used = read | one.keys()
    dropped += [u for u in candidates if u.successor not in used and _computes(net, u.successor) in said]
    return list(one.values()), dropped + strange, roles


def _filled_alike(net: Net, candidates: list[Update], linked: set[Update]) -> set[Update]:
    """Candidates that go on from a successor by the very formula that made it, filled further: what reads them may say
    something else than what reads those before them, and one of both is then a slip."""
    made = {u.successor: net.graph.meaning[u.successor].key for u in linked}
    return {u for u in candidates if made.get(u.parameter) == net.graph.meaning[u.successor].key}


def _live_ends(net: Net, ends: list[Update], linked: set[Update], roles: Roles) -> list[Update]:
    """Successors that nothing reads and that end a training: not those that stand beside another that goes on.

    A formula that elsewhere fills cells that are read is an update wherever it stands.
    """
    going = {u.parameter for u in linked}
    chained = {u.successor for u in linked}
    filling = {net.graph.meaning[u.successor].key for u in linked}
    keys = {u.successor: net.graph.meaning[u.successor].key for u in ends}
    aside = {keys[u.successor] for u in ends if u.parameter in going} - filling
    aside |= {_shape(net, u.successor) for u in ends if u.parameter in going}  # a key is of one sheet
    often = Counter(u.parameter for u in ends)
    shapes = {_shape(net, u.successor) for u in linked}
    alone = [u for u in ends if often[u.parameter] == 1]
    forms = {int(net.form_of[u.successor]) for u in alone} if 2 * len(alone) > len(ends) else set()
    kept: list[Update] = []
    rivals = set[Update]() if linked else _rivals(net, ends)  # of one step; else what goes on tells
    for end in (end for end in ends if not _of_itself(net, end) and end not in rivals):
        if keys[end.successor] in filling or _shape(net, end.successor) in shapes:
            dead = False
        else:
            # two starts of one weight beside many of their own: a slip, whose place says whom it carries on
            beside = bool(linked or kept) and often[end.parameter] > 1 and int(net.form_of[end.successor]) not in forms
            known = bool(aside & {keys[end.successor], _shape(net, end.successor)})
            dead = end.parameter in going or known or beside
        if not dead and (not (linked or kept) or end.parameter in chained or roles.of(end.parameter)):
            kept.append(end)
    return kept


def _rivals(net: Net, ends: list[Update]) -> set[Update]:
    """Of several ends that start from one parameter those that are written otherwise than one which more parameters
    have: a slope taken off a weight in a cell of its own, say."""
    wide: dict[int, set[int]] = {}
    for end in ends:
        wide.setdefault(int(net.form_of[end.successor]), set()).add(end.parameter)
    most: dict[int, int] = {}
    for end in ends:
        most[end.parameter] = max(most.get(end.parameter, 0), len(wide[int(net.form_of[end.successor])]))
    return {end for end in ends if len(wide[int(net.form_of[end.successor])]) < most[end.parameter]}


def _is_slope(net: Net, update: Update) -> bool:
    """Whether a formula takes off itself what another kind of formula made: `a-a^2`, whatever reads it."""
    return _of_itself(net, update) and net.form_of[update.parameter] != net.form_of[update.successor]


def _of_itself(net: Net, update: Update) -> bool:
    """Whether a formula takes what another formula made, and nothing else, off itself: a slope, as `a-a^2`."""
    return len(net.graph.meaning[update.successor].refs) == 1 and int(net.form_of[update.parameter]) >= 0


def _strangers(net: Net, updates: list[Update]) -> list[Update]:
    """Single steps beside a training whose change depends on what they start from only by way of earlier steps: a
    target less an output, say, that every step copies."""
    starts, ends = {u.parameter for u in updates}, {u.successor for u in updates}
    single = [u for u in updates if u.parameter not in ends and u.successor not in starts]
    if not single or len(single) == len(updates):
        return []
    cut = np.zeros(net.size, dtype=bool)
    cut[list(starts | ends)] = True
    shorter, strange = order(net, cut), list[Update]()
    for update in single[:MOST_SINGLE]:
        refs = net.graph.meaning[update.successor].refs
        reads = [int(net.canon[ref]) for name, ref in refs.items() if name != update.bare]
        if not reads or not shorter.reach(reads, upwards=True)[update.parameter]:
            strange.append(update)
    return strange


def _computes(net: Net, cell: int) -> tuple[int, ...]:
    return int(net.form_of[cell]), *net.reads(cell)


def _shape(net: Net, cell: int) -> tuple[object, ...]:
    """What a formula does and how far from it stands what it reads, whatever a `$` fixes; numbers by their cells."""
    graph, here = net.graph, net.graph.places[cell]
    refs = graph.meaning[cell].refs.values()
    places = [(ref, graph.places[ref]) for ref in refs]
    apart = [
        (p.sheet - here.sheet, p.row - here.row, p.col - here.col) if ref in graph.meaning else ref for ref, p in places
    ]
    return int(net.form_of[cell]), *apart


def _like_them(finder: _Finder, roles: Roles, updates: list[Update]) -> list[Update]:
    """Cells that are carried on like a parameter and lead to what the parameters lead to, although their change does
    not depend on themselves: what a mistake makes of an update."""
    net, whole = finder.net, finder.whole
    if not updates:
        return []
    cut = np.zeros(net.size, dtype=bool)
    cut[[c for u in updates for c in (u.parameter, u.successor)]] = True
    shorter = order(net, cut)
    moved = shorter.reach(np.flatnonzero(cut))
    cone = shorter.cone(np.array([u.successor for u in updates]))
    used = moved & cone
    loose = np.zeros(net.size, dtype=bool)  # filled by an update, and no update goes on from there
    loose[list({u.successor for u in updates} - {u.parameter for u in updates})] = True
    free = (cone & (~cut | loose))[net.canon].tolist()  # what could be the parameter
    alive = moved[net.canon].tolist()
    found, bares, readers = [], dict[int, list[str]](), Readers(whole, used)
    todo = ((net.form_of >= 0) & ~cut).tolist()
    for cell, meaning in net.graph.meaning.items():
        if not todo[cell] or isinstance(meaning.expr, Var):
            continue
        known = bares.get(id(meaning.expr))
        if known is None:
            known = bares[id(meaning.expr)] = plus_terms(meaning.expr)[:2]
        for bare in known:
            if not free[meaning.refs[bare]] or not any(alive[r] for name, r in meaning.refs.items() if name != bare):
                continue
            parameter = int(net.canon[meaning.refs[bare]])
            beside = readers.of(parameter)
            own = roles.of(cell)
            if len(beside) > (cell in beside) and (not own or own & roles.of(parameter)):
                found.append(Update(parameter, cell, bare))
                break
    starts, ends = {u.parameter for u in found}, {u.successor for u in found}
    return [u for u in found if u.successor in starts or u.parameter in ends or loose[u.parameter]]
