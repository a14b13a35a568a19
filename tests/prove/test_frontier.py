"""`frontier`: this repository's ledger, counted here by other means; its page and picture; every wrong input."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import stats as scipy_stats
from tests.stored_records import PACKS, stored

import tinyproof
from tinyproof.core import packed, stats
from tinyproof.core.errors import DataError, InputError, TinyproofError, one_line
from tinyproof.prove import attempt, declaration, known_figures, proof
from tinyproof.prove.ledger import TIERS
from tinyproof.show import frontier_page, frontier_picture
from tinyproof.show.drawing.shapes import svg

RECORDS = PACKS["fast"].parent
CLI = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def found() -> tinyproof.FrontierResult:
    return tinyproof.frontier(RECORDS)


@pytest.fixture
def fast(tmp_path: Path) -> Path:
    """A folder with one proof in it, as a folder."""
    shutil.copytree(stored("fast"), tmp_path / "kept" / "fast")
    return tmp_path / "kept"


def edit(path: Path, change: Callable[[Any], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def answered(archive: zipfile.ZipFile, place: str) -> list[float]:
    """The accuracy of each run of a proof in a pack, in percent, from nothing but its arrays."""
    declared = json.loads(archive.read(f"{place}declared.json"))
    name = f"export-{declared['judged_as']}/predictions.npz" if declared.get("judged_as") else "predictions.npz"
    found = []
    for seed in declared["seeds"]:
        arrays = np.load(io.BytesIO(archive.read(f"{place}seed-{seed}/{name}")))
        found.append(100 * float((arrays["predicted"] == arrays["labels"]).mean()))
    return found


def by_hand() -> dict[str, tuple[int, list[float]]]:
    """Every proof of the records: parameters, accuracies."""
    proofs = {}
    for path in PACKS.values():
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("declared.json"):
                    place = name.removesuffix("declared.json")
                    run = next(
                        n for n in archive.namelist() if n.startswith(f"{place}seed-") and n.endswith("run.json")
                    )
                    size = json.loads(archive.read(run))["parameters"]
                    proofs[f"{path.name}/{place}".rstrip("/")] = size, answered(archive, place)
    return proofs


def test_every_proof_of_the_records_is_in_the_ledger_and_counted_right(found: tinyproof.FrontierResult) -> None:
    proofs = by_hand()
    assert {one.name for one in found.attempts} == set(proofs)
    for one in found.attempts:
        assert (one.parameters, list(one.percents)) == (proofs[one.name][0], pytest.approx(proofs[one.name][1])), (
            one.name
        )


def test_the_entry_of_each_tier_is_what_scipy_says(found: tinyproof.FrontierResult) -> None:
    low = 0
    for tier in found.tiers:
        inside = {name: values for name, (size, values) in by_hand().items() if low <= size < tier.below}
        low = tier.below
        assert (tier.tried, tier.lost) == (len(inside), ())
        level = 1 - 0.05 / max(1, len(inside))
        bounds = {
            name: scipy_stats.ttest_1samp(values, 0, alternative="greater").confidence_interval(level).low
            for name, values in inside.items()
        }
        if bounds:
            assert tier.best is not None
            assert tier.best.name == max(bounds, key=lambda name: bounds[name])
            assert tier.bound == pytest.approx(max(bounds.values()), abs=1e-9)


def test_the_ledger_needs_no_torch_and_no_data() -> None:
    code = "import sys, tinyproof; tinyproof.frontier(sys.argv[1]); print('torch' in sys.modules)"
    words = [sys.executable, "-c", code, str(RECORDS)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_command_says_what_its_twin_says(found: tinyproof.FrontierResult, cli: CLI) -> None:
    said = cli("frontier", "--records", RECORDS)
    assert (said.returncode, said.stdout) == (0, f"{found}\n")
    assert json.loads(cli("frontier", "--records", RECORDS, "--json").stdout) == found.to_json()
    assert said.stdout.count("the winner's curse") == 1


def test_a_proof_alone_is_a_ledger(fast: Path, tmp_path: Path) -> None:
    tinyproof.pack(fast / "fast", out=tmp_path / "packs" / "one.zip")
    for place, name in ((fast, "fast"), (fast / "fast", "fast"), (tmp_path / "packs", "one.zip")):
        (one,) = tinyproof.frontier(place).attempts
        assert one.name == name
    shutil.copy(tmp_path / "packs" / "one.zip", fast / "copy.zip")
    assert len(tinyproof.frontier(fast).attempts) == 1


def test_no_bound_is_printed_higher_than_it_is(found: tinyproof.FrontierResult) -> None:
    known = [tier.bound_of(one) for tier in found.tiers for one in tier.attempts]
    rows = [row for tier in found.tiers for row in frontier_page.tries_table(tier).records()]
    entries = [row for row in frontier_page.tiers_table(found).records() if row["proof"]]
    printed = [row["at least, corrected, %"] for row in (*rows, *entries)]
    for bound, told in zip([*known, *(tier.bound for tier in found.tiers if tier.best)], printed, strict=True):
        assert (bound is None) == (told is None)
        assert bound is None or 0 <= bound - float(str(told)) < 0.001
    drawn = frontier_picture.picture(found).description
    for tier in found.tiers:
        assert tier.bound is None or f"at least {stats.never_above(tier.bound, 3)} % after" in drawn
    assert any(f"{bound:.3f}" != stats.never_above(bound, 3) for bound in known if bound is not None)


def test_the_picture_holds_every_proof_and_each_bound(found: tinyproof.FrontierResult, tmp_path: Path) -> None:
    told = tinyproof.frontier(RECORDS, out=tmp_path / "ledger.svg")
    assert told.page == tmp_path / "ledger.svg"
    tree = ElementTree.fromstring((tmp_path / "ledger.svg").read_text(encoding="utf-8"))
    circles = [part for part in tree if part.tag.endswith("circle")]
    assert len(circles) == sum(tier.tried for tier in found.tiers)
    words = [part.text or "" for part in tree if part.tag.endswith("text")]
    bounds = [float(word.removeprefix("≥ ").removesuffix(" %")) for word in words if word.startswith("≥")]
    known = [tier.bound for tier in found.tiers if tier.bound is not None]
    assert len(bounds) == len(known)
    assert all(0 <= bound - shown < 0.01 for shown, bound in zip(bounds, known, strict=True))


def test_the_picture_of_the_documentation_is_that_of_the_records(found: tinyproof.FrontierResult) -> None:
    shown = (RECORDS.parent / "docs" / "images" / "frontier.svg").read_text(encoding="utf-8")
    assert shown == svg(frontier_picture.picture(found))


def test_the_page_holds_every_try_and_no_other_address(found: tinyproof.FrontierResult, tmp_path: Path) -> None:
    tinyproof.frontier(RECORDS, out=tmp_path / "ledger.html")
    page = (tmp_path / "ledger.html").read_text(encoding="utf-8")
    assert all(one.name in page for one in found.attempts)
    assert "winner&#39;s curse" in page
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_a_network_of_ones_own_stands_on_its_record_and_that_is_said(found: tinyproof.FrontierResult) -> None:
    own = {one.name: one.sized for one in found.attempts if one.model not in known_figures.NETS}
    assert own
    assert not any(own.values())
    if any(tier.best and not tier.best.sized for tier in found.tiers):
        assert "parameters with *" in str(found)


@pytest.mark.parametrize("name", ["under-700", "under-1k", "under-2k", "under-4k"])
def test_a_small_network_is_the_one_of_its_file_and_its_weights_give_its_answers(name: str, mnist_folder: Path) -> None:
    with packed.folder(PACKS[name]) as place:
        model = declaration.read(place).model
        one = attempt.of_proof(proof.load(place), name)
    assert one is not None
    verified = tinyproof.verify(PACKS[name], data=mnist_folder, model=str(RECORDS.parent / model))
    assert (verified.exit_code, [line for line in verified.lines if line.holds is None]) == (0, [])
    limit = min(below for below in TIERS if one.parameters < below)
    assert one.parameters > 0.95 * limit
    assert name == f"under-{limit if limit < 1_000 else f'{limit // 1_000}k'}"


# ------------------------------------------------------------------ wrong input


def refused(records: Path, kind: type[TinyproofError] = DataError, **more: Any) -> str:
    with pytest.raises(kind) as error:
        tinyproof.frontier(records, **more)
    said = str(error.value)
    assert said == one_line(said, 1000)
    assert "/tmp/tinyproof-" not in said
    return said


def test_a_folder_that_is_not_there_or_has_no_proof(tmp_path: Path, cli: CLI) -> None:
    assert "records: " in refused(tmp_path / "none", InputError)
    (tmp_path / "text.txt").write_text("hello")
    said = refused(tmp_path, InputError)
    assert "holds no proof of which a run has ended; name a folder with packs" in said
    told = cli("frontier", "--records", tmp_path)
    assert (told.returncode, told.stderr) == (2, f"tinyproof: {said}\n")


@pytest.mark.parametrize("name", ["ledger.pdf", "ledger"])
def test_a_page_of_another_kind(tmp_path: Path, name: str) -> None:
    assert "out: " in refused(RECORDS, InputError, out=tmp_path / name)


@pytest.mark.parametrize("left", [0, 100, 200_000])
def test_a_damaged_pack_is_named(tmp_path: Path, left: int) -> None:
    shutil.copy(PACKS["fast"], tmp_path / "good.zip")
    (tmp_path / "torn.zip").write_bytes(PACKS["fast"].read_bytes()[:left])
    assert "torn.zip" in refused(tmp_path)


def test_a_folder_that_may_not_be_read_is_named(fast: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: Path) -> None:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert refused(fast) == f"{fast}: cannot be read: no permission"


def test_two_data_sets(fast: Path) -> None:
    shutil.copytree(fast / "fast", fast / "other")
    edit(fast / "other" / "declared.json", lambda data: data["data"].update(name="kmnist", digest="0" * 64))
    for run in (fast / "other").glob("seed-*/run.json"):
        edit(run, lambda data: data["identity"].update(dataset="kmnist", data_digest="0" * 64))
        edit(run, lambda data: data.update(declaration=""))
    said = refused(fast, InputError)
    assert "holds proofs on mnist, digest 7ecee0b9 (fast) and on kmnist, digest 00000000 (other)" in said


def test_a_record_that_claims_fewer_parameters_is_refused(fast: Path, cli: CLI) -> None:
    for run in (fast / "fast").glob("seed-*/run.json"):
        edit(run, lambda data: data.update(parameters=600))
    said = refused(fast)
    assert "does not hold: parameters, MACs, bytes and layers are the network's, differs in: parameters" in said
    assert cli("frontier", "--records", fast).returncode == 2


def test_answers_of_another_run_are_refused(fast: Path) -> None:
    first, second, *_ = sorted((fast / "fast").glob("seed-*/predictions.npz"))
    shutil.copy(first, second)
    assert f"fast/{second.parent.name}" in refused(fast)


def test_a_run_that_was_taken_away_is_refused(fast: Path) -> None:
    shutil.rmtree(next((fast / "fast").glob("seed-*")))
    assert "the declared run is there, it is missing" in refused(fast)


def test_a_run_that_failed_is_a_try_without_a_bound(fast: Path) -> None:
    place = next((fast / "fast").glob("seed-*"))
    shutil.rmtree(place)
    place.mkdir()
    (place / "failed.json").write_text('{"reason": "the loss is not a number"}')
    (fast / "fast" / "verdict.json").unlink(missing_ok=True)
    (tier,) = [tier for tier in tinyproof.frontier(fast).tiers if tier.tried]
    assert (tier.best, tier.bound, len(tier.attempts[0].percents)) == (None, None, 9)
    assert "none that is complete" in str(tinyproof.frontier(fast))


def test_a_proof_of_which_every_run_failed_is_left_aside_and_told_as_that(fast: Path) -> None:
    shutil.copy(PACKS["under-1k"], fast)
    (fast / "fast" / "verdict.json").unlink()
    for place in (fast / "fast").glob("seed-*"):
        shutil.rmtree(place)
        place.mkdir()
        (place / "failed.json").write_text('{"reason": "the loss is not a number"}')
    assert tinyproof.frontier(fast).aside == ("fast: no run has answers, for all failed",)


def test_what_holds_no_proof_is_left_aside_and_told(fast: Path) -> None:
    run = next((fast / "fast").glob("seed-*"))
    tinyproof.pack(run, out=fast / "run.zip")
    assert tinyproof.frontier(fast).aside == ("run.zip: no proof",)
    shutil.copytree(fast / "fast", fast / "only-declared", ignore=shutil.ignore_patterns("seed-*", "verdict.json"))
    with pytest.raises(DataError, match="the declared run is there"):
        tinyproof.frontier(fast)


def test_no_try_is_passed_over_in_silence(fast: Path) -> None:
    pack = PACKS["under-1k"]
    deep = fast / "a" / "b" / "c" / "d" / "e"
    deep.mkdir(parents=True)
    for name in (".hidden.zip", "renamed.pack", "a/b/c/d/e/deep.zip"):
        shutil.copy(pack, fast / name)
    (fast / "link.zip").symlink_to(pack)
    (fast / "loop").symlink_to(fast)
    (fast / "gone.zip").symlink_to(fast / "nowhere")
    (fast / "notes.txt").write_text("hello")
    found = tinyproof.frontier(fast)
    assert [one.name for one in found.attempts] == ["fast"]
    assert found.aside == (
        ".hidden.zip: hidden, and not read",
        "a/b/c/d: not read, for it is 4 folders deep",
        "link.zip: a link, which is not followed",
        "loop: a link, which is not followed",
        "renamed.pack: a pack without the ending .zip, and not read",
    )
    assert "left aside: link.zip: a link" in str(found)


@pytest.mark.parametrize("place", ["large.ZIP", "a/b/c/forged.zip", "a/b/c/forged"])
def test_wherever_a_proof_is_read_its_checks_are_made(place: str, fast: Path) -> None:
    forged = fast / "fast"
    edit(forged / "verdict.json", lambda data: data.update(mean=99.99))
    (fast / place).parent.mkdir(parents=True, exist_ok=True)
    if forged.suffix == Path(place).suffix:
        forged.rename(fast / place)
    else:
        tinyproof.pack(forged, out=fast / "forged.zip", weights=False)
        (fast / "forged.zip").rename(fast / place)
        shutil.rmtree(forged)
    shutil.copy(PACKS["under-1k"], fast / "good.zip")
    assert "does not hold: the stored verdict is what the answers give" in refused(fast)


def test_a_proof_in_the_folder_of_something_else_is_refused(fast: Path) -> None:
    shutil.copytree(stored("compare") / "rate", fast / "rate")
    (fast / "fast").rename(fast / "rate" / "fast")
    assert "rate/fast: lies too deep, or in a folder of something else" in refused(fast)


def test_an_archive_of_something_else_may_be_a_damaged_pack(fast: Path) -> None:
    with zipfile.ZipFile(fast / "notes.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    said = refused(fast)
    assert said == "notes.zip: is no pack, or a damaged one; pack the folder again, or keep the file elsewhere"


def test_a_comparison_as_a_folder_has_two_proofs(tmp_path: Path) -> None:
    shutil.copytree(stored("compare") / "rate", tmp_path / "kept" / "rate")
    names = [one.name for one in tinyproof.frontier(tmp_path / "kept").attempts]
    assert sorted(names) == ["rate/first", "rate/second"]
