"""One word for a file, and why: right only where a measurement is named; unsupported; nothing to judge; left out."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyproof.api.audit import audit
from tinyproof.check.finding import FileReport
from tinyproof.check.notebook import audit_notebook

from .books import style, write

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
WITHOUT_LOG = style("functions").split("# %% output\nEPOCH: 1")[0]
RESULT = "Result: 98.85 % test accuracy after the last epoch."


def judged(folder: Path, *edits: tuple[str, str], text: str = "") -> FileReport:
    text = text or style("functions")
    for right, other in edits:
        assert text.count(right) == 1, right
        text = text.replace(right, other)
    return audit_notebook(write(text, folder))


AUTOENCODER = """# %%
import torch, torch.nn as nn
from torchvision import datasets, transforms
data = datasets.MNIST('d', train=True, transform=transforms.ToTensor())
batches = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 784))
opt = torch.optim.Adam(net.parameters())
for epoch in range(3):
    for x, _ in batches:
        loss = ((net(x) - x.flatten(1)) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
# %% output
0 0.07
1 0.05
2 0.04
"""
CALLED = "            correct += pred.eq(target.view_as(pred)).sum().item()\n\n"


@pytest.mark.parametrize(
    ("edits", "status"),
    [
        ((), "right"),
        (((RESULT, "Result: 99.41 % test accuracy."),), "unsupported"),
        (((RESULT, "The target of 99.4 % was reached."),), "unsupported"),
        (((RESULT, "Training accuracy 98.15 %."),), "right"),
        (((RESULT, "The best paper reports 99.79 % test accuracy."),), "right"),
        ((("train_loader = DataLoader(train_data,", "train_loader = DataLoader(test_data,"),), "wrong"),
    ],
    ids=["right", "a number in no log", "a target not met", "training", "somebody else", "wrong"],
)
def test_the_status(edits: tuple[tuple[str, str], ...], status: str, tmp_path: Path) -> None:
    assert judged(tmp_path, *edits).status == status


def test_a_claim_beside_no_output_is_unsupported(tmp_path: Path) -> None:
    claims = (RESULT, "Test accuracy: 99.90 %")
    report = judged(tmp_path, claims, text=WITHOUT_LOG)
    assert report.status == "unsupported"
    (finding,) = [f for f in report.findings if f.rule == "number-in-no-log"]
    assert "no test accuracy was printed" in finding.evidence
    assert judged(tmp_path / "silent", (RESULT, ""), text=WITHOUT_LOG).status == "right"


def test_nothing_is_judged_where_nothing_is_measured(tmp_path: Path) -> None:
    report = judged(tmp_path, text=AUTOENCODER)
    assert (report.status, report.problem) == (
        "nothing to judge",
        "a network is trained, and no accuracy is measured",
    )
    library = judged(tmp_path / "library", text="# %%\ndef twice(x):\n    return 2 * x\n")
    assert library.status == "nothing to judge"
    assert (
        judged(tmp_path / "two", text=AUTOENCODER + "# %%\nprint('test accuracy', tell(net))\n").status == "undecided"
    )


@pytest.mark.parametrize(
    ("edits", "line"),
    [
        ((), "the accuracy is measured on the test set (cell 8, line "),
        (
            (
                ("test_loader = DataLoader(test_data,", "test_loader = DataLoader(held,"),
                (
                    "train_loader = DataLoader(train_data,",
                    "learned, held = torch.utils.data.random_split(train_data, [9, 1])\n"
                    "train_loader = DataLoader(learned,",
                ),
            ),
            "a part of the training set that is held out",
        ),
        (((CALLED, ""),), "is measured on the test set"),
    ],
    ids=["test", "held out", "loss only"],
)
def test_right_says_what_it_measured(edits: tuple[tuple[str, str], ...], line: str, tmp_path: Path) -> None:
    report = judged(tmp_path, *edits)
    assert report.status == "right"
    assert any(line in checked for checked in report.checked)


@pytest.mark.parametrize(
    "edit",
    [
        (RESULT, "Training accuracy: 98.85 %"),
        ("import matplotlib.pyplot as plt\n", "import matplotlib.pyplot as plt\nprint('Test accuracy: 98.85 %')\n"),
        (
            "import matplotlib.pyplot as plt\n",
            "import matplotlib.pyplot as plt\ntest(model, device, test_loader)\n# %% output\n"
            "Test set: Average loss: 0.0400, Accuracy: 9871/10000 (98.71%)\n# %%\n",
        ),
    ],
    ids=["training", "typed", "measured again"],
)
def test_quoted_correctly_is_withheld(edit: tuple[str, str], tmp_path: Path) -> None:
    assert any("quoted correctly" in line for line in judged(tmp_path / "plain").checked)
    assert not any("quoted correctly" in line for line in judged(tmp_path / "other", edit).checked)


def test_reasons_name_what_is_not_here_or_not_read(tmp_path: Path) -> None:
    loaders = "import uuid, six\nfrom mydata import make\ntrain_loader, test_loader = make(), make()\n"
    right = (
        "train_loader = DataLoader(train_data, batch_size=64, shuffle=True)\n"
        "test_loader = DataLoader(test_data, batch_size=1000)\n"
    )
    report = judged(tmp_path, (right, loaders))
    assert report.status == "undecided"
    assert report.problem == (
        "what it measures on may be in a module that is not here: mydata; from the log alone: 98.85 %"
    )
    chainer = "# %%\nimport chainer\nmodel = chainer.links.Classifier(net)\nmodel.learn(accuracy=True)\n"
    assert judged(tmp_path / "two", text=chainer).problem == "written with Chainer, which is not read"
    fits = "# %%\nmodel = given()\nmodel.fit(x, y)\nprint('accuracy', model.score(x, y))\n"
    assert (
        judged(tmp_path / "three", text=fits).problem == "it trains or measures by calls of a library that are not read"
    )


ENGINE = style("script").removeprefix("# %% script\n")


def test_every_script_that_works_is_listed_and_the_others_with_a_reason(cli: Cli, tmp_path: Path) -> None:
    body, _, _ = ENGINE.partition("if __name__")
    (tmp_path / "engine.py").write_text(body)
    (tmp_path / "start.py").write_text("from engine import main\nif __name__ == '__main__':\n    main()\n")
    (tmp_path / "tools.py").write_text("def learn(loss):\n    loss.backward()\n")
    (tmp_path / "plain.py").write_text("print(3)\n")
    (tmp_path / "classic.py").write_text("from sklearn.svm import SVC\nm = SVC()\nm.fit(x, y)\nprint(m.score(x, y))\n")
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "README.md").write_text("Test accuracy: 99.61 %\n")
    report = audit(tmp_path, jobs=1)
    assert [Path(file.file).name for file in report.files] == ["classic.py", "start.py", "README.md"]
    assert report.files[1].status == "right"
    assert report.files[2].status == "unsupported"
    assert {Path(left.file).name: left.why for left in report.left_out} == {
        "engine.py": "read with the scripts that import it",
        "tools.py": "it only defines functions; read with the notebooks that import it",
    }
    page, table = tmp_path / "out.html", tmp_path / "out.csv"
    done = cli("audit", tmp_path, "--html", page, "--csv", table)
    assert done.returncode == 1
    assert "left out: 2" in done.stdout
    assert "read with the scripts that import it" in page.read_text()
    rows = list(csv.DictReader(table.open()))
    assert [row["status"] for row in rows if row["file"].endswith("engine.py")] == ["left out"]
    assert json.loads(cli("audit", tmp_path, "--json").stdout)["left_out"][0]["file"].endswith("engine.py")


def test_the_new_words_are_in_every_form_of_the_report(cli: Cli, tmp_path: Path) -> None:
    write(AUTOENCODER, tmp_path, "a.ipynb")
    assert cli("audit", tmp_path / "a.ipynb").returncode == 0
    write(style("functions").replace(RESULT, "Result: 99.41 % test accuracy."), tmp_path, "b.ipynb")
    page, table = tmp_path / "out.html", tmp_path / "out.csv"
    done = cli("audit", tmp_path, "--html", page, "--csv", table)
    assert done.returncode == 1
    for text in (done.stdout, page.read_text(), table.read_text()):
        assert "nothing to judge" in text
        assert "unsupported" in text
    counts = json.loads(cli("audit", tmp_path, "--json").stdout)["counts"]
    assert (counts["unsupported"], counts["nothing to judge"]) == (1, 1)


def test_the_verdict_does_not_depend_on_how_it_is_called(tmp_path: Path) -> None:
    for name, split in (("ada", "False"), ("bob", "True")):
        text = style("modules")
        write(text, tmp_path / name)
        code = tmp_path / name / "code"
        code.mkdir()
        for module in ("model.py", "utils.py"):
            shutil.move(tmp_path / name / module, code / module)
        utils = code / "utils.py"
        assert utils.read_text().count("train=False") == 1
        utils.write_text(utils.read_text().replace("train=False", f"train={split}"))
    (tmp_path / ".git").mkdir()
    whole = {Path(f.file).parent.name: f for f in audit(tmp_path, jobs=1).files}
    for name, status in (("ada", "right"), ("bob", "wrong")):
        path = tmp_path / name / "S7.ipynb"
        alone, folder = audit_notebook(path), audit(tmp_path / name, jobs=1).files[0]
        assert alone.status == folder.status == whole[name].status == status
        assert alone.findings == folder.findings == whole[name].findings
