"""What the audit says beside a finding is true as well: effects, evidence, reasons."""

from __future__ import annotations

from pathlib import Path

from tinyproof.check.finding import FileReport, Finding
from tinyproof.check.notebook import audit_notebook

from .books import style, write


def judged(folder: Path, *edits: tuple[str, str], name: str = "functions") -> FileReport:
    text = style(name)
    for right, other in edits:
        assert text.count(right) == 1, right
        text = text.replace(right, other)
    return audit_notebook(write(text, folder))


def only(report: FileReport, rule: str) -> Finding:
    (finding,) = [f for f in report.findings if f.rule == rule]
    return finding


MEASURES_TRAINING = (
    "    accuracy = test(model, device, test_loader)",
    "    accuracy = test(model, device, train_loader)",
)


def test_a_log_that_contradicts_the_code_is_not_called_its_figure(tmp_path: Path) -> None:
    report = judged(tmp_path, MEASURES_TRAINING)  # the log counts 10,000 images
    wrong = only(report, "evaluates-on-training-data")
    assert "cannot be from it" in wrong.effect
    assert "10,000 images, not 60,000" in wrong.effect
    assert only(report, "log-not-from-this-code").severity == "warning"
    assert all("98.85" not in f.effect for f in report.findings)


def test_a_loss_that_refuses_its_arguments_is_not_called_misnormalised(tmp_path: Path) -> None:
    call = "            loss_sum += nn.NLLLoss()(output, target, reduction='sum').item()"
    sums = "            loss_sum += F.nll_loss(output, target, reduction='sum').item()  # sum up batch loss"
    report = judged(tmp_path, (sums, call))
    assert [f.rule for f in report.findings] == ["log-not-from-this-code"]
    assert "takes reduction when it is made" in report.findings[0].message


def test_a_rate_that_falls_after_the_last_epoch_is_no_evidence_against_the_log(tmp_path: Path) -> None:
    rate = "Adjusting learning rate of group 0 to {}."
    report = judged(
        tmp_path,
        ("step_size=2, gamma=0.1)", "step_size=4, gamma=0.1, verbose=True)"),
        ("# %% output\nEPOCH: 1\n", f"# %% output\n{rate.format('5.0000e-02')}\nEPOCH: 1\n"),
        ("EPOCH: 2\n", f"{rate.format('5.0000e-02')}\nEPOCH: 2\n"),
        ("EPOCH: 3\n", f"{rate.format('5.0000e-02')}\nEPOCH: 3\n"),
        ("(98.85%)\n", f"(98.85%)\n{rate.format('5.0000e-03')}\n"),
    )
    finding = only(report, "scheduler-without-effect")
    assert finding.message.endswith("step_size 4, 4 epochs")
    assert not any("not made by this code" in line for line in finding.evidence)


def test_a_rate_that_does_fall_is_no_idle_scheduler(tmp_path: Path) -> None:
    report = judged(
        tmp_path,
        ("step_size=2, gamma=0.1)", "step_size=40, gamma=0.1)"),
        ("EPOCH: 1\n", "EPOCH: 1\nlr: 0.05\n"),
        ("EPOCH: 2\n", "EPOCH: 2\nlr: 0.05\n"),
        ("EPOCH: 3\n", "EPOCH: 3\nlr: 0.005\n"),
        ("EPOCH: 4\n", "EPOCH: 4\nlr: 0.005\n"),
    )
    assert "scheduler-without-effect" not in {f.rule for f in report.findings}


def test_a_section_of_the_readme_is_held_against_its_notebook_only(tmp_path: Path) -> None:
    write(style("functions"), tmp_path, "first.ipynb")
    other = write(style("classes"), tmp_path, "second.ipynb")
    (tmp_path / "README.md").write_text(
        "# Two networks\n\n## The first (first.ipynb)\n\n98.93 % test accuracy\n\n"
        "### Remarks\n\n98.85 % test accuracy at the end\n\n## [Second](second.ipynb)\n\n99.31 % test accuracy\n"
    )
    first = audit_notebook(tmp_path / "first.ipynb")
    assert [(f.rule, f.place.line) for f in first.findings] == [("best-epoch-claimed", 5)]
    assert any("98.85 % is the last epoch's" in line for line in first.checked)
    assert [(f.rule, f.place.line) for f in audit_notebook(other).findings] == [("number-in-no-log", 13)]


def test_one_claim_is_told_once(tmp_path: Path) -> None:
    said = "Result: 98.93 % test accuracy.\n\nSo 98.93 % test accuracy it is.\n"
    report = judged(tmp_path, ("Result: 98.85 % test accuracy after the last epoch.", said))
    finding = only(report, "best-epoch-claimed")
    assert "said again: cell 1, line 6" in finding.evidence


def test_a_relu_before_a_global_pooling_is_a_note_unless_classes_died(tmp_path: Path) -> None:
    layers = "        x = self.gap(x)\n        x = x.view(-1, 16)\n        x = self.fc(x)\n"
    pooled = "        x = F.relu(self.fc(x))\n        x = self.gap(x)\n        x = x.view(-1, 10)\n"
    edits = ((layers, pooled), ("self.fc = nn.Linear(16, 10)", "self.fc = nn.Conv2d(16, 10, 1)"))
    assert only(judged(tmp_path, *edits), "activation-on-class-scores").severity == "note"
    lines = [("0.0712", "9779", "97.79"), ("0.0486", "9841", "98.41"), ("0.0352", "9893", "98.93")]
    lines.append(("0.0361", "9885", "98.85"))
    dead = [
        (f"loss: {loss}, Accuracy: {right}/10000 ({share}%)", "loss: 2.3015, Accuracy: 1135/10000 (11.35%)")
        for loss, right, share in lines
    ]
    assert only(judged(tmp_path, *edits, *dead), "activation-on-class-scores").severity == "warning"


def test_parts_of_a_sequential_are_no_networks_of_their_own(tmp_path: Path) -> None:
    report = judged(tmp_path, ("        x = self.fc(x)\n", "        x = F.relu(self.fc(x))\n"))
    assert only(report, "activation-on-class-scores").severity == "warning"
