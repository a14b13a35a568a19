"""Activations as formulas of a spreadsheet, of functions that Excel 2010 has. No power of e in them overflows."""

from __future__ import annotations

_SIGMOID = "(0.5+0.5*TANH({x}/2))"
_HARD = "MAX(0,MIN(1,{x}/6+0.5))"
_FORMULAS = {
    "relu6": "MIN(6,MAX(0,{x}))",
    "silu": "{x}*" + _SIGMOID,
    "sigmoid": _SIGMOID,
    "tanh": "TANH({x})",
    "hardswish": "{x}*" + _HARD,
    "hardsigmoid": _HARD,
    "elu": "IF({x}>0,{x},{alpha}*(EXP({x})-1))",
    "gelu": "{x}*(0.5+0.5*ERF({x}/SQRT(2)))",
    "gelu_tanh": "{x}*(0.5+0.5*TANH(SQRT(2/PI())*({x}+0.044715*{x}^3)))",
}


def activation_formula(function: str, alpha: float, cell: str) -> str:
    """What an activation makes of a cell; `alpha`: of an ELU.

    >>> activation_formula("tanh", 0.0, "A1")
    'TANH(A1)'
    """
    return _FORMULAS[function].format(x=cell, alpha=repr(alpha))
