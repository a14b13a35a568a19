"""Many pictures at once: each as `predict` reads it, what is bad costs only itself, and all is in the file."""

from __future__ import annotations

import csv
import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tinyproof
from tinyproof.core.errors import DataError, InputError
from tinyproof.data.dataset import Dataset
from tinyproof.train import store

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    tinyproof.train("fast", dataset="digits", epochs=4, out=folder, threads=1, quiet=True)
    return folder


@pytest.fixture
def folder(digits: Dataset, tmp_path: Path) -> Path:
    """90 test digits as files, in two folders; two of them broken, and one of a kind that is not read."""
    place = tmp_path / "pictures"
    for number, image in enumerate(digits.test_images[:90, 0]):
        file = place / ("a" if number < 50 else "b") / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    (place / "a" / "007.png").write_bytes(b"no picture")
    (place / "b" / "060.png").write_bytes((place / "b" / "061.png").read_bytes()[:100])
    (place / "b" / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    (place / "b" / "words.txt").write_text("no picture, and not taken for one")
    return place


def test_the_digits_own_test_files_get_the_stored_answers(run: Path, digits: Dataset, tmp_path: Path) -> None:
    for number, image in enumerate(digits.test_images[:, 0]):
        Image.fromarray(image).save(tmp_path / f"{number:03}.png")
    found, stored = tinyproof.predict_many(run, tmp_path), store.load_predictions(run)
    assert [picture.predicted for picture in found.pictures] == [str(answer) for answer in stored.predicted]
    np.testing.assert_allclose([p.probability for p in found.pictures], stored.confidence, atol=1e-5)
    assert found.exit_code == 0


def test_a_bad_file_is_named_and_costs_only_itself(run: Path, folder: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "answers.csv"
    told = cli("predict", run, folder, "--csv", out)
    assert told.returncode == 1
    assert "88 of 91 pictures read" in told.stdout
    assert "3 left out" in told.stdout
    assert "007.png" in told.stdout
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert len(rows) == 91
    assert [row["picture"] for row in rows] == sorted(row["picture"] for row in rows)
    bad = {Path(row["picture"]).name: row["note"] for row in rows if not row["predicted"]}
    assert set(bad) == {"007.png", "060.png", "phone.heic"}
    assert "save it as JPEG or PNG" in bad.pop("phone.heic")
    assert all(note.startswith("left out: is not a picture that can be read") for note in bad.values())
    one = tinyproof.predict(run, folder / "b" / "077.png")
    (row,) = [row for row in rows if row["picture"].endswith("077.png")]
    assert (row["predicted"], float(row["probability"])) == (one.predicted, pytest.approx(one.probability, abs=1e-5))


@pytest.mark.parametrize("kind", ["npy", "npz", "idx3-ubyte", "fractions.npy"])
def test_arrays_are_read_as_their_pictures_are(kind: str, run: Path, digits: Dataset, tmp_path: Path) -> None:
    images, path = digits.test_images[:70, 0], tmp_path / f"some.{kind}"
    if kind == "npz":
        np.savez(path, x_test=images)
    elif kind.endswith("npy"):
        np.save(path, images / 255 if kind.startswith("fractions") else images)
    else:
        path.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *images.shape) + images.tobytes())
    found = tinyproof.predict_many(run, path, processes=2)
    assert [p.predicted for p in found.pictures] == [str(a) for a in store.load_predictions(run).predicted[:70]]
    assert found.pictures[69].picture == f"{path}[69]"


@pytest.mark.parametrize("kind", ["png", "npy"])
def test_standard_input_holds_a_picture_or_an_array(kind: str, run: Path, digits: Dataset, tmp_path: Path) -> None:
    path = tmp_path / f"given.{kind}"
    if kind == "png":
        Image.fromarray(digits.test_images[0, 0]).save(path)
    else:
        np.save(path, digits.test_images[:3, 0])
    command = [sys.executable, "-m", "tinyproof", "predict", str(run), "-", "--json"]
    told = json.loads(subprocess.run(command, input=path.read_bytes(), capture_output=True, check=True).stdout)
    first = told if kind == "png" else told["pictures"][0]
    assert first["predicted"] == str(store.load_predictions(run).predicted[0])
    assert first["image" if kind == "png" else "picture"] == "standard input" + ("" if kind == "png" else "[0]")
    nothing = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert nothing.returncode == 2
    assert b"standard input holds nothing; give a picture or an array" in nothing.stderr


def test_what_is_wrong_with_standard_input_is_said_of_it(run: Path, tmp_path: Path) -> None:
    """Its own name, and not that of a file that is gone when the line is read; a closed one holds nothing."""
    command = [sys.executable, "-m", "tinyproof", "predict", str(run), "-"]
    damaged = subprocess.run(command, input=b"no picture", capture_output=True, check=False)
    assert damaged.returncode == 2
    assert damaged.stderr.startswith(b"tinyproof: standard input: is not a picture that can be read")
    many = subprocess.run([*command, "--csv", str(tmp_path / "a.csv")], input=b"no", capture_output=True, check=False)
    assert many.returncode == 1
    assert (tmp_path / "a.csv").read_text().splitlines()[1].startswith("standard input,,,")
    closed = subprocess.run(["sh", "-c", '"$@" <&-', "sh", *command], capture_output=True, check=False)
    assert (closed.returncode, closed.stderr.count(b"\n")) == (2, 1)
    assert b"standard input holds nothing" in closed.stderr


def test_no_picture_is_lost_to_the_answers(run: Path, digits: Dataset, tmp_path: Path) -> None:
    """`--csv a.png b.png`, where the name of the table was left out, leaves a.png as it is."""
    picture = tmp_path / "a.png"
    Image.fromarray(digits.test_images[0, 0]).save(picture)
    (tmp_path / "log.csv").write_text("epoch,loss\n1,2.0\n")
    for path in (picture, tmp_path / "log.csv"):
        before = path.read_bytes()
        with pytest.raises(tinyproof.InputError, match=r"csv: .* is there already, and no table of answers; name"):
            tinyproof.predict_many(run, picture, csv=path)
        assert path.read_bytes() == before
    for pictures in (picture, [picture, picture]):  # an earlier table is replaced
        tinyproof.predict_many(run, pictures, csv=tmp_path / "new.csv")
    assert len((tmp_path / "new.csv").read_text().splitlines()) == 3


def test_a_row_in_a_picture_is_one_answer(run: Path, tmp_path: Path) -> None:
    ink = np.zeros((90, 200))
    ink[20:70, 40:50] = ink[20:70, 90:100] = ink[20:70, 140:150] = 1
    Image.fromarray((230 - 190 * ink).astype(np.uint8)).save(tmp_path / "row.png")
    found = tinyproof.predict(run, tmp_path / "row.png")
    assert len(found.predicted) == len(found.row) == 3
    assert found.probability == pytest.approx(np.prod([max(each.values()) for each in found.row]))
    assert found.doubts == ("3 digits side by side, read from left to right",)
    assert tinyproof.predict_many(run, tmp_path).pictures[0].predicted == found.predicted


def test_a_set_of_digits_prepared_as_mnists_are_is_read_as_ink(tmp_path: Path) -> None:
    """Of one's own IDX files the record says so; a photograph, and the set's own files, are then read rightly."""
    from tinyproof.data import own_data
    from tinyproof.data.digit_reader import digits_of
    from tinyproof.data.load import INK, load_digits

    own = tmp_path / "own"
    own.mkdir()
    source = load_digits()
    parts = {"train": (source.train_images[:300, 0], source.train_labels[:300]),
             "test": (source.test_images[:60, 0], source.test_labels[:60])}  # fmt: skip
    for name, (images, labels) in parts.items():
        small = np.stack([digits_of(np.pad(image, 20), INK["mnist"], "a", []).inputs[0] for image in images])
        head = bytes([0, 0, 8, 3]) + struct.pack(">3I", *small.shape)
        (own / f"{name}-images-idx3-ubyte").write_bytes(head + small.tobytes())
        head = bytes([0, 0, 8, 1]) + struct.pack(">I", len(labels))
        (own / f"{name}-labels-idx1-ubyte").write_bytes(head + labels.astype(np.uint8).tobytes())
    reading = own_data.load(own).reading
    assert reading is not None
    assert (reading.kind, reading.box) == ("ink", 20)
    assert "digits prepared as MNIST's are" in reading.words
    tinyproof.train("fast", recipe="digits,epochs=6", dataset=str(own), out=tmp_path / "run", threads=1, quiet=True)
    stored = store.load_predictions(tmp_path / "run")
    found = tinyproof.predict_many(tmp_path / "run", own / "test-images-idx3-ubyte")
    assert [picture.predicted for picture in found.pictures] == [str(answer) for answer in stored.predicted]
    tests = own_data.load(own).test_images[:, 0]
    light = np.linspace(1, 0.5, 168) * np.ones((168, 1))
    large = [np.asarray(Image.fromarray(image).resize((168, 168), Image.Resampling.BICUBIC)) for image in tests]
    photographs = [np.clip((225 - 0.7 * image) * light, 0, 255) for image in large]
    np.save(tmp_path / "photographs.npy", np.stack(photographs).astype(np.uint8))
    again = tinyproof.predict_many(tmp_path / "run", tmp_path / "photographs.npy")
    same = [p.predicted == str(answer) for p, answer in zip(again.pictures, stored.predicted, strict=True)]
    assert np.mean(same) >= 0.9  # of few epochs; read as pictures most would be wrong
    assert tinyproof.verify(tmp_path / "run", dataset=str(own)).broken == ()


def test_what_is_wrong_is_one_line(run: Path, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: holds no picture; pictures end in \.bmp"):
        tinyproof.predict_many(run, tmp_path / "empty")
    with pytest.raises(InputError, match="is no file or folder"):
        tinyproof.predict_many(run, tmp_path / "none")
    with pytest.raises(InputError, match="pictures is missing"):
        tinyproof.predict_many(run, [])
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4, 5, 6)))
    with pytest.raises(DataError, match=r"has images of shape \[2, 3, 4, 5, 6\]"):
        tinyproof.predict_many(run, tmp_path / "a.npy")
    (tmp_path / "b.npy").write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(DataError, match=r"is not a whole \.npy file"):
        tinyproof.predict_many(run, tmp_path / "b.npy")
    np.savez(tmp_path / "c.npz", y=np.zeros(3))
    with pytest.raises(DataError, match="holds y where images are expected"):
        tinyproof.predict_many(run, tmp_path / "c.npz")
    told = cli("predict", run, tmp_path / "none.png")
    assert told.returncode == 2
    assert len(told.stderr.strip().splitlines()) == 1
