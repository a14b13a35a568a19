"""Answers that are collected batch by batch, loops that a library has in it, and figures that are reckoned by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged

LEARN = """# %%
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor
torch.manual_seed(2)
most, rest = FashionMNIST('d', train=True, transform=ToTensor()), FashionMNIST('d', train=False, transform=ToTensor())
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    for pictures, kinds in DataLoader(most, 64, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(net(pictures), kinds).backward()
        optimizer.step()
net.eval()
"""
GROWN = """@torch.no_grad()
def all_scores(model, batches):
    said = torch.tensor([]){to}
    for pictures, kinds in batches:
        said = torch.cat((said, model(pictures)), dim=0)
    return said
scores = all_scores(net, DataLoader({loader}))
print('test accuracy', scores.argmax(dim=1).eq({labels}.targets).sum().item() / len({labels}))
"""
LISTED = """said, truth = [], []
with torch.no_grad():
    for pictures, kinds in DataLoader({loader}):
        said.append(net(pictures).argmax(1))
        truth.append(kinds)
print('test accuracy', (torch.cat(said) == torch.cat(truth)).float().mean().item())
"""


@pytest.mark.parametrize("to", ["", ".to('cuda')"])
def test_answers_that_grow_batch_by_batch_beside_the_labels_of_the_set(to: str, tmp_path: Path) -> None:
    right = judged(LEARN + GROWN.format(to=to, loader="rest, 512", labels="rest"), tmp_path)
    assert (right.status, errors(right)) == ("right", []), right.problem
    assert "on the test set" in right.checked[0]
    wrong = judged(LEARN + GROWN.format(to=to, loader="most, 512", labels="most"), tmp_path)
    assert errors(wrong) == ["evaluates-on-training-data"]


@pytest.mark.parametrize(
    ("loader", "labels"), [("rest, 512, shuffle=True", "rest"), ("rest, 512", "most"), ("rest, sampler=some", "rest")]
)
def test_labels_in_another_order_or_of_another_set_measure_nothing(loader: str, labels: str, tmp_path: Path) -> None:
    report = judged(LEARN + GROWN.format(to="", loader=loader, labels=labels), tmp_path)
    assert (report.status, errors(report)) == ("undecided", [])


def test_two_lists_that_a_loop_filled_and_that_are_joined_behind_it(tmp_path: Path) -> None:
    right = judged(LEARN + LISTED.format(loader="rest, 512, shuffle=True"), tmp_path)
    assert right.status == "right"
    assert "on the test set" in right.checked[0]
    assert errors(judged(LEARN + LISTED.format(loader="most, 512"), tmp_path)) == ["evaluates-on-training-data"]


@pytest.mark.parametrize(
    "collected",
    [
        "for pictures, kinds in asked:\n    said, truth = [], []\n"
        "    said.append(net(pictures).argmax(1))\n    truth.append(kinds)\n",
        "for pictures, kinds in asked:\n    said, truth = torch.tensor([]), torch.tensor([])\n"
        "    said, truth = torch.cat((said, net(pictures).argmax(1))), torch.cat((truth, kinds))\n",
        "said, truth = [], []\nfor pictures, kinds in asked:\n    said.append(net(pictures).argmax(1))\n"
        "for pictures, kinds in {other}:\n    truth.append(kinds)\n",
    ],
)
@pytest.mark.parametrize("other", ["asked", "DataLoader(most, 512)"])
def test_the_last_batch_and_labels_of_another_loop_are_no_measurement(
    collected: str, other: str, tmp_path: Path
) -> None:
    lists = ("said", "truth") if "tensor" in collected else ("torch.cat(said)", "torch.cat(truth)")
    shown = f"print('test accuracy', ({lists[0]} == {lists[1]}[:10000]).float().mean().item())\n"
    text = LEARN + "asked = DataLoader(rest, 512, shuffle=True)\n" + collected.format(other=other) + shown
    assert judged(text if "most" in other else text.replace("[:10000]", ""), tmp_path).status == "undecided"


def test_a_figure_that_a_function_counts_is_called_what_is_printed_beside_it(tmp_path: Path) -> None:
    counts = "def agreeing(scores, kinds):\n    return scores.argmax(dim=1).eq(kinds).sum().item()\n"
    asks = GROWN.replace("scores.argmax(dim=1).eq({labels}.targets).sum().item()", "agreeing(scores, {labels}.targets)")
    right = judged(LEARN + counts + asks.format(to="", loader="rest, 512", labels="rest"), tmp_path)
    assert right.status == "right", right.problem
    wrong = judged(LEARN + counts + asks.format(to="", loader="most, 512", labels="most"), tmp_path)
    assert errors(wrong) == ["evaluates-on-training-data"]


BOOK = """# %%
from d2l import torch as d2l
from torch import nn
learning, asking = d2l.load_data_fashion_mnist(batch_size=128)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
"""


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("d2l.train_ch6(net, learning, asking, 8, 0.1, d2l.try_gpu())", "right"),
        ("d2l.train_ch6(net, learning, learning, 8, 0.1, d2l.try_gpu())", "wrong"),
        ("d2l.train_ch8(net, learning, vocabulary, 0.1, 8, 'cpu')", "undecided"),
    ],
)
def test_the_loops_of_the_book(call: str, status: str, tmp_path: Path) -> None:
    report = judged(BOOK + call, tmp_path)
    assert report.status == status, (report.problem, report.findings)


THREE = """# %%
import torch
from torchtext import data
TEXT, KIND = data.Field(), data.LabelField()
rows = data.TabularDataset('letters.csv', format='csv', fields=[('text', TEXT), ('kind', KIND)])
first, second, third = rows.split(split_ratio=[0.6, 0.2, 0.2])
learning, watching, asking = data.BucketIterator.splits((first, second, third), batch_size=16)
net = torch.nn.LSTM(8, 2)
optimizer = torch.optim.Adam(net.parameters())
for batch in learning:
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(net(batch.text), batch.kind).backward()
    optimizer.step()
net.eval()
hits = count = 0
with torch.no_grad():
    for batch in {asked}:
        hits += (net(batch.text).argmax(1) == batch.kind).sum().item()
        count += len(batch.kind)
print('test accuracy', hits / count)
"""


def test_three_parts_of_a_set_of_texts(tmp_path: Path) -> None:
    right = judged(THREE.format(asked="asking"), tmp_path)
    assert right.status == "right"
    assert "the test part of the file letters.csv" in right.checked[0]
    assert errors(judged(THREE.format(asked="learning"), tmp_path)) == ["evaluates-on-training-data"]


BY_HAND = """# %%
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
x, y = load_breast_cancer(return_X_y=True)
a, b, c, d = train_test_split(x, y, test_size=0.3, random_state=1)
w = np.zeros(30)
for turn in range(200):
    p = 1 / (1 + np.exp(-a.dot(w)))
    w = w - 0.01 * np.dot(a.T, p - c)
def predict(rows):
    kinds = np.zeros(rows.shape[0])
    for i, p in enumerate(rows.dot(w)):
        kinds[i] = 1 if p > 0 else 0
    return kinds
"""


@pytest.mark.parametrize(
    "figure",
    [
        "print('test accuracy', 100 - np.mean(np.abs(predict({x}) - {y})) * 100)",
        "print('test accuracy', 1 - np.mean(np.abs({y} - predict({x}))))",
        "card = []\nfor said, kind in zip(predict({x}), {y}):\n    if said == kind:\n        card.append(1)\n"
        "    else:\n        card.append(0)\nprint('test accuracy', np.array(card).mean())",
    ],
)
def test_a_share_of_right_answers_by_distances_and_by_a_card(figure: str, tmp_path: Path) -> None:
    right = judged(BY_HAND + figure.format(x="b", y="d"), tmp_path)
    assert (right.status, errors(right)) == ("right", []), right.problem
    wrong = judged(BY_HAND + figure.format(x="a", y="c"), tmp_path)
    assert wrong.status != "right"
    assert "card" in figure or errors(wrong) == ["evaluates-on-training-data"]


@pytest.mark.parametrize("miss", ["", "    else:\n        card.append(1)\n", "    else:\n        misses.append(0)\n"])
def test_a_card_without_misses_measures_nothing(miss: str, tmp_path: Path) -> None:
    ask = "card, misses = [], []\nfor said, kind in zip(predict(b), d):\n    if said == kind:\n        card.append(1)\n"
    report = judged(BY_HAND + ask + miss + "print('test accuracy', np.array(card).mean())", tmp_path)
    assert report.status == "undecided"


def test_what_is_measured_only_on_the_rows_learned_from_is_not_judged(tmp_path: Path) -> None:
    cut = "a, b, c, d = train_test_split(x, y, test_size=0.3, random_state=1)"
    shown = "    p = 1 / (1 + np.exp(-a.dot(w)))\n    print('{0}', np.mean((p > 0.5) == c))\n"
    whole = BY_HAND.replace(cut, "a, c = x, y").replace("    p = 1 / (1 + np.exp(-a.dot(w)))\n", shown)
    report = judged(whole.format("accuracy"), tmp_path)
    assert report.status == "nothing to judge"
    assert "the rows that it learns from" in report.problem
    assert judged(whole.format("test accuracy"), tmp_path).status == "wrong"


@pytest.mark.parametrize("sooner", ["None", "0.1"])
def test_a_step_that_the_second_turn_comes_to_is_a_step(sooner: str, tmp_path: Path) -> None:
    schedule = (
        "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)\nbest = {0}\nfor epoch in range(3):"
    )
    tested = """    share = sum((net(x).argmax(1) == y).sum().item() for x, y in DataLoader(rest, 512)) / len(rest)
    if best is not None and best > share:
        {0}
    else:
        best = share
"""
    text = LEARN.replace("for epoch in range(3):", schedule.format(sooner)).replace("net.eval()\n", "")
    stepped = judged(text + tested.format("scheduler.step()"), tmp_path)
    assert "scheduler-without-effect" not in [f.rule for f in stepped.findings]
    idle = judged(text + tested.format("print('worse')"), tmp_path)
    assert "scheduler-without-effect" in [f.rule for f in idle.findings]
