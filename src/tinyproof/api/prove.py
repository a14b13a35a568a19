"""Prove: declare, run, judge. Read `prove` from top to bottom."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from tinyproof.api.draw import anatomy_picture
from tinyproof.api.run_report import anatomy_of
from tinyproof.core import lease
from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.core.files import write_atomic
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.data import more_tests, reading
from tinyproof.data.dataset import Dataset
from tinyproof.network import model_name
from tinyproof.prove import declaration, exporting, more_answers, proof, receipts, share, where
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.declare import Ask, agree, as_recipe, declare, default_folder, needs_one_time
from tinyproof.prove.proof import Proof
from tinyproof.prove.unchanged import same_code, same_data, same_version
from tinyproof.prove.worker import Work, drop_weights, load_data, missing, read_as, untrained
from tinyproof.show import prove_page
from tinyproof.show.drawing.shapes import svg
from tinyproof.show.terminal import terminal
from tinyproof.train import store
from tinyproof.train.recipe import Recipe

REPORT = "report.html"
# What may be said beside the folder of a declared proof: its declaration has answered everything else.
_BESIDE_A_FOLDER = ("model", "dataset", "data", "processes", "receipt", "also", "part", "cluster", "quiet")


@dataclass(frozen=True, eq=False, repr=False)
class ProveResult(Printed, Proof):
    """A judged proof: `verdict` with its word and statistics, `proved`, the `checks` of its budget, every run.

    `verdict.mean` and the bounds are in percent; `results` holds the runs with their answers, in the declared order.
    """

    @property
    def also(self) -> list[more_answers.MoreAnswers]:
        """What the runs answered to further test images."""
        return more_answers.every(self.folder)

    def to_json(self) -> dict[str, Any]:
        """Plain data; with what was answered to further test images."""
        also = more_answers.to_json(self.also, "the networks" if self.exports else "")
        return {**super().to_json(), **({"also": also} if also else {})}

    def parts(self) -> Sequence[Part]:
        """Every run, the statistics, the budget, the verdict, where the page is."""
        return prove_page.proof_parts(self, self.folder / REPORT)


def prove(
    model: str | Path,
    recipe: str | Recipe | None = None,
    *,
    seeds: int = 5,
    dataset: str = "mnist",
    data: str | Path | None = None,
    target: float | None = None,
    out: str | Path | None = None,
    engine: str = "auto",
    device: str = "auto",
    processes: int | None = None,
    threads: int | None = None,
    first_seed: int | None = None,
    parameters_below: int | None = None,
    epochs_below: int | None = None,
    bytes_below: int | None = None,
    macs_below: int | None = None,
    flash_below: int | None = None,
    ram_below: int | None = None,
    instructions_below: int | None = None,
    rules: Sequence[str] = (),
    as_: str | None = None,
    weights: bool = True,
    receipt: bool = False,
    also: str | None = None,
    part: str | None = None,
    declared_at: str | None = None,
    cluster: str | None = None,
    quiet: bool = False,
    settings: Sequence[str] | Mapping[str, object] = (),
    size: str | int | Sequence[int] | None = None,
    channels: int | None = None,
    input: str | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> ProveResult:
    """Declare the runs, train those that are missing, and judge them all: proved, refuted or undecided.

    `model`: a name (see `models`), `path/to/model.py:Class` (with `settings` as its arguments), or the folder of a
    declared proof, which keeps its own values. `recipe`: a Recipe or a line of text as `best,epochs=10`; None takes the
    network's own for the data set. `seeds`: how many, declared before the first run; they follow from the question, or
    are `first_seed` and the next ones. `dataset`: `mnist`, `digits`, or the path of your own images. `target`: accuracy
    in percent; None takes the data set's (your own data has none). `..._below` and `rules`: limits that replace those
    of the network's course budget. `as_`: `c`, `c-int8`, `onnx`, `onnx-int8` or `torch`: each run is exported, and what
    the exported files answer is judged in place of the networks; of C, `flash_below` and `ram_below` (bytes on a
    Cortex-M4) and `instructions_below` (that an image takes there) are limits too. `processes`: runs side by side;
    `threads`: of each run; None uses all cores. `weights`: keep those of every run, for `verify`. `receipt`: say,
    before the first run, a few digits of the declaration, to be put where others see the date; `verify` holds the proof
    against them. `also`: further test images that the stored weights answer after the runs, reported beside:
    `qmnist-test50k`. `part`: train only that share of the seeds, as `3/10`; `collect` merges the parts of several
    machines, whose declaration must be one: a copied folder, or the same call with one `declared_at`, a time as
    `2026-01-02T03:04:05Z` (then `threads` is 1 where not given). `cluster`: train on Dask workers, `local:4` or the
    scheduler's address as `tcp://host:8786`, not in processes of this machine (`threads` is 1 where not given); what
    they send back is checked before it is stored. `size`, `channels`, `input` and `skip_bad` are those of `train`.
    The same call goes on where it stopped, and judges again (without torch or data) when nothing is
    missing. Raises InputError when the folder holds another declaration: more seeds are a new proof, without the old
    ones; DataError, OutputError; Stopped after Ctrl-C.

    >>> import tinyproof
    >>> found = tinyproof.prove("s7-8k", "s7-8k,epochs=2", dataset="digits", seeds=2, target=20, out="two", quiet=True)
    >>> found.verdict.word, len(found.results)
    ('proved', 2)
    """
    given = locals().copy()
    place = None if data is None else str(data)
    where.check(cluster, processes)
    with terminal(quiet=quiet, errors=True) as listener:
        if (Path(model) / declaration.FILE).is_file():
            _only_beside_a_folder(str(model), given)
            if receipt:
                say_receipt(declaration.read(Path(model)), listener)
            own = None if dataset == "mnist" else dataset
            return resume(model, own, place, processes, also, listener, part=part, cluster=cluster)
        named = model_name.with_settings(str(model), settings)
        limits = {
            "parameters_below": parameters_below, "epochs_below": epochs_below, "bytes_below": bytes_below,
            "macs_below": macs_below, "flash_below": flash_below, "ram_below": ram_below,
            "instructions_below": instructions_below, "rules": tuple(rules),
        }  # fmt: skip
        wanted = reading.asked(size, channels, input, skip_bad)
        ask = Ask(
            model=named, recipe=as_recipe(recipe, named, dataset, place, wanted), seeds=seeds, dataset=dataset,
            data=place, target=target, limits=limits, engine=engine, device=device, processes=processes,
            threads=threads, first_seed=first_seed, keep_weights=weights, receipt=receipt, also=also,
            asked=wanted, judged_as=as_, part=part, declared_at=declared_at, cluster=cluster,
        )  # fmt: skip
        return prove_asked(ask, out, listener)


def _only_beside_a_folder(folder: str, given: Mapping[str, object]) -> None:
    """Refuse what differs from the defaults of `prove`: InputError."""
    defaults = {name: one.default for name, one in signature(prove).parameters.items() if name not in _BESIDE_A_FOLDER}
    refused = [name for name, default in defaults.items() if given[name] != default]
    if refused:
        hint = f"{folder} is a declared proof, which keeps its own values"
        raise InputError("prove", ", ".join(refused), ", ".join(_BESIDE_A_FOLDER[1:]), hint)


def prove_asked(ask: Ask, out: str | Path | None = None, listener: Listener = SILENT) -> ProveResult:
    """What is asked, declared in the folder or found there, trained and judged."""
    folder = Path(out) if out is not None else default_folder(ask)
    if (folder / declaration.FILE).is_file():
        declared = declaration.read(folder)
        agree(ask, declared, folder)
    else:
        needs_one_time(ask)
        if ask.also:  # what cannot be had is said before anything is declared
            more_tests.load(ask.also, ask.data, listener=listener)
        declared = declare(ask, folder, listener=listener)
        listener.say(f"declared {len(declared.seeds)} seeds in {folder / declaration.FILE}")
    if ask.receipt:
        say_receipt(declared, listener)
    return finish(folder, declared, ask, listener)


def say_receipt(declared: Declaration, listener: Listener) -> None:
    """Say the receipt of a declaration, and what to do with it."""
    listener.say(f"receipt {receipts.of(declared)}: put it where others see the date (a commit, a mail)")


def resume(
    folder: str | Path,
    dataset: str | None = None,
    data: str | None = None,
    processes: int | None = None,
    also: str | None = None,
    listener: Listener = SILENT,
    *,
    part: str | None = None,
    cluster: str | None = None,
) -> ProveResult:
    """Go on with a declared proof by its folder alone, and judge it. `dataset`: the path of a data set of your own."""
    folder = Path(folder)
    declared = declaration.read(folder)
    if dataset is not None:
        same_data(dataset, data, declared, folder)
    ask = Ask(
        model=declared.model,
        recipe=declared.recipe,
        dataset=dataset or declared.data.name,
        data=data,
        processes=processes,
        also=also,
        part=part,
        cluster=cluster,
    )
    if also is not None:
        more_answers.can_answer(declared.model, named=False, results=())
    return finish(folder, declared, ask, listener)


def finish(folder: Path, declared: Declaration, ask: Ask, listener: Listener) -> ProveResult:
    """Train what is missing, judge, let the weights answer further images, write the verdict and the report."""
    more = more_tests.load(ask.also, ask.data, listener=listener) if ask.also else None
    part = share.parse(ask.part).seeds(declared.seeds) if ask.part else ()
    work = Work(
        folder=str(folder), declared=declared, dataset=ask.dataset, data=ask.data, keep_weights=ask.keep_weights,
        part=part,
    )  # fmt: skip
    if part:
        listener.say(f"part {ask.part}: seed(s) {', '.join(map(str, part))}")
    if missing(work):
        if untrained(work):
            same_code(declared, folder)
        same_version(declared, folder)
        where.train_missing([work], ask.cluster, ask.processes, listener)
        (folder / REPORT).unlink(missing_ok=True)
    drop_weights(work)
    # Parts that share a folder end at any time: the last one to judge has seen them all.
    with store.locked(folder, patience=lease.PATIENCE_SECONDS) if part else contextlib.nullcontext():
        found = judged(folder, ask, more, listener)
    if part:
        listener.say(f"part {ask.part} has ended; the folders of all parts: tinyproof collect PART... --out FOLDER")
    return found


def judged(
    folder: Path, ask: Ask, more: more_tests.MoreTests | None = None, listener: Listener = SILENT
) -> ProveResult:
    """Judge the runs that are there, let the weights answer further images, write the verdict and the report."""
    found = proof.load(folder)
    if proof.verdict_changed(found):
        (folder / REPORT).unlink(missing_ok=True)  # it says another; first, so that a kill leaves none that does
    proof.write_verdict(found)
    exporting.tell(found)
    if remedy := exporting.unsized(found):
        listener.say(f"warning: {remedy}")
    if more is not None:
        more_answers.can_answer(ask.model, named=True, results=found.results, name=more.name)
        more_answers.answer(found, more, ask.model, listener)
        (folder / REPORT).unlink(missing_ok=True)
    if not (folder / REPORT).is_file():
        write_page(found, ask.dataset, ask.data)
    return printed(ProveResult, found)


def write_page(found: Proof, dataset: str | None = None, data: str | None = None) -> Path:
    """Write the page of a proof; with the hardest images where the data set is at hand."""
    images = images_of(found.declaration, dataset or found.declaration.data.name, data)
    return write_atomic(found.folder / REPORT, prove_page.page(found, images, dataset, _drawing(found)))


def _drawing(found: Proof) -> str:
    """The network as SVG; none without torch, nor of a network of somebody's own, whose file would be run."""
    if not found.results or model_name.is_own(found.declaration.model):
        return ""
    try:
        anatomy = anatomy_of(found.results[0].run)
    except TinyproofError:  # a record of a network that this version does not have
        return ""
    return svg(anatomy_picture(found.declaration.model, anatomy)) if anatomy else ""


def images_of(declared: Declaration, dataset: str, data: str | None) -> Dataset | None:
    """The declared data set, or None where it is not at hand or is another one: a page can do without pictures."""
    try:
        found = load_data(dataset, data, read_as(declared.data, dataset))
    except TinyproofError:
        return None
    same = found.digest == declared.data.digest
    # The digest in a declaration is only text; the labels are what the stored answers were counted with.
    return found if same and proof.labels_sha256(found.test_labels) == declared.data.labels_sha256 else None
