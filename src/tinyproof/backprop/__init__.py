"""Part 1, back-propagation worked out in full. Never imports torch.

Reading order: expr (arithmetic as data), tape and tape_back (many cells of it at once, and backwards), tidy and diff
(gradients as equations), notation and mathematics (how they are written), layer and net (a network; toml, presets and
draw give some), equations (what it computes), trace and sweep (the tables of numbers), derivation (the chain rule step
by step), sheet, book and xlsx (the workbook).
"""
