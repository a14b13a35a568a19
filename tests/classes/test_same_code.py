"""Code that submissions share is told with its place in each; what was given to all, or a tutorial shows, is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.notebook.books import style
from tests.notebook.books import write as write_notebook

from tinyproof.api.audit import audit
from tinyproof.check.classes.in_common import in_common, shared
from tinyproof.check.classes.same_code import LEAST_SHARED, LEAST_WHOLE, same_code
from tinyproof.check.classes.submissions import submissions
from tinyproof.check.code.blocks_alike import code_blocks
from tinyproof.check.code.clean import parse_cell
from tinyproof.check.finding import CodeBlock, FileReport, Report

NET = """
class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3)
        self.conv2 = nn.Conv2d(width, 16, 3)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))  # first
        x = F.relu(self.conv2(x)).mean((2, 3))
        return F.log_softmax(self.fc(x), dim=1)
"""
OTHERWISE = """
class TinyThing(nn.Module):
    '''My own network.'''

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels, 3)
        self.second = nn.Conv2d(channels, 16, 3)

        self.head = nn.Linear(16, 10)
    def forward(self, images):
        images = F.relu(self.first(images))
        images = F.relu(
            self.second(images)).mean((2, 3))
        return F.log_softmax(self.head(images), dim=1)
"""
LOADER = """
def loaders(batch):
    move = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train = datasets.MNIST("data", train=True, download=True, transform=move)
    test = datasets.MNIST("data", train=False, download=True, transform=move)
    return DataLoader(train, batch, shuffle=True), DataLoader(test, 1000)
"""


def prints(code: str) -> list[str]:
    return [block.same for block in code_blocks(parse_cell(code).statements, 1)]


def test_names_comments_layout_and_annotations_make_no_difference() -> None:
    assert prints(NET) == prints(OTHERWISE)
    assert len(prints(NET)) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("16, 3", "17, 3"), ("F.relu(self.conv1(x))", "F.gelu(self.conv1(x))"), ("dim=1", "dim=0"),
        ("self.conv2(x)", "self.conv1(x)"), ("(2, 3)", "(3, 2)"), ("super().__init__()", "print(width)"),
        ("return F.log_softmax(self.fc(x), dim=1)", "return self.fc(x)"), ("nn.Linear(16, 10)", "nn.Linear(16, width)"),
        ("F.relu(self.conv2(x))", "F.relu(abs(x))"),
    ],
)  # fmt: skip
def test_whatever_is_computed_otherwise_does(old: str, new: str) -> None:
    assert old in NET
    assert prints(NET) != prints(NET.replace(old, new))


def test_a_builtin_is_no_name_of_ones_own() -> None:
    assert prints("y = max(a)") != prints("y = min(a)")
    assert prints("y = mine(a)") == prints("y = yours(b)")


def test_where_a_block_stands() -> None:
    code = "import os\nfor i in x:\n    f(i)\na = 1\nb = 2\ndef g():\n    return 3"
    assert [(b.cell, b.first, b.last) for b in code_blocks(parse_cell(code).statements, 4)] == [
        (4, 2, 3), (4, 4, 5), (4, 6, 7),
    ]  # fmt: skip


def test_imports_and_bare_texts_are_no_block() -> None:
    assert prints("import torch\nfrom torch import nn\n'words'") == []


# ------------------------------------------------------------------ between submissions


def held(name: str, *blocks: tuple[str, int], file: str = "n.ipynb") -> FileReport:
    made = tuple(CodeBlock(same, size, cell, 1, 10) for cell, (same, size) in enumerate(blocks, 1))
    return FileReport(f"class/{name}/{file}", "notebook", "right", blocks=made, submission=name)


def others(count: int) -> list[FileReport]:
    return [held(f"other{n}", (f"else{n}", 500)) for n in range(count)]


def told(*files: FileReport) -> list[tuple[str, ...]]:
    return [group.across for group in same_code(submissions(files)).groups]


def test_two_that_share_much_are_told_and_from_the_threshold_on() -> None:
    much = [held(name, ("a", 150), ("b", LEAST_SHARED - 150), (name, 900)) for name in ("ada", "bob")]
    assert told(*much, *others(8)) == [("ada", "bob")]
    less = [held(name, ("a", 150), ("b", LEAST_SHARED - 151), (name, 900)) for name in ("ada", "bob")]
    assert told(*less, *others(8)) == []


def test_all_the_code_of_both_is_told_where_it_is_less() -> None:
    assert told(held("ada", ("a", LEAST_WHOLE)), held("bob", ("a", LEAST_WHOLE)), *others(8)) == [("ada", "bob")]
    assert told(held("ada", ("a", LEAST_WHOLE - 1)), held("bob", ("a", LEAST_WHOLE - 1)), *others(8)) == []
    assert told(held("ada", ("a", LEAST_WHOLE)), held("bob", ("a", LEAST_WHOLE), ("b", 90)), *others(8)) == []


def test_what_half_of_the_class_has_was_given_to_it() -> None:
    """Starter code, however long: silent."""
    half = [held(f"s{n}", ("starter", 2_000), (f"own{n}", 400)) for n in range(5)]
    assert told(*half, *others(5)) == []
    assert same_code(submissions([*half, *others(5)])).given == 1
    assert told(*half, *others(6)) == [("s0", "s1", "s2", "s3", "s4")]


def test_of_three_nothing_can_be_called_given() -> None:
    three = [held(f"s{n}", ("starter", 2_000), (f"own{n}", 400)) for n in range(3)]
    assert told(*three) == [("s0", "s1", "s2")]


def test_blocks_that_everybody_writes_add_up_to_nothing() -> None:
    small = [(f"line{n}", 29) for n in range(100)]
    assert told(held("ada", *small), held("bob", *small), *others(8)) == []


def test_two_of_three_that_share_more_are_told_by_themselves() -> None:
    def three(more: int) -> list[FileReport]:
        both = ("a", 300), ("b", more)
        return [held("ada", *both), held("bob", *both), held("cyd", ("a", 300), ("c", 99)), *others(8)]

    assert told(*three(300)) == [("ada", "bob"), ("ada", "bob", "cyd")]
    assert told(*three(40)) == [("ada", "bob", "cyd")]


def test_a_file_that_stands_twice_in_one_submission_is_no_matter_of_others() -> None:
    twice = (held("ada", ("a", 500)), held("ada", ("a", 500), file="copy.ipynb"))
    assert told(*twice, *others(8)) == []


# ------------------------------------------------------------------ from the files on

MINE = """
def {fit}({net}, {data}):
    {best} = 0
    for {step} in range(14):
        for {x}, {y} in {data}:
            {loss} = F.nll_loss({net}({x}), {y})
            optimizer.zero_grad()
            {loss}.backward()
            optimizer.step()
            {best} = {best} * 0.9 + {loss}.item() * 0.1
        schedule.step()
        if {step} % 3 == 2:
            print("after", {step}, {best})
    return {best}


def {check}({net}, {data}):
    {right} = {total} = 0
    with torch.no_grad():
        for {x}, {y} in {data}:
            {answer} = {net}({x}).argmax(1)
            {right} += ({answer} == {y}).sum().item()
            {total} += len({y})
    return 100 * {right} / {total}
"""
WORDS = ["fit", "net", "data", "best", "step", "x", "y", "loss", "check", "right", "total", "answer"]


def notebook(net: str, rest: str) -> str:
    return f"# %%\nimport torch\nfrom torch import nn\n# %%\n{LOADER}\n# %%\n{net}\n# %%\n{rest}\n"


def renamed(letter: str) -> str:
    return MINE.format(**{word: f"{letter}_{word}" for word in WORDS})


def own(number: int) -> str:
    """Somebody's own network: the same task, other code."""
    parts = range(number + 3)
    lines = ["class N(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        self.c{n} = nn.Conv2d({n + 1}, {n + 2 + number}, 3)" for n in parts]
    lines += ["    def forward(self, x):", *(f"        x = torch.relu(self.c{n}(x) * {number + 1})" for n in parts)]
    return "\n".join([*lines, "        return x"])


def a_class(folder: Path, **books: str) -> Report:
    for name, text in books.items():
        write_notebook(text, folder / name, "work.ipynb")
    return audit(folder, jobs=1, quiet=True)


def test_renamed_code_is_told_with_its_cells_and_lines(tmp_path: Path) -> None:
    books = {f"s{n}": notebook(own(n), f"print({n})") for n in range(6)}
    report = a_class(tmp_path, ada=notebook(NET, renamed("a")), bob=notebook(OTHERWISE, renamed("b")), **books)
    lines = [line for line in in_common(report) if "the same but for names" in line]
    assert len(lines) == 1
    assert lines[0].startswith("2 of 8 files have code that is the same but for names and comments, ")
    assert "ada (work.ipynb: cell 3, lines 2 to 12; cell 4, lines 2 to 14; cell 4, lines 17 to 24)" in lines[0]
    assert "bob (work.ipynb: cell 3, lines 2 to 15;" in lines[0]
    assert "copi" not in " ".join(in_common(report))
    assert "code that half of the submissions have was given to them, and is left out: 1 block" in in_common(report)
    (group,) = [each for each in shared(report) if each["kind"] == "code"]
    assert [(place["submission"], place["where"].split(";")[0]) for place in group["places"]] == [
        ("ada", "cell 3, lines 2 to 12"), ("bob", "cell 3, lines 2 to 15"),
    ]  # fmt: skip


def test_the_same_starter_and_different_work_is_silent(tmp_path: Path) -> None:
    """All have the course's loader and its loops, and each a network of their own."""
    report = a_class(tmp_path, **{f"s{n}": notebook(own(n), renamed("x")) for n in range(8)})
    assert in_common(report) == []


def test_two_who_took_both_loops_from_a_tutorial_are_silent(tmp_path: Path) -> None:
    """train() and test() as the library's tutorial has them, under the same names; the network is their own."""
    loops = re.search(r"def train\(.*?(?=\n# %%)", style("functions"), re.DOTALL)
    assert loops is not None
    books = {f"s{n}": notebook(own(n), loops.group() if n < 2 else f"print({n})") for n in range(8)}
    report = a_class(tmp_path, **books)
    first, second = ({b.same for b in file.blocks if b.size > 100} for file in report.files[:2])
    assert len(first & second) == 2  # both loops are seen to be the same
    assert not [line for line in in_common(report) if "names" in line]


def test_equal_formulas_are_told_with_their_cells() -> None:
    files = [
        FileReport(f"c/{n}/s.xlsx", "workbook", "right", fingerprint="f", submission=n, formulas=(f"S A{i} to C9",))
        for i, n in enumerate(("ada", "bob"), 1)
    ]
    (line,) = in_common(Report(tuple(files)))
    assert line == "2 of 2 files are formula for formula the same: ada (S A1 to C9); bob (S A2 to C9)"
    (group,) = shared(Report(tuple(files)))
    assert [place["where"] for place in group["places"]] == ["S A1 to C9", "S A2 to C9"]


def test_those_whose_formulas_fill_the_same_cells_stand_together() -> None:
    cells = [("a A1", "b A1", "c A1", "d A1"), ("a A2",), ("a A1", "b A1", "c A1", "d A1")]
    files = [
        FileReport(f"c/{n}/s.xlsx", "workbook", "right", fingerprint="f", submission=f"s{n}", formulas=there)
        for n, there in enumerate(cells)
    ]
    (line,) = in_common(Report(tuple(files)))
    assert line.endswith("the same: s0, s2 (a A1, b A1 and 2 more); s1 (a A2)")


def test_hostile_code_breaks_nothing(tmp_path: Path) -> None:
    deep = "x = " + "(" * 90 + "1" + ")" * 90 + "\ny = " + "-" * 3_000 + "1\n" + "a = 1\n" * 20_000
    deep += "z = " + " + ".join(["z"] * 900) + "\n"
    report = a_class(tmp_path, ada=f"# %%\n{deep}", bob="# %%\ndef f(\n", cyd=f"# %%\n{NET}")
    assert len(report.files) == 3
    assert all("internal error" not in file.problem and "nested" not in file.problem for file in report.files)
