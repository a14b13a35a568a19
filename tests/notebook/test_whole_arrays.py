"""Measurements without a loader, parts by places and masks, data sets of one's own; and wrong look-alikes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyproof.check.notebook import audit_notebook

from .test_listed_folders import errors, judged

TABLE = """# %%
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, SubsetRandomSampler
from torchvision.datasets import ImageFolder
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
table = pd.read_csv('houses.csv')
x, y = table.drop(columns='price').values, table['price'].values
"""
FIT = "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\ncriterion = nn.MSELoss()\n"
DESCENT = """for epoch in range(9):
    net.train()
    loss = criterion(net(a), c)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
net.eval()
with torch.no_grad():
    test_loss = criterion(net(b), d)
print('test loss', test_loss.item())
"""
PARTS = TABLE + "a, b, c, d = map(torch.tensor, train_test_split(x, y))\nnet = nn.Linear(3, 1)\n" + FIT + DESCENT
SERIES = (
    TABLE
    + "x = torch.arange(0, 1, 0.02).unsqueeze(1)\ny = 0.7 * x + 0.3\nn = int(0.8 * len(x))\n"
    + "a, b, c, d = x[:n], x[n:], y[:n], y[n:]\nnet = nn.Linear(1, 1)\n"
    + FIT
    + DESCENT
)
LOADERS = """net = nn.Linear(9, 2)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net.train()
for images, labels in learning:
    optimizer.zero_grad()
    criterion(net(images), labels).backward()
    optimizer.step()
net.eval()
hits = 0
with torch.no_grad():
    for images, labels in asking:
        hits += (net(images).argmax(1) == labels).sum().item()
print('test accuracy', hits / len(asking.dataset))
"""
PLACES = TABLE + "pets = ImageFolder('pets')\nplaces = list(range(len(pets)))\nnp.random.shuffle(places)\n"
SUBSETS = (
    PLACES
    + "learning = DataLoader(Subset(pets, places[:80]), 8, shuffle=True)\n"
    + "asking = DataLoader(Subset(pets, places[80:]), 8)\n"
    + LOADERS
)
SAMPLERS = (
    PLACES
    + "n = int(0.2 * len(pets))\nlearning = DataLoader(pets, 8, sampler=SubsetRandomSampler(places[n:]))\n"
    + "asking = DataLoader(pets, 8, sampler=SubsetRandomSampler(places[:n]))\n"
    + LOADERS
)
GREY = (
    TABLE
    + "class Grey(ImageFolder):\n    def __getitem__(self, index):\n        path, kind = self.samples[index]\n"
    + "        return self.loader(path).convert('L'), kind\n"
    + "learning, asking = DataLoader(Grey('pets/a'), 8, shuffle=True), DataLoader(Grey('pets/b'), 8)\n"
    + LOADERS
)
LISTED = (
    TABLE
    + """from PIL import Image
class Named(Dataset):
    def __init__(self, file):
        self.kept = []
        with open(file) as lines:
            for line in lines.readlines():
                path, kind = line.split(',')
                if kind == 'none':
                    continue
                self.kept.append({'image': Image.open(path), 'kind': kind})
    def __len__(self):
        return len(self.kept)
    def __getitem__(self, index):
        return self.kept[index]['image'], self.kept[index]['kind']
learning, asking = DataLoader(Named('some.txt'), 8, shuffle=True), DataLoader(Named('others.txt'), 8)
"""
    + LOADERS
)
TEXTS = """# %%
import pandas as pd
from datasets import Dataset
from sklearn.model_selection import train_test_split
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments
table = pd.read_csv('letters.csv')
a, b, c, d = train_test_split(table['text'], table['kind'])
tokenizer = AutoTokenizer.from_pretrained('distilbert-base-uncased')
def numbers(texts):
    return tokenizer(texts, truncation=True, padding=True)
known, asked = numbers(list(a)), numbers(list(b))
learning = Dataset.from_dict({'input_ids': known['input_ids'], 'labels': c})
asking = Dataset.from_dict({'input_ids': asked['input_ids'], 'labels': d})
net = AutoModelForSequenceClassification.from_pretrained('distilbert-base-uncased')
trainer = Trainer(net, TrainingArguments('kept'), train_dataset=learning, eval_dataset=asking)
trainer.train()
print('test', trainer.evaluate())
"""
BY_HAND = (
    TABLE
    + "a, b, c, d = train_test_split(x, y)\nmodel = LinearRegression().fit(a, c)\n"
    + "print('test error', np.sqrt(np.mean((d - model.predict(b)) ** 2)))\n"
)
NAMED = (
    TABLE
    + "def rmse(truth, guesses):\n    return sum((t - g) ** 2 for t, g in zip(truth, guesses)) / len(truth)\n"
    + "a, b, c, d = train_test_split(x, y)\nmodel = LinearRegression().fit(a, c)\n"
    + "test_error = rmse(d, model.predict(b))\n"
)
DRAWN = (
    TABLE
    + "some = np.random.rand(len(table)) < 0.8\nknown, asked = table[some], table[~some]\n"
    + "model = LinearRegression().fit(known[['rooms']], known['price'])\n"
    + "print('test', model.score(asked[['rooms']], asked['price']))\n"
)
COUNTED = (
    TABLE
    + "places = np.arange(len(x))\nnp.random.shuffle(places)\nmodel = LinearRegression()\n"
    + "model.fit(x[places[:80]], y[places[:80]])\nprint('test', model.score(x[places[80:]], y[places[80:]]))\n"
)
WORDS = (
    TABLE
    + """with open('reviews.txt') as file:
    reviews = file.read()
with open('kinds.txt') as file:
    kinds = file.read()
known = {word: i for i, word in enumerate(set(reviews.split()))}
told = []
for review in reviews.split('\\n'):
    told.append([known[word] for word in review.split()])
kinds = np.array([1 if kind == 'good' else 0 for kind in kinds.split('\\n')])
def padded(told, length):
    table = np.zeros((len(told), length), dtype=int)
    for i, row in enumerate(told):
        table[i, -len(row):] = np.array(row)[:length]
    return table
table = padded(told, 200)
n = int(0.8 * len(table))
a, b, c, d = table[:n], table[n:], kinds[:n], kinds[n:]
learning = DataLoader(TensorDataset(torch.from_numpy(a), torch.from_numpy(c)), 8, shuffle=True)
asking = DataLoader(TensorDataset(torch.from_numpy(b), torch.from_numpy(d)), 8)
"""
    + LOADERS
).replace("DataLoader, Dataset", "DataLoader, Dataset, TensorDataset")
CASES = [
    (WORDS, "table[n:], kinds[:n], kinds[n:]", "table[:n], kinds[:n], kinds[:n]"),
    (PARTS, "net(b), d)", "net(a), c)"),
    (SERIES, "net(b), d)", "net(a), c)"),
    (SERIES, "x[n:]", "x[:n]"),
    (SUBSETS, "places[80:]", "places[60:]"),
    (SAMPLERS, "places[:n]", "places[n:]"),
    (GREY, "pets/b", "pets/a"),
    (LISTED, "others.txt", "some.txt"),
    (TEXTS, "eval_dataset=asking", "eval_dataset=learning"),
    (BY_HAND, "(d - model.predict(b))", "(c - model.predict(a))"),
    (NAMED, "rmse(d, model.predict(b))", "rmse(c, model.predict(a))"),
    (DRAWN, "table[~some]", "table[some]"),
    (COUNTED, "x[places[80:]], y[places[80:]]", "x[places[:50]], y[places[:50]]"),
]


@pytest.mark.parametrize(("text", "right", "other"), CASES)
def test_the_rows_of_a_measurement_are_known(text: str, right: str, other: str, tmp_path: Path) -> None:
    assert text.count(right) == 1
    fine = judged(text, tmp_path)
    assert (fine.status, errors(fine)) == ("right", []), fine.problem
    wrong = judged(text.replace(right, other), tmp_path)
    assert wrong.status != "right", wrong.checked
    assert set(errors(wrong)) <= {"evaluates-on-training-data", "labels-of-other-rows"}


def test_a_loss_that_it_learns_by_measures_nothing(tmp_path: Path) -> None:
    """In evaluation mode too, where nobody goes back to training: the gradient says what it is for."""
    learns = (
        PARTS.replace("    net.train()\n", "").replace("for epoch", "net.eval()\nfor epoch").partition("net.eval()\nw")
    )
    report = judged(learns[0] + "print('test loss', loss.item())\n", tmp_path)
    assert (report.status, errors(report)) == ("nothing to judge", [])


def test_random_numbers_may_be_weights(tmp_path: Path) -> None:
    text = TABLE + "w = np.random.rand(3)\nhalf, rest = w[:2], w[2:]\nprint('test', (half.sum() > rest.sum()).mean())\n"
    assert errors(judged(text, tmp_path)) == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("s[:80].reshape(-1, 1), s[:80]", ["target-among-features"]),
        ("s[:79].reshape(-1, 1), s[1:80]", []),
        ("s[:80].reshape(-1, 1), table['price'].shift(-1).values[:80]", []),
        ("table['price'].rolling(3).mean().values[:80].reshape(-1, 1), s[:80]", []),
        ("np.array([s[i:i + 5] for i in range(75)]), np.array([s[i + 5] for i in range(75)])", []),
        ("table[['rooms', 'price']], table['price']", ["target-among-features"]),
    ],
)
def test_of_a_series_later_rows_are_asked_for(given: str, found: list[str], tmp_path: Path) -> None:
    """The same rows of the same column are the answer itself, alone and beside other columns."""
    text = TABLE + f"s = table['price'].values\nmodel = LinearRegression().fit({given})\n"
    assert errors(judged(text, tmp_path)) == found


def test_a_series_that_is_to_be_told_again_is_no_fault(tmp_path: Path) -> None:
    text = TABLE + "s = table['price'].values.reshape(-1, 1)\nmodel = LinearRegression().fit(s, s)\n"
    assert errors(judged(text, tmp_path)) == []


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("d, d", "undecided"),
        ("g, g", "undecided"),
        ("model.predict(b), model.predict(b)", "undecided"),
        ("y_true=d, y_pred=d", "undecided"),
        ("d, g", "right"),
        ("g, d", "right"),
    ],
)
def test_a_metric_of_a_thing_with_itself_measures_nothing(given: str, status: str, tmp_path: Path) -> None:
    text = TABLE + "from sklearn.metrics import confusion_matrix\na, b, c, d = train_test_split(x, y)\n"
    text += f"model = LinearRegression().fit(a, c)\ng = model.predict(b)\nprint('test', confusion_matrix({given}))\n"
    assert judged(text, tmp_path).status == status
    own = NAMED.replace("(t - g) ** 2", "(t - t) ** 2").replace("for t, g in zip(truth, guesses)", "for t in truth")
    assert judged(own, tmp_path).status != "right"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("plt.title('Test accuracy'); plt.plot(history.history['accuracy'], label='accuracy')", "nothing to judge"),
        ("plt.title(f'accuracy {grade(net)}')", "undecided"),
    ],
)
def test_what_is_written_on_a_drawing_measures_nothing(line: str, status: str, tmp_path: Path) -> None:
    text = TABLE + "from tensorflow import keras\nimport matplotlib.pyplot as plt\n"
    text += "" if status.startswith("no") else "from elsewhere import grade\n"
    text += "net = keras.Sequential([keras.layers.Dense(2)])\nnet.compile(loss='mse', metrics=['accuracy'])\n"
    assert judged(text + "history = net.fit(x, y)\n" + line + "\n", tmp_path).status == status


@pytest.mark.parametrize(
    ("error", "count", "status"),
    [("SyntaxError", 2, "nothing to judge"), ("", None, "nothing to judge"), ("", 2, "undecided")],
)
def test_a_cell_that_does_not_parse_and_never_ran_changes_nothing(
    error: str, count: int | None, status: str, tmp_path: Path
) -> None:
    """With a number and without an error it ran in another form, which nobody sees."""
    fitted = TABLE.partition("\n")[2] + "model = LinearRegression().fit(x, y)\n"
    outputs = [{"output_type": "error", "ename": error, "evalue": "", "traceback": []}] if error else []
    broken = "accuracy = (model.predict(x) == y).mean("
    cells = [
        {"cell_type": "code", "source": source, "execution_count": number, "outputs": shown}
        for source, number, shown in [(fitted, 1, []), (broken, count, outputs)]
    ]
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": cells}))
    assert audit_notebook(path).status == status


@pytest.mark.parametrize(
    ("middle", "error", "after", "status"),
    [
        ("def graded(m:\n    return m.score(b, d)", "SyntaxError", "print('test', graded(model))", "undecided"),
        ("def graded(m:\n    return m.score(b, d)", "SyntaxError", "print('test', model.score(b, d))", "right"),
        ("a, c = joined((a, c), (b, d)", "", "print('test', model.score(b, d))", "undecided"),
        ("a, c = joined((a, c), (b, d)", "SyntaxError", "print('test', model.score(b, d))", "right"),
        ("other = joined((a, c), (b, d)", "", "print('test', model.score(b, d))", "right"),
    ],
)
def test_a_cell_that_is_left_out_may_be_needed(
    middle: str, error: str, after: str, status: str, tmp_path: Path
) -> None:
    """Behind an error in its syntax it did nothing, but once it may have; without a number it may have run."""
    outputs = [{"output_type": "error", "ename": error, "evalue": "", "traceback": []}] if error else []
    start = TABLE.partition("\n")[2] + "a, b, c, d = train_test_split(x, y)\n"
    shown = [(start, 1, []), (middle, None, outputs), ("model = LinearRegression().fit(a, c)\n" + after, 3, [])]
    cells = [
        {"cell_type": "code", "source": source, "execution_count": number, "outputs": told}
        for source, number, told in shown
    ]
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": cells}))
    assert audit_notebook(path).status == status


@pytest.mark.parametrize(
    ("sampler", "found"),
    [
        ("under_sampling import NearMiss as", []),
        ("under_sampling import ClusterCentroids as", ["resampled-before-split"]),
        ("over_sampling import SMOTE as", ["resampled-before-split"]),
    ],
)
def test_rows_that_are_left_out_have_no_copies(sampler: str, found: list[str], tmp_path: Path) -> None:
    text = TABLE + f"from imblearn.{sampler} Balanced\nx, y = Balanced().fit_resample(x, y)\n"
    text += "a, b, c, d = train_test_split(x, y)\nprint('test', LinearRegression().fit(a, c).score(b, d))\n"
    assert errors(judged(text, tmp_path)) == found


def test_rows_that_may_be_drawn_again_have_copies(tmp_path: Path) -> None:
    text = TABLE + "from imblearn.under_sampling import RandomUnderSampler as Balanced\n"
    text += "x, y = Balanced(replacement=True).fit_resample(x, y)\na, b, c, d = train_test_split(x, y)\n"
    text += "print('test', LinearRegression().fit(a, c).score(b, d))\n"
    assert errors(judged(text, tmp_path)) == ["resampled-before-split"]
    assert errors(judged(text.replace("=True", "=False"), tmp_path)) == []


@pytest.mark.parametrize(
    ("maker", "found"),
    [
        ("datetime import DatetimeFeatures as", False),
        ("selection import DropFeatures as", False),
        ("timeseries.forecasting import LagFeatures as", False),
        ("encoding import OneHotEncoder as", False),
        ("encoding import MeanEncoder as", True),
        ("imputation import MeanMedianImputer as", True),
        ("outliers import Winsorizer as", True),
    ],
)
def test_transformers_that_learn_nothing_may_see_all_rows(maker: str, found: bool, tmp_path: Path) -> None:
    text = TABLE + f"from feature_engine.{maker} Changed\nx = Changed().fit_transform(table.drop(columns='price'))\n"
    text += "a, b, c, d = train_test_split(x, y)\nprint('test', LinearRegression().fit(a, c).score(b, d))\n"
    assert any(f.rule == "fitted-before-split" for f in judged(text, tmp_path).findings) == found


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ("known.shape[0]", False),
        ("len(known)", False),
        ("32", True),
        ("len(known.classes)", True),
        ("len(table)", True),
        ("table.shape[0]", True),
    ],
)
def test_a_batch_of_all_images_has_no_order(size: str, found: bool, tmp_path: Path) -> None:
    text = TABLE + "known = ImageFolder('pets/train')\nlearning = DataLoader(known, SIZE)\n".replace("SIZE", size)
    text += "asking = DataLoader(ImageFolder('pets/test'), 8)\n" + LOADERS
    told = [finding.rule for finding in judged(text, tmp_path).findings if finding.severity == "warning"]
    assert told == (["unshuffled-training"] if found else [])


@pytest.mark.parametrize(("states", "found"), [("initial_state=[h, c]", False), ("", True)])
def test_the_states_of_a_recurrent_layer_are_used_too(states: str, found: bool, tmp_path: Path) -> None:
    text = """# %%
from tensorflow.keras.layers import LSTM, Dense, Input
from tensorflow.keras.models import Model
heard, said = Input((None, 9)), Input((None, 9))
_, h, c = LSTM(8, return_state=True)(heard)
told, _, _ = LSTM(8, return_sequences=True, return_state=True)(said, STATES)
net = Model([heard, said], Dense(9, activation='softmax')(told))
""".replace(", STATES", f", {states}" if states else "")
    assert any(finding.rule == "unused-layer" for finding in judged(text, tmp_path).findings) == found


@pytest.mark.parametrize(("count", "found"), [("len(right)", []), ("how_many(right)", []), ("1", ["figure-changed"])])
def test_a_mean_of_the_means_of_batches_is_no_count(count: str, found: list[str], tmp_path: Path) -> None:
    """Right answers of a batch, divided there by how many it has: that over the batches is an average."""
    text = TABLE + "from elsewhere import how_many\ndef share(scores, labels):\n"
    text += f"    right = (scores.argmax(1) == labels).float()\n    return right.sum() / {count}\n"
    text += "learning, asking = DataLoader(ImageFolder('a'), 8, shuffle=True), DataLoader(ImageFolder('b'), 8)\n"
    ends = "hits += share(net(images), labels).item()\nprint('test accuracy', hits / len(asking))\n"
    text += LOADERS.partition("hits += ")[0] + ends
    assert errors(judged(text, tmp_path)) == found


def test_parts_of_a_data_set_of_texts_are_parts(tmp_path: Path) -> None:
    text = TABLE + "from torchtext.legacy import data, datasets\nknown, asked = datasets.IMDB.splits(None, None)\n"
    text += "known, held = known.split()\nlearning, asking = data.BucketIterator.splits((known, held), batch_size=8)\n"
    text += LOADERS.replace("for images, labels in", "for images, labels in")
    fine, wrong = judged(text, tmp_path), judged(text.replace("(known, held)", "(known, known)"), tmp_path)
    assert (fine.status, errors(fine), errors(wrong)) == ("right", [], ["evaluates-on-training-data"])


@pytest.mark.parametrize(("given", "found"), [("table[:80]", []), ("'x'", ["evaluates-on-training-data"])])
def test_a_folder_of_all_files_says_nothing_of_those_that_are_asked_for(
    given: str, found: list[str], tmp_path: Path
) -> None:
    """Two sets of one folder, each with rows of its own that name the files; or with the same word for both."""
    text = TABLE + "class Seen(Dataset):\n    def __init__(self, which, root='pets/'):\n        self.root = root\n"
    text += "        self.names = {k: v for k, v in zip(which.file, which.kind)}\n"
    text += "    def __len__(self):\n        return len(self.names)\n"
    text += "    def __getitem__(self, index):\n        return read(self.root + self.names[index])\n"
    other = given.replace(":80", "80:")
    text += f"learning, asking = DataLoader(Seen({given}), 8, shuffle=True), DataLoader(Seen({other}), 8)\n"
    assert errors(judged(text + LOADERS, tmp_path)) == found
