"""What libraries mean, as data: one file a framework. No framework is imported; the reader applies these facts."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

from tinyproof.check.code.library.facts import (
    d2l,
    fastai,
    feature_engine,
    graphs,
    keras,
    numpy,
    searches,
    sklearn,
    torch,
    transformers,
)
from tinyproof.check.code.library.facts.fact import Crosses, Fact, Fits, Measures

FRAMEWORKS: dict[str, tuple[Fact, ...]] = {
    "Keras, tf.data, TensorFlow Datasets": keras.FACTS,
    "scikit-learn and its kin": (*sklearn.FACTS, *feature_engine.FACTS),
    "numpy, JAX, pandas": numpy.FACTS,
    "PyTorch's data sets": torch.FACTS,
    "Dive into Deep Learning": d2l.FACTS,
    "PyTorch Geometric, DGL": graphs.FACTS,
    "fastai": fastai.FACTS,
    "datasets, transformers": transformers.FACTS,
    "Optuna, hyperopt, scikit-optimize": searches.FACTS,
}
_ALL = tuple(fact for facts in FRAMEWORKS.values() for fact in facts)
ROOTS = frozenset(call.partition(".")[0] for fact in _ALL for call in fact.calls)


@lru_cache(maxsize=1)
def _functions() -> dict[str, list[tuple[re.Pattern[str], Fact]]]:
    table: dict[str, list[tuple[re.Pattern[str], Fact]]] = {}
    for fact in _ALL:
        for call in fact.calls:
            paths = [f"{call}.{method}" for method in fact.methods] or [call]
            for path in paths:
                table.setdefault(call.partition(".")[0], []).append((re.compile(translate(path)), fact))
    return table


@lru_cache(maxsize=4_096)
def of_function(path: str) -> tuple[Fact, ...]:
    """The facts about calling something of a library by its dotted path."""
    table = _functions().get(path.partition(".")[0], [])
    return tuple(fact for pattern, fact in table if pattern.match(path))


@lru_cache(maxsize=1)
def _methods() -> dict[str, list[tuple[re.Pattern[str], Fact]]]:
    table: dict[str, list[tuple[re.Pattern[str], Fact]]] = {}
    for fact in _ALL:
        for method in fact.methods:
            table.setdefault(method, []).extend((re.compile(translate(call)), fact) for call in fact.calls)
    return table


@lru_cache(maxsize=4_096)
def of_method(owner: str, method: str) -> tuple[Fact, ...]:
    """The facts about a method of something that `owner`, a dotted path, made; of anything where it is empty."""
    return tuple(fact for pattern, fact in _methods().get(method, []) if not owner or pattern.match(owner))


def known_method(method: str) -> bool:
    """Whether any fact speaks of a method of that name."""
    return method in _methods()


@lru_cache(maxsize=1)
def _only_of_one() -> dict[str, str]:
    """Names of calls that fit or measure in one framework alone, each with the framework; common words left out."""
    homes: dict[str, set[str]] = {}
    for framework, known in FRAMEWORKS.items():
        for fact in known:
            for short in fact.shorts if isinstance(fact, Fits | Measures | Crosses) else ():
                homes.setdefault(short, set()).add(framework)
    return {name: next(iter(found)) for name, found in homes.items() if len(found) == 1 and "_" in name.strip("_")}


def framework_of_call(name: str) -> tuple[str, frozenset[str]] | None:
    """The one framework that has a call of this name, and the modules that it is imported by; None for others.

    >>> framework_of_call("fit_one_cycle"), framework_of_call("fit")
    (('fastai', frozenset({'fastai'})), None)
    """
    framework = _only_of_one().get(name)
    if framework is None:
        return None
    roots = frozenset(call.partition(".")[0] for fact in FRAMEWORKS[framework] for call in fact.calls)
    return framework.partition(",")[0], roots
