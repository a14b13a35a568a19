"""A network as a workbook: LibreOffice, from zeroed caches, computes what torch does."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.backprop import recalculate
from tests.ship.chains import ACTIVATIONS
from torch import nn

import tinyproof
from tinyproof.core.errors import DataError
from tinyproof.core.files import sha256
from tinyproof.data.load import load
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.lines import VerifyOptions
from tinyproof.ship import exported, network_book, office
from tinyproof.ship.card import CARD, card
from tinyproof.ship.front_sheet import Shown
from tinyproof.ship.operations import layers_of, operations
from tinyproof.ship.stage_values import values
from tinyproof.ship.stages import Stage, of_network
from tinyproof.train import store

# What Excel 2010 has, and Excel 97 too.
OLD_FUNCTIONS = {"SUMPRODUCT", "MAX", "AVERAGE", "IF", "INDEX", "MATCH", "EXP"}


def steps_of(module: nn.Module, shape: tuple[int, int, int], classes: int, mean: Any, std: Any) -> list[Stage]:
    layers = layers_of("net", module, shape, classes)
    weights: Mapping[str, NDArray[Any]] = {name: value.numpy() for name, value in module.state_dict().items()}
    return of_network(operations(layers, weights), shape, np.array(mean), np.array(std))


def settled(module: nn.Module) -> nn.Module:
    """Norms with statistics of their own, factors of both signs."""
    generator = torch.Generator().manual_seed(3)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            size = part.num_features
            part.running_mean, part.running_var = torch.randn(size, generator=generator), torch.rand(size) + 0.5
            part.weight.data = torch.randn(size, generator=generator)
            part.bias.data = torch.randn(size, generator=generator)
    return module.eval()


def theirs(module: nn.Module, images: NDArray[np.uint8], mean: Any, std: Any) -> NDArray[np.float64]:
    """Torch in float64."""
    wide = (torch.tensor(part, dtype=torch.float64)[:, None, None] for part in (mean, std))
    centre, spread = wide
    with torch.inference_mode():
        found = module.double()((torch.from_numpy(images).double() / 255 - centre) / spread)
    return np.asarray(found)


def shown(images: NDArray[np.uint8], classes: int) -> Shown:
    names = tuple(f"=class <{number}>" for number in range(classes))
    labels = np.arange(len(images)) % classes
    return Shown("A network", images, labels, names, ("It is a trial.",), False)


# One of everything: colour, padding after a norm, a norm that stays before a maximum, leaky ReLU, linear over maps.
def odd() -> nn.Module:
    torch.manual_seed(1)
    return settled(nn.Sequential(
        nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.LeakyReLU(0.1), nn.BatchNorm2d(4),
        nn.MaxPool2d(3, 2, padding=1), nn.Conv2d(4, 3, (3, 1), stride=(1, 2), padding=(2, 0)), nn.ReLU(),
        nn.BatchNorm2d(3), nn.Conv2d(3, 5, 1), nn.AvgPool2d(2, 1), nn.Flatten(), nn.BatchNorm1d(5 * 6 * 1),
        nn.ReLU(), nn.Linear(5 * 6 * 1, 6), nn.ReLU(), nn.BatchNorm1d(6), nn.Linear(6, 4),
    ))  # fmt: skip


# Groups (each map by itself, and several), dilation (padded after a norm, too), each activation.
def grouped() -> nn.Module:
    torch.manual_seed(2)
    acts = [make() for make in ACTIVATIONS.values()]
    return settled(nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, groups=3), acts[0], nn.BatchNorm2d(6), acts[1],
        nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.BatchNorm2d(6), acts[2],
        nn.BatchNorm2d(6), nn.Conv2d(6, 4, (2, 3), stride=(2, 1), padding=(1, 3), dilation=(3, 2), groups=2), acts[3],
        nn.Conv2d(4, 4, 1, groups=2), acts[4], nn.AvgPool2d(2), acts[5], nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(4, 6, 1, groups=2), acts[6], nn.Flatten(), nn.Linear(6, 6), acts[7], nn.Linear(6, 6), acts[8],
        nn.Linear(6, 4),
    ))  # fmt: skip


STATISTICS = ([0.4, 0.5, 0.6], [0.2, 0.3, 0.25])


def odd_images() -> NDArray[np.uint8]:
    return np.random.default_rng(2).integers(0, 256, (3, 3, 9, 8), dtype=np.uint8)


def as_built() -> tuple[nn.Module, NDArray[np.uint8]]:
    module, images = odd(), odd_images()
    size = module[:10](torch.zeros(1, 3, 9, 8)).shape  # type: ignore[index]
    assert size[1:] == (5, 6, 1), size
    return module, images


def test_the_steps_compute_what_torch_does() -> None:
    module, images = as_built()
    found = [values(steps_of(module, (3, 9, 8), 4, *STATISTICS), image)[-1].ravel() for image in images]
    assert np.allclose(found, theirs(module, images, *STATISTICS), rtol=0, atol=1e-9)


def test_groups_dilation_and_activations_are_steps_and_formulas(libreoffice: str) -> None:
    module, images = grouped(), odd_images()
    steps, wanted = steps_of(module, (3, 9, 8), 4, *STATISTICS), theirs(module, images, *STATISTICS)
    found = [values(steps, image)[-1].ravel() for image in images]
    assert np.allclose(found, wanted, rtol=0, atol=1e-9)
    assert {step.function for step in steps} == {"", *ACTIVATIONS}
    content = network_book.workbook_bytes(steps, shown(images, 4), "net")
    assert np.abs(office.scores(libreoffice, content, 3, 4) - wanted).max() < 1e-6


def test_libreoffice_computes_every_kind_of_layer(tmp_path: Path, libreoffice: str) -> None:
    module, images = as_built()
    steps = steps_of(module, (3, 9, 8), 4, *STATISTICS)
    assert {step.kind for step in steps} == {"conv", "affine", "rectify", "max_pool", "avg_pool"}
    content = network_book.workbook_bytes(steps, shown(images, 4), "net")
    found = office.scores(libreoffice, content, 3, 4)
    assert np.abs(found - theirs(module, images, *STATISTICS)).max() < 1e-6


@pytest.fixture(scope="module")
def workbook(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("book") / "run"))
    tinyproof.export(folder, to="xlsx")
    return folder / "export-xlsx" / network_book.FILE


def test_libreoffice_computes_the_ten_pictures_of_fast_to_one_millionth(workbook: Path, libreoffice: str) -> None:
    data, run = load("digits"), workbook.parent.parent
    numbers = network_book.chosen(data.test_labels)
    assert [int(data.test_labels[number]) for number in numbers] == list(range(10))
    again = recompute.restored(VerifyOptions(True, None, None, ()), run, store.load(run))
    wanted = theirs(again.module.eval(), data.test_images[numbers], *([float(part)] for part in (data.mean, data.std)))
    found = office.scores(libreoffice, workbook.read_bytes(), 10, 10)
    found = found - np.log(np.exp(found).sum(1, keepdims=True))
    assert np.abs(found - wanted).max() < 1e-6
    record = exported.load(workbook.parent)
    assert (record.test_count, record.images, record.changed) == (10, tuple(numbers), 0)
    assert record.runner.startswith("LibreOffice ")


def test_every_cached_value_is_what_libreoffice_computes(workbook: Path, tmp_path: Path, libreoffice: str) -> None:
    (again,) = recalculate.zeroed_and_recalculated(libreoffice, [workbook], tmp_path)
    count, wrong = recalculate.differences(workbook, again)
    assert (count, wrong) == (784 + 6736 + 2 * 10 + 2, [])


def test_the_workbook_is_small_and_its_functions_are_old(workbook: Path) -> None:
    assert workbook.stat().st_size <= 1_000_000
    formulas = [formula for formula, _ in recalculate.formula_cells(workbook).values()]
    used = {name for formula in formulas for name in re.findall(r"([A-Z][A-Z.0-9]*)\(", formula)}
    assert used == OLD_FUNCTIONS


def test_the_painted_picture_is_computed_where_0_is_chosen(workbook: Path, tmp_path: Path, libreoffice: str) -> None:
    """Nothing is painted: the scores are those of an empty picture."""
    (tmp_path / "own.xlsx").write_bytes(office.with_choice(workbook.read_bytes(), 0))
    (again,) = recalculate.recalculated(libreoffice, [tmp_path / "own.xlsx"], tmp_path / "done")
    run = workbook.parent.parent
    restored = recompute.restored(VerifyOptions(True, None, None, ()), run, store.load(run))
    statistics = ([float(part)] for part in (restored.dataset.mean, restored.dataset.std))
    wanted = np.exp(theirs(restored.module.eval(), np.zeros((1, 1, 28, 28), np.uint8), *statistics))[0]
    cells = recalculate.formula_cells(again)
    found = [float(cells[f"sheet1.xml!C{row}"][1]) for row in range(8, 18)]
    assert np.abs(np.array(found) - wanted).max() < 1e-6
    assert cells["sheet1.xml!C3"][1] == "painted by you"


def test_the_same_network_gives_the_same_bytes_and_a_changed_weight_is_seen() -> None:
    module, images = as_built()
    steps = steps_of(module, (3, 9, 8), 4, *STATISTICS)
    one, other = (network_book.workbook_bytes(steps, shown(images, 4), "net") for _ in range(2))
    assert one == other
    steps[0].bias.flat[0] += 1e-6
    changed = network_book.workbook_bytes(steps, shown(images, 4), "net")
    assert network_book.same_workbook(one, other)
    assert not network_book.same_workbook(one, changed)
    assert not network_book.same_workbook(one, b"no workbook")


def rewritten(path: Path, change: tuple[bytes, bytes]) -> bytes:
    target = path.with_name("changed.xlsx")
    recalculate.rewrite(path, target, lambda name, part: part.replace(*change) if name.endswith("sheet1.xml") else part)
    return target.read_bytes()


def test_packing_and_rounding_make_no_other_workbook_but_a_number_does(workbook: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(workbook, tmp_path / "copy.xlsx"))
    content = copy.read_bytes()
    with zipfile.ZipFile(copy) as file:
        sheet = file.read("xl/worksheets/sheet1.xml")
    cached = re.findall(rb"</f><v>(0\.\d{9,})</v>", sheet)[0]
    near, far = (b"%.17g" % (float(cached) + add) for add in (1e-13, 1e-3))
    assert network_book.same_workbook(rewritten(copy, (b"nothing", b"nothing")), content)
    assert network_book.same_workbook(rewritten(copy, (cached, near)), content)
    assert not network_book.same_workbook(rewritten(copy, (cached, far)), content)
    assert not network_book.same_workbook(rewritten(copy, (b"MATCH(", b"INDEX(")), content)


def test_names_of_classes_are_text(libreoffice: str) -> None:
    module, images = as_built()
    content = network_book.workbook_bytes(steps_of(module, (3, 9, 8), 4, *STATISTICS), shown(images, 4), "net")
    with zipfile.ZipFile(__import__("io").BytesIO(content)) as file:
        sheet = file.read("xl/worksheets/sheet1.xml")
    assert b"<t>=class &lt;0&gt;</t>" in sheet
    assert b"<f>class" not in sheet


def test_a_network_too_large_for_a_workbook_is_refused_in_one_line() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 600), nn.ReLU(), nn.Linear(600, 10)).eval()
    steps = steps_of(module, (1, 28, 28), 10, [0.1], [0.3])
    images = np.zeros((1, 1, 28, 28), np.uint8)
    with pytest.raises(DataError, match=r"^net: needs a workbook of 4[\d,]+ cells.*onnx, torch and html") as caught:
        network_book.workbook_bytes(steps, shown(images, 10), "net")
    assert "\n" not in str(caught.value)
    wide = nn.Sequential(nn.Conv2d(1, 250, 3), nn.Conv2d(250, 2, 2), nn.Flatten(), nn.Linear(2 * 9, 3)).eval()
    with pytest.raises(DataError, match="needs a formula of"):
        network_book.workbook_bytes(steps_of(wide, (1, 6, 6), 3, [0.1], [0.3]), shown(images[..., :6, :6], 3), "net")


def test_answers_to_other_test_images_than_its_own_are_found(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record names other images, with the right answers to those."""
    folder = Path(shutil.copytree(workbook.parent.parent, tmp_path / "run"))
    place, answers = folder / "export-xlsx", store.load_predictions(folder)
    others = tuple(range(100, 110))
    theirs = exported.part(answers, others)
    with (place / exported.ANSWERS).open("wb") as file:
        np.savez_compressed(file, **theirs.arrays())
    record = replace(
        exported.load(place), images=others, answers=theirs.digest, correct=theirs.correct, changed=0,
        largest_difference=0.0, card="",
    )  # fmt: skip
    (place / CARD).write_text(card(store.load(folder), record))
    record = replace(record, card=sha256(place / CARD))
    (place / exported.RECORD).write_text(record.to_json())
    monkeypatch.setattr(office, "scores", lambda *rest: np.zeros((10, 10)))
    wrong = [line for line in tinyproof.verify(folder).lines if line.holds is False]
    assert [(line.what, line.found) for line in wrong] == [
        ("the exported files give these answers", "it answered other test images than those in it")
    ]
