"""What a run will cost in time, from some measured steps of it."""

from __future__ import annotations

import math
import time

import numpy as np

from tinyproof.data.dataset import Dataset
from tinyproof.train.augment import draw
from tinyproof.train.engine import Batch, Engine
from tinyproof.train.loop import prepare
from tinyproof.train.recipe import Recipe
from tinyproof.train.rehearse import own_errors

_WARM_UP, _LEAST, _MOST, _ENOUGH_SECONDS = 2, 5, 60, 1.0
_LOOK_IMAGES = 1000


def seconds_a_run(model: str, recipe: Recipe, dataset: Dataset, engine: str, device: str, threads: int) -> float:
    """Seconds for all epochs and one look at the test images; the first steps, which warm up, are not counted.

    The weights that are moved here are thrown away. Raises what `train` raises.
    """
    images, labels = dataset.test_images[:_LOOK_IMAGES], dataset.test_labels[:_LOOK_IMAGES]
    with own_errors(model):
        _, worker, _ = prepare(model, recipe, dataset, 0, engine, device, threads)
        step = _seconds_a_step(worker, recipe, dataset)
        begun = time.perf_counter()
        worker.evaluate(images, labels)
    look = (time.perf_counter() - begun) * len(dataset.test_labels) / len(labels)
    return recipe.epochs * math.ceil(len(dataset.train_labels) / recipe.batch_size) * step + look


def _seconds_a_step(worker: Engine, recipe: Recipe, dataset: Dataset) -> float:
    generator = np.random.Generator(np.random.PCG64(0))
    done, begun = 0, time.perf_counter()
    while True:
        rows = generator.integers(0, len(dataset.train_labels), min(recipe.batch_size, len(dataset.train_labels)))
        worker.step(
            Batch(rows, draw(recipe.augment, len(rows), generator, 0.0, dataset.shape[1:]), done), recipe.rate * 1e-3
        )
        done += 1
        if done == _WARM_UP:
            worker.tally()
            begun = time.perf_counter()
        counted = done - _WARM_UP
        if counted >= _MOST or (counted >= _LEAST and time.perf_counter() - begun > _ENOUGH_SECONDS):
            worker.tally()  # reading the sums waits for the device
            return (time.perf_counter() - begun) / counted
