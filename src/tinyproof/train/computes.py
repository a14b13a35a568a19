"""The digest of what computes a run: the loop with all that it calls, one network, one engine; and nothing else.

It is of what the code says (`core.reached`, `core.syntax`), not of its files: docstrings, comments, layout, annotations
and messages may change, and modules may move, without costing anybody a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tinyproof.core import syntax
from tinyproof.core.files import sha256
from tinyproof.core.reached import Reached, reached

# What a digest means; another way to compute it is another kind, and digests of two kinds are not comparable.
KIND = "tinyproof-code/2"
PACKAGE = Path(__file__).resolve().parent.parent
_LOOP = "tinyproof.train.loop.train"
_ENGINES = {
    "torch": "tinyproof.train.engine.torch_engine",
    "native": "tinyproof.train.engine.native.native_engine",
}
# What the loop calls and what cannot change a result unseen, each with the reason. A definition here is not followed.
CUTS = {
    "tinyproof": "the public names",
    "tinyproof.core.errors": "errors end a run; they give no result",
    "tinyproof.core.fields": "values are checked, and refused or left as they are; every record holds them",
    "tinyproof.core.listener": "what is told while a run is at work",
    "tinyproof.core.files": "bytes from and to the disk, each named by its digest",
    "tinyproof.data.dataset": "images and labels have a digest of their own; mean and deviation stand in every record",
    "tinyproof.network.anatomy": "it counts what a network costs; every record holds that, and runs of a proof agree",
    "tinyproof.network.nets.NETS": "the other networks; the one that is trained is taken by its own name",
    "tinyproof.network.model_name": "the name of a network; every record holds it",
    "tinyproof.network.own_files": "the user's files, which have a digest of their own",
    "tinyproof.network.own_network": "the user's files, which have a digest of their own",
    "tinyproof.train.computes": "this digest; it names its kind",
    "tinyproof.train.environment": "what a run ran on is recorded, and a proof goes on only with the same",
    "tinyproof.train.origin": "it says whether a run may go on",
    "tinyproof.train.rehearse": "a network is refused or taken as it is",
    "tinyproof.train.run_record.EpochLog": "a record",
    "tinyproof.train.run_record.Identity": "a record",
    "tinyproof.train.run_record.Run": "a record",
    "tinyproof.train.store": "finished runs; what an unfinished one goes on from is in checkpoint",
}


def code_digest(model: str, engine: str) -> str:
    """SHA-256 of the code that trains `model` (a name, or a file of somebody's own) with `engine`: torch or native."""
    return _digest(tuple(_network(model)), engine)


@cache
def _digest(network: tuple[str, ...], engine: str) -> str:
    # Once for all networks of somebody's own: a search has hundreds of them, and to follow the code takes a second.
    found = _taking_part(network, engine)
    return sha256("\n".join([KIND, found.digest, *_kernels(found)]).encode())


def taking_part(model: str, engine: str) -> Reached:
    """The definitions that take part."""
    return _taking_part(_network(model), engine)


def _taking_part(network: Sequence[str], engine: str) -> Reached:
    others = [module for name, module in _ENGINES.items() if name != engine]
    return reached(PACKAGE, [_LOOP, _ENGINES[engine], *network], [*CUTS, *others])


def _network(model: str) -> list[str]:
    from tinyproof.network import nets

    return [f"{nets.__name__}.{nets.NETS[model].__name__}"] if model in nets.NETS else []


def _kernels(found: Reached) -> list[str]:
    """The C++ files that lie beside the modules that take part, each with the digest of its tokens."""
    folders = {PACKAGE.joinpath(*module.split(".")[1:]).parent for module in found.modules}
    inside = {child for folder in folders for child in folder.iterdir() if child.is_dir()}
    plain = [folder for folder in folders | inside if folder in folders or not (folder / "__init__.py").exists()]
    files = sorted(
        (path.name, path) for folder in plain for path in folder.iterdir() if path.suffix in (".hpp", ".cpp", ".h")
    )
    return [f"{name} {sha256(syntax.cpp(path.read_text('utf-8')).encode())}" for name, path in files]
