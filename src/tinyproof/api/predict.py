"""`predict`: classify a picture with the weights of a run, read as its training pictures were; says how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.printed import Part, Printed
from tinyproof.data.load import INK
from tinyproof.data.read_alike import Read, read_file
from tinyproof.data.reading import Reading
from tinyproof.train.classifier import Classifier
from tinyproof.train.run_record import Run

_DOUBT = "warning: "


@dataclass(frozen=True, repr=False)
class PredictResult(Printed):
    """The answer: `predicted` (a class; of digits in a row all of them), its `probability` (0 to 1), all
    `probabilities` by class, and the `steps` that made the picture an input, doubts among them. `row`: of digits in a
    row the probabilities of each; `probability` is then that all are right, and the only one in `probabilities`.
    """

    image: str
    predicted: str
    probability: float
    probabilities: dict[str, float]
    steps: tuple[str, ...]
    row: tuple[dict[str, float], ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """What may be wrong with the reading of the picture, in words."""
        return tuple(step.removeprefix(_DOUBT) for step in self.steps if step.startswith(_DOUBT))

    def parts(self) -> Sequence[Part]:
        """The answer, and how the picture was read."""
        return [self.words()]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "steps": list(self.steps), "row": list(self.row), "doubts": list(self.doubts)}

    def words(self) -> str:
        """The answer for people."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])[1:3]
        others = ", ".join(f"{name} {100 * value:.1f} %" for name, value in ranked)
        then = f"; then {others}" if others else ""
        plain = [step for step in self.steps if not step.startswith(_DOUBT)]
        lines = [f"{self.image}: {self.predicted} ({100 * self.probability:.1f} %{then})"]
        lines += [f"how it was read: {'; '.join(plain)}", *(f"{_DOUBT}{doubt}" for doubt in self.doubts)]
        return "\n".join(lines)


def predict(run: str | Path, image: str | Path, model: str | None = None) -> PredictResult:
    """Classify a picture with the saved weights of a run; says how the picture was read.

    `run`: the folder of a trained run. `image`: a picture, read as the record says that those of training were; for
    MNIST and the digits a photograph of one digit, or of a row of them. `model`: `path/to/model.py:Class`, needed
    where the run trained a network of your own. Raises DataError when there is no run, no weights that fit, or the
    file is not a picture with anything on it; InputError without `model`. For many pictures: `predict_many`.

    >>> import tinyproof
    >>> from PIL import Image, ImageDraw
    >>> picture = Image.new("L", (60, 60), "white")
    >>> ImageDraw.Draw(picture).line([(30, 10), (30, 50)], fill="black", width=6)
    >>> picture.save("one.png")
    >>> found = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="first", quiet=True)
    >>> answer = tinyproof.predict("first", "one.png")
    >>> round(sum(answer.probabilities.values()), 6)
    1.0
    """
    classifier = Classifier(Path(run), model)
    read = read_file(Path(image), reading_of(classifier.record))
    assert read.inputs is not None
    return answer(read, classifier.probabilities(read.inputs), classifier.record.classes)


def reading_of(record: Run) -> Reading:
    """How the record says that pictures were read; an earlier version read all pictures as digits."""
    return record.reading or INK.get(record.identity.dataset, INK["mnist"])


def answer(read: Read, probabilities: NDArray[np.float32], classes: Sequence[str]) -> PredictResult:
    """The answer for a picture whose inputs have these probabilities, [n, classes]."""
    row = tuple(dict(zip(classes, map(float, each), strict=True)) for each in probabilities)
    best = [max(each, key=lambda name: each[name]) for each in row]
    if len(row) == 1:
        return PredictResult(read.name, best[0], row[0][best[0]], row[0], read.steps)
    predicted = "".join(best)
    all_right = float(np.prod([each[name] for each, name in zip(row, best, strict=True)]))
    return PredictResult(read.name, predicted, all_right, {predicted: all_right}, read.steps, row)
