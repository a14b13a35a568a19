"""Gradient descent followed by torch autograd; tables, CSV, JSON; overflow; the learning-rate experiment."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from tinyproof.api.workbook import table_csv, write_backprop
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, find_net, preset
from tinyproof.backprop.sweep import COURSE_RATES, parse_rates, sweep
from tinyproof.backprop.trace import trace, traces
from tinyproof.core.errors import InputError
from tinyproof.show.trace_text import trace_text

from .nets import nets
from .oracles import torch_answer


def assert_follows_torch(net: Net, iterations: int) -> None:
    """Every row's weights, loss and gradients are those of torch autograd at torch's own weights."""
    found, parameters = trace(net, iterations), dict(net.parameters)
    for k in range(len(found)):
        answer = torch_answer(net, parameters, None if net.together else k % len(net.examples))
        row = found.row(k + 1)
        assert row["E_total"] == pytest.approx(answer.loss, rel=1e-12, abs=1e-15)
        for name in net.trained:
            assert row[name] == pytest.approx(parameters[name], rel=1e-11, abs=1e-14)
            parameters[name] -= net.learning_rate * answer.gradients[name]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_follow_torch(name: str) -> None:
    assert_follows_torch(preset(name), 25)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(nets())
def test_random_networks_follow_torch(net: Net) -> None:
    assert_follows_torch(replace(net, learning_rate=0.05), 4)


def test_side_by_side_gives_the_same_bits_as_alone() -> None:
    together = traces(preset("xor"), [0.1, 0.7, 2.0], 30)
    for found in together:
        assert np.array_equal(found.values, trace(preset("xor"), 30, rate=found.rate).values)


def test_both_styles_agree_where_they_share_a_column() -> None:
    course, chain = trace("course", 50), trace("course", 50, "chain")
    assert len(course.columns) == 31
    assert set(course.columns) < set(chain.columns)
    for name in course.columns:
        assert course.column(name) == pytest.approx(chain.column(name), rel=1e-12, abs=1e-15)


def test_csv_json_and_dataframe_carry_every_bit() -> None:
    found = trace("course", 20)
    rows = list(csv.DictReader(io.StringIO(found.table().csv())))
    frame = pd.DataFrame(json.loads(trace_text(found, "json"))["rows"])
    for name in found.columns:
        assert [float(row[name]) for row in rows] == found.column(name).tolist()
        assert frame[name].tolist() == found.column(name).tolist()
    assert rows[4]["iteration"] == "5"
    both = table_csv(traces(preset("course"), [0.1, 0.5], 3))
    assert pd.read_csv(io.StringIO(both))["learning_rate"].tolist() == [0.1] * 3 + [0.5] * 3


def test_text_goes_sideways_and_names_the_gradients() -> None:
    text = trace_text(trace("course", 250), "text", digits=4)
    head = next(line for line in text.splitlines() if line.startswith("iteration"))
    assert head.split() == ["iteration", "1", "2", "3", "10", "100", "250"]
    assert any(line.startswith("∂E/∂w5") and "0.01288" in line for line in text.splitlines())
    assert "| ∂E/∂w5 |" in trace_text(trace("course", 2), "markdown", ["dE/dw5"])
    assert trace_text(trace("course", 2), "html", ["dE/dw5"]).startswith("<table>")


def test_an_overflow_is_dated_and_what_was_computed_is_kept() -> None:
    found = trace("relu", 2000, rate=5.0)
    assert found.diverged is not None
    assert len(found) == found.diverged - 1
    assert np.isfinite(found.values).all()
    assert found.summary() == (
        f"learning rate 5: diverges, the numbers overflow at iteration {found.diverged}; {len(found)} rows are kept"
    )
    assert len(trace("relu", found.diverged + 5, rate=5.0)) == len(found)


def test_sweep_has_the_traces_losses_and_names_the_best() -> None:
    found = sweep("course")
    assert found.rates == COURSE_RATES
    for position, one in enumerate(traces(preset("course"), COURSE_RATES, 100)):
        assert found.losses[:, position] == pytest.approx(one.column("E_total"), rel=1e-12)
    assert found.best == 2.0
    assert found.verdict() == (
        "After 100 iterations the best of these rates is 2 (E_total 2.91081e-08). "
        "No larger rate was tried: one may help still more."
    )


def test_sweep_says_when_a_larger_rate_stops_helping_and_where_one_overflows() -> None:
    found = sweep("relu", [0.05, 0.5, 2.0, 5.0], 2000)
    assert found.best == 0.5
    assert "Beyond that a larger rate stops helping: 2 " in found.verdict()
    assert found.diverged[3] == trace("relu", 2000, rate=5.0).diverged
    outcomes = [row[-1] for row in found.table().rows]
    assert outcomes[1] == "best"
    assert outcomes[3] == f"diverges: overflow at iteration {found.diverged[3]}"
    curves = found.curves().rows
    assert curves[-1][4] is None
    assert curves[0][4] is not None
    assert "Every rate diverges" in sweep("relu", [50.0, 90.0], 500).verdict()


def test_sweep_names_the_iteration_that_halves_the_loss() -> None:
    row = sweep("course", [0.5], 100).table().rows[0]
    loss = trace("course", 100).column("E_total")
    assert loss[row[4] - 1] <= loss[0] / 2 < loss[row[4] - 2]


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("0.1, 0.5,2", (0.1, 0.5, 2.0)),
        ("0.1:0.5:0.1", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("0.01:10:*10", (0.01, 0.1, 1.0, 10.0)),
        ("1:1:1", (1.0,)),
    ],
)
def test_rates_are_lists_and_ranges(text: str, rates: tuple[float, ...]) -> None:
    assert parse_rates(text) == rates


@pytest.mark.parametrize(
    "text", ["", "a", "1,,2", "0", "-1", "nan", "inf", "2:1:1", "1:2:*1", "1:2", "1:2:1e-9", "1:9:0"]
)
def test_rates_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InputError, match=r"^rates: "):
        parse_rates(text)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: trace("course", 0), "iterations: 0 is not allowed; allowed: a whole number from 1 to 100,000,000"),
        (lambda: trace("course", 2.5), "iterations: 2.5 is not allowed"),
        (lambda: trace("course", 50_000_000), "iterations: 50000000 is not allowed; allowed: at most 12,903,225"),
        (lambda: trace("course", 3, "paper"), "style: 'paper' is not allowed; allowed: course, chain"),
        (lambda: trace("course", 3, rate=-1.0), "learning rate: -1.0 is not allowed; allowed: a finite number above 0"),
        (lambda: trace("course", 3).column("w9"), "column: 'w9' is not allowed; allowed: t1, t2"),
        (lambda: trace("course", 3).row(4), "iteration: 4 is not allowed; allowed: a whole number from 1 to 3"),
        (lambda: sweep("course", []), "rates are missing; give at least one learning rate"),
        (lambda: sweep("course", [0.5, 0.5]), "rates: 0.5 is not allowed; allowed: each rate once"),
        (lambda: sweep("course", [float("inf")]), "learning rate: inf is not allowed"),
        (lambda: find_net("random:2-x:1"), "network: 'random:2-x:1' is not allowed; allowed: random:SHAPE:SEED"),
        (lambda: find_net("curse"), "network: 'curse' is not allowed; allowed: course, worked-example"),
        (lambda: find_net("none.toml"), "none.toml: no such file"),
    ],
)  # fmt: skip
def test_bad_input(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Exception) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_write_backprop_fills_a_folder(tmp_path: Path) -> None:
    done = write_backprop(tmp_path / "out", rates=(0.1, 2.0), iterations=5)
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["backprop-loss.png", "backprop-network.png", "backprop.csv", "backprop.xlsx"]
    assert done.curves.read_bytes()[:8] == done.drawing.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(pd.read_csv(done.table)) == 10
    assert done.sweep.best == 2.0
