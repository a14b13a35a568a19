"""What calls of datasets, transformers and evaluate mean."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import (
    NO_POSITION,
    Fact,
    Fits,
    Joins,
    Keeps,
    Makes,
    Measures,
    Predicts,
    Splits,
)

_DATA = "from datasets import load_dataset\nfilms = load_dataset('imdb')\n"
_TRAINER = _DATA + (
    "from transformers import Trainer\n"
    "trainer = Trainer(net, args, train_dataset=films['train'], eval_dataset=films['test'])\n"
)
# Public data sets whose test part has its labels (of some, glue say, it has none).
LABELLED = frozenset(
    (
        *("imdb", "ag_news", "mnist", "fashion_mnist", "cifar10", "cifar100", "yelp_polarity", "yelp_review_full"),
        *("dbpedia_14", "emotion", "dair-ai/emotion", "rotten_tomatoes", "trec", "amazon_polarity", "stanfordnlp/imdb"),
    )
)

FACTS: tuple[Fact, ...] = (
    Makes(
        ("datasets.load_dataset",),
        source=("path", 0),
        part=("split", NO_POSITION),
        example=_DATA + "a = films['test']\nb, c = load_dataset('imdb', split=['train[:500]', 'test'])\n"
        "d = films.map(str)['train']",
        expect=("a: the test set", "b: a part of the training set", "c: the test set", "d: the training set"),
    ),
    Makes(
        ("datasets.load_from_disk", "datasets.Dataset*.load_from_disk"),
        form="archive",
        source=("dataset_path", 0),
        example="from datasets import load_from_disk\na = load_from_disk('kept/films_test')\n"
        "b = load_from_disk('kept/all')['train']",
        expect=("a: the file kept/films_test", "b: the training set of the file kept/all"),
    ),
    Keeps(
        ("datasets.Dataset.from_*",),
        example="import pandas as pd\nfrom datasets import Dataset\na = Dataset.from_pandas(pd.read_csv('test.csv'))",
        expect=("a: the file test.csv",),
    ),
    Keeps(
        ("datasets.Dataset.from_dict",),
        example="import pandas as pd\nfrom datasets import Dataset\nfrom transformers import AutoTokenizer\n"
        "table = pd.read_csv('test.csv')\ntokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')\n"
        "b = tokenizer(list(table['text']), padding=True)\n"
        "a = Dataset.from_dict({'input_ids': b['input_ids'], 'labels': table['kind']})",
        expect=("a: the file test.csv", "b: the file test.csv"),
    ),
    Keeps(
        ("datasets.DatasetDict",),
        example="import pandas as pd\nfrom datasets import Dataset, DatasetDict\n"
        "both = DatasetDict({'train': Dataset.from_pandas(pd.read_csv('a.csv')),\n"
        "    'test': Dataset.from_pandas(pd.read_csv('b.csv'))})\na = both.map(str)['test']",
        expect=("a: the file b.csv",),
    ),
    Joins(
        ("datasets.concatenate_datasets",),
        example=_DATA + "from datasets import concatenate_datasets\n"
        "a = concatenate_datasets([films['train'], films['test']])",
        expect=("a: the training set and the test set",),
    ),
    Splits(
        ("datasets.Dataset",),
        methods=("train_test_split",),
        keys=("train", "test"),
        example=_DATA + "parts = films['train'].train_test_split(test_size=0.1)\na = parts['test']",
        expect=("a: the held-out part of the training set",),
    ),
    Fits(
        ("transformers.*Trainer",),
        methods=("train",),
        x=("(none)", NO_POSITION),
        of_owner=("train_dataset", NO_POSITION),
        best="load_best_model_at_end",
        example=_TRAINER.replace("args,", "TrainingArguments('d', load_best_model_at_end=True),").replace(
            "import Trainer", "import Trainer, TrainingArguments"
        )
        + "trainer.train()",
        expect=(
            "train on the training set, validated on the test set",
            "load_best_model_at_end chooses the checkpoint on the test set",
        ),
    ),
    Measures(
        ("transformers.*Trainer",),
        methods=("evaluate",),
        x=("eval_dataset", 0),
        of_owner=("eval_dataset", NO_POSITION),
        example=_TRAINER + "trainer.train()\nprint(trainer.evaluate())",
        expect=("evaluate on the test set",),
    ),
    Predicts(
        ("transformers.*Trainer",),
        methods=("predict",),
        x=("test_dataset", 0),
        example=_TRAINER + "trainer.train()\na = trainer.predict(films['test'])",
        expect=("a: the test set",),
    ),
)
