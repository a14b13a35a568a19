"""Part 2, small CNNs under a budget.

Reading order: budget, recipe, run, store, verdict (plain data, no torch); data (idx, mnist, own_data), augment, nets,
anatomy (places), schedule, train, engine (what computes).
"""
