"""A network's neighbours belong to its proof: a change in any is refused and named, by files and by records alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.prove.proving import call

from tinyproof.api.predict import predict
from tinyproof.api.prove import prove_asked as prove
from tinyproof.api.prove import resume
from tinyproof.api.verify import verify
from tinyproof.core.errors import DataError, InputError
from tinyproof.network import own_files
from tinyproof.prove import declaration, proof, worker
from tinyproof.prove.declare import Ask
from tinyproof.prove.journal import history
from tinyproof.show.journal_page import journal_parts, page
from tinyproof.train import environment, store
from tinyproof.train.recipe import named

SHORT = replace(named("digits"), name="short", epochs=1)
NEIGHBOUR = (
    "from torch import nn\ndef layers(width={width}):\n    return nn.Sequential(nn.Linear(784, width), nn.ReLU())\n"
)
MODEL = """
from torch import nn
from parts import layers
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.out = layers(), nn.Linear(layers()[0].out_features, 10)
    def forward(self, x):
        return self.out(self.first(x.flatten(1))).log_softmax(1)
"""


def network(folder: Path, width: int = 6) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "net.py").write_text(MODEL)
    (folder / "parts.py").write_text(NEIGHBOUR.format(width=width))
    return f"{folder / 'net.py'}:Net"


def asks(model: str, **changed: Any) -> Ask:
    asked = {"seeds": 2, "dataset": "digits", "target": 20.0, "engine": "torch", "device": "cpu", "threads": 1}
    return Ask(model=model, recipe=SHORT, **{**asked, "processes": 1, **changed})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished proof of two seeds, and beside it the network's two files."""
    folder = tmp_path_factory.mktemp("neighbours")
    prove(asks(network(folder / "code")), out=folder / "proof")
    return folder


@pytest.fixture
def again(made: Path, tmp_path: Path) -> Path:
    """A copy of it, whose declaration names the copied files' place; one seed is missing."""
    shutil.copytree(made, tmp_path / "copy")
    folder = tmp_path / "copy" / "proof"
    declared = replace(declaration.read(folder), model=f"{tmp_path / 'copy' / 'code' / 'net.py'}:Net")
    rewrite(folder, declared)
    shutil.rmtree(proof.seed_folder(folder, declared.seeds[1]))
    (folder / proof.VERDICT).unlink()
    return tmp_path / "copy"


def rewrite(folder: Path, declared: declaration.Declaration) -> None:
    (folder / declaration.FILE).write_text(json.dumps(declared.to_dict()))
    for path in folder.glob(f"seed-*/{store.RECORD}"):
        run = store.load(path.parent)
        same = replace(run.identity, model=declared.model)
        path.write_text(replace(run, identity=same, declaration=declared.digest).to_json())


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".lease-")]
    return {str(path): path.read_bytes() for path in files}


def test_the_declaration_and_every_record_name_the_files_and_copies_are_kept(made: Path) -> None:
    declared = declaration.read(made / "proof")
    assert [*declared.model_files] == ["net.py", "parts.py"]
    found = proof.load(made / "proof")
    assert all(result.run.model_files == declared.model_files for result in found.results)
    assert (made / "proof" / own_files.KEPT / "parts.py").read_bytes() == (made / "code" / "parts.py").read_bytes()
    checked = verify(made / "proof", model=declared.model)
    assert not checked.broken
    assert {line.what for line in checked.lines if line.holds} > {
        "every run is of one network",
        "the kept files of the network are the recorded ones",
    }


def test_a_changed_neighbour_is_refused_by_name_and_nothing_is_written(again: Path) -> None:
    folder = again / "proof"
    declared = declaration.read(folder)
    network(again / "code", width=7)
    before = bytes_of(folder)
    for go in (lambda: prove(asks(declared.model), out=folder), lambda: resume(folder)):
        with pytest.raises(InputError, match=r"is not what was declared: parts\.py has changed; "):
            go()
    with pytest.raises(DataError, match=r"net\.py: is not the network that was declared: parts\.py has changed"):
        worker.do(worker.Task(worker.Work(folder=str(folder), declared=declared, dataset="digits"), declared.seeds[1]))
    (again / "code" / "parts.py").unlink()
    with pytest.raises(InputError, match=r"parts\.py is missing"):
        resume(folder)
    assert bytes_of(folder) == before


def test_a_file_that_comes_between_is_refused_though_no_declared_one_changed(again: Path) -> None:
    folder = again / "proof"
    declared = declaration.read(folder)
    (again / "code" / "parts").mkdir()
    (again / "code" / "parts" / "__init__.py").write_text(NEIGHBOUR.format(width=9))
    with pytest.raises(
        DataError, match=r"is not what it was: parts.py is not imported any more, parts/__init__.py is new"
    ):
        worker.do(worker.Task(worker.Work(folder=str(folder), declared=declared, dataset="digits"), declared.seeds[1]))


def test_verify_and_predict_name_the_changed_neighbour(again: Path) -> None:
    folder = again / "proof"
    declared = declaration.read(folder)
    place = proof.seed_folder(folder, declared.seeds[0])
    network(again / "code", width=7)
    broken = {line.what: line.found for line in verify(place, model=declared.model).broken}
    told = broken["parameters, MACs, bytes and layers are the network's"]
    assert told.endswith("is not the network that the record names by its digest: parts.py has changed")
    # The weights still fit where a change computes otherwise: they must not answer for it.
    (again / "code" / "parts.py").write_text(NEIGHBOUR.format(width=6).replace("ReLU", "Tanh"))
    from PIL import Image

    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(again / "picture.png")
    with pytest.raises(DataError, match=r"is not the network that this run trained: parts\.py has changed"):
        predict(place, again / "picture.png", declared.model)


FIELDS = [
    ("parameters", 1_922, "parameters: seed .* has 4,780, seed .* has 1,922"),
    ("macs", 12, "multiply-adds an image"),
    ("kinds", ["Linear", "Tanh"], "kinds of layers: seed .* has Linear, ReLU, seed .* has Linear, Tanh"),
    ("dropout_active", True, "dropout: seed .* has none, seed .* has some"),
    ("mean", 0.5, "mean of the images"),
]


@pytest.mark.parametrize(("field", "value", "words"), FIELDS)
def test_runs_of_two_networks_are_refused_from_their_records_alone(
    made: Path, tmp_path: Path, field: str, value: object, words: str
) -> None:
    folder = tmp_path / "proof"
    shutil.copytree(made / "proof", folder)
    record = proof.seed_folder(folder, declaration.read(folder).seeds[1]) / store.RECORD
    record.write_text(json.dumps({**json.loads(record.read_text()), field: value}))
    with pytest.raises(DataError, match=f"its runs are not of one network: {words}"):
        proof.load(folder)
    broken = {line.what for line in verify(folder, weights=False).broken}
    assert "every run is of one network" in broken
    found = call("prove", folder)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)


def test_a_changed_copy_is_told_by_verify(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "proof", tmp_path / "proof")
    (tmp_path / "proof" / own_files.KEPT / "parts.py").write_text("x = 1\n")
    broken = {line.what: line.found for line in verify(tmp_path / "proof", weights=False).broken}
    assert broken == {"the kept files of the network are the recorded ones": "another content: parts.py"}


def test_the_journal_shows_what_changed_in_which_file(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "proof", tmp_path / "runs" / "a")
    network(made / "code", width=5)
    try:
        prove(asks(f"{made / 'code' / 'net.py'}:Net", seeds=1), out=tmp_path / "runs" / "b")
    finally:
        network(made / "code")
    entries = history.read(tmp_path / "runs")
    assert entries[1].changed[0] == "the file parts.py changed"
    assert "-def layers(width=6):\n+def layers(width=5):" in entries[1].diff
    assert "+def layers(width=5):" in "".join(map(str, journal_parts(entries)))
    assert "+def layers(width=5):" in page(entries, "runs", tmp_path / "runs")


# ------------------------------------------------------------------ why a proof cannot go on


def test_other_code_is_called_so(again: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = again / "proof"
    rewrite(folder, replace(declaration.read(folder), code_digest="0" * 64))
    before = bytes_of(folder)
    with pytest.raises(InputError, match=r"its runs were declared with other code than this; a new proof needs"):
        resume(folder)
    assert bytes_of(folder) == before


def test_another_torch_is_called_so(again: Path) -> None:
    folder = again / "proof"
    declared = declaration.read(folder)
    rewrite(folder, replace(declared, versions={**declared.versions, "torch": "1.0", "python": "3.0"}))
    here = environment.versions()["torch"].replace("+", r"\+")
    with pytest.raises(
        InputError, match=rf"its runs were declared with torch 1\.0, and here is {here}; a new proof needs"
    ):
        resume(folder)


def test_a_proof_of_the_version_before_is_judged_and_not_gone_on_with(again: Path, made: Path, tmp_path: Path) -> None:
    folder = again / "proof"
    declared = replace(
        declaration.read(folder),
        format=declaration.FORMATS[0],
        model_files={},
        code_digest="0" * 64,
        model_sha256="1" * 64,
    )
    rewrite(folder, declared)
    assert declaration.read(folder).digest == declared.digest
    assert "model_files" not in json.loads((folder / declaration.FILE).read_text())
    before = bytes_of(folder)
    found = call("prove", folder)
    assert found.returncode == 2
    assert "an earlier version declared it, whose code cannot be compared with this one's; a new proof needs" in (
        " ".join(found.stderr.split())
    )
    assert bytes_of(folder) == before
