"""Ways of writing that are followed: loaders behind a device, packages, lists of layers, lines that install."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.code.clean import parse_cell
from tinyproof.check.code.interpreter.values import constant
from tinyproof.check.notebook.live_code import live_text
from tinyproof.check.notebook.read.document import Cell, Document
from tinyproof.check.notebook.study import study

from .test_listed_folders import errors, judged

STEPS = """# %%
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor
torch.manual_seed(4)
def moved(what, device):
    if isinstance(what, (list, tuple)):
        return [moved(one, device) for one in what]
    return what.to(device, non_blocking=True)
class OnDevice:
    def __init__(self, batches, device):
        self.batches, self.device = batches, device
    def __iter__(self):
        for batch in self.batches:
            yield moved(batch, self.device)
    def __len__(self):
        return len(self.batches)
class Steps(nn.Module):
    def learn(self, batch):
        pictures, kinds = batch
        return F.cross_entropy(self(pictures), kinds)
    def check(self, batch):
        pictures, kinds = batch
        said = self(pictures)
        right = torch.tensor((said.argmax(dim=1) == kinds).sum().item() / len(kinds))
        return {'loss': F.cross_entropy(said, kinds).detach(), 'right': right}
    def checked(self, parts):
        return {'right': torch.stack([part['right'] for part in parts]).mean().item()}
class Net(Steps):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(3072, 7))
    def forward(self, pictures):
        return self.net(pictures)
@torch.no_grad()
def evaluate(net, batches):
    net.eval()
    return net.checked([net.check(batch) for batch in batches])
learning = OnDevice(DataLoader(ImageFolder('leaves/train', ToTensor()), 32, shuffle=True), 'cuda')
asking = OnDevice(DataLoader(ImageFolder('leaves/test', ToTensor()), 64), 'cuda')
net = moved(Net(), 'cuda')
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(5):
    net.train()
    for batch in learning:
        loss = net.learn(batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print('test accuracy', evaluate(net, asking)['right'])
"""
TWICE = STEPS.replace(
    "net = moved", "learning, asking = OnDevice(learning, 'cuda'), OnDevice(asking, 'cuda')\nnet = moved"
)


@pytest.mark.parametrize("text", [STEPS, TWICE])
def test_batches_that_are_moved_to_a_device_are_those_of_the_loader(text: str, tmp_path: Path) -> None:
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    assert "the folder leaves/test" in report.checked[0]
    wrong = judged(text.replace("'leaves/test'", "'leaves/train'"), tmp_path)
    assert (wrong.status, errors(wrong)) == ("wrong", ["evaluates-on-training-data"])


def test_an_object_around_two_loaders_is_not_guessed_at(tmp_path: Path) -> None:
    text = STEPS.replace(
        "self.batches, self.device = batches, device", "self.batches, self.device = batches, learning_too"
    )
    text = text.replace(
        "learning = OnDevice(",
        "learning_too = DataLoader(ImageFolder('leaves/more', ToTensor()), 8)\nlearning = OnDevice(",
    )
    assert judged(text, tmp_path).status == "undecided"


GRAPH = """# %%
import torch, torch.nn as nn
import dgl.nn as dglnn
from dgl.data import CiteseerGraphDataset
torch.manual_seed(2)
class Net(nn.Module):
    def __init__(self, wide, out):
        super().__init__()
        self.layers = nn.ModuleList()
        self.layers.append(dglnn.GraphConv(wide, 16, activation=torch.relu))
        self.layers.append(dglnn.GraphConv(16, out))
        self.dropout = nn.Dropout(0.5)
    def forward(self, graph, x):
        for place, layer in enumerate(self.layers):
            if place != 0:
                x = self.dropout(x)
            x = layer(graph, x)
        return x
nodes = CiteseerGraphDataset()
graph = nodes[0]
x, y = graph.ndata['feat'], graph.ndata['label']
masks = graph.ndata['train_mask'], graph.ndata['val_mask'], graph.ndata['test_mask']
net = Net(x.shape[1], nodes.num_classes)
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(90):
    net.train()
    loss = nn.functional.cross_entropy(net(graph, x)[masks[0]], y[masks[0]])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
net.eval()
with torch.no_grad():
    said = net(graph, x)[masks[2]].argmax(dim=1)
    print(f'test accuracy {(said == y[masks[2]]).sum().item() / len(said):.3f}')
"""


def test_layers_that_are_added_to_a_list_are_gone_through(tmp_path: Path) -> None:
    report = judged(GRAPH, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    wrong = judged(GRAPH.replace("masks[2]", "masks[0]"), tmp_path)
    assert errors(wrong) == ["evaluates-on-training-data"]


def test_a_list_of_layers_whose_number_is_open_is_not_gone_through_as_if_it_were_known(tmp_path: Path) -> None:
    last = "self.layers.append(dglnn.GraphConv(16, out))"
    more = f"for _ in range(int(input())):\n            self.layers.append(nn.ReLU())\n        {last}"
    text = GRAPH.replace(last, more)
    assert errors(judged(text, tmp_path)) == []


PACKAGE = """# %%
import torch
import ours.loaders
import ours.nets as nets
from torchvision import datasets, transforms
torch.manual_seed(5)
learning, asking = ours.loaders.both(64)
net = nets.Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    for x, y in learning:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
right = 0
with torch.no_grad():
    for x, y in asking:
        right += (net(x).argmax(1) == y).sum().item()
print('test accuracy', right / len(asking.dataset))
"""
LOADERS = """from torch.utils.data import DataLoader
from torchvision import datasets, transforms
def both(size):
    a = datasets.FashionMNIST('d', train=True, transform=transforms.ToTensor())
    b = datasets.FashionMNIST('d', train=False, transform=transforms.ToTensor())
    return DataLoader(a, size, shuffle=True), DataLoader(b, size)
"""
NETS = """import torch.nn as nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    def forward(self, x):
        return self.out(x)
"""


@pytest.mark.parametrize("packed", [True, False])
def test_a_module_of_a_package_is_read_by_its_dotted_name(packed: bool, tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    if packed:
        (tmp_path / "ours" / "__init__.py").write_text("")
    (tmp_path / "ours" / "nets.py").write_text(NETS)
    (tmp_path / "ours" / "loaders.py").write_text(LOADERS)
    report = judged(PACKAGE, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    (tmp_path / "ours" / "loaders.py").write_text(LOADERS.replace("DataLoader(b, size)", "DataLoader(a, size)"))
    assert errors(judged(PACKAGE, tmp_path)) == ["evaluates-on-training-data"]


@pytest.mark.parametrize(
    "line", ["pip install words==0.16.0", "pip install 'words[all]>=2' -q", "conda install -c place words=1.2"]
)
def test_packages_that_are_installed_without_a_sign_are_no_code(line: str) -> None:
    parsed = parse_cell(f"{line}\nx = 1")
    assert (parsed.unread, parsed.statements[-1].lineno) == ((), 2)


def test_what_only_looks_like_it_stays_unread() -> None:
    assert parse_cell("pips install words==1\nx = 1").unread == (1,)


ONLY_LEARNS = """# %%
import torch, torch.nn as nn
import matplotlib_inline
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
matplotlib_inline.backend_inline.set_matplotlib_formats('svg')
torch.manual_seed(6)
train_set = datasets.CIFAR10('d', train=True, transform=transforms.ToTensor())
test_set = datasets.CIFAR10('d', train=False, transform=transforms.ToTensor())
train_loader = DataLoader(train_set, 64, shuffle=True)
test_loader = DataLoader(test_set, 64)
def test_accuracy(net, test_loader):
    net.eval()
    return sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader) / len(test_loader.dataset)
net = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(3):
    train_acc = 0
    for x, y in train_loader:
        said = net(x)
        loss = nn.functional.cross_entropy(said, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        train_acc += (said.argmax(1) == y).sum().item()
    print(f'train accuracy {train_acc / len(train_set):.3f}')
"""


def test_what_is_made_for_a_test_and_never_used_measures_nothing(tmp_path: Path) -> None:
    report = judged(ONLY_LEARNS, tmp_path)
    assert report.status == "nothing to judge", report.problem
    used = judged(ONLY_LEARNS + "print('test accuracy', test_accuracy(net, test_loader))\n", tmp_path)
    assert used.status != "nothing to judge"


def test_dead_code_is_what_nothing_reads() -> None:
    cells = [(("b", 1), "def a():\n    return b\nb = Loader(3)\nc = Loader(b)\nprint(c)"), (("b", 2), "d = measure()")]
    assert live_text(cells)[("b", 1)] == ["", "", "b = Loader(3)", "c = Loader(b)", "print(c)"]
    assert live_text(cells)[("b", 2)] == ["d = measure()"]
    assert live_text([(("b", 1), "def a():\n    return 1\nglobals()['a']()")])[("b", 1)][0] == "def a():"
    assert live_text([(("b", 1), "def a():\n    return 1\nx = = 2")])[("b", 1)][0] == "def a():"


BATCHES = """# %%
import torch, torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
torch.manual_seed(7)
learning = DataLoader(datasets.MNIST('d', train=True, transform=transforms.ToTensor()), 32, shuffle=True)
asking = DataLoader(datasets.MNIST('d', train=False, transform=transforms.ToTensor()), 32)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(3):
    for x, y in learning:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
net.eval()
hits = 0
with torch.no_grad():
    for x, y in asking:
        hits += (net(x).argmax(1) == y).sum().item()
print('test accuracy', 100 / 32 * hits / len(asking))
"""


def test_right_answers_by_the_batch_size_and_the_batches_are_no_fault(tmp_path: Path) -> None:
    assert errors(judged(BATCHES, tmp_path)) == []
    wrong = judged(BATCHES.replace("100 / 32 * hits", "100 * hits"), tmp_path)
    assert errors(wrong) == ["figure-changed"]


KINDS = """import torch.nn as nn
from torch.utils.data import Dataset
class Net(nn.Module):
    pass
class Rows(Dataset):
    pass
class Many(list):
    pass
"""


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("isinstance(Net(), (list, tuple))", False),
        ("isinstance(Net(), nn.Module)", True),
        ("isinstance(nn.Linear(2, 3), dict)", False),
        ("isinstance(Many(), list)", None),
        ("isinstance([1], (list, tuple))", True),
        ("isinstance([1], list)", None),
        ("isinstance({'a': 1}, dict)", True),
        ("isinstance({'a': 1}, (list, str))", False),
        ("isinstance('a', str)", True),
        ("isinstance(3, float)", False),
        ("isinstance(True, int)", True),
        ("isinstance(Rows(), Net)", None),
    ],
)
def test_what_is_asked_of_a_value_is_answered_where_it_is_known(
    asked: str, answer: bool | None, tmp_path: Path
) -> None:
    cells = (Cell(None, "code", f"{KINDS}said = {asked}\n"),)
    said = study(Document(tmp_path / "a.py", "a.py", "script", cells)).scope.names["said"]
    assert constant(said) is answer


def test_a_distance_that_is_printed_of_a_network_that_learns_is_a_measurement(tmp_path: Path) -> None:
    text = """# %%
import torch
from elsewhere import columns, net
x, y, a, b = columns('houses.csv')
loss = torch.sqrt(torch.mean((net(x, 3) - y) ** 2))
loss.backward()
with torch.no_grad():
    print('RMSE: {}'.format(torch.sqrt(torch.mean((net(a, 3) - b) ** 2))))
"""
    assert (
        judged(text.replace("from elsewhere import columns, net\n", "columns = net = print\n"), tmp_path).status
        == "undecided"
    )


FIRST = """# %%
import torch, torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
torch.manual_seed(1)
learning = DataLoader(datasets.MNIST('d', train=True, transform=transforms.ToTensor()), 64, shuffle=True)
asking = DataLoader(datasets.MNIST('d', train=False, transform=transforms.ToTensor()), 64)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
optimizer = torch.optim.Adam(net.parameters())
train(net, optimizer, learning, asking)
# %% output
[1/3] Loss: 1.5112, Acc: FIRST, Test Loss: 1.4895, Test Acc: 0.9677: 100%|#| 938/938 [00:25<00:00, 36.43step/s]
[2/3] Loss: 1.4612, Acc: 0.9999, Test Loss: 1.4831, Test Acc: 0.9735: 100%|#| 938/938 [00:25<00:00, 36.34step/s]
[3/3] Loss: 1.4624, Acc: 0.9999, Test Loss: 1.4802, Test Acc: 0.9759: 100%|#| 938/938 [00:26<00:00, 36.05step/s]
"""


@pytest.mark.parametrize(("first", "told"), [("1.0000", False), ("0.9998", True)])
def test_all_right_in_the_first_epoch_is_the_figure_of_one_batch(first: str, told: bool, tmp_path: Path) -> None:
    report = judged(FIRST.replace("FIRST", first), tmp_path)
    assert ("warm-start" in [finding.rule for finding in report.findings]) == told


ABOVE = """for epoch in range(90):
    said = net(graph, x)
    loss = nn.functional.cross_entropy(said[masks[0]], y[masks[0]])
    test_acc = (said.argmax(1)[masks[2]] == y[masks[2]]).float().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f'test accuracy {test_acc:.3f}')
"""


def test_what_is_measured_above_the_lines_that_learn_is_held_to_what_they_learn_from(tmp_path: Path) -> None:
    text = GRAPH[: GRAPH.index("for epoch")].replace("        self.dropout = nn.Dropout(0.5)\n", "")
    text = text.replace("            if place != 0:\n                x = self.dropout(x)\n", "") + ABOVE
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    assert errors(judged(text.replace("masks[2]", "masks[0]"), tmp_path)) == ["evaluates-on-training-data"]


RATES = """# %%
import itertools
import torch, torch.nn as nn
torch.manual_seed(1)
for lr, decay in itertools.product([0.1, 0.01, 0.001], [0.0, 5e-4]):
    net = nn.Linear(4, 3)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=decay)
    learn(net, optimizer)
# %% output
Training with lr=0.1, weight_decay=0.0
Val Accuracy: 0.6820
Training with lr=0.1, weight_decay=0.0005
Val Accuracy: 0.7440
Training with lr=0.01, weight_decay=0.0
Val Accuracy: 0.7680
Training with lr=0.01, weight_decay=0.0005
Val Accuracy: 0.6500
Training with lr=0.001, weight_decay=0.0
Val Accuracy: 0.7680
"""


@pytest.mark.parametrize(("rate", "told"), [("lr=lr", False), ("lr=0.1", True)])
def test_rates_that_are_tried_one_after_another_are_the_codes_own(rate: str, told: bool, tmp_path: Path) -> None:
    report = judged(RATES.replace("lr=lr, weight", f"{rate}, weight"), tmp_path)
    assert ("log-not-from-this-code" in [finding.rule for finding in report.findings]) == told


def test_what_is_printed_when_a_training_has_ended_is_no_first_epoch(tmp_path: Path) -> None:
    text = FIRST.replace("[1/3] Loss: 1.5112, Acc: FIRST, Test Loss: 1.4895,", "[1/3] final Loss: 1.5112, Acc: 0.9998,")
    assert "warm-start" not in [finding.rule for finding in judged(text, tmp_path).findings]
