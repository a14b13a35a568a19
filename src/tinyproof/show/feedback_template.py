"""A teacher's own words around the feedback: a text with `$name` and the like in it, and nothing that runs."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tinyproof.core.errors import InputError
from tinyproof.core.files import read_bounded

PLACES = ("name", "status", "sentence", "points", "how", "title", "body", "style")
_MADE_HERE = ("body", "style")  # everything else is text, and is escaped
_MOST_BYTES = 200_000
_KINDS = (".html", ".md")


@dataclass(frozen=True)
class FeedbackTemplate:
    """A template: `kind` is ".html" or ".md", after the file's name."""

    kind: str
    text: str

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with every `$place` filled in; in HTML what is text is escaped."""
        if self.kind == ".html":
            values = {key: text if key in _MADE_HERE else html.escape(text) for key, text in values.items()}
        return Template(self.text).substitute(values)


def load_template(path: Path | str) -> FeedbackTemplate:
    """A template from a file of HTML or Markdown in UTF-8. Raises DataError, InputError: of a place that there is not
    the name, and where."""
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _KINDS:
        raise InputError("template", str(path), "a file that ends in .html or .md")
    try:
        text = read_bounded(path, _MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("template", str(path), "save it in UTF-8", problem="is not UTF-8") from error
    _check(text, path)
    return FeedbackTemplate(kind, text)


def _check(text: str, path: Path) -> None:
    """Refuse a `$` that names no place, with its line."""
    for found in Template.pattern.finditer(text):
        name = found["named"] or found["braced"]
        if found["escaped"] is None and name not in PLACES:
            where = f"{path}, line {text.count(chr(10), 0, found.start()) + 1}"
            shown = f"${name}" if name else "$"
            allowed = ", ".join(f"${place}" for place in PLACES) + ", and $$ for a dollar sign"
            raise InputError("template", shown, allowed, where)
