"""What a program says: one text for every layout of it and every version of Python, another for another program."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tinyproof.core import syntax
from tinyproof.core.files import sha256

# Every kind of statement and expression that versions of Python have told apart, or told in other words.
EVERYTHING = '''
"""Prose."""
from __future__ import annotations
import os, numpy as np
from typing import TYPE_CHECKING, ClassVar
if TYPE_CHECKING:
    from somewhere import Type
X: int = 0x10 + 1_000 + 1e-7 + 2j - -3
TEXT = u"a" "b" r"\\n" + b"\\xff".decode() + "é\\u200b\\U0001f600" + f"{X!r:>{X}} and {X=} or {TEXT}" f"more"
async def later(*args, key=None, **rest):
    async with open() as file: pass
    async for line in file: yield await line
    return [x async for x in rest if x] + [*args]
@decorator(1)
class Kind(Base, metaclass=Meta):
    """More prose."""
    field: ClassVar[int] = 3
    other: str
    def method(self, a, /, b: int = 2, *, c=...) -> None:
        global X
        assert a, f"not {a}"
        try:
            a[1:2, ..., ::3] = lambda q, *w: (q if w else None)
        except* (ValueError, TypeError) as error:
            raise RuntimeError(f"no {error}") from error
        else:
            del a
        finally:
            while not (1 < b <= 2 != c) or a is not None and b in c: break
            else: X += 1
        match a:
            case {"k": [1, *rest], **others} | None if rest: return (yield a)
            case Point(x=0) as p: nonlocal_ = {**others, 1: {2, 3}, "z": {k: v for k, v in p}}
            case _: (walrus := a @ b // c ** ~b << 1)
'''
GOLDEN = "5594bbbd06fce49c4f4545a86833b954f50fdcdca91dae11434b9fde3546d002"


def said(text: str) -> str:
    return syntax.python(ast.parse(textwrap.dedent(text)))


def test_the_text_is_the_same_on_every_version_of_python() -> None:
    assert sha256(said(EVERYTHING).encode()) == GOLDEN


SAME = [
    ("x = 1", "x  =  1  # one"),
    ("x = 'a'", 'x = ("a")'),
    ("x = 'ab'", "x = 'a' 'b'"),
    ("def f(a): return a", 'def f(a: int) -> int:\n    """Give it back."""\n\n    return a'),
    ("def f():\n    x = 1\n    return x", "def f():\n    x: int = 1\n    y: str\n    pass\n    return x"),
    ("def f(a):\n    raise E", "def f(a):\n    raise E"),
    ("raise E('one')", "raise E(f'other {word}') from None"),
    ("assert x, 'one'", "assert x"),
    ("f'a{x}b'", "f'a' f'{x}' 'b'"),
    ("job.say(f'engine: {x}')", "job.say(f'with the engine {x.name}')"),
    ("class A:\n    x = 1", "class A:\n    '''Prose.'''\n    y: int\n    x = 1"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_prose_layout_and_annotations_are_left_out(one: str, other: str) -> None:
    assert said(one) == said(other)


OTHER = [
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = True"),
    ("x = 'a'", "x = b'a'"),
    ("x = 'a b'", "x = 'a  b'"),
    ("x = a - (b - c)", "x = a - b - c"),
    ("def f(a, b): return a", "def f(b, a): return a"),
    ("def f(a=1): return a", "def f(a=2): return a"),
    ("def f(*, a): return a", "def f(a): return a"),
    ("raise A('one')", "raise B('one')"),
    ("assert x", "assert y"),
    ("if a:\n    b()\nc()", "if a:\n    b()\n    c()"),
    ("@dataclass\nclass A:\n    x: int", "@dataclass\nclass A:\n    y: int"),
    ("@dataclass\nclass A:\n    x: int = 1", "@dataclass\nclass A:\n    x: ClassVar[int] = 1"),
    ("f'{x!r}'", "f'{x!s}'"),
    ("f'{x:>3}'", "f'{x:>4}'"),
    ("[x for x in y]", "{x for x in y}"),
    ("x[1:]", "x[:1]"),
    ("{**a, 1: 2}", "{1: 2, **a}"),
    ("say(f'engine: {x}')", "say(f'engine: {x()}')"),
    ("try:\n    a()\nexcept E:\n    b()", "try:\n    a()\nexcept F:\n    b()"),
]


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_program_says_something_else(one: str, other: str) -> None:
    assert said(one) != said(other)


def test_cpp_leaves_out_comments_and_layout() -> None:
    one = (
        "#pragma once\n// why\nfloat f(float a) {\n  return a * 1e-3f; /* here\n too */ }\n#define TWO(x) \\\n  x + 2\n"
    )
    other = "#pragma   once\nfloat f(float a)\n{ return a*1e-3f; }\n  #define TWO(x) x + 2 // two"
    assert syntax.cpp(one) == syntax.cpp(other)


CPP = [
    ("a = b + +c;", "a = b ++c;"),
    ('s = "// no comment";', 's = "// no  comment";'),
    ("a = 1;", "a = 1.f;"),
    ("#define A 1\nint b;", "#define A 1 int b;"),
    ("a = b / c;", "a = b * c;"),
    ("a >>= 1;", "a > >= 1;"),
]


@pytest.mark.parametrize(("one", "other"), CPP)
def test_cpp_of_another_program_differs(one: str, other: str) -> None:
    assert syntax.cpp(one) != syntax.cpp(other)
