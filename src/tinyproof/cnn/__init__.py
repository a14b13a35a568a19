"""Part 2, small CNNs under a budget.

Reading order: budget, recipe, run, store, verdict (plain data, no torch); data, augment, nets, anatomy, schedule,
train, engine (what computes).
"""
