"""Workbooks that learn, in many layouts: right ones, broken ones, and what is true of each, said by somebody else.

Nothing here shares code with the audit. Reading order:

- `terms`: a formula as a tree over named quantities, and its Excel text;
- `spec`: what is trained (sizes, activations, objective, optimiser, data), drawn at random;
- `writing`: every quantity of that training as a formula, with one of the many ways in which people write it;
- `labels`: the words around it, in several languages or none;
- `places`, `matrices`: where each quantity stands (the layouts);
- `book`: cells, the .xlsx file with its cached values;
- `evaluate`: Excel formulas computed by Python floats or by torch;
- `truth`: torch autograd in float64 says what one step of that training is;
- `mutate`: the mistakes people make, each kept only where numbers change and the training is no longer right;
- `measure`: the audit on right and broken ones, counted. `python -m tests.workbook.layouts` prints the table.
"""
