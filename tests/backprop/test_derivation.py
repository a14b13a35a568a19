"""The derivation: the course's six steps, every line's equality, every value against torch; and how it is written."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from tinyproof.api.derive import derivation_text
from tinyproof.backprop.derivation import Derivation, derive
from tinyproof.backprop.derivation_text import latex, markdown, sections, terminal
from tinyproof.backprop.equations import forward
from tinyproof.backprop.expr import evaluate, names
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.toml import from_toml
from tinyproof.backprop.trace import trace
from tinyproof.core.errors import InputError

from .nets import nets
from .oracles import torch_answer


def test_the_course_network_has_its_six_steps() -> None:
    titles = [(step.number, step.title) for step in derive("course").steps]
    assert titles == [
        (None, "Forward"),
        (1, "From E_total to w5"),
        (2, "To the output layer: w5..w8"),
        (3, "Back to the hidden activations"),
        (4, "Through the hidden activations"),
        (5, "To w1..w4"),
        (6, "w1..w4 written out"),
        (None, "Update"),
    ]


def assert_every_line_holds(derivation: Derivation) -> None:
    """Chain rule, symbols and value of each line agree, with local derivatives taken by central differences."""
    net = derivation.net
    equations = {e.name: e.expr for e in forward(net)}
    known = {**derivation.values, "learning_rate": derivation.rate, "dE/dE_total": 1.0}
    known |= {
        line.name: line.value for step in derivation.steps for line in step.lines if line.name.startswith("dE/dE")
    }

    def local(name: str) -> float:
        top, bottom = (part[1:] for part in name.split("/"))
        step = 1e-6 * max(1.0, abs(known[bottom]))
        up, down = (evaluate(equations[top], known | {bottom: known[bottom] + s}) for s in (step, -step))
        return float((up - down) / (2 * step))

    for step in derivation.steps:
        for line in step.lines:
            assert line.value == pytest.approx(evaluate(line.symbols, known), rel=1e-13, abs=1e-300)
            if line.numbers is not None:
                assert evaluate(line.numbers, {}) == pytest.approx(line.value, rel=1e-2, abs=2e-5)
            if line.chain is not None:
                names = set(re.findall(r"name='([^']+)'", repr(line.chain)))
                factors = {n: known[n] if n in known else local(n) for n in names}
                assert evaluate(line.chain, known | factors) == pytest.approx(line.value, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", ["course", "worked-example", "xor", "softmax", "deep"])
def test_every_line_holds(name: str) -> None:
    assert_every_line_holds(derive(name, 3))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(nets())
def test_every_gradient_of_random_networks_is_torchs(net: Net) -> None:
    derivation = derive(net)
    answer = torch_answer(net, net.parameters, None if net.together else 0)
    found = {line.name: line.value for step in derivation.steps for line in step.lines if not line.becomes}
    for name in net.trained:
        assert found[f"dE/d{name}"] == pytest.approx(answer.gradients[name], rel=1e-11, abs=1e-13)
    updates = {line.name: line.value for step in derivation.steps for line in step.lines if line.becomes}
    assert updates.keys() == set(net.trained)


def test_the_chosen_iteration_is_the_traces() -> None:
    derivation, row = derive("course", 40, 2.0), trace("course", 40, rate=2.0).row(40)
    for step in derivation.steps[:-1]:
        for line in step.lines:
            if line.name in row:
                assert line.value == pytest.approx(row[line.name], rel=1e-12)


def test_terminal_text() -> None:
    text = terminal(derive("course"))
    assert "Step 3. Back to the hidden activations\n" in text
    assert "  ∂E/∂a_o1 = ∂E/∂E1·∂E1/∂a_o1 = a_o1 − t1 = 0.606478 − 0.5 = 0.106478\n" in text
    assert "  w5 ← w5 − η·∂E/∂w5 = 0.4 − 0.5·0.0128808 = 0.39356\n" in text


@pytest.mark.parametrize("name", PRESETS)
def test_latex_and_markdown_are_balanced(name: str) -> None:
    for text in (latex(derive(name)), markdown(derive(name))):
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
        assert text.count(r"\left(") == text.count(r"\right)")
        assert len(re.findall(r"\\begin\{(\w+)\}", text)) == len(re.findall(r"\\end\{(\w+)\}", text))
        assert not re.search(r"\d[eE][-+]?\d", text)
        assert text.count("$$") % 2 == 0


def test_titles_cannot_break_out_of_the_markup() -> None:
    net = from_toml(
        'title = "<script>alert(1)</script> 100% _x_ {y}"\n'
        + derivation_text(derive("course"), "toml").split("\n", 2)[2]
    )
    assert r"100\% \_x\_ \{y\}" in latex(derive(net))
    assert "<script>" not in markdown(derive(net))
    assert "<script>alert" not in derivation_text(derive(net), "html")


@pytest.mark.parametrize("name", PRESETS)
def test_mathml_is_well_formed(name: str) -> None:
    root = ET.fromstring("<div>" + sections(derive(name)).replace("&#160;", " ") + "</div>")
    assert len(root.findall(".//div[@class='scroll line']")) == sum(len(step.lines) for step in derive(name).steps)
    assert all(line.find(".//math") is not None for line in root.findall(".//div[@class='scroll line']"))


def test_toml_is_the_network() -> None:
    assert from_toml(derivation_text(derive("deep"), "toml")) == preset("deep")


@pytest.mark.oracle("Chromium")
def test_the_page_shows_without_a_network(tmp_path: Path, chromium: str) -> None:
    """Headless: the page renders, its formulas have a size, and nothing is fetched."""
    page = tmp_path / "derivation.html"
    probe = (
        "<script>document.body.style.width='700px';"
        "const boxes=e=>[...e.querySelectorAll('math')].map(f=>f.getBoundingClientRect());"
        "const m=[...document.querySelectorAll('.line')].map(boxes),end=document.body.getBoundingClientRect().right;"
        "document.title='formulas '+m.length+' shown '+m.filter(l=>l.some(r=>r.width>20&&r.height>10)).length"
        "+' cut '+m.flat().filter(r=>r.right>end).length</script></body>"
    )
    page.write_text(derivation_text(derive("course"), "html").replace("</body>", probe), encoding="utf-8")
    assert not re.search(r"(src|href)=\"?https?:", page.read_text(encoding="utf-8"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    options += ["--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run([chromium, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    lines = sum(len(step.lines) for step in derive("course").steps)
    assert f"<title>formulas {lines} shown {lines} cut 0</title>" in done.stdout


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: derive("course", 0), "iterations: 0 is not allowed; allowed: a whole number from 1"),
        (lambda: derive("relu", 2000, 5.0), "iteration: 2000 is not allowed; allowed: a whole number from 1 to "),
        (
            lambda: derive(drawn([60, 60, 10], 1)),
            "network: 'about 12,880 lines' is not allowed; allowed: at most 5,000",
        ),
    ],
)
def test_what_cannot_be_derived(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(message)


TITLES = {"signs": "100 % _x_ {y} & <a> ~^\\\\ σ ½ ’é", "letters that LaTeX lacks": "Сеть 网 \\u202e"}


@pytest.mark.parametrize("name", [*PRESETS, *TITLES])
def test_latex_compiles_and_says_nothing_of_missing_letters(name: str, pdflatex: str, tmp_path: Path) -> None:
    net = replace(preset("course"), title=TITLES[name]) if name in TITLES else preset(name)
    (tmp_path / "steps.tex").write_text(latex(derive(net)), encoding="utf-8")
    call = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "steps.tex"]
    ended = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=120, errors="replace")
    assert ended.returncode == 0, ended.stdout[-2000:]
    assert (tmp_path / "steps.pdf").stat().st_size > 10_000
    for word in ("Missing character", "Overfull", "undefined"):
        assert word not in ended.stdout, word


@pytest.mark.parametrize("name", PRESETS)
def test_of_one_weight_only_what_leads_to_it(name: str) -> None:
    net = preset(name)
    for weight in (net.trained[0], net.trained[-1]):
        found, whole = derive(net, weight=weight), derive(net)
        lines = [line for step in found.steps[1:] for line in step.lines]
        known = {line.name for step in whole.steps for line in step.lines}
        assert {line.name for line in lines} & {f"dE/d{one}" for one in net.trained} == {f"dE/d{weight}"}
        assert [line.name for line in lines if line.becomes] == [weight]
        for line in lines:  # everything that a line stands on is there
            for side in (line.symbols, line.chain):
                needed = {n for n in names(side) if n.startswith("dE/")} & known if side is not None else set()
                assert needed <= {one.name for one in lines}
        (value,) = {line.value for line in lines if line.name == f"dE/d{weight}"}
        assert value == derive(net).values[f"dE/d{weight}"]
        assert [step.number for step in found.steps[1:-1]] == list(range(1, len(found.steps) - 1))
    with pytest.raises(InputError, match="w1"):
        derive(net, weight="w999")
