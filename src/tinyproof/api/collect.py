"""`collect`: the parts of a proof, trained on machines that share nothing, merged into one folder and judged there."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.api.prove import REPORT, ProveResult, judged
from tinyproof.core import lease, packed
from tinyproof.core.printed import Part, Printed
from tinyproof.prove import collecting
from tinyproof.prove.declare import Ask
from tinyproof.show.terminal import terminal
from tinyproof.train import store


@dataclass(frozen=True, eq=False, repr=False)
class CollectResult(Printed):
    """The judged `proof` of all parts; `copied`: the part that each run copied now is from, by seed; `known`: seeds
    whose runs were there already; `missing`: seeds that no part has ended."""

    proof: ProveResult
    copied: dict[int, str]
    known: tuple[int, ...]
    missing: tuple[int, ...]

    def parts(self) -> Sequence[Part]:
        """What was merged, then the proof as `prove` prints it."""
        told = [f"seed {seed} from {part}" for seed, part in self.copied.items()]
        counts = f"{len(self.copied)} run(s) copied, {len(self.known)} there already, {len(self.missing)} missing"
        return ["\n".join([*told, counts]), *self.proof.parts()]

    def to_json(self) -> dict[str, Any]:
        """Plain data: that of the proof, and what was merged."""
        copied = {str(seed): part for seed, part in self.copied.items()}
        merged = {"copied": copied, "known": list(self.known), "missing": list(self.missing)}
        return {**self.proof.to_json(), "collected": merged}


def collect(*parts: str | Path, out: str | Path, quiet: bool = True) -> CollectResult:
    """Merge the parts of a proof, each the folder of a `prove --part` or a pack of one, into one folder; judge it.

    `parts`: of one declaration. Every run is checked as `verify` checks it without weights, before anything is written;
    a seed that is there already with the same bits is left as it is, so that the same parts may be given again, and
    again with more. `out`: a new folder, or one that was collected into before, or one of the parts. No torch or data
    is needed. Raises InputError where a part is of another declaration or has another run of a seed, DataError where
    one is damaged, Busy where another process holds `out`, OutputError.

    >>> import tinyproof
    >>> asked = {"dataset": "digits", "seeds": 2, "target": 20.0, "declared_at": "2026-01-02T03:04:05Z", "quiet": True}
    >>> for part in ("1/2", "2/2"):
    ...     place = f"part-{part[0]}"
    ...     _ = tinyproof.prove("s7-8k", "s7-8k,epochs=2", part=part, out=place, **asked)
    >>> found = tinyproof.collect("part-1", "part-2", out="whole")
    >>> found.proof.verdict.word, found.missing
    ('proved', ())
    """
    folder = Path(out)
    with contextlib.ExitStack() as packs, terminal(quiet=quiet, errors=True) as listener:
        folders = {str(part): packs.enter_context(packed.folder(part, "parts")) for part in parts}
        merged = collecting.collect(folders, folder)
        with store.locked(folder, patience=lease.PATIENCE_SECONDS):
            if merged.copied:
                (folder / REPORT).unlink(missing_ok=True)
            declared = merged.declared
            ask = Ask(model=declared.model, recipe=declared.recipe, dataset=declared.data.name)
            found = judged(folder, ask, listener=listener)
    return CollectResult(found, dict(merged.copied), merged.known, merged.missing)
