"""The description on the package's own page, where no link can be relative: README.md, changed when it is built.

The address is `Source` in `[project.urls]` of pyproject.toml, and stands nowhere else. With it, links and pictures lead
to the files of the released tag there. While there is none, a link is its words, and a picture is what it shows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_CODE_OR_LINK = re.compile(
    r"(?P<code>^```.*?^```|`[^`\n]+`)|(?P<picture>!?)\[(?P<words>[^\]]*)\]\((?P<target>[^)\s]+)\)",
    re.DOTALL | re.MULTILINE,
)


class CustomMetadataHook(MetadataHookInterface):
    """What hatchling calls."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the description to the metadata."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source", "")
        text = absolute(text, source.rstrip("/"), f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(readme: str, source: str, tag: str) -> str:
    """The text with no relative link. `source`: the address of the repository, or nothing where it has none.

    >>> absolute("[how](docs/a.md), ![it](docs/b.png)", "https://example.org/us", "v1.0.0")
    '[how](https://example.org/us/blob/v1.0.0/docs/a.md), ![it](https://example.org/us/raw/v1.0.0/docs/b.png)'
    >>> absolute("[how](docs/a.md), ![it](docs/b.png)", "", "v1.0.0")
    'how, *Picture: it*'
    """

    def changed(match: re.Match[str]) -> str:
        picture, words, target = match["picture"], match["words"], match["target"]
        if match["code"] or "://" in target or target.startswith(("#", "mailto:")):
            return match[0]
        if not source:
            return f"*Picture: {words}*" if picture else words
        return f"{picture}[{words}]({source}/{'raw' if picture else 'blob'}/{tag}/{target})"

    return _CODE_OR_LINK.sub(changed, readme)
