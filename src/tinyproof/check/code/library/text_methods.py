"""Methods of texts that are known: paths and names are put together with them."""

from __future__ import annotations

from tinyproof.check.code.interpreter.values import Const, Seq, Unknown, Value, constant

_SAME_LENGTH = ("lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip")
_LONGEST = 2_000


def text_method(owner: Const, name: str, args: list[Value]) -> Value:
    """What a method of a constant gives, where all that it is given is known too."""
    text, given = owner.value, [constant(arg) for arg in args]
    if not isinstance(text, str) or len(text) > _LONGEST:
        return Unknown()
    if name in _SAME_LENGTH and not args:
        return Const(getattr(text, name)())
    if name == "replace" and len(given) == 2 and all(isinstance(part, str) for part in given):
        old, new = str(given[0]), str(given[1])
        return Const(text.replace(old, new)[:_LONGEST]) if old and len(new) <= 200 else Unknown()
    if name == "join" and args and isinstance(args[0], Seq) and args[0].whole:
        parts = [constant(item) for item in args[0].items]
        if all(isinstance(part, str) for part in parts):
            return Const(text.join(str(part) for part in parts[:100])[:_LONGEST])
    if name == "format" and given and all(isinstance(part, str | int) for part in given):
        pieces = text.split("{}")
        if len(pieces) == len(given) + 1 and not any(set(piece) & set("{}") for piece in pieces):
            filled = zip(pieces, [*map(str, given), ""], strict=True)
            return Const("".join(piece + part for piece, part in filled)[:_LONGEST])
    return Unknown()
