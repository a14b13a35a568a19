"""A network as a page, in a real Chromium: it reads as predict reads, answers as torch does, and asks nobody."""

from __future__ import annotations

import base64
import io
import json
import math
import random
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tests.page.browser import Browser, browser
from tests.ship.test_export import PICTURES
from tests.ship.test_network_book import STATISTICS, grouped, odd, odd_images, steps_of, theirs
from torch import nn

import tinyproof
from tinyproof.api.predict import reading_of
from tinyproof.core.errors import DataError
from tinyproof.data.load import load
from tinyproof.data.read_alike import read_file
from tinyproof.data.reading import Reading
from tinyproof.ship import browser as chromium_door
from tinyproof.ship import exported, for_people, page_file
from tinyproof.ship.operations import layers_of
from tinyproof.ship.page_file import Words, page_bytes
from tinyproof.train import store

HOSTILE = "</script><script>document.title = 'broken'</script><b>&amp;"
WORDS = Words(HOSTILE, (HOSTILE, "a", "b", "c"), (HOSTILE,), "0" * 64)


@pytest.fixture(scope="module")
def tab(chromium: str) -> Iterator[Browser]:
    with browser(chromium) as one:
        yield one


@pytest.fixture(scope="module")
def page(trained: Path, tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Path:
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("page") / "run"))
    tinyproof.export(folder, to="html")
    return folder / "export-html" / page_file.FILE


def shown(tab: Browser, page: Path, width: int = 1100) -> Browser:
    tab.open(page, width)
    tab.run("ready.then(() => 1)")
    tab.settle()
    return tab


def dropped(tab: Browser, content: bytes) -> tuple[NDArray[np.uint8], str]:
    """What the page reads of a picture file: its inputs [n, values], and its doubts."""
    data = base64.b64encode(content).decode()
    pixels, doubts = tab.run(
        f"open(new Blob([Uint8Array.from(atob('{data}'), c => c.charCodeAt(0))]))"
        ".then(() => [inputs.map(v => [...v]), at('doubts').textContent])"
    )
    return np.array(pixels), doubts


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


# ------------------------------------------------------------------ its answers


def test_its_evidence_is_of_all_test_images(page: Path) -> None:
    record, run = exported.load(page.parent), store.load(page.parent.parent)
    assert (record.correct, record.test_count, record.changed, record.images) == (run.correct, 359, 0, ())
    assert record.largest_difference < 1e-5
    assert record.runner.startswith(("Chromium", "Google Chrome"))


@pytest.mark.usefixtures("mnist_folder")
def test_it_gives_torch_s_classes_on_all_ten_thousand(tmp_path: Path, chromium: str) -> None:
    tinyproof.train("fast", dataset="mnist", epochs=1, out=tmp_path / "run", quiet=True)
    record = tinyproof.export(tmp_path / "run", to="html")
    scores = store.load_predictions(record.folder).predicted
    assert (record.test_count, record.changed) == (10_000, 0)
    assert (scores == store.load_predictions(tmp_path / "run").predicted).all()
    assert (record.folder / page_file.FILE).stat().st_size <= 60_000


@pytest.mark.parametrize("built", [odd, grouped])
def test_every_kind_of_layer_is_computed(chromium: str, built: Callable[[], nn.Module]) -> None:
    module, images = built(), odd_images()
    reading = Reading(kind="pictures", channels=3, height=9, width=8)
    content = page_bytes(steps_of(module, (3, 9, 8), 4, *STATISTICS), reading, WORDS)
    found = chromium_door.scores(chromium, content, images, 4)
    wanted = theirs(module, images, *STATISTICS)
    assert np.abs(found - wanted).max() < 1e-5 * np.abs(wanted).max()


def test_an_image_takes_under_five_milliseconds(tab: Browser, page: Path) -> None:
    """The shortest of many, since other programs run too."""
    shown(tab, page)
    tab.run("x = new Float32Array(784).fill(9)")
    tab.run(
        "five = () => { const t = performance.now(); for (let i = 0; i < 5; i++) layers(x);"
        " return performance.now() - t }"
    )
    script = "Math.min(...Array.from({length: 60}, five))"
    assert tab.run(script) / 5 < 5


# ------------------------------------------------------------------ its reader


def scribble(rng: random.Random, size: int, light: bool, width: int) -> Image.Image:
    picture = Image.new("L", (size, size), 0 if light else 255)
    for _ in range(rng.randint(1, 3)):
        points = [(rng.uniform(0.2, 0.8) * size, rng.uniform(0.15, 0.85) * size) for _ in range(rng.randint(2, 5))]
        ImageDraw.Draw(picture).line(points, fill=255 if light else 0, width=width, joint="curve")
    return picture


def pictures() -> dict[str, Image.Image]:
    rng, images = random.Random(7), load("digits").test_images
    found = {name: one for name, one in PICTURES.items() if name.endswith(".png")}
    for number in range(24):
        size = rng.choice([28, 40, 57, 64, 100, 200, 280, 513, 777, 1100])
        found[f"drawn {number}"] = scribble(rng, size, number % 3 == 0, rng.choice([3, max(2, size // 13)]))
    for number in range(6):
        digit = Image.fromarray(images[number, 0])
        found[f"own {number}"] = digit
        found[f"large {number}"] = digit.resize((190, 210), Image.Resampling.BICUBIC)
    wide = Image.new("L", (420, 120), 255)
    for number in range(4):
        wide.paste(Image.fromarray(255 - images[number, 0]).resize((70, 84)), (20 + 100 * number, 15))
    sheet = Image.new("L", (300, 300), 40)
    ImageDraw.Draw(sheet).rectangle((40, 30, 260, 270), fill=230)
    ImageDraw.Draw(sheet).line([(120, 80), (180, 90), (130, 210)], fill=40, width=12)
    tiny = Image.new("L", (9, 9), 30)
    ImageDraw.Draw(tiny).rectangle((1, 1, 6, 6), fill=230)
    ImageDraw.Draw(tiny).line([(4, 2), (4, 5)], fill=40)
    return found | {"row of four": wide, "a sheet on a desk": sheet, "a sheet that is all edge": tiny}


def test_pictures_become_the_same_bytes_as_in_predict(tab: Browser, page: Path, tmp_path: Path) -> None:
    shown(tab, page)
    reading = reading_of(store.load(page.parent.parent))
    several = 0
    for name, picture in pictures().items():
        (tmp_path / "one.png").write_bytes(png(picture))
        wanted = read_file(tmp_path / "one.png", reading)
        assert wanted.inputs is not None
        found, doubts = dropped(tab, (tmp_path / "one.png").read_bytes())
        assert found.tolist() == wanted.inputs.reshape(len(wanted.inputs), -1).tolist(), name
        assert doubts == "; ".join(step[9:] for step in wanted.steps if step.startswith("warning: ")), name
        several = max(several, len(found))
    assert several == 4
    assert tab.errors == []


@pytest.mark.parametrize("box", [20, 28])
def test_boxes_of_both_sizes_are_read(tab: Browser, tmp_path: Path, box: int) -> None:
    """Without a network: MNIST's digits lie in a box of 20 pixels."""
    reading = Reading(kind="ink", channels=1, height=28, width=28, box=box, inverted=box == 20)
    (tmp_path / "page.html").write_bytes(page_bytes([], reading, WORDS))
    shown(tab, tmp_path / "page.html")
    for number in range(8):
        picture = scribble(random.Random(number), 28 + 31 * number, False, 3 + number)
        picture.save(tmp_path / "one.png")
        data = base64.b64encode(png(picture)).decode()
        found = tab.run(
            f"createImageBitmap(new Blob([Uint8Array.from(atob('{data}'), c => c.charCodeAt(0))])).then(b => {{"
            "const c = document.createElement('canvas'); c.width = b.width; c.height = b.height;"
            "const t = c.getContext('2d'); t.drawImage(b, 0, 0);"
            "return [...read(t.getImageData(0, 0, c.width, c.height)).inputs[0]] })"
        )
        wanted = read_file(tmp_path / "one.png", reading).inputs
        assert wanted is not None
        assert found == wanted[0, 0].ravel().tolist(), number


@pytest.mark.parametrize("reading", [
    Reading(kind="pictures", channels=3, height=9, width=8),
    Reading(kind="pictures", channels=1, height=12, width=16, inverted=True),
])  # fmt: skip
def test_other_pictures_are_fitted_as_in_predict(tab: Browser, tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "page.html").write_bytes(page_bytes([], reading, WORDS))
    shown(tab, tmp_path / "page.html")
    rng = np.random.default_rng(5)
    for height, width in ((9, 8), (30, 40), (5, 7), (64, 20)):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "one.png")
        wanted = read_file(tmp_path / "one.png", reading).inputs
        assert wanted is not None
        data = base64.b64encode((tmp_path / "one.png").read_bytes()).decode()
        found = tab.run(
            f"createImageBitmap(new Blob([Uint8Array.from(atob('{data}'), c => c.charCodeAt(0))])).then(b => {{"
            "const c = document.createElement('canvas'); c.width = b.width; c.height = b.height;"
            "const t = c.getContext('2d'); t.drawImage(b, 0, 0);"
            "return [...read(t.getImageData(0, 0, c.width, c.height)).inputs[0]] })"
        )
        apart = np.abs(np.array(found) - wanted[0].ravel()).max()
        assert apart <= (0 if (height, width) == (9, 8) else 2), (height, width)


def test_what_is_no_picture_and_what_shows_nothing_is_said(tab: Browser, page: Path) -> None:
    shown(tab, page)
    found, doubts = dropped(tab, b"no picture")
    assert (len(found), doubts) == (0, "this file is no picture that the browser reads")
    found, doubts = dropped(tab, png(Image.new("L", (50, 50), 200)))
    assert (len(found), doubts) == (0, "nothing is drawn: no ink stands out from the paper")
    assert tab.run("at('answer').textContent") == "–"


# ------------------------------------------------------------------ drawing


def corner(tab: Browser) -> list[float]:
    found: list[float] = tab.run("(() => { const b = board.getBoundingClientRect(); return [b.x, b.y, b.width] })()")
    return found


def curve(tab: Browser) -> list[tuple[float, float]]:
    x, y, side = corner(tab)
    return [(x + side * (0.5 + 0.2 * math.sin(k / 4)), y + side * (0.15 + 0.022 * k)) for k in range(31)]


def by_mouse(tab: Browser, kind: str = "mouse") -> None:
    names = ["mousePressed", *["mouseMoved"] * 29, "mouseReleased"]
    for name, (x, y) in zip(names, curve(tab), strict=True):
        tab.call(
            "Input.dispatchMouseEvent", type=name, x=x, y=y, button="left", buttons=1, clickCount=1, pointerType=kind
        )


def by_pen(tab: Browser) -> None:
    by_mouse(tab, "pen")


def by_finger(tab: Browser) -> None:
    points = curve(tab)
    for name, (x, y) in zip(["touchStart", *["touchMove"] * 30], points, strict=True):
        tab.call("Input.dispatchTouchEvent", type=name, touchPoints=[{"x": x, "y": y}])
    tab.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def by_keys(tab: Browser) -> None:
    tab.run("board.focus()")
    tab.key("ArrowUp", 8), tab.key(" "), tab.key("ArrowDown", 16), tab.key("ArrowRight", 5), tab.key(" ")


KEYS: dict[str, int] = {"ArrowUp": 38, "ArrowDown": 40}


@pytest.mark.parametrize(("draw", "width"), [(by_mouse, 1100), (by_pen, 1100), (by_finger, 390), (by_keys, 1100)])
def test_one_draws_with_anything_and_predict_reads_the_same(
    tab: Browser,
    page: Path,
    tmp_path: Path,
    draw: Callable[[Browser], None],
    width: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, code in KEYS.items():
        monkeypatch.setitem(__import__("tests.page.browser", fromlist=["KEYS"]).KEYS, name, code)
    shown(tab, page, width)
    draw(tab)
    end = time.monotonic() + 30
    while not tab.run("inputs.length") and time.monotonic() < end:
        time.sleep(0.1)
    pixels, picture, answer = tab.run(
        "(look(), [inputs.map(v => [...v]), board.toDataURL(), at('answer').textContent])"
    )
    (tmp_path / "drawn.png").write_bytes(base64.b64decode(picture.partition(",")[2]))
    found = tinyproof.predict(page.parent.parent, tmp_path / "drawn.png")
    wanted = read_file(tmp_path / "drawn.png", reading_of(store.load(page.parent.parent))).inputs
    assert wanted is not None
    assert pixels == wanted.reshape(len(wanted), -1).tolist()
    assert answer == found.predicted
    assert tab.run("at('sure').textContent") == f"{100 * found.probability:.1f} % sure"
    assert tab.run("document.querySelectorAll('#layers canvas').length") == 1 + 7
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.errors == []


def test_every_button_is_reached_by_the_tab_key(tab: Browser, page: Path) -> None:
    shown(tab, page)
    reached = []
    for _ in range(4):
        tab.key("Tab")
        reached.append(tab.run("document.activeElement.id"))
    assert reached == ["board", "clear", "file", "save"]


# ------------------------------------------------------------------ alone, and unbroken


def test_nothing_is_asked_for_and_nothing_else_is_run(tab: Browser, page: Path) -> None:
    shown(tab, page)
    assert tab.requests == [page.resolve().as_uri()]
    assert tab.errors == []
    policy = tab.run("document.querySelector('meta[http-equiv]').content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    tab.run("(s => { s.textContent = 'window.mine = 1'; document.body.append(s) })(document.createElement('script'))")
    assert tab.run("window.mine === undefined")
    assert tab.run("fetch('https://example.org').then(() => 'sent', () => 'refused')") == "refused"


def test_words_of_a_record_stay_words(tab: Browser, tmp_path: Path) -> None:
    module, images = odd(), odd_images()
    reading = Reading(kind="pictures", channels=3, height=9, width=8)
    content = page_bytes(steps_of(module, (3, 9, 8), 4, *STATISTICS), reading, WORDS)
    (tmp_path / "page.html").write_bytes(content)
    shown(tab, tmp_path / "page.html")
    dropped(tab, png(Image.fromarray(np.moveaxis(images[0], 0, 2))))
    assert tab.run("[document.title, document.querySelector('h1').textContent, CLASSES[0]]") == [HOSTILE] * 3
    assert tab.run("document.querySelector('#scores th').textContent") == HOSTILE
    assert tab.run("document.querySelectorAll('b').length") == 0
    assert tab.errors == []


def test_how_its_parts_are_deflated_makes_no_other_page_but_a_weight_does(page: Path) -> None:
    content = page.read_bytes()
    start = content.index(b'id="weights">') + len(b'id="weights">')
    packed = content[start : content.index(b"<", start)]
    weights = bytearray(zlib.decompress(base64.b64decode(packed)))
    other = content.replace(packed, base64.b64encode(zlib.compress(bytes(weights), 1)))
    assert other != content
    assert page_file.same_page(other, content)
    weights[5] ^= 1
    assert not page_file.same_page(content.replace(packed, base64.b64encode(zlib.compress(bytes(weights), 9))), content)
    assert not page_file.same_page(content.replace(packed, b"!"), content)
    assert not page_file.same_page(content.replace(b"pen", b"pan", 1), content)


def changed_page(folder: Path, change: Callable[[bytes], bytes]) -> dict[str, bool | None]:
    path = folder / "export-html" / page_file.FILE
    path.write_bytes(change(path.read_bytes()))
    lines = tinyproof.verify(folder).lines
    return {line.what: line.holds for line in lines if line.place == "export-html"}


def test_verify_runs_the_page_and_finds_a_changed_byte(page: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(page.parent.parent, tmp_path / "run"))
    assert set(changed_page(folder, lambda content: content).values()) == {True}
    told = changed_page(folder, lambda content: content.replace(b"pen", b"pan", 1))
    assert told["the exported files are the recorded ones"] is False
    assert told["the exported files are made of the run's weights"] is False
    assert told["the exported files give these answers"] is None


def test_where_nothing_can_compute_the_page_it_is_said(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(trained, tmp_path / "run"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for to, why in (("html", "no Chromium is installed"), ("xlsx", "LibreOffice is not installed")):
        made = tinyproof.export(folder, to=to)
        assert (made.test_count, made.not_run, made.runner) == (0, why, "")
        assert str(made).endswith(f"the exported network was not run: {why}")
        assert why in (made.folder / "README.md").read_text()
        assert not (made.folder / exported.ANSWERS).exists()
    lines = tinyproof.verify(folder).lines
    told = [(line.what, line.holds) for line in lines if line.place == "export-html" and line.holds is not True]
    assert told == [
        ("the recorded accuracy is what its answers give", None), ("the exported files give these answers", None)
    ]  # fmt: skip


@pytest.mark.parametrize("to", exported.FOR_PEOPLE)
def test_a_log_softmax_before_the_end_goes_into_no_page(trained: Path, to: str) -> None:
    run, data = store.load(trained), load("digits")
    layers = layers_of("it", nn.Sequential(nn.Flatten(), nn.LogSoftmax(1), nn.Linear(784, 10)), (1, 28, 28), 10)
    said = f"cannot be exported to {to}: log-softmax stands before its end; onnx and torch take it"
    with pytest.raises(DataError, match=said):
        for_people.files(to, run, layers, {}, data, None)


def test_a_network_of_arrays_goes_into_no_page(trained: Path) -> None:
    run = store.load(trained)
    given = replace(run, reading=Reading(kind="given", channels=1, height=28, width=28))
    with pytest.raises(DataError, match="was trained on arrays: a page reads pictures; onnx, torch and xlsx take it"):
        for_people.files("html", given, (), {}, load("digits"), None)


def test_the_facts_are_plain_json(page: Path) -> None:
    content = page.read_text()
    start = content.index('id="facts">') + len('id="facts">')
    facts: dict[str, Any] = json.loads(content[start : content.index("<", start)])
    assert [stage["given"] for stage in facts["stages"]][-1] == [10, 1, 1]
    assert facts["reading"] == "ink"
