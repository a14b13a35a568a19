"""The words around a training: headings in several languages, short or long, or none."""

from __future__ import annotations

import random

from tests.workbook.layouts.writing import Written, family

HEADS = ("rate", "t", "x", "L", "E", "new", "beta", "count", "step", "weight", "bias")
TABLE = """
en | learning rate | target | input | total loss | error | new | beta | t | change in | w | b
short | lr | y | x | cost | E | upd | β | k | Δ | w | b
greek | η | t | i | E_total | E_tot | w+ | μ | t | Δ | θ | bias
es | tasa de aprendizaje | objetivo | entrada | error total | error | nuevo | beta | t | cambio | peso | sesgo
pt | taxa de aprendizagem | alvo | entrada | custo | erro | novo | beta | t | ajuste | peso | viés
de | Lernrate | Soll | Eingabe | Gesamtfehler | Fehler | neu | Beta | t | Änderung | Gewicht | Schwelle
id | laju pembelajaran | target | masukan | galat total | galat | baru | beta | t | delta | bobot | bias
ja | 学習率 | 正解 | 入力 | 損失 | 誤差 | 新 | β | t | 変化 | 重み | バイアス
zh | 学习率 | 目标 | 输入 | 总损失 | 误差 | 新 | β | t | 变化 | 权重 | 偏置
"""
ROWS = [[part.strip() for part in row.split("|")] for row in TABLE.strip().splitlines()]
WORDS = {row[0]: dict(zip(HEADS, row[1:], strict=True)) for row in ROWS}
LANGUAGES = (*WORDS, "none")
NOTES = (
    "Gradient descent by hand",
    "change the yellow cells only",
    "copy the last row down to train longer",
    "all values are rounded on screen, not in the cells",
    "Homework 3",
)


class Labels:
    """A heading for each quantity. Names count through: the fourth weight is w4 wherever it stands in the net."""

    def __init__(self, written: Written, rng: random.Random, language: str | None = None) -> None:
        self.language = language or rng.choice([*LANGUAGES, "en", "en", "short"])
        self.words = WORDS.get(self.language, WORDS["en"])
        downhill, uphill = ["dE/d{}", "∂E/∂{}", "d{}", "grad {}", "∂C/∂{}"], ["Δ{}", "-dE/d{}", "corr {}", "adj {}"]
        self.gradient = rng.choice(uphill if written.style.uphill else downhill)
        self.slope = "error" if written.style.uphill else "dE/da"
        self.joined = rng.choice(["", "_", " "])
        self.sums, self.outputs = rng.choice([("z", "a"), ("net", "out"), ("h", "a_h"), ("s", "ŷ"), ("sum", "sig")])
        spec = written.spec
        names = [*spec.start, *spec.constants]
        weights = [name for name in names if name.startswith("w")]
        biases = [name for name in names if name.startswith("b")]
        self.numbers = {name: i for group in (weights, biases) for i, name in enumerate(group, 1)}
        units = [f"{layer}.{to}" for layer in spec.layers for to in spec.units(layer)]
        self.units = {unit: i for i, unit in enumerate(units, 1)}

    def of(self, name: str) -> str:
        """The heading of a quantity; empty where this author writes none."""
        return "" if self.language == "none" else self._of(name)

    def _of(self, name: str) -> str:
        head, _, rest = name.partition(".")
        if name in self.numbers:
            word = self.words["weight" if head == "w" else "bias"]
            return f"{word}{self.joined}{self.numbers[name]}"
        if head in ("x", "t", "e"):
            word = {"x": self.words["x"], "t": self.words["t"], "e": "E"}[head]
            return f"{word}{self.joined}{rest}"
        if head in ("g", "G"):
            return ("Σ " if head == "G" else "") + self.gradient.format(self._of(rest))
        if head in ("z", "a", "d", "da", "ds", "back", "ex"):
            word = {"z": self.sums, "a": self.outputs, "d": "δ", "da": self.slope, "ds": "da/dz", "ex": "exp"}.get(
                head, head
            )
            return f"{word}{self.joined}{self.units[rest]}"
        if head in ("v", "s", "vh", "sh"):
            inner = rest.removesuffix(".0")
            return f"{ {'v': 'v', 's': 's', 'vh': 'v^', 'sh': 's^'}[head] } {self._of(inner)}"
        if head in ("new", "step"):
            return f"{self.words[head]} {self._of(rest)}"
        if head in ("copy", "raw"):
            return f"{self._of(rest)}" if head == "copy" else f"raw {self.words['x']}{self.joined}{rest}"
        if head == "extra":
            return {"number": "#", "rounded": "answer", "hit": "correct?", "root": "sqrt", "unused": "check"}[rest]
        return self.words.get(family(name), name)
