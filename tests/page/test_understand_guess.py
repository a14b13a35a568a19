"""Guessed gradients: right ones are right to the digits typed, and a planted slip is called by its name."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from tinyproof.backprop.equations import gradients
from tinyproof.backprop.expr import Expr, Var, evaluate, names, substitute, total
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.slips import UPDATED, Slip, slips
from tinyproof.backprop.trace import trace

from .browser import Browser
from .test_page_link import follow

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")


def guess(tab: Browser, number: str) -> str:
    """What the page says to that number."""
    return str(
        tab.run(
            f"document.getElementById('guess-number').value = {json.dumps(number)};"
            " document.getElementById('guess-form').requestSubmit();"
            " document.getElementById('guess-verdict').textContent"
        )
    )


def ask(tab: Browser, weight: str, iteration: int = 1) -> None:
    tab.run(
        f"go({iteration}); document.getElementById('guess').open = true;"
        f"teach.sections.guess.read(new URLSearchParams('guess={weight}'))"
    )
    tab.settle()


def retagged(expr: Expr, old: str, new: str) -> Expr:
    """An expression of the first example as one of another."""
    return substitute(expr, {name: Var(name.replace(old, new)) for name in names(expr)}) if old else expr


def with_slip(net: Net, slip: Slip, weight: str, iteration: int) -> float:
    """dE/dweight where one equation of the backward pass (of every example) is wrong and the rest is right."""
    table = trace(net, iteration + 1, "chain")
    row, after = table.row(iteration), table.row(iteration + 1)
    row |= {UPDATED + name: after[name] for name in net.trained}
    first = net.tags[0]
    for equation in gradients(net):
        own, expr = equation.name, equation.expr
        if own == slip.gradient:
            expr = total(retagged(slip.wrong, first, tag) for tag in net.tags)
        elif first and own.partition("[")[0] == slip.gradient:
            expr = retagged(slip.wrong, first, "[" + own.partition("[")[2])
        row[own] = float(evaluate(expr, row))
    return row[f"dE/d{weight}"]


def plain(words: str) -> str:
    """Words as the page shows them, where an index stands below the line."""
    return words.replace("_", "").replace(",", "")


@pytest.mark.parametrize("name", PRESETS)
def test_planted_slips_are_called_by_their_names(opened: Opened, name: str) -> None:
    """Slips drawn at random, computed here from the equations. Two slips that give one number are told both."""
    net, tab, iteration = preset(name), opened(name, 10), 3
    draw, known = random.Random(20), slips(preset(name))
    row = trace(net, iteration, "chain").row(iteration)
    named, tried = 0, 0
    for slip in draw.sample(known, 25):
        for weight in draw.sample(net.trained, len(net.trained)):
            wrong, right = with_slip(net, slip, weight, iteration), row[f"dE/d{weight}"]
            if abs(wrong - right) > 1e-9 * abs(right) and wrong:
                break
        else:
            continue  # no weight feels this slip here: a sleeping unit, an input of 0
        tried += 1
        ask(tab, weight, iteration)
        said = plain(guess(tab, f"{wrong:.13e}"))
        assert said.startswith("Not right. "), (slip, said)
        named += plain(slip.says()) in said
    assert tried >= 12
    assert named >= 0.9 * tried, (named, tried)
    assert tab.errors == []


def test_the_mistake_of_hand_made_sheets(opened: Opened) -> None:
    """dE/dw3 with a_h1 where a_h2 belongs: it differs from the right one in the fourth digit."""
    tab, row = opened("course", 10), trace("course", 1, "chain").row(1)
    wrong = row["dE/da_h2"] * row["a_h1"] * (1 - row["a_h1"]) * row["i1"]
    ask(tab, "w3")
    assert "In dE/dh2 ah1 stands where ah2 belongs. dE/dh2 is what arrived at ah2" in guess(tab, repr(wrong))
    assert guess(tab, f"{wrong:.2g}").startswith("Right"), "two digits cannot tell them apart"


SLIPS_OF_W3 = [
    ("-{right}", "The sign of the whole formula is wrong."),
    ("{right}*0.5", "That is the learning rate times the gradient."),
    ("{new}", "That is the new weight, not its gradient."),
    ("{new}-0.25", "That is the change of the weight, not its gradient."),
    ("0.25", "That is the weight, not its gradient."),
    ("{dh2}", "In dE/dw3 the factor i1 is missing."),
    ("{right}/{a_h2}", "In dE/dh2 the factor ah2 is missing."),
    ("{right}/{a_h2}/(1-{a_h2})", "In dE/dh2 the factor ah2*(1-ah2) is missing."),
    ("{right}*2", "In dE/dw3 i2 stands where i1 belongs."),
    ("{do1}*{w6}*{a_h2}*(1-{a_h2})*{i1}", "In dE/da_h2 the term dE/do2*w8 is missing."),
    ("{w1}", "That is dE/dw1."),
    ("{later}", "That is dE/dw3 of the iteration after this one."),
    ("1.2345", "none of the usual slips"),
]


@pytest.mark.parametrize(("formula", "said"), SLIPS_OF_W3, ids=[said for _, said in SLIPS_OF_W3])
def test_one_slip_of_each_kind(opened: Opened, formula: str, said: str) -> None:
    tab, table = opened("course", 10), trace("course", 2, "chain")
    row, after = table.row(1), table.row(2)
    values = {
        "right": row["dE/dw3"], "new": after["w3"], "dh2": row["dE/dh2"], "do1": row["dE/do1"], "w1": row["dE/dw1"],
        "later": after["dE/dw3"], "w6": row["w6"], "a_h2": row["a_h2"], "i1": row["i1"],
    }  # fmt: skip
    number = eval(formula.format(**{name: repr(value) for name, value in values.items()}))  # our own text above
    ask(tab, "w3")
    assert said in guess(tab, f"{number:.12g}" if number != 0.25 else "0.250")


@pytest.mark.parametrize("name", PRESETS)
def test_the_right_number_is_right_to_every_number_of_digits(opened: Opened, name: str) -> None:
    net, tab = preset(name), opened(name, 10)
    for weight, iteration in ((net.trained[0], 1), (net.trained[-1], 4), (net.weight_names[-1][0][0], 7)):
        right = trace(net, iteration, "chain").row(iteration)[f"dE/d{weight}"]
        ask(tab, weight, iteration)
        for digits in (2, 3, 4, 6, 9, 15):
            said = guess(tab, f"{right:.{digits - 1}e}")
            assert said.startswith("Right: it is "), (weight, iteration, digits, said)
        for spelled in (
            f"{right:.5f}".replace(".", ","),
            f" {right:.9f} ".replace("-", "−"),
            f"{right / 1e-3:.4f}·10^-3",
        ):
            if abs(right) > 1e-3:
                assert guess(tab, spelled).startswith("Right: it is "), spelled
        if abs(right) > 1e-6:
            assert guess(tab, f"{right * 1.01:.3e}").startswith("Not right.")
    assert tab.errors == []


def test_a_number_that_is_cut_off_is_right_and_two_units_off_is_not(opened: Opened) -> None:
    tab = opened("course", 5)
    ask(tab, "w3")  # 0.000351776321...
    assert guess(tab, "0.000352") == "Right: it is 0.000351776322."
    assert guess(tab, "0.000351") == "Right, cut off where one would round: it is 0.000351776322."
    assert guess(tab, "0.000350").startswith("Not right")
    assert guess(tab, "0.000354").startswith("Not right")
    assert guess(tab, "0.00036").startswith("Not right")


@pytest.mark.parametrize("typed", ["", "abc", "--1", "1e", "1.2.3", "Infinity", "NaN", "0x10", "1e9999"])
def test_text_where_a_number_is_guessed(opened: Opened, typed: str) -> None:
    tab = opened("course", 5)
    ask(tab, "w3")
    assert guess(tab, typed) == "A number, please, as in 0.0821, −1.5 or 3.2e-5."
    assert tab.run("document.getElementById('guess-score').textContent") == "", "and it counts for nothing"
    assert tab.errors == []


def test_too_few_digits_are_not_judged(opened: Opened) -> None:
    tab = opened("course", 5)
    ask(tab, "w3")
    for typed in ("0", "0.0", "0.0004", "1"):
        assert "at least two digits that count" in guess(tab, typed)
    assert "With three digits or more" in guess(tab, "0.71")


def test_how_a_wrong_number_differs_where_no_slip_is_known(opened: Opened) -> None:
    tab = opened("course", 5)
    ask(tab, "w5")  # 0.0128808
    assert guess(tab, "-0.4711") == "Not right. Its sign is another one, and none of the usual slips."
    assert guess(tab, "0.4711") == "Not right. It is too large in size, and none of the usual slips."
    assert guess(tab, "0.004711") == "Not right. It is too small in size, and none of the usual slips."


def test_a_gradient_that_is_zero(opened: Opened) -> None:
    net = preset("relu")
    tab, row = opened(net, 5), trace(net, 1, "chain").row(1)
    weight = next(name for name in net.trained if row[f"dE/d{name}"] == 0)
    ask(tab, weight)
    assert guess(tab, "0") == "Right: it is 0."
    assert guess(tab, "0.125").startswith("Not right")


def test_the_score_counts_first_tries(opened: Opened) -> None:
    tab, row = opened("course", 5), trace("course", 1, "chain").row(1)
    score = "document.getElementById('guess-score').textContent"
    ask(tab, "w3")
    guess(tab, "0.71234")
    assert tab.run(score) == "Right at the first try: 0 of 1."
    guess(tab, repr(row["dE/dw3"]))
    assert tab.run(score) == "Right at the first try: 0 of 1."
    ask(tab, "w5")
    guess(tab, repr(row["dE/dw5"]))
    assert tab.run(score) == "Right at the first try: 1 of 2."
    tab.click("#guess-ask")
    assert tab.run("document.getElementById('guess-ask').textContent") == "Another one"
    tab.click("#guess-reveal")
    assert tab.run(score) == "Right at the first try: 1 of 3."
    assert tab.errors == []


def test_an_open_question_covers_its_answer_and_another_moment_is_another_question(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("go(1, Infinity)")
    seen = "getComputedStyle(document.querySelector('.net.across .weight [data-v=\"dE/dw3\"]')).visibility"
    assert tab.run(seen) == "visible"
    ask(tab, "w3")
    tab.run("go(1, Infinity)")
    tab.settle()
    assert tab.run(seen) == "hidden"
    assert tab.run("getComputedStyle(document.querySelector('#chain .numbers')).visibility") == "hidden"
    guess(tab, "0.71234")
    tab.run("go(2, 3)")
    tab.settle()
    assert "in iteration 2?" in tab.run("document.getElementById('guess-question').textContent")
    assert tab.run("document.getElementById('guess-verdict').textContent") == ""
    right = trace("course", 2, "chain").row(2)["dE/dw3"]
    assert guess(tab, repr(right)).startswith("Right")
    assert tab.run(seen) == "visible"
    ask(tab, "w3")
    tab.click("#guess > summary")
    assert tab.run(seen) == "visible", "closed, it covers nothing"


def test_nothing_is_asked_until_it_is_wanted_and_the_address_keeps_the_question(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("document.getElementById('guess').open = true")
    tab.settle()
    assert tab.run("document.getElementById('guess-form').hidden")
    ask(tab, "w7")
    link = tab.run("new Promise(done => setTimeout(() => done(location.hash), 700))")
    assert link == "#open=guess&guess=w7"
    follow(tab, link[1:])
    assert "∂w7 now, in iteration 1?" in tab.run("document.getElementById('guess-question').textContent")
    follow(tab, "guess=%3Cimg%20src=x%3E&open=guess&unit=%3Cimg%3E")
    assert tab.run("document.getElementById('guess-form').hidden")
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.errors == []


def test_without_slips_the_number_is_still_checked(opened: Opened) -> None:
    tab, row = opened("course", 5), trace("course", 1, "chain").row(1)
    tab.run("delete EQUATIONS.slips; teach.rebuilt()")
    ask(tab, "w3")
    assert "none of the usual slips" in guess(tab, repr(row["dE/dh2"] * 3))
    assert guess(tab, repr(row["dE/dw3"])).startswith("Right")
    assert tab.errors == []


def test_the_largest_network_has_slips_too(opened: Opened) -> None:
    net = drawn([10, 10, 1], seed=3, output="tanh", examples=4)
    tab = opened(net, 3)
    ask(tab, "w1")
    right = trace(net, 1, "chain").row(1)["dE/dw1"]
    assert guess(tab, repr(right)).startswith("Right")
    ask(tab, "w1")
    assert "sign of the whole formula" in guess(tab, repr(-right))
    assert tab.errors == []
