"""Frontier: the ledger of proved means, computed from a folder of packs, every one of which is counted again first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.api.verify import verify
from tinyproof.core import packed
from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.core.files import existing, is_plain, reason, write_atomic
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.prove import attempt, declaration, ledger, proof
from tinyproof.prove.attempt import Attempt
from tinyproof.prove.ledger import Ledger
from tinyproof.show import frontier_page, frontier_picture
from tinyproof.show.drawing.shapes import svg
from tinyproof.train import store

_DEEPEST = 4  # as deep as `verify` looks
_KINDS = (".html", ".svg")


@dataclass(frozen=True, eq=False, repr=False)
class FrontierResult(Printed, Ledger):
    """The best proof of each tier of parameters: `tiers` with their attempts, how many were tried, the corrected bound;
    `larger` and `aside`; `page`: what was written.
    """

    page: Path | None = None

    def parts(self) -> Sequence[Part]:
        """The tiers, what the bound means, the published single runs, what stands aside, where the page is."""
        return frontier_page.frontier_parts(self, self.page)

    def _repr_html_(self) -> str:
        return f"{svg(frontier_picture.picture(self))}{super()._repr_html_()}"


def frontier(records: str | Path = "records", *, out: str | Path | None = None) -> FrontierResult:
    """The ledger of proved means: of each tier of parameters the best proof, corrected for all that were tried.

    `records`: a folder with packs of proofs (`pack`) or with the folders themselves, all on one data set; a comparison
    has two proofs, and a claim of `reproduce` is one. What is not read (a link, what is hidden or more than four
    folders deep) is told in `aside`. Each proof is counted again as `verify` counts without weights, and one that does
    not hold ends the command. A tier holds the networks below its limit and not below the one before; every proof in it
    is a try, also one that was undecided, of which a run failed, or that another names as made before it.
    `out`: the ledger as a page (.html), or its picture (.svg). Needs no torch and no data. Raises InputError where no
    proof is, or proofs are on several data sets; DataError for a pack that is damaged or does not hold; OutputError.

    >>> import tinyproof
    >>> quick = {"dataset": "digits", "seeds": 2, "target": 20, "quiet": True}
    >>> found = tinyproof.prove("s7-8k", "s7-8k,epochs=2", **quick, out="kept/two")
    >>> [(tier.below, tier.tried) for tier in tinyproof.frontier("kept").tiers if tier.tried]
    [(8000, 1)]
    """
    if out is not None and Path(out).suffix.lower() not in _KINDS:
        raise InputError("out", str(out), "a name that ends in .html or .svg")
    aside: list[str] = []
    try:
        attempts = list(_attempts(existing(records, "records"), Path(records).resolve().name, aside))
    except OSError as error:
        raise DataError(str(error.filename or records), f"cannot be read: {reason(error)}") from error
    found = ledger.ledger(attempts, str(records), aside)
    _hold(records, found)
    if out is None:
        return printed(FrontierResult, found)
    drawn = frontier_picture.picture(found)
    text = svg(drawn) if Path(out).suffix.lower() == ".svg" else frontier_page.page(found, svg(drawn), str(records))
    return printed(FrontierResult, found, page=write_atomic(out, text))


def _attempts(place: Path, called: str, aside: list[str], depth: int = 0) -> Iterator[Attempt]:
    """The proofs of a folder or a pack and of those in it, by their names; what has none, or none that ran, is told in
    `aside`."""
    if packed.is_pack(place):
        with packed.folder(place, "records") as inside:
            found = list(_attempts(inside, called, aside, depth))
        if not found and not packed.is_marked(place):
            # One that was cut off may read as the last archive of arrays in it.
            raise DataError(called, "is no pack, or a damaged one", "pack the folder again, or keep the file elsewhere")
        aside += [] if found or any(line.startswith(called) for line in aside) else [f"{called}: no proof"]
        yield from found
    elif (place / declaration.FILE).is_file():
        one = _attempt(place, called)
        failed = any(place.glob(f"seed-*/{proof.FAILED}"))
        aside += [] if one else [f"{called}: {'no run has answers, for all failed' if failed else 'no run has ended'}"]
        yield from [one] if one else []
    elif place.is_dir():
        for child in sorted(place.iterdir()):
            name = child.name if depth == 0 else f"{called}/{child.name}"
            if why := _not_read(child, depth + 1):
                aside.append(f"{name}: {why}")
            elif not child.name.startswith("."):
                yield from _attempts(child, name, aside, depth + 1)


def _not_read(child: Path, depth: int) -> str:
    """Why what may be a proof is not counted, so that no try is passed over in silence; else nothing."""
    proof_like = packed.is_pack(child) or (child / declaration.FILE).is_file()
    if child.is_symlink():
        return "a link, which is not followed" if proof_like or child.is_dir() else ""
    if child.name.startswith("."):
        return "hidden, and not read" if proof_like else ""
    if child.is_dir() and not (proof_like or store.finished(child)) and depth >= _DEEPEST:
        return f"not read, for it is {_DEEPEST} folders deep"
    marked = is_plain(child) and not packed.is_pack(child) and packed.is_marked(child)
    return f"a pack without the ending {packed.ENDING}, and not read" if marked else ""


def _attempt(place: Path, called: str) -> Attempt | None:
    """One proof, judged again. Raises DataError that says which pack is broken."""
    try:
        return attempt.of_proof(proof.load(place), called)
    except TinyproofError as error:
        raise DataError(called, str(error).replace(f"{place}/", "").replace(str(place), called)) from error


def _hold(records: str | Path, found: Ledger) -> None:
    """Raise DataError unless every check of `verify` that needs no weights holds, of all that there is, and each proof
    of the ledger is among what it has checked."""
    verified = verify(records, weights=False)
    if verified.broken:
        line, more = verified.broken[0], f" (and {len(verified.broken) - 1} more)" if len(verified.broken) > 1 else ""
        told = f"does not hold: {line.what}" + (f", {line.found}" if line.found else "") + more
        raise DataError(line.place, told, f"see tinyproof verify {records} --no-weights")
    checked = {Path(records).resolve().name, *(line.place for line in verified.lines)}
    for one in found.attempts:
        if one.name not in checked:
            told = "lies too deep, or in a folder of something else, where its checks are not made"
            raise DataError(one.name, told, f"move it into {records} itself")
