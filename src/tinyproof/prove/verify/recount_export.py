"""An exported network: are its files the recorded ones, made from the run's weights, and do they give its answers?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyproof import __version__
from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import sha256
from tinyproof.data.arrays import MOST_BYTES
from tinyproof.network.budget import Budget, on_a_chip
from tinyproof.prove import proof_of_run
from tinyproof.prove.verify import recompute, recount_sizes
from tinyproof.prove.verify.lines import Case, Line, near
from tinyproof.ship import exported
from tinyproof.ship.card import CARD, card
from tinyproof.ship.claim import Proved
from tinyproof.ship.exported import RECORD, Exported
from tinyproof.ship.tool import ToolTrouble
from tinyproof.train import store
from tinyproof.train.run_record import Predictions, Run

if TYPE_CHECKING:
    from tinyproof.ship.artefact import Made

_GIVES = "the exported files give these answers"
_JUDGED = "; the verdict hangs on it: verify with that version"


def lines(
    case: Case, place: Path, run: Run | None = None, answers: Predictions | None = None,
    again: recompute.Again | None = None, judged: Budget | None = None,
) -> list[Line]:  # fmt: skip
    """All checks of one export; of its run only where that is at hand, `again` with its weights and data; `judged`: the
    limits of the proof that judges it, whose verdict hangs on what cannot be checked."""
    try:
        record = exported.load(place)
        theirs = store.load_predictions(place) if record.test_count else None
        mine = None if answers is None else exported.part(answers, record.images)
    except TinyproofError as error:
        return [case.line(place, "the record and the answers of the export can be read", False, str(error))]
    found = [*_files(case, place, record), *_answers(case, place, record, theirs)]
    if run is None or answers is None or mine is None:
        return [*found, case.line(place, "it is made of the run's weights", None, "it lies in no folder of a run")]
    whose = list(_whose(case, place, record, run, answers))
    found += [*whose, *_beside_the_run(case, place, record, theirs, mine)]
    if whose[0].holds is False:
        return found
    if again is None:
        unmeasured = recount_sizes.unmeasured(case, place, record, judged)
        return [*found, *unmeasured, case.line(place, _GIVES, None, "they were not run")]
    return [*found, *_again(case, place, record, theirs, again, judged)]


def _files(case: Case, place: Path, record: Exported) -> Iterator[Line]:
    what = "the exported files are the recorded ones"
    plain = all(Path(name).name == name and name not in ("", ".", "..") for name in record.files)
    if not plain or not record.files:
        yield case.line(place, what, False, "their names lead out of the folder" if record.files else "there are none")
        return
    wrong = [name for name, digest in record.files.items() if not _is(place / name, digest)]
    yield case.line(place, what, not wrong, f"not: {', '.join(wrong)}" if wrong else ", ".join(record.files))


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and not path.is_symlink() and sha256(path, MOST_BYTES) == digest


def _answers(case: Case, place: Path, record: Exported, theirs: Predictions | None) -> Iterator[Line]:
    if theirs is None:
        yield case.line(place, "the recorded accuracy is what its answers give", None, f"not run: {record.not_run}")
        return
    counted = (theirs.correct, len(theirs.labels))
    said = f"{counted[0]:,} of {counted[1]:,}"
    yield case.line(
        place, "the recorded accuracy is what its answers give", (record.correct, record.test_count) == counted, said
    )
    yield case.line(place, "its answers are the recorded ones", record.answers == theirs.digest)


def _whose(case: Case, place: Path, record: Exported, run: Run, answers: Predictions) -> Iterator[Line]:
    """Whether it is this run's, and says of it and of its proof what is so."""
    recorded = (record.model, record.weights, record.run_answers)
    mine = recorded == (run.identity.model, run.weights_digest, answers.digest)
    told = "" if mine else "it is an export of another run, and stale: export again"
    yield case.line(place, "it is made of the run's weights, by its record", mine, told)
    if record.proved is not None:
        now = _proved(case, place.parent, run)
        grown = now is not None and now.seeds != record.proved.seeds and now.declaration == record.proved.declaration
        holds = None if now is None or grown else now == record.proved
        told = "the proof is not here" if now is None else "the proof has other runs now: export again" if grown else ""
        yield case.line(place, "what it says of the proof is what the proof says", holds, told)
    if mine:
        yield _told(case, place, record, run)


def _proved(case: Case, folder: Path, run: Run) -> Proved | None:
    """What the proof that a run belongs to says now; read once for all of its runs."""
    if folder.parent not in case.proved:
        case.proved[folder.parent] = proof_of_run.proved(folder, run)
    found = case.proved[folder.parent]
    return found if found is not None and found.declaration == run.declaration else None


def _told(case: Case, place: Path, record: Exported, run: Run) -> Line:
    """Whether its model card says what the records say: what another version wrote into it is not known."""
    what = "its model card says what the records say"
    there = _is(place / CARD, record.card)
    if record.version != __version__ and (there or not record.card):
        return case.line(place, what, None, f"version {record.version} wrote it, this is {__version__}")
    as_written = _card(run, record) == record.card
    if as_written and not there and (now := _proved(case, place.parent, run)):
        # A process that writes the verdict into both was killed after the card, which says nothing but what is so.
        if _is(place / CARD, _card(run, record, now)):
            return case.line(place, what, None, f"{CARD} has the verdict, and {RECORD} not yet: give prove again")
    return case.line(place, what, there and as_written, CARD)


def _card(run: Run, record: Exported, proved: Proved | None = None) -> str:
    """The digest of the model card that these records give; `proved`: the verdict, where it is not the record's."""
    return sha256(card(run, replace(record, card="", proved=proved or record.proved)).encode())


def _beside_the_run(
    case: Case, place: Path, record: Exported, theirs: Predictions | None, answers: Predictions
) -> Iterator[Line]:
    """How far its answers are from the run's."""
    if theirs is None:
        return
    labels = theirs.labels.shape == answers.labels.shape and bool((theirs.labels == answers.labels).all())
    yield case.line(place, "it answers the run's test images", labels)
    apart, changed = exported.difference(answers, theirs), exported.changed(answers, theirs)
    told = near(record.largest_difference, apart, 1e-6, 1e-12) and record.changed == changed
    yield case.line(
        place, "its distance from the run is the recorded one", told, f"{apart:.1g}, {changed:,} classes changed"
    )
    if record.to in exported.IN_WHOLE_NUMBERS:
        return
    inside = apart <= min(record.tolerance, exported.TOLERANCE)
    yield case.line(place, "its answers are the run's but for rounding", inside, f"at most {exported.TOLERANCE:g}")


def _again(
    case: Case, place: Path, record: Exported, theirs: Predictions | None, again: recompute.Again, judged: Budget | None
) -> Iterator[Line]:
    """The files made again from the run's weights, and run: other than ONNX only where they are what is made here."""
    from tinyproof.ship import artefact, operations

    what, run = "the exported files are made of the run's weights", again.run
    try:
        layers = operations.layers_of(run.identity.model, again.module, run.shape, len(run.classes))
        weights = {name: value.numpy() for name, value in again.module.state_dict().items()}
        made = artefact.made(
            record.to, record.input, run, layers, weights,
            dataset=again.dataset, proved=record.proved, name=record.name, version=record.version,
        )  # fmt: skip
        other = artefact.same(place, record, made.files)
    except TinyproofError as error:
        yield case.line(place, what, False, str(error))
        return
    if other and record.version != __version__:
        yield case.line(place, what, None, _wrote(record))
        yield from _older(case, place, record, theirs, made, again, judged)
    else:
        yield case.line(place, what, not other, f"not: {', '.join(other)}" if other else ", ".join(record.files))
        yield from recount_sizes.lines(case, place, record, made, again, judged)
    if other and (not record.to.startswith("onnx") or record.version == __version__):
        told = "files that are not what is made here are not run"
        asked = judged is not None and record.version != __version__
        yield replace(case.line(place, _GIVES, None, f"{told}{asked * _JUDGED}"), asked=asked)
        return
    yield from _run(case, place, record, theirs, made, again)


def _wrote(record: Exported) -> str:
    return f"version {record.version} wrote them, this is {__version__}"


def _older(
    case: Case, place: Path, record: Exported, theirs: Predictions | None, made: Made, again: recompute.Again,
    judged: Budget | None,
) -> Iterator[Line]:  # fmt: skip
    """What another version wrote that this one makes otherwise: its answers in whole numbers are held, class by class,
    to those of what is made here (in floating point they are held to the run's); its bytes are not known."""
    asked = judged is not None and bool(on_a_chip(judged))
    for what in recount_sizes.measured(record):
        yield replace(case.line(place, what, None, f"{_wrote(record)}{asked * _JUDGED}"), asked=asked)
    classes = made.classes(again.dataset.test_images)
    if classes is not None and theirs is not None:
        what = "its classes are those of what this version makes of the weights"
        count, same = len(theirs.labels), len(classes) == len(theirs.labels)
        differ = int((classes != theirs.predicted).sum()) if same else count
        yield case.line(place, what, not differ, f"{differ:,} of {count:,} are others; {_wrote(record)}")


def _run(
    case: Case, place: Path, record: Exported, theirs: Predictions | None, made: Made, again: recompute.Again
) -> Iterator[Line]:
    """What the files answer now. They are run: they are what is made here, or ONNX."""
    from tinyproof.ship import artefact

    runner = artefact.runner(record.to)
    if theirs is None or not runner:
        yield case.line(place, _GIVES, None, f"not run: {record.not_run or artefact.missing(record.to)}")
        return
    if list(record.images) != artefact.asked(record.to, again.dataset):
        yield case.line(place, _GIVES, False, "it answered other test images than those in it")
        return
    try:
        seen = made.answered(place, again.dataset.test_images[list(record.images) or slice(None)])
    except (TinyproofError, OSError) as error:  # what this machine lacks says nothing of the files
        accused = not isinstance(error, ToolTrouble | OSError)
        yield case.line(place, _GIVES, False if accused else None, str(error))
        return
    differ, count = recompute.differing(seen.log_probabilities, theirs), len(theirs.labels)
    told = f"{differ} of {count:,} answers differ by more than rounding ({seen.runner})"
    yield case.line(place, _GIVES, not differ, told)
    if record.scores or seen.scores:
        yield case.line(
            place, "its scores are the recorded ones, bit for bit", seen.scores == record.scores, seen.runner
        )
