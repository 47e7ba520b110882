"""What a trained network's attention weighs in one photograph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from foveate.arrays.prepare import Preparation, predict
from foveate.errors import ImageError, UsageError, unknown
from foveate.models.store import open_model, shipped
from foveate.networks import record_attention
from foveate.recipes.read import read_recipe_of_run
from foveate.records import Image
from foveate.training.after.validation import Exportable
from foveate.training.run.folder import BEST, RECIPE
from foveate.training.run.tensors import WEIGHTS, WeightsHeader, load_weights


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """The maps of one photograph."""

    network: str
    maps: dict[str, NDArray[np.float32]]
    """By their place in the network, as `record_attention` names them, in the network's order: H×W on the photograph's
    grid, NaN outside the field of view, or C for weights of channels; 0 to 1."""


def attention_of(weights: str, image: Image) -> Attention:
    """Run the best weights of a run's folder, or a shipped model's, on an image (H×W×3) and record their attention.

    Raises UsageError where `weights` is neither, or the network has no attention, ModelError where the weights can't be
    read, and ImageError where the image has no field of view.
    """
    network, facts, preparation = _opened(weights)
    fov = preparation.view(image)
    if not fov.diameter:
        raise ImageError(f"{fov.note or 'no field of view'}; give a photograph with something to see")
    recorded: dict[str, Tensor] = {}
    model = Exportable(network, facts.mean, facts.deviation, facts.told_apart).eval()

    def places(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The maps of places, 1×M×H×W at the size of the batch: `predict` brings them back to the photograph."""
        with torch.inference_mode(), record_attention(network) as maps:
            model(torch.from_numpy(batch))
        recorded.update(maps)
        size = batch.shape[2:]
        enlarged = [
            interpolate(weights_map.float(), size, mode="bilinear")
            for weights_map in maps.values()
            if _of_places(weights_map)
        ]
        stacked: NDArray[np.float32] = torch.cat([*enlarged, torch.zeros(1, 1, *size)], dim=1).numpy()
        return stacked

    restored = iter(predict(image, fov, places, preparation))
    if not recorded:
        raise UsageError(f"{weights}: its network, {facts.network}, has no attention to look at.")
    named_maps: dict[str, NDArray[np.float32]] = {
        name: np.where(fov.mask, next(restored), np.float32(np.nan))
        if _of_places(weights_map)
        else weights_map.flatten().numpy()
        for name, weights_map in recorded.items()
    }
    return Attention(facts.network, named_maps)


def _of_places(weights: Tensor) -> bool:
    """Whether weights are 1×1×h×w, not 1×C×1×1."""
    return weights.shape[1] == 1


def _opened(weights: str) -> tuple[nn.Module, WeightsHeader, Preparation]:
    if weights in shipped():
        card = open_model(weights).card
        network, facts = load_weights(shipped()[weights] / WEIGHTS)
        return network, facts, card.preparation
    run = Path(weights)
    if not run.is_dir():
        raise UsageError(unknown("model", weights, shipped()) + " Or give the folder of a run.")
    if not (run / BEST).is_file():
        raise UsageError(f"{run}: is not the folder of a run: it holds no {BEST}.")
    network, facts = load_weights(run / BEST)
    return network, facts, read_recipe_of_run(str(run / RECIPE)).preparation
