"""Pictures of any size and colour: kept, fitted, made grey; what was done is said; what cannot be read is one line."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyproof.core.errors import DataError, InputError, TinyproofError
from tinyproof.data import own_data
from tinyproof.data.dataset import Dataset, channel_statistics
from tinyproof.data.picture_reader import fitted, with_channels
from tinyproof.data.reading import BEFORE, Asked, Reading, asked

RNG = np.random.default_rng(11)


def folder(root: Path, sizes: list[tuple[int, int]], mode: str = "RGB", classes: str = "ab", each: int = 4) -> Path:
    """Pictures of noise by class, the sizes (width, height) in turn."""
    for number in range(each * len(classes)):
        width, height = sizes[number % len(sizes)]
        pixels = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
        place = root / classes[number % len(classes)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).convert(mode).save(place / f"{number:03}.png")
    return root


def read(path: Path, **wanted: object) -> tuple[Dataset, Reading]:
    found = own_data.load(path, asked(**wanted))  # type: ignore[arg-type]
    assert found.reading is not None
    assert found.reading.shape == found.shape
    return found, found.reading


@pytest.mark.parametrize("size", [(8, 8), (40, 40), (24, 17), (128, 128), (9, 128)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pictures_of_one_size_are_kept_as_they_are(tmp_path: Path, size: tuple[int, int], mode: str) -> None:
    path = folder(tmp_path / "noise", [size], mode)
    found, reading = read(path)
    assert found.shape == (3 if mode == "RGB" else 1, size[1], size[0])
    if mode == "RGB":
        assert reading.words == f"8 pictures, {size[1]}x{size[0]} colour, kept as they are"
    first = np.asarray(Image.open(path / "a" / "000.png"))
    there = np.concatenate([found.train_images, found.test_images])
    there = 255 - there if reading.inverted else there
    wanted = np.moveaxis(first, 2, 0) if mode == "RGB" else first[None]
    assert any(np.array_equal(image, wanted) for image in there)


def test_statistics_are_of_each_channel(tmp_path: Path) -> None:
    found, _ = read(folder(tmp_path / "noise", [(20, 12)]))
    pixels = found.train_images / 255
    np.testing.assert_allclose(found.mean, pixels.mean((0, 2, 3)), atol=5e-5)
    np.testing.assert_allclose(found.std, pixels.std((0, 2, 3)), atol=5e-5)
    mean, std = channel_statistics(found.train_images[:, :1])
    assert isinstance(mean, float)
    assert (mean, std) == (found.mean[0], found.std[0])  # type: ignore[index]


@pytest.mark.parametrize(
    ("sizes", "wanted", "size"),
    [
        ([(20, 30), (24, 40), (30, 50)], {}, (40, 24)),
        ([(400, 200)], {}, (32, 64)),
        ([(300, 300), (4000, 10)], {}, (8, 64)),
        ([(5, 5)], {}, (8, 8)),
        ([(20, 30), (24, 40)], {"size": "28"}, (28, 28)),
        ([(20, 30)], {"size": "24x32"}, (24, 32)),
        ([(20, 30)], {"size": 128}, (128, 128)),
    ],
)
def test_other_sizes_are_fitted_and_it_is_said(
    tmp_path: Path, sizes: list[tuple[int, int]], wanted: dict[str, object], size: tuple[int, int]
) -> None:
    found, reading = read(folder(tmp_path / "noise", sizes, each=6), **wanted)
    assert found.shape[1:] == size
    assert "fitted from" in reading.words
    assert "proportions kept" in reading.words


def test_proportions_stay_and_the_rest_has_the_borders_colour() -> None:
    picture = np.zeros((30, 10, 3), np.uint8)
    picture[:] = (200, 40, 90)
    picture[10:20, 3:7] = (0, 255, 0)
    out = fitted(picture, 30, 30)
    assert (out[:, :10] == (200, 40, 90)).all()
    assert (out[:, 20:] == (200, 40, 90)).all()
    np.testing.assert_array_equal(out[:, 10:20], picture)


def test_colour_is_what_the_pixels_show_not_what_the_file_calls_itself(tmp_path: Path) -> None:
    grey = folder(tmp_path / "grey", [(12, 12)], "L")
    for file in grey.glob("*/*.png"):
        Image.open(file).convert("RGB").save(file)
    assert read(grey)[0].shape[0] == 1
    Image.new("RGB", (12, 12), (200, 10, 10)).save(grey / "a" / "red.png")
    found, reading = read(grey)
    assert found.shape == (3, 12, 12)
    assert reading.words == "9 pictures, 12x12 colour, kept as they are"


def test_mixed_modes_are_one_kind_of_picture(tmp_path: Path) -> None:
    base = Image.fromarray(RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    for place in ("a", "b"):
        (tmp_path / "mixed" / place).mkdir(parents=True)
    for number, mode in enumerate(["L", "RGB", "RGBA", "P", "1", "CMYK", "LA", "I;16", "F"]):
        picture = base.convert("L").convert(mode) if mode in ("I;16", "F", "LA") else base.convert(mode)
        ending = "tif" if mode in ("CMYK", "I;16", "F") else "png"
        for place in ("a", "b"):
            picture.save(tmp_path / "mixed" / place / f"{number}.{ending}")
    found, _ = read(tmp_path / "mixed", channels=3)
    assert found.shape == (3, 16, 16)
    assert read(tmp_path / "mixed")[0].digest == found.digest


def test_grey_is_as_pillow_makes_it() -> None:
    pixels = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(with_channels(pixels, 1), np.asarray(Image.fromarray(pixels).convert("L")))


def test_channels_as_asked(tmp_path: Path) -> None:
    colour = folder(tmp_path / "colour", [(12, 12)])
    found, reading = read(colour, channels=1)
    assert found.shape == (1, 12, 12)
    assert "made grey as asked" in reading.words
    assert read(folder(tmp_path / "grey", [(12, 12)], "L"), input="3,12,12")[0].shape == (3, 12, 12)


def test_as_earlier_versions_read_them(tmp_path: Path) -> None:
    """What a record without a reading was made of: grey, 28x28, dark on bright inverted."""
    path = folder(tmp_path / "noise", [(40, 30)])
    found = own_data.load(path, BEFORE)
    assert found.shape == (1, 28, 28)
    file = path / "a" / "000.png"
    expected = fitted(np.asarray(Image.open(file).convert("L")), 28, 28)
    there = np.concatenate([found.train_images, found.test_images])[:, 0]
    assert any(np.array_equal(image, one) for image in there for one in (expected, 255 - expected))


@pytest.mark.parametrize("layout", ["NHW", "NHW1", "N1HW", "NHW3", "N3HW"])
def test_arrays_in_the_common_layouts(tmp_path: Path, layout: str) -> None:
    deep = 3 if "3" in layout else 1
    images = RNG.integers(0, 100, (20, deep, 14, 18), dtype=np.uint8)
    last = np.moveaxis(images, 1, 3)
    given = images[:, 0] if layout == "NHW" else images if layout.endswith("HW") else last
    np.savez(tmp_path / "a.npz", x_train=given, y_train=np.arange(20) % 2, x_test=given[:6], y_test=np.arange(6) % 2)
    found, _ = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.train_images, images)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(8, 128), width=st.integers(8, 128), deep=st.sampled_from([1, 3]), classes=st.integers(2, 12))
def test_arrays_of_any_shape_are_kept(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, deep: int, classes: int
) -> None:
    images = RNG.integers(0, 100, (2 * classes, height, width, deep), dtype=np.uint8)
    path = tmp_path_factory.mktemp("shapes") / "a.npz"
    labels = np.arange(2 * classes) % classes
    np.savez(path, x_train=images, y_train=labels, x_test=images[:3], y_test=labels[:3])
    found, reading = read(path)
    assert found.shape == (deep, height, width)
    assert len(found.classes) == classes
    np.testing.assert_array_equal(np.moveaxis(found.train_images, 1, 3), images)
    again = own_data.load(path, reading.asked)
    assert again.digest == found.digest


def test_class_names_of_an_npz_and_words_as_labels(tmp_path: Path) -> None:
    images, labels = RNG.integers(0, 99, (12, 10, 10), dtype=np.uint8), np.arange(12) % 3
    names = np.array(["cup", "tin", "urn"])
    both = {"x_train": images, "x_test": images}
    np.savez(tmp_path / "named.npz", y_train=labels, y_test=labels, class_names=names, **both)
    np.savez(tmp_path / "words.npz", y_train=names[labels], y_test=names[labels], **both)
    one, other = read(tmp_path / "named.npz")[0], read(tmp_path / "words.npz")[0]
    assert one.classes == other.classes == ("cup", "tin", "urn")
    assert one.digest == other.digest
    np.savez(tmp_path / "few.npz", y_train=labels, y_test=labels, classes=names[:2], **both)
    with pytest.raises(DataError, match="names 2 classes and has labels up to 2"):
        own_data.load(tmp_path / "few.npz")


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("last", [True, False], ids=["label-last", "label-first"])
def test_csv_of_labels_and_grey_values(tmp_path: Path, header: bool, last: bool) -> None:
    if last and not header:
        pytest.skip("without a header the label comes first")
    images, labels = RNG.integers(0, 256, (30, 9, 9)), np.arange(30) % 3
    names = [f"pixel{i}" for i in range(81)]
    values = [[*map(str, image.ravel())] for image in images]
    rows = [[*v, str(y)] if last else [str(y), *v] for v, y in zip(values, labels, strict=True)]
    head = [[*names, "label"] if last else ["label", *names]] if header else []
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in [*head, *rows]) + "\n")
    found, reading = read(tmp_path / "a.csv")
    assert found.shape == (1, 9, 9)
    there = np.concatenate([found.train_images, found.test_images])[:, 0]
    there = 255 - there if reading.inverted else there
    assert sorted(map(bytes, there)) == sorted(bytes(image.astype(np.uint8)) for image in images)


def test_a_folder_of_csv_and_pictures_that_are_not_square(tmp_path: Path) -> None:
    images, labels = RNG.integers(0, 99, (20, 8, 12)), np.arange(20) % 2
    for name, rows in (("train", slice(0, 14)), ("test", slice(14, 20))):
        text = "\n".join(",".join(map(str, [y, *i.ravel()])) for i, y in zip(images[rows], labels[rows], strict=True))
        (tmp_path / f"{name}.csv").write_text(text)
    with pytest.raises(DataError, match=r"96 grey values in a row, which is no square picture; give height and width"):
        own_data.load(tmp_path)
    found, _ = read(tmp_path, size="8x12")
    np.testing.assert_array_equal(found.train_images[:, 0], images[:14])
    (tmp_path / "test.csv").write_text("pixel0,pixel1\n1,2\n")
    assert len(read(tmp_path, size="8x12")[0].test_images) == 3


# ------------------------------------------------------------------ what cannot be read


def corrupt(path: Path) -> Path:
    """Three files that are no pictures among the others."""
    for number, content in enumerate([b"", b"no picture", (path / "a" / "000.png").read_bytes()[:90]]):
        (path / "a" / f"bad{number}.png").write_bytes(content)
    return path


def one_bit(path: Path, side: int) -> Path:
    Image.new("1", (side, side)).save(path / "a" / "huge.png")
    return path


def bomb(path: Path) -> Path:
    """A PNG whose header says 60,000 x 60,000 pixels."""
    content = io.BytesIO()
    Image.new("1", (8, 8)).save(content, "png")
    raw = bytearray(content.getvalue())
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    (path / "a" / "bomb.png").write_bytes(bytes(raw))
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "one pixel": (lambda p: one_bit(p, 1), r"huge\.png: has 1 x 1 pixels: too small"),
    "100 megapixels": (lambda p: one_bit(p, 10_000), r"huge\.png: has 10,000 x 10,000 pixels: too large"),
    "bomb": (bomb, r"bomb\.png: (has|is not a picture)"),
    "corrupt": (corrupt, r"bad0\.png: .*\(and 2 more in .* cannot be read\); .*--skip-bad"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_pictures_are_named_and_counted_and_may_be_left_out(tmp_path: Path, case: str) -> None:
    make, message = BAD[case]
    path = make(folder(tmp_path / "noise", [(12, 12)]))
    with pytest.raises(DataError, match=message) as caught:
        own_data.load(path)
    assert "\n" not in str(caught.value)
    found, reading = read(path, skip_bad=True)
    many = 3 if case == "corrupt" else 1
    assert len(found.train_images) + len(found.test_images) == 8
    assert reading.left_out == many
    assert f"{many} left out that cannot be read" in reading.words
    assert own_data.load(path, reading.asked).digest == found.digest


def test_a_class_of_one_picture_and_names_that_differ_in_case(tmp_path: Path) -> None:
    path = folder(tmp_path / "noise", [(12, 12)])
    (path / "c").mkdir()
    Image.new("L", (12, 12)).save(path / "c" / "only.png")
    with pytest.raises(DataError, match="has one image of class c, which cannot be trained on and tested too"):
        own_data.load(path)
    (path / "c").rename(path / "A")
    if sorted(p.name for p in path.iterdir()) == ["A", "a", "b"]:  # where the system tells them apart
        with pytest.raises(DataError, match="has the classes A and a, which differ only in case"):
            own_data.load(path)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"size": "7"}, "size: 7 is not allowed; allowed: a whole number from 8 to 128"),
        ({"size": "12x"}, "size: '12x' is not allowed"),
        ({"size": "1x2x3"}, "size: '1x2x3' is not allowed; allowed: a side in pixels, as 32, or height and width"),
        ({"channels": 2}, "channels: 2 is not allowed; allowed: 1 .grey. or 3"),
        ({"input": "32,32"}, "input: '32,32' is not allowed; allowed: channels, height and width, as 3,32,32"),
        ({"input": "3,32,32", "size": "32"}, "either the whole input, or size and channels"),
        ({"input": "3,32,x"}, "input: '3,32,x' is not allowed"),
    ],
)
def test_what_may_be_asked(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        asked(**wanted)  # type: ignore[arg-type]


def test_another_size_of_our_own_data_is_refused() -> None:
    from tinyproof.data.load import load

    with pytest.raises(TinyproofError, match="as digits has it; another is for data of your own"):
        load("digits", asked=Asked(size=(32, 32)))
    assert load("digits", asked=Asked(size=(28, 28), channels=1)).shape == (1, 28, 28)


def test_the_command_says_it_in_one_line(tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    path = corrupt(folder(tmp_path / "noise", [(24, 24)]))
    told = cli("train", "fast", "--dataset", path, "--out", tmp_path / "run")
    assert told.returncode == 2
    assert len(told.stderr.strip().splitlines()) == 1
    assert "--skip-bad" in told.stderr
