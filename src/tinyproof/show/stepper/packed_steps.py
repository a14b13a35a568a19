"""The page's data as the file holds it: nothing written twice that the page can put in again.

Mathematics stands there once, with {w5} where the name or the number of w5 stands; what follows from a step's name is
left out; and updates that differ in nothing but the parameter are one, with * for each parameter trained in turn. The
page undoes it (`unpacked` in stepper_mathml.js): a quarter of the size, and nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tinyproof.backprop.mathematics import MathML
from tinyproof.show.stepper.page_json import script_json

_PLACE = re.compile(r'<mrow data-q="([^"]+)"></mrow>')
_EACH = "*"  # stands in no name, no sentence and no mathematics of a step


def packed(data: Mapping[str, Any]) -> Any:
    """What `page_data` gives, as text for a script of the page."""
    steps = [_step(step) for step in data["steps"]]
    return script_json({**data, "steps": _together(steps, data["trained"])})


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    """Without phase, place, example and left side, which its name and group tell, and without what is empty."""
    kept = {key: step[key] for key in ("name", "group", "meaning")}
    kept["uses"] = " ".join(step["uses"])
    kept["numbers"] = _PLACE.sub(r"{\1}", step["numbers"])
    symbols = _symbols(step)
    if symbols != kept["numbers"]:
        kept["symbols"] = symbols
    if step["terms"]:
        kept["terms"] = [term["through"] for term in step["terms"]]
    return kept


def _symbols(step: Mapping[str, Any]) -> str:
    """The mathematics in symbols, with {w5} for w5: as `numbers`, but for a gradient's brackets under a power."""
    write, found = MathML(), str(step["symbols"])
    for shown, name in sorted(((write.name(name), name) for name in step["uses"]), key=lambda pair: -len(pair[0])):
        found = found.replace(shown, f"{{{name}}}")
    return found


def _together(steps: Sequence[dict[str, Any]], trained: Sequence[str]) -> list[dict[str, Any]]:
    """As many updates as there are parameters become one where each is the same thing done to the next parameter."""
    kept: list[dict[str, Any]] = []
    at = 0
    while at < len(steps):
        run = [step for step in steps[at : at + len(trained)] if step["group"].startswith("update")]
        alike = [_for_each(step, name) for step, name in zip(run, trained, strict=False)]
        together = len(run) == len(trained) and _EACH in alike[0]["name"] and all(one == alike[0] for one in alike)
        kept.append(alike[0] if together else steps[at])
        at += len(run) if together else 1
    return kept


def _for_each(step: Mapping[str, str], parameter: str) -> dict[str, Any]:
    own = re.compile(rf"(?<![A-Za-z0-9_])((?:[mv]_|dE/d)?){re.escape(parameter)}(?![\w\[])")
    return {key: own.sub(rf"\g<1>{_EACH}", text) for key, text in step.items()}
