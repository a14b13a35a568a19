"""What do Dask workers cost: processor time of `prove --cluster local:2` beside the same runs by `train` and by two
processes of `prove`; bytes to each worker, and bytes a seed both ways.

python benchmarks/cluster.py [--pairs 5] [--seeds 4] [--model s7-8k] [--recipe digits,epochs=10] [--dataset digits]
python benchmarks/cluster.py --sizes FOLDER    the bytes alone, of a proof that is there
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tinyproof.prove import declaration, proof, remote, sent_data
from tinyproof.prove.worker import Work, load_data


def processor_seconds(*words: object) -> tuple[float, str]:
    """The processor time of a command with all processes that it starts, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    asked = [sys.executable, "-m", "tinyproof", *map(str, words)]
    found = subprocess.run(asked, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if found.returncode not in (0, 1):
        raise SystemExit(found.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, found.stdout + found.stderr


def pair(folder: Path, asked: argparse.Namespace) -> tuple[float, float, float, str]:
    """Processor seconds by `train`, by two processes, by two Dask workers; what the last one said of bytes."""
    same = ("--recipe", asked.recipe, "--dataset", asked.dataset, "--engine", asked.engine)
    declared = (*same, "--seeds", asked.seeds, "--first-seed", 1, "--target", 1)
    alone = 0.0
    for seed in range(1, asked.seeds + 1):
        name, _, changes = asked.recipe.partition(",")
        epochs = ("--epochs", changes.removeprefix("epochs=")) if changes else ()
        words = ("train", asked.model, "--recipe", name, *epochs, *same[2:], "--seed", seed, "--threads", 1)
        alone += processor_seconds(*words, "--out", folder / f"train-{seed}")[0]
    proof = ("prove", asked.model, *declared)
    here, _ = processor_seconds(*proof, "--processes", 2, "--threads", 1, "--out", folder / "here")
    there, said = processor_seconds(*proof, "--cluster", "local:2", "--out", folder / "there")
    match = re.search(r"to the workers .* MB, back .* MB", said)
    return alone, here, there, match[0] if match else ""


def sizes(folder: Path, asked: argparse.Namespace) -> str:
    """Bytes of the data set as it goes to each worker, and of a seed's errand and answer."""
    declared = declaration.read(folder)
    work = Work(folder=str(folder), declared=declared, dataset=asked.dataset)
    data = len(sent_data.to_bytes(load_data(asked.dataset, None)))
    out = len(remote.errand(work, declared.seeds[0], "0" * 64, {}, {}))
    back = sum(map(len, remote.run_files(proof.seed_folder(folder, declared.seeds[0])).values()))
    return f"data, once to each worker: {data:,} bytes; a seed: {out:,} bytes to the worker, {back:,} back"


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (
        ("model", "s7-8k"),
        ("recipe", "digits,epochs=10"),
        ("dataset", "digits"),
        ("engine", "torch"),
    ):
        parser.add_argument(f"--{name}", default=default)
    for name, number in (("pairs", 5), ("seeds", 4)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--sizes", type=Path)
    asked, found = parser.parse_args(), []
    if asked.sizes:
        print(sizes(asked.sizes, asked))
        return
    for _ in range(asked.pairs):
        with tempfile.TemporaryDirectory() as name:
            found.append(pair(Path(name), asked))
            alone, here, there, said = found[-1]
            print(f"train {alone:.1f} s, two processes {here:.1f} s, local:2 {there:.1f} s; {said}", flush=True)
            told = sizes(Path(name) / "there", asked)
    for called, column in (("train", 0), ("two processes of prove", 1)):
        more = statistics.median(100 * (one[2] / float(one[column]) - 1) for one in found)
        print(f"local:2 against {called}: {more:+.1f} % of processor time, the median of {len(found)}")
    print(told)


if __name__ == "__main__":
    main()
