"""One notebook with everything that was read of it: code, networks, logs, texts. The rules only look at this."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.check.code.clean import parse_cell
from tinyproof.check.code.interpreter.blocks import Block
from tinyproof.check.code.interpreter.events import Events, LossCall
from tinyproof.check.code.interpreter.flows import Flow
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.values import Class, Made, Name, Object, Scope, Value, options
from tinyproof.check.code.library.loaders import split_of, split_of_loader
from tinyproof.check.code.library.splits import Split
from tinyproof.check.code.library.tensors import apply_network
from tinyproof.check.finding import CodePlace
from tinyproof.check.logs import Log, Run, read_log
from tinyproof.check.notebook.read.document import Document
from tinyproof.check.notebook.read.left_out import NEVER_RUN, missed, never_ran
from tinyproof.check.notebook.read.repository import Surroundings
from tinyproof.check.notebook.reader import reader
from tinyproof.check.prose import Claim, read_claims
from tinyproof.core.trees import nodes

_DUMMY = ast.Pass(lineno=1, col_offset=0)


@dataclass
class Study:
    """What was read of one notebook or script, with the texts beside it.

    `neighbours`: the logs of the other notebooks that the same README speaks of; `speaks_for_all`: findings about what
    is in none of the logs are told with this notebook, so that they are told once.
    """

    document: Document
    events: Events
    scope: Scope
    sources: dict[tuple[str, int | None], list[str]]
    log: Log
    claims: tuple[Claim, ...]
    networks: list[Object | Made]
    outputs: dict[int, Value]
    outside_attributes: set[str] = field(default_factory=set)
    readmes: tuple[Document, ...] = ()
    neighbours: tuple[Log, ...] = ()
    speaks_for_all: bool = True
    steps_not_reached: frozenset[str] = frozenset()

    def split(self, loader: Value) -> Split:
        return split_of_loader(loader, self.events.altered)

    def split_of_data(self, data: Value) -> Split:
        """Which images a data set holds."""
        return split_of(data, self.events.altered)

    def line(self, place: CodePlace | None) -> str:
        """The text of a line of code, without its margin and comment-free; empty where there is none."""
        if place is None or place.line is None:
            return ""
        lines = self.sources.get((place.file, place.cell), [])
        return lines[place.line - 1].strip()[:300] if 0 < place.line <= len(lines) else ""

    @property
    def runs(self) -> tuple[Run, ...]:
        return self.log.runs

    @property
    def evaluations(self) -> list[Pass]:
        return [turn for turn in self.events.passes if turn.evaluates]

    @property
    def trainings(self) -> list[Pass]:
        return [turn for turn in self.events.passes if turn.trains]

    def flows(self, network: Value) -> list[Flow]:
        """What the network gives: one flow for each way through it."""
        output = self.outputs.get(id(network))
        return [option for option in options(output) if isinstance(option, Flow)] if output is not None else []

    def families(self) -> set[str]:
        """The names of the library data sets that the notebook makes."""
        made = {m.short for m in self.events.made if m.path.startswith("torchvision.datasets.")}
        return made | {s.family for s in (self.split(t.loader) for t in self.events.passes) if s.family}


def study(
    document: Document,
    readmes: tuple[Document, ...] = (),
    root: Path | None = None,
    modules: Mapping[str, str] | None = None,
) -> Study:
    """Read everything of one notebook or script. Raises nothing that its content could provoke.

    `modules`: texts to be read in place of local modules, by the name that findings call them.
    """
    surroundings = Surroundings(document, root or document.path.parent, modules)
    blocks = list(_blocks(document, surroundings))
    machine = reader(surroundings.find, surroundings.find_file)
    scope = Scope(document.name, main=True)
    machine.run(blocks, scope)
    outputs = _probe(machine, scope)
    sources: dict[tuple[str, int | None], list[str]] = {
        (document.name, cell.number): cell.source.split("\n")
        for cell in document.code
        if not (cell.error in NEVER_RUN or never_ran(cell, document)) or missed(cell, document)
    }
    sources.update({(file, None): lines for file, lines in surroundings.sources.items()})
    log = read_log((cell.number, cell.output) for cell in document.code)
    claims = tuple(read_claims(document.name, [(c.number, c.source) for c in document.texts]))
    for readme in readmes:
        claims += tuple(read_claims(readme.name, [(None, readme.cells[0].source)]))
    return Study(
        document,
        machine.events,
        scope,
        sources=sources,
        log=log,
        claims=claims,
        networks=_whole_networks(machine.events),
        outputs=outputs,
        outside_attributes=_outside(blocks),
        readmes=readmes,
        steps_not_reached=_steps_not_reached(machine, [*blocks, *surroundings.blocks()]),
    )


def study_text(document: Document, logs: Iterable[Log]) -> Study:
    """A README with the logs of the notebooks that it speaks of, and no code."""
    logs = tuple(logs)
    joined = Log(
        tuple(run for log in logs for run in log.runs),
        tuple(count for log in logs for count in log.parameters),
        frozenset(figure for log in logs for figure in log.figures),
    )
    read = tuple(read_claims(document.name, [(None, document.cells[0].source)]))
    return Study(document, Events(), Scope(document.name), sources={}, log=joined, claims=read, networks=[], outputs={})


def _blocks(document: Document, surroundings: Surroundings) -> Iterator[Block]:
    for cell in document.code:
        parsed = parse_cell(cell.source)
        if never_ran(cell, document):
            names = missed(cell, document)
            if names:
                yield Block(document.name, cell.number, (), parsed.unread, names)
            continue
        block = Block(
            document.name, cell.number, parsed.statements, parsed.unread, parsed.unread_names, parsed.too_long
        )
        if parsed.module:
            surroundings.write(parsed.module, block)
        else:
            yield block


_PLAIN = (ast.Assign, ast.Expr, ast.Import, ast.ImportFrom, ast.AugAssign)  # no function is defined in one of these


def _steps_not_reached(machine: Machine, blocks: list[Block]) -> frozenset[str]:
    """Names on which `.step()` is called in functions that the reading never came to."""
    found: set[str] = set()
    for block in blocks:
        for statement in block.statements:
            for node in nodes(statement) if not isinstance(statement, _PLAIN) else ():
                if isinstance(node, ast.FunctionDef) and id(node) not in machine.functions_entered:
                    found.update(
                        ast.unparse(inner.value).rpartition(".")[2]
                        for inner in nodes(node)
                        if isinstance(inner, ast.Attribute) and inner.attr == "step"
                    )
    return frozenset(found)


def _outside(blocks: list[Block]) -> set[str]:
    """The attributes that code outside classes reads, of whatever object."""
    found: set[str] = set()
    for block in blocks:
        for statement in block.statements:
            if not isinstance(statement, ast.ClassDef):
                found.update(n.attr for n in nodes(statement) if isinstance(n, ast.Attribute))
    return found


def _probe(machine: Machine, scope: Scope) -> dict[int, Value]:
    """Send a tensor through every network that was made, so that those only trained elsewhere are known too."""
    for network in list(_whole_networks(machine.events)):
        if id(network) in machine.outputs or not isinstance(network, Object):
            continue
        machine.steps = min(machine.steps, 60_000)
        try:
            apply_network(machine, network, [_input()], {}, _DUMMY, scope)
        except Exception as error:  # a probe is an extra: what it cannot follow stays unknown
            if type(error).__name__ not in ("Exhausted", "RecursionError"):
                raise
    _probe_criteria(machine, scope)
    return machine.outputs


def _probe_criteria(machine: Machine, scope: Scope) -> None:
    """skorch makes the network and takes the loss: `NeuralNetClassifier(Net, criterion=nn.CrossEntropyLoss)`."""
    for net in [made for made in machine.events.made if made.path.startswith("skorch.")][:8]:
        module = net.kwargs.get("module", net.args[0] if net.args else None)
        criterion = net.kwargs.get("criterion", net.args[1] if len(net.args) > 1 else None)
        if not isinstance(criterion, Name) or not isinstance(module, Class | Object):
            continue
        made = machine.call_value(module, [], {}, _DUMMY, scope) if isinstance(module, Class) else module
        if isinstance(made, Object):
            known = apply_network(machine, made, [_input()], {}, _DUMMY, scope)
            flows = [option for option in options(known) if isinstance(option, Flow)]
            machine.events.losses.extend(LossCall(criterion.path, flow, net.place, None) for flow in flows)


def _input() -> Flow:
    return Flow((), None, None)


def _whole_networks(events: Events) -> list[Object | Made]:
    """The networks that are not parts of others."""
    inner: set[int] = set()
    for network in events.networks:
        if isinstance(network, Object):
            for value in network.attrs.values():
                inner.update(_parts(value, 0))
    for made in events.made:
        if made.path in ("torch.nn.Sequential", "torch.nn.ModuleList"):
            for arg in made.args:
                inner.update(_parts(arg, 0))
    return [network for network in events.networks if id(network) not in inner]


def _parts(value: Value, depth: int) -> Iterator[int]:
    yield id(value)
    if depth > 6:
        return
    if isinstance(value, Made):
        for arg in value.args:
            yield from _parts(arg, depth + 1)
    for item in getattr(value, "items", []) if not isinstance(getattr(value, "items", []), dict) else []:
        yield from _parts(item, depth + 1)


__all__ = ["Class", "Study", "study"]
