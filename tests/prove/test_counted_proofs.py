"""A proof under a limit of instructions: what is said where one of its exports was not counted, or says nonsense."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import program
from tests.prove.proving import TINY

import tinyproof
from tinyproof.api.prove import resume
from tinyproof.core.errors import InputError
from tinyproof.core.fields import from_mapping
from tinyproof.core.listener import Listener
from tinyproof.data.load import load_digits
from tinyproof.network.budget import MOST_INSTRUCTIONS, Budget, Check, Facts, check
from tinyproof.prove import exporting, proof
from tinyproof.ship import c_count, exported
from tinyproof.ship.exported import Exported
from tinyproof.train import store

TO, FOLDER, ROW = "c-int8", "export-c-int8", "instructions, most of the first 10 test images"
BYTES, COUNT = (f"it {what} on a microcontroller" for what in ("needs so many bytes", "takes so many instructions"))
REFUSING = 'echo "qemu: no such machine" >&2; exit 1'
BELOW = 5_000_000

pytestmark = pytest.mark.oracle("qemu-system-arm")


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("arm-none-eabi-gcc"), program("qemu-system-arm")
    folder = tmp_path_factory.mktemp("counted") / "proof"
    tinyproof.prove(
        TINY, recipe="best,epochs=2,rate=0.01", dataset="digits", seeds=2, target=5.0, engine="torch", processes=1,
        threads=1, quiet=True, as_=TO, instructions_below=BELOW, ram_below=9_000, out=folder,
    )  # fmt: skip
    return folder


@pytest.fixture
def copy(proved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(proved, tmp_path / "proof"))


def seeds(folder: Path) -> list[Path]:
    return sorted(folder.glob("seed-*"))


def qemu(folder: Path, does: str, patch: pytest.MonkeyPatch) -> None:
    """A qemu-system-arm before every other: it says the true one's version, and then does this."""
    true = shutil.which("qemu-system-arm")
    folder.mkdir()
    fake = folder / "qemu-system-arm"
    fake.write_text(f'#!/bin/sh\ncase "$1" in --version) exec {true} --version;; esac\n{does}\n')
    fake.chmod(0o755)
    patch.setenv("PATH", str(folder), prepend=":")


def said_by_prove(folder: Path) -> list[str]:
    said: list[str] = []
    resume(folder, processes=1, listener=Listener(say=said.append))
    return said


def counts(folder: Path, **options: Any) -> list[tuple[bool | None, str]]:
    lines = tinyproof.verify(folder, model=TINY, **options).lines
    return [(line.holds, line.found) for line in lines if line.what == COUNT]


def test_why_one_was_not_counted_is_told_until_an_export_counts_it(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, page = proof.load(copy), (copy / "report.html").read_text()
    assert whole.kept is True
    assert ROW in page
    place = copy / f"seed-{whole.declaration.seeds[1]}"
    before = (place / FOLDER / exported.RECORD).read_bytes()
    shutil.rmtree(place / FOLDER)
    with monkeypatch.context() as patch:
        qemu(tmp_path / "bin", REFUSING, patch)
        said = said_by_prove(copy)
    reason = "qemu-system-arm: refuses the exported C: qemu: no such machine"
    told = f"warning: instructions of 1 of 2 exports were not measured ({reason}): remove export-c-int8 of those runs"
    assert said[-1].startswith(told)
    found = tinyproof.prove(copy, quiet=True)
    assert found.checks[-1] == Check(ROW, f"below {BELOW:,}", "not known", None)
    first = exported.load(copy / f"seed-{found.declaration.seeds[0]}" / FOLDER).instructions
    assert found.to_json()["instructions"] == [first, None]
    assert [row[-1] for row in found.parts()[1].rows] == [first, None]  # type: ignore[union-attr]
    page = (copy / "report.html").read_text()
    assert "no such machine" in page
    assert counts(copy, weights=False)[1] == (None, f"they were not counted: {reason}")
    # Whoever exports it anew, as any run, has it counted; the proof is judged anew and its page says so.
    shutil.rmtree(place / FOLDER)
    made = tinyproof.export(place, to=TO, model=TINY)
    assert f"at most {made.instructions:,} instructions an image (" in str(made)
    assert made.instructions > 0
    assert tinyproof.prove(copy, quiet=True).kept is True
    assert (place / FOLDER / exported.RECORD).read_bytes() == before
    assert "no such machine" not in (copy / "report.html").read_text()
    assert tinyproof.verify(copy, model=TINY).broken == ()


def test_a_page_is_left_alone_where_nothing_changed(copy: Path) -> None:
    (copy / "report.html").write_text("mine")
    tinyproof.prove(copy, quiet=True)
    assert (copy / "report.html").read_text() == "mine"


@pytest.mark.parametrize("does", ["exit 0", "printf abc123 > scores.bin"])
def test_a_qemu_that_stops_early_breaks_off_nothing(
    copy: Path, does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(seeds(copy)[0] / FOLDER)
    qemu(tmp_path / "bin", does, monkeypatch)
    assert exporting.for_judging(seeds(copy)[0], TO, TINY, load_digits(), counted=True) == ""
    assert "(qemu-system-arm: does not run the exported C to its end)" in exporting.unsized(proof.load(copy))
    tinyproof.prove(copy, quiet=True)
    found = tinyproof.verify(copy, model=TINY)
    assert found.broken == ()
    assert [line.holds for line in found.lines if line.what == COUNT] == [None, None]


def test_an_unchecked_count_is_listed(copy: Path) -> None:
    lines = tinyproof.verify(copy, model=TINY, weights=False).lines
    listed = [(line.what, line.holds, line.found) for line in lines if line.what in (BYTES, COUNT)]
    one = [(BYTES, None, "they were not measured again"), (COUNT, None, "they were not counted again")]
    assert listed == one * 2
    assert [holds for holds, _ in counts(copy)] == [True, True]


def test_bytes_that_no_limit_hangs_on_are_not_listed(copy: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(seeds(copy)[0], tmp_path / "alone"))
    lines = tinyproof.verify(alone, model=TINY, weights=False).lines
    assert {line.what for line in lines} & {BYTES, COUNT} == {COUNT}


def test_more_than_can_be_counted_breaks_every_limit(copy: Path) -> None:
    place = seeds(copy)[0]
    record = exported.load(place / FOLDER)
    exporting.told(place / FOLDER, store.load(place), replace(record, instructions=MOST_INSTRUCTIONS))
    assert proof.load(copy).checks[-1] == Check(ROW, f"below {BELOW:,}", "at least 671,088,640", False)
    (checked,) = check(
        Budget(instructions_below=MOST_INSTRUCTIONS), Facts(parameters=1, bytes=4, instructions=MOST_INSTRUCTIONS)
    )
    assert (checked.measured, checked.kept) == ("at least 671,088,640", False)
    assert c_count.MOST == MOST_INSTRUCTIONS
    with pytest.raises(InputError, match=r"instructions_below: 671088641.*from 1 to 671,088,640"):
        Budget(instructions_below=MOST_INSTRUCTIONS + 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instructions", 0), ("instructions", -1), ("instructions", MOST_INSTRUCTIONS + 1), ("instructions", True),
        ("counted_by", ""), ("not_counted", "nobody asked"), ("flash", 0), ("flash", 2**32), ("ram", -1),
        ("ram", 2**32), ("sized_by", ""),
    ],
)  # fmt: skip
def test_nonsense_about_a_microcontroller_is_no_record(copy: Path, field: str, value: object) -> None:
    path = seeds(copy)[0] / FOLDER / exported.RECORD
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, field: value}))
    with pytest.raises(InputError, match=r"instructions|not_counted|flash|ram|counted_by"):
        exported.load(path.parent)
    broken = {line.what for line in tinyproof.verify(copy, model=TINY, weights=False).broken}
    assert "the record and the answers of the export can be read" in broken


def test_a_record_without_any_of_it_is_one(proved: Path) -> None:
    data = asdict(exported.load(seeds(proved)[0] / FOLDER))
    fields = ("flash", "ram", "sized_by", "instructions", "counted_by", "not_counted", "proved")
    left = {name: value for name, value in data.items() if name not in fields}
    assert from_mapping(Exported, left).instructions == 0
