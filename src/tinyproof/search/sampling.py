"""Draw the contenders of a search: under the budget, and none twice by what it computes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from tinyproof.core.errors import InputError
from tinyproof.core.files import sha256, write_atomic
from tinyproof.core.listener import SILENT, Listener
from tinyproof.data.dataset import Dataset
from tinyproof.network import anatomy, budget, model_name, nets, own_files, own_network
from tinyproof.network.budget import Budget, Facts
from tinyproof.search.as_python import CLASS, written
from tinyproof.search.contender import NETWORKS, Contender
from tinyproof.search.engines import Engines
from tinyproof.search.family import read as read_family
from tinyproof.search.question import LIMITS
from tinyproof.train import recipe_text, rehearse
from tinyproof.train.computes import code_digest
from tinyproof.train.recipe import Recipe

# So many draws in a row that give nothing new end the drawing.
PATIENCE = 3000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the contenders are drawn for: `device` trains them, and in `recipe` a family's values stand."""

    family: str
    recipe: Recipe
    limits: Budget
    candidates: int
    draw: int
    engine: str
    device: str
    dataset: Dataset


@dataclass(frozen=True)
class Proposal:
    """One draw: the network in words, its recipe, what it costs, and the name under which training finds it once it is
    given its place in the search."""

    words: str
    recipe: Recipe
    facts: Facts
    place: Callable[[str], str]


@dataclass(frozen=True)
class Sampled:
    """The contenders; `drawn`: how many draws they took, `over`: how many broke a limit, `twice`: how many computed
    what another does."""

    contenders: tuple[Contender, ...]
    drawn: int
    over: int
    twice: int


def sample(wanted: Wanted, folder: Path, listener: Listener = SILENT) -> Sampled:
    """Draw until there are as many as wanted, or nothing new comes. The files of drawn networks are written into the
    folder. Raises InputError where no draw keeps the limits."""
    found: dict[str, Contender] = {}
    seen, engines = _Seen(wanted.limits), Engines(wanted.engine, wanted.device, wanted.dataset)
    twice = idle = 0
    tried = set[tuple[str, str]]()
    for proposal in _proposals(wanted, folder):
        if len(found) == wanted.candidates or idle == PATIENCE:
            break
        idle += 1
        if not seen.keeps(proposal.facts):
            continue
        key = proposal.words, proposal.recipe.digest
        if key in tried:
            twice += 1
            continue
        if not tried and wanted.engine != "torch":
            listener.say("the candidates are made; what the native engine trains is compiled with its first run")
        tried.add(key)
        contender = _contender(wanted, proposal, engines, f"c{len(found) + 1:0{len(str(wanted.candidates))}}")
        if contender.computes in found:
            twice += 1
            continue
        found[contender.computes], idle = contender, 0
    if not found:
        raise seen.never(wanted.family)
    for left in (folder / NETWORKS).glob("c*.py"):  # the last one may compute what another does
        if left.stem not in {one.name for one in found.values()}:
            left.unlink()
    over = seen.drawn - seen.kept
    return Sampled(tuple(found.values()), seen.drawn, over, twice)


class _Seen:
    """What was drawn until now, held against the limits."""

    def __init__(self, limits: Budget) -> None:
        self._limits, self.drawn, self.kept = limits, 0, 0
        self._keep, self._least = Counter[str](), dict[str, int]()

    def keeps(self, facts: Facts) -> bool:
        """Count a draw; whether it keeps every limit."""
        self.drawn += 1
        checks = budget.check(self._limits, facts)
        values = (facts.parameters, facts.macs, facts.bytes, facts.epochs)
        for name, value in zip(LIMITS, values, strict=True):
            if value is not None:
                self._least[name] = min(value, self._least.get(name, value))
        self._keep.update(one.name for one in checks if one.kept)
        kept = all(one.kept for one in checks)
        self.kept += kept
        return kept

    def never(self, family: str) -> InputError:
        """What is told where no draw kept all limits."""
        asked = [(name, limit) for name in LIMITS if (limit := getattr(self._limits, name)) is not None]
        broken = [(name, limit) for name, limit in asked if self._least.get(name, limit) >= limit]
        if broken:
            name, limit = broken[0]
            least = f"at least {self._least[name]:,}" if name in self._least else "no number that is known"
            problem = f"keeps out all of {self.drawn:,} networks drawn of the family {family}, which have {least}"
            return InputError(name.replace("_", "-"), limit, "raise it, or name another family", problem=problem)
        told = ", ".join(f"{name.replace('_', ' ')} {limit:,}" for name, limit in asked)
        problem = f"never fits: each of the limits is kept by some of {self.drawn:,} networks drawn, all by none"
        return InputError("family", family, f"raise one of them ({told}), or name another family", problem=problem)


def _proposals(wanted: Wanted, folder: Path) -> Iterator[Proposal]:
    """Draws without end."""
    generator = random.Random(wanted.draw)
    if model_name.is_own(wanted.family):
        yield from _own(wanted, generator)
        return
    family, shape, classes = read_family(wanted.family), wanted.dataset.shape, len(wanted.dataset.classes)
    recipes = {text: _changed(wanted.recipe, text, wanted.family) for text in family.recipes}
    while True:
        drawn = family.draw(generator, shape)
        costs, recipe = drawn.costs(shape, classes), recipes[drawn.recipe]
        facts = Facts(parameters=costs.parameters, bytes=costs.bytes, macs=costs.macs, epochs=recipe.epochs)

        def place(name: str, text: str = written(drawn, shape, classes)) -> str:
            path = folder / NETWORKS / f"{name}.py"
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                write_atomic(path, text)
            return f"{path.as_posix()}:{CLASS}"

        yield Proposal(drawn.words, recipe, facts, place)


def _own(wanted: Wanted, generator: random.Random) -> Iterator[Proposal]:
    """Draws of a function of somebody's own: it is given a generator, and answers with the name of a network of its
    file, that network's arguments and, where it likes, what differs in the recipe."""
    function = own_network.function(wanted.family, "family")
    path, known = model_name.file_of(wanted.family), dict[str, Facts]()
    while True:
        told = function(generator)
        if not isinstance(told, dict) or not isinstance(told.get("network"), str):
            allowed = "a dict with `network`, the name of a class of its file, its arguments, and `recipe` if it likes"
            raise InputError("family", wanted.family, allowed, problem="does not return what a family returns")
        given = {name: value for name, value in told.items() if name not in ("network", "recipe")}
        model = model_name.with_settings(f"{path}:{told['network']}", given)
        recipe = _changed(wanted.recipe, str(told.get("recipe", "")), wanted.family)
        if model not in known:
            module = nets.build(model, 0, wanted.dataset.shape, len(wanted.dataset.classes))
            rehearse.check(model, module, wanted.dataset)
            known[model] = anatomy.summary(module, wanted.dataset.shape).facts()
        facts = replace(known[model], epochs=recipe.epochs)
        yield Proposal(model_name.short(model), recipe, facts, _as_it_is(model))


def _as_it_is(model: str) -> Callable[[str], str]:
    return lambda name: model


def _changed(base: Recipe, text: str, where: str) -> Recipe:
    changes = [part.strip() for part in text.split(",") if part.strip()]
    return recipe_text.changed(base, changes, where)


def _contender(wanted: Wanted, proposal: Proposal, engines: Engines, name: str) -> Contender:
    model, dataset, recipe = proposal.place(name), wanted.dataset, proposal.recipe
    module = nets.build(model, 0, dataset.shape, len(dataset.classes))
    nets.set_dropout(module, recipe.dropout)
    engine = engines.trains(model, module, recipe)
    computes = fingerprint(module, dataset.shape, recipe)
    return Contender(
        name=name,
        words=proposal.words,
        model=model,
        recipe=recipe,
        parameters=proposal.facts.parameters,
        macs=proposal.facts.macs,
        bytes=proposal.facts.bytes,
        engine=engine,
        code_digest=code_digest(model, engine),
        computes=computes,
        files=own_files.digests(own_network.files_of(module)),
    )


def fingerprint(module: nn.Module, shape: tuple[int, ...], recipe: Recipe) -> str:
    """SHA-256 of what a network answers to four images of noise, in training and afterwards, with its first weights and
    with others (first weights of 0 hide what stands before them), with its number of parameters and its recipe. It
    changes weights and batch norm's statistics: the module is to be thrown away."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(4, *shape, generator=generator)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        answers = [module.train()(noise), module.eval()(noise)]
        for weights in module.parameters():
            weights.add_(torch.randn(weights.shape, generator=generator), alpha=0.1)
        answers += [module.train()(noise), module.eval()(noise)]
    told = f"{anatomy.parameters(module)} {recipe.digest}"
    return sha256(told.encode() + b"".join(answer.numpy().tobytes() for answer in answers))
