"""What data sets of PyTorch's libraries hold, beside those with a train flag; and how they are split."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import Fact, Holds, Keeps, Makes, Saves, Splits

_LOADERS = "from torch.utils.data import DataLoader\n"
_LOOP = (
    "for x, y in loader:\n    loss = criterion(net(x), y)\n    loss.backward()\n"
    "for x, y in tests:\n    hits += (net(x).argmax(1) == y).sum()\n"
)

FACTS: tuple[Fact, ...] = (
    Holds(
        ("torchvision.datasets.ImageFolder", "torchvision.datasets.DatasetFolder"),
        form="folder",
        source=("root", 0),
        example=_LOADERS
        + "from torchvision.datasets import ImageFolder\n"
        + "loader, tests = DataLoader(ImageFolder('pets/train')), DataLoader(ImageFolder('pets/test'))\n"
        + _LOOP,
        expect=("the loop on the folder pets/train", "the loop on the folder pets/test"),
    ),
    Holds(
        ("medmnist.*MNIST*",),
        part=("split", 0),
        example=_LOADERS
        + "from medmnist import PneumoniaMNIST\n"
        + "loader, tests = DataLoader(PneumoniaMNIST('train')), DataLoader(PneumoniaMNIST(split='val'))\n"
        + _LOOP,
        expect=("the loop on the training set", "the loop on the validation set"),
    ),
    Holds(
        (
            "torchvision.datasets.Flowers102",
            "torchvision.datasets.Food101",
            "torchvision.datasets.DTD",
            "torchvision.datasets.GTSRB",
            "torchvision.datasets.PCAM",
            "torchvision.datasets.FGVCAircraft",
            "torchvision.datasets.StanfordCars",
            "torchvision.datasets.OxfordIIITPet",
            "torchvision.datasets.Imagenette",
            "torchvision.datasets.ImageNet",
            "torchvision.datasets.CelebA",
            "torchvision.datasets.Country211",
            "torchvision.datasets.FER2013",
            "torchvision.datasets.LFWPeople",
            "torchvision.datasets.RenderedSST2",
        ),
        part=("split", 1),
        example=_LOADERS
        + "from torchvision.datasets import Food101\n"
        + "loader, tests = DataLoader(Food101('d', split='train')), DataLoader(Food101('d', split='test'))\n"
        + _LOOP,
        expect=("the loop on the training set", "the loop on the test set"),
    ),
    Holds(
        ("torchvision.datasets.VOCSegmentation", "torchvision.datasets.VOCDetection"),
        part=("image_set", 2),
        usual="train",
        example=_LOADERS
        + "from torchvision.datasets import VOCSegmentation\n"
        + "loader = DataLoader(VOCSegmentation('d', image_set='trainval'))\n"
        + "tests = DataLoader(VOCSegmentation('d', '2012', 'val'))\n"
        + _LOOP,
        expect=("the loop on the training set and the validation set", "the loop on the validation set"),
    ),
    Holds(
        (
            "torchvision.datasets.EuroSAT",
            "torchvision.datasets.Caltech101",
            "torchvision.datasets.Caltech256",
            "torchvision.datasets.SEMEION",
            "torchvision.datasets.SUN397",
        ),
        gives="all both",
        example=_LOADERS
        + "from torch.utils.data import random_split\nfrom torchvision.datasets import EuroSAT\n"
        + "most, rest = random_split(EuroSAT('d'), [20000, 7000])\n"
        + "loader, tests = DataLoader(most), DataLoader(rest)\n"
        + _LOOP,
        expect=(
            "the loop on the training part of the data set EuroSAT",
            "the loop on the held-out part of the data set EuroSAT",
        ),
    ),
    Makes(
        ("torchtext.data.TabularDataset", "torchtext.legacy.data.TabularDataset"),
        form="file",
        source=("path", 0),
        example="from torchtext.legacy.data import BucketIterator, TabularDataset\n"
        "a, b = TabularDataset(path='films.csv', format='csv').split(split_ratio=[0.8, 0.2])\n"
        "c, d = BucketIterator.splits((a, b), batch_size=16)",
        expect=("a: the training part of the file films.csv", "d: the held-out part of the file films.csv"),
    ),
    Makes(
        ("torchtext.*TabularDataset", "torchtext.*LanguageModelingDataset"),
        methods=("splits",),
        form="file",
        source=("path", 0),
        each=("train", "validation", "test"),
        example="from torchtext.data import BucketIterator, TabularDataset\n"
        "a, b = TabularDataset.splits(path='news', train='a.csv', test='b.csv')\nc = BucketIterator(b, 16)",
        expect=("a: the file news/a.csv", "c: the file news/b.csv"),
    ),
    Makes(
        ("torchtext.*IMDB", "torchtext.*TREC"),
        methods=("splits",),
        gives=("train both", "test both"),
        example="from torchtext.legacy import datasets\na, b = datasets.IMDB.splits(TEXT, LABEL)\nc, d = a.split()",
        expect=(
            "b: the test set",
            "c: the training part of the training set",
            "d: the held-out part of the training set",
        ),
    ),
    Makes(
        ("torchtext.*SST", "torchtext.*SNLI", "torchtext.*Multi30k"),
        methods=("splits",),
        gives=("train both", "validation both", "test both"),
        example="from torchtext import datasets\na, b, c = datasets.SST.splits(TEXT, LABEL)",
        expect=("a: the training set", "b: the validation set", "c: the test set"),
    ),
    Keeps(
        ("torchtext.*BucketIterator", "torchtext.*Iterator"),
        batched=True,
        example="from torchtext.data import Iterator, TabularDataset\n"
        "a, b = TabularDataset.splits(path='news', train='a.csv', test='b.csv')\nc = Iterator(a, 16)",
        expect=("c: the file news/a.csv",),
    ),
    Keeps(
        ("torchtext.*BucketIterator", "torchtext.*Iterator"),
        methods=("splits",),
        several=True,
        batched=True,
        example="from torchtext.legacy.data import BucketIterator, TabularDataset\n"
        "a, b = TabularDataset.splits(path='news', train='a.csv', test='b.csv')\n"
        "c, d = BucketIterator.splits((a, b), batch_size=16)",
        expect=("c: the file news/a.csv", "d: the file news/b.csv"),
    ),
    Keeps(
        ("torchtext.*.Dataset",),
        example="import pandas as pd\nfrom torchtext import data\ntable = pd.read_csv('films.csv')\n"
        "a = data.Dataset([data.Example.fromlist(row, fields) for row in table.values], fields)",
        expect=("a: the file films.csv",),
    ),
    Saves(
        ("torch.save",),
        file=("f", 1),
        example="import torch\nnet = torch.nn.Linear(2, 2)\ntorch.save(net.state_dict(), 'net.pt')",
        expect=("saved in net.pt",),
    ),
    Splits(
        ("torch.utils.data.random_split",),
        counted=True,
        example=_LOADERS
        + "import torch\nimport pandas as pd\nfrom torch.utils.data import TensorDataset, random_split\n"
        + "rows = TensorDataset(torch.tensor(pd.read_csv('pets.csv').values))\n"
        + "a, b = random_split(rows, [80, 20])",
        expect=("a: the training part of the file pets.csv", "b: the held-out part of the file pets.csv"),
    ),
)
