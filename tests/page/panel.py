"""The page's panel as a reader uses it: a field gets another value, a button is pressed."""

from __future__ import annotations

import json

from .browser import Browser


def put(tab: Browser, field: str, value: object) -> None:
    """Give a field of the panel another value, as a reader does who then leaves it."""
    script = (
        "(field, value) => { const e = [...document.querySelectorAll('#build-form [data-field]')]"
        ".find(e => e.dataset.field === field); e.value = value;"
        " e.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    tab.run(f"({script})({json.dumps(field)}, {json.dumps(str(value))})")
    tab.settle()


def press(tab: Browser, act: str) -> None:
    """Press a button of the panel."""
    tab.run("document.getElementById('build').open = true")
    tab.run(f"[...document.querySelectorAll('#build-form [data-act]')].find(e => e.dataset.act === {act!r}).click()")
    tab.settle()
