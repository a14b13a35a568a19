"""What is known by heart of networks and of MNIST is what building and reading them gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.data.dataset import overlap
from tinyproof.data.load import load
from tinyproof.network import anatomy, nets
from tinyproof.prove import known_figures, proof


@pytest.mark.parametrize("dropout", [None, 0.0, 0.3])
@pytest.mark.parametrize("name", nets.NETS)
def test_a_network_costs_what_is_known_of_it(name: str, dropout: float | None) -> None:
    module = nets.build(name)
    nets.set_dropout(module, dropout)
    assert known_figures.network(name, dropout) == anatomy.summary(module).facts()


def test_every_network_is_known_and_no_other() -> None:
    assert list(known_figures.NETS) == list(nets.NETS)
    assert known_figures.network("model.py:Own", None) is None


@pytest.mark.mnist
def test_mnist_is_what_is_known_of_it(mnist_folder: Path) -> None:
    mnist = load("mnist", mnist_folder, fetch=False)
    facts = known_figures.MNIST.facts
    assert (facts.name, facts.digest, facts.overlap) == (mnist.name, mnist.digest, len(overlap(mnist)))
    assert (facts.training_images, facts.test_images) == (len(mnist.train_labels), len(mnist.test_labels))
    assert facts.labels_sha256 == proof.labels_sha256(mnist.test_labels)
    assert (known_figures.MNIST.classes, known_figures.MNIST.mean, known_figures.MNIST.std) == (
        mnist.classes,
        mnist.mean,
        mnist.std,
    )
