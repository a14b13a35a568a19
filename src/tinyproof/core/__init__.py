"""Plain data and pure functions that both halves stand on.

Reading order: errors, finding, table, files, stats, workers.
"""
