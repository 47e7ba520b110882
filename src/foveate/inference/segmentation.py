"""What comes out of one photograph."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.decide import decisive
from foveate.errors import OutputError, UsageError, unknown
from foveate.imaging import encode_labels, encode_mask, encode_probability, encode_rgb, overlay, stem_of, write_bytes
from foveate.imaging.overlay import OPACITY, Style
from foveate.metrics.confidence import Correction, F1Estimate, expected_f1, with_spread
from foveate.records import Classes, Image, Mask, Masks, Photograph, Probabilities, Probability, any_of

PREVIEW = 1024
"""Pixels on the longer side of what a notebook shows."""


@dataclass(frozen=True, slots=True)
class ExpectedF1:
    """What a mask would probably score."""

    value: float
    low: float | None
    """Of the interval that about 95 % of like images lie in; None where the model's card says nothing of it."""
    high: float | None

    @classmethod
    def of(cls, estimate: F1Estimate, correction: Correction | None) -> ExpectedF1:
        """With what the model's validation images taught, where they did."""
        if correction is None:
            return cls(estimate.value, None, None)
        corrected = min(1.0, max(0.0, estimate.value + correction.shift))
        return cls(corrected, *estimate.interval(correction))

    def __str__(self) -> str:
        around = "" if self.low is None or self.high is None else f" ({self.low:.2f}–{self.high:.2f})"
        return f"{self.value:.2f}{around}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Segmentation:
    """Masks and probabilities on the photograph's own grid, upright (EXIF orientation applied).

    A notebook shows the overlay. Two results are equal where they are one and the same; compare their arrays.
    """

    photograph: Photograph
    masks: Masks
    """K×H×W bool, one for each class; False outside the FOV."""
    probabilities: Probabilities
    """K×H×W float32, 0 to 1, one for each class; 0 outside the FOV."""
    spread: Probabilities | None
    """K×H×W, the standard deviation of the probabilities over several views; None for one."""
    classes: Classes
    """What the model segments."""
    fov: Mask
    """H×W bool, the field of view that was found (or given)."""
    fov_diameter: float
    """Pixels; the longer side of an image that has no FOV."""
    thresholds: tuple[float, ...]
    """One for each class that may overlap others, else one for any of them."""
    model: str
    seconds: float
    """From pixels to mask, reading not included."""
    notes: tuple[str, ...]
    """What had to be decided: when reading, and when looking for the FOV."""
    correction: Correction | None = None
    """Of the expected F1, by the model's validation images."""

    def __repr__(self) -> str:
        height, width = self.fov.shape
        inside = max(1, int(np.count_nonzero(self.fov)))
        shares = (
            f"{name} {np.count_nonzero(mask) / inside:.1%}"
            for name, mask in zip(self.classes.names, self.masks, strict=True)
        )
        return f"<Segmentation of {self.photograph.source}, {height}×{width}, by {self.model}: {', '.join(shares)}>"

    def _repr_png_(self) -> bytes:
        """The overlay for a notebook, at most `PREVIEW` pixels on a side."""
        picture = PillowImage.fromarray(self.overlay())
        picture.thumbnail((PREVIEW, PREVIEW))
        file = io.BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()

    @property
    def mask(self) -> Mask:
        """H×W bool, True is vessel (or whatever the model segments, of any class)."""
        return any_of(self.masks)

    @property
    def probability(self) -> Probability:
        """H×W float32, that a pixel is foreground: of any class where they exclude each other, else the largest."""
        probability: Probability = decisive(self.probabilities, self.classes).max(axis=0)
        return probability

    @property
    def labels(self) -> NDArray[np.uint8]:
        """H×W, 0 for background, else the number of the class from 1; of classes that overlap the last one."""
        numbers = np.arange(1, len(self.masks) + 1, dtype=np.uint8)
        largest: NDArray[np.uint8] = (self.masks * numbers[:, None, None]).max(axis=0)
        return largest

    def expected_f1(self) -> dict[str, ExpectedF1]:
        """By class, the F1 (Dice) that the mask probably has inside the FOV; a class that is nowhere has none.

        It is what the mask would have if each pixel's probability were right, corrected by what the model's validation
        images taught. Several views widen the interval by as much as it moves when all pixels lean to one side by their
        spread. Errors hang together, so single images scatter widely: docs/evaluation.md says how far.
        """
        by_class = {}
        for number, name in enumerate(self.classes.names):
            probability, mask = self.probabilities[number], self.masks[number]
            expected = expected_f1(probability, mask, self.fov)
            if expected is None:
                continue
            if self.spread is not None:
                lean = self.spread[number]
                views = [expected_f1((probability + side * lean).clip(0, 1), mask, self.fov) for side in (-1, 1)]
                expected = with_spread(expected, [view or expected for view in views])
            by_class[name] = ExpectedF1.of(expected, self.correction)
        return by_class

    def overlay(self, *, style: Style = "outline", opacity: float = OPACITY) -> Image:
        """The photograph with the masks drawn over it and the FOV outlined, H×W×3 uint8.

        `style` is "outline" or "fill"; `opacity`, 0 to 1, is how much of the photograph that hides. A FOV that is the
        whole photograph has no line. Raises UsageError for another style or opacity.
        """
        return overlay(self.photograph.pixels, self.masks, fov=self.fov, style=style, opacity=opacity)

    def save(
        self,
        folder: str | Path,
        *,
        name: str | None = None,
        probabilities: bool = False,
        overlay: bool = False,
        overwrite: bool = False,
        style: Style = "outline",
        opacity: float = OPACITY,
    ) -> dict[str, Path]:
        """Write `NAME_mask.png` and, if asked for, `NAME_probability.png` (16 bits) and `NAME_overlay.png`.

        `style` and `opacity` are the overlay's.

        Of several classes that exclude each other the mask is a palette image of their numbers; of several that may
        overlap there is a `NAME_CLASS_mask.png` each. Probabilities of several classes are
        `NAME_CLASS_probability.png`.

        `name` is by default the photograph's file name without its ending. Returns the paths by kind. Raises
        OutputError where a file can't be written, or is there already and `overwrite` is off; nothing is
        written then.
        """
        stem = name or stem_of(Path(self.photograph.source))
        paths = output_paths(Path(folder), stem, self.classes, probabilities=probabilities, overlay=overlay)
        there = [path for path in paths.values() if path.exists()]
        if there and not overwrite:
            raise OutputError(f"{there[0]}: is there already. Choose another folder or name, or overwrite=True.")
        self.write(paths, style=style, opacity=opacity)
        return paths

    def write(self, paths: Mapping[str, Path], *, style: Style = "outline", opacity: float = OPACITY) -> None:
        """Write the kinds that `paths` names (as `output_paths` does), replacing what is there."""
        for kind, path in paths.items():
            write_bytes(self.png(kind, style=style, opacity=opacity), path)

    def png(self, kind: str = "mask", *, style: Style = "outline", opacity: float = OPACITY) -> bytes:
        """One output as the bytes of its file: "mask", "probability", "overlay"; "CLASS_mask" and the like of several.

        Raises UsageError for a kind that this result hasn't.
        """
        kinds = output_kinds(self.classes, probabilities=True, overlay=True)
        if kind not in kinds:
            raise UsageError(unknown("output", kind, kinds))
        if kind == "overlay":
            return encode_rgb(self.overlay(style=style, opacity=opacity))
        if kind == "mask" and self.classes.softmax:
            return encode_labels(self.labels, self.classes.names)
        class_name, _, what = kind.rpartition("_")
        number = self.classes.names.index(class_name) if class_name else 0
        return encode_mask(self.masks[number]) if what == "mask" else encode_probability(self.probabilities[number])


def output_kinds(classes: Classes, *, probabilities: bool, overlay: bool) -> list[str]:
    """What there is of a result, in the order in which it is written."""
    prefixes = [f"{name}_" for name in classes.names] if len(classes.names) > 1 else [""]
    kinds = ["mask"] if classes.exclusive or len(prefixes) == 1 else [f"{prefix}mask" for prefix in prefixes]
    return kinds + [f"{prefix}probability" for prefix in prefixes] * probabilities + ["overlay"] * overlay


def output_paths(
    folder: Path, name: str, classes: Classes, *, probabilities: bool, overlay: bool, ending: str = ".png"
) -> dict[str, Path]:
    """Kind of output to its path."""
    kinds = output_kinds(classes, probabilities=probabilities, overlay=overlay)
    return {kind: folder / f"{name}_{kind}{ending}" for kind in kinds}
