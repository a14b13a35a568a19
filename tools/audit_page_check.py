"""The audit page against the command, file by file: `python tools/audit_page_check.py audit.html FILE...`

Each file is given to the page in a headless Chromium and to `tinyproof audit`; a line says how long the page took, in
seconds and in seconds of a processor (of all Chromium's processes: a busy machine takes not many more of these), and
whether both say the same (numbers to a part in 10^12). Exit code 1 where one does not. `--firefox`: in Firefox, which
does not say what it took of a processor. `--plain`: the command without numpy in the page's place.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.cli.test_without_numpy import WITHOUT, audited, differences
from tests.conftest import program
from tests.page.audit_page import AuditPage
from tests.page.browser import Browser, browser
from tests.page.firefox import Firefox, firefox


def main() -> int:
    """Compare, and say so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--firefox", action="store_true")
    parser.add_argument("paths", type=Path, nargs="+", metavar="PAGE FILE")
    asked = parser.parse_args()
    if asked.plain:
        return max([_said(file, 0.0, 0.0, _plain(file)) for file in asked.paths])
    page, *files = asked.paths
    with _browser(asked.firefox) as tab:
        opened = AuditPage(tab)
        print(f"ready after {opened.open(page):.1f} s, {processor(tab):.1f} s of a processor")
        taken, worst = [], 0
        for file in files:
            opened.wait()
            began, before = time.monotonic(), processor(tab)
            opened.give([file], seconds=300)
            taken.append((time.monotonic() - began, processor(tab) - before))
            theirs = audited(file.parent, [file.name])[1]
            worst = max(worst, _said(file, *taken[-1], differences(opened.result(), theirs)))
            worst = max(worst, len(opened.quiet()))
        seconds, used = (statistics.median(numbers) for numbers in zip(*taken, strict=True))
        print(
            f"median {seconds:.1f} s, {used:.1f} s of a processor; asked for elsewhere: {opened.quiet() or 'nothing'}"
        )
    return min(worst, 1)


def _browser(fox: bool) -> AbstractContextManager[Browser | Firefox]:
    if fox:
        return firefox(program("firefox-esr", "firefox"))
    return browser(program("chromium", "chromium-browser", "google-chrome"))


def _plain(file: Path) -> list[str]:
    return differences(audited(file.parent, [file.name], WITHOUT)[1], audited(file.parent, [file.name])[1])


def processor(tab: Browser | Firefox) -> float:
    """The seconds of a processor that Chromium has used, all of its processes together; nan of Firefox."""
    if isinstance(tab, Firefox):
        return math.nan
    session, tab._session = tab._session, None
    try:
        return float(sum(one["cpuTime"] for one in tab.call("SystemInfo.getProcessInfo")["processInfo"]))
    finally:
        tab._session = session


def _said(file: Path, seconds: float, used: float, found: list[str]) -> int:
    print(
        f"{file.name}: {seconds:.1f} s, {used:.1f} s of a processor, {'the same' if not found else found[0]}",
        flush=True,
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
