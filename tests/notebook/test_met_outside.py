"""What a first reading of strangers' notebooks showed: said untruly then, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.check.finding import FileReport
from tinyproof.check.notebook import audit_notebook

from .books import style, write

FASTAI = "# %%\nfrom fastai.vision.all import *\n"
LEARN = "learn = vision_learner(dls, resnet18, metrics=accuracy)\nlearn.fine_tune(2)\n"
ASKED = "asked = dls.test_dl(get_image_files('pets/test'), with_labels=True)\nprint('test', learn.validate(dl=asked))\n"
SPLITS = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
known, asked = pd.read_csv('known.csv'), pd.read_csv('test.csv')
"""


def judged(text: str, folder: Path) -> FileReport:
    return audit_notebook(write(text, folder, "book.ipynb"))


def rules(report: FileReport) -> list[str]:
    return [finding.rule for finding in report.findings if finding.severity != "note"]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("dls = ImageDataLoaders.from_folder('pets/train', valid_pct=0.2)\n", []),
        ("dls = ImageDataLoaders.from_folder('pets')\n", []),
        ("dls = ImageDataLoaders.from_folder('pets', valid_pct=0.2)\n", ["evaluates-on-training-data"]),
        ("dls = ImageDataLoaders.from_name_func('.', get_image_files('pets/train'), label_func=str.isupper)\n", []),
        (
            "dls = DataBlock(blocks=(ImageBlock, CategoryBlock), get_items=get_image_files).dataloaders('pets')\n",
            ["evaluates-on-training-data"],
        ),
        ("dls = DataBlock(get_items=get_image_files).new(item_tfms=Resize(9)).dataloaders('pets/train')\n", []),
        ("dls = DataBlock(get_items=lambda p: get_image_files(p/'train')).dataloaders('pets')\n", []),
    ],
)
def test_a_share_of_a_folder_may_hold_the_test_folder(data: str, found: list[str], tmp_path: Path) -> None:
    report = judged(FASTAI + data + LEARN + ASKED, tmp_path)
    assert rules(report) == found
    assert (report.status == "wrong") == bool(found)


def test_a_star_import_below_that_of_fastai_hides_none_of_its_names(tmp_path: Path) -> None:
    text = FASTAI + "from nbdev.showdoc import *\ndls = ImageDataLoaders.from_folder('pets')\n" + LEARN
    assert judged(text, tmp_path).status == "right"


def test_a_copy_of_the_library_beside_the_notebook_is_that_library(tmp_path: Path) -> None:
    text = (
        FASTAI
        + "dls = ImageDataLoaders.from_folder('pets')\n"
        + LEARN
        + "# %% file fastai/__init__.py\n__version__ = '2.7'\n# %% file fastai/vision/__init__.py\n"
        + "# %% file fastai/vision/all.py\nexec(open('x').read())\n"
    )
    assert judged(text, tmp_path).status == "right"


def test_the_loop_of_a_module_runs_only_where_it_is_the_program(tmp_path: Path) -> None:
    module = style("functions").partition("# %% output")[0]
    loop = "\n".join(line for line in module.splitlines() if not line.startswith(("# %%", "%", "!")))
    body = loop.partition("from __future__")[2].partition("\n")[2]
    text = "# %%\nfrom digits import Net\nnet = Net()\nprint(net)\n"
    text += "# %% file digits.py\nMAIN = __name__ == '__main__'\nif MAIN:\n"
    text += "\n".join(f"    {line}" for line in body.splitlines()) + "\nclass Net:\n    pass\n"
    assert judged(text, tmp_path).status != "right"


@pytest.mark.parametrize("line", ["!python train.py", "%run train.py", "%%bash\npython train.py"])
def test_a_cell_that_runs_a_script_explains_the_log_below_it(line: str, tmp_path: Path) -> None:
    log = style("functions").rpartition("# %% output\n")[2].partition("# %%")[0]
    text = f"# %%\nimport torch\n# %%\n{line}\n# %% output\n{log}"
    assert "log-not-from-this-code" not in rules(judged(text, tmp_path))


@pytest.mark.parametrize(("count", "found"), [("len(asked)", []), ("len(asked.dataset)", ["loss-misnormalised"])])
def test_what_a_loader_of_torchtext_counts_are_batches(count: str, found: list[str], tmp_path: Path) -> None:
    text = f"""# %%
import torch
import torch.nn.functional as F
from torchtext.data import BucketIterator, TabularDataset
torch.manual_seed(1)
known, new = TabularDataset.splits(path='news', train='a.csv', test='b.csv')
known, asked = BucketIterator.splits((known, new), batch_size=16)
net = torch.nn.Sequential(torch.nn.Linear(9, 2))
opt = torch.optim.SGD(net.parameters(), 0.1)
for (x, y), _ in known:
    loss = F.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
net.eval()
total = hits = 0
with torch.no_grad():
    for (x, y), _ in asked:
        total += F.cross_entropy(net(x), y).item()
        hits += (net(x).argmax(1) == y).sum().item()
print('test loss', total / {count})
"""
    report = judged(text, tmp_path)
    assert rules(report) == (found if report.status == "wrong" else [])
    assert found or report.status == "right", report.problem


@pytest.mark.parametrize(
    "labels",
    [
        "(asked['kind'] == 'bot').astype(int)",
        "asked['kind'].map({'bot': 1, 'man': 0})",
        "[int(kind == 'bot') for kind in asked['kind']]",
    ],
)
def test_labels_may_be_made_of_a_comparison(labels: str, tmp_path: Path) -> None:
    text = (
        SPLITS
        + "model = LogisticRegression().fit(known[['a', 'b']], known['kind'] == 'bot')\n"
        + f"y = {labels}\nprint('test accuracy', accuracy_score(y, model.predict(asked[['a', 'b']])))\n"
    )
    report = judged(text, tmp_path)
    assert (report.status, rules(report)) == ("right", []), report.problem


@pytest.mark.parametrize(("rows", "status"), [("asked", "right"), ("known", "wrong")])
def test_texts_that_are_cleaned_one_by_one_are_the_same_rows(rows: str, status: str, tmp_path: Path) -> None:
    text = (
        SPLITS
        + "import neattext as nt\nfrom sklearn.pipeline import Pipeline\n"
        + "def clean(text):\n    return nt.remove_stopwords(text)\n"
        + "model = Pipeline([('clf', LogisticRegression())])\n"
        + "model.fit([clean(t) for t in known['text']], known['kind'])\n"
        + f"x = [clean(t) for t in {rows}['text']]\n"
        + f"print('test accuracy', accuracy_score({rows}['kind'], model.predict(x)))\n"
    )
    assert judged(text, tmp_path).status == status


OWN = (
    SPLITS
    + """class Own:
    def fit(self, x, y):
        self.state = {}
        for i in range(9):
            self.state[f'w{i}'] = self.turn(x, y, i)
    def turn(self, x, y, i):
        return helper(i)
    def score(self, x, y):
        return helper(x, y)
model = Own()
model.fit(known[['a', 'b']], known['kind'])
"""
)


@pytest.mark.parametrize(("rows", "status"), [("asked", "right"), ("known", "wrong")])
def test_a_score_of_ones_own_class_is_on_the_rows_that_it_is_given(rows: str, status: str, tmp_path: Path) -> None:
    text = OWN + f"print('test accuracy', model.score({rows}[['a', 'b']], {rows}['kind']))\n"
    assert judged(text, tmp_path).status == status


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("train_ready, test_ready = prepared(fit_x, fit_y, val_x, val_y)", []),
        ("test_accuracy = prepared(fit_x, fit_y, val_x, val_y)", ["called-test"]),
    ],
)
def test_a_function_that_measures_on_the_way_calls_nothing_a_test(line: str, found: list[str], tmp_path: Path) -> None:
    text = (
        SPLITS
        + "from sklearn.model_selection import train_test_split\n"
        + "fit_x, val_x, fit_y, val_y = train_test_split(known[['a']], known['kind'])\n"
        + "all_x, test_x, all_y, test_y = train_test_split(asked[['a']], asked['kind'])\n"
        + "def prepared(a, b, c, d):\n    model = LogisticRegression().fit(a, b)\n"
        + "    return accuracy_score(d, model.predict(c))\n"
        + line
        + "\n"
    )
    assert rules(judged(text, tmp_path)) == found


@pytest.mark.parametrize(
    ("output", "status"),
    [("epoch  trn_loss  val_loss\n0  6.46  6.43\n", "undecided"), ("epoch  trn_loss\n0  6.46\n", "nothing to judge")],
)
def test_a_table_with_a_validation_loss_is_something(output: str, status: str, tmp_path: Path) -> None:
    text = f"# %%\nimport numpy as np\nlearner = build()\nlearner.fit(0.1, 3)\n# %% output\n{output}"
    assert judged(text, tmp_path).status == status


def test_an_import_of_a_metric_is_no_measurement(tmp_path: Path) -> None:
    text = "# %%\nfrom sklearn.metrics import accuracy_score, f1_score\nimport pandas as pd\nx = pd.read_csv('a.csv')\n"
    assert judged(text, tmp_path).status == "nothing to judge"


@pytest.mark.parametrize(("rows", "status"), [("asked", "right"), ("known", "wrong")])
def test_a_list_that_is_filled_row_by_row_holds_these_rows(rows: str, status: str, tmp_path: Path) -> None:
    fill = "{0}_list = []\nfor text, kind in zip({0}['text'], {0}['kind']):\n"
    fill += "    {0}_list.append({{'x': code(text), 'y': kind}})\n"
    text = (
        SPLITS
        + "import torch\nfrom torch.utils.data import DataLoader, RandomSampler, SequentialSampler\n"
        + "torch.manual_seed(1)\n"
        + fill.format("known")
        + fill.format("asked")
        + "learning = DataLoader(known_list, sampler=RandomSampler(known_list))\n"
        + f"testing = DataLoader({rows}_list, sampler=SequentialSampler({rows}_list))\n"
        + "net = torch.nn.Sequential(torch.nn.Linear(9, 2))\nopt = torch.optim.SGD(net.parameters(), 0.1)\n"
        + "for batch in learning:\n    loss = torch.nn.functional.cross_entropy(net(batch['x']), batch['y'])\n"
        + "    opt.zero_grad()\n    loss.backward()\n    opt.step()\nnet.eval()\ngiven, told = [], []\n"
        + "with torch.no_grad():\n    for batch in testing:\n        given.extend(net(batch['x']).argmax(1).tolist())\n"
        + "        told.extend(batch['y'].tolist())\nprint('test accuracy', accuracy_score(told, given))\n"
    )
    assert judged(text, tmp_path).status == status


def test_a_claim_that_quotes_a_log_is_no_measurement(tmp_path: Path) -> None:
    text = "# %%\nimport pandas as pd\nx = pd.read_csv('train.csv')\ny = x['kind']\n"
    text += "guess = helper(y)\nprint((guess == y).mean())\n"
    text += "# %% output\nTest accuracy: 91.25 %\n# %% [markdown]\nResult: 91.25 % test accuracy\n"
    assert judged(text, tmp_path).status != "right"


@pytest.mark.parametrize(("rows", "status"), [("test", "right"), ("train", "wrong")])
def test_figures_that_come_with_the_answers_are_measured(rows: str, status: str, tmp_path: Path) -> None:
    text = f"""# %%
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments
films = load_dataset('imdb')
net = AutoModelForSequenceClassification.from_pretrained('bert-base-uncased')
trainer = Trainer(net, TrainingArguments('d'), train_dataset=films['train'])
trainer.train()
told = trainer.predict(films['{rows}'])
print('test accuracy', told.metrics['test_accuracy'])
"""
    assert judged(text, tmp_path).status == status


@pytest.mark.parametrize("moved", ["[part.to(0) for part in batch]", "tuple(part.to(0) for part in batch)"])
@pytest.mark.parametrize(("rows", "status"), [("testing", "right"), ("learning", "wrong")])
def test_the_parts_of_a_batch_may_be_moved_one_by_one(moved: str, rows: str, status: str, tmp_path: Path) -> None:
    text = f"""# %%
import torch
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset
from transformers import AutoModelForSequenceClassification
torch.manual_seed(2)
table = pd.read_csv('posts.csv')
most, rest, y_most, y_rest = train_test_split(table['text'].values, table['kind'].values)
learning = DataLoader(TensorDataset(coded(most).input_ids, torch.tensor(y_most)), batch_size=16, shuffle=True)
testing = DataLoader(TensorDataset(coded(rest).input_ids, torch.tensor(y_rest)), batch_size=16)
net = AutoModelForSequenceClassification.from_pretrained('distilbert-base-uncased', num_labels=5)
adam = torch.optim.AdamW(net.parameters(), lr=2e-5)
net.train()
for batch in learning:
    ids, kinds = {moved}
    adam.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(ids).logits, kinds)
    loss.backward()
    adam.step()
net.eval()
given, told = [], []
with torch.no_grad():
    for batch in {rows}:
        ids, kinds = {moved}
        given.extend(net(ids).logits.argmax(-1).cpu().numpy())
        told.extend(kinds.cpu().numpy())
print('test accuracy', accuracy_score(told, given))
"""
    assert judged(text, tmp_path).status == status
