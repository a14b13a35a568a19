"""An export carries its evidence: its answers are counted, and a changed byte is found, wherever it is."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from PIL import Image, ImageDraw
from tests.conftest import missing
from tests.ship.chains import networks
from torch import nn

import tinyproof
from tinyproof.api.predict import reading_of
from tinyproof.core.errors import DataError
from tinyproof.core.files import sha256
from tinyproof.data.load import load
from tinyproof.data.read_alike import read_file
from tinyproof.data.reading import Reading, Shape
from tinyproof.ship import artefact, claim, exported, replaced, torch_file
from tinyproof.ship.card import CARD, card
from tinyproof.ship.exported import Exported
from tinyproof.ship.operations import layers_of
from tinyproof.train import store

# Those that answer all test images with nothing but torch and a C compiler.
FORMATS = ("torch", "onnx", "onnx-int8", "c", "c-int8")


@pytest.fixture(scope="session")
def made(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run with both of its exports."""
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("made") / "run"))
    for to in FORMATS:
        tinyproof.export(folder, to=to)
    return folder


@pytest.fixture
def both(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "both"))


def broken(folder: Path, **options: Any) -> dict[str, str]:
    """What does not hold: the place and the check."""
    return {f"{line.place}: {line.what}": line.found for line in tinyproof.verify(folder, **options).broken}


# ------------------------------------------------------------------ the answers


@pytest.mark.parametrize("to", FORMATS)
def test_the_exported_network_answers_as_the_run_did(made: Path, to: str) -> None:
    record, run = exported.load(made / f"export-{to}"), store.load(made)
    whole = to in exported.IN_WHOLE_NUMBERS
    assert record.test_count == 359
    assert record.changed <= (4 if whole else 0)
    assert abs(record.correct - run.correct) <= record.changed
    assert record.largest_difference < (0.3 if whole else 1e-5)
    assert record.weights == run.weights_digest
    assert bool(record.scores) is (to == "c-int8")
    found = tinyproof.verify(made)
    lines = [line for line in found.lines if line.place == f"export-{to}"]
    assert len(lines) == (9 if to == "onnx-int8" else 10) + bool(record.flash)
    assert all(line.holds for line in lines)


def test_whole_numbers_need_no_compiler(made: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "nowhere-to-be-found")
    here, there = tinyproof.export(run, to="c-int8"), exported.load(made / "export-c-int8")
    assert here.runner.startswith("numpy, in whole numbers (no C compiler")
    assert (here.scores, here.files, here.answers) == (there.scores, there.files, there.answers)
    assert (here.compiler, len(there.compiler)) == ("", 64)
    with pytest.raises(DataError, match="no C compiler is here to let it answer"):
        tinyproof.export(run, to="c")
    told = {(line.place, line.what): line for line in tinyproof.verify(made).lines}
    assert told["export-c", "the exported files give these answers"].holds is None
    assert told["export-c-int8", "its scores are the recorded ones, bit for bit"].holds is True


def test_a_float_export_that_answers_otherwise_is_not_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that makes another program of it: one summand is another."""
    real = shutil.which("gcc") or missing("gcc is not installed")
    cheat = tmp_path / "cheat"
    cheat.write_text(
        f'#!/bin/sh\ntest -f network.c && sed -i "s/= bias\\[o\\];/= bias[o] + 0.01f;/" network.c\nexec {real} "$@"\n'
    )
    cheat.chmod(0o755)
    monkeypatch.setenv("CC", str(cheat))
    with pytest.raises(DataError, match="answers otherwise when exported: by"):
        tinyproof.export(run, to="c")
    assert not (run / "export-c").exists()


def test_the_compiler_that_errs_is_found(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes every 127 for a 126: no answer of such a program is anybody's evidence."""
    real = shutil.which("gcc") or missing("gcc is not installed")
    cheat = tmp_path / "cheat"
    cheat.write_text(f'#!/bin/sh\ntest -f network.c && sed -i "s/ 127,/ 126,/" network.c\nexec {real} "$@"\n')
    cheat.chmod(0o755)
    monkeypatch.setenv("CC", str(cheat))
    with pytest.raises(DataError, match="its compiler is at fault"):
        tinyproof.export(run, to="c-int8")
    assert not (run / "export-c-int8").exists()


@pytest.mark.parametrize("takes", exported.INPUTS)
def test_onnxruntime_gives_the_stored_classes_on_all_test_images(run: Path, takes: str, onnxruntime: Any) -> None:
    tinyproof.export(run, to="onnx", input=takes, out=run / "there")
    images, record = load("digits").test_images, store.load(run)
    session = onnxruntime.InferenceSession(run / "there" / artefact.ONNX, providers=["CPUExecutionProvider"])
    given = images if takes == "bytes" else ((images / np.float32(255) - record.mean) / record.std).astype(np.float32)
    (scores,) = session.run(None, {"images": given})
    assert (scores.argmax(1) == store.load_predictions(run).predicted).all()
    assert (scores.argmax(1) == store.load_predictions(run / "there").predicted).all()


@pytest.mark.usefixtures("mnist_folder")
def test_onnxruntime_gives_torch_s_classes_on_all_ten_thousand(tmp_path: Path, onnxruntime: Any) -> None:
    tinyproof.train("fast", dataset="mnist", epochs=1, out=tmp_path / "run", quiet=True)
    record = tinyproof.export(tmp_path / "run")
    session = onnxruntime.InferenceSession(record.folder / artefact.ONNX, providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"images": load("mnist").test_images})
    assert record.test_count == 10_000
    assert (scores.argmax(1) == store.load_predictions(tmp_path / "run").predicted).all()


ALONE = """
import sys
sys.modules["tinyproof"] = None  # an import of it fails
import numpy as np, torch
from network import load, normalised
images = torch.from_numpy(np.load("images.npy"))
with torch.inference_mode():
    np.save("scores.npy", load()(normalised(images)).numpy())
"""


def test_the_python_file_needs_nothing_of_this_package(made: Path, tmp_path: Path) -> None:
    for name in (torch_file.CODE, torch_file.WEIGHTS):
        shutil.copy(made / "export-torch" / name, tmp_path)
    np.save(tmp_path / "images.npy", load("digits").test_images)
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    scores = np.load(tmp_path / "scores.npy")
    answers = store.load_predictions(made)
    assert (scores.argmax(1) == answers.predicted).all()
    assert np.allclose(np.exp(scores.max(1)), answers.confidence, atol=1e-5)


def digit(size: tuple[int, int], mode: str, ground: object, ink: object) -> Image.Image:
    picture = Image.new(mode, size, ground)
    ImageDraw.Draw(picture).line([(size[0] // 2, 10), (size[0] // 3, size[1] - 10)], fill=ink, width=6)
    return picture


def row() -> Image.Image:
    """Two digits side by side, in the light of a lamp on the left."""
    picture = Image.linear_gradient("L").rotate(90).point(lambda value: 150 + value // 3).resize((140, 70))
    for left in (30, 95):
        ImageDraw.Draw(picture).line([(left, 12), (left + 8, 58)], fill=30, width=6)
    return picture


def executed(code: str) -> dict[str, Any]:
    """What the exported Python file defines."""
    module = type(sys)("network")
    sys.modules["network"] = module
    try:
        exec(compile(code, "network.py", "exec"), vars(module))
    finally:
        del sys.modules["network"]
    return vars(module)


PICTURES = {
    "row.png": row(),
    "dark.png": digit((60, 60), "L", "white", "black"), "light.png": digit((28, 28), "L", 0, 255),
    "colour.png": digit((90, 50), "RGB", (240, 230, 200), (20, 30, 120)),
    "sixteen.png": digit((40, 40), "I;16", 0, 65535),
    "clear.png": digit((50, 70), "RGBA", (0, 0, 0, 0), (0, 0, 0, 255)), "photo.jpg": digit((80, 80), "L", 220, 30),
}  # fmt: skip


@pytest.mark.parametrize("reading", [
    None, Reading(kind="pictures", channels=1, height=28, width=28, inverted=True),
    Reading(kind="pictures", channels=3, height=20, width=32),
])  # fmt: skip
def test_its_reader_reads_pictures_as_predict_does(made: Path, tmp_path: Path, reading: Reading | None) -> None:
    run = store.load(made)
    chosen = reading or reading_of(run)
    words = torch_file.Words(run.classes, (0.1,), (0.3,), chosen, {})
    namespace = executed(torch_file.code((), words))
    for name, picture in PICTURES.items():
        picture.save(tmp_path / name)
        images, doubts = namespace["images_of"](tmp_path / name)
        expected = read_file(tmp_path / name, chosen)
        assert np.array_equal(images, expected.inputs), name
        assert doubts == [step for step in expected.steps if step.startswith("warning: ")]
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="is not a picture that can be read"):
        namespace["images_of"](tmp_path / "no.png")


@pytest.mark.parametrize(("name", "digits"), [("dark.png", 1), ("row.png", 2)])
def test_the_python_file_answers_on_the_command_line(made: Path, tmp_path: Path, name: str, digits: int) -> None:
    PICTURES[name].save(tmp_path / name)
    answer = tinyproof.predict(made, tmp_path / name)
    assert len(answer.predicted) == digits
    command = [sys.executable, str(made / "export-torch" / torch_file.CODE)]
    done = subprocess.run([*command, name], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout == f"{answer.predicted} ({100 * answer.probability:.1f} %)\n"
    assert done.stderr == "".join(f"warning: {doubt}\n" for doubt in answer.doubts)
    wrong = subprocess.run([*command, "none.png"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


def test_what_the_python_file_defines_is_defined_once(made: Path) -> None:
    """Its readers stand in one module there: of two functions of one name the first would be lost without a word."""
    code = (made / "export-torch" / torch_file.CODE).read_text()
    names = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert sorted(names) == sorted(set(names))


HOSTILE = '"""\nimport os; os._exit(3)\n"""\'; raise SystemExit(4) #\\'


def test_words_of_a_record_stay_words(trained: Path) -> None:
    run = store.load(trained)
    classes = (HOSTILE, *run.classes[1:])
    run = replace(run, classes=classes, identity=replace(run.identity, model=HOSTILE, dataset=HOSTILE))
    content = artefact.files("torch", "normalised", run, (), {})[torch_file.CODE].decode()
    namespace = executed(content)
    assert namespace["CLASSES"] == classes
    assert namespace["ORIGIN"]["model"] == HOSTILE


def test_the_page_of_the_run_names_the_images_with_another_class(both: Path) -> None:
    tinyproof.report(both)
    page = (both / "report.html").read_text()
    assert (
        f"exported to c: {store.load(both).correct:,} of 359 test images read right; no image has another class" in page
    )
    place = both / "export-c-int8"
    answers = store.load_predictions(place)
    predicted = store.load_predictions(both).predicted.copy()
    predicted[17] = (predicted[17] + 1) % 10
    with (place / exported.ANSWERS).open("wb") as file:
        np.savez_compressed(file, **replace(answers, predicted=predicted).arrays())
    (both / "export-onnx" / exported.RECORD).write_text("{")
    tinyproof.report(both)
    page = (both / "report.html").read_text()
    assert "another class than here for image 17; of the images with another class" in page
    assert "warning: an export is left out: " in page


# ------------------------------------------------------------------ what verify finds

EXPORTED = [
    "export-c/network.c", "export-c/network.h", "export-c-int8/network.c", "export-onnx-int8/network.onnx",
    "export-onnx/network.onnx", "export-torch/network.py", "export-torch/network.safetensors",
]  # fmt: skip


def record(folder: Path, **changed: Any) -> None:
    path = folder / exported.RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def turn(path: Path, at: int = -300) -> None:
    """One byte of a file is another."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def redigest(folder: Path) -> None:
    """Whoever changes a file may write its digest too, and the model card anew."""
    names = exported.load(folder).files
    record(folder, files={name: sha256(folder / name) for name in names}, card="")
    (folder / CARD).write_text(card(store.load(folder.parent), exported.load(folder)))
    record(folder, card=sha256(folder / CARD))


def alone(folder: Path, place: str) -> str:
    """Only this export is left: the others cost time."""
    for other in folder.glob("export-*"):
        if other.name != place:
            shutil.rmtree(other)
    return place


@pytest.mark.parametrize("name", EXPORTED)
def test_a_changed_byte_is_found_by_the_digest(both: Path, name: str) -> None:
    turn(both / name)
    place = name.partition("/")[0]
    assert f"{place}: the exported files are the recorded ones" in broken(both, weights=False)
    alone(both, place)
    assert f"{place}: the exported files are the recorded ones" in broken(both)


@pytest.mark.parametrize("name", EXPORTED)
def test_a_changed_byte_with_its_digest_is_found_by_the_weights(both: Path, name: str) -> None:
    turn(both / name)
    place = alone(both, name.partition("/")[0])
    redigest(both / place)
    assert list(broken(both)) == [f"{place}: the exported files are made of the run's weights"]


def test_c_of_somebody_else_is_not_run(both: Path) -> None:
    code = both / alone(both, "export-c") / "network.c"
    body = f'static void __attribute__((constructor)) run(void) {{ fopen("{both / "was-run"}", "w"); }}\n'
    code.write_text("#include <stdio.h>\n" + body + code.read_text())
    redigest(both / "export-c")
    for version in (tinyproof.__version__, "9.9"):
        record(both / "export-c", version=version)
        told = {line.what: line.holds for line in tinyproof.verify(both).lines if line.place == "export-c"}
        assert told["the exported files give these answers"] is None
    assert not (both / "was-run").exists()


def test_bytes_on_a_microcontroller_are_measured_again(both: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        missing("arm-none-eabi-gcc is not installed")
    place = both / alone(both, "export-c-int8")
    found = exported.load(place)
    assert 7820 < found.flash < 10_000 < 4 * found.ram < 12_000
    record(place, flash=found.flash - 1)
    assert list(broken(both)) == ["export-c-int8: it needs so many bytes on a microcontroller"]
    record(place, flash=found.flash - 1, sized_by="another compiler")
    assert broken(both) == {}


def test_scores_in_whole_numbers_are_held_to_their_digest(both: Path) -> None:
    record(both / alone(both, "export-c-int8"), scores="0" * 64)
    assert list(broken(both)) == ["export-c-int8: its scores are the recorded ones, bit for bit"]
    record(both / "export-c-int8", scores="")
    assert list(broken(both)) == ["export-c-int8: its scores are the recorded ones, bit for bit"]


def test_a_python_file_of_somebody_else_is_not_run(both: Path) -> None:
    code = both / alone(both, "export-torch") / torch_file.CODE
    code.write_text(f"open({str(both / 'was-run')!r}, 'w')\n" + code.read_text())
    redigest(both / "export-torch")
    for version in (tinyproof.__version__, "9.9"):
        record(both / "export-torch", version=version)
        found = tinyproof.verify(both)
        told = {line.what: line.holds for line in found.lines if line.place == "export-torch"}
        assert told["the exported files give these answers"] is None
        assert told["the exported files are made of the run's weights"] is (None if version == "9.9" else False)
    assert not (both / "was-run").exists()


def test_a_file_of_another_version_is_run_and_its_answers_count(both: Path) -> None:
    """Weights of another network, in a file that says that another version wrote it."""
    alone(both, "export-onnx")
    turn(both / "export-onnx" / artefact.ONNX, 2003)
    redigest(both / "export-onnx")
    record(both / "export-onnx", version="9.9")
    content = bytearray((both / "export-onnx" / artefact.ONNX).read_bytes())
    content[1000:9000] = bytes(8000)
    (both / "export-onnx" / artefact.ONNX).write_bytes(content)
    redigest(both / "export-onnx")
    assert list(broken(both)) == ["export-onnx: the exported files give these answers"]


def test_a_file_of_any_size_is_not_read_to_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Exported(
        to="onnx", input="bytes", model="m", files={"a": "", "b": "", "c": "", "d": ""}, weights="", run_answers="",
        answers="", correct=0, test_count=1, changed=0, largest_difference=0.0, runner="",
    )  # fmt: skip
    for name, content in {"a": b"right", "b": b"wrong", "c": b""}.items():
        (tmp_path / name).write_bytes(content)
    os.truncate(tmp_path / "c", 10**9)
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("read") if path.name == "c" else read(path))
    assert artefact.same(tmp_path, record, dict.fromkeys("abcd", b"right")) == ["b", "c", "d"]


def told(folder: Path, place: str, **options: Any) -> dict[str, bool | None]:
    return {line.what: line.holds for line in tinyproof.verify(folder, **options).lines if line.place == place}


def stub(place: Path, names: tuple[str, ...], script: str) -> None:
    """Programs of these names that do nothing but this."""
    place.mkdir()
    for name in names:
        (place / name).write_text(script)
        (place / name).chmod(0o755)


def test_a_compiler_that_does_not_work_accuses_nobody(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tinyproof.export(run, to="c-int8")
    monkeypatch.setenv("CC", "false")
    stub(tmp_path / "bin", ("arm-none-eabi-gcc", "arm-none-eabi-size"), "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    record(run / "export-c-int8", sized_by="another", flash=1, ram=1)
    assert [what for what, holds in told(run, "export-c-int8").items() if holds is None] == [
        "it needs so many bytes on a microcontroller", "the exported files give these answers"
    ]  # fmt: skip
    assert broken(run) == {}
    monkeypatch.delenv("CC")
    assert tinyproof.export(run, to="c-int8", out=tmp_path / "more").sized_by == ""


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "\0no program"])
def test_programs_that_fail_are_as_if_they_were_missing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    stub(tmp_path / "bin", ("soffice", "chromium"), script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for to, by in zip(exported.FOR_PEOPLE, ("LibreOffice", "Chromium"), strict=True):
        made = tinyproof.export(run, to=to)
        assert made.test_count == 0
        assert f"was not computed by {by}: " in made.not_run
        assert not (made.folder / exported.ANSWERS).exists()
    assert broken(run) == {}


def test_a_browser_that_fails_later_accuses_no_page(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("chromium") is None:
        missing("no Chromium is installed")
    assert tinyproof.export(run, to="html").test_count == 359
    stub(tmp_path / "bin", ("chromium",), "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert told(run, "export-html")["the exported files give these answers"] is None
    assert broken(run) == {}


def test_what_another_version_wrote_into_a_card_is_not_known(run: Path) -> None:
    place, what = tinyproof.export(run).folder, "its model card says what the records say"
    assert told(run, "export-onnx", weights=False)[what] is True
    (place / CARD).write_text("99.9 %")
    record(place, version="0.0.1", card=sha256(place / CARD))
    assert told(run, "export-onnx", weights=False)[what] is None
    turn(place / CARD, 0)
    assert told(run, "export-onnx", weights=False)[what] is False


def test_a_table_of_ones_own_is_no_export(run: Path) -> None:
    (run / "mine").mkdir()
    (run / "mine" / exported.RECORD).write_text('{"mine": 1}')
    assert broken(run, weights=False) == {}
    assert "mine" in tinyproof.verify(run, weights=False).lines[-1].found


CHANGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda at: record(at, correct=359), "the recorded accuracy is what its answers give"),
    (lambda at: record(at, answers="0" * 64), "its answers are the recorded ones"),
    (lambda at: record(at, weights="0" * 64), "it is made of the run's weights, by its record"),
    (lambda at: record(at, changed=1), "its distance from the run is the recorded one"),
    (lambda at: record(at, largest_difference=0.0), "its distance from the run is the recorded one"),
    (lambda at: record(at, images=[3]), "the record and the answers of the export can be read"),
    (lambda at: record(at, card=""), "its model card says what the records say"),
    (lambda at: record(at, test_count=0, not_run="it rained"), "the record and the answers of the export can be read"),
    (lambda at: record(at, not_run="it rained"), "the record and the answers of the export can be read"),
    (lambda at: record(at, tolerance=1.0), "the record and the answers of the export can be read"),
    (lambda at: record(at, to="c-int8", tolerance=1e-4), "the record and the answers of the export can be read"),
    (lambda at: record(at, to="c", input="normalised"), "the record and the answers of the export can be read"),
    (lambda at: turn(at / "README.md"), "its model card says what the records say"),
    (lambda at: record(at, files={}), "the exported files are the recorded ones"),
    (lambda at: record(at, files={"../run.json": "0" * 64}), "the exported files are the recorded ones"),
    (lambda at: record(at, to="pdf"), "the record and the answers of the export can be read"),
    (lambda at: record(at, format=2), "the record and the answers of the export can be read"),
    (lambda at: (at / exported.RECORD).write_text("[]"), "the record and the answers of the export can be read"),
    (lambda at: (at / exported.RECORD).write_text("{"), "the record and the answers of the export can be read"),
    (lambda at: (at / exported.ANSWERS).unlink(), "the record and the answers of the export can be read"),
    (lambda at: (at / artefact.ONNX).unlink(), "the exported files are the recorded ones"),
]


@pytest.mark.parametrize(("change", "what"), CHANGES)
def test_a_changed_record_is_found(both: Path, change: Callable[[Path], object], what: str) -> None:
    change(both / "export-onnx")
    assert f"export-onnx: {what}" in broken(both, weights=False)


def test_answers_put_right_are_found_against_the_run(both: Path) -> None:
    """Answers, digest and count all agree with each other, and are not what the run answered."""
    place = both / alone(both, "export-onnx")
    answers = store.load_predictions(place)
    better = replace(answers, predicted=answers.labels.copy())
    with (place / exported.ANSWERS).open("wb") as file:
        np.savez_compressed(file, **better.arrays())
    record(place, answers=better.digest, correct=better.correct)
    assert "export-onnx: its distance from the run is the recorded one" in broken(both, weights=False)
    assert "export-onnx: the exported files give these answers" in broken(both)


def test_an_export_elsewhere_is_counted_and_its_run_is_missed(run: Path, tmp_path: Path) -> None:
    tinyproof.export(run, out=tmp_path / "far")
    found = tinyproof.verify(tmp_path / "far")
    assert [line.holds for line in found.lines] == [True, True, True, None]
    assert found.exit_code == 0


# ------------------------------------------------------------------ wrong input


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tinyproof", "export", *arguments]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_command_says_what_it_wrote(run: Path) -> None:
    done = command("run", folder=run.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wrote run/export-onnx: network.onnx, export.json, predictions.npz, README.md\n")
    assert "0 have another class than in the run" in done.stdout


WRONG: list[tuple[Callable[[Path], object], dict[str, Any], str]] = [
    (lambda at: None, {"to": "pdf"}, "to: 'pdf' is not allowed; allowed: torch, onnx, onnx-int8, c, c-int8"),
    (lambda at: None, {"input": "words"}, "input: 'words' is not allowed; allowed: bytes, normalised"),
    (lambda at: None, {"to": "torch", "input": "bytes"}, "input: 'bytes'"),
    (lambda at: None, {"to": "c", "input": "bytes"}, "input: 'bytes'"),
    (lambda at: None, {"to": "c", "name": "3x"}, "name: '3x' is no name in C"),
    (lambda at: None, {"name": "x"}, "name: 'x' is for C"),
    (lambda at: (at / "export-onnx").mkdir(), {}, "is there already"),
    (lambda at: None, {"out": "a\0b"}, "is no name of a folder"),
    (lambda at: None, {"out": "a" * 300}, "cannot be written"),
    (lambda at: (at / store.WEIGHTS).unlink(), {}, "holds no weights"),
    (lambda at: turn(at / store.WEIGHTS), {}, "is not the file that this run wrote"),
    (lambda at: (at / store.RECORD).unlink(), {}, "holds no finished run"),
    (lambda at: (at / store.PREDICTIONS).unlink(), {}, "no such file"),
]


@pytest.mark.parametrize(("change", "options", "said"), WRONG)
def test_wrong_input_is_one_line_and_leaves_nothing(
    run: Path, change: Callable[[Path], object], options: dict[str, Any], said: str
) -> None:
    change(run)
    before = sorted(run.rglob("*"))
    with pytest.raises(tinyproof.TinyproofError, match=said) as caught:
        tinyproof.export(run, **options)
    assert "\n" not in str(caught.value)
    assert sorted(run.rglob("*")) == before


OWN = """
from torch import nn
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3, stride=2), nn.LeakyReLU(0.1), nn.BatchNorm2d(4),
            nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4), nn.SiLU(), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10))
    def forward(self, x):
        x, y = self.parts(x)
        return self[9](self[8](self[7](x + y)))
    def parts(self, x):
        x = self[2](self[1](self[0](x)))
        return x, self[6](self[5](self[4](self[3](x))))
class Gated(Net):
    def forward(self, x):
        x, y = self.parts(x)
        return self[9](self[8](self[7](x * y)))
"""


def test_a_network_of_ones_own_is_named_again_and_exported(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(OWN)
    name = f"{tmp_path / 'model.py'}:Net"
    tinyproof.train(name, dataset="digits", epochs=1, out=tmp_path / "run", quiet=True)
    with pytest.raises(tinyproof.InputError, match="name the file yourself with --model"):
        tinyproof.export(tmp_path / "run")
    for to in (*FORMATS, "html"):
        assert tinyproof.export(tmp_path / "run", to=to, model=name).changed <= (3 if to.endswith("int8") else 0)
    assert broken(tmp_path / "run", model=name) == {}
    (tmp_path / "model.py").write_text(OWN.replace("0.1", "0.2"))
    with pytest.raises(DataError, match="is not the network that the record names"):
        tinyproof.export(tmp_path / "run", out=tmp_path / "other", model=name)


def test_what_no_format_takes_is_refused_by_its_layer(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(OWN)
    name = f"{tmp_path / 'model.py'}:Gated"
    tinyproof.train(name, dataset="digits", epochs=1, out=tmp_path / "run", engine="torch", quiet=True)
    with pytest.raises(DataError, match=r"cannot be exported to any format: mul") as caught:
        tinyproof.export(tmp_path / "run", model=name)
    assert "\n" not in str(caught.value)
    assert not [path for path in (tmp_path / "run").iterdir() if "export" in path.name]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=networks())
def test_any_small_network_as_a_python_file(made: Path, network: tuple[nn.Module, Shape, int]) -> None:
    module, shape, classes = network
    layers = layers_of("it", module, shape, classes)
    words = torch_file.Words(tuple("0123"), (0.1,), (0.3,), reading_of(store.load(made)), {})
    again = executed(torch_file.code(layers, words))["network"]().eval()
    stored = torch_file.weights(layers, {name: value.numpy() for name, value in module.state_dict().items()})
    again.load_state_dict({name: torch.from_numpy(value) for name, value in stored.items()})
    images = torch.randn(3, *shape, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        assert torch.equal(again(images), module(images))


# ------------------------------------------------------------------ a run that is trained anew


def again(folder: Path, seed: int) -> None:
    tinyproof.train("fast", dataset="digits", epochs=1, seed=seed, out=folder, engine="torch", quiet=True, force=True)


def test_exports_of_a_run_that_is_trained_anew_go_with_it(both: Path) -> None:
    (both / "notes").mkdir()
    again(both, 7)
    assert not [path.name for path in both.iterdir() if path.name.startswith("export")]
    assert (both / "notes").is_dir()
    assert broken(both) == {}


def test_an_export_that_somebody_changed_stays_and_is_called_stale(
    both: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (both / "export-onnx" / "mine.txt").write_text("mine")
    turn(both / "export-torch" / torch_file.CODE)
    tinyproof.train("fast", dataset="digits", epochs=1, seed=7, out=both, engine="torch", force=True)
    said = capsys.readouterr()
    assert (both / "export-onnx" / "mine.txt").read_text() == "mine"
    for name in ("export-onnx", "export-torch"):
        assert f"{name} is an export of the run that is replaced" in " ".join((said.out + said.err).split())
        stale = broken(both)[f"{name}: it is made of the run's weights, by its record"]
        assert stale == "it is an export of another run, and stale: export again"


def test_ones_own_bytes_as_answers_stay_and_a_cache_of_python_goes(run: Path) -> None:
    for to in ("onnx", "torch"):
        tinyproof.export(run, to=to)
    (run / "export-onnx" / exported.ANSWERS).write_bytes(b"somebody's")
    (run / "export-torch" / "__pycache__").mkdir()
    assert [place.name for place in replaced.remove(run)] == ["export-onnx"]
    assert (run / "export-onnx" / exported.ANSWERS).read_bytes() == b"somebody's"


# ------------------------------------------------------------------ the model card


def front_matter(folder: Path) -> tuple[dict[str, Any], str]:
    yaml = pytest.importorskip("yaml")
    _, block, text = (folder / CARD).read_text().split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(block)
    return found, text


def test_the_card_has_the_block_that_hubs_read(made: Path) -> None:
    run = store.load(made)
    facts, text = front_matter(made / "export-onnx")
    (result,) = facts["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == run.correct / 359
    assert (result["task"]["type"], result["dataset"]["type"]) == ("image-classification", "digits")
    for word in (run.weights_digest, exported.load(made / "export-onnx").files[artefact.ONNX], "What was not measured"):
        assert word in text
    assert f"{run.correct:,} right, 0 with another class" in text
    assert "what other seeds give was not measured" in text


@pytest.mark.parametrize("to", exported.IN_WHOLE_NUMBERS)
def test_a_card_of_whole_numbers_gives_their_accuracy_first(made: Path, to: str) -> None:
    """Told apart also where both read as many right: the exported one is given one image more here."""
    run, there = store.load(made), exported.load(made / f"export-{to}")
    there = replace(there, correct=run.correct + 1)
    text = card(run, there)
    facts = pytest.importorskip("yaml").safe_load(text.split("---\n", 2)[1])
    assert [(one["name"], one["value"]) for one in facts["model-index"][0]["results"][0]["metrics"]] == [
        ("accuracy of the exported network", (run.correct + 1) / 359),
        ("accuracy before rounding to whole numbers", run.correct / 359),
    ]
    assert f"This network, in whole numbers, reads {run.correct + 1} of 359 test images right" in text
    assert "This network (" not in text


def test_what_the_files_say_of_accuracy_is_the_run_s(made: Path) -> None:
    said = f'#define NETWORK_RUN_ACCURACY "{store.load(made).correct} of 359 test images"'
    for to in exported.IN_C:
        assert said in (made / f"export-{to}" / "network.h").read_text()


def test_the_card_holds_no_markup_of_a_record(made: Path) -> None:
    run, hostile = store.load(made), "x\n---\nlicense: mit\n# <b>[a](b)</b> `c"
    run = replace(
        run, classes=(hostile, *run.classes[1:]), identity=replace(run.identity, model=hostile, dataset=hostile)
    )
    text = card(run, replace(exported.load(made / "export-onnx"), runner=hostile))
    assert pytest.importorskip("yaml").safe_load(text.split("---\n", 2)[1])["datasets"] == [claim.data_title(run)]
    assert text.count("\n---\n") == 1
    assert "<b>" not in text
    assert "\nlicense" not in text


def test_of_a_proof_the_card_has_mean_interval_and_seeds(tmp_path: Path) -> None:
    tinyproof.prove(
        "fast", "fast,epochs=1", dataset="digits", seeds=3, target=10.0, out=tmp_path / "proof", engine="torch",
        quiet=True, weights=True,
    )  # fmt: skip
    verdict = json.loads((tmp_path / "proof" / "verdict.json").read_text())
    folder = next(path for path in sorted((tmp_path / "proof").iterdir()) if path.name.startswith("seed-"))
    made = tinyproof.export(folder)
    assert made.proved is not None
    assert (made.proved.word, made.proved.mean) == ("proved", verdict["mean"])
    assert [made.proved.low, made.proved.high] == verdict["interval_95"]
    assert list(made.proved.seeds) == [run["seed"] for run in verdict["runs"]]
    facts, text = front_matter(made.folder)
    first = facts["model-index"][0]["results"][0]["metrics"][0]
    assert first == {"type": "accuracy", "name": "mean accuracy of 3 declared seeds", "value": verdict["mean"] / 100}
    assert f"mean {verdict['mean']:.3f} %" in text
    what = "what it says of the proof is what the proof says"
    assert {line.what: line.holds for line in tinyproof.verify(folder).lines}[what] is True
    told = json.loads((made.folder / exported.RECORD).read_text())["proved"]
    record(made.folder, proved={**told, "mean": 99.9})
    assert f"export-onnx: {what}" in broken(folder)
