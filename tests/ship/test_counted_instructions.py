"""Instructions that qemu counts: of loops of known length, and what is said where it fails or does not hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.conftest import program

from tinyproof.core.errors import DataError
from tinyproof.ship import c_count

IMAGES = np.zeros((2, 1, 2, 2), np.uint8)
HEADER = """#include <stdint.h>
typedef int32_t network_score;
void network_scores(const uint8_t image[4], network_score scores[2]);
"""
# `rounds` times a subtraction and a branch: two instructions, whatever the processor.
LOOP = """#include "network.h"
void network_scores(const uint8_t image[4], network_score scores[2])
{{
    uint32_t left = {rounds};
    __asm__ volatile(".syntax unified\\n1: subs %0, %0, #1\\n bne 1b\\n" : "+l"(left) : : "cc");
    scores[0] = image[0];
    scores[1] = 1;
}}
"""
# What stands in for qemu: it says its version, and then does not run the program to its end.
SILENT = "exit 0"
TRUNCATING = "printf 'abc123' > scores.bin"
ONE_IMAGE = "head -c 12 /dev/zero > scores.bin"


def loop(rounds: int) -> dict[str, bytes]:
    return {"network.h": HEADER.encode(), "network.c": LOOP.format(rounds=rounds).encode()}


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.oracle("qemu-system-arm")
@pytest.mark.parametrize("cpu", c_count.BOARDS)
def test_a_loop_of_known_length_is_counted_on_every_board(cpu: str, tmp_path: Path) -> None:
    program("arm-none-eabi-gcc"), program("qemu-system-arm")
    for rounds in (100_000, 1_000_000):
        found = c_count.ran(written(tmp_path, loop(rounds)), "network", IMAGES, 2, cpu, "-Os")
        assert found.scores.tolist() == [[0, 1]] * 2
        # The call, the loads and the stores around the loop, and a tick on either side.
        assert (abs(found.instructions - 2 * rounds) <= 200).all()


@pytest.mark.oracle("qemu-system-arm")
def test_more_than_the_timer_holds_breaks_a_limit_by_name(tmp_path: Path) -> None:
    program("arm-none-eabi-gcc"), program("qemu-system-arm")
    assert c_count.MOST == 671_088_640
    assert c_count.most(loop(c_count.MOST // 2 + 1_000), "network", IMAGES[:1], 2) == c_count.MOST
    assert c_count.most(loop(5_000_000), "network", IMAGES[:1], 2) == pytest.approx(10_000_000, abs=200)


@pytest.mark.oracle("arm-none-eabi-gcc")
@pytest.mark.parametrize("does", [SILENT, TRUNCATING, ONE_IMAGE])
def test_a_qemu_that_does_not_run_to_its_end_is_one_line(
    does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("arm-none-eabi-gcc")
    put_in_the_way(tmp_path / "bin", does, monkeypatch)
    with pytest.raises(DataError, match="qemu-system-arm: does not run the exported C to its end"):
        c_count.most(loop(10), "network", IMAGES, 2)


def put_in_the_way(folder: Path, does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A qemu-system-arm before every other, which does this in place of running anything."""
    folder.mkdir()
    fake = folder / "qemu-system-arm"
    fake.write_text(f'#!/bin/sh\ncase "$1" in --version) echo "QEMU emulator version 9"; exit 0;; esac\n{does}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.oracle("arm-none-eabi-gcc")
def test_without_images_there_is_nothing_to_count() -> None:
    program("arm-none-eabi-gcc"), program("qemu-system-arm")
    with pytest.raises(DataError, match="test images: there are none to count instructions on"):
        c_count.most(loop(10), "network", IMAGES[:0], 2)
