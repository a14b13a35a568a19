"""The picture of a search: every candidate by its cost and its held-out accuracy, the front drawn through the best."""

from __future__ import annotations

from tinyproof.search.front import evened
from tinyproof.search.searched import Searched, known_of
from tinyproof.show import plots
from tinyproof.show.plots import ACCENT, BAD, GOOD, INK, QUIET


def front(found: Searched) -> bytes:
    """PNG bytes; the cost on a logarithmic axis."""
    seeds = (
        known_of(found.question, found.contenders, found.runs).rungs[-1].seeds
    )  # what confirms the front comes later
    scores = {name: {seed: x for seed, x in one.items() if seed < seeds} for name, one in found.runs.scores.items()}
    means = evened(scores)
    costs = {one.name: one.cost(found.question.by) for one in found.contenders}
    last = {name for decision in found.course.decisions[1:] for name in (one.name for one in decision.standings)}
    figure, axes = plots.figure(8, 4.2)
    axis = axes[0]
    for names, colour, label in (
        ([name for name in means if name not in last], QUIET, "thrown out after the first rung"),
        ([name for name in means if name in last], ACCENT, "went on"),
    ):
        axis.scatter([costs[name] for name in names], [means[name] for name in names], s=26, color=colour, label=label)
    points = found.course.front
    axis.step(
        [one.cost for one in points], [one.mean for one in points], where="post", color=INK, lw=1.4, label="front"
    )
    if found.winner is not None:
        place = costs[found.winner.name], means[found.winner.name]
        axis.plot(*place, marker="D", ms=10, mfc="none", mec=GOOD, mew=2, ls="", label="winner")
    axis.axhline(found.question.target, color=BAD, ls="--", lw=1.2, label=f"target {found.question.target:g} %")
    axis.set_xscale("log")
    axis.set_xlabel(found.question.by if found.question.by == "parameters" else "multiply-adds of an image")
    axis.set_ylabel("held-out accuracy, %")
    axis.grid(color="#e3e7eb", lw=0.8)
    axis.legend(fontsize=8)
    return plots.png(figure)
