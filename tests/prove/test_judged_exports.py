"""`prove --as FORMAT`: every declared run is exported, and what the export answers is judged, stored and verified."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import program
from tests.prove.proving import ALONE, TINY, call, kill
from tests.stored_records import stored

import tinyproof
from tinyproof.api.prove import prove_asked, resume
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import sha256, write_atomic
from tinyproof.core.listener import Listener
from tinyproof.data.load import load_digits
from tinyproof.network.budget import Budget, Check
from tinyproof.prove import declaration, exporting, judged_export, proof, receipts, worker
from tinyproof.prove.declare import Ask, default_folder
from tinyproof.prove.journal import entries
from tinyproof.ship import c_count, c_size, exported
from tinyproof.ship.card import card
from tinyproof.ship.tool import ToolTrouble
from tinyproof.train import store
from tinyproof.train.recipe_text import for_model
from tinyproof.train.run_record import Predictions

TO, FOLDER = "c-int8", "export-c-int8"
ASKED: dict[str, Any] = {
    "recipe": "best,epochs=2,rate=0.01", "dataset": "digits", "seeds": 2, "target": 5.0, "engine": "torch",
    "processes": 1, "threads": 1, "quiet": True,
}  # fmt: skip
LIMITS: dict[str, Any] = {"flash_below": 20_000, "ram_below": 9_000}
MADE, GIVE = "the exported files are made of the run's weights", "the exported files give these answers"
THERE = f"the declared export to {TO} is there, and this run's"
ANSWERS = "its answers are the recorded ones"
COUNT = "it takes so many instructions on a microcontroller"
STORED = "the stored verdict is what the answers give"


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged") / "proof"
    tinyproof.prove(TINY, **ASKED, **LIMITS, as_=TO, out=folder)
    return folder


@pytest.fixture
def copy(proved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(proved, tmp_path / "proof"))


def seeds(folder: Path) -> list[Path]:
    return [proof.seed_folder(folder, seed) for seed in declaration.read(folder).seeds]


def broken(folder: Path, **options: Any) -> set[str]:
    return {line.what for line in tinyproof.verify(folder, model=TINY, **options).broken}


def told_anew(place: Path, **changed: Any) -> None:
    """Whoever forges an export writes its record and its card to match."""
    run, record = store.load(place), exported.load(place / FOLDER)
    answers = store.load_predictions(place / FOLDER)
    mine = store.load_predictions(place)
    files = {name: sha256(place / FOLDER / name) for name in record.files}
    forged = replace(
        record, files=files, answers=answers.digest, correct=answers.correct, card="",
        changed=exported.changed(mine, answers), largest_difference=exported.difference(mine, answers), **changed,
    )  # fmt: skip
    text = card(run, forged)
    (place / FOLDER / "README.md").write_text(text)
    (place / FOLDER / "export.json").write_text(replace(forged, card=sha256(text.encode())).to_json())


# ------------------------------------------------------------------ the proof


def test_everything_is_counted_from_what_the_exports_answer(proved: Path) -> None:
    found = tinyproof.prove(proved, quiet=True)
    exports = [store.load_predictions(place / FOLDER) for place in seeds(proved)]
    networks = [store.load_predictions(place) for place in seeds(proved)]
    assert [score.correct for score in found.verdict.scores] == [answers.correct for answers in exports]
    assert (found.predictions == np.stack([answers.predicted for answers in exports])).all()
    told = found.to_json()
    assert (told["judged_as"], told["networks"]["correct"]) == (TO, [answers.correct for answers in networks])
    changed = [int((a.predicted != b.predicted).sum()) for a, b in zip(networks, exports, strict=True)]
    assert told["networks"]["changed"] == changed
    difference = np.mean([100 * (b.correct - a.correct) / 359 for a, b in zip(networks, exports, strict=True)])
    assert told["networks"]["mean_difference"] == pytest.approx(difference)
    assert json.loads((proved / proof.VERDICT).read_text()) == json.loads(json.dumps(told))


def test_text_page_journal_and_cards_say_what_was_judged(proved: Path) -> None:
    found = tinyproof.prove(proved, quiet=True)
    page = (proved / "report.html").read_text()
    for text in (str(found), page):
        assert "test accuracy after the last epoch, as c-int8" in text
        assert "exported less network, pair by pair; 95 % interval" in text
    assert f"network.c of seed {declaration.read(proved).seeds[0]}, SHA-256" in page
    (entry,) = tinyproof.journal(proved, page=False).entries
    assert entry.result.startswith("as c-int8: mean ")
    assert "less than 20,000 bytes of flash, less than 9,000 bytes of RAM" in entry.target
    assert entry.percents == tuple(score.percent for score in found.verdict.scores)
    words = f"mean {found.verdict.mean:.3f} % (95 % interval "
    for place in seeds(proved):
        text = (place / FOLDER / "README.md").read_text()
        assert words in text
        assert "each judged by what it answers as c-int8" in text


def test_verified_packed_and_held_against_its_receipt(proved: Path, tmp_path: Path) -> None:
    found = tinyproof.verify(proved, model=TINY, receipt=receipts.of(declaration.read(proved)))
    assert found.broken == ()
    assert sum(line.what == GIVE and line.holds is True for line in found.lines) == 2
    assert sum(line.what == "what it says of the proof is what the proof says" for line in found.lines) == 2
    pack = tinyproof.pack(proved, out=tmp_path / "it.zip").path
    assert broken(pack, weights=False) == set()


@pytest.mark.oracle("arm-none-eabi-gcc")
def test_flash_and_ram_are_limits_like_any_other(copy: Path) -> None:
    if c_size.missing():
        program("arm-none-eabi-gcc")
    checks = {one.name: one for one in proof.load(copy).checks}
    sizes = [exported.load(place / FOLDER) for place in seeds(copy)]
    assert checks["bytes of flash"].measured == f"{max(one.flash for one in sizes):,}"
    assert checks["bytes of RAM"].kept is True
    told_anew(seeds(copy)[1], flash=20_000)
    assert proof.load(copy).kept is False
    assert "it needs so many bytes on a microcontroller" in broken(copy)


@pytest.mark.oracle("arm-none-eabi-gcc")
def test_instructions_are_a_limit_like_any_other(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same exports judged under such a limit: counted, verified again, broken where one takes more."""
    program("arm-none-eabi-gcc"), program("qemu-system-arm")
    place = seeds(copy)[0]
    assert "instructions" not in proof.load(copy).to_json()
    assert exported.load(place / FOLDER).counted_by == ""  # nobody asked
    for one in seeds(copy):
        shutil.rmtree(one / FOLDER)
        assert exporting.for_judging(one, TO, TINY, load_digits(), counted=True) == ""
    counts = [exported.load(one / FOLDER).instructions for one in seeds(copy)]
    found = limited(proof.load(copy), instructions_below=max(counts) + 1)
    assert found.checks[-1] == Check(
        "instructions, most of the first 10 test images", f"below {max(counts) + 1:,}", f"{max(counts):,}", True
    )
    assert limited(proof.load(copy), instructions_below=max(counts)).kept is False
    tinyproof.prove(copy, quiet=True)
    (copy / "report.html").unlink()
    assert f"{max(counts):,}" in str(tinyproof.prove(copy, quiet=True))
    assert "QEMU emulator" in (copy / "report.html").read_text()
    assert json.loads((copy / proof.VERDICT).read_text())["instructions"] == counts
    lines = [line for line in tinyproof.verify(copy, model=TINY).lines if line.what == COUNT]
    assert [(line.holds, line.found) for line in lines] == [(True, f"{count:,} at most") for count in counts]
    told_anew(place, instructions=counts[0] - 40)
    assert COUNT in broken(copy)
    monkeypatch.setattr(c_count, "missing", lambda: "qemu-system-arm")
    lines = [line for line in tinyproof.verify(copy, model=TINY).lines if line.what == COUNT]
    assert [line.holds for line in lines] == [None, None]


def limited(found: proof.Proof, **limits: int) -> proof.Proof:
    """The same runs under further limits."""
    declared = replace(found.declaration, budget=replace(found.declaration.budget, **limits))
    return proof.assemble(found.folder, declared, found.results)


def test_what_would_count_instructions_and_is_missing_is_one_line(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_size, "missing", lambda: "")
    monkeypatch.setattr(c_count.shutil, "which", lambda name: None)
    assert exporting.lacking(Budget(flash_below=9)) == ""
    said = exporting.lacking(Budget(flash_below=9, instructions_below=9))
    assert said == (
        "qemu-system-arm is not installed: install it (Debian: qemu-system-arm), or whether the limit of flash and "
        "instructions is kept will not be known"
    )
    for place in seeds(copy):
        told_anew(place, flash=9, ram=9, sized_by="a compiler")
    found = limited(proof.load(copy), instructions_below=10_000_000)
    assert (found.kept, found.checks[-1].measured) == (None, "not known")
    told = exporting.unsized(found)
    assert told.startswith("instructions of 2 of 2 exports were not measured: install qemu-system-arm, then remove")
    told_anew(seeds(copy)[0], flash=0, ram=0, sized_by="")
    found = limited(proof.load(copy), instructions_below=10_000_000)
    assert exporting.unsized(found).startswith("flash, RAM and instructions of 2 of 2 exports were not measured")
    assert entries._target(found.declaration.budget, None).endswith(
        "10,000,000 instructions, most of the first 10 test images"
    )
    with pytest.raises(DataError, match="qemu-system-arm: is not installed: instructions cannot be counted"):
        c_count.most({}, "network", np.zeros((1, 1, 2, 2), np.uint8), 2)


def test_sizes_that_nothing_measured_are_not_known(copy: Path) -> None:
    told_anew(seeds(copy)[0], flash=0, ram=0, sized_by="")
    found = tinyproof.prove(copy, quiet=True)
    assert {one.name: one.kept for one in found.checks}["bytes of RAM"] is None
    assert (found.kept, found.proved) == (None, False)
    assert "whether the budget is kept is not known" in str(found)


@pytest.mark.parametrize(
    ("sizes", "below", "found"),
    [([], 9, None), ([3, 5], 9, 5), ([3, None], 9, None), ([9, None], 9, 9), ([9, None], None, None)],
)
def test_one_that_breaks_the_limit_is_enough(sizes: list[int | None], below: int | None, found: int | None) -> None:
    assert judged_export.largest(sizes, below) == found


# ------------------------------------------------------------------ forgeries


def put_right(place: Path) -> None:
    """One wrong answer of the export, made right with all that belongs to it."""
    answers = store.load_predictions(place / FOLDER)
    at = int(np.flatnonzero(answers.predicted != answers.labels)[0])
    predicted, losses = answers.predicted.copy(), answers.losses.copy()
    predicted[at], losses[at] = answers.labels[at], -np.log(answers.confidence[at])
    forged = Predictions(predicted, answers.labels, answers.confidence, losses)
    with (place / FOLDER / "predictions.npz").open("wb") as file:
        np.savez_compressed(file, **forged.arrays())  # type: ignore[arg-type]


def an_answer(folder: Path) -> None:
    put_right(seeds(folder)[0])


def an_answer_and_all_that_follows(folder: Path) -> None:
    put_right(seeds(folder)[0])
    told_anew(seeds(folder)[0])
    tinyproof.prove(folder, quiet=True)  # a verdict, records and cards to match


def a_missing_export(folder: Path) -> None:
    shutil.rmtree(seeds(folder)[0] / FOLDER)


def swapped_exports(folder: Path) -> None:
    first, second = (place / FOLDER for place in seeds(folder))
    first.rename(folder / "aside")
    second.rename(first)
    (folder / "aside").rename(second)


def one_for_two(folder: Path) -> None:
    first, second = seeds(folder)
    for name in ("network.c", "network.h", "predictions.npz"):
        shutil.copy(first / FOLDER / name, second / FOLDER / name)
    told_anew(second)
    tinyproof.prove(folder, quiet=True)


def other_weights(folder: Path) -> None:
    path = seeds(folder)[0] / FOLDER / "network.c"
    text = path.read_text()
    at = text.index("{", text.index("static const int8_t")) + 1
    path.write_text(text[:at] + "1," + text[text.index(",", at) + 1 :])
    told_anew(seeds(folder)[0])


def another_format(folder: Path) -> None:
    data = json.loads((folder / declaration.FILE).read_text())
    (folder / declaration.FILE).write_text(json.dumps({**data, "judged_as": "c"}))


@pytest.mark.parametrize(
    ("forge", "named", "with_weights"),
    [
        (an_answer, {ANSWERS, "the recorded accuracy is what its answers give", STORED}, False),
        (an_answer_and_all_that_follows, {GIVE}, True),
        (a_missing_export, {THERE, STORED}, False),
        (swapped_exports, {"it is made of the run's weights, by its record", THERE, STORED}, False),
        (one_for_two, {"every seed has an export of its own"}, False),
        (other_weights, {MADE}, True),
        (another_format, {"every run names this declaration by its digest"}, False),
    ],
)  # fmt: skip
def test_a_forgery_is_named(copy: Path, forge: Callable[[Path], None], named: set[str], with_weights: bool) -> None:
    forge(copy)
    assert named <= broken(copy, weights=with_weights)


# ------------------------------------------------------------------ on and on


def test_it_goes_on_between_training_and_export_without_training(copy: Path) -> None:
    place = seeds(copy)[1]
    before = {path.name: path.read_bytes() for path in (place / FOLDER).iterdir()}
    trained = {path.name: path.stat().st_mtime_ns for path in place.iterdir() if path.is_file() and path.name[0] != "."}
    shutil.rmtree(place / FOLDER)
    if sys.platform == "win32":  # process groups are killed differently there
        (place / f".{FOLDER}.killed.partial").mkdir()
    else:
        kill(("prove", copy, *ALONE[:2]), lambda: any(place.glob(f".{FOLDER}.*.partial/network.c")))
        assert broken(copy, weights=False) == {THERE, STORED}  # what is missing, and that the verdict goes
    unfinished = proof.load(copy)
    assert (unfinished.verdict.word, unfinished.verdict.reason) == ("undecided", "1 of 2 declared runs have ended")
    said: list[str] = []
    resume(copy, processes=1, listener=Listener(say=said.append))
    assert [line for line in said if "as c-int8" in line]
    assert not [line for line in said if "measured steps" in line]  # nothing is trained, so nothing is measured
    assert [line for line in said if "trained before; as c-int8" in line]
    assert said[-1].endswith(": 1 run(s), trained before, were exported")
    assert {path.name: path.read_bytes() for path in (place / FOLDER).iterdir()} == before
    there = {path.name: path.stat().st_mtime_ns for path in place.iterdir() if path.is_file() and path.name[0] != "."}
    assert there == trained
    assert not list(place.glob("*.partial")) and not list(place.glob(".*.partial"))  # noqa: PT018
    assert proof.load(copy).verdict.word == "proved"


class Killed(BaseException):
    """Nothing that was meant to follow is done."""


CARD_SAYS, HALF = "its model card says what the records say", "README.md has the verdict, and export.json not yet"


def killed_while_it_tells(folder: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports as they are before the verdict is known, then a process that writes it, and so many files of it only."""
    found, wrote = proof.load(folder), list[Path]()
    for result in found.results:
        assert result.export is not None
        exporting.told(result.folder / FOLDER, result.run, replace(result.export.record, proved=None))

    def write(path: Path, content: str) -> Path:
        if len(wrote) == after:
            raise Killed
        wrote.append(path)
        return write_atomic(path, content)

    with monkeypatch.context() as killed:
        killed.setattr(exporting, "write_atomic", write)
        with pytest.raises(Killed):
            exporting.tell(proof.load(folder))


@pytest.mark.parametrize("after", range(4))
def test_killed_while_it_tells_the_verdict_it_is_judged_truly(
    copy: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_it_tells(copy, after, monkeypatch)
    lines = tinyproof.verify(copy, model=TINY, weights=False).lines
    assert [line.what for line in lines if line.holds is False] == []
    half = [line for line in lines if line.what == CARD_SAYS and line.holds is None]
    assert [HALF in line.found for line in half] == [True] * (after % 2)
    tinyproof.prove(copy, quiet=True)
    lines = tinyproof.verify(copy, model=TINY, weights=False).lines
    assert {
        line.holds for line in lines if line.what in (CARD_SAYS, "what it says of the proof is what the proof says")
    } == {True}


@pytest.mark.parametrize("name", ["README.md", "export.json"])
def test_what_is_not_so_in_a_half_written_export_is_found(
    copy: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_it_tells(copy, 1, monkeypatch)
    place, mean = seeds(copy)[0] / FOLDER, f"{proof.load(copy).verdict.mean:.3f}"
    if name == "README.md":
        (place / name).write_text((place / name).read_text().replace(mean, "99.999"))
    else:
        (place / name).write_text(replace(exported.load(place), card="0" * 64).to_json())
    assert CARD_SAYS in broken(copy, weights=False)


def work(folder: Path, **changed: Any) -> worker.Work:
    declared = declaration.read(folder)
    return worker.Work(folder=str(folder), declared=declared, dataset="digits", parent=os.getpid(), **changed)


def exported_anew(folder: Path, **changed: Any) -> bool:
    """The first seed's export once more, in this process."""
    shutil.rmtree(seeds(folder)[0] / FOLDER)
    return bool(worker.do(worker.Task(work(folder, **changed), declaration.read(folder).seeds[0])))


def test_weights_that_cannot_be_exported_are_a_failed_run(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise DataError("Tiny", "cannot be exported to c-int8: a sum may need more than 32 bits")

    monkeypatch.setattr(exporting, "write", refused)
    assert exported_anew(copy)
    found = proof.load(copy)
    assert (found.verdict.word, len(found.results)) == ("undecided", 1)
    assert "cannot be exported to c-int8: a sum may need" in found.verdict.reason
    assert worker.missing(work(copy)) == []  # it would end so again


def test_what_this_machine_lacks_is_no_failed_run(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_compiler(*_: Any, **__: Any) -> None:
        raise ToolTrouble("cc", "does not work")

    monkeypatch.setattr(exporting, "write", broken_compiler)
    with pytest.raises(ToolTrouble):
        exported_anew(copy)
    assert worker.missing(work(copy)) == [declaration.read(copy).seeds[0]]


def test_without_weights_they_go_once_the_export_is_made(copy: Path) -> None:
    assert exported_anew(copy, keep_weights=False)
    place = seeds(copy)[0]
    assert not (place / store.WEIGHTS).exists()
    tinyproof.prove(copy, quiet=True)
    assert broken(copy, weights=False) == set()
    assert broken(copy) == {"the weights are the recorded ones"}  # they are asked for, and gone
    an_answer(copy)
    assert ANSWERS in broken(copy, weights=False)


def test_exports_of_two_versions_are_no_one_proof(copy: Path) -> None:
    told_anew(seeds(copy)[0], version="0.0.1")
    assert "the exports were made alike" in broken(copy, weights=False)
    with pytest.raises(DataError, match="were not made alike: version: seed"):
        proof.load(copy)


@pytest.mark.parametrize("to", judged_export.FORMATS)
def test_every_format_can_be_judged(copy: Path, to: str) -> None:
    if to == "c":
        program("cc", "gcc", "clang")
    place = seeds(copy)[0]
    shutil.rmtree(place / FOLDER)
    assert exporting.for_judging(place, to, TINY, load_digits()) == ""
    run, answers = store.load(place), store.load_predictions(place)
    found = judged_export.read(place, to, run, answers)
    assert len(found.answers.labels) == 359
    if to not in exported.IN_WHOLE_NUMBERS:
        assert exported.changed(answers, found.answers) == 0


# ------------------------------------------------------------------ what is refused


def ask(**changed: Any) -> Ask:
    recipe = for_model("best,epochs=2,rate=0.01", TINY)
    asked = {"seeds": 2, "dataset": "digits", "target": 5.0, "engine": "torch", "judged_as": TO, "limits": LIMITS}
    return Ask(model=TINY, recipe=recipe, **{**asked, **changed})


@pytest.mark.parametrize(("to", "words"), [(None, "as: 'the network itself'"), ("onnx", "as: 'onnx'")])
def test_another_format_in_the_same_folder_is_another_proof(proved: Path, to: str | None, words: str) -> None:
    with pytest.raises(InputError, match=f"{words} is not allowed; allowed: c-int8, as declared"):
        prove_asked(ask(judged_as=to, limits={}), proved)
    with pytest.raises(InputError, match="keeps its own values"):
        tinyproof.prove(proved, as_="c", quiet=True)
    assert default_folder(ask()) != default_folder(ask(judged_as=None, limits={}))


def test_limits_of_a_microcontroller_are_for_c(tmp_path: Path) -> None:
    done = call("prove", TINY, "--dataset", "digits", "--as", "onnx", "--flash-below", 9000, "--out", tmp_path / "p")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "flash_below: 9000 is a limit of exported C" in done.stderr
    assert "add --as c or --as c-int8" in done.stderr
    assert not (tmp_path / "p").exists()
    with pytest.raises(InputError, match="ram_below: 9000 is a limit of exported C"):
        ask(judged_as=None, limits={"ram_below": 9000})
    with pytest.raises(InputError, match="is a limit of exported C"):
        tinyproof.train("fast", dataset="digits", budget=Budget(flash_below=9000), out=tmp_path / "t", quiet=True)


@pytest.mark.parametrize(
    ("to", "words"), [("xlsx", "answers ten pictures only"), ("html", "shows the verdict"), ("C", "")]
)
def test_not_every_export_can_be_judged(to: str, words: str) -> None:
    with pytest.raises(InputError, match=f"as: '{to}' {words}.*c, c-int8, onnx, onnx-int8, torch"):
        ask(judged_as=to, limits={})


def test_a_network_that_cannot_be_exported_is_refused_before_anything_is_declared(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "from torch import nn\n\n\n"
        "def odd():\n    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softplus())\n"
    )
    with pytest.raises(DataError, match="Softplus"):
        prove_asked(replace(ask(), model=f"{tmp_path / 'odd.py'}:odd"), tmp_path / "p")
    assert not (tmp_path / "p" / declaration.FILE).exists()


def test_what_is_not_asked_stands_in_no_declaration() -> None:
    assert not {"flash_below", "ram_below"} & Budget().to_dict().keys()
    assert Budget.from_dict(Budget(flash_below=9).to_dict()) == Budget(flash_below=9)
    declared = declaration.read(stored("fast"))
    assert "judged_as" not in declared.to_dict()
    assert replace(declared, judged_as="c").question != declared.question
