"""numpy where it is installed; where it is not (in a browser) a stand-in in plain Python with the same results.

`from tinyproof.core.arrays import np` in place of `import numpy as np`, for all that an audit needs. The stand-in holds
what an audit uses of numpy and no more: arrays of float64, whole numbers and truths. Reading order: scalars,
array_places, plain_array, elementwise, rearranged, summaries, drawing_numbers, least_squares, plain.
"""

try:
    import numpy as np
except ImportError:
    from tinyproof.core.arrays import plain as np  # type: ignore[no-redef]

__all__ = ["np"]
