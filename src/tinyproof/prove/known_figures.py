"""What is known of this package's own networks and of MNIST without torch and without the images: records are held
against it. A test computes all of it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyproof.data.dataset import PerChannel
from tinyproof.data.reading import Shape
from tinyproof.network.budget import Facts
from tinyproof.prove.declaration import DataFacts

# For the images and classes that they were published for. The kinds of layers stand in the order of their first call.
NETS: dict[str, Facts] = {
    "s5-593k": Facts(
        parameters=593_200, bytes=2_372_800, macs=37_263_988,
        kinds=("Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear", "LogSoftmax"),
    ),
    "s6-16k": Facts(
        parameters=16_562, bytes=67_048, macs=3_360_640,
        kinds=("Conv2d", "ReLU", "BatchNorm2d", "Dropout", "MaxPool2d", "AvgPool2d", "Flatten", "Linear", "LogSoftmax"),
        dropout_active=True, global_average_pooling=True,
    ),
    "s7-8k": Facts(
        parameters=7_904, bytes=32_624, macs=1_278_128,
        kinds=("Conv2d", "ReLU", "BatchNorm2d", "Dropout2d", "MaxPool2d", "AvgPool2d", "Flatten", "LogSoftmax"),
        dropout_active=True, global_average_pooling=True,
    ),
    "s6-17k": Facts(
        parameters=17_130, bytes=69_744, macs=3_043_040,
        kinds=(
            "Conv2d", "ReLU", "BatchNorm2d", "MaxPool2d", "Dropout2d", "AvgPool2d", "Flatten", "Linear", "LogSoftmax",
        ),
        dropout_active=True, global_average_pooling=True,
    ),
    "s6-19k": Facts(
        parameters=19_242, bytes=77_904, macs=746_816,
        kinds=("Conv2d", "ReLU", "BatchNorm2d", "MaxPool2d", "Dropout", "AvgPool2d", "Flatten", "Linear", "LogSoftmax"),
        dropout_active=True, global_average_pooling=True,
    ),
    "s6-12k": Facts(
        parameters=12_234, bytes=49_936, macs=2_195_960,
        kinds=("Conv2d", "ReLU", "BatchNorm2d", "Dropout2d", "AvgPool2d", "Flatten", "Linear", "LogSoftmax"),
        dropout_active=True,
    ),
    "fast": Facts(
        parameters=7_820, bytes=31_864, macs=606_124,
        kinds=("Conv2d", "ReLU", "BatchNorm2d", "AvgPool2d", "Flatten", "LogSoftmax"),
        global_average_pooling=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Images:
    """A data set's digests and sizes, the names of its classes, and what normalises its pixels."""

    facts: DataFacts
    classes: tuple[str, ...]
    mean: PerChannel
    std: PerChannel
    shape: Shape = (1, 28, 28)


MNIST = Images(
    DataFacts(
        name="mnist",
        digest="7ecee0b9ae402d9ebb7b4d5b79c27c0153e18d2eb9b80732c4793288c90a6717",
        labels_sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        training_images=60_000,
        test_images=10_000,
        overlap=0,
    ),
    classes=tuple("0123456789"),
    mean=0.1307,
    std=0.3081,
)


def network(model: str, dropout: float | None) -> Facts | None:
    """What a network by this name costs when its dropout is set to `dropout` (None leaves it); None for another name.

    >>> network("s7-8k", 0.0).dropout_active
    False
    """
    facts = NETS.get(model)
    if facts is None or dropout is None:
        return facts
    return replace(facts, dropout_active=facts.dropout_active and dropout > 0)
