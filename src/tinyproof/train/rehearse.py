"""Does a network take these images and learn from them? What fails in a user's own file is told by file and line."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from tinyproof.core.errors import DataError, TinyproofError, said
from tinyproof.data.dataset import Dataset
from tinyproof.network import anatomy, model_name, nets, own_network
from tinyproof.train.recipe import Recipe


def check(model: str, module: nn.Module, dataset: Dataset) -> None:
    """Refuse a network that does not take these images, does not give one number a class, or is not of float32."""
    try:
        found = anatomy.summary(module, dataset.shape)
    except DataError as error:
        raise _told(model, error.__cause__) or DataError(model, error.problem, error.remedy) from error
    classes = len(dataset.classes)
    if found.answer != "Tensor":
        raise DataError(model, f"gives a {found.answer} for an image", f"return one tensor, of {classes} class scores")
    if found.output != (classes,):
        raise DataError(model, f"gives {list(found.output)} for an image where {classes} values are needed")
    other = {str(p.dtype).removeprefix("torch.") for p in module.parameters() if p.is_floating_point()} - {"float32"}
    if other:
        raise DataError(model, f"has weights of {', '.join(sorted(other))}", "leave them float32, as they are trained")
    if not found.finite:
        raise DataError(
            model, "gives values that are no numbers (NaN, infinity) before any training", "look at its first weights"
        )


def rehearse(model: str, module: nn.Module, recipe: Recipe, dataset: Dataset, images: int | None = None) -> None:
    """A network of your own does on empty images what a training step does, with as many as an epoch's last batch has;
    `images`: on how many of the data set's it trains, on all where not given.

    It may move the module's batch-norm statistics and gradients: the module is to be thrown away. Raises DataError.
    """
    if model in nets.NETS:
        return
    count, classes = images or len(dataset.train_labels), len(dataset.classes)
    batch = count % recipe.batch_size or min(recipe.batch_size, count)
    with own_errors(model), torch.random.fork_rng(devices=[]):
        answer = module.train()(torch.zeros(batch, *dataset.shape))
        if not isinstance(answer, Tensor) or answer.shape != (batch, classes):
            found = list(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            raise DataError(model, f"gives {found} for a batch in training where {[batch, classes]} is needed")
        answer.sum().backward()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def own_errors(model: str) -> Iterator[None]:
    """An error that comes from a network of your own becomes a DataError that names its file and line."""
    try:
        yield
    except (TinyproofError, MemoryError):
        raise
    except SystemExit as error:
        if model in nets.NETS:
            raise
        raise DataError(model, own_network.EXIT) from error
    except Exception as error:
        told = _told(model, error)
        if told is None:
            raise
        raise told from error


def _told(model: str, error: BaseException | None) -> DataError | None:
    """The error as one of the user's file, when it was raised there, or in torch below a network of the user's."""
    if model in nets.NETS or error is None:
        return None
    what = said(error, 160)
    place = own_network.place_of(error, model)
    if place:
        return DataError(str(model_name.file_of(model).parent / place[0]), f"line {place[1]}: {what}")
    frames = traceback.extract_tb(error.__traceback__)
    in_torch = any("torch" in Path(frame.filename).parts for frame in frames)
    return DataError(model, f"cannot be trained: {what}") if in_torch and not isinstance(error, OSError) else None
