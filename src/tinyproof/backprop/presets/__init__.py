"""Networks that come with the package, one TOML file each; `preset(name)` reads one, `PRESETS` names them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tinyproof.backprop.net import Net
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.toml import from_toml, read_net
from tinyproof.core.errors import InputError

PRESETS = ("course", "worked-example", "xor", "relu", "softmax", "deep")


def preset(name: str) -> Net:
    """The network of that name. Raises InputError for a name that no preset has.

    >>> import tinyproof
    >>> tinyproof.preset("xor").shape
    (2, 2, 1)
    """
    if name not in PRESETS:
        raise InputError("network", name, ", ".join(PRESETS) + ", random:2-3-1:7, or a TOML file")
    text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return from_toml(text, f"{name}.toml")


def find_net(which: Net | Path | str) -> Net:
    """A network itself, the name of a preset, the path of a TOML file, or `random:2-3-1:7` (shape and seed).

    Raises InputError for what names no network, DataError for a file that is not TOML.

    >>> import tinyproof
    >>> tinyproof.find_net("random:2-3-1:7").shape
    (2, 3, 1)
    """
    if isinstance(which, Net):
        return which
    if isinstance(which, str) and which in PRESETS:
        return preset(which)
    if isinstance(which, str) and which.startswith("random:"):
        return _random(which)
    if isinstance(which, Path) or which.endswith(".toml") or Path(which).is_file():
        return read_net(which)
    return preset(which)


def _random(text: str) -> Net:
    pieces = text.removeprefix("random:").split(":")
    try:
        shape = [int(units) for units in pieces[0].split("-")]
        seed = int(pieces[1]) if len(pieces) > 1 else 1
    except ValueError as error:
        raise InputError("network", text, "random:SHAPE:SEED, as in random:2-3-1:7") from error
    if len(pieces) > 2:
        raise InputError("network", text, "random:SHAPE:SEED, as in random:2-3-1:7")
    return drawn(shape, seed)
