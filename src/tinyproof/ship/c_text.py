"""What C files say of themselves, and numbers and words as C takes them. No text of a record stands in them unescaped:
words are string literals of letters, digits and a few plain signs, and escapes for all else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError
from tinyproof.data.reading import Shape

# What the language, <stdint.h> and the program that lets a network answer here have taken.
_TAKEN = re.compile(
    r"(u?int(_(least|fast))?\d+|u?int(max|ptr)|size|ptrdiff|wchar|wint|sig_atomic)_t|U?INT\w*|(SIZE|PTRDIFF|WCHAR|WINT|"
    r"SIG_ATOMIC)_(MAX|MIN)|NULL|EOF|BUFSIZ|FILE|std(in|out|err)|f?printf|puts|f?read|f?write|mem(cpy|move|set|cmp)|"
    r"its_harness|tinyproof_\w*",
    re.IGNORECASE,
)
_PLAIN = " .,:+-_"  # besides letters and digits
MOST_CLASSES, _MOST_LETTERS, _MOST_BYTES = 255, 40, 200
_KEYWORDS = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "main",
        "asm",
        "alignas",
        "alignof",
        "bool",
        "constexpr",
        "false",
        "nullptr",
        "static_assert",
        "thread_local",
        "true",
        "typeof",
        "class",
        "new",
        "delete",
        "this",
    ]
)


@dataclass(frozen=True)
class About:
    """What a header says: `name` begins the names in C; the shape of an image, the classes, where it came from."""

    name: str
    shape: Shape
    classes: tuple[str, ...]
    origin: Mapping[str, str]

    @property
    def pixels(self) -> int:
        """Bytes of an image."""
        return int(np.prod(self.shape))


def checked_name(name: str) -> str:
    """A name that C can begin its names with. Raises InputError."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name, re.ASCII) and len(name) <= _MOST_LETTERS
    if not plain or name in _KEYWORDS or _TAKEN.fullmatch(name):
        allowed = (
            f"letters, digits and _ (a letter first, at most {_MOST_LETTERS}), no word of the language or its library"
        )
        raise InputError("name", name, allowed, problem="is no name in C")
    return name


def check_classes(model: str, classes: Sequence[str]) -> None:
    """Raises DataError where a class has no number in a byte."""
    if len(classes) > MOST_CLASSES:
        raise DataError(model, f"cannot be exported to c: it has {len(classes)} classes, of at most {MOST_CLASSES}",
                        "onnx and torch take it")  # fmt: skip


def word(text: str) -> str:
    """A string literal; of a long text its beginning.

    >>> print(word('a"b*/?'))
    "a\\042b\\052\\057\\077"
    """
    letters = (chr(byte) if byte < 128 and (chr(byte).isalnum() or chr(byte) in _PLAIN) else f"\\{byte:03o}"
               for byte in text.encode("utf-8", "replace")[:_MOST_BYTES])  # fmt: skip
    return '"' + "".join(letters) + '"'


def floats(values: NDArray[np.float64]) -> list[str]:
    """Numbers of single precision, as they are read again. Raises DataError for one that has none."""
    single = values.astype(np.float32).ravel()
    if not np.isfinite(single).all():
        raise DataError("weights", "cannot be exported to c: one of them, folded, is no number of single precision")
    return [f"{text}f" if set(text) & set(".e") else f"{text}.0f" for text in (f"{value:.9g}" for value in single)]


def array(kind: str, name: str, values: Iterable[object]) -> str:
    """The definition of a constant array, in lines of at most 100 letters."""
    lines, line = list[str](), ""
    for value in map(str, values):
        if len(line) + len(value) > 94:
            lines.append(line)
            line = ""
        line += f" {value},"
    body = "".join(f"   {part}\n" for part in [*lines, line])
    return f"static const {kind} {name}[] = {{\n{body}}};\n"


def parts(file: str) -> dict[str, str]:
    """The functions of a file of C in `kernels`, by the name in the line that begins each: `/* --- name */`."""
    text = resources.files("tinyproof.ship").joinpath("kernels", file).read_text(encoding="utf-8")
    found = re.split(r"^/\* --- (\w+) \*/\n", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def header(about: About, score: str, scale: float | None) -> str:
    """The header file; `score`: the type of a score, `scale`: of its unit in the network's own scores, None for one."""
    name, upper = about.name, about.name.upper()
    channels, rows, columns = about.shape
    names = "".join(f"    {word(one)}, \\\n" for one in about.classes)
    said = "".join(f"#define {upper}_{key.upper()} {word(value)}\n" for key, value in about.origin.items())
    unit = (
        ""
        if scale is None
        else f"/* One unit of a score, in the network's own. */\n#define {upper}_UNIT {scale:.9g}f\n"
    )
    return _HEADER.format(
        name=name, upper=upper, channels=channels, rows=rows, columns=columns, pixels=about.pixels,
        count=len(about.classes), names=names.rstrip(", \\\n"), said=said, unit=unit, score=score,
        times=": the softmax of them" + (" " if scale is None else f", times {upper}_UNIT, ") + "is how sure it is",
    )  # fmt: skip


_HEADER = """\
/* A trained network in C99: no library, no memory of its own but one static array. Not to be entered by two at a time.

   An image: {rows} rows of {columns} pixels of {channels} byte(s), 0 to 255, the channels of a pixel side by side. */

#ifndef {upper}_H
#define {upper}_H

#include <stdint.h>

#define {upper}_ROWS {rows}
#define {upper}_COLUMNS {columns}
#define {upper}_CHANNELS {channels}
#define {upper}_CLASSES {count}

/* Where it came from. */
{said}
/* The classes by name: const char *const names[] = {{{upper}_CLASS_NAMES}}; */
#define {upper}_CLASS_NAMES \\
{names}

{unit}typedef {score} {name}_score;

/* A score for each class, the more the likelier{times}. */
void {name}_scores(const uint8_t image[{pixels}], {name}_score scores[{count}]);

/* The class of an image, from 0; the first of equal ones. */
uint8_t {name}_class(const uint8_t image[{pixels}]);

#endif
"""


def source(about: About, functions: str, arrays: Sequence[str], memory: str, calls: Sequence[str]) -> str:
    """The text of the .c file: `functions` that its `calls` need, `arrays` of constants, and the static `memory`."""
    return _FILE.format(
        name=about.name, upper=about.name.upper(), pixels=about.pixels, functions=functions,
        arrays="\n".join(arrays), memory=memory, calls="\n".join(f"    {call}" for call in calls),
    )  # fmt: skip


_FILE = """\
#include "{name}.h"

{functions}
{arrays}
{memory}
void {name}_scores(const uint8_t image[{pixels}], {name}_score scores[{upper}_CLASSES])
{{
{calls}
}}

uint8_t {name}_class(const uint8_t image[{pixels}])
{{
    {name}_score scores[{upper}_CLASSES];
    uint8_t best = 0;
    {name}_scores(image, scores);
    for (uint8_t i = 1; i < {upper}_CLASSES; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}}
"""
