"""Sets that hand on others or are taken as arrays, losses within a network, settings that are searched for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.notebook.rules.counted_figures import can_be

from .test_listed_folders import errors, judged

WRAPPED = """# %%
import evaluate
import numpy as np
from torch.utils.data import Dataset
from torchvision.datasets import Flowers102
from transformers import AutoModelForImageClassification, Trainer, TrainingArguments
class Shown(Dataset):
    def __init__(self, inner, change):
        self.inner, self.change = inner, change
    def __len__(self):
        return len(self.inner)
    def __getitem__(self, place):
        picture, kind = self.inner[place]
        return {'pixel_values': self.change(picture), 'labels': kind}
learning = Shown(Flowers102('d', split='train'), np.asarray)
asking = Shown(Flowers102('d', split='val'), np.asarray)
def right(said):
    return {'accuracy': (np.argmax(said[0], axis=1) == said[1]).mean()}
net = AutoModelForImageClassification.from_pretrained('vit', num_labels=102)
trainer = Trainer(model=net, args=TrainingArguments('o', seed=3), train_dataset=learning, eval_dataset=asking)
trainer.train()
print(trainer.evaluate())
"""


def test_a_set_that_hands_on_another_holds_its_rows(tmp_path: Path) -> None:
    report = judged(WRAPPED, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    assert "the validation set" in report.checked[0]
    wrong = judged(WRAPPED.replace("split='val'", "split='train'"), tmp_path)
    assert errors(wrong) == ["evaluates-on-training-data"]


@pytest.mark.parametrize(
    ("old", "new"), [("self.inner[place]", "self.inner[place % 9]"), ("len(self.inner)", "len(self.inner) // 2")]
)
def test_a_set_that_hands_on_some_of_another_is_not_said_to_hold_it(old: str, new: str, tmp_path: Path) -> None:
    report = judged(WRAPPED.replace(old, new), tmp_path)
    assert not any("the validation set" in line for line in report.checked)


QUIET = """# %%
import numpy as np, torch, torch.nn as nn
torch.manual_seed(8)
waves = np.loadtxt('waves.csv')
net = nn.Linear(1, 1)
optimizer = torch.optim.Adam(net.parameters())
measure = nn.MSELoss()
x, y = torch.tensor(waves[:, :1]).float(), torch.tensor(waves[:, 1:]).float()
for step in range(300):
    optimizer.zero_grad()
    loss = measure(net(x[:800]), y[:800])
    loss.backward()
    optimizer.step()
    test_loss = measure(net(x[800:]), y[800:])
    print(f'train loss {loss.item():.4f} test loss {test_loss.item():.4f}')
"""


def test_a_loss_on_other_rows_is_measured_also_where_gradients_are_kept(tmp_path: Path) -> None:
    report = judged(QUIET, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    assert "a part of the file waves.csv" in report.checked[0]


def test_a_loss_of_which_a_gradient_is_taken_measures_nothing(tmp_path: Path) -> None:
    text = QUIET.replace("    print(", "    test_loss.backward()\n    optimizer.step()\n    print(")
    report = judged(text, tmp_path)
    assert report.status != "right"
    assert not report.checked


SEARCH = """# %%
import optuna, torch, torch.nn as nn
import pandas as pd
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(9)
table = pd.read_csv('beans.csv')
X, y = table.drop(columns='kind').values, table['kind'].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=1)
def tried(trial):
    net = nn.Sequential(nn.Linear(16, trial.suggest_int('wide', 8, 64)), nn.ReLU(), nn.LazyLinear(7))
    optimizer = torch.optim.Adam(net.parameters(), lr=trial.suggest_float('rate', 1e-4, 1e-1, log=True))
    learning = DataLoader(TensorDataset(torch.tensor(X_train), torch.tensor(y_train)), 32, shuffle=True)
    test_loader = DataLoader(TensorDataset(torch.tensor(X_test), torch.tensor(y_test)), 64)
    for a, b in learning:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        optimizer.step()
    net.eval()
    right = 0
    with torch.no_grad():
        for a, b in test_loader:
            right += (net(a).argmax(1) == b).sum().item()
    return right / len(X_test)
book = optuna.create_study(direction='maximize')
book.optimize(tried, n_trials=30)
print('test accuracy', book.best_value)
"""


def test_settings_that_are_tried_on_the_test_part_are_chosen_by_it(tmp_path: Path) -> None:
    report = judged(SEARCH, tmp_path)
    assert [(f.severity, f.rule) for f in report.findings] == [("warning", "test-set-chooses")], report.problem
    assert "it also chose the settings" in report.checked[0]


def test_settings_that_are_tried_on_a_part_for_it_are_no_fault(tmp_path: Path) -> None:
    cut = "X_train, X_valid, y_train, y_valid = train_test_split(X_train, y_train, random_state=2)\ndef tried("
    text = SEARCH.replace("def tried(", cut).replace("X_test)", "X_valid)").replace("y_test)", "y_valid)", 2)
    text = text.replace("test_loader", "valid_loader").replace(
        "torch.tensor(X_valid), torch.tensor(y_test)", "torch.tensor(X_valid), torch.tensor(y_valid)"
    )
    text = text.replace("'test accuracy'", "'validation accuracy'").replace(
        "y_train, y_valid = train_test_split(X, y", "y_train, y_test = train_test_split(X, y"
    )
    report = judged(text, tmp_path)
    assert [f.rule for f in report.findings] == [], text


ARRAYS = """# %%
import torch, torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
torch.manual_seed(1)
first = datasets.MNIST('d', train=True, transform=transforms.ToTensor())
second = datasets.MNIST('d', train=False, transform=transforms.ToTensor())
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(9):
    for x, y in DataLoader(first, 100, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
with torch.no_grad():
    said = net(second.test_data.view(len(second), 1, 28, 28).float())
    right = said.argmax(1) == second.test_labels
    print('test accuracy:', right.float().mean().item())
"""


@pytest.mark.parametrize("names", [("test_data", "test_labels"), ("data", "targets")])
def test_a_set_whose_images_are_taken_as_one_array_is_known(names: tuple[str, str], tmp_path: Path) -> None:
    text = ARRAYS.replace("test_data", names[0]).replace("test_labels", names[1])
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    assert "on the test set" in report.checked[0]
    wrong = judged(text.replace("second.", "first."), tmp_path)
    assert errors(wrong) == ["evaluates-on-training-data"]


@pytest.mark.parametrize(
    "change", ["second.data[:] = first.data[:10000]\n", "second.data = first.data\n", "second.targets[4] = 2\n"]
)
def test_a_set_into_which_other_images_were_put_is_not_known(change: str, tmp_path: Path) -> None:
    report = judged(ARRAYS.replace("net = nn", f"{change}net = nn"), tmp_path)
    assert report.status != "right", report.checked


BERT = """# %%
import pandas as pd, torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, RandomSampler, TensorDataset
from transformers import BertForSequenceClassification, BertTokenizer
torch.manual_seed(3)
table = pd.read_csv('talk.csv')
a, b, c, d = train_test_split(table['text'].values, table['mood'].values, random_state=3)
words = BertTokenizer.from_pretrained('bert-base-uncased')
def loader(texts, moods):
    coded = words.batch_encode_plus(texts.tolist(), return_tensors='pt')
    rows = TensorDataset(coded['input_ids'], coded['attention_mask'], torch.tensor(moods))
    return DataLoader(rows, sampler=RandomSampler(rows), batch_size=8)
learning, asking = loader(a, c), loader(b, d)
net = BertForSequenceClassification.from_pretrained('bert-base-uncased', num_labels=3)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5)
for epoch in range(3):
    net.train()
    for batch in learning:
        optimizer.zero_grad()
        loss = net(input_ids=batch[0], attention_mask=batch[1], labels=batch[2])[0]
        loss.backward()
        optimizer.step()
net.eval()
total = 0
for batch in asking:
    inputs = {'input_ids': batch[0], 'attention_mask': batch[1], 'labels': batch[2]}
    with torch.no_grad():
        outputs = net(**inputs)
    total += outputs[0].item()
print('test loss', total / len(asking))
"""


@pytest.mark.parametrize("taken", ["outputs[0]", "outputs.loss", "outputs[:2][0]"])
def test_the_loss_that_a_network_takes_by_itself_is_a_measurement(taken: str, tmp_path: Path) -> None:
    text = BERT.replace("outputs[0]", taken)
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    wrong = judged(text.replace("loader(b, d)", "loader(a, c)"), tmp_path)
    assert errors(wrong) == ["evaluates-on-training-data"]


def test_without_labels_what_comes_first_is_no_loss(tmp_path: Path) -> None:
    text = BERT.replace(", 'labels': batch[2]}", "}").replace("outputs[0].item()", "outputs[0].mean().item()")
    assert judged(text, tmp_path).status != "right"


def test_a_mean_in_single_precision_is_a_number_of_right_answers() -> None:
    assert all(can_be(figure, 10_000) for figure in (98.219997, 98.529999))
    assert not any(can_be(figure, 10_000) for figure in (98.2155, 98.225))


def test_settings_that_are_tried_on_what_is_called_validation_are_no_fault(tmp_path: Path) -> None:
    text = (
        SEARCH.replace("_test", "_valid").replace("test_loader", "valid_loader").replace("'test acc", "'validation acc")
    )
    text = text.replace("train_valid_split", "train_test_split")
    assert [finding.rule for finding in judged(text, tmp_path).findings] == []


TRIED = """# %%
import optuna, torch, torch.nn as nn
from torch.utils.data import DataLoader, random_split
from torchvision import datasets, transforms
torch.manual_seed(5)
whole = datasets.MNIST('d', train=True, transform=transforms.ToTensor())
asked = datasets.MNIST('d', train=False, transform=transforms.ToTensor())
fitted, held = random_split(whole, [50000, 10000])
def learn(wide, rows):
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, wide), nn.ReLU(), nn.Linear(wide, 10))
    optimizer = torch.optim.Adam(net.parameters())
    net.train()
    for x, y in DataLoader(rows, 100, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net
def score(net, rows):
    net.eval()
    hits = 0
    with torch.no_grad():
        for x, y in DataLoader(rows, 100):
            hits += (net(x).argmax(1) == y).sum().item()
    return hits / len(rows)
def tried(trial):
    return score(learn(trial.suggest_int('wide', 8, 64), fitted), held)
book = optuna.create_study(direction='maximize')
book.optimize(tried, n_trials=30)
print('test accuracy', score(learn(book.best_params['wide'], whole), asked))
"""


def test_settings_that_are_tried_on_the_test_set_of_a_library_are_chosen_by_it(tmp_path: Path) -> None:
    assert [f.rule for f in judged(TRIED, tmp_path).findings] == []
    wrong = judged(TRIED.replace("fitted), held)", "fitted), asked)"), tmp_path)
    assert [(f.severity, f.rule) for f in wrong.findings] == [("warning", "test-set-chooses")], wrong.problem


def test_one_half_of_the_test_images_may_choose_where_the_other_is_measured_on(tmp_path: Path) -> None:
    text = TRIED.replace("random_split(whole, [50000, 10000])", "random_split(asked, [5000, 5000])")
    text = text.replace("fitted), held)", "whole), held)").replace(", whole), asked)", ", whole), fitted)")
    assert [f.rule for f in judged(text, tmp_path).findings] == []


@pytest.mark.parametrize("turned", ["-{}", "1 - {}", "{{'loss': -{}, 'status': 'ok'}}"])
def test_settings_that_make_an_accuracy_fall_the_other_way_round_are_chosen_too(turned: str, tmp_path: Path) -> None:
    for rows, said in (("held", []), ("asked", ["test-set-chooses"])):
        figure = f"score(learn(trial.suggest_int('wide', 8, 64), fitted), {rows})"
        text = TRIED.replace("score(learn(trial.suggest_int('wide', 8, 64), fitted), held)", turned.format(figure))
        assert [f.rule for f in judged(text.replace("maximize", "minimize"), tmp_path).findings] == said
