"""Whether the records of a declaration's runs are of one network and one set of images: by what they say alone."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.train.run_record import Run

# What every run of one declaration has in common, because it follows from the network and the data.
_COMMON = {
    "parameters": "parameters",
    "macs": "multiply-adds an image",
    "weight_bytes": "bytes of weights",
    "kinds": "kinds of layers",
    "dropout_active": "dropout",
    "global_average_pooling": "global average pooling",
    "classes": "classes",
    "mean": "mean of the images",
    "std": "standard deviation of the images",
}


def disagreement(runs: Sequence[Run]) -> str:
    """In what two runs of one declaration differ that could differ only by another network; empty where none do."""
    for run in runs[1:]:
        for name, words in _COMMON.items():
            one, other = getattr(runs[0], name), getattr(run, name)
            if one != other:
                seeds = f"seed {runs[0].identity.seed} has {_shown(one)}, seed {run.identity.seed} has {_shown(other)}"
                return f"its runs are not of one network: {words}: {seeds}"
    return ""


def _shown(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "some", False: "none", None: "not known"}[value]
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
