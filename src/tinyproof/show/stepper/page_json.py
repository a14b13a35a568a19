"""What a page's script is given, as text that may stand in it; and the page without what only its writers need."""

from __future__ import annotations

import json
import re
from typing import Any

from tinyproof.show.html import safe

_INDENTATION, _COMMENT = re.compile(r"\n\s+"), re.compile(r"\n *//[^\n]*")
_ENDS_A_SCRIPT = re.compile(r"<(?=!--|/?script)", re.IGNORECASE)


def script_json(value: Any) -> Any:
    """JSON that may stand in a script: nothing in it ends the script or begins a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ": "))
    return safe(_ENDS_A_SCRIPT.sub(r"\\u003c", text))


def lean(page: str) -> str:
    """The page without what only those need who write it: indentation, comments of its script on lines of their own."""
    markup, script_tag, script = page.partition("<script>")
    return _INDENTATION.sub("\n", markup + script_tag + _COMMENT.sub("", script))
