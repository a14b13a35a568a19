"""What the functions that come with Dive into Deep Learning do: data, loops that learn, loops that measure."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import Fact, Keeps, Makes, Runs, Scores
from tinyproof.core.word_sets import words

# What draws, keeps time, makes weights and words, or is a name of torch: nothing is learned or measured in it.
ASIDE = words(
    """
    Accumulator Animator Timer Vocab Benchmark accuracy add_to_class apply argmax arange astype concat corr2d cos
    count_corpus download download_extract download_all DATA_HUB DATA_URL exp eye float32 get_dataloader_workers
    get_fashion_mnist_labels has_axis init_weights int32 int64 linreg log matmul meshgrid normal numpy ones plot plt
    predict_ch3 rand randn read_time_machine reduce_mean reduce_sum relu reshape resnet18 Residual set_axes set_figsize
    sgd show_fashion_mnist show_heatmaps show_images show_trace_2d sin sinh size softmax squared_loss stack
    synthetic_data tanh tensor tokenize transpose truncate_pad try_all_gpus try_gpu use_svg_display zeros zeros_like
    cross_entropy FlattenLayer GlobalAvgPool2d cpu gpu semilogy set_figure transpose
    """
)
_DATA = "from d2l import torch as d2l\nfrom torch import nn\na, b = d2l.load_data_fashion_mnist(batch_size=256)\n"
_NET = "net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))\n"

FACTS: tuple[Fact, ...] = (
    Makes(
        ("d2l.*.load_data_fashion_mnist", "d2lzh_pytorch.*load_data_fashion_mnist"),
        gives=("train both", "test both"),
        batched=True,
        example=_DATA,
        expect=("a: the training set", "b: the test set"),
    ),
    Keeps(
        ("d2l.*.load_array",),
        side="both",
        batched=True,
        example="from d2l import torch as d2l\nimport pandas as pd, torch\ntable = pd.read_csv('rents.csv').values\n"
        "a = d2l.load_array((torch.tensor(table[:, 1:]), torch.tensor(table[:, 0])), 10)",
        expect=("a: the file rents.csv",),
    ),
    Runs(
        (
            "d2l.*.train_ch3",
            "d2l.*.train_ch6",
            "d2l.*.train_ch13",
            "d2lzh_pytorch.*train_ch3",
            "d2lzh_pytorch.*train_ch5",
        ),
        measures=("test_iter", 2),
        example=_DATA + _NET + "d2l.train_ch6(net, a, b, 10, 0.1, d2l.try_gpu())",
        expect=("the loop on the training set", "step on the test set"),
    ),
    Runs(
        ("d2l.*.train_epoch_ch3",),
        example=_DATA + _NET + "d2l.train_epoch_ch3(net, a, loss, updater)",
        expect=("the loop on the training set",),
    ),
    Runs(
        ("d2l.*.evaluate_accuracy", "d2l.*.evaluate_accuracy_gpu", "d2l.*.evaluate_loss"),
        learns=None,
        measures=("data_iter", 1),
        example=_DATA + _NET + "print(d2l.evaluate_accuracy(net, b))",
        expect=("step on the test set",),
    ),
    Runs(
        ("d2lzh_pytorch.*evaluate_accuracy",),
        model=("net", 1),
        learns=None,
        measures=("data_iter", 0),
        example="import d2lzh_pytorch as d2l\nfrom torch import nn\na, b = d2l.load_data_fashion_mnist(256)\n"
        + _NET
        + "print(d2l.evaluate_accuracy(b, net))",
        expect=("step on the test set",),
    ),
    Scores(
        ("d2l.*.accuracy",),
        example=_DATA
        + _NET
        + "hits = count = 0\nfor x, y in b:\n    hits += d2l.accuracy(net(x), y)\n    count += len(y)",
        expect=("the loop on the test set",),
    ),
)
