"""Examples in docstrings run in an empty folder, with what they write. Those of the public verbs belong to one page,
docs/python.md, where tools/docs.py runs them one after the other: they are not run a second time here."""

from __future__ import annotations

import pytest
from _pytest.doctest import DoctestItem


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    import tinyproof

    on_the_page = {f"{tinyproof._WHERE[name]}.{name}" for name in tinyproof._WHERE}
    items[:] = [item for item in items if not (isinstance(item, DoctestItem) and item.name in on_the_page)]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(request: pytest.FixtureRequest) -> None:
    if isinstance(request.node, DoctestItem):
        request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
