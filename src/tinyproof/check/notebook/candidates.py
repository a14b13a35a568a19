"""Lines that may mend a finding, the likeliest first. Which of them does is for `mend` to try."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tinyproof.check.code.interpreter.optimisers import is_optimiser
from tinyproof.check.code.interpreter.values import Made, Map
from tinyproof.check.code.library.modules import tail_of
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook.images_candidates import elsewhere, other_images, plain_transform
from tinyproof.check.notebook.mended_copy import Edit, line_of
from tinyproof.check.notebook.study import Study

_MOST = 6  # candidates on the line of a finding
_MOST_IN_ALL = 14


def candidates(study: Study, finding: Finding) -> list[Edit]:
    """Edits of the line of a finding that may remove it; none for findings in texts and logs."""
    place = finding.place
    if not isinstance(place, CodePlace) or place.line is None:
        return []
    whole = line_of(study, place)
    line = whole.strip()
    if not line or line != finding.says or len(line) > 290:
        return []
    proposed = [finding.should_say] if _is_line(finding.should_say) else []
    makers = _MAKERS.get(finding.rule, ())
    margin = whole[: len(whole) - len(whole.lstrip())]
    for make in makers:
        proposed.extend(make(study, finding, line, margin))
    kept = [Edit(place, line, text) for text in dict.fromkeys(proposed) if text and text != line]
    return [*kept[:_MOST], *_at_other_lines(study, finding)][:_MOST_IN_ALL]


def _at_other_lines(study: Study, finding: Finding) -> list[Edit]:
    """Edits of lines other than the one that the finding names."""
    proposed: Iterator[tuple[CodePlace, str]] = iter(())
    if finding.rule == "evaluates-on-training-data":
        proposed = elsewhere(study, finding)
    elif finding.rule == "likelihood-of-scores":
        proposed = _logarithms(study, finding)
    found: dict[tuple[CodePlace, str], Edit] = {}
    for at, text in proposed:
        line = line_of(study, at).strip()
        if line and text and text != line and at != finding.place:
            found.setdefault((at, text), Edit(at, line, text))
    return list(found.values())


def _logarithms(study: Study, finding: Finding) -> Iterator[tuple[CodePlace, str]]:
    for event in study.events.losses:
        tail = tail_of(event.scores)
        if event.place == finding.place and tail is not None and tail.softmax is not None:
            line = study.line(tail.softmax.place)
            yield tail.softmax.place, re.sub(r"(?<![_\w])softmax\(", "log_softmax(", line)
            yield tail.softmax.place, re.sub(r"(?<![_\w])Softmax\(", "LogSoftmax(", line)


def _is_line(text: str) -> bool:
    return bool(text) and not text.startswith(
        ("divide by", "model.eval()  #", "with torch.no_grad():  #", "torch.manual")
    )


Maker = Callable[[Study, Finding, str, str], Iterator[str]]


def _loaders(study: Study) -> list[str]:
    """Expressions that stand for loaders: names of the notebook, and what the loops go over."""
    names = [n for n, v in study.scope.names.items() if isinstance(v, Made) and v.short.endswith("DataLoader")]
    for name, value in study.scope.names.items():
        held = value.items.values() if isinstance(value, Map) else ()
        if any(isinstance(item, Made) and item.short.endswith("DataLoader") for item in held):
            names.append(f"{name}[")
    gone = [re.sub(r"^(?:enumerate|tqdm|iter)\(([\w.]+).*$", r"\1", turn.text) for turn in study.evaluations]
    return list(dict.fromkeys([*(text for text in gone if re.fullmatch(r"[\w.]+", text)), *names]))


def divisor(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """The number of batches for that of images, or the other way round."""
    if "number of images" in finding.message:
        yield re.sub(r"len\((\w[\w.\[\]'\"]*)\.dataset\)", r"len(\1)", line)
        for loader in _loaders(study):
            if loader.endswith("["):
                yield re.sub(r"len\(\w+\[", f"len({loader}", line)
            else:
                yield re.sub(r"(/=?\s*)(?:len\([^()]*\)|[A-Za-z_][\w.]*|\d[\d_.]*)", rf"\g<1>len({loader})", line)
    else:
        yield re.sub(r"len\((\w[\w\[\]'\"]*)\)", r"len(\1.dataset)", line)


def evaluating(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """eval() of the network right before the loop."""
    names = [name for turn in study.evaluations if turn.place == finding.place for name in _models(study, turn)]
    for name in dict.fromkeys(names):
        yield f"{name}.eval()\n{margin}{line}"


def _models(study: Study, turn: object) -> Iterator[str]:
    for seen in getattr(turn, "seen", []):
        for frame in getattr(turn, "frames", ()):
            yield from (name for name in frame.arguments if re.search(r"model|net|classifier", name, re.IGNORECASE))
            if frame.function.owner is not None:
                yield from (f"self.{n}" for n in getattr(seen.model, "names", []) if n != "self")
        yield from (name for name in getattr(seen.model, "names", []) if name.isidentifier())


def clearing(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """zero_grad() before backward()."""
    for turn in study.trainings:
        for optimiser, _ in turn.steps:
            if is_optimiser(optimiser) and isinstance(optimiser, Made):
                for name in [*(n for frame in turn.frames for n in frame.arguments if "opt" in n), *optimiser.names]:
                    yield f"{name}.zero_grad()\n{margin}{line}"


def shuffling(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """shuffle=True, also where the arguments come from a dict."""
    yield re.sub(r"\*\*\s*(\w+)", r"**{**\1, 'shuffle': True}", line)
    yield re.sub(r"(shuffle\s*=\s*)False", r"\g<1>True", line)
    yield re.sub(r"(DataLoader\([^,()]+)", r"\1, shuffle=True", line, count=1)


def uncounted(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """The figure left as it was counted."""
    found = re.search(r"the set has ([\d,]+) images", finding.message)
    if found:
        yield re.sub(r"(/=?\s*)\d[\d_.]*", rf"\g<1>{found.group(1).replace(',', '')}", line)
    elif "divided" not in finding.message:
        yield f"# {line}"


def width(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """As many outputs as classes."""
    found = re.search(r"gives (\d+) class scores, the data has (\d+)", finding.message)
    if found:
        yield re.sub(rf"(?<![\w.]){found.group(1)}(?![\w.])", found.group(2), line)


_MAKERS: dict[str, tuple[Maker, ...]] = {
    "evaluates-on-training-data": (other_images,),
    "augmented-test-set": (plain_transform,),
    "loss-misnormalised": (divisor,),
    "evaluation-mode": (evaluating,),
    "zero-grad": (clearing,),
    "unshuffled-training": (shuffling,),
    "figure-changed": (uncounted,),
    "output-width": (width,),
}
