"""Time the audit of 600 notebooks with full progress bars and a picture each: wall, processor time, memory.

python benchmarks/audit_notebooks.py [--count 600] [--jobs 2]
python benchmarks/audit_notebooks.py --growth     one notebook, and 2, 4, 8, 16 times as much code and log in one
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.notebook.books import STYLES, style, write  # noqa: E402

from tinyproof.api.audit import audit  # noqa: E402
from tinyproof.check.notebook import audit_notebook  # noqa: E402

_STEP = "\rLoss={loss:.4f} Batch_id={i} Accuracy={part:.2f}: {part:3.0f}%|#| {i}/469"
BAR = "".join(_STEP.format(loss=2 / (i + 1), i=i, part=i / 4.69) for i in range(469))


def fill(folder: Path, count: int) -> int:
    """Write the notebooks, five to a submission; the bytes written."""
    names = sorted(path.stem for path in STYLES.glob("*.txt") if path.stem != "script")
    size = 0
    for number in range(count):
        path = write(style(names[number % len(names)]), folder / f"{number // 5:03d}", f"S{number % 5}.ipynb")
        book = json.loads(path.read_text())
        output = [{"output_type": "stream", "name": "stderr", "text": [BAR + "\n"] * 15}]
        output.append({"output_type": "display_data", "data": {"image/png": "A" * 150_000}})
        book["cells"].append({"cell_type": "code", "source": "show()", "outputs": output})
        path.write_text(json.dumps(book))
        size += path.stat().st_size
    return size


def growth() -> None:
    """How the time of one notebook grows with its size: seconds for each KB, beside those of the smallest."""
    first = 0.0
    print("| times | KB | seconds | of the smallest, for each KB |\n| ---: | ---: | ---: | ---: |")
    for times in (1, 2, 4, 8, 16):
        text = style("functions")
        begin, rest = text.index("# %%\nfrom tqdm"), text[text.index("# %%\nfrom tqdm") :]
        with tempfile.TemporaryDirectory() as name:
            path = write(text[:begin] + rest * times, Path(name))
            kilobytes = path.stat().st_size / 1000
            seconds = min(_seconds(path) for _ in range(3))
        first = first or seconds / kilobytes
        print(f"| {times} | {kilobytes:.0f} | {seconds:.2f} | {seconds / kilobytes / first:.2f} |")


def _seconds(path: Path) -> float:
    start = time.process_time()
    audit_notebook(path)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    if arguments.growth:
        growth()
        return
    with tempfile.TemporaryDirectory() as name:
        size = fill(Path(name), arguments.count)
        start = time.monotonic()
        report = audit(name, jobs=arguments.jobs)
        wall = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{len(report.files)} notebooks, {size / 1e6:.0f} MB, {arguments.jobs} processes: {wall:.1f} s")
    print(f"processor time {used.ru_utime + used.ru_stime:.1f} s, largest worker {used.ru_maxrss / 1024:.0f} MB")
    print(report.counts())


if __name__ == "__main__":
    main()
