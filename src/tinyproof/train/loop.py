"""Train one network by one recipe from one seed: a loop that reads from top to bottom.

The order of the images, their changes and the rates are drawn here in numpy, so every engine does the same work. After
each epoch a checkpoint is written; a run that was stopped, or killed, goes on from it with the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tinyproof.core.errors import InputError, Stopped, TinyproofError
from tinyproof.core.fields import whole
from tinyproof.core.files import sha256
from tinyproof.core.listener import SILENT, Listener, Progress
from tinyproof.data.dataset import Dataset
from tinyproof.network import anatomy, model_name, nets, own_files, own_network
from tinyproof.train import checkpoint, environment, rehearse, store
from tinyproof.train.augment import draw
from tinyproof.train.checkpoint import Checkpoint
from tinyproof.train.computes import code_digest
from tinyproof.train.engine import Batch, Engine, Evaluation, Tally, choose
from tinyproof.train.origin import Origin
from tinyproof.train.recipe import Recipe
from tinyproof.train.run_record import EpochLog, Identity, Predictions, Run
from tinyproof.train.schedule import rates

# Streams of random numbers of one epoch; each is a generator of its own, so that one cannot disturb another.
_ORDER, _AUGMENT, _DROPOUT = 0, 1, 2


# After an epoch (from 1), before its checkpoint: more may be evaluated then.
AfterEpoch = Callable[[int, Engine], None]


class Diverged(TinyproofError):
    """The loss is not a number any more; the message says at which step, and the likely cause."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished run with its network (evaluation mode, final weights); `reused`: it was found, not trained."""

    run: Run
    module: nn.Module
    predictions: Predictions
    reused: bool = False


def train(
    model: str,
    recipe: Recipe,
    dataset: Dataset,
    seed: int = 0,
    *,
    folder: Path | None = None,
    engine: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    test_each_epoch: bool = True,
    keep_weights: bool = True,
    declaration: str = "",
    files: Mapping[str, str] | None = None,
    after_epoch: AfterEpoch = lambda epoch, engine: None,
    listener: Listener = SILENT,
) -> Trained:
    """Train `model` (a name, or `path/to/model.py:Class`) and return its run, network and predictions.

    `folder`: where the run is kept, and gone on with or found again; None keeps nothing. `test_each_epoch=False` looks
    at the test images only once, after the last epoch. `declaration`: a digest to keep in the record. `files`: digests
    of the local files that a network of your own must be made of. `after_epoch(epoch from 1, engine)` may evaluate
    more, before the checkpoint. Raises Diverged, Stopped (Ctrl-C), InputError when the folder holds another run.

    >>> from dataclasses import replace
    >>> from tinyproof.data.dataset import subset
    >>> from tinyproof.data.load import load_digits
    >>> from tinyproof.train import recipe
    >>> few = subset(load_digits(), 256, 64)
    >>> short = replace(recipe.named("s6-19k"), epochs=1)
    >>> train("s6-19k", short, few, seed=1, engine="torch", threads=1).run.test_count
    64
    """
    whole("seed", seed, 0, 2**31 - 1)
    with rehearse.own_errors(model):
        module, worker, reason = prepare(model, recipe, dataset, seed, engine, device, threads)
        digests = own_files.digests(own_network.files_of(module))
        own_network.expect(model, files, digests)
        identity = Identity(
            model=model,
            model_digest=own_files.digest(digests),
            recipe=recipe,
            seed=seed,
            dataset=dataset.name,
            held_out=dataset.held_out,
            data_digest=dataset.digest,
            engine=worker.name,
            device=worker.device,
            threads=worker.threads,
        )
        listener.say(f"engine: {reason}")
        origin = Origin(identity, code_digest(model, worker.name), environment.versions(worker.name), digests)
        job = _Job(
            origin=origin,
            module=module,
            engine=worker,
            reason=reason,
            dataset=dataset,
            test_each_epoch=test_each_epoch,
            keep_weights=keep_weights,
            declaration=declaration,
            after_epoch=after_epoch,
            listener=listener,
        )
        if folder is None:
            return _work(job, None)
        with store.locked(folder):
            if store.finished(folder):
                return _found(job, folder)
            return _work(job, folder)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Job:
    origin: Origin
    module: nn.Module
    engine: Engine
    reason: str
    dataset: Dataset
    test_each_epoch: bool
    keep_weights: bool
    declaration: str
    after_epoch: AfterEpoch
    listener: Listener

    @property
    def identity(self) -> Identity:
        return self.origin.identity


def prepare(
    model: str, recipe: Recipe, dataset: Dataset, seed: int, engine: str, device: str, threads: int | None
) -> tuple[nn.Module, Engine, str]:
    """The network with its first weights, the engine that will train it, and one line that says why that engine."""
    where = environment.device(device)
    module = nets.build(model, seed, dataset.shape, len(dataset.classes))
    nets.set_dropout(module, recipe.dropout)
    rehearse.check(model, module, dataset)
    kind, reason = choose(engine, module, recipe, where, dataset.train_images.shape)
    extra: dict[str, Any] = {"device": where} if kind.__name__ == "TorchEngine" else {}
    worker: Engine = kind(module, recipe, dataset, seed, threads=threads, **extra)
    return module, worker, reason


def _work(job: _Job, folder: Path | None) -> Trained:
    """Every epoch that is not done yet, then the last look at the test images and the record."""
    recipe, dataset, engine = job.identity.recipe, job.dataset, job.engine
    started, logs, spent = _resume(job, folder)
    if folder is not None and not job.declaration:  # a proof keeps them once, beside its declaration
        own_files.keep(folder, own_network.files_of(job.module))
    steps = math.ceil(len(dataset.train_images) / recipe.batch_size)
    rate_of = rates(recipe, steps)
    last: Evaluation | None = None
    for epoch in range(len(logs), recipe.epochs):
        begun = time.perf_counter()
        try:
            tally = _epoch(job, epoch, steps, rate_of)
            seconds = time.perf_counter() - begun
            final = epoch + 1 == recipe.epochs
            last = engine.evaluate(dataset.test_images, dataset.test_labels) if job.test_each_epoch or final else None
        except KeyboardInterrupt:
            raise Stopped(_stopped(epoch, recipe.epochs, folder)) from None
        logs.append(_log(epoch, rate_of[(epoch + 1) * steps - 1], tally, last, dataset, seconds))
        spent += time.perf_counter() - begun
        job.listener.say(logs[-1].line(recipe.epochs))
        job.after_epoch(epoch + 1, engine)
        if folder is not None and not final:
            checkpoint.save(folder, job.origin, Checkpoint(started, tuple(logs), spent, engine.state()))
    assert last is not None
    return _finish(job, folder, started, tuple(logs), spent, last)


def _epoch(job: _Job, epoch: int, steps: int, rate_of: np.ndarray[Any, Any]) -> Tally:
    """All images once, in a fresh order, each changed anew."""
    recipe, seed = job.identity.recipe, job.identity.seed
    count, size = len(job.dataset.train_images), recipe.batch_size
    order = _generator(seed, epoch, _ORDER).permutation(count)
    progress = (epoch * steps + np.arange(count) // size) / (recipe.epochs * steps)
    transforms = draw(recipe.augment, count, _generator(seed, epoch, _AUGMENT), progress, job.dataset.shape[1:])
    noise = _generator(seed, epoch, _DROPOUT).integers(0, 2**31, steps)
    # Reading the sums makes an accelerator wait, so it is asked less often.
    every = 1 if job.engine.device == "cpu" else 20
    total = Tally(0.0, 0, 0)
    for step in range(steps):
        start, stop = step * size, min((step + 1) * size, count)
        changed = None if transforms is None else transforms.part(start, stop)
        job.engine.step(Batch(order[start:stop], changed, int(noise[step])), float(rate_of[epoch * steps + step]))
        if (step + 1) % every == 0 or step + 1 == steps:
            new = job.engine.tally()
            if not math.isfinite(new.loss_sum):
                raise Diverged(_diverged(epoch, step, every, recipe, float(rate_of[epoch * steps + step])))
            total = Tally(total.loss_sum + new.loss_sum, total.correct + new.correct, total.count + new.count)
            job.listener.progress([_progress(job, epoch, (step + 1) / steps, total)])
    return total


def _progress(job: _Job, epoch: int, share: float, tally: Tally) -> Progress:
    """How far the run has come: `epoch` from 0, the share of it that is done, the sums of that part."""
    words = f"epoch {epoch + 1}/{job.identity.recipe.epochs}  loss {tally.loss_sum / tally.count:.4f}"
    return Progress(name=f"seed {job.identity.seed}", done=epoch + share, of=job.identity.recipe.epochs, words=words)


def _finish(
    job: _Job, folder: Path | None, started: str, logs: tuple[EpochLog, ...], spent: float, last: Evaluation
) -> Trained:
    job.engine.write_back()
    job.module.to("cpu").eval()
    predictions = Predictions.of(last.log_probabilities, job.dataset.test_labels)
    weights = {name: value.numpy() for name, value in job.module.state_dict().items()}
    shape = anatomy.summary(job.module, job.dataset.shape)
    # A file that was imported later than the first steps is in no digest.
    own_network.expect(job.identity.model, job.origin.files, own_files.digests(own_network.files_of(job.module)))
    run = Run(
        identity=job.identity,
        epochs=logs,
        correct=predictions.correct,
        test_count=len(job.dataset.test_labels),
        train_count=len(job.dataset.train_labels),
        test_loss=predictions.loss,
        parameters=shape.parameters,
        macs=shape.facts().macs,
        weight_bytes=shape.weight_bytes,
        kinds=shape.facts().kinds,
        dropout_active=shape.dropout_active,
        global_average_pooling=shape.global_average_pooling,
        seconds=spent,
        started=started,
        code_digest=job.origin.code,
        predictions_digest=predictions.digest,
        classes=job.dataset.classes,
        mean=job.dataset.mean,
        std=job.dataset.std,
        reading=job.dataset.reading,
        weights_digest=sha256(store.weight_bytes(weights)) if job.keep_weights and folder else "",
        engine_reason=job.reason,
        versions=dict(job.origin.versions),
        hardware=environment.hardware(job.identity.device),
        declaration=job.declaration,
        model_files=dict(job.origin.files),
    )
    if folder is not None:
        store.save(folder, run, predictions, weights if job.keep_weights else None)
    return Trained(run, job.module, predictions)


def _resume(job: _Job, folder: Path | None) -> tuple[str, list[EpochLog], float]:
    """When it started, the epochs that are done and the seconds they took; the engine is put where they ended."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    saved = checkpoint.load(folder, job.origin) if folder is not None else None
    if saved is None:
        return now, [], 0.0
    job.engine.restore(saved.state)
    done, epochs = len(saved.epochs), job.identity.recipe.epochs
    job.listener.say(f"going on after epoch {done} of {epochs}, from the checkpoint in {folder}")
    return saved.started, [*saved.epochs], saved.seconds


def _found(job: _Job, folder: Path) -> Trained:
    """The finished run in the folder, when it is this one."""
    run = store.load(folder)
    different = [name for name in job.identity.differences(run.identity) if name != "model_digest"]
    read, main = job.origin.files, model_name.file_of(job.identity.model).name
    files = own_files.against(run.model_files, run.identity.model_digest, read, main) if read else []
    if different or files:
        words = [{"threads": "number of threads"}.get(name, name) for name in different]
        told = [f"another {', '.join(words)}"] if different else []
        problem = f"holds a finished run{' with' if different else ':'} {', and '.join([*told, *files])}"
        raise InputError("out", str(folder), "name a new folder, or replace that run with --force", problem=problem)
    weights = {name: torch.from_numpy(value.copy()) for name, value in store.load_weights(folder).items()}
    job.module.to("cpu").load_state_dict(weights)
    job.module.eval()
    return Trained(run, job.module, store.load_predictions(folder), reused=True)


def _log(epoch: int, rate: float, tally: Tally, last: Evaluation | None, dataset: Dataset, seconds: float) -> EpochLog:
    test_loss = test_percent = None
    if last is not None:
        count = len(dataset.test_labels)
        test_loss = last.loss_sum / count
        test_percent = 100.0 * int((last.log_probabilities.argmax(1) == dataset.test_labels).sum()) / count
    return EpochLog(
        epoch + 1, float(rate), tally.loss_sum / tally.count, 100.0 * tally.correct / tally.count,
        test_loss, test_percent, seconds,
    )  # fmt: skip


def _generator(seed: int, epoch: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch, stream))))


def _stopped(epoch: int, epochs: int, folder: Path | None) -> str:
    if folder is None:
        return f"stopped in epoch {epoch + 1} of {epochs}; nothing was kept, because no folder was given"
    if epoch == 0:
        return f"stopped in epoch 1 of {epochs}; no epoch was finished, so the same command starts again"
    return f"stopped in epoch {epoch + 1} of {epochs}; what is done is kept in {folder}: the same command goes on there"


def _diverged(epoch: int, step: int, every: int, recipe: Recipe, rate: float) -> str:
    steps = f"step {step + 1}" if every == 1 else f"the {every} steps up to {step + 1}"
    return (
        f"training diverged: the loss is not a number at {steps} of epoch {epoch + 1}, learning rate {rate:.3g}; the "
        f"likely cause is a rate too high for this network (recipe {recipe.name}: {recipe.rate:g}); try a tenth of it"
    )
