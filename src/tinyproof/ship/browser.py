"""A page of this package computed by a Chromium, where one is installed: its own functions answer the images."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.files import reason
from tinyproof.ship.tool import ToolTrouble

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_SECONDS = 600
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy"[^>]*>')
# The page as it is, without its policy, and with a script that hands the images to its function `answers`.
_ASKING = """<script type="text/plain" id="images">{images}</script><script>
ready.then(() => new Promise(done => setTimeout(done))).then(() => {{
  const text = atob(document.getElementById('images').textContent);
  const images = Uint8Array.from(text, c => c.charCodeAt(0));
  const bytes = new Uint8Array(answers(images).buffer), parts = [];
  for (let at = 0; at < bytes.length; at += 30000) {{
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 30000))));
  }}
  document.body.textContent = 'answers:' + parts.join('') + ':end';
}});
</script></body>"""


def program() -> str | None:
    """A Chromium, None where none is installed."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def version(chromium: str) -> str:
    """What computes, with its version."""
    try:
        told = subprocess.run([chromium, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):  # what is wrong with it, `scores` says
        told = ""
    return " ".join(told.split()[:2]) or "Chromium"


def scores(chromium: str, page: bytes, images: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """The scores that the page gives for images uint8 [n, channels, rows, columns]: float64 [n, classes]. Raises
    ToolTrouble where the browser fails, DataError where the page gives none."""
    asking = _ASKING.format(images=base64.b64encode(np.ascontiguousarray(images).tobytes()).decode())
    whole = _POLICY.sub(b"", page).replace(b"</body>", asking.encode())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        (Path(place) / "page.html").write_bytes(whole)
        options = [
            "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--disable-dev-shm-usage", f"--user-data-dir={place}/profile",
            "--virtual-time-budget=1000000000", "--dump-dom", *(["--no-sandbox"] if _root() else []),
        ]  # fmt: skip
        command = [chromium, *options, (Path(place) / "page.html").as_uri()]
        try:
            environment = {**os.environ, "HOME": place}
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False, env=environment)
        except (OSError, subprocess.SubprocessError) as error:
            why = reason(error) if isinstance(error, OSError) else "it fails"
            raise ToolTrouble("the page", f"was not computed by Chromium: {why}") from error
    found = re.search(rb"answers:([A-Za-z0-9+/=]*):end", done.stdout)
    values = np.frombuffer(_joined(found[1]) if found else b"", "<f8")
    if len(values) != len(images) * classes:
        if b'id="images"' not in done.stdout:
            raise ToolTrouble("the page", f"was not computed by Chromium: exit status {done.returncode}")
        raise DataError("the page", "gives no answers in Chromium")
    return values.reshape(len(images), classes)


def _joined(text: bytes) -> bytes:
    """Base64 of parts of 30,000 bytes each, one after the other."""
    size = 40000
    return b"".join(base64.b64decode(text[at : at + size]) for at in range(0, len(text), size))


def _root() -> bool:
    """Chromium's sandbox refuses to start for root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
