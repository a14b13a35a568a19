"""The page's data as the file holds it: mathematics written once, with {w5} where the name or the number of w5 stands.

The page puts names and numbers in (`unpacked` in stepper_mathml.js); a third of the size, and nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tinyproof.backprop.mathematics import MathML
from tinyproof.show.stepper.page_json import script_json

_PLACE = re.compile(r'<mrow data-q="([^"]+)"></mrow>')


def packed(data: Mapping[str, Any]) -> Any:
    """What `page_data` gives, as text for a script of the page."""
    return script_json({**data, "steps": [_step(step) for step in data["steps"]]})


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    write = MathML()
    kept = {key: value for key, value in step.items() if key not in ("left", "chain", "symbols")}
    kept["numbers"] = _PLACE.sub(r"{\1}", step["numbers"])
    kept["terms"] = [term["through"] for term in step["terms"]]
    named = _PLACE.sub(lambda found: write.name(found[1]), step["numbers"])
    return kept if named == step["symbols"] else {**kept, "symbols": step["symbols"]}
