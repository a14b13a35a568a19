"""What the names in a piece of a program stand for: a definition of the same package, a module of it, or others'."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, order=True)
class Target:
    """What a name stands for: definition `name` of a module; the module itself (`name` is empty)."""

    module: str
    name: str = ""


@dataclass
class _Scope:
    local: set[str]
    imports: dict[str, Target] = field(default_factory=dict)


class Names(ast.NodeVisitor):
    """The names in some statements of one module.

    `found`: what a name or a dotted name stands for, by the identity of its node, where it is no local variable.
    `annotated`: what stands in annotations alone. `imported`: the modules that functions import.
    """

    def __init__(self, module: str, package: str, look: Callable[[Target], Target | None]) -> None:
        self._module, self._package, self._look = module, package, look
        self._scopes: list[_Scope] = []
        self.found: dict[int, Target] = {}
        self.annotated: set[Target] = set()
        self.imported: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        target = self._target(node)
        if target is not None and isinstance(node.ctx, ast.Load):
            self.found[id(node)] = target

    def visit_Attribute(self, node: ast.Attribute) -> None:
        target = self._target(node)
        if target is not None and isinstance(node.ctx, ast.Load):
            self.found[id(node)] = target
        else:
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        # A module that is imported by a name in quotes is taken as a whole.
        if isinstance(node.value, str) and node.value.startswith(self._module.partition(".")[0] + "."):
            target = self._look(Target(node.value))
            if target is not None:
                self.found[id(node)] = target

    def _target(self, node: ast.expr) -> Target | None:
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            base = self._target(node.value)
            return self._look(Target(base.module, node.attr)) if base is not None and not base.name else None
        return None

    def _name(self, name: str) -> Target | None:
        for scope in reversed(self._scopes):
            if name in scope.imports:
                return self._look(scope.imports[name])
            if name in scope.local:
                return None
        return self._look(Target(self._module, name))

    def visit_FunctionDef(self, node: _Function) -> None:
        for decorator in getattr(node, "decorator_list", []):
            self.visit(decorator)
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        for annotation in [*(argument.annotation for argument in every if argument), getattr(node, "returns", None)]:
            self._annotation(annotation)
        for default in [*node.args.defaults, *(value for value in node.args.kw_defaults if value)]:
            self.visit(default)
        scope = _Scope({argument.arg for argument in every if argument})
        body: list[Any] = node.body if isinstance(node.body, list) else [node.body]
        for statement in body:
            _bind(statement, scope, self._module, self._package)
        self.imported |= {target.module for target in scope.imports.values()}
        self._scopes.append(scope)
        for statement in body:
            self.visit(statement)
        self._scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_Lambda = visit_FunctionDef

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        for part in (node.target, node.value):
            if part is not None:
                self.visit(part)

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self.visit(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)

    def _annotation(self, node: ast.expr | None) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value, mode="eval").body
        for part in ast.walk(node) if node is not None else ():
            if isinstance(part, ast.Name | ast.Attribute):
                target = self._target(part)
                if target is not None and target.name:
                    self.annotated.add(target)


def imports(statement: ast.Import | ast.ImportFrom, module: str, package: str) -> Iterator[tuple[str, Target]]:
    """The names that an import statement binds, each with what it stands for."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            yield alias.asname or whole, Target(whole)
        return
    base = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    source = ".".join([*base, *([statement.module] if statement.module else [])])
    for alias in statement.names:
        yield alias.asname or alias.name, Target(source, alias.name)


def _bind(node: ast.AST, scope: _Scope, module: str, package: str) -> None:
    """Add the names that a statement makes local to its function. A comprehension's variables are its own."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        scope.imports |= dict(imports(node, module, package))
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope.local.add(node.name)
        return
    if isinstance(node, ast.Lambda | _COMPREHENSIONS):
        return
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        scope.local.add(node.id)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        scope.local.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        scope.local.add(node.rest)
    for child in ast.iter_child_nodes(node):
        _bind(child, scope, module, package)
    if isinstance(node, ast.Global):
        scope.local -= set(node.names)
