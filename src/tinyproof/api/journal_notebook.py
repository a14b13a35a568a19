"""`journal --notebook`: a run as a notebook in plain PyTorch with its `model.py`, executed, and judged by the audit."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.api.audit import audit
from tinyproof.api.data import choose
from tinyproof.core.errors import DataError, InputError, Stopped, one_line
from tinyproof.core.files import check_output, read_bounded, sha256, write_atomic
from tinyproof.core.listener import Listener, Progress
from tinyproof.core.run_cells import run as run_cells
from tinyproof.data import published
from tinyproof.data.catalogue import SETS
from tinyproof.data.dataset import Dataset
from tinyproof.data.reading import AS_IT_IS
from tinyproof.network import model_name, own_files
from tinyproof.prove.journal.entries import Entry
from tinyproof.show import notebook_cells
from tinyproof.show.words import recipe_words
from tinyproof.train import store
from tinyproof.train.environment import need_torch
from tinyproof.train.recipe import Recipe
from tinyproof.train.run_record import Run

DATA, MODEL = "data.npz", "model.py"
_MOST_DATA = 500_000_000
_MOST_FILE = 50_000_000


@dataclass(frozen=True)
class Written:
    """The notebook that was written, and what the audit says of it."""

    path: Path
    verdict: str


@dataclass(frozen=True)
class _Source:
    """The files of the network by name, and how a notebook makes it: the module to import from, the name, arguments."""

    files: dict[str, bytes]
    module: str
    maker: str
    arguments: str
    own: bool


def write(
    entry: Entry, path: Path, *, model: str | None, dataset: str | None, data: str | None, listener: Listener
) -> Written:
    """Write the notebook of a run, with `model.py` and, where nobody else can read the data, `data.npz` beside it.

    `model`: the file of a network of somebody's own; a record does not decide what is run. `dataset`, `data`: where the
    data lies, as for `train`. Everything is made and run in a folder aside first: what fails leaves nothing. Raises
    InputError, DataError, OutputError; CellFailed where the network does not train there.
    """
    need_torch("running the notebook")
    if path.suffix != ".ipynb":
        raise InputError("notebook", str(path), "a name that ends in .ipynb")
    if entry.kind != "run":
        remedy = "name a run with --of: a notebook trains one network once"
        raise InputError(
            "of", entry.name, remedy, problem=f"is {'' if entry.kind == 'unreadable' else 'a '}{entry.kind}"
        )
    run = store.load(entry.folder)
    images = _images(run, dataset, data)
    source = _source(entry.folder, run, model)
    files = dict(source.files)
    idx = _idx_files(images)
    if not idx:
        files[DATA] = _arrays(images)
    found = _cells(entry, run, images, source, idx)
    _may_be_written(path, files)
    check_output(path.parent)
    with tempfile.TemporaryDirectory(prefix="tinyproof-notebook-") as scratch:
        folder = Path(scratch)
        for name, content in files.items():
            write_atomic(folder / name, content)
        text = notebook_cells.notebook(found, _printed(found, folder, listener))
        verdict = audit(write_atomic(folder / path.name, text)).files[0].status
        for name in files:
            write_atomic(path.parent / name, (folder / name).read_bytes())
    return Written(write_atomic(path, text), verdict)


def _printed(found: list[notebook_cells.Cell], folder: Path, listener: Listener) -> list[str]:
    code = [cell.text for cell in found if cell.code]
    listener.say(f"running the notebook: {len(code)} cells, which train the network once more")

    def done(number: int) -> None:
        listener.progress([Progress(name="notebook", done=number, of=len(code))])

    try:
        return run_cells(code, folder, done)
    except KeyboardInterrupt:
        raise Stopped("stopped; nothing was written, and the same command starts again") from None


def _images(run: Run, dataset: str | None, data: str | None) -> Dataset:
    """The data of the run, whole. Raises InputError where it is not at hand, DataError where it is another."""
    name = run.identity.dataset
    asked = run.reading.asked if run.reading is not None and run.reading.words else None
    if asked is not None and dataset is None:
        raise InputError("dataset", name, "name the path of your own with --dataset", problem="is no data of ours")
    found = choose(dataset or name, data, asked=asked or AS_IT_IS)
    if found.digest != run.identity.data_digest:
        problem = "is a held-out part" if run.identity.held_out else "is not what the run was trained on"
        raise DataError(found.source or name, problem, "name the data of the run with --dataset or --data")
    return found


def _idx_files(images: Dataset) -> list[Path]:
    """The four files that anybody can read, in MNIST's layout; none where the data has another one."""
    one = SETS.get(images.name)
    return (published.find(one, images.source) or []) if one is not None and published.called_alike(one) else []


def _arrays(images: Dataset) -> bytes:
    """The images and labels as they go into training, for a reader without this package."""
    size = images.train_images.nbytes + images.test_images.nbytes
    if size > _MOST_DATA:
        raise DataError(
            images.title, f"has {size:,} bytes of images; a notebook keeps at most {_MOST_DATA:,} beside it"
        )
    held = io.BytesIO()
    np.savez_compressed(
        held, x_train=images.train_images, y_train=images.train_labels, x_test=images.test_images,
        y_test=images.test_labels,
    )  # fmt: skip
    return held.getvalue()


def _source(folder: Path, run: Run, model: str | None) -> _Source:
    """The network's own files as they are recorded, or a network by name written out in plain PyTorch."""
    from tinyproof.network import nets, plain_source

    recorded = run.identity.model
    if recorded in nets.NETS:
        module = nets.build(recorded, 0, run.shape, len(run.classes))
        nets.set_dropout(module, run.recipe.dropout)
        return _Source({MODEL: plain_source.source(module, recorded).encode()}, "model", "Net", "()", own=False)
    if model is None:
        raise InputError("model", recorded, "name its file with --model", problem="is no network of ours")
    named = model_name.like(model, recorded)
    kept = own_files.kept(folder, run.files)
    if set(kept) != set(run.files) or not kept:
        raise DataError(str(folder), "does not hold the files of its network as they were run")
    told = own_files.changed(model_name.file_of(named).parent, run.files)
    if told:
        raise InputError("model", model, "name the file that was trained", problem=f"is another: {', '.join(told)}")
    files = {name: text.encode() for name, text in kept.items()}
    main = next(name for name in files if Path(name).name.startswith(model_name.file_of(named).name))
    if len(files) == 1:
        files, main = {MODEL: files[main]}, MODEL
    outside = [name for name in files if ".." in Path(name).parts or Path(name).is_absolute()]
    if outside or not Path(main).stem.isidentifier():
        name = outside[0] if outside else main
        raise InputError(
            "model", name, "files in one folder with plain names", problem="cannot be put beside a notebook"
        )
    return _Source(
        files, Path(main).stem, model_name.name_of(named), model_name.written_arguments(named) or "()", own=True
    )


def _cells(entry: Entry, run: Run, images: Dataset, source: _Source, idx: list[Path]) -> list[notebook_cells.Cell]:
    recipe = run.recipe
    mean, std = ([round(float(value), 6) for value in values] for values in images.normalisation)
    parts = [("train_images", 16), ("train_labels", 8), ("test_images", 16), ("test_labels", 8)]
    shown: dict[str, Any] = {
        "title": one_line(images.title, 100), "mean": mean, "std": std,
        "idx": repr(str(idx[0].parent.resolve())) if idx else "",
        "files": [(name, path.name, skip) for (name, skip), path in zip(parts, idx, strict=False)],
        "packed": any(path.suffix == ".gz" for path in idx),
    }  # fmt: skip
    return notebook_cells.cells(
        title=one_line(entry.name, 100), target=notebook_cells.one_paragraph(entry.target),
        who=one_line(model_name.short(run.identity.model), 100), recipe=recipe, recipe_words=_words(recipe),
        schedule=recipe.schedule, augment=recipe.augment,
        changes=not recipe.augment.nothing, dropout=recipe.dropout if source.own else None,
        analysis=notebook_cells.one_paragraph(entry.analysis), seed=run.identity.seed, module=source.module,
        maker=source.maker, arguments=source.arguments, data=shown,
        log_probabilities=not source.own and not recipe.label_smoothing,
    )  # fmt: skip


def _words(recipe: Recipe) -> str:
    return recipe_words(replace(recipe, name="r")).partition(": ")[2]


def _may_be_written(path: Path, files: dict[str, bytes]) -> None:
    """Raise InputError where a file of the folder would be lost: a notebook of somebody's, another model.py."""
    if path.is_file() and not _ours(read_bounded(path, _MOST_FILE)):
        problem = "is there already, and was not written by `tinyproof journal`, or was changed since"
        raise InputError("notebook", str(path), "name another", problem=problem)
    for name, content in files.items():
        there = path.parent / name
        if there.is_file() and sha256(there) != sha256(content):
            problem = f"has another {name} beside it"
            raise InputError("notebook", str(path), "name it in another folder", problem=problem)


def _ours(content: bytes) -> bool:
    """Whether a notebook is one that was written here, and nobody changed a cell of it."""
    try:
        found = json.loads(content)
        return bool(found["metadata"]["tinyproof"] == notebook_cells.mark(found["cells"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
