"""Which engine trains a candidate. Kernels are compiled for the first that the native engine takes, so that a compiler
that does not work is found before anything is declared; those of the others where their first run needs them."""

from __future__ import annotations

import copy
from importlib import import_module

from torch import nn

from tinyproof.data.dataset import Dataset
from tinyproof.search.question import trained_on
from tinyproof.train import rehearse
from tinyproof.train.engine import choose
from tinyproof.train.recipe import Recipe


class Engines:
    """The choice for the candidates of one search: the engine that is asked for, the device and the data set."""

    def __init__(self, asked: str, device: str, dataset: Dataset) -> None:
        self._asked, self._device, self._dataset = asked, device, dataset
        self._compiles = False  # until kernels have been compiled here

    def trains(self, model: str, module: nn.Module, recipe: Recipe) -> str:
        """The engine that trains a network, with and without a held-out part: `native` or `torch`.

        Raises DataError for a network of somebody's own that fails on an epoch's last batch, and InputError where the
        engine that is asked for does not apply.
        """
        every, *shape = self._dataset.train_images.shape
        kinds, known = set[str](), self._compiles and self._is_native(module)
        for images in trained_on(every):
            rehearse.rehearse(model, copy.deepcopy(module), recipe, self._dataset, images)
            # Where a batch has one image the engine itself is asked.
            if known and 1 not in (recipe.batch_size, images % recipe.batch_size):
                kinds.add("native")
            else:
                kinds.add(choose(self._asked, module, recipe, self._device, (images, *shape))[0].name)
        self._compiles |= "native" in kinds
        return "torch" if "torch" in kinds else kinds.pop()

    def _is_native(self, module: nn.Module) -> bool:
        """Whether the native engine is chosen for a network, whose kernels need not be there yet; batches aside."""
        native = import_module("tinyproof.train.engine.native.native_engine")
        try:
            native.plan_of(module, self._dataset.shape)
        except native.Unsupported:
            return False
        return self._asked == "native" or not native.slower(module, self._dataset.train_images.shape)
