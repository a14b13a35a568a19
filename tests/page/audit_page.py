"""The audit page in a real browser: files are given to it as a person does, and what it hands back is read."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .browser import Browser
from .firefox import Firefox

READY = "document.documentElement.dataset.ready || ''"
SEEN = """[document.getElementById('working').hidden, document.getElementById('state').textContent,
 [...document.querySelectorAll('#said li')].map(e => e.textContent),
 document.getElementById('result').hidden ? '' : document.getElementById('outcome').textContent]"""


class AuditPage:
    """The page in a tab."""

    def __init__(self, tab: Browser | Firefox) -> None:
        self.tab = tab

    def open(self, address: Path | str, seconds: float = 120) -> float:
        """Load it and wait until it is ready; the seconds that took, as the page measured them."""
        if isinstance(address, Path):
            self.tab.open(address)
        else:
            self.tab.errors.clear(), self.tab.requests.clear()
            self.tab.go(address)
        self._until(READY, bool, seconds)
        return float(self.tab.run(READY)) / 1000

    def wait(self, seconds: float = 120) -> None:
        """Wait until a worker has started for the next audit."""
        self._until("document.documentElement.dataset.waiting || ''", bool, seconds)

    def choose(self, files: Sequence[Path], which: str = "files") -> None:
        """Choose files (or a folder) as in the dialogue."""
        self.tab.put(f"#{which}", files)

    def give(self, files: Sequence[Path], which: str = "files", seconds: float = 200) -> tuple[list[str], str]:
        """Choose them and wait for the end: what was said in lines, and the outcome."""
        self.choose(files, which)
        return self.end(seconds)

    def end(self, seconds: float = 200) -> tuple[list[str], str]:
        """Wait until nothing is going on."""
        seen = self._until(SEEN, lambda found: found[0] and (found[2] or found[3]), seconds)
        return list(seen[2]), str(seen[3])

    def download(self, kind: str) -> str:
        """What the link hands out."""
        return str(self.tab.run(f"fetch(document.getElementById('as-{kind}').href).then(r => r.text())"))

    def result(self) -> Any:
        """The JSON that it hands out."""
        return json.loads(self.download("json"))

    def quiet(self) -> list[str]:
        """Addresses asked for besides the page itself and what it made itself; nothing may be among them."""
        own = ("file://", "data:", "blob:", "about:", "http://127.0.0.1:")
        pages = [address for address in self.tab.requests if address.startswith(("file://", "http://127.0.0.1:"))]
        return [address[:200] for address in self.tab.requests if not address.startswith(own)] + pages[1:]

    def _until(self, script: str, holds: Any, seconds: float) -> Any:
        end = time.monotonic() + seconds
        while not holds(found := self.tab.run(script)):
            assert time.monotonic() < end, (found, self.tab.errors, self.tab.run("document.body.innerText")[:800])
            time.sleep(0.1)
        return found


def command(folder: Path, names: list[str]) -> Any:
    """What the command says of them, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tinyproof", "audit", *names, "--json", "--no-cache"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of this folder, on this machine."""
    handler = functools.partial(_Silent, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown(), server.server_close()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal of the tests."""
