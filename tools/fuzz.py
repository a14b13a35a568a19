"""Damaged and made-up files for every reader: 0 tracebacks, 0 hangs, memory under its bound.

    python tools/fuzz.py --seconds 600 [--seed 7] [--readers workbook npz] [--corpus FOLDER]

Each reader gets its turn with inputs made from good ones: bits turned, pieces removed, doubled, exchanged or cut off,
and within archives and JSON the same done to one member, one value. An input that makes a reader say what it had not
said before is kept and built upon (with --corpus also for the next time). A reader may answer, or refuse in one line;
anything else is printed with the input's name, kept in the corpus, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import resource
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core.errors import TinyproofError
from tinyproof.core.table import Column, Table

SECONDS_EACH = 20  # of the processor; of the clock three times as many, other work beside it
MEMORY = 6_000_000_000  # of address space, torch included
TOKENS = (
    b"\0", b"\xff\xfe", b"{", b"[" * 400, b'"', b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"=SUM(A1:XFD1048576)", b"9" * 5000,
    b"1e999", b"NaN", b"../../x", b"\xed\xa0\xbd", b"\x1b[2J", b"PK\x05\x06", b"=A1+" * 300, b"(" * 300,
)  # fmt: skip
JUNK: tuple[Any, ...] = (None, True, -1, 0, 1e308, "", "x" * 500, "\x1b[31m", [], [[]], {}, 10**30, "=1/0", "\ud83d")


@dataclass
class Reader:
    """A door for files of strangers: how a good one is made, and what reads it."""

    name: str
    file: str
    read: Callable[[Path], object]
    inputs: list[bytes] = field(default_factory=list)
    tried: int = 0
    refused: int = 0
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)


def readers(folder: Path) -> list[Reader]:
    """Every reader, with good inputs made by this package itself."""
    import tinyproof
    from tinyproof.api.file_kinds import kind_of
    from tinyproof.api.judge_file import Item, audit_one
    from tinyproof.backprop.toml import read_net
    from tinyproof.data import own_data
    from tinyproof.data.digit_reader import read_picture
    from tinyproof.prove import declaration
    from tinyproof.train import checkpoint, recipe, store
    from tinyproof.train.origin import Origin

    def judge(path: Path) -> object:
        report = audit_one(Item(str(path), path.name, kind_of(path)))
        if "internal error" in report.problem:
            raise RuntimeError(report.problem)
        return report.status

    def record(path: Path) -> object:
        path.rename(path.with_name(store.RECORD))
        return store.load(path.parent)

    made = _good_files(folder, tinyproof)
    proof = folder / "run"
    (record_there,) = proof.glob(f"seed-*/{store.RECORD}")
    run = store.load(record_there.parent)
    origin = Origin(run.identity, run.code_digest, run.versions, {})
    checkpoint.save(folder, origin, checkpoint.Checkpoint("now", run.epochs, 1.0, {"a": np.zeros((3, 4))}))
    made["checkpoint.npz"] = (folder / checkpoint.FILE).read_bytes()

    def whole_proof(path: Path) -> object:
        record_there.write_bytes(path.read_bytes())
        return tinyproof.verify(proof, weights=False).exit_code

    reads: dict[str, tuple[str, Callable[[Path], object]]] = {
        "workbook": ("book.xlsx", judge),
        "text table": ("book.csv", judge),
        "flat workbook": ("book.fods", judge),
        "notebook": ("work.ipynb", judge),
        "npz": ("predictions.npz", lambda path: store.load_predictions(path.parent)),
        "own data": ("images.npz", lambda path: own_data.load(path)),
        "safetensors": ("weights.safetensors", lambda path: store.load_weights(path.parent)),
        "record": ("record.json", record),
        "checkpoint": (checkpoint.FILE, lambda path: checkpoint.load(path.parent, origin)),
        "proof": ("record.json", whole_proof),
        "declaration": ("declared.json", lambda path: declaration.read(path.parent)),
        "recipe": ("recipe.toml", lambda path: recipe.named(str(path))),
        "network": ("net.toml", read_net),
        "picture": ("digit.png", read_picture),
    }
    return [Reader(name, file, read, [made[file]]) for name, (file, read) in reads.items()]


def _good_files(folder: Path, tinyproof: Any) -> dict[str, bytes]:
    from PIL import Image

    run = folder / "run"
    tinyproof.prove("s6-19k", "s6-19k,epochs=1", dataset="digits", seeds=1, target=1.0, out=run, quiet=True)
    tinyproof.workbook("course", folder / "book.xlsx", rates=[0.5], iterations=4, picture=False)
    place = next(run.glob("seed-*"))
    images, labels = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 2
    with io.BytesIO() as held:
        np.savez(held, x_train=images, y_train=labels, x_test=images, y_test=labels)
        npz = held.getvalue()
    one = np.full((40, 40), 230, np.uint8)  # a stroke on paper
    one[8:32, 18:23] = 20
    with io.BytesIO() as held:
        Image.fromarray(one).save(held, "png")
        picture = held.getvalue()
    sheet = "w;x;t;y;E;dE/dw\n" + "".join(
        f"{'0.5' if k == 2 else f'=A{k - 1}-0.1*F{k - 1}'};2;1;=A{k}*B{k};=0.5*(C{k}-D{k})^2;=(D{k}-C{k})*B{k}\n"
        for k in range(2, 7)
    )
    flat = (
        '<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>'
        '<table:table table:name="s"><table:table-row><table:table-cell table:formula="of:=[.B1]*2" '
        'office:value-type="float" office:value="2"/><table:table-cell office:value-type="float" office:value="1"/>'
        "</table:table-row></table:table></office:spreadsheet></office:body></office:document>"
    )
    code = (
        "import torch\nfor epoch in range(3):\n    model.train()\n    for x, y in train_loader:\n"
        "        optimizer.zero_grad()\n        loss = F.nll_loss(model(x), y)\n        loss.backward()\n"
        "        optimizer.step()\nprint('Test accuracy: 98.04%')\n"
    )
    cell = {
        "cell_type": "code", "execution_count": 1, "metadata": {}, "source": code,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "Epoch 1 loss 0.3\nTest accuracy: 98.04%\n"}],
    }  # fmt: skip
    return {
        "book.xlsx": (folder / "book.xlsx").read_bytes(),
        "book.csv": sheet.encode(),
        "book.fods": flat.encode(),
        "work.ipynb": json.dumps({"cells": [cell] * 2, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode(),
        "predictions.npz": (place / "predictions.npz").read_bytes(),
        "images.npz": npz,
        "weights.safetensors": (place / "weights.safetensors").read_bytes(),
        "record.json": (place / "run.json").read_bytes(),
        "declared.json": (run / "declared.json").read_bytes(),
        "recipe.toml": b'name = "mine"\nepochs = 3\nrate = 0.01\n[augment]\nmax_degrees = 5.0\n',
        "net.toml": tinyproof.derive("course").text("toml").encode(),
        "digit.png": picture,
    }


# ------------------------------------------------------------------ damage


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The content, damaged in one to four places, by what it is: a member of an archive, a value of JSON, or bytes."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        if content.startswith(b"PK\x03\x04") and rng.random() < 0.7:
            content = _in_archive(content, rng)
        elif content.lstrip()[:1] == b"{" and rng.random() < 0.6:
            content = _in_json(content, rng)
        else:
            content = _in_bytes(content, rng)
    return content


def _in_bytes(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    end = min(len(content), at + rng.choice((1, 1, 2, 8, 40, 400)))
    way = rng.randrange(6)
    if way == 0 and at < len(content):
        return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
    if way == 1:
        return content[:at] + content[end:]
    if way == 2:
        return content[:at] + content[at:end] * rng.choice((2, 3, 50)) + content[end:]
    if way == 3:
        return content[:at] + rng.choice(TOKENS) + content[at:]
    if way == 4:
        other = rng.randrange(len(content) + 1)
        return content[:at] + content[other : other + end - at] + content[end:]
    return content[:at] if rng.random() < 0.3 else content[:at] + rng.randbytes(end - at) + content[end:]


def _in_archive(content: bytes, rng: random.Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [(member, archive.read(member)) for member in archive.namelist()]
    except Exception:  # it is damaged already
        return _in_bytes(content, rng)
    if not parts:
        return content
    chosen = rng.randrange(len(parts))
    name, part = parts[chosen]
    parts[chosen] = (name, _in_bytes(part, rng))
    if rng.random() < 0.05:
        parts.pop(rng.randrange(len(parts)))
    with io.BytesIO() as held:
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in parts:
                archive.writestr(name, part)
        return held.getvalue()


def _in_json(content: bytes, rng: random.Random) -> bytes:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return _in_bytes(content, rng)
    inner = data
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            return content
        key = rng.choice(keys)
        if not isinstance(inner[key], dict | list) or rng.random() < 0.2:
            break
        inner = inner[key]
    if rng.random() < 0.2:
        del inner[key]
    elif isinstance(inner[key], str) and rng.random() < 0.5:
        inner[key] = _in_bytes(inner[key].encode(errors="replace"), rng).decode(errors="replace")
    else:
        inner[key] = rng.choice(JUNK)
    return json.dumps(data).encode()


# ------------------------------------------------------------------ trying


class Hang(BaseException):
    """A reader took longer than it may; no reader may catch this."""


def _alarm(number: int, frame: object) -> None:
    raise Hang


def _limit(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 3 * seconds)


def attempt(reader: Reader, content: bytes, folder: Path) -> tuple[str, bool]:
    """What a reader says of an input, numbers and quoted text left out, and whether that is a fault."""
    for old in folder.iterdir():
        old.unlink()
    path = folder / reader.file
    path.write_bytes(content)
    began = time.monotonic()
    _limit(SECONDS_EACH)
    try:
        answer, fault = f"read: {str(reader.read(path))[:40]}", False
    except TinyproofError as error:
        answer, fault = str(error), "\n" in str(error)
        reader.refused += 1
    except Hang:
        answer, fault = f"took longer than {SECONDS_EACH} s", True
    except BaseException as error:  # whatever it is: that is what is looked for
        answer, fault = f"{type(error).__module__}.{type(error).__name__}: {str(error)[:200]}", True
    finally:
        _limit(0)
    reader.tried += 1
    reader.slowest = max(reader.slowest, time.monotonic() - began)
    return re.sub(r"'[^']*'|\d+", "*", answer), fault


def fuzz(found: list[Reader], seconds: float, seed: int, folder: Path, corpus: Path | None) -> None:
    """Give every reader its turns until the time is over. Each draws for itself: one seed gives each reader the same
    inputs in the same order, however many of them the time allows."""
    until = time.monotonic() + seconds
    draws = {reader.name: random.Random(f"{seed} {reader.name}") for reader in found}
    while time.monotonic() < until:
        for reader in found:
            turn, rng = time.monotonic() + 0.3, draws[reader.name]
            while time.monotonic() < turn:
                content = damaged(rng.choice(reader.inputs), rng)[:2_000_000]
                answer, fault = attempt(reader, content, folder)
                if fault:
                    reader.faults.append(answer)
                if answer not in reader.said:
                    reader.said.add(answer)
                    reader.inputs = [*reader.inputs, content][-400:]
                    if corpus is not None:
                        name = f"{'fault' if fault else 'said'}-{len(reader.said)}-{reader.file}"
                        (corpus / reader.name.replace(" ", "-")).mkdir(parents=True, exist_ok=True)
                        (corpus / reader.name.replace(" ", "-") / name).write_bytes(content)


def main() -> int:
    """Fuzz, print the table, and say the faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="repeats a run; drawn, and told, where not given")
    parser.add_argument("--readers", nargs="+", default=[])
    parser.add_argument("--corpus", type=Path, default=None)
    asked = parser.parse_args()
    seed = random.randrange(2**31) if asked.seed is None else asked.seed
    signal.signal(signal.SIGALRM, _alarm)
    signal.signal(signal.SIGPROF, _alarm)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "input"
        place.mkdir()
        found = [one for one in readers(Path(scratch)) if not asked.readers or one.name in asked.readers]
        for reader in found if asked.corpus is not None else ():
            kept = sorted((asked.corpus / reader.name.replace(" ", "-")).glob("*"))
            reader.inputs += [path.read_bytes() for path in kept]
        for reader in found:
            answer, fault = attempt(reader, reader.inputs[0], place)
            assert not fault, (reader.name, answer)
            assert answer.startswith("read"), (reader.name, answer)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        fuzz(found, asked.seconds, seed, place, asked.corpus)
    columns = map(Column, ("reader", "inputs", "refused in one line", "answers", "slowest, s", "faults"))
    rows = [(x.name, x.tried, x.refused, len(x.said), f"{x.slowest:.1f}", len(x.faults)) for x in found]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(Table("", tuple(columns), tuple(rows)).text())
    print(f"seed {seed}, {asked.seconds:g} s, at most {peak:,} MiB of memory")
    for reader in found:
        for fault in sorted(set(reader.faults)):
            print(f"FAULT {reader.name}: {fault} ({reader.faults.count(fault)} times)")
    return int(any(reader.faults for reader in found))


if __name__ == "__main__":
    sys.exit(main())
