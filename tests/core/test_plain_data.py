"""JSON and TOML of strangers: what would take memory without end is refused before it is read."""

from __future__ import annotations

import tracemalloc

import pytest

from tinyproof.core.plain_data import toml_table


@pytest.mark.parametrize("part", ["a", '"a"', "'a'", "a "])
@pytest.mark.parametrize("form", ["{}b = 1", "[{}b]", "[[{}b]]", "x = {{ {}b = 1 }}"])
def test_a_key_of_parts_without_end_is_refused_before_it_is_read(part: str, form: str) -> None:
    tracemalloc.start()
    with pytest.raises(RecursionError):
        toml_table(form.format(f"{part}." * 10_000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1_000_000


def test_what_people_write_is_read() -> None:
    numbers = ", ".join(["0.5"] * 5_000)
    table = toml_table(f'title = "{"a, b. " * 500}"\nx = [{numbers}]\n[a.b."c.d".e]\nf.g = 1.5\n# {"-" * 5_000}.')
    assert table["x"] == [0.5] * 5_000
    assert table["a"]["b"]["c.d"] == {"e": {"f": {"g": 1.5}}}
    with pytest.raises(ValueError, match="Expected"):
        toml_table("a.b")
