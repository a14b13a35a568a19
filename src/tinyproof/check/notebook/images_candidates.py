"""Lines that may put the right images, or the right transform, in place of the wrong ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.values import Made, Map, Object, Value
from tinyproof.check.code.library.image_transforms import random_step, steps_of
from tinyproof.check.code.library.loaders import split_of
from tinyproof.check.code.library.splits import WITH_TRAIN_FLAG, Split
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook.study import Study

_TEST_WORDS = ("test", "val", "valid", "validation", "eval")


def other_images(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """The loader or data set of the right images in place of the wrong ones, on the line of the finding."""
    kind = "train" if "trained on test" in finding.message else "test"
    yield from swapped_names(study, line, kind)
    for name in _data_names(study, line, kind) if "DataLoader(" in line else []:
        yield from _first_argument(line, name)
    for name in sorted(set(re.findall(r"\w+", line))) if kind == "test" else []:
        value = study.scope.names.get(name)
        if isinstance(value, Made) and study.split(value).kind == "train":
            built = _built(study, value)
            if built:
                yield _swapped(line, name, built)


def elsewhere(study: Study, finding: Finding) -> Iterator[tuple[CodePlace, str]]:
    """Other lines at which the images of a measurement are chosen: the data set, the loop, the call around it."""
    for turn, split in _passes(study, finding):
        kind = "train" if turn.trains else "test"
        for place in _places(turn, split):
            line = study.line(place)
            for text in (*_flag(line, kind), *swapped_names(study, line, kind)):
                yield place, text


def _passes(study: Study, finding: Finding) -> list[tuple[Pass, Split]]:
    """The passes that a finding may be about: those that measure, or learn from, what should not be."""
    trains = "trained on test" in finding.message
    turns = study.trainings if trains or "very images" in finding.message else study.evaluations
    wrong = ("test", "mixed", "part") if turns is study.trainings else ("train", "mixed", "part")
    found = [(turn, study.split(turn.loader)) for turn in turns]
    return [(turn, split) for turn, split in found if split.kind in wrong]


def _places(turn: Pass, split: Split) -> Iterator[CodePlace]:
    if split.root is not None:
        yield split.root.place
    if isinstance(turn.loader, Made):
        yield turn.loader.place
    yield turn.place
    yield from (frame.place for frame in turn.frames)


def _flag(line: str, kind: str) -> Iterator[str]:
    """The flag of a data set the other way round."""
    now, then = ("True", "False") if kind == "test" else ("False", "True")
    yield re.sub(rf"train\s*=\s*{now}", f"train={then}", line)
    yield re.sub(rf"((?:MNIST|CIFAR100?|USPS)\([^,()]+,\s*){now}", rf"\g<1>{then}", line)
    yield re.sub(r"(['\"])train(['\"])" if kind == "test" else r"(['\"])test(['\"])", rf"\1{kind}\2", line)


def swapped_names(study: Study, line: str, kind: str) -> Iterator[str]:
    """A name, or the key of a dict, that stands for the other images."""
    if kind == "test":
        for word in _TEST_WORDS:
            yield re.sub(r"(\[['\"])train(?:ing)?(['\"]\])", rf"\1{word}\2", line)
            yield re.sub(r"(?<![A-Za-z])train(?=\w*\s*[,):])", word, line)
    else:
        yield re.sub(r"(\[['\"])(?:test|val)(['\"]\])", r"\1train\2", line)
        yield re.sub(r"(?<![A-Za-z])(?:test|val)(?=\w*\s*[,):])", "train", line)
    made = _arguments_of(line)
    for old in made:
        known = study.scope.names.get(old)
        loaders = isinstance(known, Made) and known.short.endswith("DataLoader")
        for name in _loader_names(study, kind) if loaders else _data_names(study, line, kind):
            if name != old:
                yield _swapped(line, old, name)


def _loader_names(study: Study, kind: str) -> list[str]:
    return [n for n, value in study.scope.names.items() if isinstance(value, Made) and study.split(value).kind == kind]


def _data_names(study: Study, line: str, kind: str) -> list[str]:
    """Data sets of the right images: by what is known of the names, else by how they are made in the same source."""
    known = [
        name
        for name, value in study.scope.names.items()
        if isinstance(value, Made | Object) and split_of(value, study.events.altered).kind == kind
    ]
    flag = "False" if kind == "test" else "True"
    for lines in study.sources.values():
        if any(other.strip() == line for other in lines):
            for other in lines:
                found = re.match(rf"\s*((?:self\.)?\w+)\s*=\s*[\w.]*\w+\(.*train\s*=\s*{flag}", other)
                if found:
                    known.append(found.group(1))
    return list(dict.fromkeys(known))


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
    plain = _plain_transforms(study)
    if plain:
        text = re.sub(r"transform\s*=\s*\w+", f"transform={plain[0]}", text)
    return f"{outer.group(1)}({text}, batch_size=1000)" if "train=False" in text else ""


def _plain_transforms(study: Study) -> list[str]:
    """Expressions that stand for a transform without random steps, those of the test set first."""
    found: list[str] = []
    for name, value in study.scope.names.items():
        if isinstance(value, Map):
            found.extend(f"{name}[{key!r}]" for key, item in value.items.items() if _plain(item))
        elif _plain(value):
            found.append(name)
    return sorted(found, key=lambda name: not any(word in name.lower() for word in _TEST_WORDS))


def _plain(value: Value) -> bool:
    steps = steps_of(value) if isinstance(value, Made) and "transform" in value.path.lower() else None
    return bool(steps) and not any(random_step(step) for step in steps or [])


def plain_transform(study: Study, finding: Finding, line: str, margin: str) -> Iterator[str]:
    """A transform without random steps: another one of the notebook, or this one without them."""
    written = []
    for lines in study.sources.values():
        if any(other.strip() == line for other in lines):
            made = r"\s*((?:self\.)?\w+)\s*=\s*[\w.]*(?:Compose\(|ToTensor\()"
            written = [found.group(1) for found in (re.match(made, other) for other in lines) if found]
    for name in dict.fromkeys([*_plain_transforms(study), *written]):
        yield re.sub(r"(transform\s*=\s*)[\w.]+(?:\[[^\]]*\])?", rf"\g<1>{name}", line)
        yield re.sub(r"((?:True|False),\s*)(?:self\.)?\w+(?:\[[^\]]*\])?(?=\s*[,)])", rf"\g<1>{name}", line)
    yield from _without_steps(line)


def _without_steps(line: str) -> Iterator[str]:
    if re.fullmatch(r"[\w.]+\(.*\),?", line) and "Compose" not in line:
        yield f"pass  # {line}" if ".append(" in line else f"# {line}"  # one step a line: left out
        return
    try:
        tree = ast.parse(line)
    except SyntaxError:
        yield re.sub(r"[\w.]*\.Random\w+\((?:[^()]|\([^()]*\))*\),\s*", "", line)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.List):
            node.elts = [e for e in node.elts if not re.search(r"Random|Jitter|AutoAugment|Rotat", ast.unparse(e))]
    yield ast.unparse(tree)
