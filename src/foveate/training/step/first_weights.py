"""The weights that a run begins with, where they are not all drawn by its seed, and what may not begin frozen."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from msgspec import to_builtins
from torch import Tensor, nn

from foveate.errors import ModelError, UsageError, unknown
from foveate.models.card import CARD, HUB_WEIGHTS, ModelCard, TrainingData
from foveate.models.store import open_model, read_card, shipped
from foveate.networks import build, encoder_of, load_encoder_weights
from foveate.networks.built.stages import DECODER, check_stages, freeze, is_decoder, stages, train
from foveate.networks.registry import entry_of
from foveate.recipes.schema import NetworkSection, Recipe
from foveate.records import Classes
from foveate.training.data.normalisation import Normalisation
from foveate.training.run.facts import FACTS, load_facts
from foveate.training.run.folder import BEST
from foveate.training.run.tensors import WEIGHTS, WeightsHeader, load_weights
from foveate.training.step.learner import fresh_network


def first_weights(
    recipe: Recipe, classes: Classes, initial: str | Path | None, processes: int = 1
) -> tuple[dict[str, Tensor] | None, dict[str, Any]]:
    """The weights to begin with, None for those that the seed draws, and what the facts say of them.

    `initial` is a shipped model's name, a run's folder or a weights file. Raises UsageError where the encoder would
    begin with two sets of weights, for an unknown stage, where weights would be frozen as random as they are drawn, and
    where crops are too small for the network and the share of a batch that each of so many processes has; ModelError
    where the weights are another network's than the recipe's.
    """
    options = recipe.training
    network = fresh_network(recipe, classes)
    check_stages(network, options.freeze, key="training.freeze")
    check_stages(network, options.stage_rates, key="training.stage_rates")
    if options.encoder_weights and initial is not None:
        raise UsageError("--from and training.encoder_weights both say how to begin. Leave one of the two out.")
    drawn, facts = list(network.state_dict()), dict[str, Any]()
    if initial is not None:
        facts = _begin_with(initial, network, recipe)
        drawn = facts["initial"]["drawn_anew"]
    elif options.encoder_weights:
        sha256 = load_encoder_weights(encoder_of(network), options.encoder_weights)
        facts = {"encoder_weights": {"source": options.encoder_weights, "sha256": sha256}}
        facts |= _normalisation(recipe, Normalisation.of_imagenet(recipe.preparation.channel_count))
        drawn = stages(network)[DECODER]
    _check_frozen(network, recipe, drawn)
    _check_crop(network, recipe, recipe.training.batch // processes)
    return (network.state_dict() if facts else None), facts


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """What a run's facts say about initial weights that were not taken over as they are, for people."""
    initial = facts.get("initial", {})
    told = {
        "is of a network with": initial.get("differing"),
        "doesn't have, so that the seed draws it:": _some(initial.get("drawn_anew", [])),
        "has, but not for this network:": _some(initial.get("left_out", [])),
    }
    return [f"{initial['file']} {words} {what}" for words, what in told.items() if what]


def origin(path: Path) -> dict[str, Any]:
    """Where initial weights come from: the file, and the run that made it if its facts lie beside it."""
    source: dict[str, Any] = {"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if (path.parent / FACTS).is_file():
        facts = load_facts(path.parent)
        source |= {
            key: facts[key] for key in ("command", "source_commit", "data", "resumed", "initial") if key in facts
        }
    return source


def _begin_with(initial: str | Path, network: nn.Module, recipe: Recipe) -> dict[str, Any]:
    """Give the network all of the weights that fit, in place; the facts: where they come from, and what did not fit."""
    given, facts, source = _read(initial)
    differing = _differing(facts, recipe)
    if differing and (str(initial) in shipped() or facts.network != recipe.network.name):
        raise ModelError(f"{initial}: holds the weights of another network than the recipe's. Set {differing}.")
    expected = network.state_dict()
    fitting = {
        name: tensor for name, tensor in given.items() if name in expected and tensor.shape == expected[name].shape
    }
    drawn = [name for name in expected if name not in fitting]
    decided_by_data = _decided_by_data(recipe)
    encoder = {name for stage, names in stages(network).items() if not is_decoder(stage) for name in names}
    for name in drawn:
        if name in encoder and name not in decided_by_data:
            fault = f"is {_size(given[name])}, not {_size(expected[name])}" if name in given else "is missing"
            raise ModelError(f"{initial}: doesn't fit the recipe's encoder: '{name}' {fault}. Set {differing}.")
    network.load_state_dict(fitting, strict=False)
    left_out = [name for name in given if name not in fitting]
    normalisation = Normalisation(facts.mean, facts.deviation, "as the weights expect that the run begins with")
    return {
        "initial": source | {"differing": differing, "drawn_anew": drawn, "left_out": left_out},
        **_normalisation(recipe, normalisation),
    }


def _normalisation(recipe: Recipe, expected: Normalisation) -> dict[str, Any]:
    """What the weights expect, for the facts; nothing where the recipe, or other channels, have it from the images."""
    if recipe.training.normalisation == "images":
        return {}
    if len(expected.mean) != recipe.preparation.channel_count:
        return {}  # what reads the image is drawn anew
    return {"normalisation": expected.to_values()}


def _read(initial: str | Path) -> tuple[dict[str, Tensor], WeightsHeader, dict[str, Any]]:
    """Tensors by name, of which network, and what the run's facts say about the source."""
    if str(initial) in shipped():
        return _read_shipped(str(initial))
    path = Path(initial)
    if path.is_dir():
        path /= HUB_WEIGHTS if (path / HUB_WEIGHTS).is_file() and not (path / BEST).is_file() else BEST
    if path.suffix == ".onnx":
        raise UsageError(f"{path}: an exported model can't be learnt on. Begin --from its run's folder or {BEST}.")
    if not path.is_file():
        if path.suffix == ".safetensors":
            raise UsageError(f"{path}: no such file. Begin --from a run's folder or its {BEST}.")
        raise UsageError(f"--from: {unknown('model', str(initial), shipped())} Or give a run's folder or its {BEST}.")
    if (path.parent / CARD).is_file() and not (path.parent / FACTS).is_file():
        return _read_beside_a_card(path, path.parent / CARD)
    network, facts = load_weights(path)
    return network.state_dict(), facts, origin(path)


def _read_shipped(name: str) -> tuple[dict[str, Tensor], WeightsHeader, dict[str, Any]]:
    card = open_model(name).card
    path = shipped()[name] / WEIGHTS
    if not path.is_file():
        raise ModelError(f"{name}: is shipped for use alone, without {WEIGHTS}. Begin --from a run's weights.")
    return _read_with_card(name, path, card)


def _read_beside_a_card(path: Path, beside: Path) -> tuple[dict[str, Tensor], WeightsHeader, dict[str, Any]]:
    """Weights of a folder for the hub, or of a shipped model's: what they have seen, the card says."""
    card = read_card(beside)
    weights, facts, source = _read_with_card(str(path), path, card)
    if (facts.network, len(facts.classes), facts.thresholds) != (card.network, len(card.classes), card.thresholds):
        raise ModelError(f"{path}: the {CARD} beside it is that of other weights. Keep each model in its own folder.")
    return weights, facts, source


def _read_with_card(name: str, path: Path, card: ModelCard) -> tuple[dict[str, Tensor], WeightsHeader, dict[str, Any]]:
    network, facts = load_weights(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    source: dict[str, Any] = {
        "file": name,
        "sha256": sha256,
        "command": card.command,
        "source_commit": card.source_commit,
        "data": {data.set: _without_set(data) for data in card.training_data},
    }
    return network.state_dict(), facts, source


def _without_set(data: TrainingData) -> dict[str, Any]:
    """As a run's facts have it, by the set's name."""
    return {name: value for name, value in to_builtins(data).items() if name != "set"}


def _differing(facts: WeightsHeader, recipe: Recipe) -> str:
    """The overrides that make the recipe's network the weights' one; '' where it is that."""
    same, entry = facts.network == recipe.network.name, entry_of(facts.network)
    own: dict[str, Any] = {"name": recipe.network.name, **recipe.network.options} if same else {}
    computing = {key: value for key, value in facts.options.items() if key not in entry.learning}
    wanted = {"name": facts.network, **computing}
    keys = {key: value for key, value in wanted.items() if own.get(key) != value}
    varied = {key for row in entry_of(recipe.network.name).variants.values() for key in row}
    if same and recipe.network.variant and keys.keys() & varied:
        # The variant contradicts them; without it every other option has its default.
        plain = NetworkSection(name=facts.network).options
        keys = {"variant": ""} | {key: value for key, value in computing.items() if plain.get(key) != value}
    plain = {key: value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    return " ".join(shlex.quote(f"network.{key}={value}") for key, value in plain.items())


def _decided_by_data(recipe: Recipe) -> set[str]:
    """The tensors whose shape follows from the channels of the image or from the number of classes."""
    with torch.device("meta"):
        one, two = (
            build(recipe.network.name, **recipe.network.options, in_channels=count, classes=count).state_dict()
            for count in (1, 2)
        )
    return {name for name in one if one[name].shape != two[name].shape}


def _check_frozen(network: nn.Module, recipe: Recipe, drawn: list[str]) -> None:
    """UsageError where nothing would learn, or where weights would stay as they are drawn."""
    freeze(network, recipe.training.freeze)
    frozen = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]
    if len(frozen) == len(list(network.parameters())):
        raise UsageError("training.freeze names every stage: nothing would learn. Leave one out.")
    random = [name for name in frozen if name in set(drawn)]
    if random:
        by_option = recipe.network.options.get("freeze", "none")
        keys = [f"network.freeze = '{by_option}'"] if by_option != "none" else []
        keys += [f"training.freeze = {list(recipe.training.freeze)}"] if recipe.training.freeze else []
        raise UsageError(
            f"{' with '.join(keys)} would freeze random weights, '{random[0]}' among them. Begin with --from weights"
            " that have them, or a ResNet encoder with training.encoder_weights, e.g. resnet50. Where there are none,"
            " training.freeze=[] lets random ones learn."
        )


def _check_crop(network: nn.Module, recipe: Recipe, size: int) -> None:
    """UsageError where a batch norm would have one pixel alone to learn from."""
    options, channels = recipe.training, recipe.preparation.channel_count
    rehearsed = deepcopy(network).to("meta")  # shapes without values
    train(rehearsed)
    try:
        with torch.no_grad():
            rehearsed(torch.empty(size, channels, options.crop, options.crop, device="meta"))
    except ValueError as error:
        raise UsageError(
            f"training.crop = {options.crop} leaves one pixel at the deepest level of {recipe.network.name}, too few"
            f" for its batch norm with training.batch = {options.batch}, {size} in a process. Raise one of the two."
        ) from error


def _some(names: list[str]) -> str:
    """The first few, and how many more; run.json has all."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


def _size(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
