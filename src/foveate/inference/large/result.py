"""What comes out of a large photograph: it is made while it is written, all outputs together, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveate.arrays.decide import decide, decisive
from foveate.arrays.postprocess import PostProcessing
from foveate.errors import ImageError
from foveate.imaging.large.drawing import Drawing
from foveate.imaging.large.photograph import LargePhotograph
from foveate.imaging.large.rows import Following
from foveate.imaging.large.tiff_file import TiffFile
from foveate.imaging.overlay import OPACITY, Pen, Style, check_style, drawing_order
from foveate.imaging.png_file import PngFile
from foveate.imaging.write import probability_steps, whole_file
from foveate.inference.large.runs import RUN_BYTES, Cleaning, Runs
from foveate.inference.large.strips import Strip, Way
from foveate.inference.tally import Counting, MaskTally
from foveate.metrics.confidence import Correction

if TYPE_CHECKING:
    from foveate.arrays.outline import Outline
    from foveate.inference.large.limits import Limits
    from foveate.models import ModelCard
    from foveate.records import Classes, Masks


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LargeSegmentation:
    """A segmentation that is still to be made."""

    photograph: LargePhotograph
    outline: Outline
    fov_diameter: float
    way: Way | None
    """None where the photograph shows nothing."""
    card: ModelCard
    options: PostProcessing
    limits: Limits
    notes: tuple[str, ...]

    @property
    def correction(self) -> Correction | None:
        """Of the expected F1, by the model's validation images."""
        trust = self.card.trust
        return None if trust is None else Correction(trust.shift, trust.margin)

    def written(
        self,
        paths: Mapping[str, Path],
        *,
        style: Style = "outline",
        opacity: float = OPACITY,
        confidence: bool = False,
    ) -> MaskTally:
        """Write the kinds that `paths` names, replacing what is there: all of them or none. Raises a FoveateError."""
        check_style(style, opacity)
        classes = self.card.told_apart
        first = _Cleaned() if not self._looked_through(paths, classes) else self._first_pass(classes)
        counting = Counting(classes, self.correction, confidence=confidence)
        with ExitStack() as stack:
            outputs = self._outputs(stack, paths, classes, first, Pen.of(self._size, style, opacity))
            for strip in self._strips():
                masks = self._masks(strip, classes, first)
                counting.add(masks, strip.probabilities, strip.inside, strip.spread)
                for output in outputs:
                    output.add(strip, masks)
            for output in outputs:
                output.file.finish()
        return counting.tally(*self._size)

    @property
    def _size(self) -> tuple[int, int]:
        return self.photograph.height, self.photograph.width

    def _looked_through(self, paths: Mapping[str, Path], classes: Classes) -> bool:
        """Whether all of the masks must be known before any row of an output is."""
        return self.options != PostProcessing() or ("overlay" in paths and len(classes.names) > 1)

    def _first_pass(self, classes: Classes) -> _Cleaned:
        """The masks as runs, cleaned up."""
        height, width = self._size
        most = self.limits.for_arrays // 2 // RUN_BYTES // len(classes.names)
        cleanings = [Cleaning(height, Runs(width, most), self.options) for _ in classes.names]
        for strip in self._strips():
            effective = decisive(strip.probabilities, classes)
            masks = self._decided(strip, classes)
            for cleaning, mask, plane in zip(cleanings, masks, effective, strict=True):
                cleaning.add(strip.top, mask, plane)
        return _Cleaned([cleaning.result() for cleaning in cleanings])

    def _masks(self, strip: Strip, classes: Classes, first: _Cleaned) -> Masks:
        if not first.runs:
            return self._decided(strip, classes)
        bottom = strip.top + len(strip.inside)
        masks: Masks = np.stack([runs.rows(strip.top, bottom) for runs in first.runs]) & strip.inside
        return masks

    def _decided(self, strip: Strip, classes: Classes) -> Masks:
        masks: Masks = decide(strip.probabilities, classes, self.card.thresholds) & strip.inside
        return masks

    def _strips(self) -> Iterator[Strip]:
        if self.way is not None:
            yield from self.way.strips()
            return
        height, width = self._size
        step, planes = self.limits.rows_of(width, len(self.card.classes)), len(self.card.classes)
        for top in range(0, height, step):
            rows = min(step, height - top)
            yield Strip(top, np.zeros((planes, rows, width), np.float32), None, np.zeros((rows, width), bool))

    def _outputs(
        self, stack: ExitStack, paths: Mapping[str, Path], classes: Classes, first: _Cleaned, pen: Pen
    ) -> list[_Output]:
        outputs: list[_Output] = []
        for kind, path in paths.items():
            file = stack.enter_context(whole_file(path))
            form = TiffFile if path.suffix == ".tif" else PngFile
            class_name, _, what = kind.rpartition("_")
            number = classes.names.index(class_name) if class_name else 0
            if kind == "overlay":
                outputs.append(_Overlay(form(file, self._size, "rgb"), self._drawing(stack, first, pen)))
            elif kind == "mask" and classes.softmax:
                outputs.append(_Labels(form(file, self._size, "palette", names=classes.names)))
            elif what == "mask":
                outputs.append(_Mask(form(file, self._size, "grey"), number))
            else:
                outputs.append(_Probability(form(file, self._size, "grey", wide=True), number))
        return outputs

    def _drawing(self, stack: ExitStack, first: _Cleaned, pen: Pen) -> Drawing:
        rows = stack.enter_context(self.photograph.open())
        image = Following(rows.read, rows.height, rows.step)
        pixels = [int(np.subtract(*runs.all()[::-1]).sum()) for runs in first.runs] or [0]
        inside = None if self.outline.is_whole() else self.outline.rows
        return Drawing(self._size, image.read, inside, pen, drawing_order(pixels))


@dataclass(frozen=True, slots=True)
class _Cleaned:
    """Of each class, where the masks were looked through before."""

    runs: list[Runs] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Output:
    """A file that rows are added to."""

    file: PngFile | TiffFile

    def add(self, strip: Strip, masks: Masks) -> None:
        """The next rows."""
        raise ImageError("an output without a kind")


@dataclass(frozen=True, slots=True)
class _Mask(_Output):
    number: int

    def add(self, strip: Strip, masks: Masks) -> None:
        self.file.add(masks[self.number].astype(np.uint8) * np.uint8(255))


@dataclass(frozen=True, slots=True)
class _Labels(_Output):
    def add(self, strip: Strip, masks: Masks) -> None:
        numbers = np.arange(1, len(masks) + 1, dtype=np.uint8)
        self.file.add((masks * numbers[:, None, None]).max(axis=0))


@dataclass(frozen=True, slots=True)
class _Probability(_Output):
    number: int

    def add(self, strip: Strip, masks: Masks) -> None:
        self.file.add(probability_steps(strip.probabilities[self.number]))


@dataclass(frozen=True, slots=True)
class _Overlay(_Output):
    drawing: Drawing

    def add(self, strip: Strip, masks: Masks) -> None:
        for rows in self.drawing.add(masks):
            self.file.add(rows)
