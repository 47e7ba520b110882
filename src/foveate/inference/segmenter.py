"""A loaded model that turns photographs into masks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.fov import FieldOfView, field_of_view
from foveate.arrays.prepare import Network, WorkingSize, predict
from foveate.errors import FoveateError, ImageError
from foveate.imaging import read_photograph
from foveate.inference.segmentation import Segmentation
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

    @classmethod
    def open(cls, model: str | Path, *, threads: int = 0) -> Segmenter:
        """Load a shipped model by name or an `.onnx` file with its card. Raises UsageError or ModelError."""
        verified = open_model(model)
        return cls(verified.card, open_network(verified.content, source=verified.source, threads=threads))

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
        view = field_of_view(pixels, self.card.fov) if fov is None else FieldOfView.of_mask(fov)
        working_size = WorkingSize(self.card.working_minimum, self.card.working_maximum)
        probability = predict(pixels, view, self.network, working_size)
        return Segmentation(
            photograph=photograph,
            mask=(probability >= self.card.threshold) & view.mask,
            probability=probability,
            fov=view.mask,
            fov_diameter=view.diameter,
            threshold=self.card.threshold,
            model=self.card.name,
            seconds=time.perf_counter() - started,
            notes=photograph.notes + ((view.note,) if view.note else ()),
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
