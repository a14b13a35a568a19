"""Search: the smallest network that meets a target, chosen on held-out training images, then declared and proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.api.prove import prove_asked
from tinyproof.core import lease
from tinyproof.core.files import folder_name, output_folder, read_bounded, write_atomic
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.data import reading
from tinyproof.network import model_name
from tinyproof.network.budget import given
from tinyproof.prove import where as place
from tinyproof.prove.declare import Ask
from tinyproof.search import question as questions
from tinyproof.search import rounds, searched
from tinyproof.search.contender import NETWORKS, Contender
from tinyproof.search.declaring import Search, draft, found_there, named_from_here, write
from tinyproof.search.fold_runs import Where
from tinyproof.search.searched import WINNER, Searched
from tinyproof.show import search_page
from tinyproof.show.terminal import terminal
from tinyproof.train import store
from tinyproof.train.recipe import Recipe

REPORT = "report.html"
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, eq=False, repr=False)
class SearchResult(Printed, Searched):
    """A judged search: `word` and `reason`, the `winner` with its `proof`, the `course` with every decision and the
    front, all candidates and the held-out accuracy of every run.

    `proved`: the winner is proved on the test images, with fresh seeds, and keeps its budget. Held-out means were for
    choosing: they are no result.
    """

    def parts(self) -> Sequence[Part]:
        """What was asked, the rungs, the front, the winner and its proof, where the page is."""
        return search_page.search_parts(self, self.folder / REPORT)


def search(
    dataset: str = "mnist",
    *,
    data: str | Path | None = None,
    target: float | None = None,
    parameters_below: int | None = None,
    macs_below: int | None = None,
    bytes_below: int | None = None,
    epochs_below: int | None = None,
    family: str = "all",
    recipe: str | Recipe | None = None,
    candidates: int = 64,
    draw: int = 0,
    seeds: int = 10,
    confirm: int = 5,
    by: str = "parameters",
    out: str | Path | None = None,
    engine: str = "auto",
    device: str = "auto",
    processes: int | None = None,
    threads: int | None = None,
    cluster: str | None = None,
    quiet: bool = False,
    size: str | int | Sequence[int] | None = None,
    channels: int | None = None,
    input: str | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> SearchResult:
    """Search a family of networks for the smallest that meets a target; declare and prove the one that is chosen.

    `candidates` networks are drawn, from the seed `draw`, of the `family`: `all`, `chains` (what the native engine
    trains), a .toml file with what may be chosen, or `path/to/model.py:function` for your own; none breaks a limit, and
    none computes what another does. They are halved by three on training images that are held out, a twelfth in turn,
    drawn with the seed. `recipe`: what the family's own values stand in. `seeds`: how many fresh ones the proof of the
    winner has, which alone sees the test images. `confirm`: fresh seeds for each point of the front (0: it stays as it
    is). `by`: what is to be small, and what the front has beside the accuracy: `parameters` or `macs`. `target`: in
    percent; None: the data set's. `cluster`: train the runs and the proof on Dask workers, with the same decisions and
    bits as here at the same `threads` (1 where not given). The other arguments are those of `prove`. The folder keeps
    every candidate, run and decision, and the same call goes on where it stopped. Raises InputError where no network
    drawn keeps the limits, or the folder holds another search; DataError, OutputError; Stopped after Ctrl-C.

    >>> import tinyproof
    >>> small = {"parameters_below": 400, "macs_below": 30_000, "recipe": "digits,epochs=1", "engine": "torch"}
    >>> few = {"candidates": 2, "confirm": 0, "seeds": 2, "target": 15, "out": "tried", "quiet": True}
    >>> found = tinyproof.search("digits", **few, **small)
    >>> found.winner.parameters < 400, len(found.course.decisions)
    (True, 1)
    """
    place.check(cluster, processes)
    wanted = Search(
        dataset=dataset,
        data=None if data is None else str(data),
        asked=reading.asked(size, channels, input, skip_bad),
        target=target,
        limits={
            "parameters_below": parameters_below, "macs_below": macs_below, "bytes_below": bytes_below,
            "epochs_below": epochs_below,
        },
        family=family,
        recipe=recipe,
        candidates=candidates,
        draw=draw,
        seeds=seeds,
        confirm=confirm,
        by=by,
        engine=engine,
        device=device,
        processes=processes,
        threads=threads,
        cluster=cluster,
    )  # fmt: skip
    with terminal(quiet=quiet, errors=True) as listener:
        return search_asked(wanted, out, listener)


def search_asked(wanted: Search, out: str | Path | None = None, listener: Listener = SILENT) -> SearchResult:
    """What is asked, declared in the folder or found there, searched, proved and judged."""
    folder = Path(out) if out is not None else default_folder(wanted)
    made = None if (folder / questions.FILE).is_file() else draft(wanted, folder, listener)
    # A process of this search that was killed holds the folder for a moment yet.
    with store.locked(output_folder(folder), patience=lease.BEAT_SECONDS):
        if made is not None and not (folder / questions.FILE).is_file():
            write(folder, made)
        found_there(wanted, folder)
        return _finish(folder, wanted, listener)


def _finish(folder: Path, wanted: Search, listener: Listener) -> SearchResult:
    """Train what is missing, prove the winner, write answer and page."""
    where = Where(wanted.dataset, wanted.data, wanted.asked)
    found = searched.load(folder)
    if found.to_come:
        named_from_here(folder, found.contenders)
    found = rounds.run(found, where, wanted.processes, listener, decided=write_page, cluster=wanted.cluster)
    searched.write_decisions(folder, found.course)
    if found.winner is not None:
        listener.say(f"the winner is {found.winner.name}, {found.winner.words}: declared and proved with fresh seeds")
        prove_asked(_asked(found, found.winner, wanted), folder / WINNER, listener)
    found = searched.load(folder)
    searched.write_result(found)
    write_page(found)
    return printed(SearchResult, found)


def _asked(found: Searched, winner: Contender, wanted: Search) -> Ask:
    """The question of the winner's proof: its seeds follow from it, and none of them was used before."""
    limits = {name: getattr(found.question.limits, name) for name in questions.LIMITS}
    return Ask(
        model=winner.model, recipe=winner.recipe, seeds=found.question.seeds, dataset=wanted.dataset, data=wanted.data,
        target=found.question.target, limits=limits, engine=winner.engine, device=found.question.device,
        processes=wanted.processes, threads=found.question.threads, asked=wanted.asked,
        cluster=wanted.cluster,
    )  # fmt: skip


def write_page(found: Searched) -> None:
    """Write the page of a search as far as it has come. Raises OutputError."""
    drawn = found.folder / NETWORKS / f"{found.course.winner}.py"
    code = read_bounded(drawn, _MOST_BYTES).decode("utf-8", errors="replace") if drawn.is_file() else ""
    write_atomic(found.folder / REPORT, search_page.page(found, code))


def default_folder(wanted: Search) -> Path:
    """`tinyproof-out/search/DATA_LIMITS_FAMILY_Ncandidates`."""
    limits = "_".join(f"{name.removesuffix('_below')}-{value}" for name, value in given(wanted.limits).items())
    data = Path(wanted.dataset).name
    family = model_name.short(wanted.family)
    words = [data, *([limits] if limits else []), family, f"{wanted.candidates}candidates"]
    return Path("tinyproof-out", "search", folder_name("_".join(words))[:200])
