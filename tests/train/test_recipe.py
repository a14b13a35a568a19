"""Recipes and budgets as plain data: there and back, the published ones as published, every wrong field named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tinyproof.core.errors import InputError
from tinyproof.network.budget import RULES, Budget, Facts, check
from tinyproof.show.words import recipe_words
from tinyproof.train.recipe import RECIPES, Augment, Recipe, Schedule, named


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json(name: str) -> None:
    recipe = named(name)
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert again.digest == recipe.digest
    assert name in recipe_words(recipe)


def test_the_digest_is_of_what_trains_not_of_the_name() -> None:
    best = named("best")
    assert replace(best, name="other").digest == best.digest
    assert replace(best, rate=best.rate * 2).digest != best.digest
    assert replace(best, augment=replace(best.augment, max_degrees=1.0)).digest != best.digest


# From the write-ups: optimiser is SGD everywhere; (batch, rate, momentum, epochs).
PUBLISHED = {
    "s5-593k": (512, 0.01, 0.9, 2),
    "s6-16k": (64, 0.01, 0.9, 20),
    "s7-8k": (64, 0.02, 0.8, 14),
    "s6-17k": (128, 0.01, 0.9, 19),
    "s6-19k": (128, 0.01, 0.9, 19),
    "s6-12k": (64, 0.01, 0.9, 19),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipes_are_as_published(name: str) -> None:
    recipe = named(name)
    assert recipe.optimizer == "sgd"
    assert (recipe.batch_size, recipe.rate, recipe.momentum, recipe.epochs) == PUBLISHED[name]
    assert recipe.dropout is None
    assert recipe.ema is None


def test_a_recipe_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'rate = 0.5\nepochs = 3\n[schedule]\nkind = "step"\nat_epochs = [2]\n[augment]\nmax_degrees = 3.5\n'
    )
    assert named(str(file)) == Recipe(
        "mine", rate=0.5, epochs=3, schedule=Schedule("step", at_epochs=(2,)), augment=Augment(max_degrees=3.5)
    )
    file.write_text("rate = = 3")
    with pytest.raises(InputError, match="is not TOML"):
        named(str(file))


WRONG = {
    "rate": ({"rate": 0}, r"rate: 0 is not allowed; allowed: a number above 0"),
    "rate is a word": ({"rate": "fast"}, r"rate: 'fast' is not allowed; allowed: a number"),
    "rate is not finite": ({"rate": float("nan")}, r"rate: nan"),
    "epochs": ({"epochs": 2.5}, r"epochs: 2.5 is not allowed; allowed: a whole number from 1"),
    "batch": ({"batch_size": 0}, r"batch_size: 0"),
    "optimiser": ({"optimizer": "adam"}, r"optimizer: 'adam' is not allowed; .*did you mean adamw"),
    "nesterov": ({"optimizer": "adamw", "nesterov": True}, r"nesterov: True is not allowed"),
    "unknown field": ({"learning_rate": 1}, r"field: 'learning_rate' is not allowed; allowed: name, optimizer, rate"),
    "schedule": ({"schedule": {"kind": "cosin"}}, r"schedule.kind: 'cosin' .*did you mean cosine"),
    "schedule field": ({"schedule": {"pct": 1}}, r"field: 'pct' is not allowed; allowed: kind, warmup"),
    "schedule is a word": ({"schedule": "cosine"}, r"schedule: 'cosine' is not allowed; allowed: a table"),
    "augment": ({"augment": {"max_degrees": -1}}, r"augment.max_degrees: -1"),
    "probability": ({"augment": {"crop_probability": 1.5}}, r"augment.crop_probability: 1.5 .* from 0 to 1"),
    "dropout": ({"dropout": 1}, r"dropout: 1 is not allowed"),
    "ema": ({"ema": 1}, r"ema: 1 is not allowed"),
    "name": ({"name": ""}, r"name: '' is not allowed"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_field_is_named(case: str) -> None:
    fields, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        Recipe.from_dict({"name": "mine", **fields})


FACTS = Facts(
    parameters=7_904,
    bytes=40_000,
    macs=1_278_128,
    epochs=14,
    accuracy_percent=99.4,
    kinds=("Conv2d", "BatchNorm2d", "Dropout2d"),
    dropout_active=True,
    global_average_pooling=True,
)


@pytest.mark.parametrize(
    ("budget", "kept"),
    [
        (Budget(parameters_below=7_905), True),
        (Budget(parameters_below=7_904), False),
        (Budget(epochs_below=15), True),
        (Budget(epochs_below=14), False),
        (Budget(accuracy_percent=99.4), True),
        (Budget(accuracy_percent=99.41), False),
        (Budget(bytes_below=40_001), True),
        (Budget(bytes_below=40_000), False),
        (Budget(macs_below=1_278_129), True),
        (Budget(macs_below=1_278_128), False),
    ],
)
def test_limits_are_exclusive_and_the_accuracy_is_reached(budget: Budget, kept: bool) -> None:
    assert [c.kept for c in check(budget, FACTS)] == [kept]


BREAKS = {
    "uses-batch-norm": replace(FACTS, kinds=("Conv2d",)),
    "uses-dropout": replace(FACTS, dropout_active=False),
    "uses-global-average-pooling": replace(FACTS, global_average_pooling=False),
    "no-fully-connected": replace(FACTS, kinds=("Conv2d", "Linear")),
    "no-fully-connected-or-global-average-pooling": replace(FACTS, kinds=("Linear",), global_average_pooling=False),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_kept_and_broken(rule: str) -> None:
    budget = Budget(rules=(rule,))
    assert [c.kept for c in check(budget, FACTS)] == [True]
    assert [c.kept for c in check(budget, BREAKS[rule])] == [False]


def test_what_was_not_measured_is_not_a_pass() -> None:
    untrained = replace(FACTS, epochs=None, accuracy_percent=None, kinds=())
    budget = Budget(epochs_below=15, accuracy_percent=99.4, rules=("uses-dropout",))
    assert [c.kept for c in check(budget, untrained)] == [None, None, None]


def test_a_budget_survives_json_and_refuses_nonsense() -> None:
    budget = Budget(8_000, 15, 99.4, rules=("uses-dropout",))
    assert Budget.from_dict(json.loads(json.dumps(budget.to_dict()))) == budget
    with pytest.raises(InputError, match=r"rules: 'uses-dropot' .*did you mean uses-dropout"):
        Budget(rules=("uses-dropot",))
    with pytest.raises(InputError, match="accuracy_percent: 101"):
        Budget(accuracy_percent=101)
