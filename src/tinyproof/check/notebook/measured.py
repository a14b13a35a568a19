"""Measurements on rows: which rows, held out or learned from, under which name, with which printed figure."""

from __future__ import annotations

import re
from typing import Literal

from tinyproof.check.code.interpreter.made_arrays import FILLED, sources
from tinyproof.check.code.interpreter.relations import REST, Relation, relation
from tinyproof.check.code.interpreter.rows import Cut, Fit, Parts, Path, Rows
from tinyproof.check.code.interpreter.uses import Chosen, Measured
from tinyproof.check.code.interpreter.values import Map
from tinyproof.check.code.library.facts.transformers import LABELLED
from tinyproof.check.code.library.loaders import UNREAD, rows_behind
from tinyproof.check.code.library.row_words import described
from tinyproof.check.code.library.setting_searches import SETTINGS
from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook.study import Study

Called = Literal["train", "validation", "test", ""]

_TRAIN = re.compile(r"(?<![a-z])train(?:ing|ed)?(?![a-z])|(?<![a-z])in[- ]sample")
_TEST = re.compile(r"(?<![a-z])(?:test(?:ing)?|tst|unseen|held[- ]out|hold(?:[-_ ]?out)?)(?![a-z])")
_VALID = re.compile(r"(?<![a-z])(?:val|valid|validation|dev)(?![a-z])")
_FIGURE = re.compile(r"acc|score|loss|err|f1|metric|result|auc|mse|mae")
_SPOKEN = {
    "==": "the comparison of guesses with labels",
    "off": "how far the guesses are off",
    "loss": "the loss of the network",
}
_STRINGS = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_UNSUPERVISED = re.compile(
    r"\.(?:cluster|mixture|decomposition|manifold|outlier|covariance)\.|IsolationForest|OneClass"
)


def measured(study: Study) -> list[Measured]:
    """Every measurement on rows, in order; those of models that need no labels left out."""
    found = [use for use in study.events.uses if isinstance(use, Measured)]
    found = [use for use in found if use.within is None or not use.within.trains]
    return [use for use in found if not _UNSUPERVISED.search(getattr(use.model, "path", ""))]


def fits(study: Study) -> list[Fit]:
    return [use for use in study.events.uses if isinstance(use, Fit)]


def choices(study: Study) -> list[Chosen]:
    return [use for use in study.events.uses if isinstance(use, Chosen)]


def tried(chosen: Chosen) -> bool:
    """Whether it is settings that are chosen, each of which is tried with a network of its own."""
    return chosen.what == SETTINGS


def learned(done: tuple[Fit, ...]) -> tuple[Path, ...]:
    """The rows that a model learned from; none where one fit is not known."""
    if not done or any(fit.rows is None for fit in done):
        return ()
    return tuple(dict.fromkeys(path for fit in done if fit.rows is not None for path in fit.rows.paths))


def to_learned(use: Measured) -> Relation:
    """How the measured rows lie to those that the model learned from."""
    return "apart" if use.crossed else relation(use.rows.paths, learned(use.fits))


def held_out_by_name(rows: Rows) -> bool:
    """Whether the rows come from a test set, or from the part that a split holds out."""
    return all(path.root.kind in ("test", "validation") or _cut_off(path) for path in rows.paths)


def _cut_off(path: Path) -> bool:
    """Whether the rows are none that a split left for training; what is left beside another part may be."""
    parts = [cut.part for cut in path.cuts if cut.kind == "split" and cut.part != "train"]
    return any(not part.startswith(REST) or part == f"{REST}train" for part in parts)


def is_test(rows: Rows) -> bool:
    """Whether all the rows are a test set, or a part of it that no split cut off for choosing."""
    return all(_is_test(path) for path in rows.paths)


def _is_test(path: Path) -> bool:
    splits = [cut for cut in path.cuts if cut.kind == "split"]
    if path.root.form == "set" and path.root.kind == "all" and len(splits) == 1:
        return splits[0].part == "test" and _of_parts(splits[0])  # the nodes of a graph that its test mask picks
    return path.root.kind == "test" and not splits


def is_training(rows: Rows) -> bool:
    """Whether all the rows are a training set, whole."""
    return all(path.root.kind == "train" and not path.cuts for path in rows.paths)


def left_to_learn_from(path: Path) -> bool:
    """Whether the rows are what a split left for training: a part had been put aside by then."""
    return any(cut.kind == "split" and cut.part == "train" for cut in path.cuts)


def decided(use: Measured) -> bool:
    """Whether it is known which rows were measured on, as far as the question goes."""
    if to_learned(use) != "unknown":
        return True
    if not use.fits and all(path.root.kind != "all" for path in use.rows.paths):
        return True
    return held_out_by_name(use.rows) and not _filled_with(use) and not _of_one_source(use)


def _of_one_source(use: Measured) -> bool:
    """Whether it is a part, by name or by chance, of a source that what was learned from may lie in as well."""
    return any(path.root.key[0] == UNREAD or _in_graph(path) for path in use.rows.paths)


def _in_graph(path: Path) -> bool:
    return path.root.form == "set" and path.root.kind == "all" and any(map(_of_parts, path.cuts))


def _of_parts(cut: Cut) -> bool:
    return cut.kind == "split" and cut.key[:1] == ("parts",)


def _filled_with(use: Measured) -> bool:
    """Whether it learned from some of an array into which the measured rows were put behind others."""
    mixed = tuple(path for path in learned(use.fits) if path.root.key[0] == FILLED)
    return bool(mixed) and relation(use.rows.paths, sources(mixed)) != "apart"


def words_of(text: str) -> Called:
    """What a text calls a figure: train, validation, test, or nothing (also where it says several).

    >>> words_of("Test accuracy:"), words_of("train_acc"), words_of("train and test"), words_of("latest")
    ('test', 'train', '', '')
    """
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()
    found: list[Called] = []
    for name, pattern in (("train", _TRAIN), ("validation", _VALID), ("test", _TEST)):
        if pattern.search(text):
            found.append(name)  # type: ignore[arg-type]
    return found[0] if len(found) == 1 else ""


def called(study: Study, use: Measured) -> Called:
    """What the figure is called: by the words printed with it, else by the names that it is given."""
    line = study.line(use.at)
    target = re.match(r"([\w\s,.\[\]'\"()]+?)=(?!=)", line)
    whole = target is not None and target[1].count("(") == target[1].count(")")  # no keyword of a call
    given = words_of(target[1]) if target and whole and _names_a_figure(use, target[1]) else ""
    for text in [*use.labels, " ".join(a or b for a, b in _STRINGS.findall(line))]:
        word = words_of(text)
        if word:
            return word if given in ("", word) else ""
    return given


def _names_a_figure(use: Measured, target: str) -> bool:
    """Whether what a call gives is its figure: not where a function that measures on the way gives other things."""
    return use.run == use.place or "," not in target or bool(_FIGURE.search(target.lower()))


def names_say(rows: Rows) -> Called:
    """What the variables that hold the rows are called."""
    found = {words_of(name) for name in rows.names} - {""}
    return found.pop() if len(found) == 1 else ""


def rows_called(use: Measured) -> Called:
    """What the variables are called that hold the measured rows, or the loader that gives them."""
    names = getattr(use.loader, "names", []) if use.loader is not use.rows else []
    found = {words_of(name) for name in names} - {""}
    return names_say(use.rows) or (found.pop() if len(found) == 1 else "")


def where(place: CodePlace) -> str:
    return str(place)


def mistaken_for_test(study: Study, use: Measured) -> bool:
    """Whether a validation part is called a test while a test set is there that nothing is measured on."""
    if called(study, use) != "test" or names_say(use.rows) == "test":
        return False
    watched = any(fit.validation is not None and fit.validation.paths == use.rows.paths for fit in use.fits)
    if not (watched or _held_from_learning(use)) or to_learned(use) in ("inside", "contains", "overlaps"):
        return False
    tests = [rows for rows in _kept(study) if is_test(rows) or _test_part_of(rows, use.rows)]
    if watched:
        tests += [rows for rows in _kept(study) if _put_aside(rows, use)]
    if not tests and all(path.root.key[1] in LABELLED for path in use.rows.paths):
        return _called_with_all_parts(study, use)
    done = [other.rows.paths for other in measured(study)]
    met = ("inside", "contains", "overlaps")
    return bool(tests) and not any(relation(paths, test.paths) in met for test in tests for paths in done)


def _held_from_learning(use: Measured) -> bool:
    """Whether the rows are a validation folder, or a part that was cut off from what is there to learn from."""
    paths = use.rows.paths
    if all(path.root.kind == "validation" for path in paths):
        return True
    drawn = any(cut.kind == "split" for path in paths for cut in path.cuts)
    if all(path.root.kind == "train" for path in paths):
        return drawn or (any(path.cuts for path in paths) and rows_called(use) == "validation")
    return drawn and all(path.root.kind == "all" for path in paths) and rows_called(use) == "validation"


def _put_aside(rows: Rows, use: Measured) -> bool:
    """Whether rows with their labels are called a test, and were neither learned from nor watched while learning."""
    if rows.side != "both" or names_say(rows) != "test":
        return False
    return relation(rows.paths, learned(use.fits)) == relation(rows.paths, use.rows.paths) == "apart"


def _test_part_of(rows: Rows, measured_rows: Rows) -> bool:
    """Whether rows are called the test part of the very source that other rows are a part of."""
    if names_say(rows) != "test" or not all(_cut_off(path) for path in rows.paths):
        return False
    same = {path.root for path in rows.paths} == {path.root for path in measured_rows.paths}
    return same and relation(rows.paths, measured_rows.paths) == "apart"


def _kept(study: Study) -> list[Rows]:
    """The rows that the variables of the notebook hold, or the loaders and dictionaries in them."""
    found: list[Rows | None] = []
    for value in study.scope.names.values():
        # The test part of an object of parts by their usual names may have no labels.
        opened = isinstance(value, Map) and not (isinstance(value, Parts) and "val" in value.items)
        inside = value.items.values() if isinstance(value, Map) and opened else [value]
        found.extend(rows_behind(item) for item in list(inside)[:20])
    return [rows for rows in found if rows is not None and rows.side not in ("mask", "index")]


def _called_with_all_parts(study: Study, use: Measured) -> bool:
    """Whether nothing is measured on the test part of a public data set that has one, with its labels."""
    roots = {path.root.key[1] for path in use.rows.paths}
    tested = [other for other in measured(study) if is_test(other.rows)]
    return not any(path.root.key[1] in roots for other in tested for path in other.rows.paths)


def spoken(use: Measured) -> str:
    """The measurement in a sentence: the call as it is written."""
    if use.name in _SPOKEN:
        return _SPOKEN[use.name]
    return f"the loop over `{use.text.removeprefix('for ... in ')}`" if use.name == "loop" else f"`{use.text}`"


def on(use: Measured) -> str:
    return described(use.rows)
