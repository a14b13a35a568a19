"""Checks of single values."""

from __future__ import annotations

import pytest

from tinyproof.core.errors import InputError
from tinyproof.core.fields import number


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), float("inf"), True, "1", None])
def test_what_no_float_can_be_is_no_number(value: object) -> None:
    with pytest.raises(InputError, match="a number from 0 to 10"):
        number("rate", value, 0, 10)
