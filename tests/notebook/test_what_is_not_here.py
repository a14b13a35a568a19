"""What is not in the folder, and what changes arrays where they lie: it taints what depends on it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.code.clean import parse_cell
from tinyproof.check.code.interpreter.blocks import Block
from tinyproof.check.code.interpreter.rows import MAX_CUTS, Rows
from tinyproof.check.code.interpreter.values import Object, Scope
from tinyproof.check.notebook.reader import reader

from .test_listed_folders import errors, judged

TABLE = """# %%
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
{before}
table = pd.read_csv('soils.csv')
{early}
a, b, c, d = train_test_split(table.drop(columns='kind'), table['kind'], test_size=0.25, random_state=3)
{late}
net = SVC().fit(a, c)
print('test accuracy', accuracy_score(d, net.predict(b)))
"""
ABSENT = "from soil_tools import tidy, show_columns"
KNOWN = "on the held-out part of the file soils.csv"


def told(tmp_path: Path, before: str = "", early: str = "", late: str = "") -> tuple[str, str]:
    report = judged(TABLE.format(before=before, early=early, late=late), tmp_path)
    assert errors(report) == []
    return report.status, " ".join(report.checked)


@pytest.mark.parametrize("late", ["", "show_columns(b)", "found = tidy(b)", "b.dropna(inplace=True)", "b[:] = b[:]"])
def test_what_leaves_the_rows_where_they_are_is_harmless(late: str, tmp_path: Path) -> None:
    status, said = told(tmp_path, ABSENT, late=late)
    assert status == "right"
    assert KNOWN in said


@pytest.mark.parametrize(
    ("before", "late"),
    [
        (ABSENT, "tidy(b)"),
        ("import soil_tools", "soil_tools.tidy(a, b)"),
        ("", "b[:] = a[:len(b)]"),
        ("", "b.iloc[:] = a.iloc[:len(b)]"),
        ("", "np.copyto(b, a[:len(b)])"),
        ("def renew(these, those):\n    these[:] = those[:len(these)]", "renew(b, a)"),
    ],
)
def test_rows_that_may_be_others_by_now_are_not_called_held_out(before: str, late: str, tmp_path: Path) -> None:
    status, said = told(tmp_path, before, late=late)
    assert status == "undecided"
    assert not said


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        *(
            (name, True)
            for name in (
                "plotRows",
                "row_summary",
                "print2",
                "train_and_evaluate",
                "run_experiment",
                "fit",
                "check_gaps",
            )
        ),
        *((name, False) for name in ("check_and_mend", "train_scaler", "run_cleanup", "log_transform", "testFillGaps")),
    ],
)
def test_what_its_name_calls_looking_and_nothing_more_changes_nothing(name: str, looks: bool, tmp_path: Path) -> None:
    status, _ = told(tmp_path, f"from soil_tools import {name}", late=f"{name}(b)")
    assert status == ("right" if looks else "undecided")


@pytest.mark.parametrize("late", ["np.copyto(b[:9], a[:9])", "low = np.nanmean(a)\nb[np.isnan(b)] = low"])
def test_a_part_is_written_into_the_whole_and_a_mean_of_rows_is_no_row(late: str, tmp_path: Path) -> None:
    status, _ = told(tmp_path, late=f"a, b = a.values, b.values\n{late}")
    assert status == ("undecided" if "copyto" in late else "right")


def test_what_is_changed_before_the_split_is_no_file_any_more_and_still_split(tmp_path: Path) -> None:
    status, said = told(tmp_path, ABSENT, early="tidy(table)")
    assert status == "right"
    assert KNOWN not in said
    assert "the held-out part of the data table" in said


FOLDS = """# %%
import pandas as pd
from sklearn.svm import SVC
from soil_tools import tidy
table = pd.read_csv('soils.csv')
learn = table[table.fold != 0]
{between}
ask = table[table.fold == 0]
net = SVC().fit(learn.drop(columns='kind'), learn['kind'])
print('accuracy', net.score(ask.drop(columns='kind'), ask['kind']))
"""


def test_two_masks_by_a_column_that_what_is_not_here_may_have_written_are_not_compared(tmp_path: Path) -> None:
    apart = judged(FOLDS.format(between=""), tmp_path)
    assert apart.status == "right", apart.problem
    perhaps = judged(FOLDS.format(between="found = tidy(table)"), tmp_path)
    assert (perhaps.status, errors(perhaps)) == ("undecided", [])


TRAINED_ELSEWHERE = """# %%
import torch
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor
from loops import train
learning = DataLoader(MNIST('d', train=True, transform=ToTensor()), 32, shuffle=True)
asking = DataLoader(MNIST('d', train=False, transform=ToTensor()), 32)
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
results = train(net, learning, asking, epochs=4)
"""


def test_nothing_to_judge_is_not_said_where_what_trains_is_not_here(tmp_path: Path) -> None:
    report = judged(TRAINED_ELSEWHERE, tmp_path)
    assert (report.status, "loops" in report.problem) == ("undecided", True)
    own = judged(TRAINED_ELSEWHERE.replace("results = train(net, learning, asking, epochs=4)", "print(net)"), tmp_path)
    assert own.status == "nothing to judge"


SHUFFLED_AGAIN = """# %%
import numpy as np
class Given:
    def __init__(self, inputs, kinds):
        self.inputs, self.kinds, self.order = inputs, kinds, np.arange(900)
        self.rng = np.random.RandomState(5)
    def back(self):
        places = np.argsort(self.order)
        self.order = self.order[places]
        self.inputs, self.kinds = self.inputs[places], self.kinds[places]
        self.mix()
    def mix(self):
        places = self.rng.permutation(self.inputs.shape[0])
        self.order = self.order[places]
        self.inputs, self.kinds = self.inputs[places], self.kinds[places]
stored = np.load('leaves.npz')
given = Given(stored['inputs'], stored['kinds'])
"""


def test_rows_that_are_put_in_order_time_and_again_cost_no_more_each_time(tmp_path: Path) -> None:
    machine, scope = reader(lambda name, asking: None, None), Scope("book.ipynb", main=True)
    text = SHUFFLED_AGAIN + "given.back()\n" * 60
    machine.run([Block("book.ipynb", 1, parse_cell(text).statements, (), ())], scope)
    given = scope.names["given"]
    assert isinstance(given, Object)
    inputs = given.attrs["inputs"]
    assert isinstance(inputs, Rows)
    assert len(inputs.orders) <= MAX_CUTS
    assert all(
        len(path.cuts) <= MAX_CUTS and len(cut.key) <= 3 * MAX_CUTS for path in inputs.paths for cut in path.cuts
    )
