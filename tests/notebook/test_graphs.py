"""Graphs: the nodes that a mask picks are learned from, measured on, or both, which is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_listed_folders import errors, judged

NODES = """# %%
import torch
import torch.nn.functional as F
import torch_geometric.transforms as T
from torch_geometric.datasets import Planetoid
from torch_geometric.nn import GCNConv
torch.manual_seed(3)
nodes = Planetoid(root='cites', name='Cora', transform=T.NormalizeFeatures())
graph = nodes[0].to('cuda')
class Net(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = GCNConv(nodes.num_features, width)
        self.second = GCNConv(width, nodes.num_classes)
    def forward(self, data):
        x, edges = data.x, data.edge_index
        return self.second(F.dropout(self.first(x, edges).relu(), training=self.training), edges)
net = Net(16)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
"""
LEARN = """for epoch in range(200):
    net.train()
    opt.zero_grad()
    out = net(graph)
    F.cross_entropy(out[graph.train_mask], graph.y[graph.train_mask]).backward()
    opt.step()
"""
ASK = """net.eval()
said = net(graph).argmax(dim=1)
hits = (said[graph.test_mask] == graph.y[graph.test_mask]).sum()
print(f'test accuracy {int(hits) / int(graph.test_mask.sum()):.4f}')
"""
BOOK = NODES + LEARN + ASK
EQUAL = "(said[graph.test_mask] == graph.y[graph.test_mask])"
ORDER = "order = torch.randperm(2708)\n"
EMPTY = "torch.zeros(2708, dtype=torch.bool)\n"


def own_masks(known: str, asked: str) -> str:
    made = f"graph.train_mask = {EMPTY}graph.train_mask[{known}] = True\n"
    return NODES + ORDER + made + f"graph.test_mask = {EMPTY}graph.test_mask[{asked}] = True\n" + LEARN + ASK


def by_places(known: str, asked: str) -> str:
    text = NODES + ORDER + f"known, asked = {known}, {asked}\n" + LEARN + ASK
    text = text.replace("int(graph.test_mask.sum())", "len(asked)")
    return text.replace("graph.train_mask", "known").replace("graph.test_mask", "asked")


@pytest.mark.parametrize(
    "text",
    [
        BOOK,
        BOOK.replace(EQUAL, "said[graph.test_mask].eq(graph.y[graph.test_mask])"),
        BOOK.replace("nodes[0].to('cuda')", "T.RandomNodeSplit(num_val=0.1, num_test=0.2)(nodes[0])"),
        BOOK.replace("net = Net(16)", "graph.test_mask = ~graph.train_mask\nnet = Net(16)"),
        own_masks(":1000", "1500:"),
        own_masks("order[:2000]", "order[2000:]"),
        by_places("order[:2000]", "order[2000:]"),
        by_places("torch.LongTensor(range(140))", "torch.LongTensor(range(500, 1500))"),
    ],
)
def test_nodes_held_out_by_a_mask_are_measured_on(text: str, tmp_path: Path) -> None:
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("right", []), report.problem
    assert report.checked


@pytest.mark.parametrize(
    "text",
    [
        BOOK.replace("test_mask", "train_mask"),
        BOOK.replace("train_mask", "test_mask"),
        BOOK.replace("out[graph.train_mask], graph.y[graph.train_mask]", "out, graph.y"),
        BOOK.replace("graph.train_mask", "graph.train_mask | graph.test_mask"),
        BOOK.replace("net = Net(16)", "graph.test_mask = graph.train_mask\nnet = Net(16)"),
        own_masks("order[:2000]", "order[:700]"),
        by_places("torch.LongTensor(range(1000))", "torch.LongTensor(range(500))"),
    ],
)
def test_nodes_that_were_learned_from_are_no_test(text: str, tmp_path: Path) -> None:
    report = judged(text, tmp_path)
    assert (report.status, errors(report)) == ("wrong", ["evaluates-on-training-data"]), report.problem


@pytest.mark.parametrize(
    "text",
    [
        own_masks(":1600", "1500:"),
        own_masks("which", "1500:"),
        BOOK.replace("net = Net(16)", "graph.train_mask[:] = True\nnet = Net(16)"),
        BOOK.replace("net = Net(16)", f"graph.train_mask = {EMPTY}graph.train_mask[:] = True\nnet = Net(16)"),
        BOOK.replace("said[graph.test_mask] == graph.y[graph.test_mask]", "said == graph.y"),
        by_places("torch.LongTensor(range(1000))", "torch.LongTensor(range(500, 1500))"),
    ],
)
def test_masks_of_which_some_nodes_may_be_in_both_are_never_right(text: str, tmp_path: Path) -> None:
    assert judged(text, tmp_path).status in ("undecided", "wrong")


def test_labels_of_other_nodes_are_told(tmp_path: Path) -> None:
    text = BOOK.replace("== graph.y[graph.test_mask]", "== graph.y[graph.train_mask]")
    assert errors(judged(text, tmp_path)) == ["labels-of-other-rows"]


KEPT = """best = told = 0
for epoch in range(200):
    net.train()
    opt.zero_grad()
    F.cross_entropy(net(graph)[graph.train_mask], graph.y[graph.train_mask]).backward()
    opt.step()
    net.eval()
    with torch.no_grad():
        said, figures = net(graph).argmax(dim=-1), []
        for mask in (graph.val_mask, graph.test_mask):
            figures.append(int((said[mask] == graph.y[mask]).sum()) / int(mask.sum()))
    held, now = figures
    if held > best:
        best, told = held, now
        torch.save(net.state_dict(), 'net.pt')
print('accuracy', told)
"""


def test_the_epoch_may_be_chosen_by_the_validation_mask_and_not_by_the_test_mask(tmp_path: Path) -> None:
    assert judged(NODES + KEPT, tmp_path / "right").status == "right"
    wrong = NODES + KEPT.replace("held, now = figures", "now, held = figures")
    report = judged(wrong, tmp_path / "wrong")
    assert report.status == "undecided" or "test-set-chooses" in [f.rule for f in report.findings], report.findings


BATCHES = """# %%
import torch
import torch.nn.functional as F
from torch_geometric.datasets import Reddit
from torch_geometric.loader import NeighborLoader
from torch_geometric.nn import SAGEConv
torch.manual_seed(1)
graph = Reddit('d')[0]
learning = NeighborLoader(graph, num_neighbors=[9], input_nodes=graph.train_mask, batch_size=64, shuffle=True)
asking = NeighborLoader(graph, num_neighbors=[9], input_nodes=graph.test_mask, batch_size=64)
net = SAGEConv(602, 41)
opt = torch.optim.Adam(net.parameters())
net.train()
for batch in learning:
    opt.zero_grad()
    F.cross_entropy(net(batch.x, batch.edge_index)[:batch.batch_size], batch.y[:batch.batch_size]).backward()
    opt.step()
net.eval()
hits = total = 0
with torch.no_grad():
    for batch in asking:
        said = net(batch.x, batch.edge_index)[:batch.batch_size].argmax(1)
        hits += (said == batch.y[:batch.batch_size]).sum().item()
        total += batch.batch_size
print('test accuracy', hits / total)
"""


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (("", ""), "right"),
        ((" input_nodes=graph.train_mask,", ""), "wrong"),
        (("input_nodes=graph.test_mask", "input_nodes=graph.train_mask"), "wrong"),
        (("input_nodes=graph.train_mask", "input_nodes=graph.test_mask"), "wrong"),
        (("input_nodes=graph.train_mask", "input_nodes=places"), "undecided"),
    ],
)
def test_loaders_of_the_neighbours_of_nodes(edit: tuple[str, str], status: str, tmp_path: Path) -> None:
    assert judged(BATCHES.replace(*edit), tmp_path).status == status


MASKED = """for batch in DataLoader(nodes):
    opt.zero_grad()
    F.cross_entropy(net(batch)[batch.train_mask], batch.y[batch.train_mask]).backward()
    opt.step()
net.eval()
hits = total = 0
with torch.no_grad():
    for batch in DataLoader(nodes):
        hits += (net(batch).argmax(1)[batch.test_mask] == batch.y[batch.test_mask]).sum().item()
        total += batch.test_mask.sum().item()
print('test accuracy', hits / total)
"""


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (("", ""), "right"),
        (("test_mask", "train_mask"), "wrong"),
        (("train_mask", "test_mask"), "wrong"),
        (("net(batch)[batch.train_mask], batch.y[batch.train_mask]", "net(batch), batch.y"), "wrong"),
    ],
)
def test_of_the_batches_of_a_graph_a_mask_lets_some_nodes_through(
    edit: tuple[str, str], status: str, tmp_path: Path
) -> None:
    text = NODES + "from torch_geometric.loader import DataLoader\n" + MASKED.replace(*edit)
    assert judged(text, tmp_path).status == status


GRAPHS = """# %%
import torch
from torch_geometric.datasets import TUDataset
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GCNConv, global_mean_pool
torch.manual_seed(1)
graphs = TUDataset(root='d', name='MUTAG').shuffle()
learning, asking = DataLoader(graphs[:150], batch_size=32, shuffle=True), DataLoader(graphs[150:], batch_size=32)
net = GCNConv(7, 2)
opt = torch.optim.Adam(net.parameters())
net.train()
for data in learning:
    opt.zero_grad()
    torch.nn.functional.cross_entropy(global_mean_pool(net(data.x, data.edge_index), data.batch), data.y).backward()
    opt.step()
net.eval()
hits = 0
with torch.no_grad():
    for data in asking:
        hits += int((global_mean_pool(net(data.x, data.edge_index), data.batch).argmax(1) == data.y).sum())
print('test accuracy', hits / len(asking.dataset))
"""


def test_graphs_are_rows_of_a_data_set(tmp_path: Path) -> None:
    assert judged(GRAPHS, tmp_path / "right").status == "right"
    same = GRAPHS.replace("DataLoader(graphs[150:]", "DataLoader(graphs[:100]")
    assert errors(judged(same, tmp_path / "same")) == ["evaluates-on-training-data"]
    across = GRAPHS.replace("DataLoader(graphs[150:]", "DataLoader(graphs[100:]")
    assert judged(across, tmp_path / "across").status in ("wrong", "undecided")
