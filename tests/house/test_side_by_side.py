"""Tests that share what their module makes once run in one process, also where several run side by side."""

from __future__ import annotations

import os
import secrets

import pytest


@pytest.fixture(scope="module")
def made_once() -> str:
    return secrets.token_hex(8)


def test_a_test_with_a_fixture_of_its_module_belongs_to_a_group(made_once: str, request: pytest.FixtureRequest) -> None:
    assert made_once
    assert [mark.args for mark in request.node.iter_markers("xdist_group")] == [("tests/house/test_side_by_side.py",)]
    if "PYTEST_XDIST_WORKER" in os.environ and request.config.getvalue("loadgroup"):
        assert request.node.nodeid.endswith("@tests/house/test_side_by_side.py"), "the groups are not seen"


def test_a_test_without_one_does_not(request: pytest.FixtureRequest) -> None:
    assert not list(request.node.iter_markers("xdist_group"))
