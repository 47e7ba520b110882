"""A loaded model that turns photographs into masks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.fov import FieldOfView
from foveate.arrays.prepare import Network, Preparation, WorkingSize
from foveate.errors import FoveateError, ImageError
from foveate.imaging import read_photograph
from foveate.inference.refinement import Refinement, refined
from foveate.inference.segmentation import Segmentation
from foveate.metrics.confidence import Correction
from foveate.models import ModelCard, open_model
from foveate.records import Mask, Photograph
from foveate.runtime import open_network

Source = str | Path | bytes | PillowImage.Image | NDArray[Any]
"""A path, the bytes of a file, a Pillow image, or an array H×W(×C) of uint8 or uint16."""


@dataclass(frozen=True, slots=True)
class Segmenter:
    """One model, ready to run; made by `foveate.load`. Holds no state that a call changes."""

    card: ModelCard
    network: Network
    refinement: Refinement = field(default_factory=Refinement)

    @classmethod
    def open(cls, model: str | Path, *, threads: int = 0, refinement: Refinement | None = None) -> Segmenter:
        """Load a shipped model by name or an `.onnx` file with its card. Raises UsageError or ModelError."""
        verified = open_model(model)
        network = open_network(verified.content, source=verified.source, threads=threads)
        refinement = refinement or Refinement()
        refinement.post_processing.check(verified.card.thresholds)
        return cls(verified.card, network, refinement)

    def segment(self, image: Source, *, fov: Mask | None = None) -> Segmentation:
        """Segment one photograph.

        `fov` (H×W bool) replaces the search for the field of view. Raises ImageError for what can't be read
        as a photograph, UsageError for a path where there is no file.
        """
        return self.segment_photograph(read_photograph(image), fov=fov)

    def segment_photograph(self, photograph: Photograph, *, fov: Mask | None = None) -> Segmentation:
        """`segment` for an image that was read already."""
        started = time.perf_counter()
        pixels = photograph.pixels
        if fov is not None and fov.shape != pixels.shape[:2]:
            raise ImageError(f"{photograph.source}: the FOV is {fov.shape}, the image {pixels.shape[:2]}.")
        card, preparation = self.card, preparation_of(self.card)
        view = preparation.view(pixels) if fov is None else FieldOfView.of_mask(fov)
        masks, probabilities, spread = refined(pixels, view, self.network, card, preparation, self.refinement)
        return Segmentation(
            photograph=photograph,
            masks=masks,
            probabilities=probabilities,
            spread=spread,
            classes=card.told_apart,
            fov=view.mask,
            fov_diameter=view.diameter,
            thresholds=card.thresholds,
            model=card.name,
            seconds=time.perf_counter() - started,
            notes=photograph.notes + ((view.note,) if view.note else ()),
            correction=None if card.trust is None else Correction(card.trust.shift, card.trust.margin),
        )

    def segment_many(
        self, images: Iterable[Source], *, on_error: Callable[[Source, FoveateError], None] | None = None
    ) -> Iterator[Segmentation]:
        """Segment one image after the other, in order, holding one at a time in memory.

        An image that fails raises, unless `on_error` is given: then it is called with image and error, and
        the next image follows.
        """
        for image in images:
            try:
                result = self.segment(image)
            except FoveateError as error:
                if on_error is None:
                    raise
                on_error(image, error)
                continue
            yield result


def preparation_of(card: ModelCard) -> Preparation:
    """How the model's images are brought to it."""
    working_size = WorkingSize(card.working_minimum, card.working_maximum)
    return Preparation(working_size, card.fov, card.channels, card.clahe)
