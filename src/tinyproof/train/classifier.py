"""The stored network of a run, loaded once, for pictures that were made inputs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.files import read_bounded, sha256
from tinyproof.network import model_name, own_files
from tinyproof.train import store
from tinyproof.train.environment import need_torch
from tinyproof.train.run_record import Run

_AT_ONCE = 256


class Classifier:
    """`record`: the run. Raises DataError where there is no run or its weights do not fit, InputError without `model`
    (`path/to/model.py:Class`) where the run trained a network of your own.
    """

    def __init__(self, folder: Path, model: str | None = None) -> None:
        need_torch("predicting")
        from tinyproof.network import nets

        self.folder, self.record = folder, store.load(folder)
        content = read_bounded(folder / store.WEIGHTS, 2_000_000_000)
        if sha256(content) != self.record.weights_digest:
            raise DataError(
                str(folder / store.WEIGHTS), "is not the file that this run wrote", "train again with --force"
            )
        trained = self.record.identity.model
        if model is None and trained not in nets.NETS:
            # The record names a Python file; a record from a stranger must not decide what is run here.
            raise InputError("model", trained, "name its file with --model", problem="is no network of ours")
        self._name = model_name.like(model, trained) if model else trained
        self._module = _module(folder, self.record, self._name)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of each class, [N, classes], for images [N, channels, height, width]. Raises DataError."""
        parts = [self._probabilities(images[at : at + _AT_ONCE]) for at in range(0, len(images), _AT_ONCE)]
        found = np.concatenate(parts)
        self._same_files()
        if not np.isfinite(found).all():
            raise DataError(str(self.folder / store.WEIGHTS), "give no probabilities: they hold what is no number")
        return found

    def _probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch
        from torch.nn import functional as F

        from tinyproof.train import rehearse

        statistics = (self.record.mean, self.record.std)
        mean, std = (torch.tensor(np.atleast_1d(value), dtype=torch.float32)[:, None, None] for value in statistics)
        with rehearse.own_errors(self._name), torch.inference_mode():
            answer = self._module((torch.from_numpy(images).float() / 255 - mean) / std)
            found: NDArray[np.float32] = F.softmax(F.log_softmax(answer, 1), 1).numpy()
        return found

    def _same_files(self) -> None:
        """Raise DataError where a network of somebody's own is made of other files than the run says."""
        from tinyproof.network import own_network

        identity, read = self.record.identity, own_files.digests(own_network.files_of(self._module))
        main = model_name.file_of(self._name).name
        told = own_files.against(self.record.model_files, identity.model_digest, read, main) if read else []
        if told:
            raise DataError(self._name, f"is not the network that this run trained: {', '.join(told)}")


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread inside, where other processes have work for the other cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _module(folder: Path, record: Run, name: str) -> Any:
    import torch

    from tinyproof.network import nets

    module = nets.build(name, 0, record.shape, len(record.classes))
    try:
        module.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in store.load_weights(folder).items()})
    except RuntimeError as error:
        raise DataError(str(folder / store.WEIGHTS), f"do not fit the network {record.identity.model}") from error
    return module.eval()
