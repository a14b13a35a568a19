"""A proof in parts: the shares, the one declaration, and the jobs of the documentation as a cluster would run them."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.prove.proving import IN_ONE_PROCESS, RECIPE, TINY, environment
from tests.stored_records import stored

import tinyproof
from tinyproof.core.errors import InputError
from tinyproof.prove import declaration, parallel_runs, proof, share
from tinyproof.prove.declare import Ask, agree, draft
from tinyproof.prove.share import Share
from tinyproof.train.recipe_text import parse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "many-machines.md"
TIME = "2026-01-02T03:04:05Z"
# The page's question, and one that is answered in seconds.
QUESTION = "fast --seeds 10 --target 99.4"
QUICK = (
    f"{TINY} --dataset digits --recipe {RECIPE.replace('epochs=4', 'epochs=1')} --seeds 3 --target 20 --engine torch"
)


# ------------------------------------------------------------------ shares


@pytest.mark.parametrize("count", [1, 2, 7, 10, 1000])
def test_the_parts_are_disjoint_and_cover_all(count: int) -> None:
    declared = declaration.seeds_for(count, "0" * 64, 1)
    for of in {1, 2, 3, count // 2 or 1, count}:
        if of <= count:
            parts = [Share(number, of).seeds(declared) for number in range(1, of + 1)]
            assert sorted(seed for part in parts for seed in part) == sorted(declared)
            assert all(parts)
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("written", ["", "3", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/3/5", "1.0/3", "01/3", "1/99999"])
def test_what_is_no_part_is_refused(written: str) -> None:
    with pytest.raises(
        InputError, match=r"part: .* is not allowed; allowed: 3/10: which part, from 1, and of how many"
    ):
        share.parse(written)


def test_more_parts_than_seeds_are_refused_before_anything_is_declared(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="part: '1/6' is not allowed; allowed: at most as many parts as declared seeds, 5"
    ):
        tinyproof.prove("s7-8k", dataset="digits", part="1/6", declared_at=TIME, out=tmp_path / "none", quiet=True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"part": "1/2"},
            "would be of another declaration on every machine, by its clock; name one time in the command",
        ),
        ({"declared_at": TIME}, "declared-at: '2026-01-02T03:04:05Z' goes with --part alone; name both"),
        ({"part": "1/2", "declared_at": "yesterday"}, "a time with its zone, as 2026-01-02T03:04:05Z"),
        ({"part": "1/2", "declared_at": "2026-01-02T03:04:05"}, "a time with its zone"),
        ({"part": "1/2", "declared_at": "2999-01-02T03:04:05Z"}, "allowed: a time that has come"),
    ],
)
def test_a_part_without_one_time_for_all_is_refused(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        tinyproof.prove("s7-8k", dataset="digits", out=tmp_path / "none", quiet=True, **given)
    assert words in str(caught.value)
    assert not (tmp_path / "none").exists()


def test_the_same_command_declares_the_same_on_machines_with_other_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for cores, number in ((1, 1), (64, 2)):
        monkeypatch.setattr(parallel_runs, "cores", lambda cores=cores: cores)
        ask = Ask(
            model="s7-8k", recipe=parse("digits,epochs=1"), seeds=4, dataset="digits", part=f"{number}/2",
            engine="torch", declared_at="2026-01-02T04:04:05+01:00",
        )  # fmt: skip
        found.append(draft(ask, tmp_path / str(cores) / "proof"))
    assert found[0].digest == found[1].digest
    assert (found[0].threads, found[0].declared_at) == (1, "2026-01-02T03:04:05+00:00")


def test_the_parts_of_one_proof_beside_each_other_are_one_attempt(tmp_path: Path) -> None:
    def ask(**more: Any) -> Ask:
        return Ask(model="s7-8k", recipe=parse("digits,epochs=1"), seeds=4, dataset="digits", engine="torch", **more)

    for number in (1, 2):
        found = draft(ask(part=f"{number}/2", declared_at=TIME), tmp_path / f"part-{number}")
        assert found.earlier == ()
        (tmp_path / f"part-{number}").mkdir()
        declaration.write(tmp_path / f"part-{number}", found)
    # Another attempt counts it, once.
    assert draft(ask(), tmp_path / "alone").earlier == (found.digest,)
    assert draft(ask(part="1/2", declared_at="2026-01-03T03:04:05Z"), tmp_path / "new").earlier == (found.digest,)


@pytest.mark.parametrize(
    ("first", "then"), [({}, {"seeds": 6}), ({"first_seed": 1}, {"first_seed": 101}), ({}, {"first_seed": 1})]
)
def test_other_seeds_are_another_attempt_whatever_the_time(
    tmp_path: Path, first: dict[str, int], then: dict[str, int]
) -> None:
    """Nobody adds seeds to those that were seen, or picks others, by declaring at the same time again."""

    def drafted(folder: Path, more: dict[str, int], part: str) -> declaration.Declaration:
        asked = {"seeds": 4, "part": part, "declared_at": TIME, **more}
        return draft(
            Ask(model="s7-8k", recipe=parse("digits,epochs=1"), dataset="digits", engine="torch", **asked), folder
        )

    seen = drafted(tmp_path / "seen", first, "1/2")
    (tmp_path / "seen").mkdir()
    declaration.write(tmp_path / "seen", seen)
    assert drafted(tmp_path / "other half", first, "2/2").digest == seen.digest
    again = drafted(tmp_path / "again", then, "1/2")
    assert again.earlier == (seen.digest,)
    if not then.get("first_seed"):
        assert not {*again.seeds} & {*seen.seeds}


def test_a_declared_folder_takes_no_other_time() -> None:
    folder = stored("fast")
    there = declaration.read(folder)
    ask = Ask(model=there.model, recipe=there.recipe, seeds=len(there.seeds), part="1/2", declared_at=TIME)
    with pytest.raises(InputError, match=r"declared-at: '2026-01-02T03:04:05\+00:00' is not allowed; allowed: "):
        agree(ask, there, folder)


# ------------------------------------------------------------------ the jobs of the documentation


def block(name: str) -> str:
    """A block of the page by the comment above it, with the quick question."""
    match = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert match, f"the page has no {name}"
    return match[1]


def quick(text: str) -> str:
    assert text.count(QUESTION) == 1
    return text.replace(QUESTION, QUICK)


def on_the_path(folder: Path, **programs: str) -> dict[str, str]:
    """An environment in which programs of these names are found first."""
    folder.mkdir()
    for name, text in programs.items():
        path = folder / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {**environment(), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


TINYPROOF = f"#!{sys.executable}\n{IN_ONE_PROCESS}"
# As SLURM: the array of the script's own lines, a task each with its variables; what depends on it afterwards.
SBATCH = f"""#!{sys.executable}
import os, re, subprocess, sys
words = sys.argv[1:]
if words[0] == "--parsable":
    text = open(words[1]).read()
    first, last = map(int, re.search(r"^#SBATCH --array=(\\d+)-(\\d+)$", text, re.M).groups())
    for task in range(first, last + 1):
        told = {{"ARRAY_TASK_ID": task, "ARRAY_TASK_COUNT": last - first + 1, "SUBMIT_DIR": os.getcwd()}}
        environment = {{**os.environ, **{{f"SLURM_{{name}}": str(value) for name, value in told.items()}}}}
        done = subprocess.run(["bash", os.path.abspath(words[1])], cwd="/", env=environment, stdout=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"task {{task}} failed")
    print(4242)
else:
    assert words[:2] == ["--dependency=afterok:4242", "--wrap"], words
    sys.exit(subprocess.run(["sh", "-c", words[2]]).returncode)
"""


def covered(folder: Path, parts: int) -> None:
    """Every declared seed is in the merged proof once, and no part trained one of another's."""
    declared = declaration.read(folder)
    assert [result.run.identity.seed for result in proof.load(folder).results] == list(declared.seeds)
    trained = [path.name for path in folder.parent.glob("part-*/seed-*")]
    assert sorted(trained) == sorted(f"seed-{seed}" for seed in declared.seeds)
    assert len([*folder.parent.glob("part-*")]) == parts
    assert tinyproof.verify(folder, weights=False).broken == ()


@pytest.mark.skipif(sys.platform == "win32", reason="a cluster's jobs are scripts of a Unix shell")
def test_the_slurm_job_of_the_page_covers_every_seed(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "prove.sh").write_text(quick(block("slurm: prove.sh")))
    found = on_the_path(tmp_path / "bin", tinyproof=TINYPROOF, sbatch=SBATCH)
    done = subprocess.run(
        ["bash", "-euc", block("slurm: submit")], cwd=here, env=found, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    covered(here / "proof", 3)


@pytest.mark.skipif(sys.platform == "win32", reason="a cluster's jobs are scripts of a Unix shell")
def test_the_kubernetes_job_of_the_page_covers_every_seed(tmp_path: Path) -> None:
    import yaml

    job = yaml.safe_load(quick(block("kubernetes")))["spec"]
    assert job["completionMode"] == "Indexed"
    (container,) = job["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    assert mount["name"] in {volume["name"] for volume in job["template"]["spec"]["volumes"]}
    found = on_the_path(tmp_path / "bin", tinyproof=TINYPROOF)
    parts = tmp_path / "parts"
    (script,) = container["args"]
    assert script.count(mount["mountPath"]) == 1
    for index in range(job["completions"]):
        done = subprocess.run(
            [*container["command"], script.replace(mount["mountPath"], str(parts))],
            env={**found, "JOB_COMPLETION_INDEX": str(index)}, capture_output=True, text=True, timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    after = re.search(r"`(tinyproof collect /parts/part-\* --out proof)`", PAGE.read_text(encoding="utf-8"))
    assert after
    words = after[1].replace("/parts", str(parts))
    done = subprocess.run(["sh", "-c", words], cwd=parts, env=found, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    covered(parts / "proof", job["completions"])
