"""What the site is built from: the listed pages with links that hold there, notebooks, and what is made to be tried."""

from __future__ import annotations

import base64
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.site_live import live

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "tools" / "site_parts"
# Pages that are no file of docs/: where their text comes from.
ELSEWHERE = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
HOME = {"index.md": "README.md"}  # a page of its own; links to the README lead there
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.DOTALL | re.MULTILINE)
TO = r"\((?P<to>[^)\s]+)\)"
LINK = re.compile(r"(?P<picture>!?)\[(?P<words>[^\[\]]*)\]" + TO)
LINKED_PICTURE = re.compile(r"\[(?P<words>!\[[^\[\]]*\]\([^)\s]+\))\]" + TO)
MARK = re.compile(r"^<!-- (?:run|recorded|not run|file|end)[^\n]*-->\n", re.MULTILINE)


class SiteError(Exception):
    """Why there is no site, in a line."""


def listed() -> list[str]:
    """The pages that mkdocs.yml names, in its order."""
    import yaml

    def pages(entry: Any) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        else:
            for each in entry.values() if isinstance(entry, dict) else entry:
                yield from pages(each)

    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = text.partition("\nnav:")[2].partition("\nmarkdown_extensions:")[0]
    return list(pages(yaml.safe_load(nav)))


def stage(work: Path, pyodide: Path | None) -> Iterator[str]:
    """Everything that Zensical reads, into `work`; what is to be tried, into work/live. Says what is left out."""
    docs = work / "docs"
    docs.mkdir()
    shutil.copy(ROOT / "mkdocs.yml", work / "mkdocs.yml")
    shutil.copytree(PARTS / "theme", work / "theme")
    for name in ("site.css", "site.js"):
        shutil.copy(PARTS / name, docs / name)
    made, left_out = live(work / "live", docs, pyodide)
    yield from left_out
    source = sources(listed())
    for page, path in source.items():
        if page in made:
            text = made[page]
        elif path.suffix == ".ipynb":
            text = notebook(path, docs / "notebooks")
        else:
            text = path.read_text(encoding="utf-8")
        target = docs / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(placed(text, page, path, source, docs), encoding="utf-8")


def sources(pages: list[str]) -> dict[str, Path]:
    """Where the text of each page comes from."""
    found = {}
    for page in pages:
        if page in HOME or page == "live.md":
            path = PARTS / page
        elif page.startswith("notebooks/"):
            path = ROOT / "examples" / Path(page).with_suffix(".ipynb").name
        else:
            path = ROOT / ELSEWHERE.get(page, f"docs/{page}")
        if not path.is_file():
            raise SiteError(f"mkdocs.yml lists {page}, and {path} is no file")
        found[page] = path
    return found


def placed(text: str, page: str, path: Path, source: dict[str, Path], docs: Path) -> str:
    """A page without the marks of its examples, and with links that hold on the site. Raises SiteError."""
    parts, position = [], 0
    for block in FENCE.finditer(text):
        parts += [(text[position : block.start()], True), (block[0], False)]
        position = block.end()
    parts.append((text[position:], True))

    def there(target: str) -> str:
        name, sign, anchor = target.partition("#")
        inside = name and "://" not in name and not name.startswith("mailto:")
        return leads_to(name, page, path, source, docs) + sign + anchor if inside else target

    def shown(found: re.Match[str]) -> str:
        to = there(found["to"])
        return (
            picture(found["words"], to, (docs / page).parent / to) if found["picture"] else f"[{found['words']}]({to})"
        )

    def held(part: str) -> str:
        outer = LINKED_PICTURE.sub(lambda found: f"[{found['words']}]({there(found['to'])})", MARK.sub("", part))
        return LINK.sub(shown, outer)

    return "".join(held(part) if prose else part for part, prose in parts)


def leads_to(target: str, page: str, path: Path, source: dict[str, Path], docs: Path) -> str:
    """Where a link leads on the site: to a page, or to a file that is published for it. Raises SiteError."""
    here = posixpath.dirname(page)
    home = ROOT / "docs" if path.is_relative_to(PARTS) else path.parent
    file = (home / target).resolve()
    if path.suffix == ".ipynb" or (path.is_relative_to(PARTS) and not file.is_file()):
        return target  # what the build makes; the finished site is searched for links that lead nowhere
    pages = {there: name for name, there in source.items()} | {ROOT / there: name for name, there in HOME.items()}
    if file in pages:
        return posixpath.relpath(pages[file], here or ".")
    if not file.is_file() or not file.is_relative_to(ROOT):
        raise SiteError(f"{path}: the link to {target} leads to no file of the project")
    if file.suffix == ".md":
        raise SiteError(f"{path}: the link to {target} leads to a page that mkdocs.yml does not list")
    images = ROOT / "docs" / "images"
    name = f"images/{file.name}" if file.is_relative_to(images) else f"files/{file.relative_to(ROOT).as_posix()}"
    for each in (file, dark(file)):
        if each.is_file():
            copy = docs / name if each == file else (docs / name).with_name(each.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(each, copy)
    return posixpath.relpath(name, here or ".")


def dark(file: Path) -> Path:
    """The picture's other one, for dark pages."""
    return file.with_name(f"{file.stem}-dark{file.suffix}")


def picture(words: str, there: str, file: Path) -> str:
    """A picture with its size, so that nothing moves when it comes, and with the dark one where there is one."""
    kept = f"{{ {size(file)} loading=lazy }}" if file.suffix in (".png", ".svg") else ""
    if not dark(file).is_file():
        return f"![{words}]({there}){kept}"
    stem, _, kind = there.rpartition(".")
    return f"![{words}]({there}#only-light){kept}![{words}]({stem}-dark.{kind}#only-dark){kept}"


def size(file: Path) -> str:
    """Width and height as attributes."""
    if file.suffix == ".svg":
        head = file.read_text(encoding="utf-8")[:2000]
        found = re.search(r'<svg[^>]*viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', head)
        width, height = (round(float(each)) for each in found.groups()) if found else (0, 0)
    else:
        from PIL import Image

        width, height = Image.open(file).size
    return f'width="{width}" height="{height}"' if width else ""


def notebook(path: Path, folder: Path) -> str:
    """A notebook, executed, as Markdown; its pictures go to `folder`. Raises SiteError."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as work:
        try:
            NotebookClient(book, timeout=300, resources={"metadata": {"path": work}}).execute()
        except (CellExecutionError, CellTimeoutError) as error:
            raise SiteError(f"{path.name} cannot be executed: {error}") from error
        except (DeadKernelError, AssertionError) as error:  # nbclient's own, where Ctrl-C has ended the kernel
            raise SiteError(f"{path.name} cannot be executed: its kernel was ended") from error
    folder.mkdir(parents=True, exist_ok=True)
    parts, pictures = [], 0
    for cell in book.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code" and cell.source:
            parts.append(f"```python\n{cell.source}\n```")
            for output in cell.outputs:
                data = output.get("data", {})
                if "image/png" in data:
                    pictures += 1
                    name = f"{path.stem}-{pictures}.png"
                    (folder / name).write_bytes(base64.b64decode(data["image/png"]))
                    parts.append(f"![What the cell above draws]({name})")
                elif "text/html" in data or "image/svg+xml" in data:
                    parts.append(f'<div class="shown">\n{inner(data)}\n</div>')
                elif text := output.get("text") or data.get("text/plain"):
                    parts.append(f"```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def inner(data: Mapping[str, str]) -> str:
    """HTML that may stand in Markdown: without empty lines, which would end it."""
    shown = data.get("text/html") or data["image/svg+xml"]
    return "\n".join(line for line in shown.splitlines() if line.strip())
