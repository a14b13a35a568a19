"""What will hold a network back, seen before it is trained; it is told and not refused, for it can be meant so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tinyproof.data.dataset import Dataset
from tinyproof.train.rehearse import own_errors

_IMAGES = 64  # of noise, as normalised images are
_LOUDER = 1000.0  # what squeezes scores does so for any image; small first weights do not
_ROUNDING = 1e-4  # of a float32 sum of class probabilities


def doubts(model: str, module: nn.Module, dataset: Dataset) -> list[str]:
    """One line for each: what it is, what it costs, what to write instead; none for most networks."""
    return [*_of_answers(model, module, dataset.shape), *_of_classes(dataset)]


def _of_answers(model: str, module: nn.Module, shape: Sequence[int]) -> list[str]:
    training = module.training
    noise = torch.randn(_IMAGES, *shape, generator=torch.Generator().manual_seed(0))
    with own_errors(model), torch.no_grad(), torch.random.fork_rng(devices=[]):
        answers, loud = module.eval()(torch.cat([noise, _LOUDER * noise])).chunk(2)
    module.train(training)
    told = _squeezed(answers, loud[loud.isfinite().all(1)])
    return [f"{model} {told}"] if told else []


def _squeezed(answers: Tensor, loud: Tensor) -> str:
    """How class scores are kept from being any number; empty where they are not, or do not hang on the image yet.

    `loud`: the answers to images far brighter than any is.
    """
    both = torch.cat([answers, loud])
    if float(both.min()) < 0 or bool((answers == answers[0]).all()):
        return ""
    if bool((both.sum(1) - 1).abs().max() < _ROUNDING):
        return (
            "ends in probabilities (softmax): the loss takes scores, and from probabilities a network learns more "
            "slowly and less; leave the softmax out, or write log_softmax"
        )
    if bool((answers == 0).any()):
        return "cuts its class scores off at 0 (ReLU): a class at 0 learns nothing; leave the last ReLU out"
    if float(answers.max()) < 1 and float(both.max()) <= 1:
        return "keeps its class scores between 0 and 1 (sigmoid): the loss takes any number; leave the sigmoid out"
    return ""


def _of_classes(dataset: Dataset) -> list[str]:
    present = np.bincount(dataset.train_labels, minlength=len(dataset.classes))
    missing = [name for name, count in zip(dataset.classes, present, strict=True) if not count]
    if not missing:
        return []
    names = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
    return [f"no training image of {'class' if len(missing) == 1 else 'classes'} {names}: it cannot be learned"]
