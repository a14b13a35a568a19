"""A real headless Firefox, driven by Mozilla's own marionette-driver: a profile of its own, a port of
Firefox's own choice."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# Nothing that Firefox does by itself: no news, no lists, no telemetry. What it does all the same is the system's, and
# is told from what a page asks for.
PREFERENCES = {
    "marionette.port": 0,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
# In Firefox's own part: every request of a page, what a page said wrong, what its policy refused.
LISTEN = """
const kept = window.tinyproof = { requests: [], errors: [] };
const open = { observe(subject) {
  const channel = subject.QueryInterface(Ci.nsIChannel), by = channel.loadInfo.triggeringPrincipal;
  const page = channel.loadInfo.externalContentPolicyType === Ci.nsIContentPolicy.TYPE_DOCUMENT;
  if (page || by && !by.isSystemPrincipal) kept.requests.push(channel.URI.spec);
} };
Services.obs.addObserver(open, "http-on-opening-request");
const told = { observe(message) {
  if (!(message instanceof Ci.nsIScriptError) || message.flags & Ci.nsIScriptError.warningFlag) return;
  if (/^(file|http|data|blob)/.test(message.sourceName) || /security|CSP/i.test(message.category))
    kept.errors.push(message.errorMessage);
} };
Services.console.registerListener(told);
"""
TAKE = "const kept = window.tinyproof[arguments[0]]; return kept.splice(0);"


class Firefox:
    """One tab. `errors` gathers what pages said wrong and what was refused them, `requests` what they asked for over
    the network."""

    def __init__(self, marionette: Any) -> None:
        self._marionette = marionette
        self._kept: dict[str, list[str]] = {"errors": [], "requests": []}
        with marionette.using_context("chrome"):
            marionette.execute_script(LISTEN, sandbox="system")

    def _taken(self, which: str) -> list[str]:
        with self._marionette.using_context("chrome"):
            self._kept[which] += self._marionette.execute_script(TAKE, [which], sandbox="system", new_sandbox=False)
        return self._kept[which]

    @property
    def errors(self) -> list[str]:
        return self._taken("errors")

    @property
    def requests(self) -> list[str]:
        return self._taken("requests")

    def open(self, path: Path) -> None:
        """Load a file."""
        self.errors.clear(), self.requests.clear()
        self.go(path.resolve().as_uri())

    def go(self, address: str) -> None:
        """Load an address and wait until it is there."""
        self._marionette.navigate(address)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression (promises are awaited)."""
        return self._marionette.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"Promise.resolve({script}).then(done, problem => done({{ problem: String(problem) }}));"
        )

    def put(self, selector: str, files: Sequence[Path]) -> None:
        """Choose files as in the dialogue."""
        chosen = "\n".join(str(path.resolve()) for path in files)
        self._marionette.find_element("css selector", selector).send_keys(chosen)

    def size(self, width: int, height: int) -> None:
        self._marionette.set_window_rect(width=width, height=height)

    def picture(self, path: Path) -> Path:
        """A screenshot of the whole page as PNG."""
        path.write_bytes(self._marionette.screenshot(format="binary"))
        return path


@contextlib.contextmanager
def firefox(program: str) -> Iterator[Firefox]:
    """Start Firefox with a profile of its own; end it when done."""
    from marionette_driver.marionette import Marionette

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f'user_pref("{name}", {str(value).lower()});' for name, value in PREFERENCES.items()]
        Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
        child = subprocess.Popen(
            [program, "--headless", "--marionette", "--remote-allow-system-access", "--profile", profile],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": profile},
        )  # fmt: skip
        try:
            marionette = Marionette(host="127.0.0.1", port=_port(Path(profile, "MarionetteActivePort")))
            marionette.start_session({"timeouts": {"script": 300_000, "pageLoad": 120_000}})
            yield Firefox(marionette)
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            child.kill()
            child.wait()


def _port(written: Path, seconds: float = 120) -> int:
    """The port that Firefox has chosen, as soon as it has written it down."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if written.exists() and (said := written.read_text().strip()):
            return int(said)
        time.sleep(0.05)
    raise AssertionError("Firefox did not start")
