"""Tables and arrays gone through row by row, of whichever way they came; what stands within another thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.finding import FileReport

from .test_listed_folders import ENDS, READ, errors, judged
from .test_whole_arrays import TABLE

LOADED = READ + "x, y, u, v = np.load('a.npy'), np.load('b.npy'), np.load('c.npy'), np.load('d.npy')\n"
EITHER = "if x.max() > 1:\n    x, u = x / 255, u / 255\nelse:\n    x, u = x.reshape(-1, 9, 9), u.reshape(-1, 9, 9)\n"
RESIZED = (
    "a, b = np.array([cv2.resize(p, (3, 3)) for p in x]), y\nc, d = np.array([cv2.resize(p, (3, 3)) for p in u]), v\n"
)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("either", ["", EITHER])
def test_pictures_resized_one_by_one(end: str, either: str, tmp_path: Path) -> None:
    report = judged(LOADED + either + RESIZED + ENDS[end], tmp_path)
    assert (report.status, errors(report)) == ("right", [])
    wrong = judged(LOADED + either + RESIZED.replace("in u]), v", "in x]), y") + ENDS[end], tmp_path)
    assert errors(wrong) == ["evaluates-on-training-data"]


def test_pictures_of_several_ways_are_not_those_of_one(tmp_path: Path) -> None:
    """Where it is open which array a name stands for, nothing is said of the list that is made of it."""
    other = "import sys\nif len(sys.argv) > 2:\n    u, v = x, y\n"
    report = judged(LOADED + other + RESIZED + ENDS["keras"], tmp_path)
    assert (report.status, errors(report)) == ("undecided", [])


@pytest.mark.parametrize(
    "each",
    ["_, row in table.iterrows()", "i, (_, row) in enumerate(table.iterrows())", "row in table.itertuples()"],
)
def test_a_table_row_by_row(each: str, tmp_path: Path) -> None:
    text = TABLE + "rows, prices = [], []\n"
    text += f"for {each}:\n    rows.append(encode(row))\n    prices.append(row.price)\n"
    text += "a, c, b, d = train_test_split(np.array(rows), np.array(prices))\n"
    report = judged(text + ENDS["sklearn"], tmp_path)
    assert (report.status, errors(report)) == ("right", [])
    assert report.checked[0].startswith("`score(c, d)`: on the held-out part of the file houses.csv")
    assert errors(judged(text + ENDS["sklearn"].replace("c, d", "a, b"), tmp_path)) == ["evaluates-on-training-data"]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("table[80:].itertuples()", ("right", [])),
        ("table[:80].itertuples()", ("wrong", ["evaluates-on-training-data"])),
        ("islice(table.itertuples(), 80)", ("wrong", ["evaluates-on-training-data"])),
        ("islice(table.itertuples(), 80, None)", ("undecided", [])),
        ("islice(table.itertuples(), count)", ("undecided", [])),
    ],
)
def test_the_first_rows_of_a_table(asked: str, answer: tuple[str, list[str]], tmp_path: Path) -> None:
    text = TABLE + "from itertools import islice\na, b, c, d = [], [], [], []\n"
    for each, one, two in (("islice(table.itertuples(), 80)", "a", "b"), (asked, "c", "d")):
        text += f"for row in {each}:\n    {one}.append(encode(row))\n    {two}.append(row.price)\n"
    report = judged(text + ENDS["sklearn"], tmp_path)
    assert (report.status, errors(report)) == answer


FILL = """def read(folder, count):
    pictures, i = np.zeros([count, 81]), 0
    for file in os.listdir(folder):
        pictures[i, :] = cv2.imread(os.path.join(folder, file)).flatten()
        i += 1
    return pictures
a = np.concatenate([read('train/cat', 80), read('train/dog', 70)])
c = np.concatenate([read('test/cat', 20), read('test/dog', 30)])
b, d = np.array([0] * 80 + [1] * 70), np.array([0] * 20 + [1] * 30)
"""


@pytest.mark.parametrize("end", ENDS)
def test_filled_arrays_joined(end: str, tmp_path: Path) -> None:
    def seen(text: str) -> FileReport:
        return judged(READ + text + ENDS[end], tmp_path)

    assert (seen(FILL).status, errors(seen(FILL))) == ("right", [])
    assert errors(seen(FILL.replace("'test/", "'train/"))) == ["evaluates-on-training-data"]
    part = seen(FILL.replace("'test/dog'", "'train/dog'"))
    assert "evaluates-on-training-data" in errors(part)


ENDING = """# %%
from keras.datasets import mnist
from keras.layers import Dense
from keras.models import Sequential
(x, y), (u, v) = mnist.load_data()
net = Sequential()
net.add(Dense(10))
LAST
net.compile(loss='sparse_categorical_crossentropy', metrics=['accuracy'])
net.fit(x, y)
print(net.evaluate(u, v))
"""


@pytest.mark.parametrize("last", ["net.add(Activation('softmax'))", "net.add(ours())", "[net.add(l) for l in more]"])
def test_an_ending_of_which_nothing_is_known(last: str, tmp_path: Path) -> None:
    report = judged(ENDING.replace("LAST", last), tmp_path)
    assert (report.status, errors(report)) == ("right", [])
    assert errors(judged(ENDING.replace("LAST", "pass"), tmp_path)) == ["likelihood-of-scores"]


def test_layers_that_are_given_by_name_come_first(tmp_path: Path) -> None:
    text = ENDING.replace("Sequential()", "Sequential(layers=[Dense(10, activation='softmax')], name='ours')")
    assert errors(judged(text.replace("LAST", "pass"), tmp_path)) == ["likelihood-of-scores"]
    assert errors(judged(text.replace("net.add(Dense(10))\nLAST", "pass"), tmp_path)) == []


SCHEDULE = """# %%
import torch
from torch.optim.lr_scheduler import ChainedScheduler, CosineAnnealingLR, LinearLR, SequentialLR
from torch.utils.data import DataLoader
from torchvision import datasets
learning = DataLoader(datasets.MNIST('.', train=True), 64, shuffle=True)
asking = DataLoader(datasets.MNIST('.', train=False), 64)
net = torch.nn.Linear(784, 10)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
warm, rest = LinearLR(optimizer, total_iters=99), CosineAnnealingLR(optimizer, 900)
scheduler = WHOLE
for epoch in range(3):
    net.train()
    for x, y in learning:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
        scheduler.step()
net.eval()
hits = 0
with torch.no_grad():
    for x, y in asking:
        hits += (net(x).argmax(1) == y).sum().item()
print('test accuracy', hits / len(asking.dataset))
"""


def idle(report: FileReport) -> list[str]:
    return [finding.says for finding in report.findings if finding.rule == "scheduler-without-effect"]


@pytest.mark.parametrize(
    "whole",
    ["SequentialLR(optimizer, schedulers=[warm, rest], milestones=[99])", "ChainedScheduler([warm, rest])"],
)
def test_schedulers_within_another_are_stepped_by_it(whole: str, tmp_path: Path) -> None:
    text = SCHEDULE.replace("WHOLE", whole)
    assert idle(judged(text, tmp_path)) == []


def test_a_scheduler_around_others_that_is_never_stepped(tmp_path: Path) -> None:
    whole = "SequentialLR(optimizer, schedulers=[warm, rest], milestones=[99])"
    text = SCHEDULE.replace("WHOLE", whole).replace("        scheduler.step()\n", "")
    assert idle(judged(text, tmp_path)) == [f"scheduler = {whole}"]


def test_schedulers_beside_each_other_are_not(tmp_path: Path) -> None:
    assert len(idle(judged(SCHEDULE.replace("WHOLE", "rest"), tmp_path))) == 1
