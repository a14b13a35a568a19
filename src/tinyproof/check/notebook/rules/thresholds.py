"""The numbers on which an accusation hangs, each with what it was chosen on and what moves when it moves.

"Public runs" are logs of notebooks that train on MNIST from random weights, read with `check.logs`: 82 with a test
accuracy in the first epoch, 55 with a progress bar, 35 with a training accuracy printed otherwise.
"""

from __future__ import annotations

import math

# A run of fewer epochs has no course that could be judged: best against last, a plateau, a start.
# Lower: two figures make a "best epoch". Higher: short runs are held against nothing.
FEWEST_EPOCHS_OF_A_RUN = 3

# --- a start that is none (percent, MNIST only) -------------------------------------------------------------------
# The first test accuracy of the public runs: quartiles 95.0, 97.7, 98.1, maximum 98.53. Lower: fast networks with a
# good schedule are accused. Higher: runs that go on at 99.2 are passed over.
FIRST_TEST_TOO_HIGH = 99.3
# Accuracy in a progress bar is that of the whole first epoch, from the first batch on: public runs reach 93.98.
FIRST_TRAINING_TOO_HIGH_IN_A_BAR = 98.8
# Printed otherwise it may be measured after the epoch: maximum of the public runs 98.87 (a DenseNet of 121 layers).
FIRST_TRAINING_TOO_HIGH = 99.5
# Weights: a network with fewer cannot reach in one epoch what is above; a larger one perhaps can, and gets a note.
SMALL_NETWORK = 100_000

# --- rates --------------------------------------------------------------------------------------------------------
# A printed rate that differs by this factor did change; below it, it may be another rounding (0.0001 and 0.00013).
# Lower: rounding is taken for a schedule. Higher: a schedule of small steps is not seen.
RATE_CHANGES_BY = 1.5

# --- losses -------------------------------------------------------------------------------------------------------
# A wrong answer costs at least ln 2 (the right class had at most one half): no choice, but mathematics.
LEAST_COST_OF_A_WRONG_ANSWER = math.log(2)
# Half a unit of the fourth decimal, in which losses and shares are printed; and two percent for batches of unlike size.
# Lower: rounding makes a loss impossible. Higher: losses too small by a few percent escape, which no wrong division is.
PRINTED_ROUNDING = 0.00006
TOLERANCE_OF_THE_LEAST_LOSS = 0.98

# --- plateaus (percent) -------------------------------------------------------------------------------------------
# Shares of the ten digits among the 10,000 test images of MNIST, and 10 % each in the sets made like it: counted.
SHARES_OF_ONE_CLASS = (9.80, 11.35, 10.32, 10.10, 9.82, 8.92, 9.58, 10.28, 9.74, 10.09, 10.00)
SHARE_TOLERANCE = 0.006  # one half of the last printed digit, and a little
SHARE_SPREAD = 0.02  # two images of 10,000 from epoch to epoch
# Public runs that stood still (a spread below 0.8 in five epochs) below 85 % did so at 9.80, 41.43, 60.05, 70.33 and
# 79.68. Not the step near 90: weak networks that learn slowly stand there as well (86.75, 88.70, 89.58).
# Wider: networks that learn slowly are said to have dead classes. Narrower: plateaus are passed over.
LEVELS_WITH_DEAD_CLASSES = ((57.5, 62.5), (67.5, 72.5), (77.5, 82.0))
LEVEL_SPREAD = 0.8
EPOCHS_OF_A_LEVEL = 5

# --- texts --------------------------------------------------------------------------------------------------------
# "12.3k parameters" is said of counts within this share, if it is a round number. Lower: rounding is called wrong.
ROUNDED_COUNT = 0.005

# --- images -------------------------------------------------------------------------------------------------------
# Means and deviations closer than this are the same, rounded otherwise: 0.1307 and 0.13. Lower: rounding is accused.
# Higher: 0.1307 for 0.14 is passed over.
SAME_NORMALISATION = 0.005
# Mean and deviation that both differ by this are another set's: MNIST has 0.1307 and 0.3081 in its training images,
# 0.1325 and 0.3104 in its test images. Rounding to two digits moves the mean by 0.0007, the deviation by 0.0019.
OTHER_SETS_STATISTICS = 0.0015

# --- counts and logs ----------------------------------------------------------------------------------------------
# A divisor of right answers below this may be a number of batches or a factor for percent, and is not judged. Chosen on
# the sets whose size is known (the smallest test set, that of USPS, has 2,007 images) and on loaders, which give some
# hundred batches. Lower: a division by 157 batches is accused. Higher: wrong sizes of small sets escape.
SMALLEST_COUNT_OF_IMAGES = 1_000
# A log of fewer epochs may be an abridged one: nothing is said of its end unless the notebook shows the interruption.
# Chosen on shortened logs in tutorials, which show two or three epochs. Lower: these are called stopped runs. Higher:
# runs that were stopped early on are passed over.
FEWEST_EPOCHS_OF_A_WHOLE_LOG = 5

# --- mends --------------------------------------------------------------------------------------------------------
# So many times a copy is read again to try mends, however many findings there are: each costs as much as the audit.
# Chosen so that a notebook with a dozen findings gets its mends. Lower: mends in words where a line would do. Higher:
# the audit of a bad notebook takes longer.
MOST_READINGS_FOR_MENDS = 24
