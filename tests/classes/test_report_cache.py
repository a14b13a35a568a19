"""What was said is said again for the same content, code and options, and for nothing else."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.notebook.books import style
from tests.notebook.books import write as write_notebook
from tests.workbook.mutants import mutant, right

from tinyproof.api import judging, report_cache
from tinyproof.api.audit import AuditResult, audit
from tinyproof.check.notebook.read.document import MAX_NOTEBOOK_BYTES, MAX_TEXT_BYTES
from tinyproof.check.workbook.read.cells import MAX_FILE_BYTES
from tinyproof.core.errors import InputError


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    for name, made in (("ada", right(3)), ("bob", mutant("wrong-gradient", 4))):
        (folder / name).mkdir(parents=True)
        made.file = "sheet.xlsx"
        made.write(folder / name)
    write_notebook(style("functions"), folder / "cyd")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def said(folder: Path, cache: Path | None, **more: object) -> AuditResult:
    return audit(folder, jobs=1, cache=cache, quiet=True, **more)  # type: ignore[arg-type]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were judged anew."""
    found: list[str] = []
    real = judging.run_bounded

    def watched(function: object, items: list[report_cache.Item], **more: object) -> object:
        found.extend(Path(item.path).parent.name for item in items)
        return real(function, items, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "run_bounded", watched)
    return found


def test_the_same_class_is_read_and_not_judged_and_a_late_one_is(handed_in: Path, cache: Path, read: list[str]) -> None:
    first = said(handed_in, cache)
    assert sorted(read) == ["ada", "bob", "cyd"]
    read.clear()
    again = said(handed_in, cache)
    assert read == []
    assert again == first
    assert again.html() == first.html()
    shutil.copytree(handed_in / "bob", handed_in / "zoe")
    (handed_in / "zoe" / "sheet.xlsx").write_bytes((handed_in / "ada" / "sheet.xlsx").read_bytes() + b" ")
    assert len(said(handed_in, cache).files) == 4
    assert read == ["zoe"]


def test_a_copy_is_said_under_its_own_name(handed_in: Path, cache: Path, read: list[str]) -> None:
    said(handed_in, cache)
    read.clear()
    shutil.copytree(handed_in / "bob", handed_in / "eve")
    files = {file.submission: file for file in said(handed_in, cache).files}
    assert read == []
    assert files["eve"].file.endswith("eve/sheet.xlsx")
    assert files["eve"].findings == files["bob"].findings


def test_what_a_notebook_is_read_with_counts(handed_in: Path, cache: Path, read: list[str]) -> None:
    said(handed_in, cache)
    read.clear()
    (handed_in / "cyd" / "README.md").write_text("The network reaches 99.99 %.")
    said(handed_in, cache)
    assert read == ["cyd"]
    read.clear()
    (handed_in / "cyd" / "model.py").write_text("import torch")
    said(handed_in, cache)
    assert read == ["cyd"]


def test_other_options_are_other_answers(handed_in: Path, cache: Path, read: list[str]) -> None:
    said(handed_in, cache)
    read.clear()
    said(handed_in, cache, disable=["evaluates-on-training-data"])
    assert sorted(read) == ["ada", "bob", "cyd"]


def test_other_code_is_another_answer(
    handed_in: Path, cache: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(handed_in, cache)
    read.clear()
    monkeypatch.setattr(report_cache, "code_digest", lambda: "another")
    said(handed_in, cache)
    assert sorted(read) == ["ada", "bob", "cyd"]


def test_the_digest_of_the_code_is_that_of_every_judging_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in report_cache.judging_files():
        copy = tmp_path / path.relative_to(report_cache._PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    monkeypatch.setattr(report_cache, "_PACKAGE", tmp_path)
    found = set()
    changed = ("check/finding.py", "backprop/expr.py", "core/stats.py", "check/workbook/thresholds.py")
    for place in ("", *changed, "api/judge_file.py", "api/file_kinds.py"):
        if place:
            (tmp_path / place).write_text((tmp_path / place).read_text() + "\n")
        found.add(report_cache.code_digest.__wrapped__())
    assert len(found) == 7


def test_judging_one_file_imports_nothing_that_the_digest_leaves_out() -> None:
    """Of everything that is imported on the way, also inside functions; what `classes` does comes after the cache."""
    held = {_module(path): path for path in report_cache.judging_files() if path.suffix == ".py"}
    assert {"tinyproof.api.judge_file", "tinyproof.check.workbook", "tinyproof.check.notebook"} <= set(held)
    assert judging.audit_one.__module__ in held
    after = "tinyproof.check.classes."
    told = {(module, name) for module, path in held.items() for name in _imported(path) if not module.startswith(after)}
    strange = {(module, name) for module, name in told if name not in held and name != "tinyproof.check.classes"}
    assert not strange
    assert not any(name.startswith(after) for _, name in told)


def _module(path: Path) -> str:
    inside = path.relative_to(report_cache._PACKAGE).with_suffix("")
    return ".".join(("tinyproof", *inside.parts)).removesuffix(".__init__")


def _imported(path: Path) -> set[str]:
    """The modules of the package that a file imports; of `from package import name`, `name` where that is one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in inner if _is_module(name)} or {str(node.module)}
    return {name for name in found if name.partition(".")[0] == "tinyproof"}


def _is_module(name: str) -> bool:
    place = report_cache._PACKAGE.joinpath(*name.split(".")[1:])
    return name.startswith("tinyproof.") and (place.with_suffix(".py").exists() or (place / "__init__.py").exists())


def test_without_a_cache_nothing_is_kept(
    handed_in: Path, cache: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own folder is used where none is named, and not with `no_cache`."""
    monkeypatch.setattr("tinyproof.api.audit.cache_folder", lambda named: cache)
    said(handed_in, None)
    before = sorted(cache.iterdir())
    assert len(before) == 3
    read.clear()
    said(handed_in, None)
    assert read == []
    said(handed_in, None, no_cache=True)
    assert len(read) == 3
    assert sorted(cache.iterdir()) == before


def test_where_the_user_keeps_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYPROOF_CACHE", str(tmp_path))
    assert report_cache.cache_folder(None) == tmp_path / "audits"
    assert report_cache.cache_folder("named") == Path("named")


def damage(entry: dict[str, object], how: str) -> str:
    report = entry["report"]
    assert isinstance(report, dict)
    if how == "half":
        return json.dumps(entry)[:200]
    if how == "other status":
        report["status"] = "undecided"
    if how == "no json":
        return "import os"
    if how == "a list":
        return "[]"
    if how in ("other shape", "no status", "a finding that is none"):
        report |= {
            "other shape": {"more": 1},
            "no status": {"status": "perfect"},
            "a finding that is none": {"findings": [{"rule": 1}]},
        }[how]
        key = str(entry["key"])
        return json.dumps({"sha256": report_cache._digest(key, report), "report": report})
    return json.dumps({name: part for name, part in entry.items() if name != "key"})


@pytest.mark.parametrize(
    "how", ["half", "other status", "no json", "a list", "other shape", "no status", "a finding that is none"]
)
def test_a_damaged_or_changed_entry_is_judged_anew(how: str, handed_in: Path, cache: Path, read: list[str]) -> None:
    first = said(handed_in, cache)
    entries = sorted(cache.glob("*.json"))
    assert len(entries) == 3
    for path in entries:
        path.write_text(damage(json.loads(path.read_text()) | {"key": path.stem}, how))
    read.clear()
    assert said(handed_in, cache) == first
    assert len(read) == 3
    read.clear()
    assert said(handed_in, cache) == first
    assert read == []


def test_an_entry_of_another_file_is_no_answer(handed_in: Path, cache: Path, read: list[str]) -> None:
    """Whole, and with its own digest right: but it was said of something else."""
    first = said(handed_in, cache)
    entries = sorted(cache.glob("*.json"))
    contents = [path.read_bytes() for path in entries]
    for path, content in zip(entries, contents[1:] + contents[:1], strict=True):
        path.write_bytes(content)
    read.clear()
    assert said(handed_in, cache) == first
    assert len(read) == 3


def test_a_file_that_took_too_long_is_not_kept(
    handed_in: Path, cache: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(judging, "SECONDS_PER_FILE", 0.0)
        assert {file.status for file in said(handed_in, cache).files} == {"unreadable"}
    read.clear()
    assert {file.status for file in said(handed_in, cache).files} == {"right", "wrong"}
    assert len(read) == 3


def test_the_cache_is_bounded_and_the_oldest_go_first(
    handed_in: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(handed_in, cache)
    entries = sorted(cache.glob("*.json"))
    for age, path in enumerate(entries):
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    monkeypatch.setattr(report_cache, "MOST_BYTES", sum(path.stat().st_size for path in entries) - 1)
    report_cache.ReportCache(cache).prune()
    assert sorted(cache.glob("*.json")) == entries[1:]


@pytest.mark.skipif(os.name == "nt", reason="permissions differ")
def test_a_folder_that_others_can_write_is_refused(handed_in: Path, cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(InputError, match=r"cache: .* can be written by others"):
        said(handed_in, cache)
    cache.rmdir()
    said(handed_in, cache)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_a_cache_that_is_named_and_forbidden_is_one_line(handed_in: Path, cache: Path) -> None:
    with pytest.raises(InputError, match=r"cache: .*leave one of --cache and --no-cache out"):
        said(handed_in, cache, no_cache=True)
    assert not cache.exists()


def test_a_cache_that_is_a_file_is_one_line(handed_in: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cache: "):
        said(handed_in, tmp_path / "file")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sends a signal to a group")
def test_ctrl_c_keeps_what_was_judged(handed_in: Path, cache: Path, tmp_path: Path) -> None:
    """The same command goes on from there: it judges only what is left, and says the same as one that was let be."""
    many = tmp_path / "many"
    content = (handed_in / "bob" / "sheet.xlsx").read_bytes()
    for number in range(400):
        (many / f"s{number}").mkdir(parents=True)
        (many / f"s{number}" / f"{number}.xlsx").write_bytes(content)
    command = [sys.executable, "-m", "tinyproof", "audit", str(many), "--jobs", "1", "--cache", str(cache), "--json"]
    default = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=default
    ) as run:
        deadline = time.monotonic() + 100
        while len(list(cache.glob("*.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        out, error = run.communicate(timeout=60)
    assert run.returncode == 130
    assert out == ""
    assert "the same command goes on from there" in error
    kept = {path.name for path in cache.glob("*.json")}
    assert 3 <= len(kept) < 400
    assert not list(cache.glob("*.partial"))
    for number in range(20, 400):
        shutil.rmtree(many / f"s{number}")
    found = audit(many, jobs=1, cache=cache, quiet=True)
    assert {file.status for file in found.files} == {"wrong"}
    assert len({path.name for path in cache.glob("*.json")} - kept) <= 17


@pytest.mark.parametrize("name", ["s.xlsx", "s.ipynb", "s.py", "README.md"])
def test_what_no_reader_takes_is_refused_without_being_read_for_its_digest(
    name: str, handed_in: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digested: list[int] = []
    real = report_cache.sha256

    def watched(content: bytes | Path) -> str:
        digested.append(content.stat().st_size if isinstance(content, Path) else len(content))
        return real(content)

    assert max(MAX_NOTEBOOK_BYTES, MAX_FILE_BYTES, MAX_TEXT_BYTES) == report_cache.MOST_READ_BYTES
    monkeypatch.setattr(report_cache, "sha256", watched)
    with (handed_in / "cyd" / name).open("wb") as file:
        file.truncate(100_000_000_000)
    found = said(handed_in, cache)
    assert digested
    assert max(digested) < report_cache.MOST_READ_BYTES
    told = {report.file: report.status for report in found.files if report.file.endswith(name)}
    told |= {left.file: left.why for left in found.left_out if left.file.endswith(name)}
    assert all(why == "unreadable" or "a script of more than" in why for why in told.values()), told
    assert told or name == "README.md"
