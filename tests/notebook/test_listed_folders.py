"""Files that are listed and read one by one: which folder they are of, and which of them, in three frameworks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.finding import FileReport
from tinyproof.check.notebook import audit_notebook

from .books import write

READ = "# %%\nimport glob\nimport os\nimport random\nimport cv2\nimport numpy as np\nfrom pathlib import Path\n"
BY_CLASS = """def read(folder):
    x, y = [], []
    for kind in os.listdir(folder):
        inside = os.path.join(folder, kind)
        if os.path.isdir(inside):
            for file in os.listdir(inside):
                x.append(cv2.resize(cv2.imread(os.path.join(inside, file)), (9, 9)))
                y.append(kind)
    return np.array(x), np.array(y)
"""
KERAS = "from tensorflow import keras\nnet = keras.Sequential([keras.layers.Dense(3)])\nnet.compile(metrics=['acc'])\n"
ENDS = {
    "keras": KERAS + "net.fit(a, b)\nprint('test', net.evaluate(c, d))\n",
    "sklearn": "from sklearn.svm import SVC\nnet = SVC().fit(a, b)\nprint('test', net.score(c, d))\n",
    "torch": """import torch
from torch.utils.data import DataLoader, TensorDataset
learning = DataLoader(TensorDataset(torch.tensor(a), torch.tensor(b)), batch_size=8, shuffle=True)
asking = DataLoader(TensorDataset(torch.tensor(c), torch.tensor(d)), batch_size=8)
net = torch.nn.Linear(9, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net.train()
for x, y in learning:
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(net(x), y).backward()
    optimizer.step()
net.eval()
hits = 0
with torch.no_grad():
    for x, y in asking:
        hits += (net(x).argmax(1) == y).sum().item()
print('test accuracy', hits / len(asking.dataset))
""",
}
DRAWN = """files = sorted(glob.glob('pets/*/*.png'))
tests = random.sample(files, 50)
"""
ARRAYS = """a, b = np.array([cv2.imread(f) for f in learn]), np.array([f.split('/')[1] for f in learn])
c, d = np.array([cv2.imread(f) for f in tests]), np.array([f.split('/')[1] for f in tests])
"""


def judged(text: str, folder: Path) -> FileReport:
    return audit_notebook(write(text, folder, "book.ipynb"))


def errors(report: FileReport) -> list[str]:
    return [finding.rule for finding in report.findings if finding.severity == "error"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("data", "found", "where"),
    [
        (BY_CLASS + "a, b = read('pets/train')\nc, d = read('pets/test')\n", False, "the folder pets/test"),
        (BY_CLASS + "a, b = read('pets/train')\nc, d = read('pets/train')\n", True, ""),
        (DRAWN + "learn = [f for f in files if f not in tests]\n" + ARRAYS, False, "a drawn part of the folder pets"),
        (DRAWN + "learn = files\n" + ARRAYS, True, ""),
        ("files = list(Path('pets').glob('*.png'))\nlearn, tests = files[:80], files[80:]\n" + ARRAYS, False, "a part"),
        ("files = list(Path('pets').glob('*.png'))\nlearn, tests = files[:80], files[60:]\n" + ARRAYS, True, ""),
    ],
    ids=["folders", "one folder", "the rest", "all of them", "cut", "cut across"],
)
def test_files_that_are_listed_are_known_by_their_folder(
    data: str, found: bool, where: str, end: str, tmp_path: Path
) -> None:
    report = judged(READ + data + ENDS[end], tmp_path)
    assert errors(report) == (["evaluates-on-training-data"] if found else [])
    assert report.status == ("wrong" if found else "right"), report.problem
    assert found or where in report.checked[0]


PICK = "    if 'test' in f:\n        c.append(im); d.append(f[0])\n"


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("    else:\n        a.append(im); b.append(f[0])\n", "right"),
        ("        continue\n    a.append(im); b.append(f[0])\n", "right"),
        ("    a.append(im); b.append(f[0])\n", "wrong"),
    ],
    ids=["else", "continue", "both"],
)
def test_the_sides_of_a_condition_part_the_files(rest: str, status: str, tmp_path: Path) -> None:
    data = "a, b, c, d = [], [], [], []\nfor f in os.listdir('pets'):\n    im = cv2.imread('pets/' + f)\n" + PICK + rest
    assert judged(READ + data + ENDS["sklearn"], tmp_path).status == status


def test_a_function_that_is_asked_for_other_names_gives_other_files(tmp_path: Path) -> None:
    take = """def take(word):
    x, y = [], []
    for f in os.listdir('pets'):
        if word in f:
            x.append(cv2.imread(f'pets/{f}'))
            y.append(f[0])
    return x, y
a, b = take('train')
c, d = take('test')
"""
    report = judged(READ + take + ENDS["sklearn"], tmp_path)
    assert (report.status, errors(report)) == ("undecided", [])


def test_names_of_classes_are_no_rows(tmp_path: Path) -> None:
    text = (
        READ
        + "names = sorted(os.listdir('pets/train'))\na, b = np.load('a_train.npy'), np.load('b_train.npy')\n"
        + "c, d = np.load('c_test.npy'), np.load('d_test.npy')\nfrom sklearn.svm import SVC\nnet = SVC().fit(a, b)\n"
        + "from sklearn.metrics import accuracy_score\n"
        + "print(accuracy_score([names[i] for i in d], [names[i] for i in net.predict(c)]))\n"
    )
    assert errors(judged(text, tmp_path)) == []


SET = """from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T
import torch
class Grains(Dataset):
    def __init__(self, train, transform=None, root='../data'):
        self.paths = glob.glob(os.path.join(root, 'train' if train else 'test') + '/*/*.npy')
        self.train, self.transform = train, transform
    def __len__(self):
        return len(self.paths)
    def __getitem__(self, i):
        x = np.load(self.paths[i])
        if self.transform:
            x = self.transform(x)
        return x, int(self.paths[i].split('/')[-2])
t = T.Compose([T.ToTensor(), T.RandomHorizontalFlip()])
learning, asking = DataLoader(Grains(True, t), 8, shuffle=True), DataLoader(Grains(False, t), 8)
"""
LOOPS = ENDS["torch"].partition("asking = ")[2].partition("\n")[2]


@pytest.mark.parametrize(
    ("right", "other", "found"),
    [
        ("Grains(False, t)", "Grains(False, T.ToTensor())", []),
        ("Grains(False, t)", "Grains(False, t)", ["augmented-test-set"]),
        ("        if self.transform:", "        if self.train:", []),
        ("Grains(False, t)", "Grains(True, T.ToTensor())", ["evaluates-on-training-data"]),
    ],
)
def test_a_data_set_of_listed_files_is_known_with_its_transform(
    right: str, other: str, found: list[str], tmp_path: Path
) -> None:
    assert right in SET
    report = judged(READ + SET.replace(right, other) + LOOPS, tmp_path)
    assert errors(report) == found
    assert found or "the folder ../data/test" in report.checked[0]
