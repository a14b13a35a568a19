"""MNIST's four files read by hand: the images and the labels of a part are one set, those of two parts are not."""

from __future__ import annotations

from pathlib import Path

import pytest

import tinyproof

SCRIPT = """
import gzip
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

def read(name, skip):
    with gzip.open(f"data/{name}.gz") as file:
        return torch.tensor(np.frombuffer(file.read(), np.uint8, offset=skip))

x, y = read("train-images-idx3-ubyte", 16).reshape(-1, 784).float(), read("train-labels-idx1-ubyte", 8).long()
x_test = read("IMAGES-images-idx3-ubyte", 16).reshape(-1, 784).float()
y_test = read("LABELS-labels-idx1-ubyte", 8).long()
network = nn.Linear(784, 10)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
for rows in torch.randperm(len(x)).split(64):
    loss = F.cross_entropy(network(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    correct = (network(x_test).argmax(1) == y_test).sum().item()
print(f"accuracy {100 * correct / len(y_test):.2f} %")
"""


@pytest.mark.parametrize(
    ("images", "labels", "status", "said"),
    [
        ("t10k", "t10k", "right", "on the file data/t10k-…-ubyte.gz"),
        ("train", "train", "undecided", "only rows that the model learned from are measured"),
        ("t10k", "train", "undecided", ""),
    ],
)
def test_pairs(tmp_path: Path, images: str, labels: str, status: str, said: str) -> None:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT.replace("IMAGES", images).replace("LABELS", labels))
    report = tinyproof.audit(path).files[0]
    assert report.status == status, report
    assert said in str(report)
