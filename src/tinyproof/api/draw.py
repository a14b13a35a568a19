"""`draw`: a network as a picture: a fully connected one with its weights, a CNN as the boxes of its outputs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, find_net
from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of, whole
from tinyproof.core.files import write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.data.own_data import MAX_CLASSES
from tinyproof.data.reading import shape_of
from tinyproof.network import model_name
from tinyproof.show.drawing.fully_connected import net_picture
from tinyproof.show.drawing.shapes import Picture, Theme, png, svg
from tinyproof.show.drawing.volumes import cnn_picture
from tinyproof.train.environment import need_torch

if TYPE_CHECKING:
    from tinyproof.network.anatomy import Anatomy


@dataclass(frozen=True, repr=False)
class DrawResult(Printed, os.PathLike[str]):
    """Where the picture was written, and the picture as SVG text; shows itself in a notebook."""

    path: Path
    title: str
    svg: str

    def parts(self) -> Sequence[Part]:
        """One line."""
        return [f"wrote {self.path}: {self.title}"]

    def __fspath__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        return f"{self.svg}{super()._repr_html_()}"


def draw(
    network: Net | Path | str,
    out: Path | str = "network.svg",
    *,
    theme: Theme = "auto",
    settings: Sequence[str] | Mapping[str, object] = (),
    input: str | Sequence[int] | None = None,
    classes: int = 10,
) -> DrawResult:
    """Draw a network: a fully connected one with its weights, a CNN layer by layer with sizes, kernels and parameters.

    `network`: a Net, a preset's name, a TOML file or `random:2-3-1:7`; or a CNN as in `summary`, with its `settings`,
    `input` and `classes`: a name, `path/to/model.py:Class`, or the file alone where it holds one network. `out`: .svg
    or .png. `theme`: `light`, `dark`, or `auto`, which follows the reader's preference (a .png is then light). Raises
    InputError, DataError for a file that cannot be used, MissingDependency for a CNN without torch and a .png without
    matplotlib, OutputError.

    >>> import tinyproof
    >>> print(tinyproof.draw("course", "course.svg"))
    wrote course.svg: The network course: 2-2-2
    >>> tinyproof.draw("s7-8k", "s7-8k.svg", theme="dark").title
    'The network s7-8k: 7,904 parameters, 1,278,128 multiply-adds an image'
    """
    one_of("theme", theme, [*get_args(Theme)])
    kind = Path(out).suffix.lower()
    if kind not in (".svg", ".png"):
        raise InputError("out", str(out), "a name that ends in .svg or .png")
    if _fully_connected(network):
        if input is not None or settings:
            given = ("input", input) if input is not None else ("set", ", ".join(map(str, settings)))
            raise InputError(*given, "leave it out", "a fully connected network says its own", problem="is for CNNs")
        picture = net_picture(find_net(network))
    else:
        picture = _cnn(str(network), settings, input, classes)
    path = write_atomic(out, svg(picture, theme) if kind == ".svg" else png(picture, theme))
    return DrawResult(path, picture.title, svg(picture, theme))


def anatomy_picture(name: str, found: Anatomy) -> Picture:
    """The drawing of a CNN from what `network.anatomy` found."""
    macs = "not known how many" if found.macs is None else f"{found.macs:,}"
    title = f"The network {name}: {found.parameters:,} parameters, {macs} multiply-adds an image"
    return cnn_picture(title, found.image, found.layers, found.joins, found.ends)


def _fully_connected(network: Net | Path | str) -> bool:
    if isinstance(network, Net):
        return True
    name = str(network)
    return name in PRESETS or name.startswith("random:") or name.endswith(".toml")


def _cnn(
    name: str, settings: Sequence[str] | Mapping[str, object], input: str | Sequence[int] | None, classes: int
) -> Picture:
    own = name.endswith((".py", model_name.NOTEBOOK)) or model_name.is_own(name)
    need_torch("drawing CNNs")
    from tinyproof.network import anatomy, nets

    if not own and name not in nets.NETS:
        known = [*PRESETS, "random:2-3-1:7", "a TOML file", *nets.NETS, "path/to/model.py:Class"]
        raise InputError("network", name, ", ".join(known))
    named = model_name.with_settings(name if model_name.is_own(name) or not own else f"{name}:", settings)
    shape = nets.MNIST_SHAPE if input is None else shape_of(input)
    module = nets.build(named, 0, shape, whole("classes", classes, 2, MAX_CLASSES))
    shown = model_name.short(named) if model_name.name_of(named) else f"{Path(name).name}:{type(module).__name__}"
    return anatomy_picture(shown, anatomy.summary(module, shape))
