"""Your own data: a folder of pictures, an .npz, IDX files; the same images whichever way; hostile files refused."""

from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.data import own_data
from tinyproof.data.dataset import overlap
from tinyproof.data.load import load
from tinyproof.data.reading import Asked

RNG = np.random.default_rng(4)
IMAGES = np.zeros((30, 28, 28), np.uint8)
IMAGES[:, 6:22, 6:22] = RNG.integers(0, 256, (30, 16, 16))
LABELS = np.arange(30) % 3


def as_folder(root: Path, split: bool, invert: bool = False) -> Path:
    for row, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        part = (["train", "test"][row >= 21],) if split else ()
        place = root.joinpath(*part, "abc"[label])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image if invert else image).save(place / f"{row:03}.png")
    return root


def as_npz(path: Path, **changed: np.ndarray) -> Path:
    arrays = {"x_train": IMAGES[:21], "y_train": LABELS[:21], "x_test": IMAGES[21:], "y_test": LABELS[21:]} | changed
    np.savez_compressed(path, **{name: value for name, value in arrays.items() if value.size})
    return path


def as_idx(root: Path, zipped: bool) -> Path:
    root.mkdir(exist_ok=True)
    for part, rows in (("train", slice(0, 21)), ("t10k", slice(21, 30))):
        images, labels = IMAGES[rows], LABELS[rows].astype(np.uint8)
        files = {
            f"{part}-images-idx3-ubyte": struct.pack(">2xBB3I", 8, 3, *images.shape) + images.tobytes(),
            f"{part}-labels-idx1-ubyte": struct.pack(">2xBBI", 8, 1, len(labels)) + labels.tobytes(),
        }
        for name, content in files.items():
            (root / (name + ".gz" if zipped else name)).write_bytes(gzip.compress(content) if zipped else content)
    return root


@pytest.mark.parametrize("way", ["folder", "npz", "idx", "idx.gz"])
def test_every_way_gives_the_same_images(tmp_path: Path, way: str) -> None:
    path = {
        "folder": lambda: as_folder(tmp_path / "mine", split=True),
        "npz": lambda: as_npz(tmp_path / "mine.npz"),
        "idx": lambda: as_idx(tmp_path / "mine", False),
        "idx.gz": lambda: as_idx(tmp_path / "mine", True),
    }[way]()
    found = load(str(path))
    order = [row for label in range(3) for row in range(21) if LABELS[row] == label] if way == "folder" else range(21)
    assert np.array_equal(found.train_images[:, 0], IMAGES[list(order)])
    assert np.array_equal(found.train_labels, LABELS[list(order)])
    assert len(found.test_images) == 9
    assert found.classes == (("a", "b", "c") if way == "folder" else ("0", "1", "2"))
    assert (found.name, found.target_percent) == ("mine", None)


def test_without_a_test_part_a_fifth_of_each_class_is_kept_for_it_always_the_same(tmp_path: Path) -> None:
    folder = as_folder(tmp_path / "mine", split=False)
    first, second = own_data.load(folder), own_data.load(folder)
    assert np.bincount(first.test_labels).tolist() == [2, 2, 2]
    assert len(first.train_labels) == 24
    assert first.digest == second.digest
    assert not overlap(first)


def test_dark_ink_on_bright_paper_is_inverted_and_said(tmp_path: Path) -> None:
    found = own_data.load(as_folder(tmp_path / "paper", split=True, invert=True))
    assert found.reading is not None
    assert found.reading.words == "30 pictures, 28x28 grey, inverted (their border is bright)"
    assert np.array_equal(found.train_images[0, 0], IMAGES[0])


@pytest.mark.parametrize(
    "images",
    [IMAGES / 255.0, (IMAGES / 255.0).astype(np.float32), IMAGES.astype(np.int64), np.stack([IMAGES] * 3, axis=3)],
    ids=["fractions", "float32", "int64", "three-equal-colours"],
)
def test_arrays_of_other_kinds_become_the_same_bytes(tmp_path: Path, images: np.ndarray) -> None:
    found = own_data.load(as_npz(tmp_path / "a.npz", x_train=images[:21], x_test=images[21:]))
    assert np.abs(found.train_images[:, 0].astype(int) - IMAGES[:21]).max() <= 1


def test_pictures_of_another_size_are_fitted(tmp_path: Path) -> None:
    for label in "ab":
        for index in range(5):
            (tmp_path / "big" / label).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (60, 90), (0, 0, 0)).save(tmp_path / "big" / label / f"{index}.jpg")
    found = own_data.load(tmp_path / "big")
    assert found.train_images.shape == (8, 1, 90, 60)
    assert own_data.load(tmp_path / "big", Asked(size=(28, 28))).train_images.shape == (8, 1, 28, 28)


class Hostile:
    """What a pickle in an .npz would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('the pickle was run')",))


def _hostile(path: Path) -> Path:
    np.savez(path, x_train=np.array([Hostile()], dtype=object), y_train=np.zeros(1, int))
    return path


def _bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x_train.npy", "w") as member:
        for _ in range(1100):
            member.write(bytes(1_000_000))
    return path


def _with_empty_class(root: Path) -> Path:
    (as_folder(root, split=True) / "train" / "nothing").mkdir()
    return root


def _many_classes(root: Path) -> Path:
    for index in range(1001):
        (root / f"{index:03}").mkdir(parents=True)
        Image.new("L", (28, 28)).save(root / f"{index:03}" / "a.png")
    return root


def _without(root: Path, start: str) -> Path:
    for file in root.glob(f"{start}*"):
        file.unlink()
    return root


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda p: p / "nowhere", "is no file or folder; name one that is there"),
        (lambda p: _hostile(p / "a.npz"), "plain arrays"),
        (lambda p: _bomb(p / "a.npz"), "unpacks to"),
        (lambda p: as_npz(p / "a.npz", y_train=LABELS[:20]), "labels"),
        (lambda p: as_npz(p / "a.npz", y_train=-LABELS[:21]), "labels from"),
        (lambda p: as_npz(p / "a.npz", y_train=LABELS[:21] * 1.5), "whole numbers"),
        (lambda p: as_npz(p / "a.npz", x_train=IMAGES[:21] * 2.0), "pixels from"),
        (lambda p: as_npz(p / "a.npz", x_train=IMAGES[:21] * np.nan), "finite"),
        (lambda p: as_npz(p / "a.npz", x_train=IMAGES[:21, 0]), "shape"),
        (lambda p: as_npz(p / "a.npz", x_train=np.zeros(0)), "x_train and y_train are expected"),
        (lambda p: as_npz(p / "a.npz", y_train=LABELS[:21] * 0, y_test=LABELS[21:] * 0), "at least two"),
        (lambda p: (p / "empty").mkdir() or p / "empty", "no pictures"),
        (lambda p: _with_empty_class(p / "mine"), r"train/nothing: is a class folder without a picture"),
        (lambda p: _many_classes(p / "many"), "1,001 classes; at most 1,000"),
        (lambda p: as_npz(p / "a.npz", y_train=LABELS[:21] + 1000), "1,003 classes; at most 1,000"),
        (lambda p: as_npz(p / "a.npz", y_test=np.zeros(0)), "x_test and y_test are expected together"),
        (lambda p: as_npz(p / "a.npz", x_test=np.zeros(0)), "x_test and y_test are expected together"),
        (lambda p: _without(as_idx(p / "mine", False), "t10k-labels"), "t10k-images.* without the labels"),
    ],
    ids=[
        "nothing-there", "pickle", "bomb", "too-few-labels", "negative-labels", "fractional-labels", "too-bright",
        "not-a-number", "wrong-shape", "no-images", "one-class", "empty-folder",
        "empty-class", "many-class-folders", "many-labels", "no-test-labels", "no-test-images", "no-idx-test-labels",
    ],
)  # fmt: skip
def test_bad_data_is_refused_in_one_line(tmp_path: Path, make: object, match: str) -> None:
    with pytest.raises(TinyproofError, match=match) as caught:
        own_data.load(make(tmp_path))  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_as_many_classes_as_answers_can_be_stored_are_taken(tmp_path: Path) -> None:
    labels = np.arange(1000)
    images = np.repeat(IMAGES[:1], 1000, axis=0)
    found = own_data.load(as_npz(tmp_path / "a.npz", x_train=images, y_train=labels, x_test=images, y_test=labels))
    assert len(found.classes) == 1000


@pytest.mark.parametrize("name", ["mnist", "digits", "MNIST"])
def test_your_own_data_is_never_called_as_ours(tmp_path: Path, name: str) -> None:
    assert own_data.load(as_folder(tmp_path / name, split=True)).name == f"{name} (own)"
    assert own_data.load(as_npz(tmp_path / f"{name}.npz")).name == f"{name} (own)"


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    folder = as_folder(tmp_path / "mine", split=True)
    broken = folder / "train" / "a" / "000.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(DataError, match=r"000\.png: is not a picture"):
        own_data.load(folder)


def test_a_name_that_is_no_data_set_is_refused_with_the_names() -> None:
    with pytest.raises(InputError, match=r"mnist, digits, .*, the path of your own"):
        load("mnits")


def test_a_member_that_is_no_array_and_pixels_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    words = as_npz(tmp_path / "words.npz", x_train=np.full((21, 28, 28), "a"))
    with pytest.raises(DataError, match="pixels of type <U1; allowed: numbers"):
        own_data.load(words)
    path = as_npz(tmp_path / "a.npz")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("note", "no array")
    with pytest.raises(DataError, match="holds 'note', which is no array"):
        own_data.load(path)
