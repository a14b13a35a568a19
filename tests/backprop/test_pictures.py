"""The network and the loss curves as pictures: what is in them, and that they are not blank."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.image import imread

from tinyproof.backprop.draw import drawn
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.sweep import sweep
from tinyproof.show.backprop_plots import loss_curves
from tinyproof.show.diagram import ACROSS, RADIUS, draw, png, svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", PRESETS)
def test_every_unit_and_weight_is_drawn_once(name: str) -> None:
    net = preset(name)
    root = ET.fromstring(svg(draw(net)))
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert len(list(root.iter(f"{SVG}circle"))) == sum(net.shape)
    weights = [w for rows in net.weight_names for row in rows for w in row]
    assert len(list(root.iter(f"{SVG}line"))) == len(weights)
    for weight in weights:
        assert [t for t in texts if t.split()[0] == weight] == [f"{weight} {net.parameters[weight]:.3g}"]
    for unit in (net.unit(layer, k) for layer in range(len(net.layers)) for k in range(net.layers[layer].units)):
        assert unit in texts


def test_labels_do_not_cover_one_another_or_a_unit() -> None:
    for name in ("course", "worked-example", "xor", "relu", "softmax"):
        drawing = draw(preset(name))
        boxes = [(t.x, t.y, len(t.text) * t.size * 0.27, t.size / 2) for t in drawing.texts if t.boxed]
        for k, (x, y, w, h) in enumerate(boxes):
            assert not [1 for a, b, c, d in boxes[k + 1 :] if abs(x - a) < w + c and abs(y - b) < h + d], name
            assert not [1 for c in drawing.circles if abs(c.x - x) < RADIUS and abs(c.y - y) < RADIUS], name


def test_later_weights_are_shown() -> None:
    assert any(t.text == "w5 0.123" for t in draw(preset("course"), {"w5": 0.123}).texts)


def test_wide_layers_are_drawn_with_a_gap_and_stay_small() -> None:
    drawing = draw(drawn([200, 30, 2], 1))
    assert len(drawing.circles) == 7 + 7 + 2
    assert sum(text.text == "⋮" for text in drawing.texts) == 2
    assert drawing.width < 4 * ACROSS
    assert drawing.height < 1200


def test_names_are_escaped() -> None:
    from dataclasses import replace

    text = svg(draw(replace(preset("course"), name="<b>&")))
    assert "<b>" not in text
    ET.fromstring(text)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rates", [(0.1, 0.5, 2.0), (0.05, 5.0), tuple(np.linspace(0.1, 3, 30).tolist())])
def test_pictures_have_ink(rates: tuple[float, ...]) -> None:
    name = "relu" if 5.0 in rates else "course"
    for picture in (loss_curves(sweep(name, rates, 600)), png(draw(preset(name)), 1)):
        pixels = imread(io.BytesIO(picture))
        assert 0.005 < float((pixels[..., :3].min(axis=2) < 0.9).mean()) < 0.6
