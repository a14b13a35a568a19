"""The ledger of proved means: bounds against scipy, Holm by hand, and in simulated worlds the winner's curse."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats as scipy_stats
from tests.stored_records import stored

from tinyproof.core.errors import InputError
from tinyproof.prove import attempt, known_figures, ledger, proof
from tinyproof.prove.attempt import Attempt
from tinyproof.prove.more_answers import Count, MoreAnswers


def made(name: str, percents: tuple[float, ...] = (99.0, 99.1), parameters: int = 500, **more: object) -> Attempt:
    plain = Attempt(
        name=name, declaration=name, declared_at="2026-01-01T00:00:00+00:00", data=known_figures.MNIST.facts,
        model="model.py:Net", recipe="best", epochs=14, parameters=parameters, macs=None, sized=False, judged_as="",
        target=99.0, word="undecided", p_value=0.5, declared=len(percents), percents=percents, images=10_000,
        answers=(name,),
    )  # fmt: skip
    return dataclasses.replace(plain, **more)


def below(found: ledger.Ledger, limit: int) -> ledger.Tier:
    return next(tier for tier in found.tiers if tier.below == limit)


def scipys(values: tuple[float, ...], tried: int) -> float:
    return float(scipy_stats.ttest_1samp(values, 0, alternative="greater").confidence_interval(1 - 0.05 / tried).low)


def test_the_bound_is_scipys_at_the_corrected_level() -> None:
    values = [(97.1, 97.4, 97.0, 97.9, 97.2), (97.6, 96.0, 98.9, 97.5, 98.4), (97.4, 97.3, 97.5)]
    tier = below(ledger.ledger([made(f"{n}", one) for n, one in enumerate(values)]), 700)
    assert tier.confidence == pytest.approx(1 - 0.05 / 3)
    for one in tier.attempts:
        assert tier.bound_of(one) == pytest.approx(scipys(one.percents, 3), abs=1e-9)
    # The highest mean is that of the second, which scatters most: it is not the best.
    assert tier.best is not None
    assert tier.best.name == "2"
    assert tier.bound == max(tier.bound_of(one) or 0 for one in tier.attempts)


def test_a_proof_alone_keeps_the_bound_of_its_own_verdict() -> None:
    found = proof.load(stored("fast"))
    one = attempt.of_proof(found, "fast")
    assert one is not None
    tier = below(ledger.ledger([one]), 8_000)
    assert tier.bound == found.verdict.lower
    assert tier.corrected == [found.verdict.p_value]


def test_at_its_bound_holms_correction_by_hand_is_five_percent() -> None:
    generator = np.random.default_rng(7)
    values = [tuple(generator.normal(98, 0.3, 5)) for _ in range(4)]
    tier = below(ledger.ledger([made(f"{n}", one) for n, one in enumerate(values)]), 700)
    assert tier.bound is not None

    def smallest(target: float) -> float:
        # The first step of Holm: the smallest p-value times the number of tests.
        return 4 * min(scipy_stats.ttest_1samp(one, target, alternative="greater").pvalue for one in values)

    assert smallest(tier.bound) == pytest.approx(0.05, abs=1e-7)
    assert smallest(tier.bound - 0.01) < 0.05 < smallest(tier.bound + 0.01)


def test_holm_by_hand() -> None:
    p_values = {"a": 0.01, "b": 0.04, "c": 0.03}
    tries = [made(name, p_value=p) for name, p in p_values.items()]
    # 3 x 0.01; 2 x 0.03; 1 x 0.04, but never below the one before.
    assert below(ledger.ledger(tries), 700).corrected == pytest.approx([0.03, 0.06, 0.06])
    # One without a p-value counts as 1: 4 x 0.01; 3 x 0.03; 2 x 0.04 below the one before; 1.
    alone = made("d", (99.0,), p_value=None)
    assert below(ledger.ledger([*tries, alone]), 700).corrected == pytest.approx([0.04, 0.09, 0.09, 1.0])


def test_what_another_names_as_tried_before_counts_though_it_is_not_kept() -> None:
    tries = [made("a", p_value=0.01, earlier=("gone", "b")), made("b", p_value=0.04, earlier=("gone",))]
    tier = below(ledger.ledger(tries), 700)
    assert (tier.tried, tier.lost) == (3, ("gone",))
    assert tier.confidence == pytest.approx(1 - 0.05 / 3)
    assert tier.corrected == pytest.approx([0.03, 0.08])


def test_a_proof_that_is_not_complete_is_a_try_and_never_the_best() -> None:
    good = (99.9, 99.9, 99.9)
    tries = [made("a", (98.0, 98.1)), made("failed", good, declared=4), made("one run", (99.9,))]
    tier = below(ledger.ledger(tries), 700)
    assert tier.best is not None
    assert (tier.tried, tier.best.name) == (3, "a")
    assert below(ledger.ledger(tries[1:]), 700).best is None


def test_the_limit_of_a_tier_is_outside_it() -> None:
    sizes = (1, 699, 700, 999, 1_000, 7_999, 8_000, 19_999, 20_000)
    found = ledger.ledger([made(f"{n}", parameters=n) for n in sizes])
    inside = {tier.below: sorted(one.parameters for one in tier.attempts) for tier in found.tiers}
    assert inside == {
        700: [1, 699],
        1_000: [700, 999],
        2_000: [1_000],
        4_000: [],
        8_000: [7_999],
        20_000: [8_000, 19_999],
    }
    assert [one.parameters for one in found.larger] == [20_000]


def test_one_that_was_packed_twice_counts_once() -> None:
    one = made("a")
    found = ledger.ledger([one, dataclasses.replace(one, name="copy of a")])
    assert [other.name for other in found.attempts] == ["a"]
    again = dataclasses.replace(one, name="again", answers=("others",))
    assert below(ledger.ledger([one, again]), 700).tried == 2


def test_of_equal_bounds_the_smaller_network_is_the_best() -> None:
    tier = below(ledger.ledger([made("large", parameters=690), made("small", parameters=300)]), 700)
    assert tier.best is not None
    assert tier.best.name == "small"


def test_a_larger_network_that_is_no_better_is_told() -> None:
    found = ledger.ledger([made("small", (99.0, 99.1)), made("large", (98.0, 98.1), 900)])
    assert found.beaten(below(found, 1_000)) is below(found, 700)
    assert found.beaten(below(found, 700)) is None


def test_no_bound_is_below_nothing_and_equal_counts_are_not_certain() -> None:
    tier = below(ledger.ledger([made("a", (0.0, 60.0))]), 700)
    assert tier.bound == 0
    equal = below(ledger.ledger([made("a", (99.0, 99.0))]), 700)
    assert equal.bound is not None
    assert equal.bound < 99


def test_the_best_of_many_equal_proofs_promises_too_much_and_its_corrected_bound_does_not() -> None:
    generator, truth, worlds, proofs = np.random.default_rng(3), 99.0, 400, 8
    naive = corrected = means = 0.0
    for _ in range(worlds):
        rows = generator.normal(truth, 0.06, (proofs, 5))
        tries = [made(f"{n}", tuple(map(float, row))) for n, row in enumerate(rows)]
        tier = below(ledger.ledger(tries), 700)
        assert tier.best is not None
        naive += max(one.bound(0.95) or 0.0 for one in tries) > truth
        corrected += (tier.bound or 0.0) > truth
        means += max(one.mean for one in tries) - truth
    assert naive / worlds > 0.2
    assert corrected / worlds < 0.05 + 3 * (0.05 * 0.95 / worlds) ** 0.5
    assert means / worlds > 0.02  # points: the highest mean is no estimate


def test_two_data_sets_are_refused_in_one_line() -> None:
    data = dataclasses.replace(known_figures.MNIST.facts, name="digits", digest="0" * 64)
    with pytest.raises(InputError) as error:
        ledger.ledger([made("a.zip"), made("b.zip", data=data)], "kept")
    assert str(error.value) == (
        "records: 'kept' holds proofs on mnist, digest 7ecee0b9 (a.zip) and on digits, digest 00000000 (b.zip); "
        "keep a folder for each data set"
    )


def test_published_runs_stand_beside_proofs_on_their_own_images_only() -> None:
    found = ledger.ledger([made("a")])
    assert [claim.name for claim in found.published] == ["s6-16k", "s7-8k", "s6-17k", "s6-19k", "s6-12k"]
    other = dataclasses.replace(known_figures.MNIST.facts, digest="0" * 64)
    assert ledger.ledger([made("a", data=other)]).published == []


def test_further_images_stand_beside() -> None:
    more = MoreAnswers(
        name="qmnist-test50k", digest="0" * 64, labels_sha256="0" * 64, images=50_000, declaration="a",
        runs=(Count(1, 49_000, "x"), Count(2, 49_500, "y")),
    )  # fmt: skip
    one = made("a", also=(more,))
    assert "on qmnist-test50k (50,000 other test images): mean 98.500 % of 2 runs" in one.also_words[0]
    told = json.loads(json.dumps(ledger.ledger([one]).to_json()))
    assert told["tiers"][0]["proofs"][0]["also"][0]["mean"] == 98.5
