"""The address of a moment: it opens the page there, the page keeps it, and nothing hostile in it does harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tinyproof.backprop.presets import preset

from .browser import Browser
from .test_page_keyboard import where
from .test_page_numbers import wrong_numbers

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
LATER = "new Promise(done => setTimeout(() => done(location.hash), 700))"


def follow(tab: Browser, link: str) -> None:
    """Load the page that is open again, with another part after the #."""
    address = tab.run("location.href.split('#')[0]")
    tab.go("about:blank")
    tab.go(f"{address}#{link}")


def test_a_link_opens_the_moment_with_the_changes(opened: Opened) -> None:
    tab = opened("course", 30)
    follow(tab, "iteration=12&step=20&weight=w5&learning_rate=2&t1=0.25")
    assert where(tab) == "12/20"
    assert tab.run("document.getElementById('picked').value") == "w5"
    assert tab.run("document.querySelectorAll('.net.across .weight.picked').length") == 1
    assert tab.run("document.querySelector('[data-given=t1]').value") == "0.25"
    net = preset("course").with_rate(2.0)
    net = replace(net, examples=(replace(net.examples[0], targets=(0.25, 0.5)),))
    assert wrong_numbers(tab, net, 12, 30) == []
    assert tab.errors == []


def test_the_page_keeps_its_link(opened: Opened) -> None:
    tab = opened("xor", 30)
    assert tab.run(LATER) == ""
    tab.key("ArrowRight", 2)
    tab.type('[data-given="w1"]', "0.125")
    tab.run("showExample(3); pick('w6'); go(4, 2)")
    link = tab.run(LATER)
    assert link == "#iteration=4&step=2&example=3&weight=w6&w1=0.125"
    follow(tab, link[1:])
    assert where(tab) == "4/2"
    assert tab.run("document.getElementById('example').value") == "3"
    assert tab.run(LATER) == link
    tab.click("#reset")
    tab.run("showExample(1); pick('w6')")
    assert tab.run(LATER) == ""
    assert tab.errors == []


@pytest.mark.parametrize(
    "link",
    [
        "iteration=-5&step=9999999",
        "iteration=NaN&step=abc&weight=nosuch&example=99&w1=Infinity&nosuch=3",
        "iteration=1e999&step=0.5&example=1.5&w1=",
        "w1=%3Cscript%3Ealert(1)%3C/script%3E&weight=%3Cimg%20src=x%3E&__proto__=1&constructor=2",
        "%%%&&&===",
    ],
)
def test_a_hostile_link_does_no_harm(opened: Opened, link: str) -> None:
    tab = opened("course", 30)
    follow(tab, link)
    assert tab.errors == []
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.run("edits().length") == 0
    assert tab.run("document.querySelectorAll('.weight.picked').length") == 0
    iteration, done = map(int, where(tab).split("/"))
    assert 1 <= iteration <= 30
    assert 0 <= done <= tab.run("stepsOf(1).length")
