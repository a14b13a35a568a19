"""What the epochs of a run are made with; where a run cannot go on with anything else, why, each reason by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyproof.network import own_files
from tinyproof.train.run_record import Identity

# Of a checkpoint; those of the version before name none.
FORMAT = 2
# The versions that decide what is computed; that of Python does not.
COMPUTING = ("torch", "numpy", "C++ compiler")


@dataclass(frozen=True)
class Origin:
    """What the epochs of a run are made with: they go on only with the same. `files`: digests of a network's own."""

    identity: Identity
    code: str
    versions: Mapping[str, str]
    files: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "identity": self.identity.to_dict(),
            "code": self.code,
            "versions": {name: self.versions[name] for name in COMPUTING if name in self.versions},
            "files": dict(self.files),
        }


def refusal(meta: Mapping[str, Any], origin: Origin) -> str:
    """Why a run cannot go on from here, in words; empty where it can."""
    if meta.get("format") != FORMAT:
        if meta.get("format") is not None:
            return f"in format {meta['format']}, and this version reads {FORMAT}"
        if meta["identity"] != origin.identity.digest:
            return "of another run"
        return "kept by an earlier version, whose code cannot be compared with this one's"
    here = origin.to_dict()
    other = other_identity(meta["identity"], here["identity"], own_files.differences(meta["files"], here["files"]))
    if other:
        return f"of another run: {'; '.join(other)}"
    reasons = ["made by other code"] if meta["code"] != origin.code else []
    return "; ".join([*reasons, *other_versions(meta["versions"], origin.versions)])


def other_identity(there: Mapping[str, Any], here: Mapping[str, Any], files: list[str]) -> list[str]:
    """In what two identities differ, in words; of the files of a network the names."""
    told = []
    for name in here:
        if there.get(name) == here[name] or (name == "data_digest" and there.get("dataset") != here["dataset"]):
            continue
        if name == "recipe":
            mine, theirs = here[name], there[name]
            told += [f"recipe {k} {theirs.get(k)}, here {v}" for k, v in mine.items() if theirs.get(k) != v]
        elif name == "model_digest":
            told += files or ["another file of the network"]
        elif name == "data_digest":
            told.append("other images or labels")
        else:
            told.append(f"{name.replace('_', ' ')} {there.get(name)}, here {here[name]}")
    return told


def other_versions(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Which of the versions that decide what is computed are others, in words.

    >>> other_versions({"torch": "2.4.0", "python": "3.11"}, {"torch": "2.5.1", "python": "3.12"})
    ['made with torch 2.4.0, and here is 2.5.1']
    """
    return [
        f"made with {name} {there[name]}, and here is {here.get(name, 'none')}"
        for name in COMPUTING
        if name in there and there[name] != here.get(name)
    ]
