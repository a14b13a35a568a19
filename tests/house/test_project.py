"""What stands around the code is true: one version, workflows that call what exists, forms that can be read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.release import notes, version

ROOT = Path(__file__).resolve().parents[2]
AROUND = (
    "pyproject.toml", "Makefile", "CITATION.cff", "SECURITY.md", "CHANGELOG.md", ".editorconfig",
    ".pre-commit-config.yaml", ".ci", ".github", "tools",
)  # fmt: skip


def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def workflows(root: Path) -> dict[str, Any]:
    return {path.name: read_yaml(path) for path in sorted((root / ".github" / "workflows").glob("*.yml"))}


def commands(root: Path) -> Iterator[tuple[str, str]]:
    """(file, command line) of everything that a workflow or a hook runs."""
    for name, workflow in workflows(root).items():
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                yield from ((name, line) for line in step.get("run", "").splitlines())
    for repo in read_yaml(root / ".pre-commit-config.yaml")["repos"]:
        yield from ((".pre-commit-config.yaml", hook["entry"]) for hook in repo["hooks"])
    for line in (root / ".ci" / "run").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield ".ci/run", line


def version_faults(root: Path) -> Iterator[str]:
    """The version stands in one place."""
    described = project(root)
    if "version" in described["project"] or "version" not in described["project"].get("dynamic", []):
        yield "pyproject.toml: the version is typed a second time"
    if described["tool"]["hatch"].get("version") != {"path": "src/tinyproof/__init__.py"}:
        yield "pyproject.toml: the version is not taken from __version__"
    cited = read_yaml(root / "CITATION.cff").get("version", version())
    if cited != version():
        yield f"CITATION.cff: version {cited}, the package has {version()}"


def command_faults(root: Path) -> Iterator[str]:
    """Targets, files and extras that a command names are there; no registry is named."""
    targets = set(re.findall(r"^([\w-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    extras = set(project(root)["project"]["optional-dependencies"])
    for file, line in commands(root):
        for target in re.findall(r"\bmake ([a-z][\w-]*)", line.partition("#")[0]):
            if target not in targets and "apt-get" not in line and not line.lstrip().startswith("g++"):
                yield f"{file}: the Makefile has no target {target}"
        for path in re.findall(r"(?:^|\s)((?:tools|\.ci|tests)/[\w./-]+)", line):
            if not (root / path).is_file():
                yield f"{file}: there is no {path}"
        for extra in re.findall(r"\.\[(\w+)\]", line):
            if extra not in extras:
                yield f"{file}: there is no extra {extra}"
        if re.search(r"https?://|--index-url|--extra-index", line):
            yield f"{file}: names a host: {line.strip()}"


def matrix_faults(root: Path) -> Iterator[str]:
    """The tests run on three systems and on each Python from the lowest that is promised."""
    jobs = workflows(root)["tests.yml"]["jobs"]
    lowest = project(root)["project"]["requires-python"].removeprefix(">=")
    for name, job in jobs.items():
        pythons = job["strategy"]["matrix"]["python"]
        if pythons != [f"3.{minor}" for minor in range(11, 15)] or pythons[0] != lowest:
            yield f"tests.yml: {name} runs on {pythons}, {lowest} and later are promised"
    systems = [job["runs-on"] for job in jobs.values()] + [
        system for job in jobs.values() for system in job["strategy"]["matrix"].get("system", [])
    ]
    for system in ("ubuntu-latest", "macos-latest", "windows-latest"):
        if system not in systems:
            yield f"tests.yml: nothing runs on {system}"
    if not any(".ci/run" in step.get("run", "") for step in jobs["linux"]["steps"]):
        yield "tests.yml: Linux does not run .ci/run"


def form_faults(root: Path) -> Iterator[str]:
    """Each issue form has what a form needs."""
    for path in sorted((root / ".github" / "ISSUE_TEMPLATE").glob("*.yml")):
        form = read_yaml(path)
        if path.name == "config.yml":
            continue
        missing = {"name", "description", "body"} - form.keys()
        ids = [field.get("id") for field in form.get("body", [])]
        if missing or None in ids or len(set(ids)) != len(ids):
            yield f"{path.name}: lacks {', '.join(sorted(missing)) or 'an id of its own for each field'}"
        if any(f["type"] not in ("input", "textarea", "dropdown", "checkboxes") for f in form.get("body", [])):
            yield f"{path.name}: a field of a type that no form has"


def citation_faults(root: Path) -> Iterator[str]:
    cited = read_yaml(root / "CITATION.cff")
    missing = {"cff-version", "message", "title", "authors"} - cited.keys()
    if missing:
        yield f"CITATION.cff: lacks {', '.join(sorted(missing))}"
    if cited.get("license") != project(root)["project"]["license"]:
        yield "CITATION.cff: another licence than pyproject.toml"
    if cited.get("authors") != project(root)["project"]["authors"]:
        yield "CITATION.cff: other authors than pyproject.toml"


def faults(root: Path) -> list[str]:
    checks = (version_faults, command_faults, matrix_faults, form_faults, citation_faults)
    return [fault for check in checks for fault in check(root)]


def test_everything_around_the_code_is_true() -> None:
    assert faults(ROOT) == []


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "a second version": (
        replaced("pyproject.toml", 'dynamic = ["version", ', 'version = "0.9.9"\ndynamic = ['),
        "typed a second time",
    ),
    "another version cited": (replaced("CITATION.cff", "license: MIT", "license: MIT\nversion: 0.0.7"), "0.0.7"),
    "another licence cited": (replaced("CITATION.cff", "license: MIT", "license: Apache-2.0"), "another licence"),
    "other authors cited": (replaced("CITATION.cff", "The tinyproof authors", "Nobody"), "other authors"),
    "no such target": (replaced(".pre-commit-config.yaml", "make check", "make chekc"), "no target chekc"),
    "no such tool": (replaced(".github/workflows/release.yml", "tools/release.py", "tools/relaese.py"), "relaese"),
    "no such extra": (replaced(".github/workflows/tests.yml", '".[dev]"', '".[devel]"'), "no extra devel"),
    "a registry": (
        replaced(".github/workflows/tests.yml", "-c constraints.txt", "--index-url https://example.org"),
        "names a host",
    ),
    "no Windows": (replaced(".github/workflows/tests.yml", ", windows-latest", ""), "nothing runs on windows"),
    "an older Python promised": (replaced("pyproject.toml", ">=3.11", ">=3.10"), "3.10 and later are promised"),
    "CI not called": (replaced(".github/workflows/tests.yml", ".ci/run", "make"), "does not run .ci/run"),
    "a form without a name": (
        replaced(".github/ISSUE_TEMPLATE/fault.yml", "name: A", "nmae: A"),
        "fault.yml: lacks name",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_untrue_is_named(name: str, tmp_path: Path) -> None:
    for part in AROUND:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tmp_path / part)
    assert faults(tmp_path) == []
    change, told = BROKEN[name]
    change(tmp_path)
    found = faults(tmp_path)
    assert any(told in fault for fault in found), found


def test_every_file_around_the_code_is_there() -> None:
    assert [name for name in AROUND if not (ROOT / name).exists()] == []


def test_the_command_prints_the_version_of_the_source() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tinyproof", "--version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == f"tinyproof {version()}\n"


def test_a_release_needs_its_version_and_its_notes(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0 (today)\n\n- New.\n\n## 1.1.0\n\n- Old.\n")
    assert notes("1.2.0", tmp_path) == "- New."
    assert notes("1.1.0", tmp_path) == "- Old."
    assert notes("1.2", tmp_path) == notes("2.0.0", tmp_path) == ""
    tool = [sys.executable, str(ROOT / "tools" / "release.py")]
    done = subprocess.run([*tool, "v0.0.0"], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"the tag is v0.0.0, the version of the package {version()}" in done.stderr
