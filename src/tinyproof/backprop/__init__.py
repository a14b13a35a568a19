"""Part 1, back-propagation worked out in full. Never imports torch.

Reading order: expr (arithmetic as data), diff (gradients as equations), net (a network as equations), notation (how
it is written), trace (the table of numbers), sheet and xlsx (the workbook), formula (a workbook's text back into
arithmetic).
"""
