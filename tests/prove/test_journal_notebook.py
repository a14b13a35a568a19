"""`journal --notebook`: plain PyTorch that trains the same network by the same recipe, executed, right by the audit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.data.small_sets import content_of, put, standing_for
from tests.prove.proving import TINY, call

import tinyproof
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.run_cells import CellFailed, run
from tinyproof.data.catalogue import MNIST
from tinyproof.network import nets, plain_source
from tinyproof.show.notebook_cells import cells
from tinyproof.train.recipe import RECIPES, Augment, Recipe, Schedule
from tinyproof.train.schedule import rates

OWN = """
from torch import nn

class Small(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, width, 5, 2), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten())
        self.head = nn.LazyLinear(10)

    def forward(self, x):
        return self.head(self.body(x))
"""


DATA = {"title": "d", "idx": "", "packed": False, "files": [], "mean": [0.5], "std": [0.25]}
FOUR = {**DATA, "idx": "'/a'", "packed": True, "files": [("train_images", "a.gz", 16), ("train_labels", "b", 8)]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    asked = {"dataset": "digits", "engine": "torch", "threads": 1, "quiet": True}
    tinyproof.train("s6-19k", recipe="digits,epochs=2", out=root / "first", **asked)
    (root / "model.py").write_text(OWN)
    model = f"{root}/model.py:Small"
    tinyproof.train(model, recipe="best,epochs=1", settings=["width=6"], out=root / "own", **asked)
    return root


def outputs(path: Path) -> list[str]:
    found = json.loads(path.read_text())["cells"]
    return ["".join(part["text"]) for cell in found if cell["cell_type"] == "code" for part in cell["outputs"]]


def test_it_is_executed_right_and_runs_again_without_tinyproof(runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "out" / "try.ipynb"
    done = call("journal", runs, "--of", "first", "--notebook", path)
    assert done.returncode == 0, done.stderr
    assert "`audit` of the notebook: right" in done.stdout
    assert sorted(file.name for file in path.parent.iterdir()) == ["data.npz", "model.py", "try.ipynb"]
    report = tinyproof.audit(path).files[0]
    assert (report.status, [f for f in report.findings if f.severity != "note"]) == ("right", [])
    told = outputs(path)
    assert "19,242 parameters" in told[1]
    assert re.fullmatch(r"(epoch \d: training loss [\d.]+, training accuracy [\d.]+ %\n){2}", told[2])
    last = re.fullmatch(r"test accuracy after the last epoch: ([\d.]+) % \((\d+) of 359\)\n", told[3])
    assert last is not None
    assert float(last[1]) > 60
    assert "tinyproof" not in "".join(path.with_name("model.py").read_text())
    code = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    text = "\n".join("".join(cell["source"]) for cell in code)
    hidden = "import sys; sys.modules['tinyproof'] = None; sys.path.insert(0, '')\n"
    again = subprocess.run(
        [sys.executable, "-c", hidden + text], cwd=path.parent, capture_output=True, text=True, check=True
    )
    assert again.stdout == "".join(told)  # the same seed, the same machine: the very outputs that are kept


def test_a_network_of_ones_own_comes_as_it_was_run(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name its file with --model"):
        tinyproof.journal(runs, of="own", notebook=tmp_path / "own.ipynb", page=False)
    model = f"{runs}/model.py:Small"
    found = tinyproof.journal(runs, of="own", notebook=tmp_path / "own.ipynb", model=model, page=False)
    assert found.notebook_verdict == "right"
    assert (tmp_path / "model.py").read_text() == OWN
    assert "from model import Small" in (tmp_path / "own.ipynb").read_text()
    assert "Small(width=6)" in (tmp_path / "own.ipynb").read_text()


def test_of_mnists_kin_the_four_files_are_read_where_they_lie(tmp_path: Path) -> None:
    content = content_of(MNIST, train=200, test=50)
    names = [*content]
    with standing_for("mnist", content):
        folder = put(tmp_path / "d\u00e9 \U0001f600", {name: content[name] for name in names[:2]})
        put(folder, {name: content[name] for name in names[2:]}, gzipped=False)
        tinyproof.train("s6-19k", recipe="best,epochs=1", dataset="mnist", data=folder, out=tmp_path / "runs" / "one",
                        engine="torch", threads=1, quiet=True)  # fmt: skip
        path = tmp_path / "n" / "a.ipynb"
        found = tinyproof.journal(tmp_path / "runs", notebook=path, data=folder, page=False)
    assert found.notebook_verdict == "right"
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.ipynb", "model.py"]
    assert outputs(path)[0] == "200 training and 50 test images of [1, 28, 28]\n"


def test_a_file_name_of_data_is_no_cell(tmp_path: Path) -> None:
    """The name of somebody's archive may hold a line that begins a cell; it stays words."""
    data, sides = tmp_path / "a\n# %%\nprint('run')\n# %% [markdown]\n# b.npz", np.arange(60 * 28 * 28) % 251
    images, labels = sides.reshape(60, 28, 28).astype(np.uint8), np.arange(60) % 3
    np.savez(data, x_train=images, y_train=labels, x_test=images[:9], y_test=labels[:9])
    tinyproof.train("s6-19k", recipe="best,epochs=1", dataset=str(data), out=tmp_path / "one", engine="torch",
                    threads=1, quiet=True)  # fmt: skip
    path = tmp_path / "n" / "a.ipynb"
    tinyproof.journal(tmp_path / "one", notebook=path, dataset=str(data), page=False)
    found = json.loads(path.read_text())["cells"]
    assert not [cell for cell in found if "".join(cell["source"]).startswith("print('run')")]
    assert "run\n" not in outputs(path)
    assert "print('run')" in "".join(found[0]["source"])


def test_a_changed_file_is_not_run(runs: Path, tmp_path: Path) -> None:
    other = tmp_path / "model.py"
    other.write_text(OWN + "\nraise SystemExit\n")
    with pytest.raises(InputError, match=r"is another: model.py has changed"):
        tinyproof.journal(runs, of="own", notebook=tmp_path / "a" / "own.ipynb", model=f"{other}:Small", page=False)
    assert not (tmp_path / "a").exists()


def test_what_would_be_lost_is_refused(runs: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "of": "own",
        "model": f"{runs}/model.py:Small",
        "page": False,
    }  # the quickest to train again
    mine = tmp_path / "mine.ipynb"
    mine.write_text("{}")
    with pytest.raises(InputError, match="was not written by `tinyproof journal`"):
        tinyproof.journal(runs, notebook=mine, **asked)
    (tmp_path / "model.py").write_text("# my own")
    with pytest.raises(InputError, match=r"has another model.py beside it; name it in another folder"):
        tinyproof.journal(runs, notebook=tmp_path / "new.ipynb", **asked)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"mine.ipynb": "{}", "model.py": "# my own"}
    place = tmp_path / "mine" / "a.ipynb"
    tinyproof.journal(runs, notebook=place, **asked)
    tinyproof.journal(runs, notebook=place, **asked)  # the same again is no loss
    written = place.read_text()
    place.write_text(json.dumps(json.loads(written)))  # saved by another program: the same cells
    tinyproof.journal(runs, notebook=place, **asked)
    place.write_text(written.replace("EPOCHS, BATCH = ", "EPOCHS, BATCH = 1 * "))
    with pytest.raises(InputError, match=r"or was changed since"):
        tinyproof.journal(runs, notebook=place, **asked)
    assert "1 * " in place.read_text()
    place.write_text(written)
    changed = place.with_name("model.py").read_text() + "# what I tried\n"
    place.with_name("model.py").write_text(changed)
    with pytest.raises(InputError, match=r"has another model.py beside it"):
        tinyproof.journal(runs, notebook=place, **asked)
    assert place.with_name("model.py").read_text() == changed


def test_wrong_questions_are_one_line(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"notebook: 'a.txt' is not allowed; allowed: a name that ends in .ipynb"):
        tinyproof.journal(runs, notebook="a.txt", page=False)
    with pytest.raises(InputError, match=r"model: 'x.py:Net' is for a notebook; name the notebook too"):
        tinyproof.journal(runs, model="x.py:Net", page=False)
    with pytest.raises(InputError, match="of: 'second' is not allowed; allowed: first, own"):
        tinyproof.journal(runs, of="second", notebook=tmp_path / "a.ipynb", page=False)
    tinyproof.prove(TINY, "best,epochs=1", dataset="digits", seeds=2, target=5.0, out=tmp_path / "p" / "proof",
                    engine="torch", processes=1, quiet=True)  # fmt: skip
    with pytest.raises(InputError, match="of: 'proof' is a proof; name a run with --of"):
        tinyproof.journal(tmp_path / "p", of="proof", notebook=tmp_path / "a.ipynb", page=False)
    with pytest.raises(InputError, match=r"of is missing; a folder that holds a run"):
        tinyproof.journal(tmp_path / "p", notebook=tmp_path / "a.ipynb", page=False)


def test_nothing_is_left_of_a_network_that_fails(tmp_path: Path) -> None:
    failing = tmp_path / "model.py"
    failing.write_text(OWN + "\nimport sys\nif 'tinyproof' not in sys.modules:\n    raise OSError('not here')\n")
    asked = {"dataset": "digits", "engine": "torch", "threads": 1, "quiet": True}
    tinyproof.train(f"{failing}:Small", recipe="best,epochs=1", out=tmp_path / "runs" / "one", **asked)
    with pytest.raises(CellFailed, match=r"cell 1 failed: OSError: not here"):
        tinyproof.journal(tmp_path / "runs", notebook=tmp_path / "n" / "a.ipynb", model=f"{failing}:Small", page=False)
    assert not (tmp_path / "n").exists()


def test_data_of_ones_own_must_be_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 90, (40, 24, 24), dtype=np.uint8), np.arange(40) % 2
    images[labels == 1, 6:14] = 250
    np.savez(tmp_path / "bars.npz", x_train=images, y_train=labels, x_test=images[:9], y_test=labels[:9])
    data = str(tmp_path / "bars.npz")
    tinyproof.train("fast", recipe="few,epochs=2", dataset=data, out=tmp_path / "runs" / "one", engine="torch",
                    threads=1, quiet=True)  # fmt: skip
    path = tmp_path / "n" / "a.ipynb"
    with pytest.raises(InputError, match=r"dataset: 'bars' is no data of ours; name the path of your own"):
        tinyproof.journal(tmp_path / "runs", notebook=path, page=False)
    assert tinyproof.journal(tmp_path / "runs", notebook=path, dataset=data, page=False).notebook_verdict == "right"
    images[0, 0, 0] ^= 1
    np.savez(tmp_path / "bars.npz", x_train=images, y_train=labels, x_test=images[:9], y_test=labels[:9])
    with pytest.raises(DataError, match="is not what the run was trained on"):
        tinyproof.journal(tmp_path / "runs", notebook=path, dataset=data, page=False)


# ------------------------------------------------------------------ the program is the recipe


KINDS = (
    Schedule(), Schedule("linear", warmup=0.1), Schedule("cosine"), Schedule("cosine", warmup=0.3),
    Schedule("exponential", gamma=0.9), Schedule("step", every_epochs=2), Schedule("step", at_epochs=(1, 3), gamma=0.5),
    Schedule("step", warmup=0.2, every_epochs=1), Schedule("one-cycle", warmup=0.2), Schedule("one-cycle"),
)  # fmt: skip


def program(recipe: Recipe) -> dict[str, object]:
    """The names of a notebook's cells up to the training, of a network that is nothing and ten images."""
    found = cells(
        title="t", target="t", who="w", recipe=recipe, recipe_words="", schedule=recipe.schedule,
        augment=recipe.augment, changes=not recipe.augment.nothing, dropout=None, analysis="", seed=1,
        module="torch.nn", maker="Flatten",
        arguments="()", data=DATA, log_probabilities=False,
    )  # fmt: skip
    names: dict[str, object] = {}
    for cell in found:
        if cell.code and "np.load" not in cell.text and "network = " not in cell.text and "= test(" not in cell.text:
            names.setdefault("train_images", torch.zeros(10, 1, 8, 8))
            names.setdefault("network", torch.nn.Linear(2, 2))
            exec(cell.text.partition("\nstep = 0")[0], names)
    return names


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_rates_are_those_of_the_recipe(kind: Schedule) -> None:
    recipe = Recipe("r", rate=0.3, schedule=kind, epochs=5, batch_size=3)
    names = program(recipe)
    rate = names["rate"]
    assert callable(rate)
    expected = rates(recipe, 4)
    assert [rate(step) for step in range(20)] == pytest.approx(expected.tolist(), rel=1e-12, abs=1e-15)


def test_images_are_changed_within_the_recipe() -> None:
    still = replace(Augment(), max_shift_pixels=1e-9)
    bright = torch.full((6, 3, 12, 16), 200.0)
    bright[:, 1] = 20.0
    for augment in (still, Augment(max_degrees=30.0, max_shift_pixels=3.0, max_scale=0.2, max_shear_degrees=9.0)):
        changed = program(Recipe("r", augment=augment))["changed"]
        assert callable(changed)
        assert torch.allclose(changed(bright, 0.5), bright, atol=1e-3)  # outside lies the border's colour
    noise = torch.rand(6, 3, 12, 16) * 255
    changed = program(Recipe("r", augment=still))["changed"]
    assert callable(changed)
    assert torch.allclose(changed(noise, 0.5), noise, atol=1e-3)


@pytest.mark.parametrize("name", nets.NETS)
@pytest.mark.parametrize(("shape", "classes"), [((1, 28, 28), 10), ((3, 32, 40), 7)])
def test_a_named_network_is_written_out_as_it_is(name: str, shape: tuple[int, int, int], classes: int) -> None:
    module = nets.build(name, 3, shape, classes)
    names: dict[str, object] = {"__name__": "model"}
    exec(plain_source.source(module, name), names)
    made = names["Net"]
    assert callable(made)
    twin = made()
    assert str(list(twin)) == str(list(module))
    twin.load_state_dict(module.state_dict())
    images = torch.rand(2, *shape)
    assert torch.equal(twin.eval()(images), module.eval()(images))


@pytest.mark.parametrize("name", [*RECIPES])
def test_every_recipe_makes_a_program_that_compiles(name: str) -> None:
    recipe = RECIPES[name]
    for cell in cells(
        title="t", target="t", who="w", recipe=recipe, recipe_words="", schedule=recipe.schedule,
        augment=recipe.augment, changes=not recipe.augment.nothing, dropout=0.0, analysis="", seed=1,
        module="model", maker="Net",
        arguments="()", data=FOUR, log_probabilities=True,
    ):  # fmt: skip
        if cell.code:
            compile(cell.text, name, "exec")
            assert max(map(len, cell.text.splitlines())) <= 120


def test_cells_keep_what_they_printed_and_stop_at_the_first_that_fails(tmp_path: Path) -> None:
    assert run(["a = 1\nprint('one')", "import os\nprint(a + 1, os.getcwd())"], tmp_path) == [
        "one\n",
        f"2 {tmp_path}\n",
    ]
    for cell, told in {"1 / 0": "ZeroDivisionError", "exit()": "SystemExit", "import os; os._exit(3)": "ended"}.items():
        with pytest.raises(CellFailed, match=rf"cell 2 failed: .*{told}"):
            run(["x = 1", cell, "print('never')"], tmp_path)


def test_a_cell_ends_with_whoever_asked_for_it(tmp_path: Path) -> None:
    cell = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    asking = (
        "import sys; from pathlib import Path; from tinyproof.core.run_cells import run; run([sys.argv[1]], Path('.'))"
    )
    with subprocess.Popen([sys.executable, "-c", asking, cell], cwd=tmp_path) as process:
        place = tmp_path / "pid"
        assert _until(lambda: place.is_file() and place.read_text() != "")
        process.kill()
    status = Path(f"/proc/{place.read_text()}/stat")
    if not Path("/proc").is_dir():
        pytest.skip("no /proc here to see processes in")
    assert _until(lambda: not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z")


def _until(holds: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()
