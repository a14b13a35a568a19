"""Lines that may mend a finding, the likeliest first. Which of them does is for `mend` to try."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook.interpreter.values import Made, Object, Value, is_optimiser
from tinyproof.check.notebook.library.image_transforms import random_step, steps_of
from tinyproof.check.notebook.library.loaders import WITH_TRAIN_FLAG, split_of
from tinyproof.check.notebook.mended_copy import Edit, line_of
from tinyproof.check.notebook.study import Study

_MOST = 6  # candidates for one finding


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
    kept = [text for text in dict.fromkeys(proposed) if text and text != line]
    return [Edit(place, line, text) for text in kept[:_MOST]]


def _is_line(text: str) -> bool:
    return bool(text) and not text.startswith(
        ("divide by", "model.eval()  #", "with torch.no_grad():  #", "torch.manual")
    )


Maker = Callable[[Study, Finding, str, str], Iterator[str]]


def _names(study: Study, wanted: Callable[[Value], bool]) -> list[str]:
    return [name for name, value in study.scope.names.items() if wanted(value)]


def _gives(study: Study, kind: str) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, Made) and study.split(value).kind == kind


def _holds(study: Study, kind: str) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, Made | Object) and split_of(value, study.events.altered).kind == kind


def other_images(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """The loader or data set of the right images in place of the wrong ones."""
    kind = "train" if "trained on test" in finding.message else "test"
    wrong = "test" if kind == "train" else "train"
    loaders, sets = _names(study, _gives(study, kind)), _names(study, _holds(study, kind))
    made = _arguments_of(line)
    for old in made:
        is_loader = study.scope.names.get(old)
        right = loaders if isinstance(is_loader, Made) and is_loader.short.endswith("DataLoader") else sets
        for name in right:
            yield _swapped(line, old, name)
    for name in sets if "DataLoader(" in line else []:
        yield from _first_argument(line, name)
    for name in sorted(set(re.findall(r"\w+", line))):
        value = study.scope.names.get(name)
        if isinstance(value, Made) and study.split(value).kind == wrong and kind == "test":
            built = _built(study, value)
            if built:
                yield _swapped(line, name, built)


def _arguments_of(line: str) -> list[str]:
    """The names that a line gives to calls."""
    try:
        tree = ast.parse(line)
    except SyntaxError:
        return re.findall(r"[(,=]\s*([A-Za-z_]\w*)\s*(?=[,)])", line)
    return [a.id for n in ast.walk(tree) if isinstance(n, ast.Call) for a in n.args if isinstance(a, ast.Name)]


def _swapped(line: str, old: str, new: str) -> str:
    head, equals, rest = line.partition("=") if re.match(r"[\w.]+\s*=[^=]", line) else ("", "", line)
    return head + equals + re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", lambda _: new, rest)


def _first_argument(line: str, name: str) -> Iterator[str]:
    """The line with another first argument of the DataLoader."""
    try:
        tree = ast.parse(line)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("DataLoader") and node.args:
            first = node.args[0]
            yield line[: first.col_offset] + name + line[first.end_col_offset :]


def _built(study: Study, loader: Made) -> str:
    """A loader of the test set, written out, from the lines that make the loader and its data set."""
    root = study.split(loader).root
    if not isinstance(root, Made) or root.short not in WITH_TRAIN_FLAG:
        return ""
    data, made = study.line(root.place), study.line(loader.place)
    call = re.search(r"[\w.]*" + re.escape(root.short) + r"\(.*\)", data)
    outer = re.match(r"\w+\s*=\s*([\w.]*DataLoader)\(", made)
    if call is None or outer is None or call.group().count("(") != call.group().count(")"):
        return ""
    text = re.sub(r"train\s*=\s*True", "train=False", call.group())
    for name, value in study.scope.names.items():
        steps = steps_of(value) if isinstance(value, Made) and "transforms" in value.path else None
        if steps and not any(random_step(step) for step in steps):
            text = re.sub(r"transform\s*=\s*\w+", f"transform={name}", text)
            break
    return f"{outer.group(1)}({text}, batch_size=1000)" if "train=False" in text else ""


def plain_transform(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """A transform without random steps: another one of the notebook, or this one without them."""
    plain = []
    for name, value in study.scope.names.items():
        steps = steps_of(value) if isinstance(value, Made) and "transform" in value.path.lower() else None
        if steps and not any(random_step(step) for step in steps):
            plain.append(name)
    for name in sorted(plain, key=lambda name: "test" not in name and "val" not in name):
        yield re.sub(r"(transform\s*=\s*)[\w.\[\]'\"]+", rf"\g<1>{name}", line)
    yield from _without_steps(line)


def _without_steps(line: str) -> Iterator[str]:
    if re.fullmatch(r"[\w.]+\(.*\),?", line) and "Compose" not in line:
        yield f"# {line}"  # one step a line: left out
    try:
        tree = ast.parse(line)
    except SyntaxError:
        yield re.sub(r"[\w.]*\.Random\w+\((?:[^()]|\([^()]*\))*\),\s*", "", line)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.List):
            node.elts = [e for e in node.elts if not re.search(r"Random|Jitter|AutoAugment|Rotat", ast.unparse(e))]
    yield ast.unparse(tree)


def divisor(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """The number of batches for that of images, or the other way round."""
    if "number of images" in finding.message:
        yield re.sub(r"len\((\w[\w.\[\]'\"]*)\.dataset\)", r"len(\1)", line)
        for loader in _names(study, lambda v: isinstance(v, Made) and v.short.endswith("DataLoader")):
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
    else:
        yield f"# {line}"


def width(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """As many outputs as classes."""
    found = re.search(r"gives (\d+) class scores, the data has (\d+)", finding.message)
    if found:
        yield re.sub(rf"(?<![\w.]){found.group(1)}(?![\w.])", found.group(2), line)


def seeding(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """A seed before the training."""
    if "torch" in study.scope.names:
        yield f"torch.manual_seed(1)\n{margin}{line}"


_MAKERS: dict[str, tuple[Maker, ...]] = {
    "evaluates-on-training-data": (other_images,),
    "augmented-test-set": (plain_transform,),
    "loss-misnormalised": (divisor,),
    "evaluation-mode": (evaluating,),
    "zero-grad": (clearing,),
    "unshuffled-training": (shuffling,),
    "figure-changed": (uncounted,),
    "output-width": (width,),
    "no-seed": (seeding,),
}
