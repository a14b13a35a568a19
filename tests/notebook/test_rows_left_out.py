"""Data sets of a class of one's own that leave rows out, masks, places shuffled anew, arrays filled twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged
from .test_whole_arrays import LOADERS, TABLE

HALF = """class Half(ImageFolder):
    def __init__(self, root, first):
        super().__init__(root)
        self.samples = [s for i, s in enumerate(self.samples) if (i % 2 == 0) == first]
"""
MAPPED = """class Half(ImageFolder):
    def __init__(self, root, first):
        super().__init__(root)
        self.start = 0 if first else 50
    def __len__(self):
        return 50
    def __getitem__(self, index):
        return super().__getitem__(self.start + index)
"""
FILTERED = """class Half(ImageFolder):
    def __init__(self, root, first):
        super().__init__(root, is_valid_file=lambda name: name.endswith('0.png') == first)
"""
CUT_OFF = """class Half(ImageFolder):
    def __init__(self, root, first):
        super().__init__(root)
        del self.samples[slice(50, None) if first else slice(50)]
"""
KINDS = """class Half(ImageFolder):
    def __init__(self, root, first):
        self.first = first
        super().__init__(root)
    def find_classes(self, folder):
        return (['cat'], {'cat': 0}) if self.first else (['dog'], {'dog': 0})
"""


def loop(known: str, asked: str) -> str:
    return f"learning, asking = DataLoader({known}, 8, shuffle=True), DataLoader({asked}, 8)\n" + LOADERS


@pytest.mark.parametrize("text", [HALF, MAPPED, FILTERED, CUT_OFF, KINDS])
def test_a_class_of_ones_own_may_leave_images_out(text: str, tmp_path: Path) -> None:
    """What one was told decides which; two folders remain two folders."""
    for known, asked, status in (("pets", "pets", "undecided"), ("a", "b", "right")):
        report = judged(TABLE + text + loop(f"Half('{known}', True)", f"Half('{asked}', False)"), tmp_path)
        assert (report.status, errors(report)) == (status, [])
    assert judged(TABLE + text + loop("Half('a', True)", "Half('a', True)"), tmp_path).status != "right"


def test_images_left_out_by_the_same_words_are_the_same(tmp_path: Path) -> None:
    same = judged(TABLE + HALF + loop("Half('pets', True)", "Half('pets', True)"), tmp_path)
    assert errors(same) == ["evaluates-on-training-data"]
    changed = HALF.replace("root, first", "root, first, transform=None")
    same = judged(TABLE + changed + loop("Half('pets', True, print)", "Half('pets', True)"), tmp_path)
    assert errors(same) == ["evaluates-on-training-data"]
    later = "a, b = Half('pets', True), Half('pets', True)\na.samples = a.samples[:9]\nb.samples = b.samples[9:]\n"
    assert errors(judged(TABLE + HALF + later + loop("a", "b"), tmp_path)) == []


@pytest.mark.parametrize(("other", "status"), [("True", "right"), ("False", "undecided")])
def test_parts_of_what_is_left_by_places(other: str, status: str, tmp_path: Path) -> None:
    text = f"one, two, places = Half('pets', True), Half('pets', {other}), np.random.permutation(99)\n"
    report = judged(TABLE + HALF + text + loop("Subset(one, places[:80])", "Subset(two, places[80:])"), tmp_path)
    assert (report.status, errors(report)) == (status, [])


def test_a_function_that_picks_files_says_which(tmp_path: Path) -> None:
    text = TABLE + "def even(name):\n    return name[-5] in '02468'\ndef odd(name):\n    return not even(name)\n"
    made = "ImageFolder('pets', is_valid_file=even)"
    assert errors(judged(text + loop(made, made.replace("even", "odd")), tmp_path)) == []
    assert errors(judged(text + loop(made, made), tmp_path)) == ["evaluates-on-training-data"]


@pytest.mark.parametrize(
    ("asked", "status"), [("Some(False, range(9))", "right"), ("Some(True, range(9, 20))", "undecided")]
)
def test_some_of_a_set_with_a_flag(asked: str, status: str, tmp_path: Path) -> None:
    text = TABLE + "from torchvision.datasets import CIFAR10\nclass Some(CIFAR10):\n"
    text += "    def __init__(self, train, places):\n        super().__init__('d', train=train)\n"
    text += "        self.data = self.data[places]\n"
    report = judged(text + loop("Some(True, range(9))", asked).replace("(9, 2)", "(9, 10)"), tmp_path)
    assert (report.status, errors(report)) == (status, [])


LATER = """class Seen(Dataset):
    def __init__(self, which, root='pets/'):
        self.root, self.which = root, which
    def keep(self, which):
        self.which = which
        return self
    def __len__(self):
        return len(self.which)
    def __getitem__(self, index):
        return read(self.root + str(self.which[index]))
"""
WHICH = [
    ("range(80)", "range(80, 99)"),
    ("[1, 2]", "[3]"),
    ("{'a': 1}", "{'b': 1}"),
    ("slice(0, 9)", "slice(9, 20)"),
    ("lambda i: i", "lambda i: i + 80"),
    ("'one.csv'", "'two.csv'"),
]


@pytest.mark.parametrize(("known", "asked"), WHICH)
def test_two_sets_around_one_folder_are_told_apart(known: str, asked: str, tmp_path: Path) -> None:
    assert errors(judged(TABLE + LATER + loop(f"Seen({known})", f"Seen({asked})"), tmp_path)) == []
    kept = loop(f"Seen('all').keep({known})", f"Seen('all').keep({asked})")
    assert errors(judged(TABLE + LATER + kept, tmp_path)) == []
    assert judged(TABLE + LATER + loop(f"Seen({known})", f"Seen({known})"), tmp_path).status != "right"


@pytest.mark.parametrize("which", ["'one.csv'", "[1, 2]"])
def test_two_sets_that_were_told_the_same_are_one(which: str, tmp_path: Path) -> None:
    text = TABLE + LATER + loop(f"Seen({which})", f"Seen({which})")
    assert errors(judged(text, tmp_path)) == ["evaluates-on-training-data"]


def scored(known: str, asked: str, between: str = "") -> str:
    text = TABLE + "draws = np.random.uniform(0, 1, len(x))\ndef some(low, high):\n"
    text += "    return (draws >= low) & (draws < high)\n"
    text += f"known = table[{known}]\n{between}\nasked = table[{asked}]\n"
    text += "model = LinearRegression().fit(known[['rooms']], known['price'])\n"
    return text + "print('test', model.score(asked[['rooms']], asked['price']))\n"


MASKS = [
    ("draws < 0.7", "draws >= 0.7", "right"),
    ("draws > 0.7", "draws <= 0.7", "right"),
    ("draws < 0.7", "~(draws < 0.7)", "right"),
    ("draws < 0.6", "draws >= 0.8", "undecided"),
    ("some(0, 0.7)", "some(0.7, 1)", "undecided"),
    ("draws < 0.7", "draws < 0.7", "wrong"),
    ("draws >= 0.7", "~(draws < 0.7)", "wrong"),
]


@pytest.mark.parametrize(("known", "asked", "status"), MASKS)
def test_what_is_above_a_bound_is_the_rest(known: str, asked: str, status: str, tmp_path: Path) -> None:
    report = judged(scored(known, asked), tmp_path)
    assert (report.status, errors(report)) == (status, ["evaluates-on-training-data"] if status == "wrong" else [])


def test_a_mask_of_numbers_that_are_shuffled_is_another(tmp_path: Path) -> None:
    """So is one that is put to rows in another order."""
    for between in ("np.random.shuffle(draws)", "table = table.sample(frac=1)"):
        shuffled = judged(scored("draws < 0.7", "draws >= 0.7", between), tmp_path)
        assert (shuffled.status, errors(shuffled)) == ("undecided", []), between


ORDERS = [
    ("np.random.permutation(100)", ""),
    ("torch.randperm(100)", ""),
    ("np.arange(100)", "    np.random.shuffle(places)\n"),
    ("list(range(100))", "    np.random.shuffle(places)\n"),
]


def arrays(places: str, between: str, again: str = "places") -> str:
    text = f"places = {places}\na, c = x[places[:80]], y[places[:80]]\n{between}\n"
    text += f"b, d = x[{again}[80:]], y[{again}[80:]]\nmodel = LinearRegression().fit(a, c)\n"
    return TABLE + text + "print('test', model.score(b, d))\n"


@pytest.mark.parametrize(("order", "shuffle"), ORDERS)
def test_places_that_are_drawn_again_are_others(order: str, shuffle: str, tmp_path: Path) -> None:
    """Once before both parts they are the parts of one order."""
    once = judged(arrays(f"{order}\n{(shuffled := shuffle.strip())}", ""), tmp_path)
    assert (once.status, errors(once)) == ("right", [])
    twice = [arrays(f"{order}\n{shuffled}", "np.random.shuffle(places)"), arrays(order, f"other = {order}", "other")]
    twice[1] = twice[1].replace("b, d =", f"{shuffled.replace('places', 'other')}\nb, d =")
    text = f"def half(first):\n    places = {order}\n{shuffle}    some = places[:80] if first else places[80:]\n"
    text += "    return x[some], y[some]\n(a, c), (b, d) = half(True), half(False)\n"
    twice.append(TABLE + text + "model = LinearRegression().fit(a, c)\nprint('test', model.score(b, d))\n")
    for text in twice:
        report = judged(text, tmp_path)
        assert (report.status, errors(report)) == ("undecided", []), text


@pytest.mark.parametrize("made", ["Subset(pets, SOME), 8", "pets, 8, sampler=SubsetRandomSampler(SOME)"])
def test_images_by_places_that_are_shuffled_again(made: str, tmp_path: Path) -> None:
    text = TABLE + "pets = ImageFolder('pets')\nplaces = list(range(len(pets)))\nnp.random.shuffle(places)\n"
    text += f"learning = DataLoader({made.replace('SOME', 'places[:80]')})\nnp.random.shuffle(places)\n"
    text += f"asking = DataLoader({made.replace('SOME', 'places[80:]')})\n" + LOADERS
    again = judged(text, tmp_path)
    assert (again.status, errors(again)) == ("undecided", [])
    once = judged(text.replace("np.random.shuffle(places)\nasking", "asking"), tmp_path)
    assert (once.status, errors(once)) == ("right", [])


@pytest.mark.parametrize(("seed", "status"), [("", "undecided"), (", random_state=3", "right")])
def test_a_table_in_another_order_is_cut_elsewhere(seed: str, status: str, tmp_path: Path) -> None:
    text = TABLE + f"def half(first):\n    rows = table.sample(frac=1{seed})\n"
    text += "    return rows[:80] if first else rows[80:]\nknown, asked = half(True), half(False)\n"
    text += "model = LinearRegression().fit(known[['rooms']], known['price'])\n"
    report = judged(text + "print('test', model.score(asked[['rooms']], asked['price']))\n", tmp_path)
    assert (report.status, errors(report)) == (status, [])


FILLED = (
    TABLE
    + """a, b, c, d = train_test_split(x, y)
both = np.zeros((100, 3))
for i, row in enumerate(a):
    both[i] = row
for i, row in enumerate(b):
    both[80 + i] = row
kinds = np.concatenate([c, d])
model = LinearRegression().fit(both[:80], kinds[:80])
print('test', model.score(both[80:], kinds[80:]))
"""
)
FILLS = [
    ("", "", "right"),
    ("both[:80], kinds[:80]", "both, kinds", "wrong"),
    ("both[80:], kinds[80:]", "b, d", "undecided"),
    ("both[80 + i]", "both[i]", "undecided"),  # over the first ones: which are left is not known
    ("enumerate(b)", "enumerate(a)", "undecided"),  # the same ones twice, in both parts
    ("    both[i] = row", "    both[i] = b[i]", "undecided"),
]


@pytest.mark.parametrize(("old", "new", "status"), FILLS)
def test_an_array_that_is_filled_twice_has_both(old: str, new: str, status: str, tmp_path: Path) -> None:
    report = judged(FILLED.replace(old, new) if old else FILLED, tmp_path)
    assert (report.status, errors(report)) == (status, ["evaluates-on-training-data"] if status == "wrong" else [])


@pytest.mark.parametrize("asked", ["both[80:], kinds[80:]", "b, d"])
def test_of_all_that_was_put_into_an_array_nothing_is_held_out(asked: str, tmp_path: Path) -> None:
    text = FILLED.replace("both[:80], kinds[:80]", "both[:90], kinds[:90]").replace("both[80:], kinds[80:]", asked)
    assert judged(text, tmp_path).status != "right"


@pytest.mark.parametrize(("index", "status"), [("i", "right"), ("at", "right"), ("row", "undecided")])
def test_the_counter_of_a_loop_says_which_element(index: str, status: str, tmp_path: Path) -> None:
    text = TABLE + "a, b, c, d = train_test_split(x, y)\ndef doubled(rows):\n    found, at = np.zeros((80, 3)), 0\n"
    text += f"    for i, row in enumerate(rows):\n        found[{index}] = 2 * row\n        at += 1\n    return found\n"
    text += "model = LinearRegression().fit(doubled(a), c)\nprint('test', model.score(doubled(b), d))\n"
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == (status, [])
