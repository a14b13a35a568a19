"""Workbooks that learn, in many layouts: right ones, broken ones, and what is true of each, said by somebody else.

Nothing here shares code with the audit. Reading order:

- `terms`: a formula as a tree over named quantities; `excel_text`: its Excel text, once all have a place;
- `spec`: what is trained (sizes, activations, objective, optimiser, data), drawn at random;
- `style`: how somebody writes it down; `forward_pass`, `writing`: every quantity as a formula; `descent`: the same
  for a function without data; `matrices`: the same with MMULT;
- `labels`: the words around it, in several languages or none;
- `places`: where each quantity stands; `catalogue`: the layouts by name;
- `excel_parser`, `evaluate`: Excel formulas computed by Python floats or by torch; `book`: cells, values, the file;
- `truth`: torch autograd in float64 says what a step of that training is; `made`: a workbook beside that truth;
- `mutate`: one mistake put in, kept only where numbers change and the training is no longer right; `slips`,
  `derivative`, `updating`, `forwards`: the mistakes that people make; `mistakes`: all of them by name;
- `measure`: the audit on right and broken ones, counted. `python -m tests.workbook.layouts` prints the table.
"""
