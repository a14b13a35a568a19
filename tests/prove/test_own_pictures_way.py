"""The whole way of one's own pictures: a folder, IDX, CSV and npz, trained on, proved, predicted and verified."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import tinyproof
from tinyproof.core.errors import InputError
from tinyproof.data import own_data
from tinyproof.prove import declaration
from tinyproof.prove.declare import Ask, draft
from tinyproof.train import store
from tinyproof.train.recipe import named

COLOURS = {"blue": (40, 60, 220), "green": (30, 200, 40), "red": (220, 30, 30)}
RNG = np.random.default_rng(0)


def shape(colour: tuple[int, int, int], size: tuple[int, int] = (24, 20)) -> Image.Image:
    """A disc of a colour on a ground of any colour: grey pictures of them do not tell the classes apart."""
    picture = Image.new("RGB", size, tuple(int(v) for v in RNG.integers(0, 256, 3)))
    x, y = (int(v) for v in RNG.integers(1, 8, 2))
    ImageDraw.Draw(picture).ellipse([x, y, x + 11, y + 11], fill=colour)
    return picture


def shapes(root: Path, each: int = 20) -> Path:
    for name, colour in COLOURS.items():
        for part, many in (("train", each), ("test", 4)):
            place = root / part / name
            place.mkdir(parents=True, exist_ok=True)
            for number in range(many):
                shape(colour).save(place / f"{number:02}.png")
    return root


def test_folder_train_prove_predict_verify(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = shapes(tmp_path / "shapes")
    short = "fast,epochs=8,batch_size=12"
    trained = tinyproof.train("fast", recipe=short, dataset=str(path), out=tmp_path / "run", threads=1)
    told = capfd.readouterr()
    assert "pictures: 72 pictures, 20x24 colour, kept as they are" in told.out + told.err
    run = trained.run
    assert run.reading is not None
    assert (run.shape, run.classes) == ((3, 20, 24), tuple(COLOURS))
    assert json.loads((tmp_path / "run" / store.RECORD).read_text())["reading"]["words"] == run.reading.words
    assert run.accuracy_percent > 60  # of grey pictures a third would be right
    for file in ("report.html", "samples.png", "confusion.png", "layers.txt"):
        assert (tmp_path / "run" / file).stat().st_size > 500
    proof = tmp_path / "proof"
    found = tinyproof.prove(
        "fast", short, seeds=2, dataset=str(path), target=20, out=proof, processes=1, threads=1, quiet=True
    )
    assert len(found.results) == 2
    assert found.declaration.data.reading == run.reading
    stored = store.load_predictions(found.results[0].folder)
    files = sorted((path / "test").glob("*/*.png"))
    for number, file in enumerate(files):
        answer = tinyproof.predict(found.results[0].folder, file)
        assert answer.predicted == run.classes[stored.predicted[number]]
        assert answer.probability == pytest.approx(float(stored.confidence[number]), abs=1e-5)
        assert "kept as it is" in "; ".join(answer.steps)
    for place in (proof, tmp_path / "run"):
        checked = tinyproof.verify(place, dataset=str(path))
        assert checked.broken == ()
        asked = {line.what for line in checked.lines if line.holds}
        assert {"the weights give these answers", "the recorded images are the data's"} <= asked
    again = tinyproof.prove(proof, dataset=str(path), quiet=True)
    assert again.verdict == found.verdict


def test_what_is_asked_is_declared_and_asked_no_second_time(tmp_path: Path) -> None:
    path = shapes(tmp_path / "shapes", each=6)
    common = {"seeds": 1, "dataset": str(path), "target": 1, "processes": 1, "threads": 1, "quiet": True}
    proof = tmp_path / "proof"
    found = tinyproof.prove("fast", "fast,epochs=1,batch_size=9", **common, size="32", channels=1, out=proof)
    assert found.results[0].run.shape == (1, 32, 32)
    assert tinyproof.prove(proof, dataset=str(path), quiet=True).verdict == found.verdict
    assert tinyproof.verify(proof, dataset=str(path)).broken == ()
    with pytest.raises(InputError, match=r"size: .* as declared"):
        tinyproof.prove("fast", "fast,epochs=1,batch_size=9", **common, size="28", out=proof)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


KINDS = {
    "idx": (1, 18, 22),
    "csv": (1, 20, 20),
    "npz grey": (1, 22, 18),
    "npz colour": (3, 24, 19),
    "npz paper": (1, 20, 20),
}


@pytest.mark.parametrize("kind", [*KINDS, "folder of jpg", "folder of sizes"])
def test_the_stored_answers_come_out_again_for_the_runs_own_test_files(kind: str, tmp_path: Path) -> None:
    """Each test picture as a file of its own, as it was before it was read: `predict` gives the stored answer."""
    path, pictures = made(kind, tmp_path)
    done = tinyproof.train(
        "fast", recipe="fast,epochs=2,batch_size=16", dataset=str(path), out=tmp_path / "run", engine="torch",
        threads=1, quiet=True,
    )  # fmt: skip
    stored = store.load_predictions(done.folder)
    assert len(stored.predicted) == len(pictures)
    for number, file in enumerate(pictures):
        answer = tinyproof.predict(done.folder, file)
        assert answer.predicted == done.run.classes[stored.predicted[number]]
        assert answer.probability == pytest.approx(float(stored.confidence[number]), abs=1e-5)


def made(kind: str, root: Path) -> tuple[Path, list[Path]]:
    """Data of that kind, and its test pictures as files."""
    if kind.startswith("folder"):
        return folder_of(root / "mine", sizes=kind.endswith("sizes"))
    deep, height, width = KINDS[kind]
    labels = np.arange(60) % 3
    images = RNG.integers(0, 60, (60, height, width, deep), dtype=np.uint8)
    images[:, 4:12, 5:13] += (labels * 60).astype(np.uint8)[:, None, None, None]
    images = 255 - images if kind.endswith("paper") else images
    path = root / "mine"
    if kind.startswith("npz"):
        path = path.with_suffix(".npz")
        np.savez(path, x_train=images[:48], y_train=labels[:48], x_test=images[48:], y_test=labels[48:])
    else:
        path.mkdir()
    for part, rows in (("train", slice(0, 48)), ("test", slice(48, 60))):
        x, y = images[rows, :, :, 0], labels[rows]
        if kind == "idx":
            (path / f"{part}-images-idx3-ubyte").write_bytes(idx(x))
            (path / f"{part}-labels-idx1-ubyte").write_bytes(idx(y.astype(np.uint8)))
        if kind == "csv":
            rows_of = [",".join(map(str, [label, *image.ravel()])) for image, label in zip(x, y, strict=True)]
            (path / f"{part}.csv").write_text("\n".join(rows_of))
    files = []
    for number, image in enumerate(images[48:]):
        files.append(root / f"{number}.png")
        Image.fromarray(image if deep == 3 else image[..., 0]).save(files[-1])
    return path, files


def folder_of(root: Path, sizes: bool) -> tuple[Path, list[Path]]:
    for part, many in (("train", 12), ("test", 4)):
        for name, colour in COLOURS.items():
            place = root / part / name
            place.mkdir(parents=True, exist_ok=True)
            for number in range(many):
                size = (24 + 9 * (number % 3), 30) if sizes else (24, 20)
                shape(colour, size).save(place / f"{number:02}.{'png' if sizes else 'jpg'}")
    return root, sorted((root / "test").glob("*/*.*"))


@pytest.mark.parametrize("name", ["digits"])
def test_the_digits_own_test_images_are_answered_as_stored(name: str, tmp_path: Path) -> None:
    """Those that are light on dark at their border, as MNIST's are, are taken as they are."""
    from tinyproof.data.load import load

    done = tinyproof.train("fast", dataset=name, epochs=1, out=tmp_path / "run", engine="torch", threads=1, quiet=True)
    stored, images = store.load_predictions(done.folder), load(name).test_images
    for number in range(8):
        Image.fromarray(images[number, 0]).save(tmp_path / "one.png")
        answer = tinyproof.predict(done.folder, tmp_path / "one.png")
        assert answer.predicted == done.run.classes[stored.predicted[number]]


def test_many_classes_are_stored_counted_and_verified(tmp_path: Path) -> None:
    """300 classes: answers of two bytes, in the record, the labels' digest, the page and the verification."""
    classes = 300
    images = RNG.integers(0, 256, (2 * classes, 24, 24), dtype=np.uint8)
    labels = np.arange(2 * classes) % classes
    np.savez(tmp_path / "many.npz", x_train=images, y_train=labels, x_test=images[:classes], y_test=labels[:classes])
    found = tinyproof.prove(
        "s6-16k", "best,epochs=1", seeds=1, dataset=str(tmp_path / "many.npz"), target=50, out=tmp_path / "proof",
        processes=1, threads=1, engine="torch", quiet=True,
    )  # fmt: skip
    stored = store.load_predictions(found.results[0].folder)
    assert stored.labels.dtype == np.uint16
    assert stored.labels.max() == 299
    assert tinyproof.verify(tmp_path / "proof", dataset=str(tmp_path / "many.npz")).broken == ()
    done = tinyproof.train(
        "s6-16k",
        dataset=str(tmp_path / "many.npz"),
        epochs=1,
        out=tmp_path / "run",
        engine="torch",
        threads=1,
        quiet=True,
    )
    assert (done.folder / "report.html").is_file()


def test_a_declaration_of_before_reads_the_data_as_before(tmp_path: Path) -> None:
    """Without a reading it was grey and 28x28: the same folder is then read so, and the digest is the declared one."""
    from dataclasses import replace

    from tinyproof.data.reading import BEFORE
    from tinyproof.prove.unchanged import same_data
    from tinyproof.prove.verify import recompute
    from tinyproof.prove.verify.lines import VerifyOptions

    path = shapes(tmp_path / "shapes", each=6)
    now = draft(Ask(model="fast", recipe=named("fast"), dataset=str(path), seeds=1, target=1.0), tmp_path / "proof")
    facts = replace(now.data, reading=None, digest=own_data.load(path, BEFORE).digest)
    before = replace(now, data=facts)
    assert "reading" not in before.to_dict()["data"]
    assert declaration.Declaration.from_dict(before.to_dict()) == before
    same_data(str(path), None, before, tmp_path)
    assert recompute.images(VerifyOptions(dataset=str(path)), "shapes", None).facts.digest == facts.digest
    with pytest.raises(InputError, match="as declared"):
        same_data(str(path), None, replace(before, data=replace(facts, digest="0" * 64)), tmp_path)
