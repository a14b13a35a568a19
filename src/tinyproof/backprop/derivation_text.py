"""A derivation as text: for the terminal (Unicode), as Markdown, as a LaTeX document, as HTML with MathML."""

from __future__ import annotations

import html
from collections.abc import Callable

from tinyproof.backprop.derivation import DIGITS, Derivation, Line, Step
from tinyproof.backprop.descriptions import named
from tinyproof.backprop.expr import Expr, Num, Var
from tinyproof.backprop.mathematics import BREAK, BreakableMathML, LaTeX, MathML
from tinyproof.backprop.notation import Unicode

# A line as its pieces: what stands on the left, the sign before each right side, the right sides.
Sides = tuple[str, list[tuple[str, str]]]


def title(derivation: Derivation) -> str:
    """One line: which network, which rate, which iteration."""
    net = derivation.net
    return f"{net.title or net.name}; learning rate {derivation.rate:g}{named(net)}, iteration {derivation.iteration}"


def heading(step: Step) -> str:
    """`Step 3. Back to the hidden activations`."""
    return step.title if step.number is None else f"Step {step.number}. {step.title}"


def _sides(line: Line, write: Callable[[Expr], str], equal: str, becomes: str) -> Sides:
    value = Num(float(f"{line.value:.{DIGITS}g}"))
    rights = [line.chain, line.symbols, line.numbers, value]
    shown = list(dict.fromkeys(write(right) for right in rights if right is not None))
    signs = [becomes if line.becomes else equal, *[equal] * (len(shown) - 1)]
    return write(Var(line.name)), list(zip(signs, shown, strict=True))


def terminal(derivation: Derivation) -> str:
    """For a terminal: one right side a line, under one another."""
    out = [title(derivation)]
    for step in derivation.steps:
        out += ["", heading(step), "  " + step.words]
        for line in step.lines:
            left, rights = _sides(line, Unicode(), "=", "←")
            lead = " " * (2 + len(left))
            short = " ".join(f"{sign} {right}" for sign, right in rights)
            if len(short) + len(lead) <= 110:
                out.append(f"  {left} {short}")
            else:
                out.append(f"  {left} {rights[0][0]} {rights[0][1]}")
                out += [f"{lead} {sign} {right}" for sign, right in rights[1:]]
    return "\n".join(out) + "\n"


def markdown(derivation: Derivation) -> str:
    """Markdown with mathematics between dollar signs, as GitHub and notebooks show it."""
    out = ["# " + html.escape(title(derivation), quote=False)]
    for step in derivation.steps:
        out += ["", "## " + heading(step), "", step.words]
        for line in step.lines:
            out += ["", "$$", _aligned(line), "$$"]
    return "\n".join(out) + "\n"


def latex(derivation: Derivation) -> str:
    """A LaTeX document of its own (article, amsmath)."""
    out = [r"\documentclass{article}", r"\usepackage{amsmath}", r"\usepackage[a4paper,margin=20mm]{geometry}"]
    out += [r"\allowdisplaybreaks", r"\begin{document}", rf"\section*{{{_tex(title(derivation))}}}"]
    for step in derivation.steps:
        out += [rf"\subsection*{{{_tex(heading(step))}}}", _tex(step.words)]
        for line in step.lines:
            out += [
                r"\begin{equation*}",
                r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{$\displaystyle",
            ]
            out += [_aligned(line), r"$}", r"\end{equation*}"]
    return "\n".join([*out, r"\end{document}"]).replace(r"\begin{document}", _PACKAGE, 1) + "\n"


_PACKAGE = "\\usepackage[T1]{fontenc}\n\\usepackage{graphicx}\n\\begin{document}"


def _aligned(line: Line) -> str:
    left, rights = _sides(line, LaTeX(), "=", r"\leftarrow")
    body = " \\\\\n".join(f"&{sign} {right}" for sign, right in rights)
    return f"\\begin{{aligned}}\n{left} {body}\n\\end{{aligned}}"


_TEX = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "<": r"\textless{}", ">": r"\textgreater{}",
        "σ": r"$\sigma$", "η": r"$\eta$", "∂": r"$\partial$", "−": "$-$", "·": r"$\cdot$", "×": r"$\times$",
        "μ": r"$\mu$", "α": r"$\alpha$", "β": r"$\beta$", "ε": r"$\varepsilon$",
        "½": r"$\tfrac12$", "²": "$^2$", "…": r"\dots{}", "’": "'", "‘": "`", "“": "``", "”": "\'\'", "–": "--",
        "—": "---"}  # fmt: skip


def _tex(text: str) -> str:
    """Text for LaTeX; what its usual fonts lack (they have Latin letters) becomes a question mark."""
    return "".join(_TEX.get(c, c if c.isprintable() and ord(c) < 0x180 else "?") for c in text)


def sections(derivation: Derivation) -> str:
    """HTML: a `<section>` a step, its lines as MathML, which browsers show without a network."""
    out = []
    for step in derivation.steps:
        out.append(f"<section><h2>{html.escape(heading(step))}</h2><p>{html.escape(step.words)}</p>")
        out += [f'<div class="scroll line">{math(line)}</div>' for line in step.lines]
        out.append("</section>")
    return "\n".join(out)


LONG = 64  # signs of a right side that one line holds, on a page of paper too


def math(line: Line) -> str:
    """One line as a `<math>` element, its right sides under one another; long ones in pieces that wrap."""
    sides = _sides(line, Unicode(), "=", "←")[1]
    return _wrapping(line) if max(len(right) for _, right in sides) > LONG else _one_element(line)


def _wrapping(line: Line) -> str:
    writer = BreakableMathML()
    left, rights = _sides(line, lambda expr: BREAK.join(writer.pieces(expr)), "=", "←")
    rows = []
    for k, (sign, right) in enumerate(rights):
        start = f"<mrow>{left if k == 0 else ''}<mo>{sign}</mo></mrow>"
        math = "".join(f'<math displaystyle="true">{piece}</math>' for piece in (start, *right.split(BREAK)))
        hanging = "3rem; text-indent:-3rem" if k == 0 else "4rem; text-indent:-1rem"
        rows.append(f'<div style="margin:.3rem 0 .3rem {hanging}">{math}</div>')
    return "".join(rows)


def _one_element(line: Line) -> str:
    left, rights = _sides(line, MathML(), "=", "←")
    rows = []
    for k, (sign, right) in enumerate(rights):
        cells = (f"<mrow>{left}</mrow>" if k == 0 else "", f"<mo>{sign}</mo>", f"<mrow>{right}</mrow>")
        aligned = zip(("right", "center", "left"), cells, strict=True)
        rows.append("<mtr>" + "".join(f'<mtd style="text-align:{a}">{c}</mtd>' for a, c in aligned) + "</mtr>")
    return f'<math display="block"><mtable displaystyle="true">{"".join(rows)}</mtable></math>'
