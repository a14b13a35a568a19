"""A network as one page that works offline: one draws or drops a picture, and it says what it is.

Its scripts are plain files in `page/`, without comments and indentation in the page, and deflated there (as are the
weights, float32): the whole page of a small network stays below 60 kB. Nothing is evaluated that its policy does not
name by digest, and nothing is asked for from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tinyproof import __version__
from tinyproof.data.reading import Reading
from tinyproof.ship.network_sheets import shape_words
from tinyproof.ship.stages import Stage
from tinyproof.ship.stages import words as words_of

FILE = "network.html"
_SCRIPTS = ("network.js", "reader.js", "board.js")
_PACKED = re.compile(rb'(<script type="text/plain" id="(?:weights|packed)">)([^<]*)')
_MOST_UNPACKED = 100_000_000
_READS = {
    "ink": (
        "Drawings, and pictures of digits on plain ground, are read as tinyproof predict reads them: the same bytes "
        "come out; pictures that are prepared as the test images are, as they are. Colour and transparency may differ "
        "by rounding, JPEG by the browser's decoder. Photographs go through the same steps, but that the same bytes "
        "come out is not promised of them."
    ),
    "pictures": (
        "Pictures are fitted as tinyproof predict fits them: to the byte where they have the network's size, else to 2 "
        "of 255. Transparency and JPEG are the browser's; more than 2,048 pixels a side are made fewer by it first."
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Words:
    """What a page says: its title, the classes' names, what is known of the network, the digest of its weights."""

    title: str
    classes: tuple[str, ...]
    sentences: tuple[str, ...]
    weights_sha256: str


def page_bytes(steps: Sequence[Stage], reading: Reading, words: Words) -> bytes:
    """The page. The same network and words give the same page, but for how its parts are deflated."""
    script, style, start = "".join(map(_plain, _SCRIPTS)), _plain("page.css"), _plain("start.js")
    environment = Environment(
        loader=PackageLoader("tinyproof.ship", "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    told = "Draw a digit, drop a picture here, paste one or open it: the network answers on this page alone."
    text = environment.get_template("page.html.j2").render(
        title=words.title, sentences=words.sentences, weights_sha256=words.weights_sha256, version=__version__,
        reading=reading.kind, reads=_READS[reading.kind],
        told=told if reading.kind == "ink" else told.replace("Draw a digit, drop", "Drop"),
        policy=_policy(script, style, start), style=Markup(style), start=Markup(start),
        facts=Markup(_json(_facts(steps, reading, words))), weights=_deflated(_planes(steps)),
        packed=_deflated(script.encode()),
    )  # fmt: skip
    return text.encode("utf-8", errors="replace")


def _plain(name: str) -> str:
    """A file of the page without comments and indentation."""
    text = (files("tinyproof.ship") / "page" / name).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    plain = "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))
    return re.sub(r"\s*([{};,]|:(?= ))\s*", r"\1", plain) if name.endswith(".css") else plain


def _policy(script: str, style: str, start: str) -> str:
    """The page's policy: these two scripts, this style, and nothing else, from nowhere."""
    digests = (hashlib.sha256(text.encode()).digest() for text in (start, script, style))
    first, second, third = (f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; script-src {first} {second}; style-src {third}; base-uri 'none'; form-action 'none'"


def _facts(steps: Sequence[Stage], reading: Reading, words: Words) -> dict[str, Any]:
    stages = [
        {
            "kind": step.kind, "words": f"{number}: {told} ({shape_words(step.given)})", "taken": step.taken,
            "given": step.given, "kernel": step.kernel, "stride": step.stride, "padding": step.padding,
            "outside": step.outside.tolist() if any(step.padding) else [], "slope": step.slope,
            "rectified": step.rectified, "weights": step.weight.size, "biases": step.bias.size,
            **_unusual(number, step),
        }
        for number, (step, told) in enumerate(zip(steps, words_of(steps), strict=True), 1)
    ]  # fmt: skip
    return {
        "classes": words.classes, "shape": reading.shape, "reading": reading.kind, "box": reading.box,
        "inverted": reading.inverted, "stages": stages,
    }  # fmt: skip


def _unusual(number: int, step: Stage) -> dict[str, Any]:
    """What most stages have not; they take the maps of the one before."""
    found: dict[str, Any] = {"groups": step.groups} if step.groups > 1 else {}
    found |= {"takes": step.takes} if step.takes != (number - 2,) else {}
    found |= {"dilation": step.dilation} if step.dilation != (1, 1) else {}
    return found | ({"function": step.function, "alpha": step.alpha} if step.function else {})


def _json(value: object) -> str:
    """JSON that ends no script: ASCII, without angle brackets."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _planes(steps: Sequence[Stage]) -> bytes:
    """All weights and biases as float32: first the lowest bytes of all, then the next ones."""
    parts = [part.ravel() for step in steps for part in (step.weight, step.bias)]
    values = np.concatenate([*parts, np.zeros(0)]).astype("<f4")
    return np.ascontiguousarray(values.view(np.uint8).reshape(-1, 4).T).tobytes()


def _deflated(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def same_page(one: bytes, other: bytes) -> bool:
    """Whether two pages are the same but for how their parts are deflated."""
    try:
        return one == other or _inflated(one) == _inflated(other)
    except (ValueError, zlib.error):
        return False


def _inflated(page: bytes) -> bytes:
    def part(found: re.Match[bytes]) -> bytes:
        unpack = zlib.decompressobj()
        content = unpack.decompress(base64.b64decode(found[2], validate=True), _MOST_UNPACKED)
        if not unpack.eof or unpack.unused_data:
            raise ValueError("not whole")
        return found[1] + content.hex().encode()

    return _PACKED.sub(part, page)
