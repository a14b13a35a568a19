"""What was not read is not right: names, attributes and data that are changed by text, magics, patches and marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.notebook import audit_notebook

from .books import style, write

AFTER = "torch.manual_seed(1)\ndevice = torch.device('cpu')\n"
LOADERS = (
    "train_loader = DataLoader(train_data, batch_size=64, shuffle=True)\n"
    "test_loader = DataLoader(test_data, batch_size=1000)\n"
)
SWAPS = {
    "exec of a text": ("exec('test_loader = train_loader')", "wrong"),
    "exec of a file": ("exec(open('swap.py').read())", "undecided"),
    "globals by key": ("globals()['test_loader'] = train_loader", "wrong"),
    "globals by an unknown key": ("globals()[input()] = train_loader", "undecided"),
    "globals updated": ("globals().update(test_loader=train_loader)", "wrong"),
    "globals updated by an unknown dict": ("globals().update(swaps)", "undecided"),
    "vars": ("vars()['test_loader'] = train_loader", "wrong"),
    "eval": ("eval('globals().__setitem__(\"test_loader\", train_loader)')", "wrong"),
    "setattr of the main module": ("import __main__\nsetattr(__main__, 'test_loader', train_loader)", "wrong"),
    "the main module by name": ("import sys\nsys.modules['__main__'].test_loader = train_loader", "wrong"),
    "a script that is not here": ("%run swap.py", "undecided"),
    "a magic by call": ("get_ipython().run_line_magic('run', 'swap.py')", "undecided"),
    "the names of the shell": ("get_ipython().user_ns['test_loader'] = train_loader", "wrong"),
    "stored variables": ("%store -r", "undecided"),
    "setattr of a loader": ("setattr(test_loader, 'dataset', train_data)", "undecided"),
    "setattr of any object": ("object.__setattr__(test_loader, 'dataset', train_data)", "undecided"),
    "setattr of a data set": ("setattr(test_data, 'data', train_data.data)", "undecided"),
    "a slice of the data": ("test_data.data[:] = train_data.data[:10000]", "undecided"),
    "data by the loader": ("test_loader.dataset.data = train_loader.dataset.data", "undecided"),
    "attributes by a dict": ("test_data.__dict__.update(train_data.__dict__)", "undecided"),
    "match": ("match train_loader:\n    case test_loader: pass", "undecided"),
    "a decorator": (
        "def swap(f):\n    globals()['test_loader'] = train_loader\n    return f\n@swap\ndef nothing(): pass",
        "wrong",
    ),
    "batches added": (
        "batches = list(train_loader)\nbatches.extend(list(test_loader))\ntrain_loader = batches",
        "undecided",
    ),
    "training data replaced": ("train_data.data = torch.cat([train_data.data, test_data.data])", "undecided"),
    "a patched method": ("datasets.MNIST.__getitem__ = lambda self, i: train_data.data[i]", "undecided"),
}


def judged(folder: Path, before: str, after: str) -> str:
    text = style("functions")
    assert text.count(AFTER + LOADERS) == 1
    return audit_notebook(write(text.replace(AFTER + LOADERS, AFTER + before + LOADERS + after), folder)).status


@pytest.mark.parametrize("name", SWAPS)
def test_a_hidden_swap_is_never_right(name: str, tmp_path: Path) -> None:
    code, expected = SWAPS[name]
    assert judged(tmp_path, "", code + "\n") == expected


def test_a_patched_loader_or_set_is_never_right(tmp_path: Path) -> None:
    patched = "import torch.utils.data\ntorch.utils.data.DataLoader = lambda d, **k: 3\n"
    text = style("functions").replace("test_loader = DataLoader(", "test_loader = torch.utils.data.DataLoader(")
    assert text.count(AFTER) == 1
    assert audit_notebook(write(text.replace(AFTER, patched + AFTER), tmp_path)).status == "undecided"


def test_a_cell_over_the_limit_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    assert judged(tmp_path, "", "# %%\ntest_loader = train_loader  # " + "x" * 200_001 + "\n# %%\n") == "undecided"


def test_a_program_over_the_budget_is_undecided(tmp_path: Path) -> None:
    text = style("functions") + "".join("# %%\n" + "x = [1, 2, 3]\n" * 14_000 for _ in range(3))
    report = audit_notebook(write(text, tmp_path))
    assert report.status == "undecided"
    assert "too long to be read to its end" in report.problem


@pytest.mark.parametrize(
    "doubling",
    [
        "x += x",
        "x = x + x",
        "x.extend(x)",
        "x = [*x, *x]",
        "x = list(x) + list(x)",
        "x = f(*x, *x)",
        "x = x * 2",
        "d = {**d, 'k': [d, d]}",
    ],
)
def test_a_doubled_list_stays_small(doubling: str, tmp_path: Path) -> None:
    from tinyproof.check.code.interpreter.values import MAX_ITEMS, Map, Seq
    from tinyproof.check.notebook.read.document import read_document
    from tinyproof.check.notebook.study import study

    source = "# %%\nx = [1, 2]\nd = {}\ndef f(*a):\n    return a\n" + f"{doubling}\n" * 60
    names = study(read_document(write(source, tmp_path))).scope.names
    assert not isinstance(names["x"], Seq) or len(names["x"].items) <= MAX_ITEMS + 1
    assert isinstance(names["d"], Map)
    assert len(names["d"].items) <= 2
