"""Build the package and see that it is well made: what a release publishes, and what CI builds to try it.

    python tools/package.py             build wheel and sdist into dist/, check them, say their sizes and digests
    python tools/package.py --out DIR   into this folder

What is checked, each a line where it does not hold (exit 1): `twine check --strict`, `check-wheel-contents`; the sdist,
unpacked elsewhere at another time, builds the same wheel, byte for byte; it holds the tests and the documentation; no
link of the package's own page is relative. The tools are those of this interpreter (the extra `dev`): nothing is
fetched. The time in both files is SOURCE_DATE_EPOCH, where that is set, and else always the same.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELD = ("src/tinyproof/__init__.py", "tests/conftest.py", "docs/prove.md", "tools/package.py", "README.md", "LICENSE")
RELATIVE = re.compile(r"\]\((?![a-z]+:|#)[^)\s]+\)")


def build(tree: Path, out: Path, *kinds: str) -> list[Path]:
    """Build in this environment; `kinds`: `wheel`, `sdist`. Returns the files in this order."""
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), *(f"--{kind}" for kind in kinds)]
    done = subprocess.run([*words, str(tree)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"package: {tree} cannot be built:\n{done.stdout}{done.stderr}")
    return [next(out.glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[kind])) for kind in kinds]


def metadata(wheel: Path) -> str:
    """The METADATA of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()


def rebuilt(sdist: Path, folder: Path) -> Path:
    """The wheel that an sdist builds, unpacked in `folder` with the times and the rights of another day and machine."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    tree = next(folder.iterdir())
    for path in tree.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    return build(tree, folder / "again", "wheel")[0]


def tool_faults(wheel: Path, sdist: Path) -> Iterator[str]:
    """What twine and check-wheel-contents say."""
    for words in (["twine", "check", "--strict", str(wheel), str(sdist)], ["check_wheel_contents", str(wheel)]):
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
        if done.returncode:
            yield f"{words[0]}: {(done.stdout + done.stderr).strip()}"


def held_faults(wheel: Path, sdist: Path) -> Iterator[str]:
    """What is missing from the sdist."""
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    yield from (f"{sdist.name} does not hold {name}" for name in HELD if name not in held)


def link_faults(wheel: Path, sdist: Path) -> Iterator[str]:
    """Links of the package's own page that lead nowhere."""
    yield from (f"{wheel.name}: a relative link: {link}" for link in RELATIVE.findall(metadata(wheel)))


def rebuilt_faults(wheel: Path, sdist: Path) -> Iterator[str]:
    """Another wheel from the sdist."""
    with tempfile.TemporaryDirectory() as folder:
        if rebuilt(sdist, Path(folder)).read_bytes() != wheel.read_bytes():
            yield f"{sdist.name} builds another wheel than {wheel.name}"


def faults(wheel: Path, sdist: Path) -> list[str]:
    """Everything in the two files that is not as it should be."""
    checks = (tool_faults, held_faults, link_faults, rebuilt_faults)
    return [fault for check in checks for fault in check(wheel, sdist)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    out = parser.parse_args().out
    if out.is_dir() and any(out.iterdir()):
        raise SystemExit(f"package: {out} is not empty")
    made = build(ROOT, out, "wheel", "sdist")
    found = faults(*made)
    for fault in found:
        print(f"package: {fault}")
    for path in made:
        print(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}  {path.stat().st_size:,} bytes")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
