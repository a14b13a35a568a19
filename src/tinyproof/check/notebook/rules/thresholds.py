"""The numbers on which an accusation hangs, each with what it was chosen on and what moves when it moves."""

from __future__ import annotations

# A divisor of right answers below this may be a number of batches or a factor for percent, and is not judged.
# Chosen on the sets whose size is known (the smallest test set is that of USPS with 2,007 images) and on loaders, which
# give some hundred batches. Lower: a division by 157 batches is accused. Higher: wrong sizes of small sets escape.
SMALLEST_COUNT_OF_IMAGES = 1_000
