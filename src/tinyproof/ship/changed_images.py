"""Which test images an exported network gives another class than its run did, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyproof.core.stats import sign_test
from tinyproof.core.table import Column, Table
from tinyproof.train.run_record import Predictions

_MOST = 12


def table(classes: Sequence[str], run: Predictions, exported: Predictions, images: Sequence[int] = ()) -> Table:
    """The first images whose class is another one, with both answers and how sure each was. `images`: their numbers,
    where these are some of the test images."""
    numbers = np.flatnonzero(run.predicted != exported.predicted)[:_MOST]
    right = Column("image", "right"), Column("is"), Column("run"), Column("sure", "right", ".0%")
    columns = (*right, Column("exported"), Column("sure", "right", ".0%"))
    rows = [
        (images[at] if images else int(at), classes[run.labels[at]], classes[run.predicted[at]],
         float(run.confidence[at]), classes[exported.predicted[at]], float(exported.confidence[at]))
        for at in numbers
    ]  # fmt: skip
    return Table("images with another class", columns, tuple(rows))


def words(run: Predictions, exported: Predictions) -> str:
    """How many changes are for the better and how many for the worse, and whether chance alone does that."""
    before, after = run.predicted == run.labels, exported.predicted == run.labels
    better, worse = int((after & ~before).sum()), int((before & ~after).sum())
    p = sign_test(better, worse)
    said = "no more than chance" if p >= 0.05 else "more than chance"
    counted = f"of the images with another class {better:,} are right now and {worse:,} wrong now"
    return f"{counted}, which is {said} (sign test, p = {p:.2g})"
