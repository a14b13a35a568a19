"""Graphs as data sets (PyTorch Geometric, DGL, OGB): nodes of one graph with masks, or many graphs."""

from __future__ import annotations

from collections.abc import Mapping

from tinyproof.check.code.library.facts.fact import Fact, Holds, Makes, Shape

_KINDS = (("train", "train"), ("val", "validation"), ("test", "test"))
_MASKS: Mapping[str, Shape] = {f"{name}_mask": f"{kind} mask" for name, kind in _KINDS}
_NODES: Mapping[str, Shape] = {"x": "all x", "y": "all y", **_MASKS}
_WITHOUT: Mapping[str, Shape] = {"x": "all x", "y": "all y"}
_LOOP = (
    "loss = F.cross_entropy(net(graph.x, graph.edge_index)[graph.train_mask], graph.y[graph.train_mask])\n"
    "loss.backward()\n"
    "hits = (net(graph.x, graph.edge_index).argmax(1)[graph.test_mask] == graph.y[graph.test_mask]).sum()\n"
)
_NET = "import torch\nimport torch.nn.functional as F\nfrom torch_geometric.nn import GCN\nnet = GCN(9, 9, 2, 7)\n"

FACTS: tuple[Fact, ...] = (
    Makes(
        tuple(f"torch_geometric.datasets.{name}" for name in ("Planetoid", "CitationFull", "Amazon", "Coauthor")),
        gives={"0": _NODES, **_NODES},
        source=("name", 1),
        example=_NET
        + "from torch_geometric.datasets import Planetoid\ngraph = Planetoid('d', name='Cora')[0].to('cuda')\n"
        + _LOOP,
        expect=("the loop on the training part of the data set Cora", "== on the test part of the data set Cora"),
    ),
    Makes(
        tuple(
            f"torch_geometric.datasets.{name}"
            for name in ("Reddit", "Reddit2", "Flickr", "Yelp", "KarateClub", "WikiCS", "Actor", "FacebookPagePage")
        ),
        gives={"0": _NODES, **_NODES},
        example=_NET + "from torch_geometric.datasets import Flickr\ngraph = Flickr('d')[0]\n" + _LOOP,
        expect=("the loop on the training part of the data set Flickr", "== on the test part of the data set Flickr"),
    ),
    Makes(
        ("dgl.data.*GraphDataset", "dgl.data.RedditDataset", "dgl.data.load_data"),
        gives={"0": {"ndata": {"feat": "all x", "label": "all y", **_MASKS}}},
        example="import torch.nn.functional as F\nfrom dgl.data import CoraGraphDataset\nfrom dgl.nn import GraphConv\n"
        "net, g = GraphConv(9, 7), CoraGraphDataset()[0]\nlabels = g.ndata['label']\nknown = g.ndata['train_mask']\n"
        "F.cross_entropy(net(g, g.ndata['feat'])[known], labels[known]).backward()",
        expect=("the loop on the training part of the data set CoraGraphDataset",),
    ),
    Makes(
        ("ogb.nodeproppred.*NodePropPredDataset",),
        gives={
            "0": _WITHOUT,
            "get_idx_split": {"train": "train index", "valid": "validation index", "test": "test index"},
        },
        source=("name", 0),
        example="import torch\nimport torch.nn.functional as F\nfrom ogb.nodeproppred import PygNodePropPredDataset\n"
        "nodes = PygNodePropPredDataset(name='ogbn-arxiv')\nparts, graph = nodes.get_idx_split(), nodes[0]\n"
        "net = torch.nn.Linear(9, 7)\nknown = parts['train']\n"
        "F.cross_entropy(net(graph.x)[known], graph.y[known]).backward()",
        expect=("the loop on the training part of the data set ogbn-arxiv",),
    ),
    Holds(
        ("torch_geometric.datasets.PPI", "torch_geometric.datasets.ZINC", "torch_geometric.datasets.MNISTSuperpixels"),
        part=("split", 1),
        example="import torch\nfrom torch_geometric.datasets import PPI\nfrom torch_geometric.loader "
        "import DataLoader\nnet = torch.nn.Linear(50, 121)\nfor graph in DataLoader(PPI('d', split='val')):\n"
        "    hits += (net(graph.x).argmax(1) == graph.y).sum()",
        expect=("the loop on the validation set",),
    ),
    Makes(
        tuple(f"torch_geometric.datasets.{name}" for name in ("TUDataset", "MoleculeNet", "QM9")),
        source=("name", 1),
        example="from torch_geometric.datasets import TUDataset\nfrom torch_geometric.loader import DataLoader\n"
        "graphs = TUDataset('d', name='MUTAG').shuffle()\nknown, asked = graphs[:150], graphs[150:]",
        expect=("known: a part of the data set MUTAG", "asked: a part of the data set MUTAG"),
    ),
    Makes(
        ("ogb.graphproppred.*GraphPropPredDataset",),
        source=("name", 0),
        example="from ogb.graphproppred import PygGraphPropPredDataset as Graphs\n"
        "graphs = Graphs('ogbg-molhiv')\nplaces = graphs.get_idx_split()\nasked = graphs[places['test']]",
        expect=("asked: the test part of the data set ogbg-molhiv",),
    ),
)
