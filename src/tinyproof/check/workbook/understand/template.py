"""What a forward column should say, judged by its neighbours: the textbook form that most of the network follows.

Used only where the formulas as written do not fit together: each unit of a layer weighs every source once, no weight
is used twice, units of a layer share their activation, each loss compares its own target and output.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from tinyproof.backprop.expr import Expr, Num, Var, names, total
from tinyproof.check.workbook.understand.meaning import replace
from tinyproof.check.workbook.understand.patterns import column_of, current
from tinyproof.check.workbook.understand.roles import Roles
from tinyproof.check.workbook.understand.structure import ACTIVATIONS, LOSSES, activation, mirrored_sigmoid, terms

_UNIT = re.compile(r"(?:a_)?(?P<layer>[a-z]+(?:\d+_)?)(?P<n>\d+)(?P<example>\[\d+\])?")


def unit(name: str) -> tuple[str, int] | None:
    """The layer and the number of a unit: `a_h2` is ('h', 2), `h2_1[3]` is ('h2_[3]', 1)."""
    match = _UNIT.fullmatch(name)
    return (match["layer"] + (match["example"] or ""), int(match["n"])) if match else None


class Templates:
    """Textbook forms for the columns of one table, over the same variables as its formulas."""

    def __init__(self, roles: Roles, written: Mapping[str, Expr]) -> None:
        self.roles, self.written = roles, written
        self.weights = {current(col) for col in roles.of("weight", "bias")}
        self.by_name = {roles.names[col]: current(col) for col in roles.names}
        self.layers: dict[str, list[int]] = {}
        for col in roles.of("net"):
            place = unit(roles.names[col])
            if place is not None:
                self.layers.setdefault(place[0], []).append(col)
        for cols in self.layers.values():
            cols.sort(key=lambda col: unit(roles.names[col]) or ("", 0))

    def all(self) -> dict[str, Expr]:
        """The textbook form of every column that has one."""
        found = self.nets()
        found.update(self.acts())
        found.update(self.losses())
        found.update(self.totals())
        return found

    def nets(self) -> dict[str, Expr]:
        found: dict[str, Expr] = {}
        numbered = self.numbering()
        for layer, cols in self.layers.items():
            sources = self.sources(layer)
            if not sources:
                continue
            for col in cols:
                pairs, bias = self._pairs(col, sources)
                textbook = numbered.get(col, {})
                chosen = self._complete(pairs, sources, textbook, col)
                if chosen:
                    expr = [Var(w) * Var(s) for s, w in chosen]
                    extra = bias or self._bias(col)
                    found[current(col)] = total([*expr, *extra])
        return found

    def sources(self, layer: str) -> list[str]:
        """What feeds a layer: the inputs, or the activations of the layer before it."""
        fed = Counter(name for col in self.layers[layer] for name in names(self._of(col)) if name not in self.weights)
        example = re.search(r"\[\d+\]$", layer)
        suffix = example.group() if example else ""
        feeding = Counter[str]()
        for name, count in fed.items():
            inside = column_of(name)
            col = inside.col if inside else 0
            place = unit(self.roles.names.get(col, ""))
            kind = self.roles.kinds.get(col, "")
            if kind in ("act", "net") and place and place[0] != layer:
                feeding[place[0]] += count
            elif kind == "input":
                feeding["i"] += count
        if not feeding:
            return []
        before = feeding.most_common(1)[0][0]
        if before == "i":
            inputs = [current(c) for c in self.roles.of("input") if self.roles.names[c].endswith(suffix)]
            return inputs or [current(c) for c in self.roles.of("input")]
        acts = [c for c in self.roles.of("act") if (unit(self.roles.names[c]) or ("", 0))[0] == before]
        return [current(c) for c in sorted(acts, key=lambda c: unit(self.roles.names[c]) or ("", 0))]

    def _of(self, col: int) -> Expr:
        """The column's formula as written; 0 where it has none that was understood."""
        return self.written.get(current(col), Num(0.0))

    def _pairs(self, col: int, sources: list[str]) -> tuple[list[tuple[str, str]], list[Expr]]:
        """(source, weight) as written, each source and weight once; and what is added besides (a bias)."""
        pairs, bias = list[tuple[str, str]](), list[Expr]()
        for factor, factors in terms(self._of(col)) or []:
            weight = [name for name in factors if name in self.weights]
            source = [name for name in factors if name in sources]
            if factor == 1.0 and len(factors) == 2 and len(weight) == 1 and len(source) == 1:
                if source[0] not in [s for s, _ in pairs] and weight[0] not in [w for _, w in pairs]:
                    pairs.append((source[0], weight[0]))
            elif factor == 1.0 and len(factors) == 1 and self._can_be_bias(factors[0]):
                bias.append(Var(factors[0]))
        return pairs, bias

    def _can_be_bias(self, name: str) -> bool:
        place = column_of(name)
        return place is None or self.roles.kinds.get(place.col) in ("bias", "given")

    def numbering(self) -> dict[int, dict[str, str]]:
        """Source -> weight for each unit when the weights are numbered unit by unit, if most formulas agree."""
        weights = [
            (int(n[1]), current(c)) for c, name in self.roles.names.items() if (n := re.fullmatch(r"w(\d+)", name))
        ]
        ordered = [name for _, name in sorted(weights)]
        slots = [(col, source) for layer, cols in self._in_order() for col in cols for source in self.sources(layer)]
        if len(slots) != len(ordered):
            return {}
        mapping: dict[int, dict[str, str]] = {}
        agree = 0
        for (col, source), weight in zip(slots, ordered, strict=True):
            mapping.setdefault(col, {})[source] = weight
            agree += (source, weight) in self._pairs(col, self.sources(self._layer(col)))[0]
        return mapping if 2 * agree >= len(slots) else {}

    def _layer(self, col: int) -> str:
        return next(layer for layer, cols in self.layers.items() if col in cols)

    def _in_order(self) -> list[tuple[str, list[int]]]:
        """Layers from the inputs on."""
        depth: dict[str, int] = {}
        for _ in range(len(self.layers) + 1):
            for layer in self.layers:
                own = self.sources(layer)
                places = [unit(self.roles.names[inside.col]) for s in own if (inside := column_of(s))]
                depth[layer] = 1 + max((depth.get(p[0], 0) for p in places if p and p[0] != layer), default=0)
        return sorted(self.layers.items(), key=lambda item: depth[item[0]])

    def _complete(
        self, pairs: list[tuple[str, str]], sources: list[str], textbook: Mapping[str, str], col: int
    ) -> list[tuple[str, str]]:
        if textbook:
            return [(source, textbook[source]) for source in sources]
        used = {w for other in self.roles.of("net") if other != col for w in names(self._of(other))} & self.weights
        kept = {s: w for s, w in pairs if w not in used}
        spare = [w for w in sorted(self.weights - used - set(kept.values()), key=_number) if w[1:].isdigit()]
        for source in sources:
            if source not in kept and spare:
                kept[source] = spare.pop(0)
        return [(source, kept[source]) for source in sources] if len(kept) == len(sources) else []

    def _bias(self, col: int) -> list[Expr]:
        """A bias that the unit's formula has lost: the one of its number, where its neighbours have theirs."""
        layer = self._layer(col)
        siblings = [self._pairs(other, self.sources(layer))[1] for other in self.layers[layer] if other != col]
        if not siblings or not all(siblings):
            return []
        if all(bias == siblings[0] for bias in siblings) and len(siblings) > 1:
            return siblings[0]
        used = {name for other in self.roles.of("net") if other != col for name in names(self._of(other))}
        spare = [current(c) for c in self.roles.of("bias") if current(c) not in used]
        return [Var(spare[0])] if len(spare) == 1 else siblings[0] if not spare and len(siblings) == 1 else []

    def acts(self) -> dict[str, Expr]:
        found: dict[str, Expr] = {}
        known = {col: peeled for col in self.roles.of("act") if (peeled := activation(self._of(col))) is not None}
        overall = Counter(peeled.name for peeled in known.values() if peeled.name)
        if not overall:  # 1/(1+EXP(x)) everywhere: a sign was lost in all of them
            overall = Counter("sigmoid" for peeled in known.values() if mirrored_sigmoid(peeled.written))
        for col in self.roles.of("act"):
            place = unit(self.roles.names[col])
            net = self.by_name.get(self.roles.names[col].removeprefix("a_"))
            if place is None or net is None:
                continue
            siblings = Counter(
                p.name for c, p in known.items() if p.name and (unit(self.roles.names[c]) or ("",))[0] == place[0]
            )
            one_net = sum(self._is_net(name) for name in names(self._of(col))) <= 1  # softmax reads them all
            common = siblings.most_common(1) or (overall.most_common(1) if one_net else [])
            if common:
                found[current(col)] = ACTIVATIONS[common[0][0]](Var(net))
        return found

    def _is_net(self, name: str) -> bool:
        place = column_of(name)
        return place is not None and self.roles.kinds.get(place.col) == "net"

    def losses(self) -> dict[str, Expr]:
        """Each loss in the form of the others, with its own target and output."""
        found: dict[str, Expr] = {}
        cols = self.roles.of("loss")
        for col in cols:
            own = self._operands(col)
            forms = [self._of(other) for other in cols if other != col]
            for other, form in zip([c for c in cols if c != col], forms, strict=True):
                theirs = self._operands(other)
                if own and theirs and set(names(form)) == set(theirs):
                    swapped = replace(replace(form, Var(theirs[0]), Var("?")), Var(theirs[1]), Var(own[1]))
                    found[current(col)] = replace(swapped, Var("?"), Var(own[0]))
                    break
        return found

    def _operands(self, col: int) -> tuple[str, str] | None:
        """The target and the output that belong to a loss, by its number; by what it reads where it has none."""
        match = re.fullmatch(r"E(\d+)(\[\d+\])?", self.roles.names[col])
        outputs = self.outputs()
        if match:
            target = self.by_name.get(f"t{match[1]}{match[2] or ''}") or self.by_name.get(f"t{match[1]}")
            place = [o for o in outputs if (unit(o) or ("", 0))[1] == int(match[1]) and o.endswith(match[2] or "")]
            if target and place:
                return target, self.by_name[place[0]]
        return None

    def outputs(self) -> list[str]:
        """Names of the activations that no weighted sum reads."""
        read = {name for col in self.roles.of("net") for name in names(self._of(col))}
        acts = [self.roles.names[col] for col in self.roles.of("act")]
        unread = [name for name in acts if self.by_name[name] not in read]
        outs = [name for name in acts if name.startswith("a_o")]
        return outs if outs else unread

    def loss_form(self, form: str) -> dict[str, Expr]:
        """Every loss in one of the known forms."""
        found = {}
        for col in self.roles.of("loss"):
            own = self._operands(col)
            if own:
                found[current(col)] = LOSSES[form](Var(own[0]), Var(own[1]))
        return found

    def totals(self) -> dict[str, Expr]:
        cols, losses = self.roles.of("total"), self.roles.of("loss")
        if len(cols) != 1 or not losses:
            return {}
        return {current(cols[0]): total(Var(current(col)) for col in losses)}


def _number(name: str) -> int:
    return int(name[1:]) if name[1:].isdigit() else 0
