"""Examples in docstrings run in an empty folder, with what they write. Those of the public verbs belong to one page,
docs/python.md, where tools/docs.py runs them one after the other: they are not run a second time here.

Tests that share what their module makes once run in one process, so that it is made once."""

from __future__ import annotations

import pytest
from _pytest.doctest import DoctestItem


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    import tinyproof

    on_the_page = {f"{tinyproof._WHERE[name]}.{name}" for name in tinyproof._WHERE}
    items[:] = [item for item in items if not (isinstance(item, DoctestItem) and item.name in on_the_page)]

    for item in items:
        if _shares(item) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def _shares(item: pytest.Item) -> bool:
    """Whether a test asks for a fixture that its module makes once."""
    if not isinstance(item, pytest.Function):
        return False
    asked = item._fixtureinfo.name2fixturedefs
    return any(fixture.scope == "module" for name in item.fixturenames for fixture in asked.get(name, ()))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(request: pytest.FixtureRequest) -> None:
    if isinstance(request.node, DoctestItem):
        request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
