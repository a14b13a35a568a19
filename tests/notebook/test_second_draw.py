"""What further notebooks of strangers showed: said untruly at first, or not read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyproof.check.logs import read_log
from tinyproof.check.notebook import audit_notebook
from tinyproof.check.prose import read_claims

from .books import style, write
from .test_listed_folders import errors, judged

TORCH = "# %%\nimport torch\nfrom torch import nn\nfrom torch.utils.data import DataLoader, Dataset, TensorDataset\n"
DIGITS = "from torchvision import datasets, transforms\n" + "".join(
    f"{name} = datasets.MNIST('d', train={flag}, download=True, transform=transforms.ToTensor())\n"
    for name, flag in (("known", True), ("asked", False))
)
NET = """net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
"""
LEARN = """    for x, y in learning:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
"""
COUNT = """    hits = 0
    with torch.no_grad():
        for x, y in asking:
            hits += (net(x).argmax(dim=1) == y).sum().item()
    print('test accuracy', hits / len(asking.dataset))
"""
LOADERS = "learning, asking = DataLoader(known, 64, shuffle=True), DataLoader(asked, 64)\n"


def test_a_mend_that_brings_a_fault_of_its_own_is_none(tmp_path: Path) -> None:
    """eval() before the measuring loop, and no train() in the loop over epochs: later epochs learn in that mode."""
    text = TORCH + DIGITS + LOADERS + NET + "for epoch in range(3):\n" + LEARN + COUNT
    report = judged(text, tmp_path)
    told = [(f.rule, f.message.startswith("then also"), f.should_say) for f in report.findings if f.severity != "note"]
    assert told == [("evaluation-mode", False, "")]
    fixed = text.replace(LEARN, "    net.train()\n" + LEARN)
    (finding,) = [f for f in judged(fixed, tmp_path).findings if f.severity != "note"]
    assert finding.should_say.startswith("net.eval()\n")


@pytest.mark.parametrize(
    ("made", "criterion", "found"),
    [
        ("DataLoader(known, 64, shuffle=False)", "nn.MSELoss()", False),
        ("DataLoader(known, 64, shuffle=False)", "nn.CrossEntropyLoss()", True),
        ("DataLoader(known, 64)", "nn.MSELoss()", True),
    ],
)
def test_the_order_of_a_series_may_be_asked_for(made: str, criterion: str, found: bool, tmp_path: Path) -> None:
    text = TORCH + DIGITS + f"learning = {made}\n" + NET.replace("nn.CrossEntropyLoss()", criterion)
    rules = [finding.rule for finding in judged(text + "for epoch in range(3):\n" + LEARN, tmp_path).findings]
    assert ("unshuffled-training" in rules) == found


def test_a_log_may_say_accuracy_for_test() -> None:
    log = read_log([(1, "Accuracy for test  98.53 %"), (2, "Accuracy for class 3: 91.20 %")])
    assert [epoch.test_accuracy for run in log.runs for epoch in run.epochs if epoch.test_accuracy] == [98.53]


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        ("All are worse than the baseline test accuracy of 98.61 %", True),
        ("It outperforms our CNN baseline of 98.61 % accuracy", True),
        ("The baseline reaches a test accuracy of 98.61 %", False),
    ],
)
def test_a_figure_that_is_compared_with_is_another_runs(text: str, elsewhere: bool) -> None:
    (claim,) = read_claims("book.ipynb", [(1, text)])
    assert claim.elsewhere == elsewhere


TABLE = "import pandas as pd\nfrom sklearn.model_selection import train_test_split\ndf = pd.read_csv('films.csv')\n"
PARTS = "a, c, b, d = train_test_split(df.text, df.label, test_size=0.2)\n"
SENTENCES = """from transformers import BertTokenizerFast, BertForSequenceClassification, Trainer, TrainingArguments
tokenizer = BertTokenizerFast.from_pretrained('b')
class Films(Dataset):
    def __init__(self, encodings, labels):
        self.encodings, self.labels = encodings, labels
    def __len__(self):
        return len(self.labels)
    def __getitem__(self, i):
        item = {key: torch.tensor(value[i]) for key, value in self.encodings.items()}
        return item | {'labels': torch.tensor(self.labels[i])}
known, asked = Films(tokenizer(list(a)), list(b)), Films(tokenizer(list(c)), list(d))
trainer = Trainer(BertForSequenceClassification.from_pretrained('b'), TrainingArguments('o'),
    train_dataset=known, eval_dataset=asked)
trainer.train()
print(trainer.evaluate())
"""


@pytest.mark.parametrize(
    ("end", "right", "other"),
    [
        (
            "from sklearn.pipeline import make_pipeline\nfrom sklearn.feature_extraction.text import TfidfVectorizer\n"
            "from sklearn.svm import SVC\nnet = make_pipeline(TfidfVectorizer(), SVC()).fit(a, b)\n"
            "print('test', net.score(c, d))\n",
            "net.score(c, d)",
            "net.score(a, b)",
        ),
        (
            "from tensorflow import keras\nnet = keras.Sequential([keras.layers.TextVectorization(), "
            "keras.layers.Dense(2)])\nnet.fit(a, b)\nprint('test', net.evaluate(c, d))\n",
            "net.evaluate(c, d)",
            "net.evaluate(a, b)",
        ),
        (SENTENCES, "eval_dataset=asked", "eval_dataset=known"),
    ],
    ids=["sklearn", "keras", "transformers"],
)
def test_columns_by_their_attributes_are_rows(end: str, right: str, other: str, tmp_path: Path) -> None:
    fine = judged(TORCH + TABLE + PARTS + end, tmp_path)
    assert (fine.status, errors(fine)) == ("right", []), fine.problem
    assert "the held-out part of the file films.csv" in fine.checked[0]
    assert judged(TORCH + TABLE + PARTS + end.replace(right, other), tmp_path).status != "right"


def test_an_attribute_of_a_table_that_is_no_column_is_none(tmp_path: Path) -> None:
    text = TABLE + "a, b = train_test_split(df.columns)\nfrom sklearn.svm import SVC\nprint(SVC().fit(df.columns, a))\n"
    assert errors(judged("# %%\n" + text, tmp_path)) == []


def test_texts_that_are_encoded_one_by_one_are_the_rows_of_their_table(tmp_path: Path) -> None:
    data = """ids = []
for text in df.text.values:
    ids.append(tokenizer.encode_plus(text, return_tensors='pt')['input_ids'])
ids = torch.cat(ids, dim=0)
known, asked = torch.utils.data.random_split(TensorDataset(ids, torch.tensor(df.label.values)), [900, 100])
"""
    start = "from transformers import BertTokenizer\ntokenizer = BertTokenizer.from_pretrained('b')\n"
    text = TORCH + TABLE + start + data + LOADERS + NET + "for epoch in range(3):\n    net.train()\n" + LEARN
    report = judged(text + "    net.eval()\n" + COUNT, tmp_path)
    assert (report.status, errors(report)) == ("right", [])
    assert "the held-out part of the file films.csv" in report.checked[0]


@pytest.mark.parametrize(("data", "status"), [("asked", "right"), ("known", "wrong")])
def test_a_statement_that_is_timed_is_run(data: str, status: str, tmp_path: Path) -> None:
    measure = f"""def test_it(asking):
    net.eval()
    hits = 0
    with torch.no_grad():
        for x, y in asking:
            hits += (net(x).argmax(dim=1) == y).sum().item()
    return hits / len(asking.dataset)
test_loader = DataLoader({data}, 64)
%time share = test_it(test_loader)
print('test accuracy', share)
"""
    learn = "def learn(learning):\n    net.train()\n" + LEARN + "%time learn(DataLoader(known, 64, shuffle=True))\n"
    assert judged(TORCH + DIGITS + NET + learn + "# %%\n" + measure, tmp_path).status == status


@pytest.mark.parametrize(("data", "status"), [("asked", "right"), ("known", "wrong")])
def test_images_may_be_asked_for_one_by_one(data: str, status: str, tmp_path: Path) -> None:
    one_by_one = f"""net.eval()
hits = count = 0
test_loader = DataLoader({data}, 64)
for images, labels in test_loader:
    for i in range(len(labels)):
        with torch.no_grad():
            odds = torch.exp(net(images[i].view(1, 784)))
        odds = list(odds.numpy()[0])
        if labels.numpy()[i] == odds.index(max(odds)):
            hits += 1
        count += 1
print('Model Accuracy =', hits / count)
"""
    learn = "net.train()\nfor epoch in range(3):\n" + LEARN
    assert judged(TORCH + DIGITS + LOADERS + NET + learn + one_by_one, tmp_path).status == status


def test_a_metric_of_a_library_is_no_loss(tmp_path: Path) -> None:
    count = """net.eval()
from torchmetrics import Accuracy
score = Accuracy(task='multiclass', num_classes=10)
for x, y in asking:
    score(net(x).argmax(dim=1), y)
print('accuracy', score.compute().item())
"""
    report = judged(TORCH + DIGITS + LOADERS + NET + "net.train()\nif True:\n" + LEARN + count, tmp_path)
    assert report.checked[0].startswith("the accuracy is measured on the test set")


def test_a_loader_of_the_training_set_may_be_looked_at_before_the_test(tmp_path: Path) -> None:
    data = "".join(f"{n} = TensorDataset(torch.tensor(pd.read_csv('{n}.csv').values))\n" for n in ("known", "asked"))
    measure = """def measure(loader):
    net.eval()
    told, said = [], []
    for x, y in loader:
        told += list(y)
        said += list(net(x).argmax(dim=1))
    return told, said
from sklearn.metrics import classification_report
test_loader = DataLoader(known, 64)
x, y = measure(test_loader)
print(classification_report(x, y))
"""
    learn = "learning = DataLoader(known, 64, shuffle=True)\n" + NET + "net.train()\nfor epoch in range(3):\n" + LEARN
    again = measure.partition("test_loader")[2].replace("known", "asked")
    alone = judged(TORCH + "import pandas as pd\n" + data + learn + measure, tmp_path)
    assert errors(alone) == ["evaluates-on-training-data"]
    both = judged(TORCH + "import pandas as pd\n" + data + learn + measure + "test_loader" + again, tmp_path)
    assert (both.status, errors(both)) == ("right", [])


@pytest.mark.parametrize(
    ("book", "status", "problem"),
    [
        ("net.fit(X)  # accuracy later\n# print('the \"accuracy\"', net.score(X))\n", "nothing to judge", "a model is"),
        ("net.fit(X)\n'''\nWith an accuracy of some kind.\n'''\n", "nothing to judge", "a model is fitted"),
        ("net.fit(X)\nprint(net.score(X, y))\n", "undecided", ""),
        ("w = 0\nfor epoch in range(9):\n    w = w - slope(w)\nprint(w)\n", "nothing to judge", "nothing is measured"),
        ("print(sum(range(9)))\n", "nothing to judge", "nothing is trained and nothing measured"),
    ],
)
def test_remarks_measure_nothing(book: str, status: str, problem: str, tmp_path: Path) -> None:
    text = "# %%\nfrom sklearn.linear_model import LinearRegression\nX = load_my_rows()\nnet = LinearRegression()\n"
    report = judged((text if "net" in book else "# %%\n") + book, tmp_path)
    assert (report.status, problem in report.problem) == (status, True), report.problem


@pytest.mark.parametrize(
    ("given", "status"),
    [("test_size=0.2", "right"), ("seed=1).shuffle(seed=2).train_test_split(test_size=0.2", "right")],
)
def test_rows_of_a_generator_are_rows(given: str, status: str, tmp_path: Path) -> None:
    text = f"""# %%
from datasets import Dataset
from transformers import Trainer, TrainingArguments, AutoModelForTokenClassification
def lines():
    with open('words.txt') as file:
        yield from ({{'text': line}} for line in file)
parts = Dataset.from_generator(lines).train_test_split({given}).map(str)
trainer = Trainer(AutoModelForTokenClassification.from_pretrained('b'), TrainingArguments('o'),
    train_dataset=parts['train'], eval_dataset=parts['test'])
trainer.train()
print(trainer.evaluate())
"""
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == (status, [])


ARCHIVE = """import h5py
import numpy as np
class Kept(Dataset):
    def __init__(self, file, part=''):
        self.file = h5py.File(file, 'r')
        self.x, self.y = torch.from_numpy(np.array(self.file['x' + part])), np.array(self.file['y' + part])
    def __len__(self):
        return len(self.x)
    def __getitem__(self, i):
        return self.x[i], self.y[i]
"""


@pytest.mark.parametrize(
    ("made", "status"),
    [
        ("known, asked = Kept('learn.h5'), Kept('ask.h5')\n", "right"),
        ("known, asked = Kept('all.h5', '_train'), Kept('all.h5', '_test')\n", "right"),
        ("known, asked = Kept('all.h5'), Kept('all.h5')\n", "wrong"),
    ],
)
def test_arrays_of_an_archive_lie_beside_each_other(made: str, status: str, tmp_path: Path) -> None:
    text = TORCH + ARCHIVE + made + LOADERS + NET + "for epoch in range(3):\n    net.train()\n" + LEARN
    assert judged(text + "    net.eval()\n" + COUNT, tmp_path).status == status


LAZY = """import h5py
class Cells(Dataset):
    def __init__(self, x_path, y_path, part='', transform=None):
        self.x_path, self.y_path, self.part, self.transform = x_path, y_path, part, transform
        with h5py.File(x_path, 'r') as file:
            self.length = file['x' + part].shape[0]
    def __len__(self):
        return self.length
    def __getitem__(self, i):
        with h5py.File(self.x_path, 'r') as x, h5py.File(self.y_path, 'r') as y:
            return torch.tensor(x['x' + self.part][i]), int(y['y' + self.part][i])
"""


@pytest.mark.parametrize(
    ("made", "status"),
    [
        ("known, asked = Cells('d/train_x.h5', 'd/train_y.h5'), Cells('d/test_x.h5', 'd/test_y.h5')\n", "right"),
        ("known, asked = Cells('d/x.h5', 'd/y.h5'), Cells('d/x.h5', 'd/y.h5')\n", "wrong"),
        ("known, asked = Cells('d/x.h5', 'd/y.h5', 'a'), Cells('d/x.h5', 'd/y.h5', 'b')\n", "undecided"),
        ("known, asked = Cells(somewhere, 'd/y.h5'), Cells(elsewhere, 'd/y.h5')\n", "undecided"),
    ],
)
def test_a_file_that_is_opened_for_each_row_is_known_by_its_path(made: str, status: str, tmp_path: Path) -> None:
    text = TORCH + LAZY + made + LOADERS + NET + "for epoch in range(3):\n    net.train()\n" + LEARN
    assert judged(text + "    net.eval()\n" + COUNT, tmp_path).status == status


@pytest.mark.parametrize(("second", "status"), [("X[800:], y[800:]", "right"), ("X[600:], y[600:]", "wrong")])
def test_windows_of_a_series_are_cut_as_they_are(second: str, status: str, tmp_path: Path) -> None:
    text = f"""# %%
import numpy as np
import pandas as pd
from sklearn.svm import SVR
def windows(x, size):
    a, b = [], []
    for i in range(0, len(x) - size, 10):
        a.append(x[i:i + size])
        b.append(x[i + size])
    return a, b
X, y = windows(pd.read_csv('share.csv')['close'].values, 5)
model = SVR().fit(X[:800], y[:800])
print('test', model.score({second}))
"""
    assert judged(text, tmp_path).status == status


@pytest.mark.parametrize(("train", "found"), [("83.90", False), ("78.10", True)])
def test_dead_classes_answer_no_training_images_either(train: str, found: bool, tmp_path: Path) -> None:
    log = "\n".join(f"epoch {i} train_accuracy={train}% test_accuracy=78.5{i % 2}%" for i in range(1, 9))
    cells = [{"cell_type": "code", "metadata": {}, "execution_count": 1, "source": TORCH + DIGITS, "outputs": []}]
    output = [{"output_type": "stream", "name": "stdout", "text": log}]
    cells.append({**cells[0], "execution_count": 2, "source": "run(known, asked)", "outputs": output})
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    rules = [finding.rule for finding in audit_notebook(tmp_path / "b.ipynb").findings]
    assert ("accuracy-plateau" in rules) == found


def test_the_step_of_an_engine_that_is_not_known_may_be_a_step(tmp_path: Path) -> None:
    text = TORCH + DIGITS + LOADERS + NET + "engine = Engine(net, optimizer)\nfor epoch in range(3):\n" + LEARN
    rules = [f.rule for f in judged(text.replace("optimizer.step()", "engine.step()"), tmp_path).findings]
    assert "never-updated" not in rules
    rules = [f.rule for f in judged(text.replace("        optimizer.step()\n", ""), tmp_path).findings]
    assert "never-updated" in rules


@pytest.mark.parametrize(("turns", "found"), [(1, False), (2, True)])
def test_a_gradient_that_is_taken_once_may_be_one_to_look_at(turns: int, found: bool, tmp_path: Path) -> None:
    look = f"x, y = next(iter(learning))\nfor turn in range({turns}):\n    loss = criterion(net(x), y)\n"
    text = TORCH + DIGITS + LOADERS + NET + look + "    loss.backward()\n    print(net[1].weight.mean())\n"
    assert ("never-updated" in [f.rule for f in judged(text, tmp_path).findings]) == found


KEPT = (
    "best = 0\nfor epoch in range(3):\n    net.train()\n{learn}    net.eval()\n"
    + COUNT
    + ("    if hits > best:\n        best = hits\n        champion = net\n")
)


@pytest.mark.parametrize(
    ("learn", "after", "found"),
    [
        (LEARN, "champion.eval()\nprint(champion(asked[0][0]))\n", True),
        (LEARN, "print('done')\n", False),
        ("", "champion.eval()\nprint(champion(asked[0][0]))\n", False),
    ],
    ids=["used", "never used", "never learns"],
)
def test_a_network_under_two_names_is_told_where_it_matters(
    learn: str, after: str, found: bool, tmp_path: Path
) -> None:
    text = TORCH + DIGITS + LOADERS + NET + KEPT.format(learn=learn) + after
    assert ("best-not-copied" in [f.rule for f in judged(text, tmp_path).findings]) == found


@pytest.mark.parametrize(
    ("picked", "found"), [("df", True), ("df.loc[:, wanted]", False), ("df.drop(columns=['left'])", False)]
)
def test_columns_that_are_not_known_are_not_accused(picked: str, found: bool, tmp_path: Path) -> None:
    text = (
        f"# %%\n{TABLE}X, y = {picked}, df['left']\na, c, b, d = train_test_split(X, y)\n"
        "from sklearn.svm import SVC\nnet = SVC().fit(a, b)\nprint('test', net.score(c, d))\n"
    )
    assert ("target-among-features" in [f.rule for f in judged(text, tmp_path).findings]) == found


def test_styles_that_are_right_stay_right(tmp_path: Path) -> None:
    assert audit_notebook(write(style("functions"), tmp_path, "S7.ipynb")).status == "right"
