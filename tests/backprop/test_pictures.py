"""The network and the loss curves as pictures: what is in them, and that they are not blank."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread

from tinyproof.backprop.net import Example, Layer, Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.sweep import sweep
from tinyproof.show.backprop_plots import loss_curves
from tinyproof.show.drawing.fully_connected import RADIUS, net_picture
from tinyproof.show.drawing.shapes import COLOURS, Line, Picture, png, svg

SVG = "{http://www.w3.org/2000/svg}"


def weights_drawn(picture: Picture) -> list[Line]:
    return [shape for shape in picture.shapes if isinstance(shape, Line)]


@pytest.mark.parametrize("name", PRESETS)
def test_every_unit_and_weight_is_drawn_once(name: str) -> None:
    net = preset(name)
    root = ET.fromstring(svg(net_picture(net)))
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert len(list(root.iter(f"{SVG}circle"))) == sum(net.shape)
    weights = [w for rows in net.weight_names for row in rows for w in row]
    assert len(list(root.iter(f"{SVG}path"))) == len(weights)
    for weight in weights:
        assert [t for t in texts if t.split()[0] == weight] == [f"{weight} {net.parameters[weight]:.3g}"]
    for unit in (net.unit(layer, k) for layer in range(len(net.layers)) for k in range(net.layers[layer].units)):
        assert unit in texts


def test_labels_do_not_cover_one_another_or_a_unit() -> None:
    for name in ("course", "worked-example", "xor", "relu", "softmax"):
        drawing = net_picture(preset(name))
        boxes = [(t.x, t.y, len(t.text) * t.size * 0.27, t.size / 2) for t in drawing.texts if t.boxed]
        assert boxes
        for k, (x, y, w, h) in enumerate(boxes):
            assert not [1 for a, b, c, d in boxes[k + 1 :] if abs(x - a) < w + c and abs(y - b) < h + d], name
            assert not [1 for c in drawing.circles if abs(c.x - x) < RADIUS and abs(c.y - y) < RADIUS], name


def test_later_weights_are_shown() -> None:
    assert any(t.text == "w5 0.123" for t in net_picture(preset("course"), {"w5": 0.123}).texts)


def test_wide_layers_are_drawn_with_a_gap_and_stay_small() -> None:
    drawing = net_picture(drawn([200, 30, 2], 1))
    assert len(drawing.circles) == 7 + 7 + 2
    assert len(weights_drawn(drawing)) == 7 * 7 + 7 * 2
    assert [text.text for text in drawing.texts if "more" in text.text] == ["193 more", "23 more"]
    assert sum(text.text == "⋮" for text in drawing.texts) == 2
    assert drawing.width < 4 * 235
    assert drawing.height < 1200


@pytest.mark.parametrize("layers", [8, 15, 24])
def test_a_deep_network_fits_and_its_units_do_not_touch(layers: int) -> None:
    net = drawn([3, *[4] * (layers - 2), 2], 1)
    drawing = net_picture(net)
    assert len(drawing.circles) == sum(net.shape)
    assert drawing.width <= (1850 if layers <= 15 else 2400)
    columns = sorted({circle.x for circle in drawing.circles})
    assert len(columns) == layers
    assert min(b - a for a, b in pairwise(columns)) >= 2 * RADIUS + 30


def test_size_and_sign_of_a_weight_are_seen_and_not_by_colour_alone() -> None:
    drawing = net_picture(preset("xor"))
    weights = [value for name, value in preset("xor").parameters.items() if name.startswith("w")]
    lines = weights_drawn(drawing)
    assert sorted(line.dashed for line in lines) == sorted(value < 0 for value in weights)
    assert {(line.stroke, line.dashed) for line in lines} == {("positive", False), ("negative", True)}
    assert np.corrcoef(sorted(line.width for line in lines), sorted(map(abs, weights)))[0, 1] == pytest.approx(1)


def test_a_reader_who_cannot_see_it_is_told_all_of_it() -> None:
    root = ET.fromstring(svg(net_picture(preset("course"))))
    told = {part.tag.removeprefix(SVG): part.text or "" for part in root if part.get("id")}
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == " ".join(str(part.get("id")) for part in root if part.get("id"))
    assert told["title"] == "The network course: 2-2-2"
    assert "2 inputs, then 2 sigmoid units, then 2 sigmoid units." in told["desc"]
    assert all(f"{name} {value:.3g}" in told["desc"] for name, value in preset("course").parameters.items())
    assert net_picture(drawn([200, 30, 2], 1)).description.endswith(", and 6,020 more.")


def test_colours_follow_the_reader_or_the_theme() -> None:
    drawing, (light, dark) = net_picture(preset("course")), COLOURS["paper"]
    auto, fixed_light, fixed_dark = svg(drawing), svg(drawing, "light"), svg(drawing, "dark")
    assert f'class="f-paper" fill="{light}"' in auto
    assert f".f-paper {{ fill: {dark} }}" in auto
    assert light in fixed_light and dark not in fixed_light and "<style>" not in fixed_light  # noqa: PT018
    assert dark in fixed_dark and light not in fixed_dark and "<style>" not in fixed_dark  # noqa: PT018


def test_names_are_escaped() -> None:
    from dataclasses import replace

    text = svg(net_picture(replace(preset("course"), name="<b>&")))
    assert "<b>" not in text
    ET.fromstring(text)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rates", [(0.1, 0.5, 2.0), (0.05, 5.0), tuple(np.linspace(0.1, 3, 30).tolist())])
def test_pictures_have_ink(rates: tuple[float, ...]) -> None:
    name = "relu" if 5.0 in rates else "course"
    for picture in (loss_curves(sweep(name, rates, 600)), png(net_picture(preset(name)), scale=1)):
        pixels = imread(io.BytesIO(picture))
        assert 0.005 < float((pixels[..., :3].min(axis=2) < 0.9).mean()) < 0.6


def test_the_largest_weights_are_drawn_no_wider_than_others() -> None:
    largest = Net("large", (Layer(((1e308, -5e307),)),), (Example((1.0, 2.0), (1.0,)),))
    widths = [shape.width for shape in net_picture(largest).shapes if isinstance(shape, Line)]
    assert widths == [pytest.approx(4.0), pytest.approx(2.4)]
