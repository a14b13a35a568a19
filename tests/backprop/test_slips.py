"""Slips: each is wrong, each is named as the audit names it, and no network has too many of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from tinyproof.backprop.equations import forward, gradients
from tinyproof.backprop.expr import Expr, Var, evaluate, evaluate_all, names
from tinyproof.backprop.net import Net
from tinyproof.backprop.notation import text
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.slips import LIKELIEST, MOST_SLIPS, UPDATED, WORDS, in_words, slips
from tinyproof.check.workbook.rules.repair import find_repair
from tinyproof.check.workbook.understand.meaning import SAMPLES
from tinyproof.core.arrays import np
from tinyproof.show.stepper.page_json import lean, script_json
from tinyproof.show.stepper.slip_lines import MOST_BYTES, other_numbers, slip_lines


def sampled(net: Net, seed: int = 0) -> dict[str, np.ndarray]:
    """Every quantity of the network at random numbers between -0.9 and 0.9, and other weights for those updated."""
    rng = np.random.default_rng(seed)
    values: Mapping[str, object] = {
        name: rng.uniform(-0.9, 0.9, SAMPLES) for name in [*net.givens(), *(UPDATED + name for name in net.trained)]
    }
    return dict(evaluate_all([*forward(net), *gradients(net)], values))


def right_of(net: Net) -> dict[str, Expr]:
    """The gradients' equations by name, of one example without its number."""
    return {equation.name.removesuffix(net.tags[0] or "\0"): equation.expr for equation in gradients(net)}


@pytest.mark.parametrize("name", PRESETS)
def test_every_slip_gives_other_numbers(name: str) -> None:
    net = preset(name)
    values, right = sampled(net), {equation.name: equation.expr for equation in gradients(net)}
    found = slips(net)
    assert len({slip.kind for slip in found}) >= 4
    for slip in found:
        whole = right.get(slip.gradient, right.get(slip.gradient + net.tags[0]))
        assert whole is not None
        if net.together and slip.gradient in right:
            continue  # the first example's part of a sum, held against the whole in the page's tests
        assert not np.allclose(evaluate(slip.wrong, values), evaluate(whole, values), rtol=1e-9), slip


def test_the_audit_names_them_by_the_same_words() -> None:
    """The search for a small repair, given the wrong formula and the right numbers, finds what was planted."""
    net = preset("course")
    values, right = sampled(net), right_of(net)
    other = []
    found = slips(net)
    for slip in found:
        used = names(right[slip.gradient])
        factors: list[Expr] = [
            each for name in used for each in (Var(name), 1 - Var(name), Var(name) * (1 - Var(name)))
        ]
        repair = find_repair(slip.wrong, evaluate(right[slip.gradient], values), values, used, factors)
        said = in_words(repair.kind, text(repair.old), text(repair.new)) if repair else ""
        if said != slip.says():
            other.append((slip.gradient, slip.says(), said))
    # A whole path is no factor that the audit looks for, nor are the weights of the next row.
    assert [said for _, planted, said in other if "the term" not in planted and "after the update" not in planted] == []
    assert len(other) == 6
    assert len(found) == 98


def test_the_mistake_of_hand_made_sheets_is_among_them() -> None:
    wrong = {slip.says(): text(slip.wrong) for slip in slips(preset("course")) if slip.gradient == "dE/dh2"}
    assert wrong["a_h1 stands where a_h2 belongs"] == "dE/da_h2*a_h1*(1-a_h1)"


@pytest.mark.parametrize(
    ("network", "gradient", "said"),
    [
        ("course", "dE/do1", "the factor a_o1*(1-a_o1) is missing"),
        ("course", "dE/do1", "brackets are missing: dE/da_o1*a_o1*(1-a_o1)"),
        ("course", "dE/da_o2", "t2-a_o2 is the wrong way round: a_o2-t2"),
        ("course", "dE/da_h1", "the term dE/do2*w7 is missing"),
        ("course", "dE/da_h1", "w6 stands where w5 belongs"),
        ("course", "dE/da_h1", WORDS["updated"]),
        ("course", "dE/dw5", "h1 stands where a_h1 belongs"),
        ("xor", "dE/dh1", "a_h1 should be squared: a_h1^2"),
        ("softmax", "dE/da_o1", "the factor 1/3 is missing"),
        ("softmax", "dE/do2", "the term -dE/da_o1*a_o1*a_o2 is missing"),
        ("relu", "dE/dh2", "the factor if(h2>0,1,0) is missing"),
    ],
)
def test_the_usual_ones(network: str, gradient: str, said: str) -> None:
    assert said in [slip.says() for slip in slips(preset(network)) if slip.gradient == gradient]


def test_a_slip_in_every_unit_has_one_place() -> None:
    found = [slip for slip in slips(preset("course")) if slip.says() in
             ("the factor a_o1*(1-a_o1) is missing", "the factor a_o2*(1-a_o2) is missing")]  # fmt: skip
    assert len(found) == 2
    assert found[0].place == found[1].place


def test_they_are_bounded_in_number_and_bytes() -> None:
    for net in (
        drawn([10, 10, 1], seed=1, examples=16),
        drawn([5, 5, 5, 5, 5], seed=1, output="softmax"),
        preset("deep"),
    ):
        found = slips(net)
        assert len(found) <= MOST_SLIPS
        assert sum(map(len, slip_lines(net))) <= MOST_BYTES
        assert {slip.kind for slip in found} <= set(LIKELIEST) <= set(WORDS)
    few = slips(preset("course"), 30)
    assert len(few) == 30
    kinds = {slip.kind for slip in few}
    assert kinds == {"lost term", "exchanged sides", "updated", "brackets", "lost factor"}, (
        "the rarer ones are all there"
    )
    assert {slip.farther for slip in slips(preset("course"), 80)} == {0}, (
        "what is taken for the next but one comes last"
    )


def test_what_is_printed_is_one_function_a_line() -> None:
    line = next(line for line in slip_lines(preset("course")) if '"dE/dh2", "variable", "a_h1"' in line)
    assert re.fullmatch(
        r'\["dE/dh2", "variable", "a_h1", "a_h2", \d+,\(v,t,n\)=>v\["dE/da_h2"\]\*v.a_h1\*\(1-v.a_h1\)\]', line
    )
    tagged = next(line for line in slip_lines(preset("xor")) if '"dE/dw1", "variable"' in line)
    assert tagged.endswith('=>v["dE/dh2"+t]*v["i1"+t]]')
    assert any(line.endswith("=>v.learning_rate*g]") for line in other_numbers())


def test_a_lean_page_keeps_every_word() -> None:
    page = "<p>\n    a // b\n  c</p>\n<script>\n  // said\n  x = 1; // kept\n</script>"
    assert lean(page) == "<p>\na // b\nc</p>\n<script>\nx = 1; // kept\n</script>"


def test_json_in_a_script_cannot_end_it() -> None:
    hostile = ["</script><script>alert(1)</script>", "<!-- <SCRIPT", "</ScRiPt >", "a<b"]
    written = str(script_json(hostile))
    assert json.loads(written) == hostile
    assert not re.search(r"<(/?script|!--)", written, re.IGNORECASE)
    assert "a<b" in written
