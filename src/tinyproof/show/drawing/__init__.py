"""Networks drawn.

`shapes`: what a picture is made of, as SVG and PNG; `layered`: where units, lines and labels stand, on the stepping
page too; `fully_connected`: a network with its weights; `volumes`: a CNN as the boxes of its outputs.
"""
