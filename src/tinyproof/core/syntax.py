"""What a program says apart from its prose: one text for all layouts of it, the same on every version of Python.

Comments, docstrings, annotations, blank lines and quotation marks are left out, and the messages of errors. Everything
else stays. `ast.dump` is not used: it writes each version's new fields.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

# What a name or a dotted name stands for, where the caller knows that; None leaves it as it is written.
Refer = Callable[[ast.expr], "str | None"]

# Positions, what only a type checker reads, and what follows from the place of a node.
_SILENT = {"ctx", "type_comment", "kind", "type_ignores", "type_params", "returns", "annotation", "simple"}
# In a class these annotations decide what a field is; all others are for type checkers.
_DECIDING = {"ClassVar", "InitVar", "KW_ONLY"}


def python(node: ast.AST, refer: Refer = lambda expression: None) -> str:
    """A piece of a program as one line of text.

    >>> python(ast.parse("def f(x: int) -> int:\\n    '''Double.'''\\n    return x * 2  # twice"))
    '(Module body=[(FunctionDef args=(arguments args=[(arg arg="x")]) body=[(Return value=(BinOp left=(Name id="x") \
op=(Mult) right=(Constant value=2)))] name="f")])'
    """
    return _node(node, refer)


def statements(body: Sequence[ast.stmt], refer: Refer = lambda expression: None) -> list[str]:
    """Each statement that does something, as text."""
    return [_node(statement, refer) for statement in _doing(body)]


def _node(node: ast.AST, refer: Refer) -> str:
    if isinstance(node, ast.Name | ast.Attribute | ast.Constant):
        found = refer(node)
        if found is not None:
            return f"(Refer {found})"
    if isinstance(node, ast.Constant):
        return f"(Constant value={_constant(node.value)})"
    if isinstance(node, ast.ClassDef) and (node.decorator_list or node.bases or node.keywords):
        # Its annotations may be its fields: a dataclass, a named tuple.
        node = ast.ClassDef(
            node.name, node.bases, node.keywords, [_field(part) for part in node.body], node.decorator_list
        )
    elif isinstance(node, ast.AnnAssign) and node.value is not None and not isinstance(node, _Field):
        node = ast.Assign([node.target], node.value)
    fields = dict(_fields(node))
    parts = [f" {name}={text}" for name in sorted(fields) if (text := _value(name, fields[name], refer))]
    return f"({type(node).__name__}{''.join(parts)})"


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The fields of a node that say what it does."""
    if isinstance(node, ast.Expr) and _tells(node.value):
        yield "tells", "say"
    elif isinstance(node, ast.Raise):
        # How an error is called may decide who catches it; what it says does not.
        yield "exc", node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    elif isinstance(node, ast.Assert):
        yield "test", node.test
    elif isinstance(node, ast.JoinedStr):
        yield "values", _joined(node.values)
    else:
        yield from ((name, value) for name, value in ast.iter_fields(node) if name not in _SILENT)
        if isinstance(node, _Field):
            kinds = {_last(part) for part in ast.walk(node.annotation)} & _DECIDING
            yield "kind", sorted(kinds)


class _Field(ast.AnnAssign):
    """An annotation that says that there is a field."""


def _field(statement: ast.stmt) -> ast.stmt:
    if not isinstance(statement, ast.AnnAssign):
        return statement
    return _Field(statement.target, statement.annotation, statement.value, statement.simple)


def _tells(call: ast.expr) -> bool:
    """Whether a call only tells people a line: `say` of text that calls nothing."""
    if not isinstance(call, ast.Call) or call.keywords or _last(call.func) != "say":
        return False
    text = all(
        isinstance(a, ast.JoinedStr) or (isinstance(a, ast.Constant) and isinstance(a.value, str)) for a in call.args
    )
    return text and not any(
        isinstance(part, ast.Call | ast.NamedExpr | ast.Await) for a in call.args for part in ast.walk(a)
    )


def _value(name: str, value: Any, refer: Refer) -> str:
    """A field as text; nothing for one that is not there, so that a version's new optional fields do not show."""
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        body = _doing(value) if name in ("body", "orelse", "finalbody") else value
        return "[" + " ".join("-" if part is None else _value("", part, refer) for part in body) + "]"
    return _node(value, refer) if isinstance(value, ast.AST) else _constant(value)


def _doing(body: Sequence[Any]) -> list[Any]:
    """Statements without docstrings, `pass`, bare annotations of variables and what only a type checker runs."""
    return [statement for statement in body if not _idle(statement)]


def _idle(statement: Any) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.If):
        return _last(statement.test) == "TYPE_CHECKING" and not statement.orelse
    if isinstance(statement, ast.AnnAssign) and not isinstance(statement, _Field):
        return statement.value is None
    return isinstance(statement, ast.Pass)


def _last(node: ast.AST) -> str:
    """The last part of a name, whether dotted, plain or quoted."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return next((word for word in re.findall(r"\w+", node.value) if word in _DECIDING), "")
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _joined(values: Sequence[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string, its literal text in one piece: versions cut it differently."""
    found: list[ast.expr] = []
    for value in values:
        if isinstance(value, ast.Constant) and found and isinstance(found[-1], ast.Constant):
            found[-1] = ast.Constant(str(found[-1].value) + str(value.value))
        elif not (isinstance(value, ast.Constant) and value.value == ""):
            found.append(value)
    return found


def _constant(value: Any) -> str:
    """A constant in ASCII: which letters `repr` shows as they are changes with the version."""
    if isinstance(value, str):
        text = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\{ord(c):x};" for c in value)
        return f'"{text}"'
    if isinstance(value, tuple | frozenset):
        inside = [_constant(part) for part in value]
        return f"{type(value).__name__}({' '.join(inside if isinstance(value, tuple) else sorted(inside))})"
    return repr(value) if not isinstance(value, bytes) else f"b{value.hex()}"


# Longest first: a comment or text in quotes is one token, an operator is never read as two.
_CPP = re.compile(
    r"""(?P<gap>\s+|//[^\n]*|/\*.*?\*/)
      |(?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")
      |(?P<text>(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*"|(?:u8|[uUL])?'(?:[^'\\\n]|\\.)*')
      |(?P<number>\.?\d(?:[eEpP][+-]|['.\w])*)
      |(?P<word>\w+)
      |(?P<operator>\.\.\.|<=>|<<=|>>=|->\*|\#\#|::|\.\*|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)""",
    re.VERBOSE | re.DOTALL,
)


def cpp(text: str) -> str:
    """C or C++ as its tokens, one space between them: without comments and layout, directives on lines of their own.

    >>> cpp("int a = 1; // one\\n#define TWO  2\\nint b; /* and */ int c;")
    'int a = 1 ;\\n# define TWO 2\\nint b ; int c ;'
    """
    lines: list[list[str]] = [[]]
    directive, first = False, True
    for found in _CPP.finditer(text.replace("\r\n", "\n").replace("\\\n", "")):
        token = found.group()
        if found.lastgroup == "gap":
            if "\n" in token and not token.startswith("/*"):
                first = True
                if directive:
                    lines.append([])
                directive = False
            continue
        if token == "#" and first and not directive:
            directive = True
            lines.append([])
        lines[-1].append(token)
        first = False
    return "\n".join(" ".join(line) for line in lines if line)
