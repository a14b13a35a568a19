"""The recipe that a network gets on a data set when nobody names one."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.data.dataset import Dataset
from tinyproof.network.budget import course
from tinyproof.train.recipe import Recipe, default


def default_recipe(model: str, dataset: Dataset) -> Recipe:
    """By the name of the data set and the number of its training images; within the epochs of a course's budget where
    the network has one on such images; in batches that leave no single image over, of which batch norm knows no spread.
    """
    count = len(dataset.train_labels)
    found = default(model, dataset.name, count)
    if found == default(model, dataset.name):
        return found
    most = course(model, dataset.shape, len(dataset.classes)).epochs_below
    size = next(size for size in range(found.batch_size, 2 * found.batch_size) if count % size != 1 or count == 1)
    return replace(found, batch_size=size, epochs=min(found.epochs, most - 1) if most else found.epochs)
