"""Figures on whole arrays by which something is chosen, and losses that are added up before anything learns."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged
from .test_whole_arrays import DESCENT, PARTS, TABLE

SPLIT = PARTS.removesuffix(DESCENT)
EPOCHS = """best, kept = 1e9, []
falling = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
for epoch in range(9):
    net.train()
    loss = criterion(net(a), c)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        told = criterion(net(b), d).item()
    CHOICE
"""
LOOP = SPLIT + EPOCHS
SETTINGS = (
    TABLE
    + """from sklearn.linear_model import Ridge
def rmse(truth, guesses):
    return np.sqrt(np.mean((truth - guesses) ** 2))
a, b, c, d = train_test_split(x, y)
best = 1e9
for k in [.1, 1, 10]:
    model = Ridge(alpha=k).fit(a, c)
    told = rmse(d, model.predict(b))
    if told < best:
        best, chosen = told, model
print('best test', best)
"""
)
SAVE = "if told < best:\n        best = told\n        torch.save(net.state_dict(), 'best.pt')"
AGAIN = "a, e, c, f = map(torch.tensor, train_test_split(x, y))\na, b, c, d = train_test_split(a, c)\n"


@pytest.mark.parametrize(
    "text",
    [
        LOOP.replace("CHOICE", SAVE),
        LOOP.replace("CHOICE", SAVE).replace("criterion(net(b), d)", "(net(b).argmax(1) == d).float().mean()"),
        LOOP.replace("CHOICE", "if told > best:\n        break\n    best = told"),
        LOOP.replace("CHOICE", "best = told if told < best else best"),
        LOOP.replace("CHOICE", "best = min(best, told)"),
        LOOP.replace("CHOICE", "falling.step(told)"),
        LOOP.replace("CHOICE", "kept.append(told)") + "print('best test', min(kept))\n",
        LOOP.replace("CHOICE", "kept.append(told)") + "print('best test', kept[np.argmin(kept)])\n",
        SETTINGS,
        SETTINGS.replace("rmse(d, model.predict(b))", "np.mean((d - model.predict(b)) ** 2)"),
    ],
)
def test_nothing_is_said_of_a_figure_that_chooses_itself(text: str, tmp_path: Path) -> None:
    report = judged(text + "print('test', best)\n", tmp_path)
    assert (report.status, errors(report)) == ("undecided", []), report.checked
    assert "chooses among the turns of a loop" in report.problem


@pytest.mark.parametrize(
    "text",
    [
        LOOP.replace("CHOICE", "print(epoch, told)"),
        LOOP.replace("CHOICE", "if told < 0.1:\n        print('low')"),
        LOOP.replace("CHOICE", SAVE).replace("told", "val_loss") + "told = val_loss\n",
        LOOP.replace("CHOICE", "kept.append(loss.item())") + "print('least', min(kept))\n",
        LOOP.replace("CHOICE", "best = min(best, told)") + "told = criterion(net(b), d)\nprint('best', best)\n",
        LOOP.replace("CHOICE", "if loss < best:\n        best = loss"),
        LOOP.replace("CHOICE", "falling.step(loss)"),
        LOOP.replace("a, b, c, d = map(torch.tensor, train_test_split(x, y))\n", AGAIN).replace("CHOICE", SAVE)
        + "told = criterion(net(e), f).item()\n",
    ],
)
def test_what_was_put_aside_or_learned_from_may_choose(text: str, tmp_path: Path) -> None:
    report = judged(text + "print('test', told)\n", tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem


def test_folds_may_be_told_with_the_least_of_them(tmp_path: Path) -> None:
    text = TABLE + "from sklearn.model_selection import KFold\nkept = []\nfor i, j in KFold(5).split(x):\n"
    text += (
        "    model = LinearRegression().fit(x[i], y[i])\n    kept.append(np.mean((y[j] - model.predict(x[j])) ** 2))\n"
    )
    report = judged(text + "print('test', np.mean(kept), 'from', min(kept), 'to', max(kept))\n", tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem


def test_a_test_set_that_chooses_is_told(tmp_path: Path) -> None:
    """By its file: then it is known that it is one."""
    files = "train, test = pd.read_csv('train.csv'), pd.read_csv('test.csv')\n"
    for part, names in (("train", "a, c"), ("test", "b, d")):
        files += f"{names} = torch.tensor({part}.drop(columns='price').values), torch.tensor({part}['price'].values)\n"
    text = LOOP.replace("a, b, c, d = map(torch.tensor, train_test_split(x, y))\n", files).replace("CHOICE", SAVE)
    found = [finding.rule for finding in judged(text, tmp_path).findings if finding.severity == "warning"]
    assert found == ["test-set-chooses"]


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ("criterion(net(a), c) + criterion(net(b), d)", True),
        ("criterion(net(a), c) + 0.5 * criterion(net(b), d)", True),
        ("(criterion(net(a), c) + criterion(net(b), d)) / 2", True),
        ("2 * (criterion(net(b), d) + criterion(net(a), c))", True),
        ("sum([criterion(net(b), d), criterion(net(a), c)])", True),
        ("criterion(net(a), c) + net.weight.abs().sum()", False),
        ("criterion(net(a), c) + criterion(net(a), 2 * c)", False),
        ("criterion(net(a), c) + criterion(other(b), d)", False),
    ],
)
def test_it_learns_from_all_that_is_added_up(loss: str, found: bool, tmp_path: Path) -> None:
    """Each network from the rows that it was asked for."""
    text = PARTS.replace("loss = criterion(net(a), c)", f"other = nn.Linear(3, 1)\n    loss = {loss}")
    report = judged(text, tmp_path)
    assert errors(report) == (["evaluates-on-training-data"] if found else [])
    assert (report.status == "right") != found
