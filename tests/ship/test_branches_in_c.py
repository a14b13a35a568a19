"""Where a network branches, values are kept in memory while others come and go: nothing that is still to be read is
written over. And the functions that C has no library for are what they are."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.conftest import program
from tests.ship.chains import ACTIVATIONS, Residual, chain_of, images_of
from tests.ship.test_c import SANITIZED, STRICT, by_torch, ready, same_but_for_a_summand
from torch import nn

from tinyproof.core.errors import DataError
from tinyproof.ship import arena, c_run, c_text, for_people
from tinyproof.ship.c_stages import Size, Stage

Rng = np.random.Generator
Graph = tuple[list[Stage], list[tuple[int, ...]]]
Moves = Iterator[tuple[list[NDArray[np.int64]], NDArray[np.int64]]]  # what is read of each value, what is written


def graph(rng: Rng) -> Graph:
    """Stages of all kinds that take whatever stands, and in the end all of it."""
    stages, takes, standing = [Stage("pad", (6, 5, 2), (6, 5, 2))], list[tuple[int, ...]]([()]), [0]
    for _ in range(int(rng.integers(4, 12))):
        stage, taken = drawn(rng, stages, standing)
        if stage.in_place:
            if any(taken[0] in others for others in takes):
                continue
            standing.remove(taken[0])
        standing.append(len(stages))
        stages.append(stage)
        takes.append(taken)
    unused = [number for number in standing if not any(number in taken for taken in takes)]
    while len(unused) > 1:
        pair = unused.pop(), unused.pop()
        stages += [*(linear(stages[one].made, 4) for one in pair), Stage("add", (1, 1, 4), (1, 1, 4))]
        takes += [*((one,) for one in pair), (len(stages) - 3, len(stages) - 2)]
        unused.append(len(stages) - 1)
    return stages, takes


def linear(given: Size, made: int) -> Stage:
    return Stage("conv", given, (1, 1, made), np.ones((made, *given)), kernel=given[:2])


def drawn(rng: Rng, stages: list[Stage], standing: list[int]) -> Graph | Any:
    """A stage, and what it takes."""
    of = int(rng.choice(standing))
    rows, columns, channels = given = stages[of].made
    kind = str(rng.choice(["conv", "conv", "conv", "pad", "max_pool", "rectify", "add", "add", "concat"]))
    if kind == "rectify":
        return Stage("rectify", given, given), (of,)
    if kind == "pad" and rows < 9:
        return Stage("pad", given, (rows + 2, columns + 4, channels), padding=(1, 2)), (of,)
    other = int(rng.choice([number for number in standing if stages[number].made[:2] == given[:2]]))
    if kind == "add" and stages[other].made == given:
        return Stage("add", given, given), (of, other)
    if kind == "concat" and channels < 9:
        parts = channels, stages[other].made[2]
        return Stage("concat", given, (rows, columns, sum(parts)), channels=parts), (of, other)
    size, step, dilation = (int(rng.integers(1, 3)) for _ in range(3))
    dilation = 1 if kind == "max_pool" else dilation
    reach = (size - 1) * dilation + 1
    if min(rows, columns) < reach:
        return linear(given, 3), (of,)
    groups = channels if kind == "conv" and rng.random() < 0.4 else 1
    made = channels if kind == "max_pool" or groups > 1 else int(rng.integers(1, 6))
    out = (rows - reach) // step + 1, (columns - reach) // step + 1, made
    window: dict[str, Any] = {"kernel": (size, size), "stride": (step, step), "dilation": (dilation, dilation)}
    return Stage("max_pool" if kind == "max_pool" else "conv", given, out, **window, groups=groups), (of,)


def moves(stage: Stage) -> Moves:
    """What each turn of a stage's loop reads and writes, in the order of the C; what stands in one turn may come in
    any order there."""
    rows, columns, _ = stage.given
    made = np.arange(np.prod(stage.made)).reshape(stage.made)
    given = np.arange(np.prod(stage.given)).reshape(stage.given)
    if stage.kind == "pad":
        above, beside = stage.padding
        inner = np.full(stage.made, -1)
        inner[above : above + rows, beside : beside + columns] = given
        for one, to in zip(inner.ravel()[::-1], made.ravel()[::-1], strict=True):
            yield [np.array([one] if one >= 0 else [], np.int64)], np.array([to])
    elif stage.kind in ("add", "rectify"):
        yield from (([np.array([i])] * (1 + (stage.kind == "add")), np.array([i])) for i in made.ravel())
    elif stage.kind == "concat":
        ends = [0, *np.cumsum(stage.channels)]
        for part, (first, last) in enumerate(itertools.pairwise(ends)):
            for number, to in enumerate(made[:, :, first:last].ravel()):
                reads = [np.zeros(0, np.int64)] * len(stage.channels)
                reads[part] = np.array([number])
                yield reads, np.array([to])
    else:
        together = 2 if stage.kind == "conv" and not stage.apart else 1
        (down, right), (tall, wide), (below, beside) = stage.stride, stage.kernel, stage.dilation
        for y in range(stage.made[0]):
            for x in range(0, stage.made[1], together):
                pixels = range(x, min(x + together, stage.made[1]))
                seen = [
                    given[y * down :, p * right :][: tall * below : below, : wide * beside : beside] for p in pixels
                ]
                yield [np.concatenate([part.ravel() for part in seen])], made[y, pixels].ravel()


def intact(stages: list[Stage], takes: list[tuple[int, ...]], places: list[int], length: int) -> bool:
    """Whether each stage reads what it means to read. Of windows a turn writes first: it may do so in the C."""
    memory = np.full((length, 2), -1)  # whose value stands in each cell, and which one of it
    first = int(np.prod(stages[0].made))
    memory[places[0] : places[0] + first] = np.stack([np.zeros(first, int), np.arange(first)], 1)
    for number, stage in enumerate(stages[1:], 1):
        late = stage.kind in ("conv", "max_pool", "avg_pool")
        for reads, writes in moves(stage):
            cells = np.stack([np.full(len(writes), number), writes], 1)
            if late:
                memory[places[number] + writes] = cells
            for taken, which in zip(takes[number], reads, strict=True):
                wanted = np.stack([np.full(len(which), taken), which], 1)
                if (memory[places[taken] + which] != wanted).any():
                    return False
            memory[places[number] + writes] = cells
    return True


@pytest.mark.parametrize("overlapping", [True, False])
def test_nothing_that_is_still_to_be_read_is_written_over(overlapping: bool) -> None:
    rng = np.random.Generator(np.random.PCG64(8))
    branched, saved = 0, 0
    for _ in range(60):
        stages, takes = graph(rng)
        length, places = arena.planned(stages, overlapping, takes)
        assert intact(stages, takes, places, length)
        assert max(at + int(np.prod(stage.made)) for at, stage in zip(places, stages, strict=True)) == length
        branched += takes[1:] != [(number,) for number in range(len(takes) - 1)]
        saved += length < sum(int(np.prod(stage.made)) for stage in stages)
    assert branched > 50
    assert saved > 50


def test_a_byte_less_is_too_little_where_a_network_branches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail: a loop that writes one place further ahead than it may is seen."""
    real, rng = arena.gap, np.random.Generator(np.random.PCG64(8))
    monkeypatch.setattr(arena, "gap", lambda stage: real(stage) - 1)
    graphs = [graph(rng) for _ in range(40)]
    plans = [(stages, takes, arena.planned(stages, True, takes)) for stages, takes in graphs]
    assert not all(intact(stages, takes, places, length) for stages, takes, (length, places) in plans)


# ------------------------------------------------------------------ functions

APART = """
#include <stdint.h>
#include <stdio.h>
{functions}
int main(void)
{{
    static float values[{count}];
    if (fread(values, sizeof values, 1, stdin) != 1)
        return 2;
    {call};
    return fwrite(values, sizeof values, 1, stdout) != 1;
}}
"""


def by_c(call: str, names: tuple[str, ...], values: NDArray[np.float32], place: Path) -> NDArray[np.float64]:
    """What a loop of the C makes of values."""
    parts = c_text.parts("float_parts.c")
    text = APART.format(functions="\n".join(parts[name] for name in names), count=len(values), call=call)
    (place / "apart.c").write_text(text)
    flags = ["-std=c99", "-O2", "-ffp-contract=off", *STRICT, "-fsanitize=undefined,float-cast-overflow"]
    subprocess.run([program("gcc"), *flags, "apart.c", "-o", "apart"], cwd=place, check=True)
    done = subprocess.run([place / "apart"], input=values.tobytes(), capture_output=True, check=True)
    assert done.stderr == b""
    return np.frombuffer(done.stdout, np.float32).astype(np.float64)


def test_the_power_of_e_is_right_to_three_ten_millionths(tmp_path: Path) -> None:
    values = np.linspace(-87, 88, 200_000).astype(np.float32)
    call = f"for (int i = 0; i < {len(values)}; i++) values[i] = exponential(values[i])"
    wanted = np.exp(values.astype(np.float64))
    assert np.abs(by_c(call, ("exponential",), values, tmp_path) / wanted - 1).max() < 3e-7
    beyond = np.array([-1e30, -np.inf, 1e30, np.inf, np.nan], np.float32)
    call = "for (int i = 0; i < 5; i++) values[i] = exponential(values[i])"
    found = by_c(call, ("exponential",), beyond, tmp_path)
    assert np.allclose(found, np.exp([-87.0, -87.0, 88.0, 88.0, 88.0]), rtol=3e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_without_a_library(name: str, tmp_path: Path) -> None:
    values = np.concatenate([np.linspace(-12, 12, 100_001), [-1e4, 1e4, -100, 100]]).astype(np.float32)
    more = ", 0.7f" if name == "elu" else ""
    parts = (f"to_{name}",) if name in ("relu6", "hardswish", "hardsigmoid") else ("exponential", f"to_{name}")
    found = by_c(f"to_{name}(values, {len(values)}{more})", parts, values, tmp_path)
    wanted = ACTIVATIONS[name]()(torch.from_numpy(values.astype(np.float64))).numpy()
    assert (np.abs(found - wanted) / np.maximum(1, np.abs(values))).max() < 4e-7


# ------------------------------------------------------------------ what is written, and what is not


def test_loops_that_a_network_does_not_use_are_not_written() -> None:
    plain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    acted = nn.Sequential(nn.Conv2d(1, 2, 3, groups=1, dilation=2), nn.SiLU(), nn.Flatten(), nn.Linear(32, 3))
    for to in ("c", "c-int8"):
        texts = [ready(to, module.eval(), (1, 8, 8), 3).files()["network.c"].decode() for module in (plain, acted)]
        for word in ("conv_apart", "exponential" if to == "c" else "look_up"):
            assert [word in text for text in texts] == [False, True]


class Flattened(nn.Module):
    """Joins maps that were flattened: in C their values stand in another order."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.last = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 8, 5, stride=3), nn.Linear(72 + 32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.cat([self.one(x).flatten(1), self.two(x).flatten(1)], 1))


class FlattenedSum(nn.Module):
    """Adds maps that were flattened: in one order, so that it can be done in any. A 1 among what a call is given is no
    word that it changes in place."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.last = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3), nn.Linear(72, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = nn.functional.elu(self.one(x), 1.0)
        return self.last(torch.relu(kept.flatten(1) + self.two(x).flatten(1) + kept.flatten(1)))


@pytest.mark.parametrize("to", ["c", "c-int8"])
def test_maps_that_were_flattened_are_added(to: str) -> None:
    torch.manual_seed(5)
    module, images = FlattenedSum().eval(), images_of((1, 8, 8), 6)
    made = ready(to, module, (1, 8, 8), 3)
    kind = np.float32 if made.whole is None else np.int32
    found = c_run.scores((program("gcc"),), made.files(), "network", images, 3, kind, SANITIZED)
    unit, most = (1.0, 1e-5) if made.whole is None else (made.whole.unit, 0.03)
    assert same_but_for_a_summand(nn.Sequential(module), found * unit, by_torch(module, images)) < most


class Repeats(nn.Module):
    """Adds one value of each map to all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 2, 3), nn.Linear(72, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return self.last((x + x.mean((2, 3), keepdim=True)).flatten(1))


@pytest.mark.parametrize("to", ["c", "c-int8", "onnx-int8"])
@pytest.mark.parametrize(
    ("module", "said"),
    [
        (Flattened(), "concatenation takes maps that were flattened; onnx and torch take it"),
        (Repeats(), r"repeats values \(2x6x6 and 2x1x1\); torch takes it"),
    ],
)
def test_what_does_not_go_into_c_is_one_line(to: str, module: nn.Module, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        ready(to, module.eval(), (1, 8, 8), 3)
    assert "\n" not in str(caught.value)


def branching() -> nn.Module:
    return nn.Sequential(Residual(nn.Conv2d(1, 1, 3, padding=1)), nn.Flatten(), nn.Linear(64, 3))


@pytest.mark.parametrize(
    ("module", "others"),
    [
        (branching(), "onnx, onnx-int8, c, c-int8 and torch take it"),
        (Repeats(), "torch takes it"),
        (Flattened(), "onnx and torch take it"),
    ],
)
def test_a_workbook_names_the_formats_that_do_take_branches(module: nn.Module, others: str) -> None:
    computed = chain_of(module.eval(), (1, 8, 8), 3)
    assert for_people._others(computed, (1, 8, 8)) == others
