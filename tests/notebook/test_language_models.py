"""Language models whose batches are cut at random places, and losses that a network takes of its own answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged

TEXT = """# %%
import torch
from torch import nn
from torch.nn import functional as F
torch.manual_seed(7)
with open('plays.txt', encoding='utf-8') as f:
    text = f.read()
letters = sorted(set(text))
number = {c: i for i, c in enumerate(letters)}
data = torch.tensor([number[c] for c in text], dtype=torch.long)
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]
"""
BATCH = """def get_batch(part):
    source = train_data if part == 'train' else val_data
    at = torch.randint(len(source) - 64, (32,))
    x = torch.stack([source[i:i + 64] for i in at])
    y = torch.stack([source[i + 1:i + 65] for i in at])
    return x.to('cuda'), y.to('cuda')
"""
TELL = """@torch.no_grad()
def estimate():
    told = {}
    net.eval()
    for part in ['train', 'val']:
        losses = torch.zeros(50)
        for k in range(50):
            x, y = get_batch(part)
            _, loss = net(x, y)
            losses[k] = loss.item()
        told[part] = losses.mean()
    net.train()
    return told
"""
NET = """class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.table = nn.Embedding(size, size)
    def forward(self, x, y=None):
        scores = self.table(x)
        if y is None:
            return scores, None
        return scores, F.cross_entropy(scores.view(-1, scores.size(-1)), y.view(-1))
net = Net(len(letters))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
"""
LEARN = """for step in range(3000):
    if step % 300 == 0:
        told = estimate()
        print(f"train loss {told['train']:.3f}, val loss {told['val']:.3f}")
    x, y = get_batch('train')
    scores, loss = net(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
BOOK = TEXT + BATCH + TELL + NET + LEARN


@pytest.mark.parametrize(
    "text",
    [
        BOOK,
        BOOK.replace("for step", "print(net(torch.zeros((1, 1), dtype=torch.long))[0].shape)\nfor step"),
        BOOK.replace(
            "x, y = get_batch('train')\n    scores", "xb, yb = get_batch('train')\n    x, y = xb, yb\n    scores"
        ),
        BOOK.replace("net(x, y)", "net(x, y=y)"),
        BOOK.replace("train_data, val_data = data[:n], data[n:]", "train_data = data[:n]\nval_data = data[n:]"),
    ],
)
def test_a_part_of_the_text_is_held_out(text: str, tmp_path: Path) -> None:
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    assert report.checked == tuple(line for line in report.checked if "a part of the file plays.txt" in line) != ()


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (("x, y = get_batch('train')", "x, y = get_batch('val')"), "wrong"),
        (("part == 'train'", "part != 'train'"), "wrong"),
        (("data[:n], data[n:]", "data, data[n:]"), "wrong"),
        (("data[:n], data[n:]", "data[:n], data[:n]"), "wrong"),
        (("train_data if part == 'train' else val_data", "train_data"), "undecided"),
        (("data[:n], data[n:]", "data[:n], data[n - 5000:]"), "undecided"),
        (("data[:n], data[n:]", "parts_of(data)"), "undecided"),
    ],
)
def test_what_was_learned_is_no_validation(edit: tuple[str, str], status: str, tmp_path: Path) -> None:
    assert BOOK.count(edit[0]) == 1
    assert judged(BOOK.replace(*edit), tmp_path).status == status


def test_what_is_measured_above_the_lines_that_learn_is_known_when_the_loop_has_ended(tmp_path: Path) -> None:
    table = """# %%
import pandas as pd
import torch
torch.manual_seed(1)
table = pd.read_csv('houses.csv')
x, y = torch.tensor(table[['rooms', 'age']].values).float(), torch.tensor(table[['price']].values).float()
net = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for epoch in range(100):
    with torch.no_grad():
        print('test loss', torch.nn.functional.mse_loss(net(x[400:]), y[400:]).item())
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(net(x[:400]), y[:400]).backward()
    optimizer.step()
"""
    assert judged(table, tmp_path / "right").status == "right"
    wrong = table.replace("net(x[:400]), y[:400]", "net(x), y")
    assert errors(judged(wrong, tmp_path / "wrong")) == ["evaluates-on-training-data"]


VAE = """# %%
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
torch.manual_seed(1)
known, asked = [datasets.MNIST('d', train=flag, transform=transforms.ToTensor()) for flag in (True, False)]
learning, test_loader = DataLoader(known, 128, shuffle=True), DataLoader(asked, 128)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.mean, self.spread, self.out = (nn.Linear(*s) for s in ((784, 99), (99, 9), (99, 9), (9, 784)))
    def forward(self, x):
        h = F.relu(self.into(x.view(-1, 784)))
        mean, spread = self.mean(h), self.spread(h)
        return torch.sigmoid(self.out(mean + torch.randn_like(spread) * torch.exp(0.5 * spread))), mean, spread
net = Net()
optimizer = torch.optim.Adam(net.parameters(), 1e-3)
def loss_of(again, x, mean, spread):
    return F.binary_cross_entropy(again, x.view(-1, 784), reduction='sum') - 0.5 * torch.sum(1 + spread - mean.pow(2))
for epoch in range(10):
    net.train()
    for x, _ in learning:
        optimizer.zero_grad()
        loss = loss_of(net(x)[0], x, *net(x)[1:])
        loss.backward()
        optimizer.step()
"""
VAE_TEST = """    net.eval()
    test_loss = 0
    with torch.no_grad():
        for x, _ in test_loader:
            again, mean, spread = net(x)
            test_loss += loss_of(again, x, mean, spread).item()
    print('test loss', test_loss / len(test_loader.dataset))
"""


LEARNED = "evaluates-on-training-data"


@pytest.mark.parametrize(
    ("end", "status", "found"),
    [
        (VAE_TEST, "right", []),
        (
            VAE_TEST.replace("    net.eval()", "    test_loader = DataLoader(known, 128)\n    net.eval()"),
            "wrong",
            [LEARNED],
        ),
        (VAE_TEST.replace("len(test_loader.dataset)", "len(test_loader)"), "wrong", ["loss-misnormalised"]),
        ("", "nothing to judge", []),
    ],
)
def test_a_loss_less_a_penalty_is_a_loss(end: str, status: str, found: list[str], tmp_path: Path) -> None:
    report = judged(VAE + end, tmp_path)
    assert (report.status, errors(report)) == (status, found), report.problem
