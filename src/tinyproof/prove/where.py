"""Where the missing runs are trained: in processes of this machine, or on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.core import cluster
from tinyproof.core.errors import InputError
from tinyproof.core.listener import SILENT, Listener
from tinyproof.prove import parallel_runs
from tinyproof.prove.on_cluster import OnCluster
from tinyproof.prove.worker import Work


def train_missing(
    works: Sequence[Work], address: str | None, processes: int | None = None, listener: Listener = SILENT
) -> None:
    """Train every missing seed of the works, in `processes` of this machine (None: all cores) or on the cluster of an
    address. Raises what `parallel_runs.run` raises; InputError where the cluster does not answer."""
    declared = works[0].declared
    if address is None:
        seeds = sum(len(work.seeds) for work in works)
        count, _ = parallel_runs.share_cores(seeds, declared.device, processes, declared.threads)
        parallel_runs.run(works, count, listener)
        return
    with cluster.opened(address) as there:
        place = OnCluster(there, works, listener)
        parallel_runs.run_at(place, works, listener)
        sent, back = there.sent / 1e6, there.received / 1e6
        listener.say(f"to the workers {sent:.2f} MB, back {back:.2f} MB")


def check(address: str | None, processes: int | None) -> None:
    """Raise InputError for what is no cluster, one that does not answer, or processes beside one; MissingDependency."""
    if address is None:
        return
    if processes is not None:
        allowed = "leave --processes or --cluster out: the workers say how many runs are side by side"
        raise InputError("processes", processes, allowed, problem="goes without --cluster")
    cluster.check(address)
