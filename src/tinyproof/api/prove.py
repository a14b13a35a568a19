"""Prove: declare, run, judge. Read `prove` from top to bottom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import write_atomic
from tinyproof.data.dataset import Dataset
from tinyproof.prove import declaration, parallel_runs, proof
from tinyproof.prove.declaration import Declaration
from tinyproof.prove.declare import Ask, agree, as_recipe, declare, default_folder
from tinyproof.prove.parallel_runs import Told
from tinyproof.prove.proof import Proof
from tinyproof.prove.unchanged import same_code, same_data
from tinyproof.prove.worker import Work, load_data, missing
from tinyproof.train.recipe import Recipe

REPORT = "report.html"


def prove(
    model: str | Ask,
    recipe: str | Recipe | None = None,
    *,
    out: str | Path | None = None,
    told: Told | None = None,
    **asked: Any,
) -> Proof:
    """Declare the runs, train those that are missing, and judge them all; the folder keeps everything.

    `recipe`: a Recipe or a line of text as `best,epochs=10`; None takes the network's own for the data set.
    `asked`: the fields of `Ask`, as in `prove("s7-8k", seeds=10, target=99.5)`; or give an Ask. The same call goes on
    where it stopped, and judges again (without torch or data) when nothing is missing. Raises InputError when the
    folder holds another declaration: more seeds are a new proof, without the old ones.
    """
    if isinstance(model, Ask):
        ask = model
    else:
        ask = Ask(model, as_recipe(recipe, model, asked.get("dataset", "mnist")), **asked)
    told = told or Told()
    folder = Path(out) if out is not None else default_folder(ask)
    if (folder / declaration.FILE).is_file():
        declared = declaration.read(folder)
        agree(ask, declared, folder)
    else:
        declared = declare(ask, folder)
        told.say(f"declared {len(declared.seeds)} seeds in {folder / declaration.FILE}")
    return finish(folder, declared, ask, told)


def resume(
    folder: str | Path,
    dataset: str | None = None,
    data: str | None = None,
    processes: int | None = None,
    told: Told | None = None,
) -> Proof:
    """Go on with a declared proof by its folder alone, and judge it. `dataset`: the path of a data set of your own."""
    folder = Path(folder)
    declared = declaration.read(folder)
    if dataset is not None:
        same_data(dataset, data, declared, folder)
    ask = Ask(declared.model, declared.recipe, dataset=dataset or declared.data.name, data=data, processes=processes)
    return finish(folder, declared, ask, told or Told())


def finish(folder: Path, declared: Declaration, ask: Ask, told: Told) -> Proof:
    """Train what is missing, judge, write the verdict and the report."""
    work = Work(str(folder), declared, ask.dataset, ask.data, ask.keep_weights)
    if missing(work):
        same_code(declared, folder)
        count, _ = parallel_runs.share_cores(len(declared.seeds), declared.device, ask.processes, declared.threads)
        parallel_runs.run([work], count, told)
        (folder / REPORT).unlink(missing_ok=True)
    found = proof.load(folder)
    proof.write_verdict(found)
    if not (folder / REPORT).is_file():
        report(found, ask.dataset, ask.data)
    return found


def report(found: Proof, dataset: str | None = None, data: str | None = None) -> Path:
    """Write the page of a proof; with the hardest images where the data set is at hand."""
    from tinyproof.show import prove_page

    images = images_of(found.declaration, dataset or found.declaration.data.name, data)
    return write_atomic(found.folder / REPORT, prove_page.page(found, images))


def images_of(declared: Declaration, dataset: str, data: str | None) -> Dataset | None:
    """The declared data set, or None where it is not at hand or is another one: a page can do without pictures."""
    try:
        found = load_data(dataset, data)
    except TinyproofError:
        return None
    same = found.digest == declared.data.digest
    # The digest in a declaration is only text; the labels are what the stored answers were counted with.
    return found if same and proof.labels_sha256(found.test_labels) == declared.data.labels_sha256 else None
