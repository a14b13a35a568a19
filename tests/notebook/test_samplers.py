"""Loaders that draw through a sampler, over arrays and over folders: which rows each of them gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged
from .test_whole_arrays import LOADERS, TABLE

ARRAYS = TABLE + "from torch.utils.data import BatchSampler, RandomSampler, TensorDataset\n"
ARRAYS += "pets = TensorDataset(torch.tensor(x), torch.tensor(y))\n"
HALVES = "a, b = train_test_split(list(range(len(pets))), test_size=0.2)\n"
SHUFFLED = "places = list(range(len(pets)))\nnp.random.shuffle(places)\na, b = places[20:], places[:20]\n"
RANGES = "a, b = range(80), range(80, 100)\n"


def loop(known: str, asked: str) -> str:
    return f"learning, asking = DataLoader(pets, 8{known}), DataLoader(pets, 8{asked})\n" + LOADERS


def by(places: str) -> str:
    return f", sampler=SubsetRandomSampler({places})"


@pytest.mark.parametrize("parts", [HALVES, SHUFFLED, RANGES])
@pytest.mark.parametrize("pets", ["", "pets = ImageFolder('pets')\n"])
def test_samplers_of_two_parts(parts: str, pets: str, tmp_path: Path) -> None:
    """The part that was put aside is no training data; the part that was learned from is, under any name."""
    right = judged(ARRAYS + pets + parts + loop(by("a"), by("b")), tmp_path)
    assert (right.status, errors(right)) == ("right", [])
    for known, asked in ((by("a"), by("a")), (by("b"), by("b")), (", shuffle=True", by("b"))):
        wrong = judged(ARRAYS + pets + parts + loop(known, asked), tmp_path)
        assert errors(wrong) == ["evaluates-on-training-data"], (known, asked)


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (", False, SubsetRandomSampler(a)", ", False, SubsetRandomSampler(b)"),  # the place of the argument
        (", False, a", ", False, b"),  # the places alone
        (", sampler=SubsetRandomSampler(a), batch_sampler=None", ", False, SubsetRandomSampler(b), None"),
    ],
)
def test_samplers_by_position(known: str, asked: str, tmp_path: Path) -> None:
    for pets in ("", "pets = ImageFolder('pets')\n"):
        report = judged(ARRAYS + pets + HALVES + loop(known, asked), tmp_path)
        assert (report.status, errors(report)) == ("right", []), pets


@pytest.mark.parametrize("pets", ["", "pets = ImageFolder('pets')\n"])
def test_samplers_of_batches(pets: str, tmp_path: Path) -> None:
    def batches(places: str) -> str:
        return f"DataLoader(pets, batch_sampler=BatchSampler(SubsetRandomSampler({places}), 8, False))"

    both = f"learning, asking = {batches('a')}, {batches('b')}\n" + LOADERS
    report = judged(ARRAYS + pets + HALVES + both, tmp_path)
    assert (report.status, errors(report)) == ("right", [])
    assert errors(judged(ARRAYS + pets + HALVES + both.replace("(b)", "(a)"), tmp_path)) == [
        "evaluates-on-training-data"
    ]


@pytest.mark.parametrize("parts", ["a, b = halves(pets)\n", "from ours import a, b\n"])
def test_samplers_of_which_nothing_is_known(parts: str, tmp_path: Path) -> None:
    for known, asked in ((by("a"), by("b")), (", sampler=a", ", sampler=b")):
        report = judged(ARRAYS + parts + loop(known, asked), tmp_path)
        assert (report.status, errors(report)) == ("undecided", [])


def test_samplers_that_only_order(tmp_path: Path) -> None:
    """A random order leaves no row out; none at all neither."""
    ordered = loop(", sampler=RandomSampler(pets)", ", sampler=None")
    assert errors(judged(ARRAYS + ordered, tmp_path)) == ["evaluates-on-training-data"]
    every = ", sampler=RandomSampler(pets)"
    for known, asked in (("", every), (every, every)):
        assert errors(judged(ARRAYS + loop(known, asked), tmp_path)) == ["evaluates-on-training-data"]
    some = ", sampler=RandomSampler(pets, num_samples=9)"
    assert errors(judged(ARRAYS + loop(some, some), tmp_path)) == []


def test_folds_of_a_tensor_data_set(tmp_path: Path) -> None:
    text = "from sklearn.model_selection import KFold\nfor a, b in KFold(5).split(pets):\n"
    body = loop(by("a"), by("b"))
    folds = judged(ARRAYS + text + "    " + body.replace("\n", "\n    "), tmp_path)
    assert (folds.status, errors(folds)) == ("right", [])
    same = judged(ARRAYS + text + "    " + body.replace("(b)", "(a)").replace("\n", "\n    "), tmp_path)
    assert errors(same) == ["evaluates-on-training-data"]
