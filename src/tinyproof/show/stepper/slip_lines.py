"""The slips of a network as the page's JavaScript: what a wrong gradient would be worth, and its words."""

from __future__ import annotations

import json
import re

from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import javascript
from tinyproof.backprop.slips import MOST_SLIPS, OTHER_NUMBERS, UPDATED, Slip, slips

MOST_BYTES = 20_000  # of one page
_PLAIN = re.compile(r"[A-Za-z_]\w*")


def slip_lines(net: Net) -> list[str]:
    """One `[gradient, kind, old, new, place, (v, t, n) => value]` a line, as many as fit.

    `v`: every quantity; `t`: `[2]` for the second of several examples of a step, else nothing; `n`: the next weights.
    Slips with the same `place` are the same one in other units of the layer.
    """
    for most in range(MOST_SLIPS, 0, -20):
        places: dict[str, int] = {}
        lines = [_line(slip, net.tags[0], places.setdefault(slip.place, len(places))) for slip in slips(net, most)]
        if sum(map(len, lines)) <= MOST_BYTES:
            return lines
    return []


def _line(slip: Slip, tag: str, place: int) -> str:
    def spell(name: str) -> str:
        if name.startswith(UPDATED):
            return f"n.{name.removeprefix(UPDATED)}"
        if tag and name.endswith(tag):
            return f"v[{json.dumps(name.removesuffix(tag))}+t]"
        return f"v.{name}" if _PLAIN.fullmatch(name) else f"v[{json.dumps(name)}]"

    head = json.dumps([slip.gradient, slip.kind, slip.old, slip.new, place])[:-1]
    return f"{head},(v,t,n)=>{javascript(slip.wrong, spell)}]"


def other_numbers() -> list[str]:
    """What is right and was not asked: one `[words, (g, w, n, v, k) => value]` a line.

    `g`: the gradient, `w` and `n`: the weight before and after the update, `v`: every quantity, `k`: how many
    examples a step takes.
    """
    short = {"gradient": "g", "weight": "w", "new weight": "n", "examples": "k"}
    return [
        f"[{json.dumps(words)},(g,w,n,v,k)=>{javascript(expr, lambda name: short.get(name, f'v.{name}'))}]"
        for words, expr in OTHER_NUMBERS
    ]
