"""XML of strangers, element by element: no document type, so no entities, and a bound to what it may hold.

defusedxml would do, with a parser in pure Python: four times slower on the sheets, which are most of the work.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any, Literal
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers import expat

from tinyproof.core.errors import DataError, one_line

PROLOG = 65_536
MOST_TAGS = 4_000_000  # a sheet of all the cells that are read has 2.4 million
MOST_OPEN = 100_000
_PIECE = 1_000_000  # the parser begins an unfinished tag or comment again with every piece
Kind = Literal["start", "end"]
# What a broken part makes the parser, the unzipper and the readers raise (LookupError: also an encoding that is none).
BROKEN = (ParseError, LookupError, ValueError, TypeError, EOFError, OSError, RuntimeError, zlib.error)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class _Root(Exception):
    """The first element began: what follows can declare nothing."""


class _Declared(Exception):
    """A document type was declared."""


def elements(stream: IO[bytes], kinds: Sequence[Kind], part: str, shown: str) -> Iterator[tuple[str, Element]]:
    """The elements of a part as they start and end (`kinds`), in order. Raises DataError where a document type is
    declared, where there are too many elements or they are nested too deeply; ParseError.
    """
    where = one_line(part, 60)
    piece = stream.read(PROLOG)
    refuse_dtd(piece, where, shown)
    parser: XMLPullParser[Any] = XMLPullParser(kinds)
    tags = opened = 0
    while piece:
        begun, ended = piece.count(b"<"), piece.count(b"</")
        tags, opened = tags + begun, opened + begun - 2 * ended - sum(map(piece.count, (b"/>", b"<!", b"<?")))
        if tags > MOST_TAGS:
            raise DataError(shown, f"has a part ({where}) of more than {MOST_TAGS:,} XML tags")
        if opened > MOST_OPEN:
            raise DataError(shown, f"has a part ({where}) that is nested too deeply")
        parser.feed(piece)
        yield from parser.read_events()  # type: ignore[misc]
        piece = stream.read(_PIECE)
    parser.close()
    yield from parser.read_events()  # type: ignore[misc]


def refuse_dtd(head: bytes, part: str, shown: str) -> None:
    """Raise DataError unless the first bytes of a part reach its first element, and declare no document type: whatever
    stands in comments before."""
    if head.startswith(_UTF_16) or b"\0" in head:
        raise DataError(shown, f"has a part ({part}) that is not plain XML: not in UTF-8")
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _declared
    parser.StartElementHandler = _root
    try:
        parser.Parse(head, False)
    except _Root:
        return
    except (_Declared, expat.ExpatError, LookupError, ValueError) as error:
        why = "it declares a document type" if isinstance(error, _Declared) else one_line(str(error), 60)
        raise DataError(shown, f"has a part ({part}) that is not plain XML: {why}") from error
    raise DataError(shown, f"has a part ({part}) that is not plain XML: no element in its first {PROLOG:,} bytes")


def _declared(*_: object) -> None:
    raise _Declared


def _root(*_: object) -> None:
    raise _Root
