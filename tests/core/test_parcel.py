"""Parcels: what was packed comes out; what was cut, changed or leads away is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyproof.core import parcel
from tinyproof.core.errors import DataError
from tinyproof.core.files import sha256

HELD = {"seed-1/run.json": b'{"a": 1}\n', "weights.safetensors": bytes(range(256)), "empty": b""}


def test_what_was_packed_comes_out() -> None:
    assert parcel.unpack(parcel.pack(HELD)) == HELD
    assert parcel.unpack(parcel.pack({})) == {}


@given(st.integers(0, len(parcel.pack(HELD)) - 1), st.integers(1, 255))
def test_one_changed_byte_is_seen_wherever_it_is(at: int, by: int) -> None:
    content = bytearray(parcel.pack(HELD))
    content[at] = (content[at] + by) % 256
    try:
        found = parcel.unpack(bytes(content))
    except DataError:
        return
    # A name has no digest of its own: whoever receives it knows which names may come.
    assert list(found.values()) == list(HELD.values())


@given(st.integers(0, len(parcel.pack(HELD)) - 1))
def test_one_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(DataError):
        parcel.unpack(parcel.pack(HELD)[:length])


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../../b",
        "a//b",
        "./a",
        "a\\b",
        "C:a",
        ".lease-1",
        "a/.b",
        "a\nb",
        "a/b ",
        "x" * 300,
        "a\ud800",
    ],
)
def test_a_name_that_leads_away_is_refused_on_both_sides(name: str) -> None:
    with pytest.raises(DataError, match="which no receiver takes"):
        parcel.pack({name: b""})
    head = json.dumps({"files": [{"name": name, "bytes": 0, "sha256": sha256(b"")}]}).encode()
    with pytest.raises(DataError, match="which no receiver takes"):
        parcel.unpack(head + b"\n")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"no header", "has no header"),
        (b"[]\n", "has no list of at most"),
        (b'{"files": [1]}\n', "without name or size"),
        (b'{"files": [{"name": "a", "bytes": -1, "sha256": ""}]}\n', "without name or size"),
        (b'{"files": []}\nmore', "has 4 bytes too many"),
    ],
)
def test_what_is_no_parcel_is_refused(header: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parcel.unpack(header)


def test_a_name_twice_is_refused() -> None:
    entry = {"name": "a", "bytes": 0, "sha256": sha256(b"")}
    with pytest.raises(DataError, match="or one twice"):
        parcel.unpack(json.dumps({"files": [entry, entry]}).encode() + b"\n")


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a")])
def test_a_name_of_a_file_and_of_a_folder_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="has a file and a folder of the name 'a'"):
        parcel.unpack(parcel.pack(dict.fromkeys(names, b"")))
