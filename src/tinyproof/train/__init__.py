"""One network trained by one recipe from one seed.

Reading order: recipe, schedule, augment, run_record, store (plain data, no torch); then loop, and engine (what
computes).
"""
