"""A picture of an HTML page as a headless Chromium shows it, for the documentation.

python tools/screenshot.py backprop.html docs/images/page.png --size 1280x720 --script "go(1, 20)"
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.page.browser import browser


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--size", default="1280x900", help="width x height in CSS pixels")
    parser.add_argument("--script", default="0", help="JavaScript to run before the picture is taken")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--whole", action="store_true", help="the whole page, not only the window")
    chosen = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        raise SystemExit("chromium is not installed")
    width, _, height = chosen.size.partition("x")
    with browser(program) as tab:
        tab.open(chosen.page, int(width), int(height), prefers_color_scheme=chosen.scheme)
        tab.run(f"{chosen.script};0")
        tab.settle()
        tab.picture(chosen.picture, whole=chosen.whole)
        if tab.errors:
            raise SystemExit("\n".join(tab.errors))


if __name__ == "__main__":
    main()
