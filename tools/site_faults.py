"""What is wrong with a built site: links that lead nowhere, what is fetched from elsewhere, pages too many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.site_pages import listed

# The attributes by which a page makes a browser fetch something, unasked.
FETCHED = {
    "src", "srcset", "poster", "data", "background", "formaction", "action", "ping", "manifest", "xlink:href",
}  # fmt: skip
LINKS_THAT_FETCH = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "modulepreload",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
ELSEWHERE = re.compile(r"^\s*(?:https?:|wss?:|ftp:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')]+)""", re.IGNORECASE)
IN_SCRIPT = re.compile(r"""["'`](https?://(?!www\.w3\.org/)[^"'`\s]+)""")
# What a policy may name: keywords and hashes in quotes, data and blob; anything else is a host or a scheme of one.
HOST = re.compile(r"(?<=\s)(?:\*|https?:|wss?:|[\w*-]+(?:\.[\w*-]+)+)\S*", re.IGNORECASE)
NO_PAGE = {"404.html"}
MOST_FIRST_VIEW = 2_000_000  # bytes


class Page(HTMLParser):
    """Anchors, links and what is fetched of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.styles: list[str] = []
        self.scripts: list[str] = []
        self.policy = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names, leads to and fetches."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.styles.append(given.get("style", ""))
        self._inside = tag
        if tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = given["content"]
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.fetched.append(given["content"].partition("=")[2])
        elif tag == "link" and set(given.get("rel", "").lower().split()) & LINKS_THAT_FETCH:
            self.fetched.append(given.get("href", ""))
        elif tag in ("a", "area") and "href" in given:
            self.links.append(given["href"])
        elif tag in ("image", "use"):
            self.fetched.append(given.get("href", ""))
        self.fetched += [each for name in FETCHED & given.keys() for each in re.split(r",\s+", given[name])]

    def handle_data(self, data: str) -> None:
        """Scripts and styles within the page."""
        if self._inside in ("script", "style"):
            (self.scripts if self._inside == "script" else self.styles).append(data)

    def handle_endtag(self, tag: str) -> None:
        """What follows is text again."""
        self._inside = ""


def faults(site: Path) -> Iterator[str]:
    """Everything that is wrong with the site in a folder, a line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        yield from (f"{name}: {told}" for told in lost(path, page, pages, site))
        yield from (f"{name}: {told}" for told in foreign(page))
    for path in sorted(site.rglob("*.css")):
        yield from (f"{path.relative_to(site)}: fetches {told}" for told in IN_STYLE.findall(path.read_text("utf-8")))
    for path in sorted(site.rglob("*.js")):
        yield from (f"{path.relative_to(site)}: knows {told}" for told in IN_SCRIPT.findall(path.read_text("utf-8")))
    yield from unlisted(site)
    first = sum(path.stat().st_size for path in first_view(site, pages[site / "index.html"]))
    if first > MOST_FIRST_VIEW:
        yield f"index.html: the first view has {first:,} bytes; at most {MOST_FIRST_VIEW:,} are allowed"


def lost(path: Path, page: Page, pages: dict[Path, Page], site: Path) -> Iterator[str]:
    """Links, and what is fetched, that lead to nothing."""
    for link in {*page.links, *(each.split()[0] for each in page.fetched if each.split())}:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or (link.startswith("/") and path.name in NO_PAGE):
            continue
        there = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
        there = there / "index.html" if there.is_dir() else there
        if not there.is_relative_to(site.resolve()) or not there.is_file():
            yield f"the link to {link} leads nowhere"
        elif parts.fragment and there.suffix == ".html" and "=" not in parts.fragment:
            target = next((each for known, each in pages.items() if known.resolve() == there), None)
            if target and unquote(parts.fragment) not in target.anchors:
                yield f"the link to {link} leads to no place on that page"


def foreign(page: Page) -> Iterator[str]:
    """What a browser would fetch from another host; a page whose policy allows no host fetches nothing from one."""
    yield from (f"fetches {each}" for each in page.fetched if ELSEWHERE.match(each))
    yield from (f"fetches {each}" for style in page.styles for each in IN_STYLE.findall(style))
    closed = page.policy.startswith("default-src 'none'")
    if closed and (host := HOST.search(page.policy)):
        yield f"its policy allows {host[0]}"
    if not closed:
        yield from (f"knows {each}" for script in page.scripts for each in IN_SCRIPT.findall(script))


def unlisted(site: Path) -> Iterator[str]:
    """Pages that nobody asked for, and pages that are missing."""
    made = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    wanted = {Path(page).with_suffix(".html").as_posix() for page in listed()}
    live = {name for name in made if name.startswith("step/") or name in ("audit.html", "digits.html")}
    yield from (f"{name} is published and not listed" for name in sorted(made - wanted - live - NO_PAGE))
    yield from (f"{name} is listed and not there" for name in sorted(wanted - made))


def first_view(site: Path, home: Page) -> list[Path]:
    """The first page and what it fetches."""
    names = {urlsplit(each.split()[0]).path for each in home.fetched if each.split()}
    return [site / "index.html", *(site / name for name in sorted(names) if (site / name).is_file())]
