"""Budgets: each limit and each structural rule with a network that keeps it and one that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from tests.stored_records import stored
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.core.errors import InputError
from tinyproof.network import nets
from tinyproof.network.anatomy import Anatomy, summary
from tinyproof.network.budget import RULES, Budget, Facts, check
from tinyproof.train.run_record import Run


def conv() -> nn.Module:
    return nn.Conv2d(1, 10, 3)


class Functional(nn.Module):
    """Everything by function calls, nothing by layers: pooling, dropout, batch norm, a fully connected matrix."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.conv = conv()
        self.matrix = nn.Parameter(torch.zeros(10, 10))
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        x = F.dropout2d(x, self.dropout, self.training)
        x = F.batch_norm(x, torch.zeros(10), torch.ones(10))
        return F.linear(F.adaptive_avg_pool2d(x, 1).flatten(1), self.matrix).log_softmax(1)


class MeanPooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = conv()

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).mean(dim=(2, 3))


class Pooling(nn.Module):
    """A layer of one's own, made of a function call."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, x.shape[-1])


class Doing(nn.Module):
    """A network that does something to the image, with a convolution, a matrix and layers that it may not call."""

    def __init__(self, way: Callable[[Doing, Tensor], Tensor], uncalled: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = conv()
        self.matrix = nn.Parameter(torch.zeros(784, 10))
        self.uncalled = uncalled
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self, x)


class BatchNormFree(nn.Module):
    """Named after a layer, and does nothing like it."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2


class OwnNorm(nn.BatchNorm2d):
    """A batch norm of one's own."""


def attention() -> nn.Module:
    return nn.MultiheadAttention(28, 4, dropout=0.1, batch_first=True)


LINEAR = nn.Sequential(conv(), nn.Flatten(), nn.Linear(6760, 10))
PLAIN = nn.Sequential(conv(), nn.Conv2d(10, 10, 26), nn.Flatten())
KEPT_AND_BROKEN: dict[str, list[tuple[nn.Module, bool]]] = {
    "uses-batch-norm": [
        (nn.Sequential(conv(), nn.BatchNorm2d(10)), True),
        (Functional(), True),
        (PLAIN, False),
        (nn.Sequential(conv(), nn.LayerNorm(26)), False),
        (nn.Sequential(conv(), OwnNorm(10)), True),
        (nn.Sequential(conv(), BatchNormFree()), False),
        (Doing(lambda m, x: m.conv(x), nn.BatchNorm2d(10)), False),
    ],
    "uses-dropout": [
        (nn.Sequential(conv(), nn.Dropout(0.1)), True),
        (nn.Sequential(conv(), nn.Dropout2d(0.1)), True),
        (Functional(0.1), True),
        (Functional(0.0), False),
        (nn.Sequential(conv(), nn.Dropout(0.0)), False),
        (Doing(lambda m, x: m.conv(x), nn.Dropout(0.5)), False),
        (Doing(lambda m, x: m.uncalled(m.conv(x)), nn.Dropout(0.5)), True),
        (Doing(lambda m, x: m.uncalled(x[:, 0], x[:, 0], x[:, 0])[0], attention()), True),
        (Doing(lambda m, x: m.uncalled(x[:, 0])[0], nn.LSTM(28, 4, 2, dropout=0.1)), True),
        (PLAIN, False),
    ],
    "uses-global-average-pooling": [
        (nn.Sequential(conv(), nn.AdaptiveAvgPool2d(1)), True),
        (nn.Sequential(conv(), nn.AvgPool2d(26)), True),
        (nn.Sequential(conv(), Pooling()), True),
        (MeanPooled(), True),
        (Functional(), True),
        (nn.Sequential(conv(), nn.AdaptiveAvgPool2d([1, 1])), True),
        (nn.Sequential(conv(), nn.AvgPool2d((26, 26))), True),
        (nn.Sequential(conv(), nn.AvgPool2d((1, 26)), nn.AvgPool2d((26, 1))), True),
        (Doing(lambda m, x: m.conv(x).flatten(2).mean(-1)), True),
        (Doing(lambda m, x: m.conv(x).mean(3).mean(2)), True),
        (Doing(lambda m, x: F.avg_pool2d(m.conv(x), (26, 26))), True),
        (nn.Sequential(conv(), nn.AvgPool2d((1, 26))), False),
        (nn.Sequential(conv(), nn.AvgPool2d((26, 1))), False),
        (nn.Sequential(conv(), nn.AvgPool2d(25)), False),
        (nn.Sequential(conv(), nn.AdaptiveAvgPool2d((1, 26))), False),
        (nn.Sequential(nn.Conv2d(1, 10, 28), nn.AdaptiveAvgPool2d(1)), False),
        (Doing(lambda m, x: m.conv(x).mean(3)), False),
        (Doing(lambda m, x: m.conv(x).mean(1)), False),
        (nn.Sequential(conv(), nn.AvgPool2d(2)), False),
        (nn.Sequential(conv(), nn.MaxPool2d(26)), False),
    ],
    "no-fully-connected": [
        (PLAIN, True),
        (MeanPooled(), True),
        (LINEAR, False),
        (Functional(), False),
        (Doing(lambda m, x: x.flatten(1) @ m.matrix), False),
        (Doing(lambda m, x: m.matrix.T @ x.flatten()), False),
        (Doing(lambda m, x: torch.einsum("nchw,hwk->nk", x, m.matrix.view(28, 28, 10))), False),
        (Doing(lambda m, x: torch.einsum("np,pk->nk", x.flatten(1), m.matrix.abs() * 2)), False),
        (Doing(lambda m, x: F.conv2d(x.view(1, 784, 1, 1), m.matrix.T[:, :, None, None])), False),
        (Doing(lambda m, x: m.uncalled(x[:, 0, 0], x[:, 0, 1]), nn.Bilinear(28, 28, 3)), False),
        (Doing(lambda m, x: (m.conv(x).mT @ m.conv(x)).flatten(1), nn.Linear(2, 2)), True),
    ],
    "no-fully-connected-or-global-average-pooling": [
        (PLAIN, True),
        (nn.Sequential(conv(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 10)), True),
        (LINEAR, False),
    ],
}
CASES = [(rule, index) for rule, cases in KEPT_AND_BROKEN.items() for index in range(len(cases))]


def test_every_rule_has_a_network_that_keeps_it_and_one_that_breaks_it() -> None:
    assert set(KEPT_AND_BROKEN) == set(RULES)
    assert all({kept for _, kept in cases} == {True, False} for cases in KEPT_AND_BROKEN.values())


@pytest.mark.parametrize(("rule", "index"), CASES, ids=[f"{rule}-{index}" for rule, index in CASES])
def test_a_rule_is_kept_or_broken(rule: str, index: int) -> None:
    module, kept = KEPT_AND_BROKEN[rule][index]
    (answer,) = check(Budget(rules=(rule,)), summary(module).facts())
    assert answer.kept is kept


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"parameters_below": 7_905}, True),
        ({"parameters_below": 7_904}, False),
        ({"epochs_below": 15}, True),
        ({"epochs_below": 14}, False),
        ({"accuracy_percent": 99.4}, True),
        ({"accuracy_percent": 99.41}, False),
        ({"macs_below": 2_000_000}, True),
        ({"macs_below": 1_000_000}, False),
        ({"bytes_below": 40_000}, True),
        ({"bytes_below": 30_000}, False),
    ],
)
def test_a_limit_is_exclusive_and_an_accuracy_inclusive(limits: dict[str, int], kept: bool) -> None:
    facts = summary(nets.build("s7-8k")).facts(epochs=14, accuracy_percent=99.4)
    (answer,) = check(Budget(**limits), facts)  # type: ignore[arg-type]
    assert answer.kept is kept


def test_what_was_not_measured_is_not_kept() -> None:
    answers = check(Budget(epochs_below=15, accuracy_percent=99.0), Facts(parameters=1, bytes=4))
    assert [answer.kept for answer in answers] == [None, None]


def test_a_rule_that_cannot_be_judged_is_neither_kept_nor_broken() -> None:
    spelled_out = Doing(lambda m, x: (x.flatten(1)[:, :, None] * m.matrix).sum(1))
    turned = Doing(lambda m, x: m.conv(x).flip(3).mean((2, 3)))
    for module, rule in ((spelled_out, "no-fully-connected"), (turned, "uses-global-average-pooling")):
        (answer,) = check(Budget(rules=(rule,)), summary(module).facts())
        assert (answer.kept, answer.measured) == (None, "not known")


def test_a_record_can_say_that_something_is_not_known() -> None:
    record = next(stored("fast").rglob("run.json"))
    run = replace(Run.from_json(record.read_text()), macs=None, global_average_pooling=None)
    again = Run.from_json(run.to_json())
    answers = check(Budget(macs_below=10**9, rules=("uses-global-average-pooling",)), again.facts)
    assert [answer.kept for answer in answers] == [None, None]


def test_a_shared_parameter_is_counted_once_whichever_way_it_is_shared() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = conv()
            self.second = self.first
            self.third = nn.Conv2d(1, 10, 3)
            self.third.weight = self.first.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.first(x) + self.second(x) + self.third(x)

    found = summary(Shared())
    assert found.parameters == 90 + 10 + 10
    assert sum(layer.parameters for layer in found.layers) == found.parameters


@pytest.mark.parametrize("limits", [{"parameters_below": 0}, {"accuracy_percent": 101}, {"rules": ("uses-magic",)}])
def test_a_budget_that_nothing_keeps_is_refused(limits: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Budget(**limits)  # type: ignore[arg-type]


# ------------------------------------------------------------------ functions beside layers


def layered() -> nn.Module:
    return nn.Sequential(
        conv(), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 10, 3, stride=2), nn.AvgPool2d(2, 1), nn.Flatten()
    )


class Called(nn.Module):
    """The same network with pooling, activation and a convolution as function calls."""

    def __init__(self) -> None:
        super().__init__()
        self.first = conv()
        self.weight = nn.Parameter(torch.zeros(10, 10, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.first(x).relu(), kernel_size=2)
        return F.avg_pool2d(F.conv2d(x, self.weight, stride=2), 2, stride=1).flatten(1)


def reach(found: Anatomy) -> list[tuple[str, int | None, int | None, int]]:
    places = ("Conv2d", "MaxPool2d", "AvgPool2d")
    return [(x.kind, x.receptive_field, x.jump, x.macs) for x in found.layers if x.kind in places]


def test_function_calls_count_like_the_layers_that_they_stand_for() -> None:
    assert reach(summary(Called())) == reach(summary(layered()))
    assert summary(Called()).macs == summary(layered()).macs


def test_the_answers_shape_is_the_networks_not_its_last_layers() -> None:
    class Squeezed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(conv(), nn.AvgPool2d(26))

        def forward(self, x: Tensor) -> Tensor:
            return self.layers(x)[:, :, 0, 0]

    assert summary(Squeezed()).output == (10,)
