"""A network of your own is loaded as `python model.py` would load it, its neighbours included, and nobody else's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tinyproof.core.errors import DataError, InputError
from tinyproof.network import nets, own_files, own_network

BLOCKS = """
import torch.nn as nn
WIDTH = {width}
def block(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, bias=False), nn.ReLU(), nn.BatchNorm2d(outputs))
"""
NET = """
from torch import nn
{imports}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential({block}(1, {width}), {block}({width}, {width}))
        self.out = nn.Linear({width}, 10)
    def forward(self, x):
        return self.out(self.features(x).mean((2, 3)))
if __name__ == "__main__":
    print(sum(p.numel() for p in Net().parameters()))
"""


def write(folder: Path, *, imports: str = "from blocks import WIDTH, block", block: str = "block", **files: str) -> str:
    """A model and its neighbours (`blocks` unless others are named): `path:Class`."""
    width = files.pop("width", "WIDTH")
    for name, text in {"blocks": BLOCKS.format(width=6), **files}.items():
        path = folder / f"{name.replace('__', '/') if '/' not in name else name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "model.py").write_text(NET.format(imports=imports, block=block, width=width))
    return f"{folder / 'model.py'}:Net"


def size(model: str) -> int:
    return sum(parameter.numel() for parameter in nets.build(model).parameters())


def as_python_says(folder: Path) -> int:
    found = subprocess.run([sys.executable, "model.py"], cwd=folder, capture_output=True, text=True, check=True)
    return int(found.stdout)


def test_a_neighbour_is_found_and_its_digest_taken(tmp_path: Path) -> None:
    model, path = write(tmp_path), list(sys.path)
    module = nets.build(model)
    assert sum(p.numel() for p in module.parameters()) == as_python_says(tmp_path)
    assert list(own_network.files_of(module)) == ["blocks.py", "model.py"]
    assert own_network.files_of(module)["blocks.py"] == (tmp_path / "blocks.py").read_bytes()
    assert sys.path == path
    assert "blocks" not in sys.modules
    assert own_network.files_of(nets.build("s7-8k")) == {}


def test_a_relative_import_in_a_package(tmp_path: Path) -> None:
    folder = tmp_path / "source" / "inner"
    write(folder, imports="from .blocks import block\nfrom ..sizes import WIDTH")
    for name in ("source/__init__.py", "source/inner/__init__.py"):
        (tmp_path / name).write_text("from .model import Net\n" if "inner" in name else "")
    (tmp_path / "source" / "sizes.py").write_text("WIDTH = 7\n")
    module = nets.build(f"{folder / 'model.py'}:Net")
    assert list(own_network.files_of(module)) == [
        "../__init__.py",
        "../sizes.py",
        "__init__.py",
        "blocks.py",
        "model.py",
    ]


def test_a_relative_import_without_a_package(tmp_path: Path) -> None:
    assert size(write(tmp_path, imports="from .blocks import WIDTH, block")) == size(write(tmp_path))


def test_a_neighbour_may_be_a_package_with_neighbours_of_its_own(tmp_path: Path) -> None:
    parts = {"parts/__init__": "from .deep.inner import block\nfrom sizes import WIDTH\n", "sizes": "WIDTH = 5\n"}
    parts["parts/deep/inner"] = BLOCKS.format(width=1)
    model = write(
        tmp_path, imports="import parts, parts.deep.inner as deep\nfrom parts import WIDTH", block="deep.block", **parts
    )
    module = nets.build(model)
    assert sum(p.numel() for p in module.parameters()) == as_python_says(tmp_path)
    assert list(own_network.files_of(module)) == ["model.py", "parts/__init__.py", "parts/deep/inner.py", "sizes.py"]


def test_two_files_with_neighbours_of_one_name_do_not_meet(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one"), write(tmp_path / "other", blocks=BLOCKS.format(width=9))
    assert (size(one), size(other), size(one)) == (6 * 9 * 7 + 24 + 70, 9 * 9 * 10 + 36 + 100, 6 * 9 * 7 + 24 + 70)


@pytest.mark.parametrize("name", ["random", "string", "scipy"])
def test_a_neighbour_called_like_a_library_is_the_file_s_alone(name: str, tmp_path: Path) -> None:
    model = write(tmp_path, imports=f"from {name} import WIDTH, block", **{name: BLOCKS.format(width=4)})
    assert size(model) == 4 * 9 * 5 + 16 + 50
    library = subprocess.run(
        [sys.executable, "-c", f"import {name}; print({name}.__file__)"], capture_output=True, text=True, check=True
    ).stdout
    assert __import__(name).__file__ == library.strip()


def test_what_the_interpreter_itself_holds_comes_first(tmp_path: Path) -> None:
    assert size(write(tmp_path, imports="import sys, time\nfrom blocks import *\ntime.time()", time="1 / 0")) > 0


def test_a_neighbour_that_is_imported_when_the_network_is_called(tmp_path: Path) -> None:
    model = write(tmp_path, late="def double(x): return 2 * x\n")
    text = (tmp_path / "model.py").read_text()
    late = "        from late import double\n        return double(self.out"
    (tmp_path / "model.py").write_text(text.replace("        return self.out", late).replace("3)))", "3))))"))
    module = nets.build(model)
    assert "late.py" not in own_network.files_of(module)
    module(torch.zeros(2, 1, 28, 28))
    assert list(own_network.files_of(module)) == ["blocks.py", "late.py", "model.py"]


def test_other_ways_to_reach_a_neighbour(tmp_path: Path) -> None:
    by_name = "import importlib\nblocks = importlib.import_module('blocks')\nWIDTH, block = blocks.WIDTH, blocks.block"
    module = nets.build(write(tmp_path / "a", imports=by_name))
    assert list(own_network.files_of(module)) == ["blocks.py", "model.py"]
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "far.py").write_text(BLOCKS.format(width=3))
    path = list(sys.path)
    added = f"import sys\nsys.path.insert(0, {str(tmp_path / 'lib')!r})\nfrom far import WIDTH, block"
    module = nets.build(write(tmp_path / "b", imports=added))
    assert list(own_network.files_of(module)) == ["../lib/far.py", "model.py"]
    assert sys.path == path


def test_a_changed_neighbour_is_run_as_it_is_now(tmp_path: Path) -> None:
    """Also within the second that compiled files are dated by."""
    model = write(tmp_path)
    first = size(model)
    (tmp_path / "blocks.py").write_text(BLOCKS.format(width=8))
    assert size(model) != first
    assert not (tmp_path / "__pycache__").exists()


def test_the_main_part_is_not_run_and_our_arguments_are_not_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parsed = "from blocks import WIDTH, block\nimport argparse\nargparse.ArgumentParser().parse_args()\nprint('read')"
    argv = list(sys.argv)
    assert size(write(tmp_path, imports=parsed)) > 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "read\n")
    assert sys.argv == argv


WRONG = [
    (
        "import nowhere_at_all",
        r"model\.py: does not run: ModuleNotFoundError: No module named 'nowhere_at_all' \(model\.py, line 3\)",
    ),
    ("import broken", r"does not run: ZeroDivisionError: division by zero \(broken\.py, line 2\)"),
    ("import spelt", r"does not run: SyntaxError"),
    (
        "import sys; sys.exit()",
        r"model\.py: ends the program \(sys\.exit\); put what trains or tests under: if __name__",
    ),
    ("raise SystemExit('no')", "ends the program"),
    ("from blocks import nothing", r"does not run: ImportError: cannot import name 'nothing'"),
]


@pytest.mark.parametrize(("line", "words"), WRONG)
def test_a_file_that_does_not_run_is_one_line(line: str, words: str, tmp_path: Path) -> None:
    model = write(tmp_path, imports=line, broken="\n1 / 0\n", spelt="def\n")
    path, argv = list(sys.path), list(sys.argv)
    with pytest.raises(DataError, match=words) as caught:
        nets.build(model)
    assert "\n" not in str(caught.value)
    assert (sys.path, sys.argv) == (path, argv)


def test_a_network_that_ends_the_program_when_it_is_made_or_called(tmp_path: Path) -> None:
    model = write(tmp_path, width="exit()")
    with pytest.raises(DataError, match="ends the program"):
        nets.build(model)


def test_a_class_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    model = write(
        tmp_path, blocks=BLOCKS.format(width=6) + "class Other(nn.Module):\n    pass\n", imports="from blocks import *"
    )
    with pytest.raises(InputError, match=r"one of its networks: Other, Net \(model\.py\)"):
        nets.build(model.replace(":Net", ":Nets"))


def test_a_digest_of_one_file_is_its_own_and_of_more_covers_names_and_content() -> None:
    one, two = {"net.py": "a" * 64}, {"net.py": "a" * 64, "b.py": "b" * 64}
    assert own_files.digest(one) == "a" * 64
    assert len({own_files.digest(files) for files in (one, two, {"net.py": "a" * 64, "c.py": "b" * 64})}) == 3
    assert own_files.differences(two, {"net.py": "c" * 64, "d.py": "b" * 64}) == [
        "b.py is not imported any more", "d.py is new", "net.py has changed",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["../../up.py", "/root/x.py", "C:\\x.py", "a/./b.py", ".."])
def test_copies_stay_inside_whatever_a_record_calls_them(name: str, tmp_path: Path) -> None:
    place = own_files.place(tmp_path, name).resolve()
    assert place.is_relative_to(tmp_path / own_files.KEPT)


def test_copies_that_are_not_what_the_record_says_are_left_out(tmp_path: Path) -> None:
    files = {"net.py": b"x = 1\n", "../b.py": b"y = 1\n"}
    own_files.keep(tmp_path, files)
    recorded = own_files.digests(files)
    assert own_files.kept(tmp_path, recorded) == {"net.py": "x = 1\n", "../b.py": "y = 1\n"}
    own_files.place(tmp_path, "net.py").write_text("x = 2\n")
    assert own_files.kept(tmp_path, recorded) == {"../b.py": "y = 1\n"}
    assert own_files.diff({"net.py": "x = 1\n"}, {"net.py": "x = 2\n"}).splitlines()[-2:] == ["-x = 1", "+x = 2"]
