"""A loaded model that turns photographs into masks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.fov import FieldOfView
from foveate.arrays.prepare import Network
from foveate.errors import FoveateError, ImageError, ModelError, UsageError, needs
from foveate.imaging import read_photograph
from foveate.inference.large.limits import Limits
from foveate.inference.large.tiles import in_bands, in_tiles, tile_side
from foveate.inference.procedure import Procedure
from foveate.inference.segmentation import Segmentation
from foveate.metrics.confidence import Correction
from foveate.models import Model, ModelCard, open_model
from foveate.records import Mask, Photograph
from foveate.runtime import Execution, Session, cores, open_session

if TYPE_CHECKING:
    from foveate.imaging.nifti.planes import Plane
    from foveate.inference.nifti.result import VolumeSegmentation

Source = str | Path | bytes | IO[bytes] | PillowImage.Image | NDArray[Any]
"""A path, the bytes of a file, a file that is open for reading bytes, a Pillow image, or an array H×W(×C) of uint8 or
uint16."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Segmenter:
    """One model, ready to run; made by `foveate.load`. Holds no state that a call changes, and pickles."""

    card: ModelCard
    session: Session
    procedure: Procedure = field(default_factory=Procedure)

    @classmethod
    def open(
        cls, model: str | Path, *, execution: Execution | None = None, procedure: Procedure | None = None
    ) -> Segmenter:
        """Load a shipped model by name or an `.onnx` file with its card. Raises UsageError or ModelError."""
        return cls.of(open_model(model), execution=execution, procedure=procedure)

    @classmethod
    def of(cls, model: Model, *, execution: Execution | None = None, procedure: Procedure | None = None) -> Segmenter:
        """A verified model, tried on a small image. Raises ModelError, and UsageError for what doesn't go with it."""
        card, procedure = model.card, procedure or Procedure()
        procedure.check_goes_with(card)
        channels, maps = card.preparation.channel_count, len(card.classes)
        session = open_session(
            model.content,
            source=model.source,
            channels=channels,
            maps=maps,
            execution=execution or Execution(),
            trusted=model.shipped,
        )
        return cls(card, session, procedure)

    def __repr__(self) -> str:
        card, procedure = self.card, self.procedure
        more = "" if procedure == Procedure() else f", {procedure.passes}; {procedure.steps}"
        return f"<Segmenter {card.name}: {', '.join(card.classes)}{more}>"

    def segment(self, image: Source, *, fov: Mask | None = None) -> Segmentation:
        """Segment one photograph.

        `fov` (H×W bool) replaces the search for the field of view. Raises ImageError for what can't be read
        as a photograph, or needs more memory than there is, UsageError for a path where there is no file, and
        ModelError where the network fails on it.
        """
        return self.segment_photograph(_photograph(image), fov=fov)

    def segment_volume(
        self,
        files: str | Path | Sequence[str | Path],
        *,
        plane: Plane = "axial",
        window: tuple[float, float] | None = None,
        frame: int = 0,
    ) -> VolumeSegmentation:
        """A volume of a NIfTI file, or of three for red, green and blue, slice by slice; `save` writes its masks.

        Slices are those of the `plane`. The levels of `window` become black and white, by itself what the file says,
        or its range. `frame` is which volume of a file that holds several, from 0. Needs the extra `nifti`. Raises
        UsageError, and ImageError for what is no volume, or hasn't the channels that the model's card names.
        """
        with needs("nifti", "reading NIfTI"):
            from foveate.imaging.nifti.volume import Slicing, open_volume
            from foveate.inference.nifti.step import segment_volume

        paths = [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
        volume = open_volume(paths, slicing=Slicing(plane, window=window), frame=frame)
        return segment_volume(self, volume)

    def segment_photograph(self, photograph: Photograph, *, fov: Mask | None = None) -> Segmentation:
        """`segment` for an image that was read already."""
        started = time.perf_counter()
        pixels = photograph.pixels
        if fov is not None and fov.shape != pixels.shape[:2]:
            raise ImageError(f"{photograph.source}: the FOV is {fov.shape}, the image {pixels.shape[:2]}.")
        try:
            result = self._result(photograph, fov)
        except ModelError as error:
            raise ModelError(f"{photograph.source}: {error}") from error
        except MemoryError as error:
            raise ImageError(
                f"{photograph.source}: needs more memory than there is at the size that the model works at"
                f" ({self.card.preparation.working_sizes} pixels). Crop or shrink it, or close other programs."
            ) from error
        return replace(result, seconds=time.perf_counter() - started)

    def _result(self, photograph: Photograph, fov: Mask | None) -> Segmentation:
        card, pixels = self.card, photograph.pixels
        view = card.preparation.view(pixels) if fov is None else FieldOfView.of_mask(fov)
        masks, probabilities, spread = self.procedure.carry_out(
            pixels, view, self._in_tiles(), card, threads=self.session.execution.threads or cores()
        )
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
            seconds=0.0,
            notes=photograph.notes + ((view.note,) if view.note else ()),
            correction=None if card.trust is None else Correction(card.trust.shift, card.trust.margin),
        )

    @property
    def network(self) -> Network:
        """The session's, which takes large images in bands where its card says how far it looks, and that costs no
        time: with ONNX Runtime on the processor. OpenVINO would take a tenth longer."""
        context, execution = self.card.preparation.context, self.session.execution
        if not context or (execution.backend, execution.device) != ("onnxruntime", "cpu"):
            return self.session.run
        return in_bands(self.session.run, context=context)

    def _in_tiles(self) -> Network:
        """That network, which takes in tiles what is too large for the memory, where its card allows it."""
        preparation = self.card.preparation
        if not preparation.tiled:
            return self.network
        side = tile_side(Limits().for_arrays // 2, preparation.context)
        return in_tiles(self.network, planes=len(self.card.classes), side=side, context=preparation.context)

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


def _photograph(image: Source) -> Photograph:
    """The image, read; one from an open file has that file's name, where it has any."""
    if isinstance(image, str | Path | bytes | PillowImage.Image) or not hasattr(image, "read"):
        return read_photograph(image)
    named = getattr(image, "name", None)
    name = named if isinstance(named, str) else "open file"
    try:
        content = image.read()
    except (OSError, ValueError) as error:  # ValueError: closed, or text that is none
        raise ImageError(f"{name}: can't be read ({error}).") from error
    if not isinstance(content, bytes):
        raise UsageError(f"{name}: is open as text. Open it for bytes: open(path, 'rb').")
    try:
        return replace(read_photograph(content), source=name)
    except ImageError as error:
        raise ImageError(f"{name}: {str(error).removeprefix('bytes: ')}") from error
