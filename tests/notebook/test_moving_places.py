"""Places that a loop moves on, folds, drawn parts of data sets that are not read, several modules imported whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged

SERIES = "# %%\nimport numpy as np\nfrom sklearn.linear_model import LinearRegression, SGDRegressor\n"
SERIES += "series = np.load('wave.npy')\n"
END = """xs, ys = np.array(xs), np.array(ys)
model = LinearRegression().fit(xs[:900], ys[:900])
print('test', model.score(xs[900:], ys[900:]))
"""
WINDOWS = {
    "one counter": "xs, ys, i = [], [], 0\nwhile i < 5000:\n    xs.append(series[i:i + 200])\n"
    "    ys.append(series[i + 200:i + 400])\n    i += 1\n",
    "its end": "xs, ys, end = [], [], 200\nwhile end < 5000:\n    xs.append(series[end - 200:end])\n"
    "    ys.append(series[end:end + 150])\n    end = end + 1\n",
    "both ends": "xs, ys, a, b = [], [], 0, 200\nwhile True:\n    xs += [series[a:b]]\n    ys += [series[b:b + 200]]\n"
    "    a, b = a + 200, b + 200\n    a += 0\n    b += 0\n    if b > 5000:\n        break\n",
    "in a for loop": "xs, ys, i = [], [], 0\nfor _ in range(900):\n    xs.append(series[i:i + 200])\n"
    "    ys.append(series[i + 200:i + 400])\n    i += 5\n",
}


@pytest.mark.parametrize("cut", WINDOWS.values(), ids=WINDOWS)
def test_windows_of_a_series_are_not_accused(cut: str, tmp_path: Path) -> None:
    report = judged(SERIES + cut + END, tmp_path / "whole")
    assert (report.status, errors(report)) == ("right", []), report.findings
    at_once = "model = SGDRegressor()\n" + cut.replace("xs.append(", "x = (").replace("ys.append(", "y = (")
    step = "    model.partial_fit(x, y)\n    print(model.score(x, y))\n"
    assert errors(judged(SERIES + at_once + step, tmp_path / "each")) == []


@pytest.mark.parametrize(
    "loop", ["", "for epoch in range(3):\n    ", "epoch = 0\nwhile epoch < 3:\n    epoch += 1\n    "]
)
def test_labels_of_other_rows_are_told_in_a_loop_too(loop: str, tmp_path: Path) -> None:
    text = "# %%\nfrom sklearn.datasets import load_digits\nfrom sklearn.linear_model import SGDClassifier\n"
    text += "x, y = load_digits(return_X_y=True)\nmodel = SGDClassifier()\n"
    text += loop + "model.partial_fit(x[:200], y[200:400])\nprint('test', model.score(x[400:], y[400:]))\n"
    assert errors(judged(text, tmp_path)) == ["labels-of-other-rows"]


def test_what_a_loop_takes_from_a_place_that_it_moves_on_is_not_known(tmp_path: Path) -> None:
    text = SERIES + "model, i = SGDRegressor(), 0\nwhile i < 5000:\n"
    text += "    model.partial_fit(series[i:i + 200], series[i + 200:i + 400])\n    i += 200\n"
    text += (
        "while i < 6000:\n    print('test', model.score(series[i:i + 200], series[i + 200:i + 400]))\n    i += 200\n"
    )
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("undecided", [])
    whole = judged(text.replace("score(series[i:i + 200], series[i + 200:i + 400])", "score(series, series)"), tmp_path)
    assert whole.status != "right"


def test_a_list_that_a_loop_adds_to_holds_more_than_one_thing(tmp_path: Path) -> None:
    cut = (
        "xs, ys = [], []\nfor i in range(len(series) - 20):\n    xs += [series[i:i + 20]]\n    ys += [series[i + 20]]\n"
    )
    assert judged(SERIES + cut + END, tmp_path / "right").status == "right"
    same = END.replace("score(xs[900:], ys[900:])", "score(xs[:900], ys[:900])")
    assert errors(judged(SERIES + cut + same, tmp_path / "wrong")) == ["evaluates-on-training-data"]


FOLDS = """# %%
import numpy as np
from sklearn.svm import SVC
def parts_of(n, k):
    left, out = np.random.permutation(n), []
    for i in range(k):
        free = np.ones(n, dtype=bool)
        free[left[i * n // k:(i + 1) * n // k]] = 0
        out.append((free.nonzero()[0], left[i * n // k:(i + 1) * n // k]))
    return out
x, y = np.load('x.npy'), np.load('y.npy')
for known, asked in parts_of(len(x), 5):
    model = SVC().fit(x[known], y[known])
    print('test', model.score(x[asked], y[asked]))
"""


def test_folds_that_are_not_followed_are_not_accused(tmp_path: Path) -> None:
    assert errors(judged(FOLDS, tmp_path / "right")) == []
    elsewhere = FOLDS.replace(FOLDS[FOLDS.index("def") : FOLDS.index("x, y")], "from helpers import parts_of\n")
    assert errors(judged(elsewhere, tmp_path / "elsewhere")) == []
    same = FOLDS.replace("x[asked], y[asked]", "x[known], y[known]") + "    print(len(asked))\n"
    assert errors(judged(same, tmp_path / "same")) == ["evaluates-on-training-data"]


PARTS = """# %%
import os
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split
torch.manual_seed(1)
class Mine(Dataset):
    def __init__(self, source):
        self.source = source
    def __len__(self):
        return 1000
    def __getitem__(self, i):
        return self.source.image(i), self.source.kind(i)
whole = Mine(open_source())
known, asked = random_split(whole, [800, 200])
net = nn.Linear(9, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net.train()
for x, y in DataLoader(known, 8, shuffle=True):
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(x), y).backward()
    optimizer.step()
net.eval()
hits = 0
with torch.no_grad():
    for x, y in DataLoader(asked, 8):
        hits += (net(x).argmax(1) == y).sum().item()
print('test accuracy', hits / 200)
"""


BY_PLACE = "parts = random_split(whole, [800, 200])\nknown, asked = parts[0], parts[1]"


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (("", ""), "right"),
        (("known, asked = random_split(whole, [800, 200])", BY_PLACE), "right"),
        (("DataLoader(asked", "DataLoader(known"), "wrong"),
        (("DataLoader(known", "DataLoader(asked"), "wrong"),
        (("DataLoader(known", "DataLoader(whole"), "undecided"),
        (("DataLoader(known", "DataLoader(others()"), "undecided"),
        (("net = ", "again = random_split(whole, [800, 200])\nasked = again[1]\nnet = "), "wrong"),
    ],
)  # fmt: skip
def test_two_drawn_parts_of_what_is_not_read(edit: tuple[str, str], status: str, tmp_path: Path) -> None:
    assert judged(PARTS.replace(*edit), tmp_path).status == status


IMAGES = PARTS[: PARTS.index("class Mine")].replace("import os", "import glob") + """class Cells(Dataset):
    def __init__(self, images, masks):
        self.images, self.masks = images, masks
    def __len__(self):
        return len(self.images)
    def __getitem__(self, i):
        return Image.open(self.images[i]), Image.open(self.masks[i])
images, masks = sorted(glob.glob('d/images/*.png')), sorted(glob.glob('d/masks/*.png'))
known, asked = Cells(images[:800], masks[:800]), Cells(images[800:], masks[800:])
""" + PARTS[PARTS.index("net = ") :]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (("", ""), "right"),
        (("Cells(images[800:], masks[800:])", "Cells(images[:200], masks[:200])"), "wrong"),
        (("Cells(images[:800], masks[:800])", "Cells(images, masks)"), "wrong"),
        (("Cells(images[800:], masks[800:])", "Cells(images[800:], masks[:200])"), "undecided"),
    ],
)
def test_masks_lie_beside_their_images(edit: tuple[str, str], status: str, tmp_path: Path) -> None:
    report = judged(IMAGES.replace(*edit), tmp_path)
    assert report.status == status or (status == "undecided" and "labels-of-other-rows" in errors(report))


STARS = """# %%
import torch
from torch.nn import *
from torch.optim import *
from torch.utils.data import *
from torchvision.datasets import *
from torchvision.transforms import *
from matplotlib.pyplot import *
torch.manual_seed(1)
learning = DataLoader(MNIST('d', train=True, transform=ToTensor(), download=True), 64, shuffle=True)
asking = DataLoader(MNIST('d', train=False, transform=ToTensor(), download=True), 64)
net = Sequential(Flatten(), Linear(784, 10))
criterion, optimizer = CrossEntropyLoss(), SGD(net.parameters(), lr=0.1)
net.train()
for x, y in learning:
    optimizer.zero_grad()
    criterion(net(x), y).backward()
    optimizer.step()
net.eval()
hits = 0
with torch.no_grad():
    for x, y in asking:
        hits += (net(x).argmax(1) == y).sum().item()
print('test accuracy', hits / len(asking.dataset))
"""


def test_of_several_modules_imported_whole_a_name_is_that_of_its_own(tmp_path: Path) -> None:
    assert judged(STARS, tmp_path / "right").status == "right"
    assert errors(judged(STARS.replace("train=False", "train=True"), tmp_path / "wrong")) == [
        "evaluates-on-training-data"
    ]
    hidden = STARS.replace("torch.manual_seed", "from mine import *\ntorch.manual_seed")
    assert judged(hidden, tmp_path / "hidden").status == "undecided"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("print(torch.softmax(net(x), dim=0).sum(dim=0))", []),
        ("print(torch.softmax(net(x), dim=0).argmax(dim=1))", ["softmax-dimension"]),
    ],
)
def test_what_adds_up_to_one_may_be_looked_at(line: str, found: list[str], tmp_path: Path) -> None:
    assert errors(judged(STARS.replace("with torch.no_grad", f"{line}\nwith torch.no_grad"), tmp_path)) == found
