"""How gradients go wrong: every equation of the backward pass with one small slip, and the words for it.

A slip is one change of one right equation: another unit's value, a factor or a path forgotten, a sign, a bracket. The
audit names the same slips by the same words (`WORDS`) when it finds a small repair that puts a wrong formula right.

>>> from tinyproof.backprop.notation import text
>>> from tinyproof.backprop.presets import preset
>>> known = next(slip for slip in slips(preset("course")) if slip.gradient == "dE/dh2" and slip.old == "a_h1")
>>> known.says(), text(known.wrong)
('a_h1 stands where a_h2 belongs', 'dE/da_h2*a_h1*(1-a_h1)')
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.equations import RATE, gradients
from tinyproof.backprop.expr import Call, Equation, Expr, Num, Var, names, substitute, walk
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import text
from tinyproof.backprop.tidy import add_up, product

MOST_SLIPS = 240  # of one network; the likelier kinds come first
MOST_PEERS = 2  # that may stand in for one quantity
UPDATED = "new "  # before a weight's name: its value after the step of this iteration

# `old` is what is written, `new` what belongs there.
WORDS = {
    "variable": "{old} stands where {new} belongs",
    "exchanged": "{old} and {new} are exchanged",
    "exchanged sides": "{old} is the wrong way round: {new}",
    "sign": "the sign is lost or wrong: {old} should be {new}",
    "operator": "{old} should be {new}",
    "lost factor": "the factor {new} is missing",
    "extra factor": "{old} is one factor too many",
    "lost term": "the term {new} is missing",
    "extra term": "the term {old} is one too many",
    "brackets": "brackets are missing: {new}",
    "number": "the number {old} should be {new}",
    "square": "{old} should be squared: {new}",
    "whole sign": "the sign of the whole formula is wrong",
    "updated": "the weights after the update stand where those before it belong",
}
# The second peer of a quantity comes after all of these.
LIKELIEST = ("lost term", "exchanged sides", "updated", "square", "sign", "brackets", "lost factor", "variable")

# What is right and is not what was asked. `gradient`, `weight` and `new weight` are those of the weight
# asked of, `examples` is how many a step takes.
OTHER_NUMBERS: tuple[tuple[str, Expr], ...] = (
    (WORDS["whole sign"], -Var("gradient")),
    ("that is the learning rate times the gradient", Var(RATE) * Var("gradient")),
    ("that is the change of the weight, not its gradient", Var("new weight") - Var("weight")),
    ("that is the new weight, not its gradient", Var("new weight")),
    ("that is the weight, not its gradient", Var("weight")),
    ("that is divided by the number of examples once more than the loss is", Var("gradient") / Var("examples")),
)


def in_words(kind: str, old: str, new: str) -> str:
    """The slip in words.

    >>> in_words("variable", "a_h1", "a_h2")
    'a_h1 stands where a_h2 belongs'
    """
    return WORDS[kind].format(old=old, new=new)


@dataclass(frozen=True)
class Slip:
    """One slip: in which gradient (without an example's number), its kind, what is written, what belongs there.

    `wrong`: what is computed in place of the equation; where a step takes several examples the equation of the first,
    and of a parameter's gradient the first example's part of the sum. `place` is alike for the same slip in every unit
    of a layer. `farther`: 0 for the nearest quantity taken for another, 1 for the next.
    """

    gradient: str
    kind: str
    old: str
    new: str
    wrong: Expr
    place: str = ""
    farther: int = 0

    def says(self) -> str:
        """In words."""
        return in_words(self.kind, self.old, self.new)


def slips(net: Net, most: int = MOST_SLIPS) -> list[Slip]:
    """The slips of every equation of the backward pass, at most so many, the likeliest kinds first."""
    tag, peers, found = net.tags[0], _peers(net), list[Slip]()
    for equation in gradients(net):
        name = equation.name.removesuffix(tag) if tag else equation.name
        if "[" in name:  # another example's: the same slips
            continue
        right = _first(equation.expr, tag)
        seen = {right}
        for number, slip in enumerate(_slips_of(Equation(name, right), peers, net)):
            if slip.wrong not in seen:
                seen.add(slip.wrong)
                found.append(replace(slip, place=f"{_layer_of(net, name)} {slip.kind} {number}"))
    ranked = sorted(enumerate(found), key=lambda item: (item[1].farther, LIKELIEST.index(item[1].kind), item[0]))
    kept = sorted(ranked[:most], key=lambda item: item[0])
    return [_untagged(slip, tag) for _, slip in kept]


def _untagged(slip: Slip, tag: str) -> Slip:
    return replace(slip, old=slip.old.replace(tag, ""), new=slip.new.replace(tag, "")) if tag else slip


def _first(expr: Expr, tag: str) -> Expr:
    """What the first example adds to a sum over examples."""
    if tag and isinstance(expr, Call) and expr.function == "add":
        own = tuple(arg for arg in expr.args if any(name.endswith(tag) for name in names(arg)))
        return own[0] if len(own) == 1 else Call("add", own)
    return expr


def _layer_of(net: Net, name: str) -> str:
    """What the gradient's name has in common with those of its layer."""
    of = name.partition("/d")[2]
    for number, layer in enumerate(net.layers):
        units = [net.unit(number, k) for k in range(layer.units)]
        weights = [weight for row in net.weight_names[number] for weight in row]
        groups = (units, [f"a_{unit}" for unit in units], weights, net.bias_names[number])
        for group in groups:
            if of in group:
                return group[0]
    return of


def _peers(net: Net) -> dict[str, list[str]]:
    """For every quantity those that are taken for it, the nearest first (of the first example)."""
    tag, found = net.tags[0], dict[str, list[str]]()

    def alike(group: Iterable[str]) -> None:
        members = list(group)
        for place, name in enumerate(members):
            near = sorted((k for k in range(len(members)) if k != place), key=lambda k: (abs(k - place), k))
            found.setdefault(name, []).extend(members[k] for k in near)

    alike(net.feeds(0, tag))
    alike(f"t{k + 1}{tag}" for k in range(net.shape[-1]))
    for number, layer in enumerate(net.layers):
        units = [net.unit(number, k) for k in range(layer.units)]
        for row in net.weight_names[number]:
            alike(row)
        for column in zip(*net.weight_names[number], strict=True):
            alike(column)
        for spelled in ("a_{}{}", "{}{}", "dE/da_{}{}", "dE/d{}{}"):
            alike(spelled.format(unit, tag) for unit in units)
        for unit in units if layer.activation != "identity" else ():
            found[f"a_{unit}{tag}"].append(f"{unit}{tag}")
            if "relu" not in layer.activation:  # the gate is the same
                found[f"{unit}{tag}"].append(f"a_{unit}{tag}")
    return found


def _slips_of(equation: Equation, peers: dict[str, list[str]], net: Net) -> Iterator[Slip]:
    expr, name = equation.expr, equation.name

    def slip(kind: str, old: Expr, new: Expr, wrong: Expr, farther: int = 0) -> Slip:
        said, says = (text(part) if place in WORDS[kind] else "" for part, place in ((old, "{old}"), (new, "{new}")))
        return Slip(name, kind, said, says, wrong, farther=farther)

    for node, put in _places(expr):
        if isinstance(node, Call):
            for kind, old, new, changed in _edits(node):
                yield slip(kind, old, new, put(changed))
    terms = signed_terms(expr)
    for k, lost in enumerate(terms if len(terms) > 1 and _brings_gradients(expr) else ()):
        yield slip("lost term", expr, lost, add_up(terms[:k] + terms[k + 1 :]))
    used = names(expr)
    for right in used:
        likely = [peer for peer in peers.get(right, ()) if peer not in used][:MOST_PEERS]
        for farther, peer in enumerate(likely or peers.get(right, [])[:1]):
            yield slip("variable", Var(peer), Var(right), substitute(expr, {right: Var(peer)}), farther)
    weights = [used_name for used_name in used if used_name in net.trained]
    if weights:
        fresh: dict[str, Expr] = {weight: Var(UPDATED + weight) for weight in weights}
        yield slip("updated", expr, expr, substitute(expr, fresh))


def _places(expr: Expr) -> Iterator[tuple[Expr, _Put]]:
    """Every node, with the way to put another in its place."""
    yield expr, _Put(None, None, 0)
    stack: list[tuple[Expr, _Put]] = [(expr, _Put(None, None, 0))]
    while stack:
        node, put = stack.pop()
        if isinstance(node, Call) and node.function not in ("if", "gt", "ge", "eq"):
            for position, arg in enumerate(node.args):
                inner = _Put(put, node, position)
                yield arg, inner
                stack.append((arg, inner))


@dataclass(frozen=True)
class _Put:
    """The way from a node back to the whole."""

    above: _Put | None
    node: Call | None
    position: int

    def __call__(self, changed: Expr) -> Expr:
        if self.node is None:
            return changed
        args = (*self.node.args[: self.position], changed, *self.node.args[self.position + 1 :])
        assert self.above is not None
        return self.above(Call(self.node.function, args))


Edit = tuple[str, Expr, Expr, Expr]  # kind, what is written, what belongs there, the node as written


def _edits(node: Call) -> Iterator[Edit]:
    f, args = node.function, node.args
    if f == "mul":
        yield from _product_edits(args, node)
    elif f == "sub":
        if any(isinstance(part, Var) for part in walk(args[0])) and not _brings_gradients(node):
            yield "exchanged sides", args[1] - args[0], node, args[1] - args[0]
    elif f == "neg":
        yield "sign", args[0], node, args[0]
    elif f == "div" and isinstance(args[1], Num):
        yield "lost factor", node, Num(1.0) / args[1], args[0]
    elif f == "pow" and args[1] == Num(2.0):
        yield "square", args[0], node, args[0]


def _product_edits(args: tuple[Expr, ...], node: Call) -> Iterator[Edit]:
    """One factor lost, or two neighbours (a slope is often two); a difference that lost its brackets."""
    for width in (1, 2) if len(args) > 2 else (1,):
        for k in range(width - 1, len(args) - width + 1):
            lost, rest = args[k : k + width], args[:k] + args[k + width :]
            yield "lost factor", node, product(*lost), rest[0] if len(rest) == 1 else Call("mul", rest)
    for k, inner in enumerate(args):
        if k and isinstance(inner, Call) and inner.function == "sub":  # x*1-a for x*(1-a)
            before = Call("mul", (*args[:k], inner.args[0]))
            after = inner.args[1] if k + 1 == len(args) else Call("mul", (inner.args[1], *args[k + 1 :]))
            yield "brackets", before - after, node, before - after


def signed_terms(expr: Expr) -> list[Expr]:
    """The terms of a sum or difference, each with its sign; anything else is one term.

    >>> [text(term) for term in signed_terms(Var("a") * Var("b") - Var("c") + Var("d"))]
    ['a*b', '-c', 'd']
    """
    if isinstance(expr, Call) and expr.function == "add":
        return [term for arg in expr.args for term in signed_terms(arg)]
    if isinstance(expr, Call) and expr.function == "sub":
        return [*signed_terms(expr.args[0]), *(product(Num(-1.0), term) for term in signed_terms(expr.args[1]))]
    return [expr]


def _brings_gradients(expr: Expr) -> bool:
    """Whether a gradient further up comes in: then its terms are paths."""
    return any(name.startswith(gradient_name("E_total", "")) for name in names(expr))
