"""Data: IDX files good and broken, where MNIST is found, mirrors (a server of our own), digits, splits, overlap."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets
from tests.data.small_sets import Server, changed, idx_bytes, put, serving
from torch.nn import functional as F

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import sha256
from tinyproof.core.listener import Listener
from tinyproof.data import fetching, idx, published
from tinyproof.data.catalogue import MNIST
from tinyproof.data.dataset import hold_out, overlap
from tinyproof.data.load import enlarge, load, load_digits, load_mnist


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """Four small files that stand for MNIST's: the published digests are replaced by theirs."""
    rng = np.random.Generator(np.random.PCG64(0))
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (30, 28, 28), np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 10, 30).astype(np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (12, 28, 28), np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, 12).astype(np.uint8),
    }
    content = {name: idx_bytes(array) for name, array in arrays.items()}
    monkeypatch.delenv("TINYPROOF_DATA", raising=False)
    published_as = tuple(replace(f, digest=sha256(content[f.name])) for f in MNIST.files)
    with changed(MNIST, files=published_as):
        yield content


@pytest.mark.parametrize("packed", [True, False], ids=["gzipped", "plain"])
@pytest.mark.parametrize("under", ["", "MNIST/raw"], ids=["folder", "torchvision"])
def test_mnist_is_read_wherever_it_lies(
    small_mnist: dict[str, bytes], tmp_path: Path, packed: bool, under: str
) -> None:
    put(tmp_path / under, small_mnist, packed)
    found = load_mnist(tmp_path)
    assert found.train_images.shape == (30, 1, 28, 28)
    assert found.test_labels.tolist() == list(small_mnist["t10k-labels-idx1-ubyte"][8:])
    assert (found.mean, found.std, found.target_percent) == (0.1307, 0.3081, 99.4)


def test_the_environment_names_a_folder(
    small_mnist: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYPROOF_DATA", str(put(tmp_path, small_mnist)))
    assert load("mnist", fetch=False).source == str(tmp_path)


def break_truncate_gzip(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-500])


def break_truncate(folder: Path) -> None:
    rewrite(folder, "train-labels-idx1-ubyte", lambda raw: raw[:-3])


def break_empty(folder: Path) -> None:
    rewrite(folder, "t10k-labels-idx1-ubyte", lambda raw: b"")


def break_header(folder: Path) -> None:
    rewrite(folder, "t10k-labels-idx1-ubyte", lambda raw: raw[:6])


def break_huge(folder: Path) -> None:
    rewrite(folder, "train-images-idx3-ubyte", lambda raw: raw[:4] + b"\xff" * 12 + raw[16:])


def break_swap_kind(folder: Path) -> None:
    swap(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")


def break_swap_part(folder: Path) -> None:
    swap(folder, "train-images-idx3-ubyte", "t10k-images-idx3-ubyte")


def break_tamper(folder: Path) -> None:
    rewrite(folder, "t10k-images-idx3-ubyte", lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:])


def break_label(folder: Path) -> None:
    rewrite(folder, "train-labels-idx1-ubyte", lambda raw: raw[:-1] + b"\x0b")


def rewrite(folder: Path, name: str, change) -> None:
    path = folder / f"{name}.gz"
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


def swap(folder: Path, one: str, other: str) -> None:
    first, second = folder / f"{one}.gz", folder / f"{other}.gz"
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


BROKEN = {
    "gzip cut short": (break_truncate_gzip, r"train-images-idx3-ubyte\.gz: is not a whole gzip file \(truncated"),
    "cut short": (break_truncate, r"train-labels-idx1-ubyte\.gz: is truncated: 35 bytes where 38 are expected"),
    "empty": (break_empty, r"t10k-labels-idx1-ubyte\.gz: is not an IDX file"),
    "ends in its header": (break_header, r"is truncated: it ends inside its header"),
    "claims a huge size": (break_huge, r"is truncated: 23,536 bytes where 79,228,162,458,924,105,385,300,197,391"),
    "images and labels swapped": (break_swap_kind, r"1 dimension\(s\) where images \(3 dimensions\) are expected"),
    "training and test swapped": (break_swap_part, r"holds the test images where the training images are expected"),
    "one bit changed": (break_tamper, r"t10k-images-idx3-ubyte\.gz: is not MNIST's file: SHA-256 .* is published"),
    "label out of range": (break_label, r"has the label 11; labels go from 0 to 9"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong(small_mnist: dict[str, bytes], tmp_path: Path, case: str) -> None:
    change, message = BROKEN[case]
    change(put(tmp_path, small_mnist))
    with pytest.raises(DataError, match=message) as caught:
        load_mnist(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_compressed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(5_000_000)))
    with pytest.raises(DataError, match="unpacks to more than 1,000,000 bytes"):
        idx.read_bytes(bomb, 1_000_000)


@pytest.fixture
def server(small_mnist: dict[str, bytes]) -> Iterator[Server]:
    """Mirrors on 127.0.0.1: /good/ has everything, /bad/ has tampered files, /cut/ half of each, /none/ nothing."""
    with serving() as running:
        packed = {name: gzip.compress(raw, mtime=0) for name, raw in small_mnist.items()}
        running.files = {f"/good/{name}.gz": raw for name, raw in packed.items()}
        running.files |= {f"/cut/{name}.gz": raw[: len(raw) // 2] for name, raw in packed.items()}
        running.files |= {
            f"/bad/{name}.gz": gzip.compress(raw[:-1] + bytes([raw[-1] ^ 1])) for name, raw in small_mnist.items()
        }
        yield running


def mirrors(server: Server, *names: str) -> list[str]:
    return [server.mirror(name) for name in names]


def test_mirror_after_mirror_until_one_is_good(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    paths = fetching.fetch(MNIST, tmp_path, mirrors(server, "none", "cut", "bad", "good"), Listener(say=said.append))
    assert [len(array) for array in published.read(MNIST, paths)[0]] == [30, 30, 12, 12]
    assert sum("trying the next mirror" in line for line in said) == 12
    assert sum("fetched from 127.0.0.1" in line and "verified" in line for line in said) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"{f.name}.gz" for f in MNIST.files)


def test_what_is_there_is_not_fetched_again_and_what_is_broken_is(server: Server, tmp_path: Path) -> None:
    fetching.fetch(MNIST, tmp_path, mirrors(server, "good"))
    server.asked.clear()
    fetching.fetch(MNIST, tmp_path, mirrors(server, "good"))
    assert server.asked == []
    break_tamper(tmp_path)
    fetching.fetch(MNIST, tmp_path, mirrors(server, "good"))
    assert server.asked == ["/good/t10k-images-idx3-ubyte.gz"]


def test_no_good_mirror_is_one_line_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    dead = "http://127.0.0.1:9/dead/"
    with pytest.raises(
        published.NotFound, match=r"could not be fetched from 127.0.0.1:9: no connection; 127"
    ) as caught:
        fetching.fetch(MNIST, tmp_path, [dead, *mirrors(server, "bad")])
    assert "--data" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_true_mnist_passes_its_checks(mnist_folder: Path) -> None:
    found = load_mnist(mnist_folder)
    assert (found.train_images.shape, found.test_images.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert np.bincount(found.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (found.train_images.mean() / 255, found.train_images.std() / 255) == pytest.approx(
        (0.1307, 0.3081), abs=5e-5
    )
    assert overlap(found) == []


def test_digits_are_scikit_learns_enlarged() -> None:
    found = load_digits()
    assert len(found.train_images) + len(found.test_images) == 1797
    assert found.name == found.title == "digits"
    assert overlap(found) == []
    small = datasets.load_digits().images * (255 / 16)
    by_torch = F.interpolate(torch.from_numpy(small)[:, None], size=(28, 28), mode="bilinear", align_corners=False)
    np.testing.assert_allclose(enlarge(small), by_torch[:, 0].numpy(), atol=0.5 + 1e-9)
    counts = np.bincount(found.test_labels) / np.bincount(datasets.load_digits().target)
    np.testing.assert_allclose(counts, 0.2, atol=0.01)
    assert found.digest == load_digits().digest


def test_hold_out_is_stratified_disjoint_and_never_the_test_images() -> None:
    whole = load_digits()
    part = hold_out(whole, 300, seed=4)
    assert part.held_out
    assert len(part.test_images) == 300
    assert len(part.train_images) == len(whole.train_images) - 300
    joined = np.concatenate([part.train_images, part.test_images]).reshape(len(whole.train_images), -1)
    assert sorted(map(bytes, joined)) == sorted(map(bytes, whole.train_images.reshape(len(joined), -1)))
    share = np.bincount(part.test_labels) / np.bincount(whole.train_labels)
    np.testing.assert_allclose(share, 300 / len(whole.train_labels), atol=0.01)
    assert part.digest not in (whole.digest, hold_out(whole, 300, seed=5).digest)
    assert part.digest == hold_out(whole, 300, seed=4).digest


def test_an_image_in_both_sets_is_reported() -> None:
    whole = load_digits()
    test_images = whole.test_images.copy()
    test_images[[3, 8]] = whole.train_images[[40, 7]]
    assert overlap(replace(whole, test_images=test_images)) == [(40, 3), (7, 8)]


def test_labels_out_of_range_and_uneven_sets_are_refused() -> None:
    whole = load_digits()
    with pytest.raises(DataError, match="has the label 12; labels go from 0 to 9"):
        replace(whole, train_labels=whole.train_labels + 3)
    with pytest.raises(DataError, match="359 images and 358 labels"):
        replace(whole, test_labels=whole.test_labels[1:])


def test_an_unknown_data_set_is_named() -> None:
    with pytest.raises(InputError, match=r"dataset: 'mnits' is not allowed.*did you mean mnist"):
        load("mnits")


def test_a_folder_without_mnist_is_named(tmp_path: Path) -> None:
    with pytest.raises(published.NotFound, match="does not hold the four MNIST files"):
        load_mnist(tmp_path)


def test_a_file_that_is_missing_is_named(small_mnist: dict[str, bytes], tmp_path: Path) -> None:
    put(tmp_path, small_mnist)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(published.NotFound, match=r"lacks t10k-labels-idx1-ubyte \(gzipped or not\)"):
        load_mnist(tmp_path)


def test_a_variable_that_names_nothing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYPROOF_DATA", str(tmp_path / "tpyo"))
    with pytest.raises(InputError, match=r"TINYPROOF_DATA: '.*tpyo' is no file or folder; name one"):
        load_mnist()
