"""The weights that a run begins with, where they are not all drawn by its seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from foveate.errors import ModelError, UsageError
from foveate.networks import encoder_of, load_encoder_weights
from foveate.recipes.schema import Recipe
from foveate.training.parts import fresh_network
from foveate.training.provenance import origin
from foveate.training.weights import load_weights


def first_weights(recipe: Recipe, initial: Path | None) -> tuple[dict[str, Tensor] | None, dict[str, Any]]:
    """The weights to begin with, None for those that the seed draws, and what the facts say of them.

    Raises UsageError where the encoder would begin with two sets of weights, or stay as random as it is drawn,
    ModelError where the file holds another network than the recipe's.
    """
    freeze, source = recipe.network.options.get("freeze", "none"), recipe.training.encoder_weights
    if source and initial is not None:
        raise UsageError("--from and training.encoder_weights both say how to begin. Leave one of the two out.")
    if initial is not None:
        return _weights_of(initial, recipe), {"initial": origin(initial)}
    if source:
        network = fresh_network(recipe)
        sha256 = load_encoder_weights(encoder_of(network), source)
        return network.state_dict(), {"encoder_weights": {"source": source, "sha256": sha256}}
    if freeze != "none":
        raise UsageError(
            f"network.freeze = '{freeze}' would freeze random weights."
            " Set training.encoder_weights, e.g. to resnet50, or begin with --from."
        )
    return None, {}


def _weights_of(path: Path, recipe: Recipe) -> dict[str, Tensor]:
    network, facts = load_weights(path)
    if (facts.network, facts.options) != (recipe.network.name, recipe.network.options):
        raise ModelError(
            f"{path}: holds {facts.network} with {facts.options}, not the recipe's network. Set network.* to the same."
        )
    return network.state_dict()
