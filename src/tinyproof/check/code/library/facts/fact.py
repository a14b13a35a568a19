"""The kinds of facts: what a call of a library means for the rows that go in and come out.

A call is named by its dotted path, in which * stands for anything; a method by the path of its owner's class and its
name. An argument is its keyword and its position. Each fact carries an example, a few lines of a notebook, and what
the reader must say of them: both are executed as tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Argument = tuple[str, int]
# "test x": the images of the test set. A tuple of them is a tuple, a mapping an object with these keys and attributes.
Shape = str | tuple["Shape", ...] | Mapping[str, "Shape"]
NO_POSITION = 99


@dataclass(frozen=True)
class Fact:
    """`calls`: the dotted paths, or the classes of the owners of `methods`."""

    calls: tuple[str, ...]
    example: str = field(kw_only=True)
    expect: tuple[str, ...] = field(kw_only=True)
    methods: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def shorts(self) -> tuple[str, ...]:
        """The last names under which a call of it is met."""
        return self.methods or tuple(call.rpartition(".")[2] for call in self.calls)


@dataclass(frozen=True)
class Makes(Fact):
    """It gives rows of a source.

    `source`: the argument that names the file or folder. `part`: the argument whose text says which part, `flag` the
    one that is true for training. An archive holds several arrays, each with a name. `share`: the argument that cuts
    off a validation part, `subset` the one that says which of the two. `when`: the fact holds only where this argument
    is true. `each`: arguments of which each names the file of a part; it gives as many parts as are named. `batched`:
    it gives them in batches, as a loader does.
    """

    gives: Shape = "all both"
    form: Literal["set", "file", "archive", "folder"] = "set"
    source: Argument | None = None
    part: Argument | None = None
    flag: Argument | None = None
    subset: Argument | None = None
    share: Argument | None = None
    when: str = ""
    usual: str = ""
    each: tuple[str, ...] = ()
    batched: bool = False


@dataclass(frozen=True)
class Holds(Makes):
    """It gives a data set object that holds rows of a source: what a loader is made from."""


@dataclass(frozen=True)
class Bundles(Fact):
    """It gives an object with the rows to learn from and those to validate on.

    `items`: the argument that holds all rows; `folder`: the one that names a folder; `names`: those that name the
    folders of the two parts in it, and what they are called where they are not given; `share`: the one by which a share
    of all is drawn instead. `of_owner`: a method of something that was told all that.
    """

    items: Argument | None = None
    folder: Argument | None = None
    names: tuple[str, ...] = ()
    share: str = "valid_pct"
    of_owner: bool = False


@dataclass(frozen=True)
class Keeps(Fact):
    """It gives the rows of an argument, in the same order or shuffled: an array of another type, a data set of arrays.

    `several`: it gives as many values as it is given arrays. `labelled`: without this argument it gives no labels.
    `once`: the fact holds only where the owner was not told, by this argument, to take rows more than once.
    `batched`: it gives them in batches, as a loader does.
    """

    argument: int = 0
    several: bool = False
    step: Literal["", "oversampled", "augmented"] = ""
    side: Literal["", "both"] = ""
    subset: Argument | None = None
    labelled: str = ""
    once: str = ""
    batched: bool = False


@dataclass(frozen=True)
class Joins(Fact):
    """It gives all the rows of the arrays in a list; where `axis` is not 0, the rows of the first, side by side."""

    axis: Argument | None = None
    columns: bool = False


@dataclass(frozen=True)
class Splits(Fact):
    """It cuts rows into `parts`. `keys`: for a method of data sets, the names of the parts in the mapping it gives.
    `counted`: the second argument has a length for each part.
    """

    parts: tuple[str, ...] = ("train", "held out")
    keys: tuple[str, ...] = ()
    counted: bool = False


@dataclass(frozen=True)
class Folds(Fact):
    """A loop over it gives the places of the rows to learn from and of those held out."""

    data: Argument = ("X", 0)


@dataclass(frozen=True)
class Fits(Fact):
    """A model learns from rows.

    `validation`: the argument with the rows it is measured on meanwhile; `share`: the part of the rows that is held
    out for that; `callbacks`: the argument that may hold something that chooses. `afresh`: what it learned before is
    forgotten. `bundle`: the owner's argument that holds both parts (an object with `train` and `valid`).
    `of_owner`: the owner's argument that holds the rows. `best`: the setting among the owner's `args` that keeps the
    best checkpoint. `stops`: arguments of the owner, of the call or names of callbacks, that let the rows of
    `validation` choose the number of trees.
    """

    x: Argument = ("x", 0)
    validation: Argument | None = None
    share: Argument | None = None
    callbacks: Argument | None = None
    afresh: bool = False
    bundle: Argument | None = None
    of_owner: Argument | None = None
    best: str = ""
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Learns(Fact):
    """A transformer: fit learns from rows, transform changes rows by what was learned.

    `harmless`: what it learns cannot tell a model anything of held-out rows (names of classes).
    """

    harmless: bool = False


@dataclass(frozen=True)
class Predicts(Fact):
    """A model answers rows: one guess or score for each. `bundle`: for these it gives the labels as well."""

    x: Argument = ("x", 0)
    bundle: Argument | None = None


@dataclass(frozen=True)
class Measures(Fact):
    """A model is measured on rows. `figures`: what it gives, in order."""

    x: Argument = ("x", 0)
    figures: tuple[str, ...] = ("accuracy",)
    bundle: Argument | None = None
    of_owner: Argument | None = None


@dataclass(frozen=True)
class Compares(Fact):
    """A figure of guesses against the truth. `lopsided`: it matters which of the two comes first."""

    truth: Argument = ("y_true", 0)
    guess: Argument = ("y_pred", 1)
    lopsided: bool = False


@dataclass(frozen=True)
class Crosses(Fact):
    """A model is fitted and measured on rows in turns, each time on rows that it did not learn from."""

    data: Argument = ("X", 1)


@dataclass(frozen=True)
class Chooses(Fact):
    """A callback that lets the validation rows choose: `what` (the epoch, the checkpoint, the rate).

    `when`: the argument that must be true for that, `usual` whether it is by itself. `monitor`: the figure that it
    looks at when it is not told.
    """

    what: str = "the epoch"
    when: str = ""
    monitor: str = "val_loss"
    argument: Argument = ("monitor", 0)


@dataclass(frozen=True)
class Saves(Fact):
    """A model is written to the file that the argument names, or read from it."""

    file: Argument = ("filepath", 0)
    reads: bool = False


@dataclass(frozen=True)
class Searches(Fact):
    """A function of the notebook's own is called with one setting after another; what it gives chooses the setting."""

    function: Argument = ("func", 0)


@dataclass(frozen=True)
class Runs(Fact):
    """A function in which a network learns from batches, and in which it is measured on others (or one of the two)."""

    model: Argument = ("net", 0)
    learns: Argument | None = ("train_iter", 1)
    measures: Argument | None = None


@dataclass(frozen=True)
class Scores(Fact):
    """How many answers of a network for a batch, the first argument, agree with the labels, the second."""
