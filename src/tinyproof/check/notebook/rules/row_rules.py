"""Rules about rows in any framework: what was prepared before the split, what is called a test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.uses import Mismatched, Saved, TargetAmong, Unpaired
from tinyproof.check.code.interpreter.values import Made, Value
from tinyproof.check.code.library.row_words import described
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.measured import measured, mistaken_for_test, spoken
from tinyproof.check.notebook.rules.called import loops_called_test
from tinyproof.check.notebook.rules.other_rows import with_arguments_swapped, with_test_rows
from tinyproof.check.notebook.rules.prepared import copied_before_split, seen_before_split
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study


def fitted_before_split(study: Study) -> Iterator[Finding]:
    """A scaler that has seen the held-out rows."""
    yield from seen_before_split(RULES["fitted-before-split"], study)


def resampled_before_split(study: Study) -> Iterator[Finding]:
    """Copies of held-out rows among those learned from."""
    yield from copied_before_split(RULES["resampled-before-split"], study)


def arguments_swapped(study: Study) -> Iterator[Finding]:
    """The guesses where the truth belongs."""

    def found() -> Iterator[Finding]:
        for use in measured(study):
            if use.swapped:
                yield RULES["metric-arguments-swapped"].finding(
                    use.at,
                    f"{spoken(use)}: the guesses stand where the truth belongs",
                    says=study.line(use.at),
                    should_say=with_arguments_swapped(study, use),
                    effect="precision and recall change places, and so does everything that is not symmetric",
                )

    yield from once_per_place(found())


def other_labels(study: Study) -> Iterator[Finding]:
    """Answers for one part are compared with the labels of another."""

    def found() -> Iterator[Finding]:
        for use in study.events.uses:
            if isinstance(use, Mismatched):
                answers, labels = described(use.answers), described(use.labels)
                yield RULES["labels-of-other-rows"].finding(
                    use.place,
                    f"answers for {answers} are compared with the labels of {labels}",
                    says=study.line(use.place),
                    effect="the figure is that of chance, whatever the model has learned",
                )
            elif isinstance(use, Unpaired):
                yield _unpaired(study, use)

    yield from once_per_place(found())


def _unpaired(study: Study, use: Unpaired) -> Finding:
    """Images and labels that were cut or shuffled apart: told where the one was shuffled, else where they meet."""
    place = use.drawn or use.place
    images, labels = described(use.images), described(use.labels)
    message = "images and labels are put in different orders"
    if not use.shuffled:
        whose = f"those of {labels}" if labels != images else "cut elsewhere"
        message = f"the labels given for {images} are not theirs, but {whose}"
    return RULES["labels-of-other-rows"].finding(
        place,
        message,
        says=study.line(place),
        fix="cut and shuffle images and labels together, by the same places",
        effect="what is learned or measured there is that of chance",
        evidence=(f"they meet at {use.place}: {study.line(use.place)}" if place != use.place else "",),
    )


def target_among(study: Study) -> Iterator[Finding]:
    """The column that is to be told is one of those that it is told by."""

    def found() -> Iterator[Finding]:
        for use in study.events.uses:
            if isinstance(use, TargetAmong):
                place = use.parted or use.place
                name = f"the column {use.column!r}" if isinstance(use.column, str) else "the column of the target"
                yield RULES["target-among-features"].finding(
                    place,
                    f"{name} is the target, and stands among the features",
                    says=study.line(place),
                    effect="the figure says how well the answer is read off, not how well it is told by the rest",
                    evidence=(f"learned at {use.place}: {study.line(use.place)}" if place != use.place else "",),
                )

    yield from once_per_place(found())


def called_test(study: Study) -> Iterator[Finding]:
    """A figure on a part of the training set that is called a test, where there is a test set."""

    def found() -> Iterator[Finding]:
        for use in measured(study):
            if mistaken_for_test(study, use):
                yield RULES["called-test"].finding(
                    use.rows_at,
                    f"{spoken(use)} is called a test and measures on {described(use.rows)}",
                    says=study.line(use.rows_at),
                    should_say=with_test_rows(study, use),
                    effect="the test set is there, and nothing is measured on it",
                )

    yield from once_per_place(chain(found(), loops_called_test(RULES["called-test"], study)))


def wrong_network(study: Study) -> Iterator[Finding]:
    """A network is saved under the name of another one of the notebook."""
    models = _models(study)

    def found() -> Iterator[Finding]:
        for use in study.events.uses:
            if not isinstance(use, Saved) or not isinstance(use.model, Made):
                continue
            stem = re.sub(r"\.\w+$", "", use.file.replace("\\", "/").rpartition("/")[2]).lower()
            others = [n for n, m in models.items() if m is not use.model and _in(n, stem)]
            if others and not any(_in(name, stem) for name in use.model.names):
                yield RULES["wrong-network-saved"].finding(
                    use.place,
                    f"{use.file} is named after {others[0]}, and another network is saved in it",
                    says=study.line(use.place),
                    should_say=re.sub(r"^(\s*)\w+(?=\.save)", rf"\g<1>{others[0]}", study.line(use.place)),
                    effect=f"what is measured of {use.file} later is not {others[0]}",
                )

    yield from once_per_place(found())


def _in(name: str, stem: str) -> bool:
    """Whether a name that is no common word stands in a file's name as a word."""
    plain = name.lower()
    return plain not in ("model", "net", "network", "m", "clf") and bool(
        re.search(rf"(?<![a-z0-9]){re.escape(plain)}(?![a-z0-9])", stem)
    )


def _models(study: Study) -> dict[str, Made]:
    """The networks of the notebook by their variables."""
    learned = study.events.learned
    found: dict[str, Value] = {n: v for n, v in study.scope.names.items() if id(v) in learned}
    return {name: value for name, value in found.items() if isinstance(value, Made)}


_LIST = (
    Rule(
        "fitted-before-split",
        "warning",
        title="A scaler learned from the rows it is tested on",
        why="What is fitted on all rows knows the held-out ones; what is fitted again on them gives them other units.",
        mend="Split first; fit on the training part alone, and transform both parts with that (a pipeline does it).",
        reads="code",
        wrong="X = scaler.fit_transform(X)\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)",
        right="X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)\n"
        "X_train, X_test = scaler.fit_transform(X_train), scaler.transform(X_test)",
        check=fitted_before_split,
        style="sklearn",
    ),
    Rule(
        "resampled-before-split",
        "error",
        title="Rows were multiplied before the split",
        why="A copy or a blend of a held-out row among the rows learned from gives its answer away.",
        mend="Split first, and resample the training part alone.",
        reads="code",
        wrong="X, y = SMOTE().fit_resample(X, y)\nX_train, X_test, y_train, y_test = "
        "train_test_split(X, y, random_state=1)",
        right="X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)",
        check=resampled_before_split,
        style="sklearn",
    ),
    Rule(
        "metric-arguments-swapped",
        "warning",
        title="Guesses and truth are swapped",
        why="Precision is right guesses among the guesses, recall right guesses among the truth.",
        mend="Give the truth first, the guesses second.",
        reads="code",
        wrong="print('precision', precision_score(guess, y_test, average='macro'))",
        right="print('precision', precision_score(y_test, guess, average='macro'))",
        check=arguments_swapped,
        style="sklearn",
    ),
    Rule(
        "labels-of-other-rows",
        "error",
        title="Answers are compared with the labels of other rows",
        why="Right answers are counted row by row: the labels must be those of the rows that were asked for.",
        mend="Compare the answers with the labels of the same part.",
        reads="code",
        wrong="print('test accuracy', accuracy_score(y_train[:450], guess))",
        right="print('test accuracy', accuracy_score(y_test, guess))",
        check=other_labels,
        style="sklearn",
    ),
    Rule(
        "target-among-features",
        "error",
        title="The target is among the features",
        why="A model that is shown the answer beside the question has nothing to learn, here and on the held-out rows.",
        mend="Drop the target's column from what the model learns from.",
        reads="code",
        wrong="table = pd.read_csv('customers.csv')\nX, y = table, table['left']",
        right="table = pd.read_csv('customers.csv')\nX, y = table.drop(columns=['left']), table['left']",
        check=target_among,
        style="trees",
    ),
    Rule(
        "called-test",
        "warning",
        title="Called a test, measured on a part of the training set",
        why="A validation part that was looked at while choosing is not new; the test set is "
        "there for the final figure.",
        mend="Measure the final figure on the test set, or call it a validation figure.",
        reads="code",
        wrong="print('Test accuracy:', model.evaluate(x_val, y_val)[1])",
        right="print('Test accuracy:', model.evaluate(x_test, y_test)[1])",
        check=called_test,
        style="keras",
    ),
    Rule(
        "wrong-network-saved",
        "warning",
        title="A network is saved under another one's name",
        why="A file is known by its name: who loads it measures another network than he thinks.",
        mend="Save the network that the file is named after.",
        reads="code",
        wrong="small.save('big.keras')",
        right="big.save('big.keras')",
        check=wrong_network,
        style="keras",
    ),
)
RULES = {rule.name: rule for rule in _LIST}
