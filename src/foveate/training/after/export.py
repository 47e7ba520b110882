"""From a run to one ONNX file with its card, compared with PyTorch before anything is kept."""

from __future__ import annotations

import copy
import hashlib
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray

from foveate.arrays.prepare import ALIGNED, STRIDE, Preparation
from foveate.datasets import channels_of
from foveate.errors import ModelError
from foveate.models.card import ModelCard, chosen_on, plain
from foveate.models.exported import ExportedFile, check_free, write_model
from foveate.models.licence import licence_of
from foveate.models.store import Model
from foveate.networks.registry.catalogue import HEIGHT, WIDTH
from foveate.networks.registry.counting import measure
from foveate.recipes.read import read_recipe_of_run
from foveate.runtime import open_session
from foveate.training.after.graph import faster
from foveate.training.after.validation import Exportable, in_torch
from foveate.training.run.facts import load_facts
from foveate.training.run.folder import BEST, RECIPE
from foveate.training.run.provenance import without_secrets
from foveate.training.run.tensors import load_weights

TOLERANCE = 1e-4
"""Largest difference of a probability between ONNX Runtime and PyTorch, both in float32, that is taken as it is."""

ROUNDINGS = 10.0
"""Beyond that, how many times as far from float64 as PyTorch in float32 ONNX Runtime may be: a network that is steep
somewhere makes much of what any float32 rounds away."""

SAME = 1e-5
"""Largest difference of a probability that rounding explains within ONNX Runtime."""

SIZES = ((64, 64), (136, 200), (328, 256))
"""Heights and widths on which the two are compared: the smallest sensible, and two that are not square."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A run's best weights as a model in memory, and how far ONNX Runtime is from PyTorch."""

    model: Model
    differences: dict[tuple[int, int], float]
    """Size to the largest difference of a probability."""

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self.model.card


def export(run: Path, target: Path, *, name: str | None = None, overwrite: bool = False) -> ExportedFile:
    """Write `target` (.onnx) and `card.json` beside it from the run's best weights, by default under its folder's name.

    Raises ModelError as `exported`, and
    OutputError where a file is there already and `overwrite` is off. Nothing is written then.
    """
    check_free(target, overwrite=overwrite)
    made = exported(run, name=name, file=target.name)
    write_model(made.model, target)
    return ExportedFile(target, made.card, made.differences)


def exported(run: Path, *, name: str | None = None, file: str = "model.onnx") -> Exported:
    """The run's best weights as a model, called as the run unless `name` is given. Nothing is written.

    Raises ModelError where `run` is no run, ONNX Runtime differs from PyTorch by more than float32 has to, or the
    network looks farther than its recipe says.
    """
    network, facts = load_weights(run / BEST)
    model = Exportable(network, facts.mean, facts.deviation, facts.told_apart).eval()
    content = faster(to_onnx(model))
    differences = compared(content, model, f"{run}: ONNX Runtime and PyTorch")
    recipe = read_recipe_of_run(str(run / RECIPE))
    check_context(content, recipe.preparation, str(run))
    record = without_secrets(load_facts(run))
    card = ModelCard.of(
        str(run),
        name=plain(name or run.resolve().name),
        description=plain(recipe.description),
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        input=_input(recipe.preparation.channels),
        output=_output(facts.classes),
        classes=facts.classes,
        exclusive=facts.exclusive,
        network=facts.network,
        options=facts.options,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        gmacs=measure(facts.build, in_channels=len(facts.mean), height=HEIGHT, width=WIDTH)[0].gmacs,
        preparation=recipe.preparation,
        sequences=channels_of(_seen(record)),
        thresholds=facts.thresholds,
        threshold_from=chosen_on(facts.validation_f1),
        recipe=plain(recipe.name),
        command=plain("; then ".join(_commands(record))),
        source_commit=record["source_commit"],
        training_data=[{"set": name} | part for name, part in _seen(record).items()],
        validation_f1=facts.validation_f1,
    )
    card = replace(card, licence=licence_of(card.training_data))
    # As it is read from a file: options are lists there.
    return Exported(Model(ModelCard.parse(card.to_json(), str(run)), content, str(run)), differences)


def _input(channels: str) -> str:
    seen = "N×3×H×W float32, RGB" if channels == "rgb" else "N×1×H×W float32, green"
    return f"{seen}, 0 to 255, H and W multiples of {STRIDE}, of 16 or more; normalisation is inside the file"


def _output(classes: tuple[str, ...]) -> str:
    return f"N×{len(classes)}×H×W float32, probability of {', '.join(classes)}, 0 to 1"


def _seen(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every set that had a part in the weights, by the run's facts and by those of the runs that it began with.

    An image that one of them learnt from was learnt from, whatever it was for the others.
    """
    earlier = _seen(record["initial"]) if "initial" in record else {}
    seen = {}
    for name in earlier.keys() | record.get("data", {}).keys():
        parts = [runs[name] for runs in (earlier, record.get("data", {})) if name in runs]
        seen[name] = dict(parts[-1])
        for training, validation in (("training", "validation"), ("training_contents", "validation_contents")):
            if all(key in part and part[key] is not None for part in parts for key in (training, validation)):
                learnt, checked = (
                    dict.fromkeys(each for part in parts for each in part[key]) for key in (training, validation)
                )
                seen[name] |= {training: list(learnt), validation: [each for each in checked if each not in learnt]}
            else:
                seen[name] |= {training: None, validation: None}
    return dict(sorted(seen.items()))


def _commands(record: dict[str, Any]) -> list[str]:
    """Every command that had a part in the weights, in order."""
    earlier = _commands(record["initial"]) if "initial" in record else []
    own = [record["command"]] if "command" in record else []
    return [*earlier, *own, *(note["command"] for note in record.get("resumed", []))]


def check_context(content: bytes, preparation: Preparation, source: str) -> None:
    """Raise ModelError for a network whose answer depends on more than its context: parts of an image would differ from
    the whole. Seen on noise of which a part is cut out, as tiles and bands begin."""
    context = preparation.context
    if not context:
        return
    around = ALIGNED * -(-context // ALIGNED)
    size = 1, preparation.channel_count, 2 * around + 3 * ALIGNED, ALIGNED
    pixels = np.random.default_rng(0).uniform(0, 255, size).astype(np.float32)
    session = open_session(content, source="the exported file")
    whole, part = session.run(pixels), session.run(pixels[:, :, ALIGNED:-ALIGNED].copy())
    difference = float(np.abs(whole[:, :, ALIGNED:-ALIGNED] - part)[:, :, context:-context].max())
    if difference > SAME:
        raise ModelError(
            f"{source}: the network looks farther than its recipe's preparation.context, {context} pixels: a part of an"
            f" image differs from the whole by {difference:.1e}. Raise it, or set it to 0; not exported."
        )


def to_onnx(model: Exportable) -> bytes:
    """The graph with free height and width, weights inside."""
    image = torch.rand(2, len(model.mean), 64, 96) * 255
    shape = {0: torch.export.Dim("images"), 2: torch.export.Dim("height", min=16), 3: torch.export.Dim("width", min=16)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # Nothing is to be differentiated: with gradients the exporter takes a quarter longer over the same graph.
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            (image,),
            dynamo=True,
            input_names=["image"],
            output_names=["probability"],
            dynamic_shapes=(shape,),
            verbose=False,
        )
    if program is None:
        raise ModelError("PyTorch's exporter returned nothing.")
    proto = program.model_proto
    # The exporter notes the Python line of every node, which makes half of the file of a small network.
    for part in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info):
        del part.metadata_props[:]
    proto.doc_string = ""
    content: bytes = proto.SerializeToString()
    return content


def compared(content: bytes, model: Exportable, both: str) -> dict[tuple[int, int], float]:
    """The largest difference of a probability, by size, on noise that is bright and dark in places.

    Raises ModelError that begins with what `both` are, where it is neither within `TOLERANCE` nor what float32 costs.
    """
    in_onnx = open_session(content, source="the exported file")
    reference = in_torch(model, torch.device("cpu"))
    random, channels = np.random.default_rng(0), len(model.mean)
    differences = {}
    for size in SIZES:
        coarse = random.uniform(0, 255, (1, channels, size[0] // 8, size[1] // 8))
        image = np.repeat(np.repeat(coarse, 8, axis=2), 8, axis=3) + random.uniform(-20, 20, (1, channels, *size))
        pixels = image.clip(0, 255).astype(np.float32)
        found, expected = in_onnx.run(pixels), reference(pixels)
        differences[size] = float(np.abs(found - expected).max())
        if differences[size] > TOLERANCE:
            exact = in_float64(model, pixels)
            if np.abs(found - exact).max() > ROUNDINGS * np.abs(expected - exact).max():
                raise ModelError(
                    f"{both} differ by {differences[size]:.1e}, more than {TOLERANCE:.0e} and than rounding explains;"
                    " not exported."
                )
    return differences


def in_float64(model: Exportable, pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """The probabilities as exactly as they can be had."""
    with torch.inference_mode():
        exact: NDArray[np.float64] = copy.deepcopy(model).double()(torch.from_numpy(pixels).double()).numpy()
        return exact
