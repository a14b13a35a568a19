"""The one door to the page templates: every page extends base.html.j2, is self-contained and escapes its values."""

from __future__ import annotations

import base64
from typing import Any

from tinyproof import __version__


def render(template: str, **values: Any) -> str:
    """The page `template` (a name in show/templates) with `values`; text is escaped, `safe()` marks our own HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tinyproof.show"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template).render(version=__version__, **values)


def safe(markup: str) -> Any:
    """Mark HTML that this package made itself (Table.html, SVG drawings), so that it is not escaped again."""
    from markupsafe import Markup

    return Markup(markup)


def data_uri(png: bytes) -> str:
    """A picture (PNG bytes) as a `data:` address, so that the page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
