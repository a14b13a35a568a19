"""Pictures of a digit in many forms: all must be read as the same input, and the answer must be the network's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyproof.api.predict import predict
from tinyproof.api.report import report
from tinyproof.api.train import train
from tinyproof.core.errors import DataError, InputError
from tinyproof.data.dataset import Dataset, subset
from tinyproof.data.digit_reader import read_picture
from tinyproof.data.load import INK
from tinyproof.train import store
from tinyproof.train.recipe import named


@pytest.fixture
def seven() -> np.ndarray:
    """A large 7, light on dark, off the centre: float [200, 300] from 0 to 255."""
    picture = np.zeros((200, 300))
    picture[40:55, 60:140] = 255
    for row in range(55, 160):
        start = int(135 - (row - 55) * 0.55)
        picture[row, start - 14 : start] = 255
    return picture


def saved(path: Path, pixels: np.ndarray, mode: str = "L") -> Path:
    Image.fromarray(pixels.astype(np.uint8), mode).save(path)
    return path


def test_every_form_of_one_picture_is_the_same_input(seven: np.ndarray, tmp_path: Path) -> None:
    dark = 255 - seven
    alpha = np.dstack([np.zeros((*seven.shape, 3)), seven])
    forms = {
        "light on dark": saved(tmp_path / "a.png", seven),
        "dark on light": saved(tmp_path / "b.png", dark),
        "colour": saved(tmp_path / "c.png", np.repeat(dark[:, :, None], 3, 2), "RGB"),
        "transparent": saved(tmp_path / "d.png", alpha, "RGBA"),
        "larger paper": saved(tmp_path / "e.png", np.pad(dark, ((90, 10), (3, 200)), constant_values=255)),
        "grey paper": saved(tmp_path / "f.png", 60 + dark * (195 / 255)),
    }
    inputs = {name: read_picture(path)[0].astype(int) for name, path in forms.items()}
    for name, pixels in inputs.items():
        assert pixels.shape == (28, 28)
        assert np.abs(pixels - inputs["light on dark"]).max() <= 2, name


def test_the_ink_is_20_pixels_large_and_centred_by_mass(seven: np.ndarray, tmp_path: Path) -> None:
    pixels, steps = read_picture(saved(tmp_path / "a.png", 255 - seven))
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = pixels.astype(float)
    centre = [(mass.sum(1) * np.arange(28)).sum() / mass.sum(), (mass.sum(0) * np.arange(28)).sum() / mass.sum()]
    np.testing.assert_allclose(centre, 13.5, atol=0.5)
    words = "; ".join(steps)
    assert "300 x 200 pixels" in words
    assert "inverted (dark ink on a light ground)" in words
    assert "centred" in words


def test_several_digits_in_a_row_are_noticed(seven: np.ndarray, tmp_path: Path) -> None:
    _, steps = read_picture(saved(tmp_path / "a.png", np.hstack([seven, seven])))
    assert steps[-1] == "warning: 2 digits side by side, read from left to right"
    assert not any("warning" in step for step in read_picture(saved(tmp_path / "b.png", seven))[1])


def test_an_input_as_the_data_has_it_is_taken_as_it_is(seven: np.ndarray, digits: Dataset, tmp_path: Path) -> None:
    made, _ = read_picture(saved(tmp_path / "large.png", seven))
    pixels, steps = read_picture(saved(tmp_path / "a.png", made))
    np.testing.assert_array_equal(pixels, made)
    assert steps[-1].endswith("taken as it is")
    corner = np.roll(made, (-4, -5), (0, 1))
    pixels, steps = read_picture(saved(tmp_path / "corner.png", corner))
    assert not steps[-1].endswith("taken as it is")
    assert np.corrcoef(pixels.ravel(), made.ravel())[0, 1] > 0.97
    for image in digits.test_images[:40, 0]:
        np.testing.assert_array_equal(read_picture(saved(tmp_path / "b.png", image), INK["digits"])[0], image)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_is_no_picture_is_named(tmp_path: Path, seven: np.ndarray) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(DataError, match=r"text.png: is not a picture"):
        read_picture(tmp_path / "text.png")
    whole = saved(tmp_path / "cut.png", seven).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is not a picture that can be read"):
        read_picture(tmp_path / "cut.png")
    with pytest.raises(DataError, match="shows nothing"):
        read_picture(saved(tmp_path / "blank.png", np.full((50, 50), 255)))
    with pytest.raises(DataError, match="shows nothing"):
        read_picture(saved(tmp_path / "black.png", np.zeros((28, 28))))
    with pytest.raises(DataError, match="no such file"):
        read_picture(tmp_path / "none.png")


def test_answers_are_those_of_the_trained_network(
    digits: Dataset, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    few = subset(digits, 700, 40)
    recipe = replace(named("digits"), epochs=3)
    done = train(
        "s6-19k", recipe=recipe, dataset=few, out=tmp_path / "run", engine="torch", device="cpu", threads=1, quiet=True
    )
    stored = store.load_predictions(done.folder)
    right = 0
    for index in range(12):
        # Drawn dark on light at three times the size, as a person would save it.
        large = np.kron(255 - few.test_images[index, 0], np.ones((3, 3)))
        answer = predict(done.folder, saved(tmp_path / f"{index}.png", np.pad(large, 30, constant_values=255)))
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
        right += answer.predicted == str(stored.predicted[index])
    assert right >= 11
    told = cli("predict", done.folder, tmp_path / "0.png", "--json")
    assert json.loads(told.stdout)["predicted"] == predict(done.folder, tmp_path / "0.png").predicted
    weights = done.folder / store.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(DataError, match="is not the file that this run wrote"):
        predict(done.folder, tmp_path / "0.png")


def test_a_photograph_is_turned_as_its_camera_says(seven: np.ndarray, tmp_path: Path) -> None:
    upright = Image.fromarray((255 - seven).astype(np.uint8)).convert("RGB")
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "phone.png", exif=exif)
    pixels, steps = read_picture(tmp_path / "phone.png")
    np.testing.assert_array_equal(pixels, read_picture(tmp_path / "upright.png")[0])
    assert "turned as its camera says" in steps


def test_16_bits_a_pixel_are_the_same_picture(seven: np.ndarray, tmp_path: Path) -> None:
    dark = np.round(255 - seven)
    Image.fromarray((dark * 257).astype(np.uint16)).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(
        read_picture(tmp_path / "deep.png")[0], read_picture(saved(tmp_path / "a.png", dark))[0]
    )


def test_a_record_does_not_decide_which_file_is_run(digits: Dataset, tmp_path: Path) -> None:
    """A run of one's own network: predicted and reported only with the file that the user names."""
    mark = tmp_path / "it ran"
    source = (
        "from pathlib import Path\nfrom tinyproof.network.nets import S6Net19k\n\n\nclass Own(S6Net19k):\n    pass\n"
    )
    (tmp_path / "own.py").write_text(f"{source}\n\nPath({str(mark)!r}).touch()\n")
    model = f"{tmp_path / 'own.py'}:Own"
    few = subset(digits, 64, 16)
    done = train(
        model, recipe=replace(named("digits"), epochs=1), dataset=few, out=tmp_path / "run", engine="torch",
        device="cpu", threads=1, quiet=True,
    )  # fmt: skip
    mark.unlink()
    image = saved(tmp_path / "a.png", np.pad(digits.test_images[0, 0], 4))
    with pytest.raises(InputError, match=r"is no network of ours; name its file with --model"):
        predict(done.folder, image)
    report(done.folder)
    assert not mark.exists()
    assert predict(done.folder, image, model).predicted in "0123456789"
    assert mark.exists()
    with pytest.raises(DataError, match="do not fit the network"):
        predict(done.folder, image, "s7-8k")


def test_weights_that_hold_no_numbers_classify_nothing(
    seven: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("s7-8k", dataset="digits", epochs=1, out=tmp_path / "run", quiet=True)
    kept = store.load_weights(tmp_path / "run")
    lost = {name: np.full_like(value, np.nan) if value.dtype.kind == "f" else value for name, value in kept.items()}
    monkeypatch.setattr(store, "load_weights", lambda folder: lost)
    with pytest.raises(DataError, match="give no probabilities"):
        predict(tmp_path / "run", saved(tmp_path / "a.png", seven))
