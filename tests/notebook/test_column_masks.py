"""Parts of a table by the values of a column, by every second row, by what is left of places; and wrong look-alikes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged
from .test_whole_arrays import TABLE

TAKEN = "a, b, c, d = known[['rooms']], asked[['rooms']], known['price'], asked['price']\n"
FITTED = "model = LinearRegression().fit(a, c)\nprint('test', model.score(b, d))\n"


def parts(text: str, tmp_path: Path, taken: str = TAKEN) -> tuple[str, list[str]]:
    report = judged(TABLE + text + "\n" + taken + FITTED, tmp_path)
    return report.status, errors(report)


RIGHT, OPEN = ("right", []), ("undecided", [])
WRONG = ("wrong", ["evaluates-on-training-data"])


@pytest.mark.parametrize(
    ("known", "asked", "answer"),
    [
        ("table.year < 2016", "table.year >= 2016", RIGHT),
        ("table['year'] <= 2016", "table['year'] > 2016", RIGHT),
        ("2016 > table.year", "table.year >= 2016", RIGHT),
        ("table.part == 'train'", "table.part == 'val'", RIGHT),
        ("table.fold != 0", "table.fold == 0", RIGHT),
        ("table.fold == 0", "~(table.fold == 0)", RIGHT),
        ("table.is_train == True", "table.is_train == False", RIGHT),
        ("table.fold == 1", "table.fold == 1", WRONG),
        ("table.year <= 2016", "table.year >= 2016", OPEN),  # those of 2016 are among both
        ("table.year >= 2016", "table.year <= 2016", OPEN),
        ("table.year < 2016", "table.year > 2010", OPEN),
        ("table.rename(columns=one)['fold'] == 0", "table.rename(columns=two)['fold'] == 0", OPEN),
        ("table.fold != 0", "table.fold != 1", OPEN),
        ("table.fold == 0", "table.other == 1", OPEN),
        ("table.fold == picked()", "table.fold == picked()", OPEN),
        ("table.fold.map(ours) == 0", "table.fold == 1", OPEN),
    ],
)
def test_parts_by_the_value_of_a_column(known: str, asked: str, answer: tuple[str, list[str]], tmp_path: Path) -> None:
    assert parts(f"known, asked = table[{known}], table[{asked}]", tmp_path) == answer


@pytest.mark.parametrize(
    "again",
    [
        "table['fold'] = drawn()",
        "table.loc[some, 'fold'] = 1",
        "table[name] = drawn()",
        "table.loc[:, name] = 1",
        "table.iloc[3:9, 2] = 1",
        "table.fold = drawn()",
        "table.columns = names",
        "table.fold.replace(0, 1, inplace=True)",
        "table.eval('fold = fold + 1', inplace=True)",
        "table.update(others)",
        "np.random.shuffle(table['fold'].values)",
    ],
)
def test_a_column_that_is_set_anew_says_something_else(again: str, tmp_path: Path) -> None:
    text = f"known = table[table.fold == 0]\n{again}\nasked = table[table.fold == 0]"
    assert parts(text, tmp_path) == OPEN
    opposite = text.replace("asked = table[table.fold == 0]", "asked = table[table.fold != 0]")
    assert parts(opposite, tmp_path) == OPEN
    for other in ("table['other'] = 1", "table.other = 1", "known.drop(columns='fold', inplace=True)"):
        assert parts(text.replace(again, other), tmp_path) == WRONG
        assert parts(opposite.replace(again, other), tmp_path) == RIGHT


@pytest.mark.parametrize(
    ("known", "asked", "answer"),
    [
        ("one", "table[~table.index.isin(one.index)]", RIGHT),
        ("two", "table[~table.index.isin(one.index)]", WRONG),  # the rest of one of two parts is the other
        ("table[~table.index.isin(one.index)]", "table[~table.index.isin(two.index)]", OPEN),
        ("table[~table.index.isin(one.index)]", "table[~~table.index.isin(one.index)]", RIGHT),
        ("table[table.town.isin(these)]", "table[table.seller.isin(those)]", OPEN),  # values of two columns
        ("table[table.town.isin(these)]", "table[~table.town.isin(these)]", RIGHT),
        ("table[table.town.isin(those)]", "table[~table.town.isin(these)]", WRONG),
    ],
)
def test_the_rest_of_a_part(known: str, asked: str, answer: tuple[str, list[str]], tmp_path: Path) -> None:
    text = "one, two = train_test_split(table)\nthese, those = train_test_split(table.town.unique())\n"
    assert parts(f"{text}known, asked = {known}, {asked}", tmp_path) == answer


GRAPH = """from torch_geometric.datasets import Planetoid
graph = Planetoid('.', 'Cora')[0]
net = nn.Linear(9, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(9):
    net.train()
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(graph.x)[known], graph.y[known]).backward()
    optimizer.step()
net.eval()
with torch.no_grad():
    guess = net(graph.x).argmax(1)
    print('test accuracy', (guess[asked] == graph.y[asked]).float().mean().item())
"""


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        ("graph.train_mask", RIGHT),
        ("~graph.test_mask", RIGHT),
        ("~graph.val_mask", WRONG),
        ("~(graph.val_mask | graph.test_mask)", RIGHT),
        ("~(graph.test_mask | graph.val_mask)", RIGHT),
        ("~(graph.val_mask | graph.train_mask)", OPEN),
        ("~graph.train_mask", WRONG),
    ],
)
def test_the_rest_of_a_mask_of_a_graph(known: str, answer: tuple[str, list[str]], tmp_path: Path) -> None:
    report = judged(TABLE + GRAPH.replace("[known]", f"[{known}]").replace("[asked]", "[graph.test_mask]"), tmp_path)
    assert (report.status, errors(report)) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("known, asked = table[table.fold != k], table[table.fold == k]", RIGHT),
        ("known, asked = table[table.fold == k], table[table.fold == k]", OPEN),
        ("if k == 0:\n        known = table[table.fold == k]\n    else:\n        asked = table[table.fold == k]", OPEN),
        (
            "if k in some:\n        known = table[table.fold != k]\n    else:\n        asked = table[table.fold == k]",
            OPEN,
        ),
    ],
)
def test_folds_by_a_column(text: str, answer: tuple[str, list[str]], tmp_path: Path) -> None:
    """What is equal to the number of the turn may be so in another turn; what is not is told in the same one."""
    turn = f"for k in range(5):\n    {text}\n    {TAKEN}    model = LinearRegression().fit(a, c)\n"
    report = judged(TABLE + turn + "    print('test', model.score(b, d))\n", tmp_path)
    assert (report.status, errors(report)) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("known = table.sample(frac=0.8)\nasked = table[~table.index.isin(known.index)]", RIGHT),
        ("known = table.sample(frac=0.8)\nasked = table.loc[table.index.difference(known.index)]", RIGHT),
        ("known = table.sample(frac=0.8)\nasked = table[table.index.isin(known.index)]", WRONG),
        ("known = table.sample(frac=0.8)\nasked = table[table.town.isin(known.town)]", OPEN),
        ("asked = table[table.fold == 0]\nknown = table.drop(asked.index)", RIGHT),
        (
            "one, two = train_test_split(table.town.unique())\n"
            "known, asked = table[table.town.isin(one)], table[table.town.isin(two)]",
            RIGHT,
        ),
        ("known, asked = table.query('year < 2016'), table.query('year >= 2016')", RIGHT),
        ("known, asked = table.query('year < 2016'), table.query('year < 2016')", WRONG),
        ("known, asked = table.query('year < 16 or x'), table.query('year >= 16')", OPEN),
        ("k = 1\nknown = table.query('fold == k')\nk = 2\nasked = table.query('fold == k')", WRONG),  # k is a column
        ("k = 1\nknown = table.query('fold == @k')\nk = 2\nasked = table.query('fold == @k')", OPEN),
        ("q = one()\nknown = table.query(q)\nq = two()\nasked = table.query(q)", OPEN),
        ("known, asked = table.query('fold in (1, 2)'), table.query('fold in (1, 2)')", WRONG),
        ("known, asked = table.query('year <'), table.query('year >= 16')", OPEN),
        ("late = table.day.map(is_late)\nknown, asked = table[late], table[~late]", RIGHT),
        ("known, asked = table.head(80), table.tail(20)", OPEN),
        ("known, asked = table.head(-20), table.tail(20)", RIGHT),
        ("known = table.sample(frac=0.8)\nasked = pd.concat([table, known]).drop_duplicates(keep=False)", OPEN),
    ],
)
def test_what_is_left_of_a_table(text: str, answer: tuple[str, list[str]], tmp_path: Path) -> None:
    assert parts(text, tmp_path) == answer


@pytest.mark.parametrize(
    ("known", "asked", "answer"),
    [
        ("x[::2], y[::2]", "x[1::2], y[1::2]", RIGHT),
        ("x[::2], y[::2]", "x[0::2], y[0::2]", WRONG),
        ("x[::2], y[::2]", "x[1::3], y[1::3]", OPEN),
        ("x[some], y[some]", "np.delete(x, some, axis=0), np.delete(y, some)", RIGHT),
        ("x[some], y[some]", "x[rest], y[rest]", RIGHT),
        ("x[some], y[some]", "x[left], y[left]", RIGHT),
        ("x[some], y[some]", "x[some], y[some]", WRONG),
        ("x[mask], y[mask]", "x[-mask], y[-mask]", RIGHT),
    ],
)
def test_what_is_left_of_arrays(known: str, asked: str, answer: tuple[str, list[str]], tmp_path: Path) -> None:
    text = "some = np.random.choice(len(x), 80, replace=False)\nrest = np.setdiff1d(np.arange(len(x)), some)\n"
    text += (
        f"left = np.delete(np.arange(len(x)), some)\nmask = table.fold != 1\n(a, c), (b, d) = ({known}), ({asked})\n"
    )
    assert parts(text, tmp_path, "") == answer
