"""C that is exported: any compiler takes it without a word, and it computes what torch computes, or what whole numbers
give anywhere, bit for bit."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.conftest import program
from tests.ship.chains import MNIST, Dense, Residual, chain_of, images_of, networks, normalised, stirred
from tests.ship.conftest import sanitizing
from torch import nn

from tinyproof.core.errors import DataError, InputError
from tinyproof.data.reading import Shape
from tinyproof.network import nets
from tinyproof.ship import arena, c_count, c_run, c_size, c_text, in_c_or_whole
from tinyproof.ship.c_stages import Chain, Stage, chain
from tinyproof.ship.operations import normalising
from tinyproof.ship.quantise import quantised

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
SANITIZED = ("-std=c99", "-O1", *STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
HOSTILE = '*/ "\n\\\n??/ %s <b> é ' + "x" * 300

# Between them all kinds of stages.
BY = [("fast", "gcc"), ("fast", "clang"), ("s6-17k", "clang"), ("s7-8k", "gcc"), ("s6-19k", "clang")]


@pytest.fixture(scope="session", params=["gcc", "clang"])
def cc(request: pytest.FixtureRequest) -> str:
    return sanitizing(request.param)


def about(shape: Shape, classes: int, name: str = "network") -> c_text.About:
    return c_text.About(name, shape, tuple(map(str, range(classes))), {"model": HOSTILE})


def chained(module: nn.Module, shape: Shape, classes: int) -> Chain:
    mean, std = np.full(shape[0], 0.1307), np.full(shape[0], 0.3081)
    return chain("it", [normalising(mean, std), *chain_of(module, shape, classes)], shape)


def ready(to: str, module: nn.Module, shape: Shape, classes: int, name: str = "network") -> in_c_or_whole.Prepared:
    training = images_of(shape, 30)
    return in_c_or_whole.prepared(to, "it", about(shape, classes, name), chained(module, shape, classes), training)


def by_torch(module: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    with torch.inference_mode():
        found: NDArray[np.float64] = module.double()(normalised(torch.from_numpy(images)).double()).numpy()
    module.float()
    return found


def same_but_for_a_summand(module: nn.Module, scores: NDArray[Any], wanted: NDArray[np.float64]) -> float:
    """How far scores are apart, as a share of the largest; C leaves the log-softmax out."""
    if isinstance([*module.children()][-1], nn.LogSoftmax):
        scores = torch.log_softmax(torch.from_numpy(scores.astype(np.float64)), 1).numpy()
    return float(np.abs(scores - wanted).max() / max(1.0, np.abs(wanted).max()))


# ------------------------------------------------------------------ floating point


@pytest.mark.parametrize(("name", "by"), BY)
def test_c_in_single_precision_gives_torch_s_answers(name: str, by: str) -> None:
    cc = sanitizing(by)
    module, images = stirred(nets.build(name)), images_of(MNIST, 6)
    files = ready("c", module, MNIST, 10).files()
    found = c_run.scores((cc,), files, "network", images, 10, np.float32, SANITIZED)
    assert same_but_for_a_summand(module, found, by_torch(module, images)) < 2e-6


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=networks(), by=st.sampled_from(["gcc", "clang"]))
def test_any_small_chain_in_single_precision(network: tuple[nn.Module, Shape, int], by: str) -> None:
    module, shape, classes = network
    images = images_of(shape, 5)
    files = ready("c", module, shape, classes).files()
    found = c_run.scores((sanitizing(by),), files, "network", images, classes, np.float32, SANITIZED)
    assert same_but_for_a_summand(module, found, by_torch(module, images)) < 1e-5


# ------------------------------------------------------------------ whole numbers


@pytest.mark.parametrize(("name", "by"), BY)
def test_c_in_whole_numbers_gives_the_scores_of_python_bit_for_bit(name: str, by: str) -> None:
    cc = sanitizing(by)
    module, images = stirred(nets.build(name)), images_of(MNIST, 6)
    made = ready("c-int8", module, MNIST, 10)
    assert made.whole is not None
    wanted = in_c_or_whole.whole_answers.scores(made.whole, images)
    for flags in (SANITIZED, (*c_run.FLAGS, *STRICT)):
        assert np.array_equal(c_run.scores((cc,), made.files(), "network", images, 10, np.int32, flags), wanted)
    assert same_but_for_a_summand(module, wanted * made.whole.unit, by_torch(module, images)) < 0.03


@settings(max_examples=25, deadline=None)
@given(network=networks(), by=st.sampled_from(["gcc", "clang"]))
def test_any_small_chain_in_whole_numbers(network: tuple[nn.Module, Shape, int], by: str) -> None:
    module, shape, classes = network
    images = images_of(shape, 5)
    made = ready("c-int8", module, shape, classes)
    assert made.whole is not None
    found = c_run.scores((sanitizing(by),), made.files(), "network", images, classes, np.int32, SANITIZED)
    wanted = in_c_or_whole.whole_answers.scores(made.whole, images)
    assert np.array_equal(found, wanted)
    assert same_but_for_a_summand(module, wanted * made.whole.unit, by_torch(module, images)) < 0.2


@pytest.mark.parametrize("last", [[], [nn.ReLU()], [nn.LeakyReLU(0.3)]])
def test_what_ends_flat_has_its_scores_channel_after_channel(last: list[nn.Module]) -> None:
    shape, layers = (2, 10, 9), [nn.Conv2d(2, 3, 3), nn.AvgPool2d(2), nn.Flatten(), *last]
    module, images = nn.Sequential(*layers).eval(), images_of((2, 10, 9), 5)
    plain, whole = ready("c", module, shape, 36), ready("c-int8", module, shape, 36)
    assert whole.whole is not None
    wanted = by_torch(module, images)
    found = c_run.scores((program("gcc"),), plain.files(), "network", images, 36, np.float32, SANITIZED)
    assert same_but_for_a_summand(module, found, wanted) < 1e-5
    found = c_run.scores((program("gcc"),), whole.files(), "network", images, 36, np.int32, SANITIZED)
    assert np.array_equal(found, in_c_or_whole.whole_answers.scores(whole.whole, images))
    assert same_but_for_a_summand(module, found * whole.whole.unit, wanted) < 0.03


def test_a_network_of_nothing_but_zeros_is_whole(cc: str) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 36, 3))
    for part in module.parameters():
        nn.init.zeros_(part)
    made = ready("c-int8", module.eval(), (1, 8, 8), 3)
    found = c_run.scores((cc,), made.files(), "network", images_of((1, 8, 8), 4), 3, np.int32, SANITIZED)
    assert not found.any()


def test_sums_that_32_bits_do_not_hold_are_refused() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(70_000, 2))
    with torch.no_grad():
        module[1].weight[:] = 1
    with pytest.raises(
        DataError, match=r"cannot be exported to c-int8: a sum may need more than 32 bits \(stage 1, conv\)"
    ):
        ready("c-int8", module.eval(), (1, 250, 280), 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 3])
def test_weights_that_are_no_numbers_are_refused(value: float, place: int) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)).eval()
    made = chained(module, (1, 8, 8), 3)
    made.stages[place // 3].weight.ravel()[1] = value
    with pytest.raises(DataError, match=r"cannot be exported to c-int8: its (values|weights) are no numbers"):
        quantised("it", made, images_of((1, 8, 8)))
    with pytest.raises(DataError, match="is no number of single precision"):
        in_c_or_whole.c_float.files(made, about((1, 8, 8), 3))


# ------------------------------------------------------------------ memory


def test_a_loop_may_write_over_what_it_has_read_and_no_further() -> None:
    """Pixel by pixel and pair by pair, as the C does it: nothing that is still to be read is overwritten."""
    generator = np.random.Generator(np.random.PCG64(4))
    tight = 0
    for _ in range(200):
        rows, columns, channels, made = (int(n) for n in generator.integers((3, 3, 1, 1), (9, 9, 7, 12)))
        kernel, stride = (int(n) for n in generator.integers((1, 1), (4, 3)))
        out = (rows - kernel) // stride + 1, (columns - kernel) // stride + 1, made
        stage = Stage("conv", (rows, columns, channels), out, kernel=(kernel, kernel), stride=(stride, stride))
        for less in (0, 1):
            reads_at = arena.gap(stage) - less  # what is read begins here, what is written at 0
            clean = _runs_clean(stage, reads_at)
            assert clean or less
            tight += less and not clean
    assert tight > 150  # one byte less is too little: nearly always


def _runs_clean(stage: Stage, reads_at: int) -> bool:
    columns, channels = stage.given[1:]
    written = 0
    for y in range(stage.made[0]):
        for x in range(0, stage.made[1], 2):
            first = reads_at + (y * stage.stride[0] * columns + x * stage.stride[1]) * channels
            written += min(2, stage.made[1] - x) * stage.made[2]
            if written > first:
                return False
    return True


def test_the_memory_of_fast_is_a_third_less_than_two_buffers() -> None:
    stages = chained(stirred(nets.build("fast")), MNIST, 10).stages[:-1]
    assert arena.planned(stages, overlapping=True)[0] == 2520
    assert arena.planned(stages, overlapping=False)[0] == 14 * 14 * 8 + 12 * 12 * 14 + 32


@pytest.mark.parametrize("to", ["c", "c-int8"])
def test_no_library_is_called(to: str, tmp_path: Path) -> None:
    for name in ("fast", "s6-17k"):
        for file, content in ready(to, stirred(nets.build(name)), MNIST, 10).files().items():
            (tmp_path / file).write_bytes(content)
        command = [program("gcc"), "-std=c99", "-O2", "-ffreestanding", "-c", "network.c"]
        subprocess.run(command, cwd=tmp_path, check=True)
        done = subprocess.run(
            [program("nm"), "-u", "network.o"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() in ([], ["U", "memcpy"])  # which compilers take for granted


# ------------------------------------------------------------------ names and words

SHOW = r"""
#include <stdio.h>
#include "digits_2.h"
int main(void)
{
    const char *const names[] = {DIGITS_2_CLASS_NAMES};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        fwrite(names[i], 1, 250, stdout) ? puts("|") : 0;
    puts(DIGITS_2_MODEL);
    return 0;
}
"""


def test_words_of_a_record_stay_words_in_c(cc: str, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 8), nn.Flatten()).eval()
    names = (HOSTILE, '"};')
    told = c_text.About("digits_2", (1, 8, 8), names, {"model": HOSTILE})
    files = in_c_or_whole.prepared("c", "it", told, chained(module, (1, 8, 8), 2), images_of((1, 8, 8))).files()
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
        assert content.isascii()
    (tmp_path / "show.c").write_text(SHOW.replace('fwrite(names[i], 1, 250, stdout) ? puts("|") : 0', "puts(names[i])"))
    command = [cc, "-std=c99", *STRICT, "show.c", "digits_2.c", "-o", "show"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "show"], capture_output=True, check=True)
    cut = HOSTILE.encode()[:200]
    assert done.stdout == cut + b"\n" + b'"};\n' + cut + b"\n"


TAKEN = ("NULL", "uint8_t", "int_fast16_t", "size_t", "printf", "memcpy", "its_harness", "tinyproof_name")


@pytest.mark.parametrize("name", ["", "3x", "a-b", "a b", "int", "main", "é", "_a", "x" * 41, "a\n", "*/", *TAKEN])
def test_what_is_no_name_in_c_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is no name in C") as caught:
        c_text.checked_name(name)
    assert "\n" not in str(caught.value)


def test_two_networks_stand_side_by_side(cc: str, tmp_path: Path) -> None:
    for name, to in (("one", "c"), ("two", "c-int8")):
        for file, content in ready(to, stirred(nets.build("fast")), MNIST, 10, name).files().items():
            (tmp_path / file).write_bytes(content)
    (tmp_path / "both.c").write_text(
        '#include "one.h"\n#include "two.h"\nstatic uint8_t i[784];\n'
        "int main(void) { return one_class(i) + two_class(i) > 18; }\n"
    )
    subprocess.run([cc, "-std=c99", *STRICT, "both.c", "one.c", "two.c", "-o", "both"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "both"], check=True)


@pytest.mark.parametrize("name", ["PIXELS", "HEADER", "NAME", "CLASSES", "OF", "JOINED", "scores", "image"])
def test_the_program_that_asks_takes_no_name_away(cc: str, name: str) -> None:
    assert c_text.checked_name(name) == name
    module = nn.Sequential(nn.Conv2d(1, 2, 8), nn.Flatten()).eval()
    files = ready("c", module, (1, 8, 8), 2, name).files()
    found = c_run.scores((cc,), files, name, images_of((1, 8, 8), 2), 2, np.float32)
    assert found.shape == (2, 2)


def test_a_header_says_how_scores_become_probabilities() -> None:
    about = c_text.About("n", (1, 8, 8), ("a", "b"), {})
    assert "the likelier: the softmax of them is how sure it is." in c_text.header(about, "float", None)
    assert "the likelier: the softmax of them, times N_UNIT, is how sure it is." in c_text.header(about, "int32_t", 0.5)


def test_more_classes_than_a_byte_counts_are_refused() -> None:
    c_text.check_classes("it", ["c"] * 255)
    with pytest.raises(DataError, match="it has 256 classes, of at most 255"):
        c_text.check_classes("it", ["c"] * 256)


def test_log_softmax_before_the_end_is_refused() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 8), nn.Flatten(), nn.LogSoftmax(1), nn.Linear(2, 3)).eval()
    with pytest.raises(DataError, match="cannot be exported to c: log-softmax stands before its end"):
        chained(module, (1, 8, 8), 3)


# ------------------------------------------------------------------ compilers


def test_a_compiler_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, images = {"network.c": b"int x = ;", "network.h": b""}, images_of((1, 2, 2), 1)
    with pytest.raises(DataError, match=r"refuses the exported C: .*error") as caught:
        c_run.scores((program("gcc"),), files, "network", images, 2, np.float32)
    assert "\n" not in str(caught.value)
    for named in ("nowhere-to-be-found", "'"):
        monkeypatch.setenv("CC", named)
        assert c_run.compiler() is None


def test_a_program_that_fails_is_one_line() -> None:
    head = b"#include <stdint.h>\ntypedef float network_score;\n"
    code = b"void network_scores(const uint8_t *i, float *s) { (void)i; *s = 1; __builtin_trap(); }\n"
    code += b"uint8_t network_class(const uint8_t *i) { return *i; }\n"
    files = {"network.h": head, "network.c": b'#include "network.h"\n' + code}
    with pytest.raises(DataError, match="fails with exit status") as caught:
        c_run.scores((program("gcc"),), files, "network", images_of((1, 2, 2), 1), 2, np.float32)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------ microcontrollers


ODD = nn.Sequential(
    nn.Conv2d(1, 5, 3, 2), nn.LeakyReLU(0.1), nn.BatchNorm2d(5), nn.MaxPool2d(2),
    Residual(nn.Conv2d(5, 5, 3, padding=1, groups=5), nn.SiLU(), nn.Conv2d(5, 5, 1)), nn.ReLU(),
    Dense(nn.Conv2d(5, 2, 3, padding=2, dilation=2)), nn.Conv2d(7, 7, 3, padding=1), nn.AvgPool2d(2), nn.ReLU(),
    nn.Flatten(), nn.Linear(63, 10),
)  # fmt: skip


@pytest.mark.parametrize(("cpu", "level"), [("cortex-m4", "-O3"), ("cortex-m0", "-Os")])
def test_a_microcontroller_gives_the_same_scores_bit_for_bit(cpu: str, level: str, tmp_path: Path) -> None:
    """One has the instructions for two products at a time, the other no multiplication of 64 bits."""
    program("arm-none-eabi-gcc"), program("qemu-system-arm")
    images = images_of(MNIST, 200)
    for module in (nets.build("fast"), ODD):
        made = ready("c-int8", stirred(module), MNIST, 10)
        for file, content in made.files().items():
            (tmp_path / file).write_bytes(content)
        assert made.whole is not None
        found = c_count.ran(tmp_path, "network", images, 10, cpu, level)
        assert np.array_equal(found.scores, in_c_or_whole.whole_answers.scores(made.whole, images))
        if module is not ODD and level == "-O3":
            assert 1_000_000 < found.instructions.mean() < 1_600_000


def test_fast_in_whole_numbers_takes_at_most_ten_thousand_bytes_of_flash() -> None:
    program("arm-none-eabi-gcc")
    size = c_size.measured(ready("c-int8", stirred(nets.build("fast")), MNIST, 10).files(), "network")
    assert 7820 < size.flash <= 10_000
    assert 2520 < size.ram <= 3_000


def test_what_a_processor_without_floating_point_takes_of_a_library_is_counted(tmp_path: Path) -> None:
    files = ready("c", stirred(nets.build("fast")), MNIST, 10).files()
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    flags = ["-mcpu=cortex-m4", "-mthumb", "-std=c99", "-Os", "-ffreestanding", "-c", "network.c"]
    subprocess.run([program("arm-none-eabi-gcc"), *flags], cwd=tmp_path, check=True)
    told = subprocess.run([program("arm-none-eabi-size"), "network.o"], cwd=tmp_path, capture_output=True, check=True)
    alone = sum(map(int, told.stdout.splitlines()[1].split()[:2]))
    assert alone + 500 < c_size.measured(files, "network").flash < alone + 4_000


def test_one_class_of_zeros_makes_no_other_score_coarser() -> None:
    """The last layer's scores share one unit, the largest step of a row."""

    def unit(last: float) -> float:
        torch.manual_seed(2)
        module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
        nn.init.constant_(module[3].weight[2].data, last)
        nn.init.constant_(module[3].bias[2:].data, last)
        made = ready("c-int8", module.eval(), (1, 8, 8), 3)
        assert made.whole is not None
        return made.whole.unit

    assert unit(0.0) == pytest.approx(unit(1e-6))


def test_a_compiler_for_microcontrollers_that_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        DataError, match=r"arm-none-eabi-gcc: is not installed: flash and RAM cannot be measured"
    ) as caught:
        c_size.measured({}, "network")
    assert "\n" not in str(caught.value)
