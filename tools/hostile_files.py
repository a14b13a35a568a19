"""Hostile workbooks and notebooks, made one after the other and audited: what comes of each, in a word.

`python tools/attacks.py files` prints the table. Every folder has a file that the attack would remove, a port that it
would call and a text that would run in a page; none of that may happen. What is called admitted is an attack that
succeeds: the audit must be right about that too.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tinyproof
from tinyproof.core.errors import TinyproofError
from tinyproof.core.printed import visible

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DOOR = socket.create_server(("127.0.0.1", 0))
PORT = DOOR.getsockname()[1]
SCRIPT = "<script>document.title='taken'</script>"
CODE = """import torch
import torch.nn as nn, torch.nn.functional as F
from torchvision import datasets, transforms
train_data = datasets.MNIST('.', train=True, download=True, transform=transforms.ToTensor())
test_data = datasets.MNIST('.', train=False, transform=transforms.ToTensor())
train_loader = torch.utils.data.DataLoader(train_data, batch_size=64, shuffle=True)
test_loader = torch.utils.data.DataLoader(test_data, batch_size=64)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.LogSoftmax(1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
{more}
def train(loader):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.nll_loss(model(x), y)
        loss.backward()
        optimizer.step()
def test(loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in loader:
            correct += model(x).argmax(1).eq(y).sum().item()
    of = len(loader.dataset)
    print('Test set: Accuracy: {}/{} ({:.2f}%)'.format(correct, of, 100. * correct / of))
for epoch in range(1, 4):
    print('EPOCH:', epoch)
    train(train_loader)
    test(test_loader)
"""
LOG = "".join(f"EPOCH: {k}\nTest set: Accuracy: {9000 + k}/10000 (90.0{k}%)\n" for k in (1, 2, 3))
TYPED = "".join(f"EPOCH: {k}\nTest set: Accuracy: {9970 + k}/10000 (99.7{k}%)\n" for k in (1, 2, 3))


@dataclass(frozen=True)
class Attack:
    """A hostile file: what makes it in a folder, and a word that the answer must hold."""

    name: str
    make: Callable[[Path], object]
    answer: str
    file: str = "book.xlsx"


def workbook(sheet: str = "", relations: str = "", **parts: str | bytes) -> Callable[[Path], object]:
    """A workbook around the XML of a sheet; `parts` by their names, `__` for a slash and `_xml` for the ending."""

    def make(path: Path) -> None:
        kinds = "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>{}</Relationships>"
        one = "<Relationship Id='r1' Type='" + RELATIONS + "/{}' Target='{}'/>"
        found: dict[str, str | bytes] = {
            "_rels/.rels": kinds.format(one.format("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f"<workbook xmlns='{MAIN}' xmlns:r='{RELATIONS}'>"
            "<sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>",
            "xl/_rels/workbook.xml.rels": kinds.format(one.format("worksheet", "worksheets/sheet1.xml") + relations),
            "xl/worksheets/sheet1.xml": sheet or cells(""),
        }
        found |= {name.replace("__", "/").replace("_xml", ".xml"): content for name, content in parts.items()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in found.items():
                archive.writestr(name, content)

    return make


def cells(rows: str) -> str:
    """The XML of a sheet."""
    return f"<worksheet xmlns='{MAIN}'><sheetData>{rows}</sheetData></worksheet>"


def formula(text: str) -> Callable[[Path], object]:
    """A workbook of one formula."""
    return workbook(cells(f"<row r='1'><c r='A1'><f>{text}</f><v>1</v></c></row>"))


def changed(change: Callable[[str, bytes], bytes]) -> Callable[[Path], object]:
    """A right workbook of this package, its parts changed."""

    def make(path: Path) -> None:
        whole = path.with_name("whole.xlsx")
        tinyproof.workbook("course", whole, rates=[0.5], iterations=8, picture=False)
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, change(name, old.read(name)))
        whole.unlink()

    return make


def typed(name: str, part: bytes) -> bytes:
    """In one sheet the formulas of a column in the middle become numbers that somebody typed."""
    if not name.endswith("sheet3.xml"):
        return part
    return re.sub(rb'(<c r="Y\d+"[^>]*>)<f>[^<]*</f><v>[^<]*</v>', rb"\g<1><v>0.01</v>", part)


def as_it_is(name: str, part: bytes) -> bytes:
    """A part that is not changed."""
    return part


def notebook(more: str = "", output: str = LOG, text: str = "") -> Callable[[Path], object]:
    """A right training notebook with more in it."""

    def make(path: Path) -> None:
        outputs = [{"output_type": "stream", "name": "stdout", "text": output}]
        code = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": outputs}
        shown = [
            {"cell_type": "markdown", "metadata": {}, "source": text},
            {**code, "source": CODE.replace("{more}", more)},
        ]
        path.write_text(json.dumps({"cells": shown, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))

    return make


def content(data: bytes) -> Callable[[Path], object]:
    """A file of these bytes."""
    return lambda path: path.write_bytes(data)


def directory(path: Path) -> None:
    """A zip archive whose directory has hundreds of thousands of members."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "")
        archive.filelist *= 700_000
        archive._didModify = True


def helper(path: Path) -> None:
    """A module beside a notebook that does harm when it is imported."""
    (path.parent / "helper.py").write_text("import os\nos.remove('keep')\n")
    notebook("import helper\nfrom helper import *")(path)


NOTE, PAGE = "work.ipynb", "page"
ENTITIES = f"<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '{'&b;' * 10}'><!ENTITY d '{'&c;' * 10}'>]>"
LINK = f"<Relationship Id='x' Type='{RELATIONS}/externalLink' Target='file:///etc/passwd' TargetMode='External'/>"
WORKBOOKS = (
    Attack("a zip bomb", workbook(cells("") + " " * 200_000_000), "zip bomb"),
    Attack("a zip archive of 700,000 members", directory, "directory of"),
    Attack("names of members that leave the folder", workbook(**{"..__keep": "taken"}), "undecided"),
    Attack("entities of entities", workbook(ENTITIES + cells("")), "document type"),
    Attack("the same behind a comment of 100 kB", workbook(f"<!-- <a {' ' * 100_000} -->{ENTITIES}{cells('')}"), "XML"),
    Attack(
        "an entity that is a file",
        workbook(f"<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>{cells('<row>&f;</row>')}"),
        "document type",
    ),
    Attack("elements nested 600,000 deep", workbook(cells("<x>" * 600_000 + "</x>" * 600_000)), "deeply"),
    Attack("two million elements of no use", workbook(cells("".join(f"<x>{k}</x>" for k in range(2_000_001)))), "tags"),
    Attack("brackets 4,000 deep in a formula", formula("(" * 4_000 + "1" + ")" * 4_000), "undecided"),
    Attack("a sum of every cell there could be", formula("SUM(A1:XFD1048576)"), "undecided"),
    Attack("a formula that calls the web", formula(f"WEBSERVICE(&quot;http://127.0.0.1:{PORT}/&quot;)"), "undecided"),
    Attack("a formula that starts a program", formula("cmd|'/C rm keep'!A0"), "undecided"),
    Attack("links to other files", workbook(relations=LINK), "undecided"),
    Attack(
        "macros",
        workbook(
            relations=f"<Relationship Id='m' Type='{RELATIONS}/vbaProject' Target='vbaProject.bin'/>",
            **{"xl__vbaProject.bin": b"\xd0\xcf\x11\xe0 Kill keep"},
        ),
        "undecided",
    ),
    Attack("a pipe called book.xlsx", os.mkfifo, "device or a pipe"),
    Attack("a link to itself", lambda path: path.symlink_to(path.name), "no file or folder"),
    Attack("half of a workbook", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(500)), "damaged"),
    Attack(
        "a script in the name of a sheet",
        changed(lambda name, part: part.replace(b'name="eta 0.5"', b'name="&lt;script&gt;document.title=1"')),
        "right",
    ),
    Attack("a name that is a formula", changed(as_it_is), "right", "=cmd|'C'!A0.xlsx"),
    Attack(
        "a name that turns round and moves a terminal",
        changed(as_it_is),
        "right",
        "a\x1b[2J\u202exslx.xlsx",
    ),
    Attack("a gradient typed over its formula", changed(typed), "wrong"),
    Attack("the sheet of somebody else", changed(as_it_is), "admitted"),
)
NOTEBOOKS = (
    Attack("code that removes a file, in six ways", notebook(
        "import os, shutil, subprocess\nos.remove('keep')\n!rm keep\n%run evil.py\nexec(\"os.remove('keep')\")\n"
        "subprocess.run(['rm', 'keep'])\n__import__('os').unlink('keep')"), "undecided", NOTE),
    Attack("a module beside it that does so when imported", helper, "right", NOTE),
    Attack("lists nested 100,000 deep", content(b"[" * 100_000), "nested too deeply", NOTE),
    Attack("three million lists", content(b"[" + b"[]," * 3_000_000), "JSON values", NOTE),
    Attack("powers of powers, lists of 10^12, endless loops", notebook(
        "x = 9**9**9**9\ny = [0] * 10**12\nwhile False: pass\nz = [1]\n" + "z = z + z\n" * 80), "right", NOTE),
    Attack("functions that call each other without end", notebook(
        "def f(n): return g(n) + g(n)\ndef g(n): return f(n) + f(n)\nf(1)"), "right", NOTE),
    Attack("half of an emoji", notebook(text="half \ud83d", output=LOG + "\ud83d"), "right", NOTE),
    Attack("a script in its text and its log", notebook(text=SCRIPT, output=LOG + SCRIPT), "right", NOTE),
    Attack("codes that clear a terminal", notebook(output=LOG + "\x1b[2J\x1b]0;all right\x07"), "right", NOTE),
    Attack("a link to a file outside", lambda path: path.symlink_to("/etc/passwd"), "JSON is damaged", NOTE),
    Attack("the test loader exchanged", notebook("test_loader = train_loader"), "wrong", NOTE),
    Attack("the same by exec", notebook("exec('test_loader = train_loader')"), "wrong", NOTE),
    Attack("the same by globals()", notebook("globals()['test_loader'] = train_loader"), "wrong", NOTE),
    Attack("a figure that no log holds", notebook(text="Final test accuracy: 99.91 %"), "unsupported", NOTE),
    Attack("a log that was typed, beside right code", notebook(output=TYPED), "admitted", NOTE),
    Attack("a file of images exchanged on the disk", notebook(), "admitted", NOTE),
)  # fmt: skip


def called() -> bool:
    """Whether somebody called the port that nobody should call."""
    DOOR.setblocking(False)
    try:
        DOOR.accept()
    except BlockingIOError:
        return False
    return True


def harm(folder: Path, said: dict[str, str]) -> str:
    """What the attack did that it must not; "" where it did nothing."""
    kept = folder / "keep"
    if not kept.is_file() or kept.read_text() != "kept" or called():
        return "HARM: something was executed"
    if "<script>document" in said["page"] or set("\x1b\x07\u202e") & set(said["text"]):
        return "HARM: something was shown as it stood"
    fields = [field for row in csv.reader(io.StringIO(said["table"])) for field in row]
    return "HARM: a formula in a table" if any(field[:1] in ("=", "+", "-", "@") for field in fields) else ""


def answer_to(attack: Attack, folder: Path) -> str:
    """What the audit says of the attack's file."""
    folder.mkdir()
    (folder / "keep").write_text("kept")
    attack.make(folder / attack.file)
    with contextlib.chdir(folder):
        said = _asked(folder / attack.file)
    did = harm(folder, said)
    return did or visible(said["answer"].replace(f"{folder}/", "").replace(f"{attack.file}: ", ""))


def _asked(file: Path) -> dict[str, str]:
    """What the command line prints about a file; its answer, page and table."""
    words = [sys.executable, "-m", "tinyproof", "audit", str(file), "--details"]
    printed = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=100, check=False)
    said = {"text": printed.stdout + printed.stderr}
    try:
        found = tinyproof.audit(file, jobs=1, quiet=True)
    except TinyproofError as error:
        return {**said, "answer": str(error), "page": "", "table": ""}
    (one,) = found.files
    answer = f"{one.status}: {one.problem}" if one.status == "unreadable" else one.status
    return {**said, "answer": answer, "page": found.html(), "table": found.table().csv()}
