"""The page without a mouse: every control is reached, named and works; the current step is spoken in plain words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .browser import Browser

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
FOCUSED = "(e => (e.id || e.dataset.pick || e.dataset.given || e.dataset.phase || e.tagName))(document.activeElement)"


def where(tab: Browser) -> str:
    """`iteration/steps done`, as the page says it of itself."""
    return str(tab.run("document.body.dataset.state"))


def said(tab: Browser) -> str:
    return str(tab.run("document.getElementById('said').textContent"))


def test_arrows_step_and_shift_goes_a_whole_iteration(opened: Opened) -> None:
    tab = opened("course", 5)
    steps = []
    for key in ["right", "right", "left", "RIGHT", "End", "right", "left", "Home", "LEFT"]:  # in capitals: with Shift
        tab.key(f"Arrow{key.title()}" if key.lower() in ("right", "left") else key, shift=key.isupper())
        steps.append(where(tab))
    whole = tab.run("stepsOf(1).length")
    assert steps == ["1/1", "1/2", "1/1", "2/1", f"2/{whole}", "3/0", f"2/{whole}", "2/0", "1/0"]


def test_the_first_and_the_last_step_are_ends(opened: Opened) -> None:
    tab = opened("course", 2)
    tab.key("ArrowLeft", 3)
    assert where(tab) == "1/0"
    tab.run("go(2, Infinity)")
    tab.key("ArrowRight", 3)
    assert where(tab) == f"2/{tab.run('stepsOf(1).length')}"


def test_every_step_is_spoken_in_words_with_its_number(opened: Opened) -> None:
    tab = opened("course", 5)
    assert said(tab).startswith("Iteration 1 begins.")
    tab.key("ArrowRight")
    assert said(tab) == "Forward, step 1 of 11. h1 is 0.0275, hidden unit 1 before its activation: the weighted sum."
    tab.key("ArrowRight", 11)
    assert said(tab).startswith("Backward, step 1 of 16. The gradient at ao1 is 0.106477732, ")
    tab.run("go(1, Infinity)")
    tab.settle()
    assert said(tab).startswith("Update, step 8 of 8. The new w8 is 0.542238846, ")
    assert tab.run("document.getElementById('said').getAttribute('aria-live')") == "polite"


def test_a_step_through_two_paths_says_both(opened: Opened) -> None:
    tab = opened("course", 5)
    at = tab.run("stepsOf(1).findIndex(step => step.name === 'dE/da_h1')")
    tab.key("ArrowRight", at + 1)
    assert "(0.0101649 through o1 and 0.0151994 through o2)" in said(tab)


def test_tab_reaches_every_control_once_and_each_has_a_name(opened: Opened) -> None:
    tab = opened("course", 5)
    reached = []
    for _ in range(60):
        tab.key("Tab")
        reached.append(tab.run(FOCUSED))
        if reached[-1] == "BODY":
            break
    controls = "forward backward update grain speed first back play step last iteration picked log reset"
    fields = "learning_rate i1 i2 t1 t2 w1 w2 w3 w4 w5 w6 w7 w8"
    assert set(f"{controls} {fields}".split()) <= set(reached)
    nameless = tab.run(
        "[...document.querySelectorAll('button, select, input, [role=button]')].filter(e => e.getClientRects().length)"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')?.textContent))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_focus_is_visible_on_weights_and_buttons(opened: Opened) -> None:
    tab = opened("course", 5)
    for _ in range(60):
        tab.key("Tab")
        focused = tab.run(FOCUSED)
        if focused == "w1":
            width = tab.run("parseFloat(getComputedStyle(document.activeElement.querySelector('.plate')).strokeWidth)")
            colour = tab.run("getComputedStyle(document.activeElement.querySelector('.plate')).stroke")
            assert width >= 3
            assert colour != "rgba(0, 0, 0, 0)"
        if focused == "play":
            assert tab.run("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
            return
    pytest.fail("the play button was never reached")


def test_enter_on_a_weight_shows_its_derivation_with_the_numbers_of_that_iteration(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.key("ArrowRight", shift=True)
    tab.run("[...document.querySelectorAll('.weight[data-pick=w5]')].find(e => e.getClientRects().length).focus()")
    tab.key("Enter")
    assert tab.run("document.getElementById('picked').value") == "w5"
    assert tab.run("[...document.querySelectorAll('.weight.picked')].every(e => e.dataset.pick === 'w5')")
    rows = tab.run("[...document.querySelectorAll('#chain li')].map(li => li.textContent)")
    gradient = tab.run("iterate(yours.starts[1]).v['dE/dw5']")
    assert len(rows) == 4, "a_o1, o1, w5 and the update"
    assert rows[-1].startswith("w5←w5−η·∂E∂w5")
    assert f"={gradient:.9g}" in rows[-2].replace(" ", "")
    assert tab.run("document.querySelectorAll('#chain math').length") >= 8
    path = tab.run(
        "[...document.querySelectorAll('.net.across .link.path')].map(l => `${l.dataset.from}>${l.dataset.to}`)"
    )
    assert path == ["a_h1>o1", "a_o1>E1", "E1>E_total"]


def test_a_click_on_a_weight_does_the_same(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.click(".weight[data-pick=w2]")
    assert tab.run("document.getElementById('picked').value") == "w2"
    tab.click(".weight[data-pick=w2]")
    assert tab.run("document.querySelectorAll('.weight.picked').length") == 0


def test_space_plays_and_pauses(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("document.getElementById('speed').value = '500'")
    tab.key(" ")
    assert tab.run("document.getElementById('play').getAttribute('aria-pressed')") == "true"
    tab.run("new Promise(done => setTimeout(done, 700))")
    tab.key(" ")
    assert int(where(tab).split("/")[1]) >= 2, "one step at once, the next half a second later"
    assert tab.run("document.getElementById('play').getAttribute('aria-pressed')") == "false"
    before = where(tab)
    tab.run("new Promise(done => setTimeout(done, 700))")
    assert where(tab) == before


def test_keys_in_a_field_belong_to_the_field(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("document.querySelector('[data-given=w1]').focus()")
    tab.key("ArrowRight", 2)
    tab.key("Home")
    assert where(tab) == "1/0"


def test_layers_are_stepped_at_once(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("{ const s = document.getElementById('grain'); s.value = 'layer'; s.dispatchEvent(new Event('change')); }")
    seen = []
    for _ in range(8):
        tab.key("ArrowRight")
        seen.append(tab.run("[...new Set(moment().current.map(s => s.of))].join(' ')"))
    forward = ["h1 a_h1 h2 a_h2", "o1 a_o1 o2 a_o2", "E1 E2", "E_total"]
    assert seen == [*forward, "a_o1 a_o2 o1 o2", "w5 w6 w7 w8", "a_h1 a_h2 h1 h2", "w1 w2 w3 w4"]


@pytest.mark.parametrize("typed", ["", "abc", "1e999", "--3"])
def test_what_is_no_number_is_refused_and_the_last_good_one_counts(opened: Opened, typed: str) -> None:
    tab = opened("course", 5)
    before = tab.run("yours.losses.join()")
    tab.type('[data-given="w1"]', typed) if typed else tab.run(
        "{ const e = document.querySelector('[data-given=w1]'); e.value = ''; e.dispatchEvent(new Event('input')); }"
    )
    assert tab.run("yours.losses.join()") == before
    assert tab.run("document.querySelector('[data-given=w1]').getAttribute('aria-invalid')") == "true"
    assert "w1: a finite number, please" in tab.run("document.getElementById('wrong').textContent")
    tab.type('[data-given="w1"]', "0.2")
    assert tab.run("document.getElementById('wrong').textContent") == ""
    assert tab.errors == []


def test_the_slider_moves_with_its_own_keys(opened: Opened) -> None:
    tab = opened("course", 20)
    tab.run("document.getElementById('iteration').focus()")
    tab.key("ArrowRight", 3)
    assert where(tab) == "4/0"
    assert tab.run("document.getElementById('iteration-number').textContent") == "4"
    tab.key("End")
    assert where(tab) == "20/0"


def test_the_curve_marks_where_we_are_and_takes_us_elsewhere(opened: Opened) -> None:
    tab = opened("course", 21)
    marked = "Number(document.querySelector('#chart .marker').dataset.value)"
    assert tab.run(marked) == tab.run("yours.losses[0]")
    tab.click("#chart")  # its middle is not quite iteration 11: the axis has room at its left
    middle = int(where(tab).split("/")[0])
    assert 9 <= middle <= 11
    assert tab.run(marked) == tab.run(f"yours.losses[{middle - 1}]")
    assert f"Iteration {middle}: loss" in tab.run("document.getElementById('chart-said').textContent")


def test_the_curve_on_a_logarithmic_scale_and_beside_the_one_given(opened: Opened) -> None:
    tab = opened("course", 20)
    plain = tab.run("document.querySelector('#chart .yours').getAttribute('points')")
    tab.click("#log")
    assert tab.run("document.querySelector('#chart .yours').getAttribute('points')") != plain
    assert tab.run("document.querySelectorAll('#chart .given').length") == 0
    tab.type('[data-given="learning_rate"]', "2")
    assert tab.run("document.querySelectorAll('#chart .given').length") == 1
    assert "learning rate from 0.5 to 2" in tab.run("document.getElementById('edited').textContent")
    tab.click("#reset")
    assert tab.run("document.querySelectorAll('#chart .given').length") == 0
    assert tab.run("document.getElementById('edited').textContent") == ""


def test_the_phases_are_reached_by_their_buttons(opened: Opened) -> None:
    tab = opened("course", 5)
    for name, place in (("backward", "1/12"), ("update", "1/28"), ("forward", "1/1")):
        tab.click(f"button[data-phase={name}]")
        assert where(tab) == place
        assert tab.run("document.querySelector('[aria-current]').dataset.phase") == name


@pytest.mark.parametrize(("name", "shown"), [("xor", 1), ("relu", 2), ("course", 0)])
def test_the_fields_of_the_examples(opened: Opened, name: str, shown: int) -> None:
    """Of examples taken together the fields of the one shown; of examples in turn all; of one example no choice."""
    tab = opened(name, 5)
    assert tab.run("document.querySelectorAll('fieldset[data-example]:not([hidden])').length") == shown
    title = tab.run("document.getElementById('where-iteration').textContent")
    assert title == ("Iteration 1, example 1 of 2" if name == "relu" else "Iteration 1")


def test_numbers_that_overflow_at_once_are_shown_as_such(opened: Opened) -> None:
    tab = opened("relu", 5)
    tab.type('[data-given="w1"]', "1e308")
    tab.type('[data-given="i1[1]"]', "1e308")
    tab.key("Tab")
    tab.run("go(1, Infinity)")
    tab.settle()
    assert "∞" in tab.run("document.getElementById('stage').textContent")
    assert "At iteration 1 a number is too large" in tab.run("document.getElementById('chart-said').textContent")
    assert tab.errors == []
    tab.click("#reset")
    assert "∞" not in tab.run("document.getElementById('stage').textContent")
