"""Arrays of one's own in the shapes and under the names that people save them, and CSV files as Kaggle calls them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyproof.core.errors import DataError
from tinyproof.data import own_data
from tinyproof.data.reading import asked

RNG = np.random.default_rng(4)
GREY = RNG.integers(0, 256, (40, 12, 12), dtype=np.uint8)
GREY[:, 0] = GREY[:, -1] = GREY[:, :, 0] = GREY[:, :, -1] = 0  # a dark border, so that nothing is inverted
COLOUR = RNG.integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
LABELS = np.arange(40) % 4
ONE_HOT = np.eye(4)[LABELS]


def saved(path: Path, *arrays: np.ndarray, **named: np.ndarray) -> Path:
    np.savez(path, *arrays, **named)
    return path


NAMES = {
    "keras": ("x_train", "y_train", "x_test", "y_test"),
    "capitals": ("X_train", "Y_train", "X_test", "Y_test"),
    "words": ("train_images", "train_labels", "test_images", "test_labels"),
    "words turned": ("images_train", "labels_train", "images_test", "labels_test"),
    "data": ("train_data", "train_targets", "test_data", "test_targets"),
    "no names": ("arr_0", "arr_2", "arr_1", "arr_3"),
    "no names, in pairs": ("arr_0", "arr_1", "arr_2", "arr_3"),
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    parts = dict(zip(names, (GREY[:30], LABELS[:30], GREY[30:], LABELS[30:]), strict=True))
    found = own_data.load(saved(tmp_path / "a.npz", **parts))
    assert (found.train_images[:, 0] == GREY[:30]).all()
    assert (found.test_labels == LABELS[30:]).all()


@pytest.mark.parametrize(
    "names", [("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target"), ("arr_0", "arr_1")]
)
def test_a_single_pair_is_split(tmp_path: Path, names: tuple[str, str]) -> None:
    found = own_data.load(saved(tmp_path / "a.npz", **dict(zip(names, (GREY, LABELS), strict=True))))
    assert (len(found.train_labels), len(found.test_labels)) == (32, 8)


SHAPES = {
    "N H W": (GREY, 1), "N H W 1": (GREY[..., None], 1), "N 1 H W": (GREY[:, None], 1),
    "rows": (GREY.reshape(40, -1), 1), "fractions": (GREY / 255.0, 1),
    "rows of fractions": (GREY.reshape(40, -1) / 255, 1),
    "N H W 3": (COLOUR, 3), "N 3 H W": (np.moveaxis(COLOUR, 3, 1), 3),
    "rows of colour planes": (np.moveaxis(COLOUR, 3, 1).reshape(40, -1), 3),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(tmp_path: Path, shape: str) -> None:
    images, channels = SHAPES[shape]
    found = own_data.load(saved(tmp_path / "a.npz", x_train=images, y_train=LABELS, x_test=images, y_test=LABELS))
    assert found.shape == (channels, 12, 12)
    assert (found.train_images == (GREY[:, None] if channels == 1 else np.moveaxis(COLOUR, 3, 1))).all()


LABELLED = {
    "one-hot": ONE_HOT, "one-hot bytes": ONE_HOT.astype(np.uint8), "one-hot truth": ONE_HOT.astype(bool),
    "a column": LABELS[:, None], "whole fractions": LABELS.astype(np.float64),
}  # fmt: skip


@pytest.mark.parametrize("kind", LABELLED)
def test_labels(tmp_path: Path, kind: str) -> None:
    labels = LABELLED[kind]
    found = own_data.load(saved(tmp_path / "a.npz", x_train=GREY, y_train=labels, x_test=GREY, y_test=labels))
    assert found.classes == ("0", "1", "2", "3")
    assert (found.train_labels == LABELS).all()


TWO_AT_ONCE = ONE_HOT.copy()
TWO_AT_ONCE[5] = [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (TWO_AT_ONCE, r"has labels float64 \[40, 4\] for 40 images"),
        (LABELS + 0.5, r"has labels float64 \[40\] for 40 images"),
        (np.zeros((40, 4)), r"has labels float64 \[40, 4\]"),
    ],
    ids=["two classes in a row", "halves", "no class"],
)
def test_what_only_looks_like_labels_is_refused(tmp_path: Path, labels: np.ndarray, told: str) -> None:
    with pytest.raises(DataError, match=told):
        own_data.load(saved(tmp_path / "a.npz", x_train=GREY, y_train=labels))


def test_rows_that_are_no_square_need_a_size(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", x_train=GREY[:, :, :10].reshape(40, -1), y_train=LABELS)
    with pytest.raises(DataError, match=r"images of shape \[40, 120\]"):
        own_data.load(path)
    found = own_data.load(path, asked("12x10"))
    assert found.shape == (1, 12, 10)


def test_arrays_without_names_that_fit_nothing_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds arr_0, arr_1, arr_2 where x_train and y_train are expected"):
        own_data.load(saved(tmp_path / "a.npz", GREY, GREY, LABELS))


@pytest.mark.parametrize("stem", ["", "mnist_", "fashion-mnist_", "sign_mnist_"])
def test_csv_files_as_kaggle_calls_them(tmp_path: Path, stem: str) -> None:
    head = ",".join(["label", *(f"pixel{number}" for number in range(144))])
    for part, rows in (("train", slice(0, 30)), ("test", slice(30, 40))):
        table = np.concatenate([LABELS[rows, None], GREY[rows].reshape(-1, 144)], 1)
        np.savetxt(tmp_path / f"{stem}{part}.csv", table, "%d", ",", header=head, comments="")
    found = own_data.load(tmp_path)
    assert (found.train_images[:, 0] == GREY[:30]).all()
    assert (found.test_labels == LABELS[30:]).all()


def test_kaggles_test_file_without_labels_is_left_aside(tmp_path: Path) -> None:
    head = ",".join(f"pixel{number}" for number in range(144))
    table = np.concatenate([LABELS[:, None], GREY.reshape(-1, 144)], 1)
    np.savetxt(tmp_path / "train.csv", table, "%d", ",", header=f"label,{head}", comments="")
    np.savetxt(tmp_path / "test.csv", GREY.reshape(-1, 144), "%d", ",", header=head, comments="")
    found = own_data.load(tmp_path)
    assert (len(found.train_labels), len(found.test_labels)) == (32, 8)
