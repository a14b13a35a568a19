"""The torch engine: the data set lies on the device as bytes, whole batches are changed as tensors, no DataLoader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.core.errors import InputError
from tinyproof.data.dataset import Dataset
from tinyproof.train.augment import Transforms, borders
from tinyproof.train.engine import Batch, Evaluation, Tally
from tinyproof.train.recipe import Recipe


class TorchEngine:
    """Trains `module` with PyTorch on any device; see `tinyproof.train.engine.Engine` for what each method does."""

    name = "torch"

    def __init__(
        self,
        module: nn.Module,
        recipe: Recipe,
        dataset: Dataset,
        seed: int = 0,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.threads = torch.get_num_threads()
        self.device = device
        self._module = module
        self._recipe = recipe
        mean, std = (torch.tensor(255.0 * values, dtype=torch.float32) for values in dataset.normalisation)
        self._mean, self._std = (values.to(device)[:, None, None] for values in (mean, std))
        # The images stay bytes until a batch is made of them.
        self._images = torch.from_numpy(dataset.train_images).to(device)
        edges = None if recipe.augment.nothing else torch.from_numpy(borders(dataset.train_images))
        self._borders = None if edges is None else edges.to(device)
        self._labels = torch.from_numpy(dataset.train_labels).to(device)
        self._arrange()
        self._optimizer = _optimizer(module, recipe)
        self._steps = 0
        self._averaged = [t.detach().clone() for t in self._live()] if recipe.ema is not None else []
        self._clear()

    def _arrange(self) -> None:
        """Lay the weights out channels-last where the network takes that, else contiguous.

        Channels-last memory and the fused optimisers are PyTorch's quickest here (benchmarks/training.py). A fused
        optimiser walks through memory without asking: a weight, its gradient and its moments must lie alike. But a
        forward with `x.view(x.size(0), -1)` behind a convolution works in contiguous memory only, so it is tried out.
        """
        self._layout = torch.channels_last
        self._module.to(self.device, memory_format=self._layout)  # type: ignore[call-overload]
        if not _runs(self._module, lambda: self.inputs(self._images[:1].expand(2, -1, -1, -1))):
            self._layout = torch.contiguous_format
            self._module.to(memory_format=self._layout)  # type: ignore[call-overload]

    def _clear(self) -> None:
        # The sums stay on the device: reading them after every step would make a GPU wait.
        self._loss = torch.zeros((), device=self.device)
        self._correct = torch.zeros((), dtype=torch.int64, device=self.device)
        self._count = 0

    def _live(self) -> list[Tensor]:
        """What is averaged: parameters, and the float buffers (running statistics of batch norm)."""
        buffers = [b for b in self._module.buffers() if b.is_floating_point()]
        return [p.detach() for p in self._module.parameters()] + buffers

    def step(self, batch: Batch, rate: float) -> None:
        """One update; the loss is the cross-entropy of the network's (log-)probabilities or logits."""
        self._module.train()
        torch.manual_seed(batch.seed)  # always: a forward may drop, or draw other noise, without a module for it
        rows = torch.from_numpy(batch.indices).to(self.device)
        edges = None if self._borders is None else self._borders[rows]
        inputs, labels = self.inputs(self._images[rows], batch.transforms, edges), self._labels[rows]
        outputs = self._forward(inputs)
        # Log-softmax does not change log-probabilities, so this is NLL for the networks here and right for logits too.
        loss = F.cross_entropy(outputs, labels, label_smoothing=self._recipe.label_smoothing)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._loss += loss.detach() * len(labels)
        self._correct += (outputs.detach().argmax(1) == labels).sum()
        self._count += len(labels)
        self._average()
        self._steps += 1

    def _forward(self, inputs: Tensor) -> Tensor:
        try:
            outputs: Tensor = self._module(inputs)
        except ValueError as error:
            if len(inputs) == 1 and "more than 1 value per channel" in str(error):
                why = "leaves a last batch of one image, of which batch norm can take no spread"
                size = self._recipe.batch_size
                raise InputError("batch_size", size, "a number that leaves none over", why) from error
            raise
        return outputs

    def inputs(self, images: Tensor, transforms: Transforms | None = None, edges: Tensor | None = None) -> Tensor:
        """Bytes [B, C, H, W] to the network's float32 input: changed (`edges`: what lies outside), then normalised."""
        x = images.float()
        if transforms is not None:
            x = apply(x, transforms, edges)
        return x.sub_(self._mean).div_(self._std).contiguous(memory_format=self._layout)

    @torch.no_grad()
    def _average(self) -> None:
        if self._recipe.ema is not None:
            decay = min(self._recipe.ema, (1 + self._steps) / (10 + self._steps))
            torch._foreach_lerp_(self._averaged, self._live(), 1.0 - decay)

    def tally(self) -> Tally:
        """Sums since the last call; waits for the device."""
        tally = Tally(float(self._loss), int(self._correct), self._count)
        self._clear()
        return tally

    @torch.inference_mode()
    def evaluate(self, images: NDArray[np.uint8], labels: NDArray[np.int64], batch_size: int = 500) -> Evaluation:
        """Log-probabilities in evaluation mode, and the sum of the losses."""
        self._module.eval()
        torch.manual_seed(0)  # a forward that draws noise even here gives the same answers again
        kept = [t.clone() for t in self._live()] if self._averaged else []
        self._load(self._averaged)
        parts = []
        for start in range(0, len(images), batch_size):
            rows = torch.from_numpy(images[start : start + batch_size]).to(self.device)
            parts.append(F.log_softmax(self._module(self.inputs(rows)), 1))
        self._load(kept)
        log_probabilities = torch.cat(parts).float().cpu()
        loss = F.nll_loss(log_probabilities.double(), torch.from_numpy(labels), reduction="sum")
        return Evaluation(float(loss), log_probabilities.numpy())

    @torch.no_grad()
    def _load(self, values: list[Tensor]) -> None:
        for live, value in zip(self._live(), values, strict=False):
            live.copy_(value)

    def write_back(self) -> None:
        """The module already holds the weights; the averaged ones replace them when the recipe averages."""
        self._load(self._averaged)
        self._module.eval()

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights, buffers, averages, the optimiser's moments and the step count, as arrays of their own."""
        state = {f"model/{k}": v.detach().cpu().numpy().copy() for k, v in self._module.state_dict().items()}
        state |= {f"averaged/{i}": v.cpu().numpy().copy() for i, v in enumerate(self._averaged)}
        for index, moments in self._optimizer.state_dict()["state"].items():
            for key, value in moments.items():
                if value is not None:
                    array = value.cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
                    state[f"optimizer/{index}/{key}"] = array.copy()
        state["steps"] = np.asarray(self._steps)
        return state

    @torch.no_grad()
    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take everything from arrays that `state` gave."""
        model = {k[6:]: torch.from_numpy(v.copy()) for k, v in state.items() if k.startswith("model/")}
        self._module.load_state_dict(model)
        for number, value in enumerate(self._averaged):
            value.copy_(torch.from_numpy(state[f"averaged/{number}"].copy()))
        saved = self._optimizer.state_dict()
        saved["state"] = {}
        weights = self._optimizer.param_groups[0]["params"]
        for name, array in state.items():
            if name.startswith("optimizer/"):
                _, index, key = name.split("/")
                moment = torch.from_numpy(array.copy())
                if moment.shape == weights[int(index)].shape:
                    moment = torch.empty_like(weights[int(index)]).copy_(moment)
                saved["state"].setdefault(int(index), {})[key] = moment
        self._optimizer.load_state_dict(saved)
        self._steps = int(state["steps"])
        self._clear()


def _runs(module: nn.Module, inputs: Callable[[], Tensor]) -> bool:
    """Whether the network takes such inputs: forward and backward in training mode, forward in evaluation mode.

    Leaves weights, statistics, gradients, the mode and the random state as they were.
    """
    kept = {name: tensor.detach().clone() for name, tensor in _tensors(module).items()}
    gradients, training = [p.grad for p in module.parameters()], module.training
    module.zero_grad(set_to_none=True)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            outputs = module.train()(inputs())
            if outputs.requires_grad:
                outputs.sum().backward()
            module.eval()(inputs())
    except Exception:
        # Whatever it is: if the layout is not the reason, the first step meets it again and says so.
        return False
    finally:
        module.train(training)
        for parameter, gradient in zip(module.parameters(), gradients, strict=True):
            parameter.grad = gradient
        with torch.no_grad():
            for name, tensor in _tensors(module).items():
                if name in kept:
                    tensor.copy_(kept[name])
    return True


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.named_parameters()) | dict(module.named_buffers())


def apply(images: Tensor, transforms: Transforms, edges: Tensor | None = None) -> Tensor:
    """Change float images [B, C, H, W] as `transforms` says: bilinear, then boxes erased. `edges` [B, C]: the colour
    outside and in the boxes; None: 0.
    """
    if edges is not None:
        outside = edges.float()[:, :, None, None]
        return apply(images - outside, transforms) + outside
    height, width = images.shape[2:]
    matrices = torch.from_numpy(transforms.matrices).to(images.device)
    # Pixels from the centre to affine_grid's units (align_corners=False: -1 and 1 are the image's outer edges).
    units = torch.tensor([2.0 / width, 2.0 / height], device=images.device)
    theta = torch.cat([matrices[:, :, :2] * (units[:, None] / units[None, :]), matrices[:, :, 2:] * units[:, None]], 2)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    out = F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    if transforms.boxes[:, 2].any():
        top, left, tall, wide = torch.from_numpy(transforms.boxes).to(images.device).unbind(1)
        rows = torch.arange(height, device=images.device)
        columns = torch.arange(width, device=images.device)
        in_rows = (rows >= top[:, None]) & (rows < (top + tall)[:, None])
        in_columns = (columns >= left[:, None]) & (columns < (left + wide)[:, None])
        out = out.masked_fill((in_rows[:, :, None] & in_columns[:, None, :]).unsqueeze(1), 0.0)
    return out


def _optimizer(module: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    weights = [p for p in module.parameters() if p.requires_grad]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            weights,
            lr=recipe.rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
    betas = (recipe.momentum, recipe.beta2)
    return torch.optim.AdamW(weights, lr=recipe.rate, betas=betas, weight_decay=recipe.weight_decay, fused=True)
