"""An import path of the version before is answered by one line that names the new one; and that line is true."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import pytest

from tinyproof._moved import _MOVED


@pytest.mark.parametrize("old", sorted(_MOVED))
def test_an_old_path_names_a_module_that_is_there(old: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=rf"^tinyproof\.{old} is now tinyproof\.{_MOVED[old]}$"):
        importlib.import_module(f"tinyproof.{old}")
    assert find_spec(f"tinyproof.{_MOVED[old]}") is not None


def test_a_name_taken_from_an_old_room_is_answered_too() -> None:
    with pytest.raises(ImportError, match=r"^tinyproof\.cnn\.recipe is now tinyproof\.train\.recipe$"):
        exec("from tinyproof.cnn import recipe")
    with pytest.raises(ImportError, match=r"'nothing'|cannot import name"):
        exec("from tinyproof.cnn import nothing")


def test_a_module_that_never_was_is_not_found_as_usual() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'tinyproof\.core\.nothing'"):
        importlib.import_module("tinyproof.core.nothing")
