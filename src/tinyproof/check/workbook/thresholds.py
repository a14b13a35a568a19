"""The numbers that decide what the audit of tables says: what each was chosen on, and what moves when it moves.

"Moves" is measured by `python tests/workbook/thresholds.py`: each number doubled and halved, on mutants of every kind
and on right workbooks. Where it says "nothing", neither changed one answer there.
"""

from __future__ import annotations

# When two formulas mean the same: compared on random values.

SAMPLES = 16  # points. A ReLU sleeps on half of them; that it is awake on one at most happens once in 4,000 times
AWAKE = 4  # of the points, on which a column of the forward pass is not 0: else others are drawn, for a smaller step
# Learning rates of the step between two rows. The first suits all but ReLUs with a steep loss, which it switches off.
STEPS = ((0.2, 1.2), *3 * ((0.02, 0.12),), *3 * ((0.002, 0.012),))
SAME = 1e-9  # relative. Chosen between rounding (1e-13 in float64) and the smallest known mistake (2.6e-4)
SAME_THROUGH_HELPERS = 1e-6  # relative, where a helper's value was solved for: the division loses digits

# Where a table is.

LEAST_HEADINGS = 5  # headings that are understood. Chosen so that a row of remarks announces nothing
HEADING_PART = 0.4  # of the cells of a heading row that are understood: own helper columns may stand among them
FILLED_PART = 0.3  # of the cells below the headings: a first row may hold little more than the start weights
WIDEST_GAP = 8  # columns between two headings of one table, before its loss is reached
LEAST_ROW_FORMULAS = 8  # in each row of a table without headings
LEAST_BARE_ROWS = 3  # of a table without headings: one step of a training is no table
SAME_SHAPE = 0.6  # of the formulas of such a row stand in the columns of the row above

# When most is most.

MOST_ROWS = 0.5  # of a table say one thing, before the others are called odd: an even split accuses nobody
MOST_DIFFERENT = 8  # wrong formulas in one column and most of its rows wrong: then it was not understood
USUAL_PART = 0.75  # of the typed inputs of a column are one number, before another is called a slip
FEWEST_GIVENS = 6  # typed inputs in a column, before one number is the usual one
MOST_SLIPS = 2  # other numbers among them; more are meant
MOST_WRONG_TYPED = 0.5  # of the columns of a typed table disagree: then it is the table of another network
MOST_FIXES = 3  # forward formulas put right at once, to see whether the gradients fit then

# What rounding explains.

PASTED = 1e-6  # relative. Chosen on exports of ten digits, of which a difference loses some
MOST_ROUNDING = 1e-3  # relative: 0.5 typed for 0.507 is rounded too, and another number
STALE = 2e-6  # relative, between a stored number and what its formula gives from the numbers stored beside it
STALE_OF_COLUMN = 1e-8  # of the largest number of a column, for differences that cancel
NO_CHART_SHOWS = 0.002  # of the range of the loss: less than a pixel in a chart of 400

# Who shares a sheet, and what is a run.

LEAST_FORMULAS = 10  # different ones: fewer say nothing about who wrote them
LEAST_LOSSES = 4  # typed numbers below a rate, before they are taken for the losses of a run
