"""Models whose answer is known: the shipped card with some fields changed, and a session that is a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from numpy.typing import NDArray

from foveate.inference import Segmenter
from foveate.inference.engine import run
from foveate.inference.folder_sink import FolderSink
from foveate.inference.large.limits import Limits
from foveate.inference.large.step import BoundedStep
from foveate.inference.sink import Outcome, Wanted
from foveate.inference.source import SourceItem
from foveate.models import ModelCard, open_model
from foveate.models.card import PREPARATION
from foveate.runtime import Execution

Network = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Computed:
    """A session that is a function from pixels (N×C×H×W) to probabilities (N×K×H×W)."""

    run: Network  # of float32
    execution: Execution = field(default_factory=Execution)


def changed(card: ModelCard, **fields: Any) -> ModelCard:
    """The card with these fields, those of its preparation among them, in place of its own."""
    own = {name: value for name, value in fields.items() if name not in PREPARATION}
    of_preparation = {name: value for name, value in fields.items() if name in PREPARATION}
    return msgspec.structs.replace(card, **own, preparation=replace(card.preparation, **of_preparation))


def computed(network: Network, **fields: Any) -> Segmenter:
    """A model with the shipped card but for these fields; its context isn't known unless they say it."""
    return Segmenter(changed(open_model("vessels").card, **{"context": 0} | fields), Computed(network))


def into_folder(segmenter: Segmenter, items: Sequence[SourceItem], wanted: Wanted, **options: Any) -> Iterator[Outcome]:
    """What becomes of the items, as `foveate.segment` has it, one after the other."""
    sink = FolderSink(segmenter, wanted, [item.place for item in items if item.place is not None])
    return run(BoundedStep(segmenter, Limits()), items, sink, **options)
