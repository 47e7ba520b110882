"""The step of an engine, for photographs of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foveate.errors import FoveateError, ImageError
from foveate.inference.large.limits import Limits
from foveate.inference.segmentation import Segmentation
from foveate.inference.segmenter import Segmenter
from foveate.records import Photograph

if TYPE_CHECKING:
    from foveate.imaging.large.photograph import LargePhotograph
    from foveate.imaging.nifti.volume import Volume
    from foveate.inference.large.result import LargeSegmentation
    from foveate.inference.nifti.result import VolumeSegmentation


@dataclass(frozen=True, slots=True)
class BoundedStep:
    """A segmenter, which takes what is held as a whole and opens a way for what isn't."""

    segmenter: Segmenter
    limits: Limits

    def __call__(
        self, photograph: Photograph | LargePhotograph | Volume
    ) -> Segmentation | LargeSegmentation | VolumeSegmentation:
        """What comes of it; raises as the segmenter does."""
        if isinstance(photograph, Photograph):
            return self.segmenter.segment_photograph(photograph)
        from foveate.imaging.large.photograph import LargePhotograph

        if not isinstance(photograph, LargePhotograph):
            from foveate.inference.nifti.step import segment_volume

            return segment_volume(self.segmenter, photograph)
        try:
            return self._opened(photograph)
        except FoveateError as error:
            raise type(error)(f"{photograph.source}: {error}") from error

    def _opened(self, photograph: LargePhotograph) -> LargeSegmentation:
        from foveate.inference.large.result import LargeSegmentation
        from foveate.inference.large.strips import Way, diameter_of, frame_of, outline_of

        segmenter = self.segmenter
        card, procedure = segmenter.card, segmenter.procedure
        _check(segmenter)
        outline = outline_of(photograph, card.preparation)
        notes = photograph.notes + ((outline.note,) if outline.note else ())
        frame = frame_of(outline, card.preparation)
        if frame is None:
            return LargeSegmentation(
                photograph, outline, 0.0, None, card, procedure.post_processing, self.limits, notes
            )
        way = Way(
            photograph,
            outline,
            frame,
            card.preparation,
            segmenter.network,
            len(card.classes),
            segmenter.procedure.views,
            self.limits,
        )
        way.refuse_too_large()
        if way.level.width < photograph.width:
            notes += (f"reduced from its smaller version of {way.level.width}×{way.level.height} pixels",)
        diameter = diameter_of(outline, frame)
        options = procedure.post_processing_of(card, diameter)
        return LargeSegmentation(photograph, outline, diameter, way, card, options, self.limits, notes)


def _check(segmenter: Segmenter) -> None:
    """Raise ImageError where something is asked for that takes the whole of a mask."""
    options, classes = segmenter.procedure.post_processing, segmenter.card.told_apart
    if segmenter.procedure.surest_size:
        raise ImageError("is too large for --surest-size, which compares whole masks; leave that out")
    if options.reconnect:
        raise ImageError("is too large for --reconnect, which looks for ways through all of it; leave that out")
    if options.fill_holes and classes.softmax:
        raise ImageError("is too large for --fill-holes with classes that exclude each other; leave that out")
