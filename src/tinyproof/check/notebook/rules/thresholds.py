"""The numbers on which an accusation hangs, each with what it was chosen on and what moves when it moves."""

from __future__ import annotations

# A divisor of right answers below this may be a number of batches or a factor for percent, and is not judged.
# Chosen on the sets whose size is known (the smallest test set is that of USPS with 2,007 images) and on loaders, which
# give some hundred batches. Lower: a division by 157 batches is accused. Higher: wrong sizes of small sets escape.
SMALLEST_COUNT_OF_IMAGES = 1_000

# A log of fewer epochs may be an abridged one: nothing is said of its end unless the notebook shows the interruption.
# Chosen on shortened logs in tutorials, which show two or three epochs. Lower: these are called stopped runs. Higher:
# runs that were stopped early on are passed over.
FEWEST_EPOCHS_OF_A_WHOLE_LOG = 5

# So many times a copy is read again to try mends, however many findings there are: each costs as much as the audit.
# Chosen so that a notebook with a dozen findings gets its mends. Lower: mends in words where a line would do. Higher:
# the audit of a bad notebook takes longer.
MOST_READINGS_FOR_MENDS = 24
