"""The reader's core: ways that are joined, loops, modes, counts and cuts, each on a few lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.loops import in_each_turn
from tinyproof.check.code.interpreter.quantities import add, crossed
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Cut, Root
from tinyproof.check.code.interpreter.rows import Path as Way
from tinyproof.check.code.interpreter.values import Const, Made, Seq, constant, options
from tinyproof.check.code.interpreter.ways import merged_modes
from tinyproof.check.finding import CodePlace
from tinyproof.check.logs import read_log
from tinyproof.check.notebook.measured import measured, to_learned
from tinyproof.check.notebook.read.document import Cell, Document
from tinyproof.check.notebook.reader import reader
from tinyproof.check.notebook.study import Study, study

from .injection import accusations, load


def read(source: str) -> Study:
    return study(Document(Path("main.py"), "main.py", "script", (Cell(None, "code", source),)))


def value(source: str, name: str = "x") -> set[object]:
    """What a name may stand for after a program."""
    return {constant(option) for option in options(read(source).scope.names[name])}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\nif u:\n    x = 2\n", {1, 2}),
        ("for x in {'a': 1}:\n    pass\n", {"a"}),
        ("for x in {'a': 1, 'b': 2}:\n    pass\n", {"b"}),
        ("for x in [4]:\n    pass\n", {4}),
        ("class A: pass\na = A()\na.n = 1\na.n += 2\nx = a.n\n", {3}),
        ("d = {'n': 1}\nd['n'] += 2\nx = d['n']\n", {3}),
    ],
)
def test_values_after_ways_and_loops(source: str, expected: set[object]) -> None:
    assert value(source) == expected


def test_a_mode_that_one_way_leaves_alone_is_not_known_after_both() -> None:
    assert merged_modes([{1: "eval"}, {}]) == {1: "unknown"}
    assert merged_modes([{1: "train"}, {}]) == {1: "train"}


def test_ways_leave_no_doubt_behind() -> None:
    machine = reader(lambda name, asking: None, None)
    machine.alternatives([lambda: Const(1), lambda: Const(2)])
    assert machine.doubt == 0


def test_what_was_handed_to_the_unknown_has_no_known_mode() -> None:
    machine = reader(lambda name, asking: None, None)
    layer = Made("torch.nn.Linear", [], {}, CodePlace("main.py"))
    machine.set_mode(layer, "eval")
    assert machine.mode(layer) == "eval"
    machine.escape(layer)
    assert machine.mode(layer) == "unknown"


def test_an_object_of_a_class_that_is_not_here_may_do_anything_with_a_network() -> None:
    source = (
        "import torch\nfrom nowhere import Base\nclass Runner(Base): pass\nnet = torch.nn.Linear(2, 2)\nRunner(net)\n"
    )
    found = read(source)
    assert id(found.scope.names["net"]) in found.events.escaped


def test_statements_behind_a_continue_are_not_of_every_turn() -> None:
    body = ast.parse("a = 1\nwith f():\n    b = 2\nif c:\n    continue\nd = 3\n").body
    assert [ast.unparse(statement) for statement in in_each_turn(body)] == ["a = 1", "b = 2"]


def test_lists_are_kept_only_in_part() -> None:
    long = Seq([Const(1)] * 2_005)
    assert (len(long.items), long.whole) == (2_000, False)
    grown = Seq([])
    grown.grow([Const(1)] * 2_005)
    assert (len(grown.items), grown.whole) == (2_000, False)


def test_figures_of_one_batch_stay_one_batchs() -> None:
    one = Quantity("hits", "sum", "batch")
    for sum_, reach in ((add(one, one), "batch"), (add(Const(0), one, accumulate=True), "total")):
        assert isinstance(sum_, Quantity)
        assert sum_.reach == reach


def test_images_of_batches_are_counted_up() -> None:
    images = add(Quantity("images", "unknown", "batch"), Quantity("images", "unknown", "batch"), accumulate=True)
    assert isinstance(images, Quantity)
    assert images.reach == "total"


@pytest.mark.parametrize(
    ("learned", "asked", "expected"),
    [
        ("x[:i * n], x[(i + 1) * n:]", "x[i * n:(i + 1) * n]", "apart"),
        ("x[:first(i)], x[last(i):], x[:first(n)]", "x[i * n:(i + 1) * n]", "unknown"),
        ("x[:i * n], x[(i + 1) * n:]", "x[i * n:i * n + n]", "apart"),
        ("x[:i * n], x[(i + 1) * n:]", "x[n * i:n + n * i]", "apart"),
        ("x[:i * n], x[(i + 1) * n:]", "x[i * n:(i + 1) * n - 1]", "apart"),
        ("x[:i * n], x[(i + 1) * n:]", "x[low:high]", "unknown"),
        ("x[:i * n], x[(i + 1) * n:]", "x[i * n:i * n + i]", "unknown"),
        ("x[:i * n], x[(i + 1) * n:]", "x[(i - 1) * n:i * n]", "contains"),
    ],
)
def test_slices_that_are_joined_in_a_loop_are_folds_or_unknown(learned: str, asked: str, expected: str) -> None:
    source = (
        "import numpy as np\nfrom tensorflow import keras\n(x, y), _ = keras.datasets.mnist.load_data()\n"
        "net = keras.Sequential([keras.layers.Dense(10)])\nn = len(x) // 4\nfor i in range(4):\n"
        f"    net.fit(np.concatenate([{learned}]), y)\n    net.evaluate({asked}, y)\n"
    )
    assert [to_learned(use) for use in measured(read(source))] == [expected]


def test_sums_over_images_divided_by_batches_are_crossed() -> None:
    batches, images = Quantity("batches", "unknown", "total"), Quantity("images", "unknown", "total")
    assert crossed(Quantity("loss", "sum", "total"), batches) == "large"
    assert crossed(Quantity("loss", "mean", "total"), images) == "small"
    assert crossed(Quantity("loss", "mean", "total"), batches) == ""


def test_rows_of_two_splits_overlap_and_parts_of_one_do_not() -> None:
    root = Root(("file", "a.csv"), "all", "a.csv", "file", CodePlace("main.py"))

    def part(key: str, name: str) -> tuple[Way, ...]:
        return (Way(root, (Cut("split", (key,), name),)),)

    assert relation(part("one", "train"), part("one", "held out")) == "apart"
    assert relation(part("one", "train"), part("other", "held out")) == "overlaps"
    assert relation(part("one", "train"), part("one", "train")) == "inside"


def test_a_network_of_transformers_begins_in_evaluation_mode(tmp_path: Path) -> None:
    text = load("accelerated")[0].replace("    model.train()\n", "").replace("    model.eval()\n", "")
    assert accusations(text, tmp_path)[1] == []


def test_a_log_of_another_accuracy_keeps_its_counts() -> None:
    log = read_log([(1, "Validation accuracy: 9000/10000 (90.00%)\n")])
    assert [(epoch.correct, epoch.total) for run in log.runs for epoch in run.epochs] == [(9000, 10000)]
    log = read_log([(1, "Train accuracy: 9000/10000 (90.00%)\n")])
    assert [epoch.correct for run in log.runs for epoch in run.epochs] == [None]
