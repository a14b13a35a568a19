"""What may have left rows out is not taken for all of them: methods, slices of batches, settings, lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged
from .test_whole_arrays import LOADERS, TABLE

SETS = TABLE + "import itertools\nfrom datasets import load_dataset\nfrom torch.utils.data import TensorDataset\n"
SETS += "whole, kinds = torch.load('x.pt'), torch.load('y.pt')\ntexts = load_dataset('imdb', split='train')\n"
SETS += """def both(inputs, labels, **settings):
    return DataLoader(TensorDataset(inputs, labels), batch_size=8, **settings)
def pets(t):
    return both(torch.tensor(t[['rooms']].values), torch.tensor(t['price'].values))
"""


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ("pets(table.truncate(after=80))", "pets(table.truncate(before=81))"),
        ("pets(table.first('3M'))", "pets(table.last('3M'))"),
        ("pets(table.xs('train'))", "pets(table.xs('test'))"),
        ("pets(table.pipe(one))", "pets(table.pipe(other))"),
        ("pets(table.reindex(some))", "pets(table.reindex(others))"),
        ("DataLoader(texts.shard(9, 0), 8)", "DataLoader(texts.shard(9, 1), 8)"),
        ("DataLoader(texts.filter(one), 8)", "DataLoader(texts.filter(other), 8)"),
        (
            "both(whole.narrow(0, 0, 80), kinds.narrow(0, 0, 80))",
            "both(whole.narrow(0, 80, 20), kinds.narrow(0, 80, 20))",
        ),
        (
            "both(torch.masked_select(whole, mask), torch.masked_select(kinds, mask))",
            "both(torch.masked_select(whole, rest), torch.masked_select(kinds, rest))",
        ),
        ("itertools.islice(pets(table), 0, 80)", "itertools.islice(pets(table), 80, 100)"),
        ("both(whole, kinds, **ours('train'))", "both(whole, kinds, **ours('test'))"),
    ],
)
def test_parts_that_are_not_followed(known: str, asked: str, tmp_path: Path) -> None:
    report = judged(SETS + f"learning = {known}\nasking = {asked}\n" + LOADERS, tmp_path)
    assert (report.status, errors(report)) == ("undecided", [])


@pytest.mark.parametrize("method", ["np.log(t)", "t.astype(float)", "t.diff()", "np.nan_to_num(t)"])
def test_what_is_done_to_each_row_leaves_it(method: str, tmp_path: Path) -> None:
    text = SETS + f"def changed(t):\n    return pets({method})\nlearning, asking = changed(table), changed(table)\n"
    assert errors(judged(text + LOADERS, tmp_path)) == ["evaluates-on-training-data"]


IDS = """class Pets(Dataset):
    def __init__(self, table, held_out):
        self.table = table
        self.ids = [i for i in table.index if (i % 5 == 0) == held_out]
    def __len__(self):
        return len(self.ids)
    def __getitem__(self, index):
        row = self.table.loc[self.ids[index]]
        return torch.tensor(row.rooms), row.price
learning, asking = DataLoader(Pets(table, False), 8), DataLoader(Pets(table, True), 8)
"""


def test_a_list_of_ones_own_says_which_rows(tmp_path: Path) -> None:
    report = judged(SETS + IDS + LOADERS, tmp_path)
    assert (report.status, errors(report)) == ("undecided", [])
    every = IDS.replace("len(self.ids)", "len(self.table)")
    assert errors(judged(SETS + every + LOADERS, tmp_path)) == ["evaluates-on-training-data"]
    two = IDS.replace("Pets(table, True)", "Pets(pd.read_csv('others.csv'), True)")
    assert judged(SETS + two + LOADERS, tmp_path).status == "right"


def test_rows_behind_others_are_both(tmp_path: Path) -> None:
    """`table.append(more)`, as pandas had it: what is appended is learned from too."""
    text = SETS + "more = pd.read_csv('more.csv')\nlearning, asking = pets(table.append(more)), pets(more)\n"
    assert errors(judged(text + LOADERS, tmp_path)) == ["evaluates-on-training-data"]
