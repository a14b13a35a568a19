"""Header words: what a column heading, a label or a sheet's name probably means. A hint only; the formulas decide.

People write `a_h1`, `out_h1`, `act_h1`; `E_tot`, `E Total`; `∂E/∂w1`, `𝟃E/𝟃w1` (outside the BMP), `Edw1`, `dw1`;
`η ɳ ƞ ͷ α`, `n =`, `L.R`. The textbook's names come out: `a_h1`, `E_total`, `dE/dw1`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal[
    "input",
    "target",
    "weight",
    "bias",
    "net",
    "act",
    "loss",
    "total",
    "gradient",
    "derivative",
    "rate",
    "iteration",
    "state",
]


@dataclass(frozen=True)
class Word:
    """A heading understood: its kind and the textbook's name for it."""

    kind: Kind
    name: str


_PARTIALS = dict.fromkeys(map(ord, "∂δ∆Δ𝟃𝜕𝛿ẟдϑ"), "d")
_LOSS = r"(?:e|l|c|j|loss|error|err|cost)(?:t|tot|total)?"
_TOTAL = re.compile(
    r"(?:(?:e|err|error|loss|cost|l|j)(?:t|tot|total|sum|mean|all)?|(?:total|tot|sum)(?:e|error|loss|err|cost)?|mse|sse|totale\w*)"
)
_PARAMETER = r"(?:w|b|v|u|wt|weight|bias)[a-z]{0,2}\d+(?:[.,]\d+)?|bias|b"
_GRADIENT = re.compile(rf"(?:d?{_LOSS}\d*/?d|d?{_LOSS}\d*/|d|grad(?:ient)?(?:of)?|delta)(?P<of>{_PARAMETER})")
_UNIT = r"(?P<layer>h|o|0|hidden|output|y|z)(?P<n>\d+(?:\.\d+)?)"
_DERIVATIVE = re.compile(
    r"d(?P<top>(?:e|loss|error)(?:t|tot|total)?\d*|(?:a|out|act|outh?|net|in)?(?:h|o)\d+(?:\.\d+)?)"
    r"/?d(?P<bottom>(?:a|out|act|net|in)?(?:h|o)\d+(?:\.\d+)?|e\d+)"
)
_DELTA = re.compile(rf"(?:delta|d){_UNIT}")
_UNIT_FIRST = _UNIT.replace("<layer>", "<layer2>").replace("<n>", "<n2>")
_ACT = re.compile(
    rf"(?:a|out|act|activation|activated|sigmoid|sig|f|outof|output){_UNIT}"
    rf"|{_UNIT_FIRST}(?:out|act|a|activated|sigmoid|output)"
)
_NET = re.compile(rf"(?:net|in|z|sum|s|input)?{_UNIT}(?:net|in|sum)?")
_EXAMPLE = re.compile(r"\[(\d+)\]$")


def fold(text: str) -> str:
    """Lower case, compatibility forms (𝟃 becomes ∂), every partial-derivative sign `d`, no blanks or brackets.

    >>> fold("𝟃E_total / 𝟃w1")
    'detotal/dw1'
    """
    text = text.translate(_PARTIALS)
    text = unicodedata.normalize("NFKC", text).translate(_PARTIALS).lower().replace("σ", "sigmoid")
    text = re.sub(r"(?<=\d)[_.](?=\d)", ".", text)
    return re.sub(r"[^a-z0-9/.]", "", text).strip(".")


@lru_cache(maxsize=20_000)
def understand(text: str) -> Word | None:
    """What a heading says, or None. A remark in brackets, or after the first word, does not disturb it.

    >>> understand("∂E/∂w3 (check!)")
    Word(kind='gradient', name='dE/dw3')
    """
    if len(text) > 80:
        return None
    example = _EXAMPLE.search(text.strip())
    suffix = f"[{example[1]}]" if example else ""
    bare = text.strip()[: -len(suffix)] if suffix else text
    for candidate in (bare, re.sub(r"\([^)]*\)", "", bare), *re.split(r"\s*[=:(\n]\s*|\s-\s", bare)[:1]):
        word = _understand(fold(candidate))
        if word is not None:
            return Word(word.kind, word.name + suffix) if suffix and word.kind not in ("weight", "bias") else word
    return None


def _understand(word: str) -> Word | None:
    if not word or len(word) > 30:
        return None
    if is_rate_word(word):
        return Word("rate", "learning_rate")
    if re.fullmatch(r"(?:iteration|iter|epoch|step|round|no|sno|trial)s?(?:no|number)?", word):
        return Word("iteration", "iteration")
    if match := re.fullmatch(r"(?:i|x|in|inp|input)(\d+)", word):
        return Word("input", f"i{match[1]}")
    if match := re.fullmatch(r"(?:t|target|tgt|desired|expected|y|true)(\d+)", word):
        return Word("target", f"t{match[1]}")
    if match := re.fullmatch(r"(?:old)?(?:w|wt|weight)([a-z]{0,2}\d+(?:\.\d+)?)", word):
        return Word("weight", f"w{match[1].replace('.', '_')}")
    if match := re.fullmatch(r"(?:b|bias)([a-z]{0,2}\d*)", word):
        return Word("bias", f"b{match[1]}")
    if match := re.fullmatch(r"([mv])((?:w|b)\d+)", word):
        return Word("state", f"{match[1]}_{match[2]}")
    if match := _GRADIENT.fullmatch(word):
        return Word("gradient", "dE/d" + _parameter(match["of"]))
    if match := _NET.fullmatch(word):
        if match["layer"] not in ("y", "z"):
            return Word("net", _layer(match["layer"]) + match["n"].replace(".", "_"))
    if match := _ACT.fullmatch(word):
        layer, number = match["layer"] or match["layer2"], match["n"] or match["n2"]
        return Word("act", f"a_{_layer(layer)}{number.replace('.', '_')}")
    if match := re.fullmatch(r"(?:e|err|error|loss|l|cost)o?(\d+)", word):
        return Word("loss", f"E{match[1]}")
    if _TOTAL.fullmatch(word):
        return Word("total", "E_total")
    return _derivative(word)


def _derivative(word: str) -> Word | None:
    if match := _DERIVATIVE.fullmatch(word):
        top = "E_total" if re.fullmatch(r"(?:e|loss|error)(?:t|tot|total)?", match["top"]) else _quantity(match["top"])
        bottom = _quantity(match["bottom"])
        return Word("derivative", f"d{'E' if top == 'E_total' else top}/d{bottom}")
    if match := _DELTA.fullmatch(word):
        return Word("derivative", f"dE/d{_layer(match['layer'])}{match['n'].replace('.', '_')}")
    return None


def _quantity(word: str) -> str:
    if re.fullmatch(r"(?:e|loss|error)\d+", word):
        return "E" + word.lstrip("elosr")
    found = _understand(word)
    return found.name if found else word


def _layer(word: str) -> str:
    return "h" if word.startswith("h") else "o"


def _parameter(word: str) -> str:
    found = _understand(word)
    return found.name if found and found.kind in ("weight", "bias") else word


_RATE = r"(?:the)?(?:learning[\s_.-]*rate|l\.?\s?r\.?|eta|alpha|[ηɳƞͷղŋƝɲ]|α|n)"
_RATE_LABEL = re.compile(rf"{_RATE}(?P<between>(?:\([^)]*\)|[=:\s_-]|eta|[ηɳƞͷղŋ])*)(?P<rate>\d+(?:[.,]\d+)?)?\s*")
_RATE_IN_NAME = re.compile(
    r"(?:learning[\s_.-]*rate|(?<![a-z])l\.?\s?r\.?(?![a-z])|(?<![a-z])eta|[ηɳƞͷղŋ]|(?<![a-z])alpha)"
    r"(?P<between>[\s=:_-]*)(?P<rate>\d+(?:\.\d+)?)"
)


def is_rate_word(text: str) -> bool:
    """Whether a label names the learning rate: `η =`, `L.R`, `n =`, `learning rate(theta)`, `lr=0.5`. `n1` does not."""
    text = unicodedata.normalize("NFKC", text).strip().lower()
    match = _RATE_LABEL.fullmatch(text) if 0 < len(text) <= 60 and text not in ("n.", "no") else None
    return match is not None and not _numbered(match)


def _numbered(match: re.Match[str]) -> bool:
    """Whether a whole number follows a name at once: the number of a unit, a sheet or a run (`n1`, `lr2`)."""
    return not match["between"] and match["rate"] is not None and match["rate"].isdigit()


def rate_in(text: str) -> float | None:
    """The learning rate that a sheet's name, a file's name or a label states.

    >>> rate_in("w02_learningrate_1.0.xlsx"), rate_in("ɳ = 0.1 "), rate_in("Sheet1")
    (1.0, 0.1, None)
    """
    text = unicodedata.normalize("NFKC", text).strip().lower()
    match = _RATE_IN_NAME.search(text)
    if match is None:
        match = _RATE_LABEL.fullmatch(text) if len(text) <= 60 else None
    if match is None or match["rate"] is None or _numbered(match):
        return None
    return float(match["rate"].replace(",", "."))
