"""Ways of working that were met outside the course: tables of collected files, JAX, Lightning, answers in lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyproof.check.finding import CodePlace, FileReport
from tinyproof.check.notebook import audit_notebook

from .books import write

TORCH = """# %%
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split
from torchvision import datasets, transforms
from sklearn.metrics import accuracy_score
torch.manual_seed(4)
"""
LEARN = """
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters())
for epoch in range(2):
    for x, y in learning:
        scores = net(x)
        loss = F.cross_entropy(scores, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
"""
COUNT = """
hits = total = 0
with torch.no_grad():
    for x, y in asking:
        answer = net(x)
        guess = answer.argmax(dim=1)
        hits += (guess == y).sum().item()
        total += len(y)
print('test accuracy', hits / total)
"""
TABLE = (
    TORCH
    + """
import os
import pandas as pd
files, kinds = [], []
for kind in os.listdir('flowers'):
    for file in os.listdir(f'flowers/{kind}'):
        files.append(f'flowers/{kind}/{file}')
        kinds.append(kind)
table = pd.DataFrame(zip(files, kinds), columns=['file', 'kind'])
most = table.sample(frac=0.8, random_state=1)
rest = table.drop(most.index)
class Flowers(Dataset):
    def __init__(self, table):
        self.table = table
    def __getitem__(self, i):
        return read(self.table.iloc[i, 0]), self.table.iloc[i, 1]
learning = DataLoader(Flowers(most), batch_size=16, shuffle=True)
asking = DataLoader(Flowers(rest), batch_size=16)
"""
    + LEARN
    + COUNT
)
DIGITS = (
    TORCH
    + """
learning = DataLoader(datasets.MNIST('d', transform=transforms.ToTensor()), batch_size=64, shuffle=True)
asking = DataLoader(datasets.MNIST('d', train=False, transform=transforms.ToTensor()), batch_size=500)
"""
    + LEARN
    + COUNT
)
ROWS = (
    TORCH
    + """
from sklearn.datasets import load_wine
x, y = load_wine(return_X_y=True)
rows = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
most, rest = random_split(rows, [140, 38])
learning = DataLoader(most, batch_size=10, shuffle=True)
asking = DataLoader(rest, batch_size=10)
"""
    + LEARN
    + COUNT
)
JAX = """# %%
import jax
import jax.numpy as jnp
from keras.datasets import mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()
weights = jax.random.normal(jax.random.PRNGKey(0), (784, 10))
def scores(weights, x):
    return jax.nn.log_softmax(jnp.dot(x.reshape(-1, 784), weights))
def loss(weights, x, y):
    return -jnp.mean(jnp.sum(scores(weights, x) * jax.nn.one_hot(y, 10), axis=1))
@jax.jit
def step(weights, x, y):
    return weights - 0.1 * jax.grad(loss)(weights, x, y)
def accuracy(weights, x, y):
    return jnp.mean(jnp.argmax(scores(weights, x), axis=1) == y)
for epoch in range(20):
    weights = step(weights, x_train, y_train)
print('test accuracy', accuracy(weights, x_test, y_test))
"""
FLAX = """# %%
import jax, optax
import jax.numpy as jnp
import tensorflow_datasets as tfds
from flax import linen as nn
from flax.training import train_state
class Small(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(nn.relu(nn.Dense(30)(x.reshape((x.shape[0], -1)))))
net = Small()
key = jax.random.PRNGKey(2)
state = train_state.TrainState.create(
    apply_fn=net.apply, params=net.init(key, jnp.ones((1, 28, 28, 1)))['params'], tx=optax.adam(1e-3))
@jax.jit
def learn(state, batch):
    def loss(params):
        scores = state.apply_fn({'params': params}, batch['image'])
        return optax.softmax_cross_entropy_with_integer_labels(scores, batch['label']).mean()
    return state.apply_gradients(grads=jax.grad(loss)(state.params))
@jax.jit
def share(params, batch):
    return jnp.mean(jnp.argmax(net.apply({'params': params}, batch['image']), -1) == batch['label'])
pictures = tfds.load('mnist', split='train').batch(64)
others = tfds.load('mnist', split='test').batch(64)
for epoch in range(3):
    for batch in tfds.as_numpy(pictures):
        state = learn(state, batch)
    shares = [share(state.params, batch) for batch in tfds.as_numpy(others)]
    print('test accuracy', jnp.mean(jnp.array(shares)))
"""
SOFTMAX = "nn.softmax(nn.Dense(10)(x.reshape((x.shape[0], -1))))"
BY_A_NUMBER = "jnp.sum(jnp.argmax(scores(weights, x), axis=1) == y) / 9000"
LIGHTNING = """# %%
import pandas as pd
import pytorch_lightning as pl
import torch.nn.functional as F
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset
pl.seed_everything(1)
class Leaves(Dataset):
    def __init__(self, file):
        self.table = pd.read_csv(file)
    def __getitem__(self, i):
        return picture(self.table.iloc[i, 0]), self.table.iloc[i, 1]
class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(100, 3)
    def forward(self, x):
        return self.last(x)
    def training_step(self, batch, i):
        x, y = batch
        return F.cross_entropy(self(x), y)
    def validation_step(self, batch, i):
        x, y = batch
        self.log('val_acc', (self(x).argmax(dim=1) == y).float().mean())
    def configure_optimizers(self):
        return optim.Adam(self.parameters())
train, valid, test = (DataLoader(Leaves(f'leaves/{part}.csv'), shuffle=part == 'train') for part in PARTS)
"""
LEAVES = LIGHTNING.replace(
    "train, valid, test = (DataLoader(Leaves(f'leaves/{part}.csv'), shuffle=part == 'train') for part in PARTS)",
    "train = DataLoader(Leaves('leaves/train.csv'), shuffle=True)\n"
    "valid = DataLoader(Leaves('leaves/valid.csv'))\ntest = DataLoader(Leaves('leaves/test.csv'))\n"
    "best = ModelCheckpoint(monitor='val_acc', mode='max')\n"
    "trainer = pl.Trainer(max_epochs=9, callbacks=[best])\ntrainer.fit(Net(), train, valid)",
)


def judged(text: str, folder: Path, *edits: tuple[str, str]) -> FileReport:
    for right, other in edits:
        assert text.count(right) == 1, right
        text = text.replace(right, other)
    return audit_notebook(write(text, folder))


def rules(report: FileReport) -> set[str]:
    return {finding.rule for finding in report.findings if finding.severity != "note"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TABLE, "on the rest of the folder flowers"),
        (ROWS, "on the held-out part of the data set wine"),
        (DIGITS, "the accuracy is measured on the test set"),
        (JAX, "the comparison of guesses with labels: on the test set"),
        (FLAX, "on the test set"),
        (LEAVES, "`validation_step`: on the file leaves/valid.csv"),
    ],
    ids=["table", "rows", "digits", "jax", "flax", "lightning"],
)
def test_a_right_notebook_is_told_what_it_measured(text: str, line: str, tmp_path: Path) -> None:
    report = judged(text, tmp_path)
    assert (report.status, rules(report)) == ("right", set()), (report.problem, report.findings)
    assert any(line in checked for checked in report.checked), report.checked


@pytest.mark.parametrize(
    ("text", "edit", "rule"),
    [
        (TABLE, ("Flowers(rest)", "Flowers(most)"), "evaluates-on-training-data"),
        (ROWS, ("DataLoader(rest", "DataLoader(most"), "evaluates-on-training-data"),
        (JAX, ("step(weights, x_train, y_train)", "step(weights, x_test, y_test)"), "evaluates-on-training-data"),
        (FLAX, ("split='train'", "split='test'"), "evaluates-on-training-data"),
        (FLAX, ("nn.Dense(10)(nn.relu(nn.Dense(30)(x.reshape((x.shape[0], -1)))))", SOFTMAX), "double-softmax"),
        (JAX, ("jnp.mean(jnp.argmax(scores(weights, x), axis=1) == y)", BY_A_NUMBER), "figure-changed"),
        (LEAVES, ("Net(), train, valid)", "Net(), train, test)"), "test-set-chooses"),
        (DIGITS, ("guess = answer.argmax", "guess = scores.argmax"), "answers-of-another-batch"),
        (ROWS, ("guess = answer.argmax", "guess = scores.argmax"), "answers-of-another-batch"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_a_fault_in_it_is_named(text: str, edit: tuple[str, str], rule: str, tmp_path: Path) -> None:
    report = judged(text, tmp_path, edit)
    assert rule in {finding.rule for finding in report.findings}, (report.status, report.findings)


def test_stale_answers_are_named_where_they_are_compared(tmp_path: Path) -> None:
    report = judged(DIGITS, tmp_path, ("guess = answer.argmax", "guess = scores.argmax"))
    (finding,) = [f for f in report.findings if f.rule == "answers-of-another-batch"]
    assert (report.status, report.checked) == ("wrong", ())
    assert isinstance(finding.place, CodePlace)
    assert "hits += (guess == y)" in finding.says


@pytest.mark.parametrize(
    "edit",
    [
        ("answer = net(x)\n        guess = answer.argmax", "scores = net(x)\n        guess = scores.argmax"),
        ("        guess = answer", "        close = (scores[:1] == answer[:1]).all()\n        guess = answer"),
    ],
    ids=["the same name, given anew", "two answers compared with each other"],
)
def test_answers_under_an_old_name_are_not_stale(edit: tuple[str, str], tmp_path: Path) -> None:
    assert rules(judged(DIGITS, tmp_path, edit)) == set()


SIX = (
    "asking = DataLoader(datasets",
    "learning = DataLoader(Subset(learning.dataset, [i for i, y in enumerate(learning.dataset.targets) if y < 6]))\n"
    "asking = DataLoader(datasets",
)


def test_a_network_for_some_of_the_classes_is_not_too_narrow(tmp_path: Path) -> None:
    narrow = ("nn.Linear(32, 10)", "nn.Linear(32, 6)")
    assert "output-width" in rules(judged(DIGITS, tmp_path / "all", narrow))
    assert "output-width" not in rules(judged(DIGITS, tmp_path / "some", narrow, SIX))
    ten = ("asking = DataLoader(datasets", "learning.dataset.targets[3] = 5\nasking = DataLoader(datasets")
    assert "output-width" not in rules(judged(DIGITS, tmp_path / "relabelled", narrow, ten))


def test_a_metric_that_the_training_loop_fed_measures_no_test_set(tmp_path: Path) -> None:
    text = """# %%
import tensorflow as tf
(a, b), (c, d) = tf.keras.datasets.mnist.load_data()
net = tf.keras.Sequential([tf.keras.layers.Dense(10)])
share = tf.keras.metrics.SparseCategoricalAccuracy()
net.fit(a, b)
print('test accuracy', share(d, net.predict(c)))
"""
    loop = "for x, y in tf.data.Dataset.from_tensor_slices((a, b)).batch(9):\n    print(share(y, net(x)))\nprint('test"
    assert judged(text, tmp_path / "own").status == "right"
    assert judged(text, tmp_path / "fed", ("print('test", loop)).status != "right"


def test_a_module_below_src_is_found_and_a_script_is_not_the_library_it_uses(tmp_path: Path) -> None:
    moved = DIGITS.replace("from torchvision", "from tools.loop import count\nfrom torchvision").replace(COUNT, "")
    body = COUNT.strip().replace("\n", "\n    ")
    inner = "import torch\ndef count(net, asking):\n    " + body
    (tmp_path / "src" / "tools").mkdir(parents=True)
    (tmp_path / "src" / "tools" / "loop.py").write_text(inner)
    (tmp_path / "README.md").write_text("A small study.")
    (tmp_path / "pytorch_lightning.py").write_text("import pytorch_lightning as pl\nprint(pl)\n")
    assert judged(moved + "\ncount(net, asking)\n", tmp_path).status == "right"
    assert judged(LEAVES, tmp_path).status == "right"


@pytest.mark.parametrize(
    "line",
    [
        "print('CORRECT: the gradients were cleared')  # the accuracy is another matter",
        "top_k_scores, top_k_places = torch.topk(torch.rand(9), k=3)",
        "mse = ((torch.rand(3) - 1) ** 2).mean()",
        "from mpl_toolkits.mplot3d import Axes3D",
        "import some_plots_of_mine",
    ],
)
def test_a_tutorial_that_measures_nothing_is_nothing_to_judge(line: str, tmp_path: Path) -> None:
    report = judged(f"# %%\nimport torch\n{line}\nprint(torch.ones(3))\n", tmp_path)
    assert report.status == "nothing to judge", report.problem


@pytest.mark.parametrize(
    "line", ["correct = (guess == y).sum()", "print('accuracy', f(x))", "net.fit(x, y)", "import mine\nmine.train(9)"]
)
def test_where_something_may_be_measured_it_is_not(line: str, tmp_path: Path) -> None:
    assert judged(f"# %%\nimport torch\nimport mine\n{line}\n", tmp_path).status == "undecided"


def test_a_call_of_a_framework_that_is_not_imported_is_the_reason(tmp_path: Path) -> None:
    text = "# %%\nlearn = vision_learner(dls, resnet18)\nlearn.fit_one_cycle(2)\nprint('accuracy', 1)\n"
    assert "`fit_one_cycle` is a call of fastai" in judged(text, tmp_path).problem
    own = "# %%\ndef cross_val_score(a): return a\nprint('accuracy', cross_val_score(2))\n"
    assert "not imported" not in judged(own, tmp_path).problem


FOLDER = (
    TORCH
    + """
from torchvision.datasets import ImageFolder
pictures = ImageFolder('leaves', transform=transforms.ToTensor())
count = int(0.8 * len(pictures))
most, rest = random_split(pictures, [count, len(pictures) - count])
learning = DataLoader(most, batch_size=10, shuffle=True)
asking = DataLoader(rest, batch_size=10)
"""
    + LEARN
    + COUNT
)
PLACES = FOLDER.replace(
    "most, rest = random_split(pictures, [count, len(pictures) - count])",
    "places = torch.randperm(len(pictures))\n"
    "most, rest = Subset(pictures, places[:count]), Subset(pictures, places[count:])",
)
LISTED = DIGITS.replace(
    "        answer = net(x)\n        guess = answer.argmax(dim=1)\n        hits += (guess == y).sum().item()\n"
    "        total += len(y)\nprint('test accuracy', hits / total)",
    "        said.extend(net(x).argmax(dim=1).cpu().numpy())\n        true.extend(y.numpy())\n"
    "share = accuracy_score(true, said)\nprint('test accuracy', share)",
).replace("hits = total = 0", "said, true = [], []")
FOLDS = """# %%
import numpy as np
from tensorflow import keras
(x, y), (x_test, y_test) = keras.datasets.boston_housing.load_data()
size = len(x) // 5
for i in range(5):
    x_held, y_held = x[i * size:(i + 1) * size], y[i * size:(i + 1) * size]
    x_rest = np.concatenate([x[:i * size], x[(i + 1) * size:]])
    y_rest = np.concatenate([y[:i * size], y[(i + 1) * size:]])
    net = keras.Sequential([keras.layers.Dense(9, activation='relu'), keras.layers.Dense(1)])
    net.compile('adam', 'mse', metrics=['mae'])
    net.fit(x_rest, y_rest, epochs=9, validation_data=(x_held, y_held))
    print('validation', net.evaluate(x_held, y_held))
"""
THRICE = LEAVES + "trainer.test(dataloaders=train, model=net)\ntrainer.test(dataloaders=test, model=net)\n"
THRICE = THRICE.replace("trainer.fit(Net(), train", "net = Net()\ntrainer.fit(net, train").replace(
    "    def configure", "    def test_step(self, batch, i):\n        self.validation_step(batch, i)\n    def configure"
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (FOLDER, "on the held-out part of the folder leaves"),
        (PLACES, "on a part of the folder leaves"),
        (LISTED, "the accuracy is measured on the test set"),
        (FOLDS, "`evaluate(x_held, y_held)`: on the held-out part of the training set"),
        (THRICE, "`test_step`: on the file leaves/test.csv"),
    ],
    ids=["folder", "places", "listed", "folds", "thrice"],
)
def test_parts_drawn_picked_and_left_out_are_told_apart(text: str, line: str, tmp_path: Path) -> None:
    report = judged(text, tmp_path)
    assert (report.status, rules(report)) == ("right", set()), (report.problem, report.findings)
    assert any(line in checked for checked in report.checked), report.checked


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        (FOLDER, ("DataLoader(rest", "DataLoader(most")),
        (FOLDER, ("DataLoader(most", "DataLoader(pictures")),
        (PLACES, ("places[count:]", "places[:count]")),
        (LISTED, ("train=False", "train=True")),
        (FOLDS, ("net.fit(x_rest, y_rest", "net.fit(x, y")),
        (THRICE, ("net, train, valid)", "net, test, valid)")),
    ],
    ids=["folder", "all of it", "places", "listed", "folds", "thrice"],
)
def test_rows_that_were_learned_from_are_named_once(text: str, edit: tuple[str, str], tmp_path: Path) -> None:
    report = judged(text, tmp_path, edit)
    found = [finding for finding in report.findings if finding.rule == "evaluates-on-training-data"]
    assert report.status == "wrong", report.findings
    assert len(found) == 1 or text is FOLDS, found


def test_scaling_before_a_split_of_the_training_part_is_no_fault(tmp_path: Path) -> None:
    text = """# %%
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
x, y = load_wine(return_X_y=True)
x_most, x_test, y_most, y_test = train_test_split(x, y, random_state=1)
scaler = StandardScaler()
x_most = scaler.fit_transform(x_most)
x_a, x_b, y_a, y_b = train_test_split(x_most, y_most, random_state=2)
figures = []
for c in (0.1, 1, 10):
    figures.append(LogisticRegression(C=c).fit(x_a, y_a).score(x_b, y_b))
best = (0.1, 1, 10)[figures.index(max(figures))]
model = LogisticRegression(C=best).fit(x_most, y_most)
print('test accuracy', model.score(scaler.transform(x_test), y_test))
"""
    assert rules(judged(text, tmp_path)) == set()
    before = ("x_most = scaler.fit_transform(x_most)", "x_most = scaler.fit(x).transform(x_most)")
    assert "fitted-before-split" in rules(judged(text, tmp_path / "all", before))


def test_what_is_wished_for_is_no_claim_of_a_tutorial(tmp_path: Path) -> None:
    text = "# %% [markdown]\nYou should reach an accuracy above 80% with a little work.\n# %%\nimport six\nprint(1)\n"
    assert judged(text, tmp_path).status == "nothing to judge"


COLUMNS = """# %%
import pandas as pd
import pylab
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
table = pd.read_csv('cars.csv')
x, y = table.drop('sold', axis=1), table['sold']
change = ColumnTransformer([('names', OneHotEncoder(), ['make', 'colour'])], remainder='passthrough')
x = change.fit_transform(x)
x_most, x_test, y_most, y_test = train_test_split(x, y, random_state=1)
model = RandomForestClassifier(random_state=1).fit(x_most, y_most)
print('test accuracy', model.score(x_test, y_test))
"""


def test_columns_of_names_may_be_encoded_before_the_split_and_numbers_not_be_scaled(tmp_path: Path) -> None:
    assert rules(judged(COLUMNS, tmp_path / "names")) == set()
    scaled = ("['make', 'colour'])]", "['make', 'colour']), ('size', StandardScaler(), ['doors'])]")
    assert rules(judged(COLUMNS, tmp_path / "numbers", scaled)) == {"fitted-before-split"}


def test_both_parts_of_a_library_set_become_arrays_at_once(tmp_path: Path) -> None:
    both = FLAX
    for old, new in (
        ("pictures = tfds.load('mnist', split='train').batch(64)", "digits = tfds.as_numpy(tfds.load('mnist'))"),
        ("others = tfds.load('mnist', split='test').batch(64)", "pictures, others = digits['train'], digits['test']"),
        ("tfds.as_numpy(pictures)", "[pictures]"),
        ("tfds.as_numpy(others)", "[others]"),
    ):
        assert old in both
        both = both.replace(old, new)
    assert judged(both, tmp_path).status == "right"


LEARNING_ONLY = (
    LEARN.replace(
        "        opt.step()\n",
        "        opt.step()\n        shares.append((scores.argmax(1) == y).float().mean().item())\n",
    )
    .replace("for epoch", "shares = []\nfor epoch")
    .replace("net.eval()\n", "print('accuracy', sum(shares) / len(shares))\n")
)


@pytest.mark.parametrize("text", [DIGITS, ROWS], ids=["images", "rows"])
def test_an_accuracy_of_the_batches_that_are_learned_from_is_no_measurement(text: str, tmp_path: Path) -> None:
    only = text.replace(LEARN, LEARNING_ONLY).replace(COUNT, "")
    report = judged(only, tmp_path / "only")
    assert (report.status, report.problem[:40]) == ("nothing to judge", "the accuracy is that of the batches that"), (
        report
    )
    assert judged(only + "print('test accuracy', ask(net))\n", tmp_path / "more").status == "undecided"


BY_INDEX = """# %%
import numpy as np
import torch
import torch.nn.functional as F
torch.manual_seed(1)
def parts(file):
    held = np.load(file, allow_pickle=True).item()
    return np.array(held['pictures']), np.array(held['kinds'])
x_most, y_most = parts('d/train.npy')
x_rest, y_rest = parts('d/val.npy')
net = torch.nn.Linear(784, 2)
opt = torch.optim.SGD(net.parameters(), 0.1)
def learn():
    hits = 0
    for i in range(0, len(y_most), 50):
        x, y = torch.from_numpy(x_most[i:i + 50]).float(), torch.from_numpy(y_most[i:i + 50])
        scores = net(x)
        loss = F.cross_entropy(scores, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        hits += (scores.argmax(1) == y).sum().item()
    return hits / len(y_most)
def ask():
    hits = 0
    with torch.no_grad():
        for i in range(0, len(y_rest), 50):
            x, y = torch.from_numpy(x_rest[i:i + 50]).float(), torch.from_numpy(y_rest[i:i + 50])
            hits += (net(x).argmax(1) == y).sum().item()
    return hits / len(y_rest)
for epoch in range(3):
    print(learn(), ask())
"""


def test_parts_kept_in_two_archives_are_told_apart_by_their_files(tmp_path: Path) -> None:
    report = judged(BY_INDEX, tmp_path)
    assert (report.status, report.findings) == ("right", ()), (report.problem, report.findings)
    assert any("the pictures of the file d/val.npy" in line for line in report.checked), report.checked


@pytest.mark.parametrize("line", ["cd /content/drive/My Drive/leaves", "pip install timm", "ls -l data"])
def test_shell_words_without_a_sign_are_no_code_that_was_not_read(line: str, tmp_path: Path) -> None:
    text = DIGITS.replace("torch.manual_seed(4)\n", f"torch.manual_seed(4)\n# %%\n{line}\n# %%\n")
    assert judged(text, tmp_path / "trained").status == "right"
    assert judged(f"# %%\n{line}\n# %%\nprint(1)\n", tmp_path / "nothing").status == "nothing to judge"
    assert judged("# %%\ncd = = 3\n", tmp_path / "broken").status == "undecided"


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"kernelspec": {"language": "C#", "name": ".net-csharp"}}, "undecided"),
        ({"language_info": {"name": "R"}}, "undecided"),
        ({"kernelspec": {"language": "python"}}, "nothing to judge"),
        ({"kernelspec": 3, "language_info": {"name": 7}}, "nothing to judge"),
        ([], "nothing to judge"),
    ],
)
def test_another_language_is_named_and_not_judged(metadata: object, status: str, tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": "x = 1\nprint(x)", "outputs": [], "execution_count": 1, "metadata": {}}
    book = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path = tmp_path / "other.ipynb"
    path.write_text(json.dumps(book))
    report = audit_notebook(path)
    assert report.status == status
    if status == "undecided":
        assert "is written in " in report.problem
