"""Data sets by name, from small files in their layout: found, told apart, put right, fetched, held to, repaired."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.data.small_sets import Server, changed, content_of, idx_bytes, packed, put, serving, standing_for

import tinyproof
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.listener import Listener
from tinyproof.data import fetching, more_tests, own_data, published
from tinyproof.data.catalogue import CIFAR10, FASHION, KMNIST, MNIST, QMNIST, SETS, TEST50K
from tinyproof.data.dataset import NAMES, TITLES
from tinyproof.data.load import load
from tinyproof.data.reading import BEFORE, asked

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No data of this machine's, and a cache of the test's own."""
    monkeypatch.delenv("TINYPROOF_DATA", raising=False)
    monkeypatch.setattr(published, "user_cache", lambda: str(tmp_path / "cache"))
    monkeypatch.setattr(published, "_SYSTEM", tmp_path / "system")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def test_every_name_is_a_set_with_files_classes_and_mirrors() -> None:
    assert set(NAMES) == {*SETS, "digits"} == set(TITLES)
    for one in SETS.values():
        assert len(set(one.classes)) == len(one.classes) >= 10
        assert all(mirror.endswith("/") for mirror in one.mirrors)
        digests = [file.digest or file.md5 for file in one.files] if one.archive is None else [one.archive.md5]
        assert all(len(digest) in (32, 64) for digest in digests)


@pytest.mark.parametrize("gzipped", [True, False], ids=["gzipped", "plain"])
@pytest.mark.parametrize("name", SETS)
def test_a_set_is_read_from_its_files(name: str, gzipped: bool, tmp_path: Path) -> None:
    one, gzipped = SETS[name], gzipped and name != "cifar-10"
    content = content_of(one)
    folder = put(tmp_path / "root" / one.folders[0], content, gzipped)
    with standing_for(name, content):
        found = load(name, tmp_path / "root")
        by_path = load(str(folder), asked=BEFORE)
    assert found.name == by_path.name == name
    assert (found.shape, found.classes) == (one.shape, one.classes)
    assert found.digest == by_path.digest
    each = 30 * (len(one.files) - 1) if name == "cifar-10" else 30
    assert (len(found.train_labels), len(found.test_labels)) == (each, 12)
    assert (found.test_labels == np.arange(12) % len(one.classes)).all()  # from 0, whatever the file counts from
    assert found.target_percent == one.target


def test_targets_are_stated_or_there_is_none() -> None:
    assert {name for name, one in SETS.items() if one.target is not None} == {"mnist"}


def test_images_of_emnist_are_turned_upright_and_letters_count_from_0(tmp_path: Path) -> None:
    one = SETS["emnist-letters"]
    seven = np.zeros((28, 28), np.uint8)
    seven[4, 5:20] = seven[4:24, 19] = 255  # a bar on top, a stroke down on the right
    content = content_of(one)
    name = "emnist-letters-test"
    content[f"{name}-images-idx3-ubyte"] = idx_bytes(seven.T[None])
    content[f"{name}-labels-idx1-ubyte"] = idx_bytes(np.array([26], np.uint8))
    found = load("emnist-letters", put(tmp_path, content))
    assert (found.test_images[0, 0] == seven).all()
    assert found.classes[int(found.test_labels[0])] == "z"


def test_cifar_is_red_green_blue_by_planes(tmp_path: Path) -> None:
    row = np.concatenate([[3], np.full(1024, 10), np.full(1024, 20), np.full(1024, 30)]).astype(np.uint8)
    content = {file.name: row.tobytes() for file in CIFAR10.files}
    found = load("cifar-10", put(tmp_path, content, gzipped=False))
    assert found.test_images[0, :, 7, 9].tolist() == [10, 20, 30]
    assert found.classes[int(found.test_labels[0])] == "cat"
    assert len(found.train_labels) == 5


def test_pickles_of_cifar_are_never_read(tmp_path: Path) -> None:
    trap = tmp_path / "cifar-10-batches-py"
    trap.mkdir()
    (trap / "data_batch_1").write_bytes(b"cos\nsystem\n(S'touch unpickled'\ntR.")
    for path in (trap, tmp_path):
        with pytest.raises(DataError, match=r"as pickles, which .* never read here; fetch the binary version"):
            load(str(path))
    assert not Path("unpickled").exists()


# ------------------------------------------------------------------ told apart


def test_files_of_one_name_are_told_apart_by_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits, clothes = content_of(MNIST, 1), content_of(FASHION, 2)
    with standing_for("mnist", digits), standing_for("fashion-mnist", clothes):
        put(tmp_path / "flat", digits)
        put(tmp_path / "both" / "FashionMNIST" / "raw", clothes)
        put(tmp_path / "both" / "MNIST" / "raw", digits)
        with pytest.raises(published.NotFound, match=r"holds MNIST, not Fashion-MNIST"):
            load("fashion-mnist", tmp_path / "flat")
        for name in ("mnist", "fashion-mnist"):
            assert load(name, tmp_path / "both").name == name
        monkeypatch.setenv("TINYPROOF_DATA", str(tmp_path / "flat"))
        assert published.find(FASHION) is None
        assert load("mnist", fetch=False).name == "mnist"
        monkeypatch.setenv("TINYPROOF_DATA", str(tmp_path / "both" / "FashionMNIST" / "raw"))
        assert published.find(MNIST) is None
        with pytest.raises(InputError, match=r"both' holds several; name one of mnist, fashion-mnist, with --data"):
            load(str(tmp_path / "both"))


@pytest.mark.parametrize("path", ["FashionMNIST/raw", "FashionMNIST", "."])
def test_torchvisions_folders_are_rightly_named(tmp_path: Path, path: str) -> None:
    clothes = content_of(FASHION)
    put(tmp_path / "FashionMNIST" / "raw", clothes, gzipped=False)
    with standing_for("fashion-mnist", clothes):
        found = load(str(tmp_path / path))
    assert (found.name, found.title, found.classes[9]) == ("fashion-mnist", "Fashion-MNIST", "Ankle boot")


def test_ones_own_idx_files_stay_ones_own(tmp_path: Path) -> None:
    put(tmp_path / "leaves", content_of(MNIST, 5))
    assert load(str(tmp_path / "leaves")).name == "leaves"
    assert own_data.name_of(tmp_path / "KMNIST") == "KMNIST (own)"


def test_another_size_than_a_set_has_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"size: '24x24' is not allowed; allowed: 3 channels of 32x32, as cifar-10"):
        load("cifar-10", asked=asked("24"))
    put(tmp_path / "QMNIST" / "raw", content_of(QMNIST))
    with pytest.raises(InputError, match=r"channels: .* 1 channel of 28x28, as qmnist has it"):
        load(str(tmp_path / "QMNIST"), asked=asked(channels=3))


# ------------------------------------------------------------------ fetched


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist", "qmnist", "emnist-digits", "cifar-10"])
def test_mirror_after_mirror_then_held_to_what_came(name: str, server: Server, tmp_path: Path) -> None:
    one, said = SETS[name], list[str]()
    content = content_of(one)
    with standing_for(name, content) as files:
        server.files = {f"/good/{file}": raw for file, raw in files.items()}
        server.files |= {f"/bad/{file}": raw[:-9] + bytes(9) for file, raw in files.items()}
        mirrors = [server.mirror(mirror) for mirror in ("none", "bad", "good")]
        with changed(one, mirrors=tuple(mirrors)):
            found = load(name, listener=Listener(say=said.append))
        assert found.name == name
        assert sum("verified" in line for line in said) == len(files)
        assert sum("trying the next mirror" in line for line in said) == 2 * len(files)
        home = tmp_path / "cache" / one.home
        assert found.source == str(home)
        sums = published.sums(home)
        if name == "fashion-mnist":
            assert sums == {}  # it has a SHA-256 of its own
            assert "SHA-256 as computed on Debian's files" in load(name).known_by
            return
        for path, digest in sums.items():
            assert hashlib.sha256((home / path).read_bytes()).hexdigest() == digest
        assert load(name, fetch=False).known_by == "SHA-256 as the first fetch wrote it down"
        victim = published.file_in(home, one.files[0])
        assert victim is not None
        good = victim.read_bytes()
        swapped = content_of(one, seed=9)[one.files[0].name]
        victim.write_bytes(packed(swapped) if victim.suffix == ".gz" else swapped)
        with pytest.raises(DataError, match=rf"another SHA-256 than SHA256SUMS .*tinyproof data {name} --fetch"):
            load(name, fetch=False)
        with changed(one, mirrors=(mirrors[-1],)):
            tinyproof.data(name, fetch=True, quiet=True)
        assert victim.read_bytes() == good
        assert victim.with_name(victim.name + ".broken").exists()


def test_fetch_mends_a_broken_file_where_it_lies_and_keeps_the_old_one(server: Server, tmp_path: Path) -> None:
    content = content_of(MNIST)
    with standing_for("mnist", content) as files:
        server.files = {f"/good/{file}": raw for file, raw in files.items()}
        folder = put(tmp_path / "mine", content, gzipped=False)
        broken = folder / "t10k-images-idx3-ubyte"
        broken.write_bytes(broken.read_bytes()[:-4])
        with pytest.raises(DataError, match="is truncated"):
            tinyproof.data("mnist", data=folder, quiet=True)
        with changed(MNIST, mirrors=(server.mirror("good"),)):
            rows = tinyproof.data("mnist", data=folder, fetch=True, quiet=True).records()
        assert rows[0]["images"] == "30 training, 12 test"
        assert server.asked == ["/good/t10k-images-idx3-ubyte.gz"]
        assert sorted(path.name for path in folder.glob("t10k-images*")) == [
            "t10k-images-idx3-ubyte.broken", "t10k-images-idx3-ubyte.gz",
        ]  # fmt: skip


def test_a_set_is_not_fetched_over_another_of_the_same_names(server: Server, tmp_path: Path) -> None:
    content = content_of(MNIST)
    with standing_for("mnist", content), changed(FASHION, mirrors=(server.mirror("good"),)):
        folder = put(tmp_path / "mine", content)
        told = r"holds MNIST, whose files are called as Fashion-MNIST's are; name another folder"
        with pytest.raises(InputError, match=told):
            tinyproof.data("fashion-mnist", data=folder, fetch=True, quiet=True)
    assert server.asked == []


def test_all_of_emnist_comes_from_one_fetch(server: Server) -> None:
    parts = {name: content_of(one) for name, one in SETS.items() if name.startswith("emnist")}
    everything = {file: raw for content in parts.values() for file, raw in content.items()}
    with (
        standing_for("emnist-letters", everything) as files,
        changed(SETS["emnist-letters"], mirrors=(server.mirror("good"),)),
    ):
        held = SETS["emnist-letters"].archive
        server.files = {f"/good/{file}": raw for file, raw in files.items()}
        with changed(SETS["emnist-balanced"], archive=held):
            load("emnist-letters")
            assert load("emnist-balanced", fetch=False).classes[36] == "a"
    assert server.asked == ["/good/gzip.zip"]


def test_an_archive_that_lacks_a_file_is_one_line(server: Server) -> None:
    content = content_of(CIFAR10)
    del content["data_batch_3.bin"]
    with standing_for("cifar-10", content) as files, changed(CIFAR10, mirrors=(server.mirror("good"),)):
        server.files = {f"/good/{file}": raw for file, raw in files.items()}
        with pytest.raises(DataError, match=r"cifar-10-binary.tar.gz: does not hold data_batch_3.bin"):
            load("cifar-10")


def test_no_mirror_is_one_line_that_names_the_set() -> None:
    with (
        changed(KMNIST, mirrors=("http://127.0.0.1:9/dead/",)),
        pytest.raises(published.NotFound, match=r"KMNIST \(train-images.*127.0.0.1:9: no connection; put its files"),
    ):
        load("kmnist")
    with pytest.raises(published.NotFound, match=r"fetch it with: tinyproof data kmnist --fetch"):
        load("kmnist", fetch=False)


def test_data_lists_every_set_and_one_alone(tmp_path: Path) -> None:
    rows = {row["data set"]: row for row in tinyproof.data().records()}
    assert [*rows] == [*TITLES.values(), TEST50K.name]
    assert rows["KMNIST"]["where"] == "not here; fetch it with: tinyproof data kmnist --fetch"
    (folder := tmp_path / "my data").mkdir()
    (said,) = [row["where"] for row in tinyproof.data("kmnist", data=folder).records()]
    words = shlex.split(str(said).partition("fetch it with: ")[2])
    assert words == ["tinyproof", "data", "kmnist", "--fetch", "--data", str(folder)]
    (tmp_path / "a file").write_text("no folder")
    (said,) = [row["where"] for row in tinyproof.data("kmnist", data=tmp_path / "a file").records()]
    assert str(said).endswith("fetch it with: tinyproof data kmnist --fetch")
    put(tmp_path / "here" / "KMNIST" / "raw", content_of(KMNIST), gzipped=False)
    (row,) = tinyproof.data("kmnist", data=tmp_path / "here").records()
    assert row["verified"] == "not checked: no digest of these files is known here; no image in both sets"
    with pytest.raises(InputError, match=r"name: 'kminst' is not allowed.*did you mean kmnist"):
        tinyproof.data("kminst")


# ------------------------------------------------------------------ the true files, and QMNIST's 50,000


def test_the_true_fashion_mnist_passes_its_checks() -> None:
    if not DEBIAN.is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    found = load("fashion-mnist", DEBIAN)
    assert (found.train_images.shape, found.test_images.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert np.bincount(found.train_labels).tolist() == [6_000] * 10
    assert np.bincount(found.test_labels).tolist() == [1_000] * 10
    assert (found.mean, found.std) == (0.286, 0.353)


def test_more_tests_are_qmnists_without_mnists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(more_tests, "TEST50K_FROM", 5)
    content = content_of(QMNIST)
    folder = put(tmp_path / "QMNIST" / "raw", {name: raw for name, raw in content.items() if "test" in name})
    found = more_tests.load("qmnist-test50k", tmp_path)
    assert found.labels.tolist() == [5, 6, 7, 8, 9, 0, 1]
    whole = np.frombuffer(content["qmnist-test-images-idx3-ubyte"], np.uint8, offset=16).reshape(12, 1, 28, 28)
    assert (found.images == whole[5:]).all()
    assert found.source == str(folder)
    monkeypatch.setattr(more_tests, "TEST50K_FROM", 10_000)
    with pytest.raises(DataError, match="has 12 images and 12 labels where 60,000 are expected"):
        more_tests.load("qmnist-test50k", tmp_path)


def test_labels_outside_a_set_are_refused(tmp_path: Path) -> None:
    content = content_of(SETS["emnist-letters"])
    content["emnist-letters-train-labels-idx1-ubyte"] = idx_bytes(np.arange(30, dtype=np.uint8) % 26)
    with pytest.raises(DataError, match=r"has the label 0; labels go from 1 to 26"):
        load("emnist-letters", put(tmp_path, content))


def test_fetching_without_a_home_asks_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "user_cache", lambda: "")
    with pytest.raises(InputError, match="data is missing; name the folder to keep KMNIST in: this user has no home"):
        fetching.fetch(KMNIST)
