"""Logs in the shapes people print them; the oracle is the log's own text, read by eye."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyproof.check import logs
from tinyproof.check.logs import Run, read_log
from tinyproof.check.notebook import audit_notebook
from tinyproof.check.notebook.read.document import read_document

from .books import style, write


def only_run(text: str) -> Run:
    (run,) = read_log([(1, text)]).runs
    return run


SHAPES = {
    "test set line": (
        "Test set: Average loss: 0.0712, Accuracy: 9779/10000 (97.79%)\n\n"
        "Test set: Average loss: 0.0486, Accuracy: 9841/10000 (98.41%)\n",
        [97.79, 98.41],
        [],
    ),
    "epoch header, bar with carriage returns, test line": (
        "EPOCH: 1\n  0%|  | 0/938 [00:00<?, ?it/s]\rLoss=2.3 Batch_id=0 Accuracy=9.4:   0%| | 1/938 [00:00<02:00]\r"
        "Loss=0.09 Batch_id=937 Accuracy=93.10: 100%|###| 938/938 [00:20<00:00, 46.0it/s]\n"
        "Test set: Average loss: 0.07, Accuracy: 9779/10000 (97.79%)\nEPOCH: 2\n"
        "Loss=0.05 Batch_id=937 Accuracy=97.40: 100%|###| 938/938 [00:20<00:00, 46.0it/s]\n"
        "Test set: Average loss: 0.05, Accuracy: 9841/10000 (98.41%)\n",
        [97.79, 98.41],
        [93.10, 97.40],
    ),
    "a table with lines of spaces and of bars between its rows": (
        "epoch  train_loss  test_accuracy\n     \n1      0.3000      93.10\n |  \n2      0.2000      95.20\n",
        [93.10, 95.20],
        [],
    ),
    "one line an epoch": (
        "Epoch 1/3 train loss 0.43 train acc 93.20% test loss 0.10 test acc 97.01%\n"
        "Epoch 2/3 train loss 0.13 train acc 96.20% test loss 0.07 test acc 97.91%\n"
        "Epoch 3/3 train loss 0.09 train acc 97.20% test loss 0.05 test acc 98.41%\n",
        [97.01, 97.91, 98.41],
        [93.20, 96.20, 97.20],
    ),
    "bars between": (
        "Epoch: 1 | Train Loss: 0.43 | Train Acc: 93.20 | Val Loss: 0.10 | Val Acc: 97.01\n"
        "Epoch: 2 | Train Loss: 0.13 | Train Acc: 96.20 | Val Loss: 0.07 | Val Acc: 97.91\n",
        [97.01, 97.91],
        [93.20, 96.20],
    ),
    "keras words": (
        "Epoch 1/2\n469/469 [====] - 9s - loss: 0.43 - accuracy: 0.9320 - val_loss: 0.10 - val_accuracy: 0.9701\n"
        "Epoch 2/2\n469/469 [====] - 9s - loss: 0.13 - accuracy: 0.9620 - val_loss: 0.07 - val_accuracy: 0.9791\n",
        [97.01, 97.91],
        [93.20, 96.20],
    ),
    "equal signs": (
        "epoch=0 train_loss=0.514 train_acc=84.13 test_loss=0.144 test_acc=95.61\n"
        "epoch=1 train_loss=0.164 train_acc=95.03 test_loss=0.094 test_acc=97.01\n",
        [95.61, 97.01],
        [84.13, 95.03],
    ),
    "a dict": (
        "{'epoch': 1, 'train_loss': 0.5, 'train_acc': 0.84, 'test_loss': 0.1, 'test_acc': 0.9561}\n"
        "{'epoch': 2, 'train_loss': 0.4, 'train_acc': 0.95, 'test_loss': 0.1, 'test_acc': 0.9701}\n",
        [95.61, 97.01],
        [84.0, 95.0],
    ),
    "phases on lines of their own": (
        "train Loss: 0.7431 Acc: 0.8012\ntest Loss: 0.1931 Acc: 0.9512\n"
        "train Loss: 0.2431 Acc: 0.9312\ntest Loss: 0.1331 Acc: 0.9642\n",
        [95.12, 96.42],
        [80.12, 93.12],
    ),
    "batches, then a test line rounded to whole percent": (
        "Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.300\nTrain Epoch: 1 [59520/60000 (99%)]\tLoss: 0.1\n\n"
        "Test set: Average loss: 0.0501, Accuracy: 9833/10000 (98%)\n\n"
        "Train Epoch: 2 [0/60000 (0%)]\tLoss: 0.12\n\nTest set: Average loss: 0.0401, Accuracy: 9871/10000 (99%)\n",
        [98.33, 98.71],
        [],
    ),
    "a table with bars": (
        "epoch | train_loss | valid_loss | accuracy | time\n0 | 0.412 | 0.101 | 0.9701 | 00:12\n"
        "1 | 0.130 | 0.071 | 0.9791 | 00:12\n",
        [97.01, 97.91],
        [],
    ),
    "a table with spaces": (
        "Epoch   Train Loss   Train Acc   Test Loss   Test Acc\n1   0.412   93.20   0.101   97.01\n"
        "2   0.130   96.20   0.071   97.91\n",
        [97.01, 97.91],
        [93.20, 96.20],
    ),
    "accuracy of the network": (
        "Epoch 1\nAccuracy of the network on the 10000 test images: 97.01 %\n"
        "Epoch 2\nAccuracy of the network on the 10000 test images: 97.91 %\n",
        [97.01, 97.91],
        [],
    ),
    "colours": (
        "\x1b[1mEpoch 1\x1b[0m \x1b[32mTest Accuracy: 97.01%\x1b[0m\n"
        "\x1b[1mEpoch 2\x1b[0m \x1b[32mTest Accuracy: 97.91%\x1b[0m\n",
        [97.01, 97.91],
        [],
    ),
    "a bar for the test set": (
        "Epoch 1\nTrain: Loss=0.20 Batch_id=468 Accuracy=88.12: 100%|##| 469/469 [00:25<00:00, 18.5it/s]\n"
        "Test: Loss=0.09 Accuracy=97.46: 100%|##| 79/79 [00:02<00:00, 30.0it/s]\n"
        "Epoch 2\nTrain: Loss=0.06 Batch_id=468 Accuracy=96.90: 100%|##| 469/469 [00:25<00:00, 18.5it/s]\n"
        "Test: Loss=0.05 Accuracy=98.22: 100%|##| 79/79 [00:02<00:00, 30.0it/s]\n",
        [97.46, 98.22],
        [88.12, 96.90],
    ),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_accuracies_of_each_epoch_are_read(shape: str) -> None:
    text, tested, trained = SHAPES[shape]
    run = only_run(text)
    assert run.test_accuracies == pytest.approx(tested)
    assert run.train_accuracies == pytest.approx(trained)
    assert run.last == pytest.approx(tested[-1])
    assert run.best == pytest.approx(max(tested))


def test_totals_losses_rates_and_batches_are_read() -> None:
    run = only_run(
        "Epoch 1 LR=0.01\nLoss=0.09 Batch_id=468 Accuracy=93.10: 100%|##| 469/469 [00:20<00:00, 46.0it/s]\n"
        "Test set: Average loss: 0.0712, Accuracy: 59681/60000 (99.47%)\n"
    )
    (epoch,) = run.epochs
    assert (epoch.number, epoch.correct, epoch.total, epoch.test_loss) == (1, 59681, 60000, 0.0712)
    assert (epoch.rate, epoch.batches, epoch.train_accuracy) == (0.01, 469, 93.10)


def test_a_best_figure_or_a_class_is_no_epoch() -> None:
    run = only_run(
        "Epoch 1: Test acc: 98.10 (best: 98.10)\nEpoch 2: Test acc: 98.40 (best: 98.40)\n"
        "Epoch 3: Test acc: 98.30 (best: 98.40)\nBest test accuracy: 98.40\n"
        "Test Accuracy of     3: 99% (974/980)\nAccuracy for class: 5 is 91.1 %\n"
    )
    assert run.test_accuracies == [98.10, 98.40, 98.30]


def test_a_number_that_begins_again_begins_a_new_run() -> None:
    line = "Epoch {}: test accuracy {:.2f}%\n"
    log = read_log([(1, "".join(line.format(i, 90 + i) for i in (1, 2, 3, 1, 2)))])
    assert [len(run.epochs) for run in log.runs] == [3, 2]


def test_cells_are_runs_of_their_own() -> None:
    text = "Test set: Average loss: 0.07, Accuracy: 9779/10000 (97.79%)\n"
    assert [run.cell for run in read_log([(3, text), (5, text)]).runs] == [3, 5]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("Total params: 7,904", 7904),
        ("Trainable params: 6,379", 6379),
        ("Total parameters: 16562", 16562),
        ("The model has 13,808 trainable parameters", 13808),
    ],
)
def test_parameter_counts_are_read(line: str, count: int) -> None:
    assert read_log([(1, line)]).parameters == ((1, count),)


def test_non_trainable_parameters_are_no_total() -> None:
    assert read_log([(1, "Non-trainable params: 1,024")]).parameters == ()


def test_a_plateau_near_ninety_percent_is_not_taken_for_a_dead_class(tmp_path: Path) -> None:
    text = style("classes")
    for figure, slow in (
        ("97.91", "89.90"),
        ("98.41", "90.20"),
        ("98.71", "90.40"),
        ("98.95", "90.50"),
        ("98.97", "90.55"),
    ):
        text = text.replace(f"test acc {figure}%", f"test acc {slow}%")
    assert audit_notebook(write(text, tmp_path)).findings == ()


def test_a_small_squared_error_is_not_an_impossible_loss(tmp_path: Path) -> None:
    lines = "".join(f"Test set: Average loss: 0.0011, Accuracy: {n}/10000 (99.1%)\n" for n in (9901, 9908, 9911))
    text = f"# %%\nfrom lost import *  # MNIST\nrun()\n# %% output\n{lines}"
    assert audit_notebook(write(text, tmp_path)).findings == ()


def test_a_table_of_html_with_rows_of_spaces_is_read(tmp_path: Path) -> None:
    head = "".join(f"<th>{name}</th>" for name in ("epoch", "train_loss", "valid_loss", "accuracy", "time"))
    rows = "".join(
        f"<tr>\n  <td>{i}</td>\n  <td>0.5</td>\n  <td>0.4</td>\n  <td>0.8{i}07</td>\n  <td>00:12</td>\n</tr>\n"
        for i in range(3)
    )
    page = f'<table border="1">\n  <thead>\n    <tr>{head}</tr>\n  </thead>\n  <tbody>\n{rows}  </tbody>\n</table>'
    output = {"output_type": "display_data", "data": {"text/html": page, "text/plain": ["<HTML object>"]}}
    book = {"cells": [{"cell_type": "code", "source": "learn.fit(3)", "outputs": [output]}]}
    path = tmp_path / "table.ipynb"
    path.write_text(json.dumps(book))
    (cell,) = read_document(path).code
    assert only_run(cell.output).test_accuracies == pytest.approx([80.07, 81.07, 82.07])


def test_equal_runs_have_equal_fingerprints_and_short_ones_none() -> None:
    line = "Test set: Average loss: 0.07, Accuracy: {}/10000 (97.79%)\n"
    long = "".join(line.format(n) for n in (9779, 9801, 9833))
    first, second = read_log([(1, long)]), read_log([(7, "noise\n" + long)])
    assert first.fingerprint == second.fingerprint != ""
    assert read_log([(1, line.format(9779))]).fingerprint == ""
    assert read_log([(1, long.replace("9833", "9834"))]).fingerprint != first.fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r" * 1000,
        "Epoch " * 5000,
        "9" * 100_000,
        "acc " + "1/" * 50_000,
        "\x1b[" * 20_000,
        "loss: nan acc: inf\n" * 99,
    ],
    ids=["empty", "returns", "words", "digits", "slashes", "escapes", "nan"],
)
def test_any_text_is_read_without_trouble(text: str) -> None:
    read_log([(1, text)])


def test_a_quoted_line_is_cut_at_200_characters() -> None:
    line = "Test set: accuracy 98.50% " + "x" * 400
    (run,) = read_log([(1, line)]).runs
    assert run.epochs[-1].line == line[:200]


def test_a_row_without_an_epoch_is_none_of_the_table() -> None:
    rows = "0  0.412  0.121  0.9620  00:10\n1  0.205  0.101  0.9710  00:10\nmean  0.308  0.111  0.9990  00:10\n"
    run = only_run("epoch  train_loss  valid_loss  accuracy  time\n" + rows)
    assert run.test_accuracies == [96.2, 97.1]


def test_no_accuracy_is_above_100() -> None:
    run = only_run("".join(f"Test set: accuracy {figure}%\n" for figure in ("98.50", "100.00", "100.40")))
    assert run.test_accuracies == [98.5, 100.0]


def test_so_many_lines_are_read_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_LINES", 3)
    run = only_run("".join(f"Test set: accuracy 9{digit}.00%\n" for digit in range(5)))
    assert run.test_accuracies == [90.0, 91.0, 92.0]
