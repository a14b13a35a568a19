"""Which definitions of a package take part when some of its functions run, and one digest of all that they say.

A definition is a top-level function, class or assigned name. From the roots on, whatever a definition names is taken
too, across modules and imports inside functions; what an attribute of an unknown object means stands in its class,
which is taken as a whole. Where a definition stands does not matter: its module may be moved, or called otherwise.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tinyproof.core import syntax
from tinyproof.core.names import Names, Target, imports

# What a module does when it is imported, besides defining, goes by this name.
_EFFECTS = "*"
# A definition takes in what it refers to by its text, not by its name alone: two of one name are told apart.
_ROUNDS = 3
_REFERENCE = re.compile(r"@(\d+)@")


@dataclass(frozen=True)
class Reached:
    """The definitions that take part, the modules that they stand in, and the digest of what they say."""

    definitions: frozenset[Target]
    modules: frozenset[str]
    digest: str


def reached(folder: Path, roots: Collection[str], cuts: Collection[str] = ()) -> Reached:
    """Follow the definitions of the package in `folder` from `roots` (`package.module.name`).

    `cuts`: modules and definitions that are named and not followed. Raises ValueError for one that is not there.
    """
    program = _Program(folder)
    ends = {program.named(cut) for cut in cuts}
    todo, seen = [program.named(root) for root in roots], dict[Target, _Piece]()
    while todo:
        target = todo.pop()
        if target in seen or target in ends or Target(target.module) in ends:
            continue
        if not target.name:
            todo += [Target(target.module, name) for name in program.module(target.module).definitions]
            continue
        seen[target] = piece = program.piece(target)
        todo += piece.follows
    modules = frozenset(target.module for target in seen)
    return Reached(frozenset(seen), modules, _digest(seen))


def _digest(pieces: dict[Target, _Piece]) -> str:
    words = {target: target.name for target in pieces}
    for _ in range(_ROUNDS):
        words = {target: _hash(f"{target.name} {piece.told(words)}") for target, piece in pieces.items()}
    return _hash("\n".join(sorted(words.values())))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Piece:
    """What a definition says, with marks for what it refers to; `follows`: all that takes part because of it."""

    text: str
    refers: tuple[Target, ...]
    follows: tuple[Target, ...]

    def told(self, words: dict[Target, str]) -> str:
        """The text with the words for what it refers to; what is not followed goes by its last name."""

        def word(mark: re.Match[str]) -> str:
            target = self.refers[int(mark.group(1))]
            return words.get(target) or target.name or f"module {target.module.rpartition('.')[2]}"

        return _REFERENCE.sub(word, self.text)


@dataclass
class _Module:
    """One file: its definitions by name, what its imports stand for, and what it does besides."""

    name: str
    package: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Target] = field(default_factory=dict)


class _Program:
    """The files of a package, each read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._modules = folder, dict[str, _Module]()
        self._paths, self._closures = dict[str, Path | None](), dict[str, set[str]]()

    def named(self, dotted: str) -> Target:
        """The module or the definition that a dotted name means. Raises ValueError where there is none."""
        module, _, name = dotted.rpartition(".")
        if self._path(dotted):
            return Target(dotted)
        if self._path(module) and name in self.module(module).definitions:
            return Target(module, name)
        raise ValueError(f"{dotted} is no definition of {self._folder.name}")

    def module(self, name: str) -> _Module:
        if name not in self._modules:
            path = self._path(name)
            assert path is not None
            package = name if path.stem == "__init__" else name.rpartition(".")[0]
            self._modules[name] = found = _Module(name, package)
            for statement in ast.parse(path.read_bytes()).body:
                _sort(statement, found)
        return self._modules[name]

    def look(self, target: Target) -> Target | None:
        """The definition or module of this package that is meant; others' as they are called; None: no such name."""
        seen = set[Target]()
        while target not in seen:
            seen.add(target)
            if target.module.partition(".")[0] != self._folder.name:
                return Target(".".join(filter(None, (target.module, target.name))))
            if not target.name:
                return target if self._path(target.module) else None
            inner = f"{target.module}.{target.name}"
            module = self.module(target.module)
            if target.name in module.definitions:
                return target
            if target.name not in module.imports:
                return Target(inner) if self._path(inner) else None
            target = module.imports[target.name]
        return None

    def piece(self, target: Target) -> _Piece:
        """One definition. An error class goes by its name: what it says is for people."""
        module = self.module(target.module)
        effects = tuple(Target(name, _EFFECTS) for name in sorted(self._imported(module)))
        if self._is_error(target):
            return _Piece("error", (), effects)
        names = Names(module.name, module.package, self.look)
        statements = module.definitions[target.name]
        for statement in statements:
            names.visit(statement)
        refers = {found: number for number, found in enumerate(dict.fromkeys(names.found.values()))}

        def refer(node: ast.expr) -> str | None:
            found = names.found.get(id(node))
            return None if found is None else f"@{refers[found]}@"

        text = " ".join(syntax.statements(statements, refer))
        own = [found for found in [*refers, *names.annotated] if self._own(found.module)]
        other = [Target(name, _EFFECTS) for name in sorted(names.imported) if self._own(name)]
        return _Piece(
            text, tuple(refers), (*own, *effects, *(t for t in other if t.name in self.module(t.module).definitions))
        )

    def _imported(self, module: _Module) -> set[str]:
        """The modules with effects that are imported when this one is."""
        if module.name not in self._closures:
            self._closures[module.name] = self._closure(module)
        return self._closures[module.name]

    def _closure(self, module: _Module) -> set[str]:
        found, todo = set[str](), [module.name]
        while todo:
            name = todo.pop()
            if name in found or not self._own(name):
                continue
            found.add(name)
            todo += [name.rpartition(".")[0]] if "." in name else []
            for target in self.module(name).imports.values():
                todo.append(target.module)
                inner = f"{target.module}.{target.name}"
                todo += [inner] if target.name and self._own(inner) else []
        return {name for name in found if _EFFECTS in self.module(name).definitions}

    def _own(self, module: str) -> bool:
        return module.partition(".")[0] == self._folder.name and self._path(module) is not None

    def _is_error(self, target: Target) -> bool:
        module = self.module(target.module)
        for statement in module.definitions.get(target.name, []):
            for base in statement.bases if isinstance(statement, ast.ClassDef) else ():
                kind = getattr(builtins, getattr(base, "id", ""), None)
                if isinstance(kind, type) and issubclass(kind, BaseException):
                    return True
                names = Names(module.name, module.package, self.look)
                names.visit(base)
                if any(self._own(found.module) and self._is_error(found) for found in names.found.values()):
                    return True
        return False

    def _path(self, module: str) -> Path | None:
        if module not in self._paths:
            first, *rest = module.split(".")
            place, named = self._folder.joinpath(*rest), all(part.isidentifier() for part in rest)
            there = (p for p in (place / "__init__.py", place.with_name(f"{place.name}.py")) if p.is_file())
            self._paths[module] = next(there, None) if named and first == self._folder.name else None
        return self._paths[module]


def _sort(statement: ast.stmt, module: _Module) -> None:
    """Put a top-level statement where it belongs: an import, a definition, or something that is done at import."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        module.imports |= dict(imports(statement, module.name, module.package))
        return
    names = list(_defines(statement))
    if not names:
        # Several names at once, a branch, a call: it is done whenever the module is imported.
        names = [_EFFECTS] if syntax.statements([statement]) else []
        for part in ast.walk(statement) if names else ():
            if isinstance(part, ast.Import | ast.ImportFrom):
                names += [name for name, _ in imports(part, module.name, module.package)]
            elif isinstance(part, ast.FunctionDef | ast.ClassDef):
                names.append(part.name)
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                names.append(part.id)
    for name in names:
        module.definitions.setdefault(name, []).append(statement)


def _defines(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets: list[ast.expr] = [statement.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))
    elif isinstance(statement, ast.Assign):
        parts = [part for target in statement.targets for part in _flat(target)]
        if all(isinstance(part, ast.Name) for part in parts):
            yield from (part.id for part in parts if isinstance(part, ast.Name))


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _flat(part)
    else:
        yield target
