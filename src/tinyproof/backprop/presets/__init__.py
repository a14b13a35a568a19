"""Networks that come with the package, one TOML file each; `preset(name)` reads one, `PRESETS` names them."""

from __future__ import annotations

from importlib.resources import files

from tinyproof.backprop.net import Net
from tinyproof.backprop.toml import from_toml
from tinyproof.core.errors import InputError

PRESETS = ("course", "worked-example", "xor", "relu", "softmax", "deep")


def preset(name: str) -> Net:
    """The network of that name. Raises InputError for a name that is not in PRESETS."""
    if name not in PRESETS:
        raise InputError("network", name, ", ".join(PRESETS) + ", or the path of a TOML file")
    text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return from_toml(text, f"{name}.toml")
