"""What numpy, JAX, pandas and the files that arrays are read from mean; and what methods of arrays do to their rows."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import NO_POSITION, Fact, Joins, Keeps, Makes

_READ = "import numpy as np\nimport pandas as pd\na = pd.read_csv('data/train.csv')\nb = pd.read_csv('data/test.csv')\n"

FACTS: tuple[Fact, ...] = (
    Makes(
        ("numpy.load", "scipy.io.loadmat", "pickle.load", "joblib.load", "h5py.File", "torch.load"),
        form="archive",
        source=("file", 0),
        example="import numpy as np\nf = np.load('digits.npz')\na = f['x_train']\nb = f['y_test']\n"
        "c = np.load('x_test.npy')",
        expect=(
            "a: the training set of the file digits.npz",
            "b: the test set of the file digits.npz",
            "c: the file x_test.npy",
        ),
    ),
    Makes(
        ("gzip.open",),
        methods=("read",),
        form="file",
        source=("filename", 0),
        example="import gzip\nimport numpy as np\nwith gzip.open('d/t10k-images.gz') as f:\n"
        "    a = np.frombuffer(f.read(), np.uint8)",
        expect=("a: the file d/t10k-images.gz",),
    ),
    Makes(
        ("builtins.open", "io.open"),
        methods=("read", "readlines"),
        form="file",
        source=("file", 0),
        gives="all x",
        example="with open('d/reviews.txt') as f:\n    a = f.read().split('\\n')\nb = a[:80]",
        expect=("a: the file d/reviews.txt", "b: a part of the file d/reviews.txt"),
    ),
    Makes(
        ("numpy.fromfile", "numpy.memmap"),
        form="file",
        source=("file", 0),
        example="import numpy as np\na = np.fromfile('d/t10k-images-idx3-ubyte', np.uint8, offset=16)",
        expect=("a: the file d/t10k-…-ubyte",),
    ),
    Keeps(
        ("array.array",),
        argument=1,
        example="import array\nimport gzip\na = array.array('B', gzip.open('train-images.gz').read())",
        expect=("a: the file train-images.gz",),
    ),
    Makes(
        (
            "pandas.read_*",
            "numpy.loadtxt",
            "numpy.genfromtxt",
            "polars.read_*",
            "seaborn.load_dataset",
        ),
        form="file",
        source=("filepath_or_buffer", 0),
        example=_READ,
        expect=("a: the file data/train.csv", "b: the file data/test.csv"),
    ),
    Makes(
        ("os.listdir", "os.scandir", "glob.glob", "glob.iglob"),
        form="folder",
        source=("path", 0),
        gives="all x",
        example="import os\nfrom glob import glob\na = os.listdir('pets/train')\nb = glob('pets/test/*/*.png')\n"
        "c = [os.path.join('pets/train', f) for f in a]",
        expect=("a: the folder pets/train", "b: the folder pets/test", "c: the folder pets/train"),
    ),
    Makes(
        ("pathlib.Path",),
        methods=("glob", "rglob", "iterdir"),
        form="folder",
        source=("path", 0),
        gives="all x",
        example="from pathlib import Path\na = sorted(Path('pets/test').glob('*.png'))",
        expect=("a: the folder pets/test",),
    ),
    Joins(
        (
            "numpy.concatenate",
            "numpy.append",
            "numpy.vstack",
            "numpy.r_",
            "numpy.row_stack",
            "pandas.concat",
            "jax.numpy.concatenate",
            "jax.numpy.vstack",
            "torch.cat",
            "torch.utils.data.ConcatDataset",
        ),
        axis=("axis", NO_POSITION),
        example=_READ + "c = pd.concat([a, b])\nd = pd.concat([a, a], axis=1)",
        expect=("c: the file data/train.csv and the file data/test.csv", "d: the file data/train.csv"),
    ),
    Joins(
        ("numpy.hstack", "numpy.column_stack", "numpy.c_"),
        columns=True,
        example=_READ + "c = np.hstack([a, a])\nd = np.c_[np.ones(len(b)), b]",
        expect=("c: the file data/train.csv", "d: the file data/test.csv"),
    ),
    Keeps(
        (
            "pandas.DataFrame",
            "pandas.Series",
            "pandas.get_dummies",
            "torch.from_numpy",
            "torch.utils.data.TensorDataset",
        ),
        example=_READ + "c = pd.get_dummies(b)",
        expect=("c: the file data/test.csv",),
    ),
)

# Methods of arrays, tables and data sets.
SAME = frozenset(
    (
        *("abs", "add", "apply", "applymap", "as_numpy_iterator", "asfreq", "assign", "astype", "batch"),
        *("bfill", "bool", "byte", "cache", "cast", "cast_column", "class_encode_column", "clip", "clone"),
        *("contiguous", "copy", "cpu", "cuda", "detach", "div", "div_", "double", "drop_columns"),
        *("enumerate", "eval", "expand", "expand_dims", "explode", "ffill", "fillna", "flatten", "float"),
        *("flow", "get", "half", "int", "interpolate", "join", "long", "lower", "map", "mul", "next_batch", "numpy"),
        *("padded_batch", "permute", "prefetch", "ravel", "remove_columns", "rename", "rename_column"),
        *("rename_columns", "repeat", "replace", "requires_grad_", "reset_index", "reshape", "reshuffle"),
        *("round", "sample_all", "set_axis", "set_format", "set_index", "set_transform", "shuffle"),
        *("sort_index", "sort_values", "split", "squeeze", "strip", "sub", "swapaxes", "t", "to", "to_dense"),
        *("to_frame", "to_numpy", "to_numpy_array", "to_tf_dataset", "to_torch", "toarray", "todense"),
        *("tolist", "transpose", "type", "unbatch", "unsqueeze", "upper", "view", "with_format"),
        *("with_options", "with_transform"),
    )
)
# What keeps a row for each, and changes it in a way that is not followed.
EACH = frozenset(
    (
        *("arcsinh", "arctan", "asfarray", "ascontiguousarray", "asarray_chkfinite", "cbrt", "ceil", "char", "cos"),
        *("cummax", "cumprod", "cumsum", "diff", "divide", "eq", "ewm", "exp", "expanding", "expm1", "fix", "floor"),
        *("floor_divide", "floordiv", "frombuffer", "ge", "get_dummies", "gt", "item", "le", "len", "log", "log10"),
        *("log1p", "log2", "lt"),
        *("maximum", "minimum", "mod", "moveaxis", "multiply", "nan_to_num", "ne", "negative", "pad", "pct_change"),
        *("pow", "power", "rank", "reset", "rint", "rolling", "rpow", "rsub", "select_dtypes", "shift", "sigmoid"),
        *("sign", "sin", "sqrt", "square", "subtract", "tan", "tanh", "to_datetime", "to_dict", "to_numeric"),
        *("transform", "true_divide", "truediv", "trunc", "tz_convert", "tz_localize", "softmax", "normalize"),
    )
)
SOME = frozenset((*("drop_duplicates", "dropna", "filter", "isin_rows", "nlargest", "nsmallest"),))
NOTHING = frozenset(
    (
        *("agg", "aggregate", "all", "any", "bar", "boxplot", "cardinality", "corr", "count", "cov"),
        *("crosstab", "describe", "dim", "dtype", "element_spec", "get_label_classes", "groupby"),
        *("head_show", "hist", "idxmax", "idxmin", "info", "isna", "isnull", "items"),
        *("keys", "kurt", "kurtosis", "max", "mean", "median", "memory_usage", "min", "mode", "nanmax", "nanmean"),
        *("nanmedian", "nanmin", "nanpercentile", "nanquantile", "nanstd", "nansum", "nanvar", "percentile", "ptp"),
        *("ndim", "notnull", "num_examples", "numel", "nunique", "pie", "pivot_table", "plot", "prod"),
        *("quantile", "save", "scatter", "shape", "show", "size", "skew", "std", "sum", "to_csv", "to_excel"),
        *("unique", "value_counts", "var"),
    )
)
