"""numpy where it is installed; where it is not (in a browser) a stand-in in plain Python with the same results.

`from tinyproof.core.arrays import np` in place of `import numpy as np`, for all that an audit needs. The stand-in holds
what an audit uses of numpy and no more: arrays of float64, whole numbers and truths. Reading order: scalars,
element_kinds, array_places, plain_array, elementwise, rearranged, summaries, drawing_numbers, least_squares, plain;
numpy_pieces.
"""

try:
    import numpy as np

    from tinyproof.core.arrays.numpy_pieces import add_rows, pieces
except ImportError:
    from tinyproof.core.arrays import plain as np  # type: ignore[no-redef]
    from tinyproof.core.arrays.rearranged import add_rows, pieces  # type: ignore[assignment]

__all__ = ["add_rows", "np", "pieces"]
