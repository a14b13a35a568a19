"""The data sets that people name: their files, where these come from, and what they are held to.

A SHA-256 (of the unpacked file) stands here only where it was computed on the file itself: MNIST's files, and
Fashion-MNIST's as Debian's package dataset-fashion-mnist has them. Else it is the MD5 of the packed file that its
publisher states: torchvision's documentation of the sets for KMNIST, EMNIST and QMNIST, the page of the set for
CIFAR-10. What a first fetch brings is written down with its SHA-256 and held to it from then on (`fetching`).
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace

from tinyproof.data.dataset import TARGETS, TITLES
from tinyproof.data.reading import Shape


@dataclass(frozen=True)
class PublishedFile:
    """A file of a set: its name without `.gz`, what it holds, its dimensions as an IDX file (0: it is none), the
    SHA-256 of its unpacked content or the MD5 of its packed one, "" where neither is known."""

    name: str
    holds: str
    dimensions: int
    digest: str = ""
    md5: str = ""


@dataclass(frozen=True)
class Archive:
    """One file that holds all files of a set: its name, MD5, and the folder of the files in it."""

    name: str
    md5: str
    inside: str


@dataclass(frozen=True, kw_only=True)
class PublishedSet:
    """A data set by name: training images, training labels, test images, test labels; or batches of both (CIFAR-10).

    `folders`: where torchvision and others put it below a place. `transposed`: its images lie on their sides.
    `first_label`: what its labels count from. `box`: the side that a digit's ink fills, 0 where pictures are no digits.
    """

    name: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]
    folders: tuple[str, ...]
    classes: tuple[str, ...]
    digest_from: str
    archive: Archive | None = None
    shape: Shape = (1, 28, 28)
    normalised_by: tuple[float, float] | None = None
    transposed: bool = False
    first_label: int = 0
    box: int = 0

    @property
    def title(self) -> str:
        """The name for people."""
        return TITLES.get(self.name, self.name)

    @property
    def home(self) -> str:
        """The folder that is kept of it in the user's cache: all of EMNIST has one, and all of QMNIST."""
        return next((name for name in ("emnist", "qmnist") if self.name.startswith(name)), self.name)

    @property
    def target(self) -> float | None:
        """The accuracy that is asked for where nobody names one."""
        return TARGETS.get(self.name)


_DIGITS = tuple(string.digits)
# Upper and lower case are one class where they look alike: 47 classes in place of 62.
_MERGED = (*string.digits, *string.ascii_uppercase, *"abdefghnqrt")
_PARTS = (("train", "training"), ("t10k", "test"))


def _four(digests: tuple[str, ...] = (), md5s: tuple[str, ...] = ()) -> tuple[PublishedFile, ...]:
    """Four files that are called as MNIST's are."""
    found = []
    for part, words in _PARTS:
        found += [(f"{part}-images-idx3-ubyte", f"the {words} images", 3)]
        found += [(f"{part}-labels-idx1-ubyte", f"the {words} labels", 1)]
    none = ("",) * len(found)
    checks = zip(digests or none, md5s or none, strict=True)
    return tuple(PublishedFile(*one, *check) for one, check in zip(found, checks, strict=True))


MNIST = PublishedSet(
    name="mnist",
    files=_four((
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    )),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    folders=("MNIST/raw", "raw", "mnist"),
    classes=_DIGITS,
    digest_from="as published",
    normalised_by=(0.1307, 0.3081),
    box=20,
)  # fmt: skip

FASHION = PublishedSet(
    name="fashion-mnist",
    files=_four(
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    folders=("FashionMNIST/raw", "fashion-mnist", "fashion_mnist", "raw"),
    classes=(
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    digest_from="as computed on Debian's files",
)  # fmt: skip

KMNIST = PublishedSet(
    name="kmnist",
    files=_four(
        md5s=(
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        )
    ),
    mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    folders=("KMNIST/raw", "kmnist", "raw"),
    classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    digest_from="as torchvision states it",
)

_QMNIST_MD5 = {
    "train": ("ed72d4157d28c017586c42bc6afe6370", "0058f8dd561b90ffdd0f734c6a30e5e4"),
    "test": ("1394631089c404de565df7b7aeaf9412", "5b5b05890a5e13444e108efe57b788aa"),
}
QMNIST = PublishedSet(
    name="qmnist",
    files=tuple(
        file
        for part, words in (("train", "training"), ("test", "test"))
        for file in (
            PublishedFile(f"qmnist-{part}-images-idx3-ubyte", f"the {words} images", 3, md5=_QMNIST_MD5[part][0]),
            PublishedFile(f"qmnist-{part}-labels-idx2-int", f"the {words} labels", 2, md5=_QMNIST_MD5[part][1]),
        )
    ),
    mirrors=("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
    folders=("QMNIST/raw", "qmnist", "raw"),
    classes=_DIGITS,
    digest_from="as torchvision states it",
    normalised_by=(0.1307, 0.3081),
    box=20,
)


def _emnist(split: str, classes: tuple[str, ...], first_label: int = 0) -> PublishedSet:
    """One of six ways to divide EMNIST. Source of the box, a border of two pixels: Cohen et al., arXiv 1702.05373."""
    return PublishedSet(
        name=f"emnist-{split}",
        files=tuple(
            PublishedFile(f"emnist-{split}-{part}-{kind}", f"the {words} {what}", deep)
            for part, words in (("train", "training"), ("test", "test"))
            for kind, what, deep in (("images-idx3-ubyte", "images", 3), ("labels-idx1-ubyte", "labels", 1))
        ),
        mirrors=(
            "https://biometrics.nist.gov/cs_links/EMNIST/",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
        ),
        folders=("EMNIST/raw", "emnist", "raw", "EMNIST/raw/gzip", "gzip"),
        classes=classes,
        digest_from="as torchvision states it",
        archive=Archive("gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e", "gzip/"),
        transposed=True,
        first_label=first_label,
        box=24,
    )


EMNIST = (
    _emnist("balanced", _MERGED),
    _emnist("byclass", (*string.digits, *string.ascii_uppercase, *string.ascii_lowercase)),
    _emnist("bymerge", _MERGED),
    _emnist("digits", _DIGITS),
    _emnist("letters", tuple(string.ascii_lowercase), first_label=1),
    _emnist("mnist", _DIGITS),
)

CIFAR10 = PublishedSet(
    name="cifar-10",
    files=(
        *(PublishedFile(f"data_batch_{number}.bin", "training images and labels", 0) for number in range(1, 6)),
        PublishedFile("test_batch.bin", "the test images and labels", 0),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    folders=("cifar-10-batches-bin", "cifar-10", "cifar-10/cifar-10-batches-bin"),
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    digest_from="as the page of the set states it",
    archive=Archive("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", "cifar-10-batches-bin/"),
    shape=(3, 32, 32),
)

SETS: dict[str, PublishedSet] = {one.name: one for one in (MNIST, FASHION, KMNIST, QMNIST, *EMNIST, CIFAR10)}
# Test images beside those of a set: QMNIST's that are not MNIST's. They follow MNIST's 10,000 in the same files.
TEST50K = replace(QMNIST, name="qmnist-test50k", files=QMNIST.files[2:])
TEST50K_FROM = 10_000
