"""The sections that explain: closed until wanted, small, for everybody, on a phone, in the dark and on paper."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest

from tinyproof.backprop.optimizer import KINDS
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.show.stepper import stepper

from .browser import Browser
from .test_accessible import LOOKS, violations
from .test_understand_rates import DONE

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
SECTIONS = ("rates", "nudge", "slope", "guess")


def all_open(tab: Browser) -> Browser:
    """Every section open, the rates computed and a question asked and answered wrongly."""
    tab.run(
        "go(1, Infinity); document.getElementById('guess').open = true;"
        "teach.sections.guess.read(new URLSearchParams('guess=w1'));"
        "document.getElementById('guess-number').value = '0.712';"
        "document.getElementById('guess-form').requestSubmit();"
        "for (const each of document.querySelectorAll('#teach details')) each.open = true"
    )
    tab.settle()
    tab.run(DONE)
    tab.settle()
    return tab


def batches(name: str) -> list[int | None]:
    """How many examples of a preset may be taken at a time."""
    net = preset(name)
    count = len(net.examples) if net.together else 1
    return [None, *(k for k in range(1, count) if count % k == 0)]


EVERY = [(name, kind, batch) for name in PRESETS for kind in KINDS for batch in batches(name)]


@pytest.mark.parametrize(("name", "kind", "batch"), EVERY)
def test_every_page_is_under_300_kilobytes(name: str, kind: str, batch: int | None) -> None:
    net = preset(name).with_optimizer(kind).with_batch(batch)
    assert len(stepper(net, 100).encode()) < 300_000


def test_every_preset_is_weighed_with_every_optimizer_and_some_with_batches() -> None:
    assert {(name, kind) for name, kind, _ in EVERY} == set(itertools.product(PRESETS, KINDS))
    assert {(name, batch) for name, _, batch in EVERY if batch} >= {("xor", 1), ("xor", 2), ("softmax", 1)}


@pytest.mark.parametrize("name", ["course", "softmax"])
@pytest.mark.parametrize(("width", "media"), LOOKS, ids=str)
def test_axe_finds_nothing_with_everything_open(
    opened: Opened, axe: str, name: str, width: int, media: dict[str, Any]
) -> None:
    """The drawing and the sections above it included. The style that covers an answer is no part of the question."""
    tab = all_open(opened(name, 20, width=width, **media))
    assert violations(tab, axe) == []
    assert tab.errors == []


def test_they_are_closed_until_somebody_opens_them(opened: Opened) -> None:
    tab = opened("course", 5)
    closed = "[...document.querySelectorAll('#teach > details')].map(e => [e.id, e.open])"
    assert tab.run(closed) == [[name, False] for name in SECTIONS]
    assert tab.run("document.querySelectorAll('#teach svg *').length") == 0, "and nothing is drawn in them"
    assert tab.run("document.getElementById('teach').getBoundingClientRect().height") < 420


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_nothing_is_wider_than_the_screen(opened: Opened, name: str, width: int) -> None:
    tab = all_open(opened(name, 20, width=width))
    assert tab.run("document.documentElement.scrollWidth") <= width
    charts = "[...document.querySelectorAll('#teach .plot')].map(e => e.getBoundingClientRect().width)"
    assert all(250 < chart <= width for chart in tab.run(charts))
    assert tab.errors == []


def test_every_control_is_reached_with_tab_and_has_a_name(opened: Opened) -> None:
    tab = all_open(opened("course", 20))
    tab.run("document.querySelector('#rates > summary').focus()")
    reached = []
    for _ in range(40):
        reached.append(tab.run("(e => e.id || e.dataset.rate || e.tagName)(document.activeElement)"))
        assert tab.run("getComputedStyle(document.activeElement).outlineStyle") != "none", reached
        if reached[-1] == "guess-reveal":
            break
        tab.key("Tab")
    wanted = (
        "rates-asked rates-log 0.1 0.2 0.5 0.8 1 2 nudge-weight nudge-step nudge-view slope-unit guess-ask guess-number"
    )
    assert [each for each in wanted.split() if each not in reached] == []
    assert tab.run("[...document.querySelectorAll('#teach input, #teach select')].every(e => e.labels.length)")


def test_what_is_wider_than_its_frame_scrolls_with_the_keys(opened: Opened) -> None:
    tab = opened("softmax", 5, width=390)
    tab.run("go(1, Infinity); document.getElementById('numbers').open = true")
    tab.settle()
    tab.run("drawNow()")
    before = tab.run("document.body.dataset.state")
    wide = "document.querySelector('#numbers .scroll')"
    assert tab.run(f"{wide}.scrollWidth > {wide}.clientWidth")
    tab.run(f"{wide}.focus()")
    assert tab.run(f"document.activeElement === {wide}")
    tab.key("ArrowLeft")
    assert tab.run("document.body.dataset.state") == before


def test_keys_in_the_new_fields_belong_to_the_fields(opened: Opened) -> None:
    tab = all_open(opened("course", 20))
    before = tab.run("document.body.dataset.state")
    for field in ("rates-asked", "nudge-step", "guess-number"):
        tab.run(f"document.getElementById('{field}').focus()")
        tab.key("ArrowRight", 2)
        tab.key(" ")
        assert tab.run("document.body.dataset.state") == before
    tab.run("document.querySelector('#guess > summary').focus()")
    tab.key("Enter")
    assert tab.run("document.getElementById('guess').open") is False


def test_what_is_said_is_announced(opened: Opened) -> None:
    """What changes when the reader acts is a status (spoken politely); what is refused is an alert."""
    tab = opened("course", 5)
    roles = (
        "Object.fromEntries([...document.querySelectorAll('#teach [role]')].map(e => [e.id, e.getAttribute('role')]))"
    )
    found = tab.run(roles)
    assert {name for name, role in found.items() if role == "status"} == {
        "rates-said", "nudge-lead", "slope-lead", "guess-verdict"
    }  # fmt: skip
    assert {name for name, role in found.items() if role == "alert"} == {"rates-wrong", "nudge-wrong"}


CONTRAST = """(() => {
  const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const panel = light(getComputedStyle(document.getElementById("rates")).backgroundColor);
  const ratio = colour => { const [a, b] = [light(colour), panel].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05); };
  const of = (selector, key) => [...document.querySelectorAll(selector)].map(e => ratio(getComputedStyle(e)[key]));
  return { lines: of("#teach .plot :is(.line, .yours, .tangent)", "stroke"),
    texts: of("#teach .plot text:not(.cross)", "fill"),
    words: of("#teach :is(b, p, th, td, label)", "color"), bars: of("#teach .bar i", "backgroundColor") };
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_and_texts_stand_out_light_and_dark(opened: Opened, scheme: str) -> None:
    """Texts 4.5 to 1, lines and bars 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    tab = all_open(opened("course", 20, prefers_color_scheme=scheme))
    found = tab.run(CONTRAST)
    assert min(found["lines"] + found["bars"]) >= 3
    assert min(found["texts"] + found["words"]) >= 4.5
    assert len(found["lines"]) >= 10
    paper = tab.run("getComputedStyle(document.getElementById('rates')).backgroundColor")
    assert paper == {"light": "rgb(245, 247, 249)", "dark": "rgb(29, 35, 42)"}[scheme]


def pages_on_paper(tab: Browser) -> int:
    tab.run("dispatchEvent(new Event('beforeprint'))")
    tab.settle()
    printed = base64.b64decode(tab.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def test_on_paper_what_is_open_is_printed_and_the_questions_are_not(opened: Opened) -> None:
    tab = all_open(opened("course", 20))
    tab.run("document.getElementById('nudge').open = false")
    tab.settle()
    tab.call("Emulation.setEmulatedMedia", media="print")
    shown = "[...document.querySelectorAll('#teach > details')].filter(e => e.getClientRects().length).map(e => e.id)"
    assert tab.run(shown) == ["rates", "slope"]
    buttons = "[...document.querySelectorAll('#teach form')].filter(e => e.getClientRects().length).length"
    assert tab.run(buttons) == 0
    tab.run("for (const each of document.querySelectorAll('#teach > details')) each.open = false")
    tab.settle()
    assert tab.run("document.getElementById('teach').getClientRects().length") == 0


def test_a_page_to_hand_out(opened: Opened) -> None:
    """The drawing, the derivation beside curve and numbers, every number; with everything open eight pages."""
    tab = opened("course", 20)
    tab.run("go(3, 20)")
    tab.settle()
    bare = pages_on_paper(tab)
    assert 3 <= bare <= 5
    assert bare < pages_on_paper(all_open(tab)) <= 8


def test_another_network_in_the_same_page(opened: Opened) -> None:
    """`teach.rebuilt()` fills in what hangs on the network, from DATA alone."""
    tab = all_open(opened("deep", 20))
    tab.run("DATA.trained = DATA.trained.slice(0, 5); state.picked = 'w2'; teach.rebuilt(); drawNow()")
    assert tab.run("[...document.getElementById('nudge-weight').options].map(o => o.value)") == [
        "w1", "w2", "w3", "w4", "w5"
    ]  # fmt: skip
    assert tab.run("document.getElementById('guess-form').hidden"), "an old question is none of the new network"
    assert tab.run("document.getElementById('guess-verdict').textContent") == ""
    assert tab.errors == []


def test_numbers_that_overflow_are_said_to(opened: Opened) -> None:
    tab = opened("relu", 5)
    tab.type('[data-given="w1"]', "1e308")
    tab.type('[data-given="i1[1]"]', "1e308")
    all_open(tab)
    assert "no finite number" in tab.run("document.getElementById('nudge-why').textContent")
    assert tab.run("[...document.querySelectorAll('#rates-table tbody tr')].every(e => /diverges/.test(e.textContent))")
    assert tab.errors == []


def test_what_has_not_changed_is_not_said_again(opened: Opened) -> None:
    tab = all_open(opened("course", 20))
    tab.run(
        "var changes = 0; for (const each of document.querySelectorAll('#teach [role=status], #teach [role=alert]'))"
        " new MutationObserver(() => changes++).observe(each, { childList: true, subtree: true, characterData: true })"
    )
    tab.run("go(1, 3)")
    tab.settle()
    assert tab.run("changes") == 0
    tab.run("go(2, 3)")
    tab.settle()
    assert tab.run("changes") > 0


def test_a_page_without_anything_odd(opened: Opened) -> None:
    """One weight, one unit, one iteration."""
    tab = all_open(opened(drawn([1, 1], seed=1), 1))
    tab.run("go(1)")
    tab.settle()
    assert tab.errors == []


def words_in(tab: Browser, *places: str) -> int:
    """Words that stand in these places; a formula counts as one for each of its lines."""
    script = (
        "places.reduce((sum, place) => sum + [...document.querySelectorAll(place)].reduce((all, e) => { const copy ="
        " e.cloneNode(true); for (const each of copy.querySelectorAll('math')) each.replaceWith('formula ');"
        " return all + copy.textContent.trim().split(/\\s+/).length; }, 0), 0)"
    )
    return int(tab.run(script.replace("places.", f"{list(places)}.", 1)))


def test_the_path_to_an_explained_first_gradient(opened: Opened) -> None:
    """The steps of docs/page.md, by mouse and keys: at 100 words a minute, 5 seconds an act, under 3 minutes."""
    tab, words = opened("course", 100), 0
    words += words_in(tab, "header")
    tab.click("button[data-phase=backward]")
    for _ in range(4):
        words += words_in(tab, "#said", "#mathematics")
        tab.key("ArrowRight")
    tab.click(".weight[data-pick=w5]")
    words += words_in(tab, "#derivation h2", "#chain")
    tab.click("#nudge > summary")
    tab.settle()
    said = tab.run("document.getElementById('nudge-lead').textContent")
    assert "w5 from 0.4 to 0.41: the loss moves by 0.000129469, the gradient said 0.000128808." in said
    words += words_in(tab, "#nudge-lead", "#nudge-table", "#nudge-why")
    acts = 1 + 4 + 1 + 1
    assert 100 < words < 250
    assert words / 100 * 60 + acts * 5 < 180
    assert len(tab.run("[...document.querySelectorAll('#chain li')].map(e => e.textContent)")) == 4
    assert tab.errors == []
