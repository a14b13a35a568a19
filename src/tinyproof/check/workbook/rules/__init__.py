"""What is held against what: formulas, rates, numbers, charts. Each rule gives Mistakes."""
