"""From a photograph, or a mask of any tool, to its measures."""

from __future__ import annotations

from dataclasses import replace
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from foveate.errors import DataError, UsageError
from foveate.imaging import Label, as_masks, read_labels, read_mask
from foveate.inference.measuring.measurement import Known, Measurement, diameter_of
from foveate.inference.segmenter import Segmenter, Source
from foveate.morphometry.image import Measured, measure_classes, measure_regions
from foveate.morphometry.trust import SHIFTED, contrast, flags, interval
from foveate.morphometry.zones import Disc
from foveate.records import any_of

if TYPE_CHECKING:
    from foveate.inference.segmentation import Segmentation
    from foveate.models import ModelCard
    from foveate.records import Mask, Masks, Probability

Form = Literal["photograph", "mask", "artery-vein"]
"""What a source is: a photograph, which is segmented first, a mask, or a label image of arteries and veins."""

ARTERY_VEIN = (
    Label(1, "artery", (255, 0, 0)),
    Label(2, "vein", (0, 0, 255)),
    Label(3, "crossing", (0, 255, 0)),
)
"""How label images show them: by number or by colour; the third is both."""

VESSELS = ("vessel", "arter", "vein", "capillar")
"""What the name of a class has in it that is measured as vessels where nothing else tells that an image is an eye's."""

UM_PER_DEGREE = 288.0
"""On the retina of an emmetropic eye: Drasdo and Fowler, British Journal of Ophthalmology 58, 1974."""

MOST_ACROSS = 700
"""Pixels of the field of view, about, at which probability maps are measured for intervals: enough to see how a measure
changes with the threshold."""


def measure_source(
    source: Source,
    form: Form = "photograph",
    *,
    segmenter: Segmenter | None = None,
    fov: Mask | None = None,
    known: Known | None = None,
    as_regions: bool = False,
) -> Measurement:
    """Measure a photograph, which needs a segmenter, or a mask: a path or a bool array H×W (K×H×W for arteries, veins).

    Raises ImageError, DataError or UsageError for what can't be read as that.
    """
    known = known or Known()
    if form == "photograph":
        if segmenter is None:
            raise UsageError("a photograph is segmented first: give a model.")
        if known.fov_degrees is not None and segmenter.card.preparation.fov == "whole":
            raise UsageError(
                f"--fov-degrees is an eye's: photographs for '{segmenter.card.name}' have no field of view."
                " Give --um-per-pixel."
            )
        made = _measure_photograph(segmenter.segment(source, fov=fov), known, as_regions)
        return replace(made, has_fov=fov is not None or segmenter.card.preparation.fov != "whole")
    masks, names = _read(source, form)
    if fov is not None and fov.shape != masks.shape[1:]:
        raise DataError(
            f"{_name(source)}: is {masks.shape[1:]} but its field of view {fov.shape}; give a matching pair."
        )
    has_fov = fov is not None or known.fov_degrees is not None  # an angle is that of the whole image's width
    fov = np.ones(masks.shape[1:], bool) if fov is None else fov
    measured = _measured(masks, names, fov, known, as_regions)
    image = np.repeat(np.where(any_of(masks), 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    wrong = flags(fov_share=np.nan, contrast=np.nan, expected_f1=np.nan, components=_components(measured))
    regions = masks if as_regions else None
    scale = _scale(known, fov)
    return Measurement(
        _name(source), measured, known, scale, fov, image, wrong, np.nan, np.nan, regions=regions, has_fov=has_fov
    )


def check_measurable(card: ModelCard, *, as_regions: bool) -> None:
    """Raise UsageError where vessels are asked for, and the model finds none: by its photographs and its classes."""
    named = any(word in name.lower() for name in card.classes for word in VESSELS)
    if card.preparation.fov == "whole" and not as_regions and not named:
        raise UsageError(
            f"'{card.name}' marks {', '.join(card.classes)} in photographs without a field of view, which are measured"
            " by --regions. If these are vessels all the same: foveate segment, then measure the masks with --mask."
        )


def checked_disc(disc: object, *, as_regions: bool) -> Disc | None:
    """The disc of row, column and diameter. Raises UsageError where nothing asks for one, or it isn't three numbers."""
    if disc is None:
        return None
    if as_regions:
        raise UsageError("--disc is for vessels, whose zones lie around it: leave it out with --regions.")
    if not isinstance(disc, tuple | list) or len(disc) != 3 or not all(isinstance(part, int | float) for part in disc):
        raise UsageError(f"disc is {disc!r}; expected row, column and diameter in pixels.")
    return Disc(*disc)


def measure_one(
    source: Source,
    form: Form,
    model: str | Path | Segmenter,
    fov: Mask | None,
    disc: tuple[float, float, float] | None,
    um_per_pixel: float | None,
    fov_degrees: float | None,
    *,
    as_regions: bool,
) -> Measurement:
    """`foveate.measure`."""
    known = Known(checked_disc(disc, as_regions=as_regions), um_per_pixel, fov_degrees)
    opened = None
    if form == "photograph":
        opened = model if isinstance(model, Segmenter) else Segmenter.open(model)
        check_measurable(opened.card, as_regions=as_regions)
    return measure_source(source, form, segmenter=opened, fov=fov, known=known, as_regions=as_regions)


def _measure_photograph(result: Segmentation, known: Known, as_regions: bool) -> Measurement:
    known = replace(known, um_from_file=_um_of(result.photograph.spacing))
    measured = _measured(result.masks, result.classes.names, result.fov, known, as_regions)
    image = result.photograph.pixels
    dark = np.nan if as_regions else contrast(image, result.mask, result.fov)
    expected = [estimate.value for estimate in result.expected_f1().values()]
    expected_f1 = float(np.mean(expected)) if expected else np.nan
    share = np.nan if as_regions else float(result.fov.mean())
    wrong = flags(fov_share=share, contrast=dark, expected_f1=expected_f1, components=_components(measured))
    around = _intervals(result, measured) if "" in measured.vessels else {}
    scale = _scale(known, result.fov)
    source = result.photograph.source
    regions = result.masks if as_regions else None
    return Measurement(source, measured, known, scale, result.fov, image, wrong, dark, expected_f1, around, regions)


def _intervals(result: Segmentation, measured: Measured) -> dict[str, tuple[float, float]]:
    """The measures of the probability map at other thresholds, reduced to what a network saw."""
    factor = max(1, round(result.fov_diameter / MOST_ACROSS))
    probability = _reduced(result.probability, factor)
    fov = result.fov[::factor, ::factor][: probability.shape[0], : probability.shape[1]]
    thresholds = (*((result.thresholds[0],) if factor > 1 else ()), *SHIFTED)
    by_threshold = [measure_classes(probability[None] >= least, ("",), fov).values for least in thresholds]
    own = by_threshold[0] if factor > 1 else measured.values
    shifted = by_threshold[-len(SHIFTED) :]
    return {
        name: interval(name, value, own[name], [values[name] for values in shifted])
        for name, value in measured.values.items()
    }


def _reduced(plane: Probability, factor: int) -> Probability:
    """Means of blocks of factor×factor pixels; what is left over at the lower and right edge is left out."""
    if factor == 1:
        return plane
    height, width = (side // factor for side in plane.shape)
    blocks = plane[: height * factor, : width * factor].reshape(height, factor, width, factor)
    means: Probability = blocks.mean(axis=3).mean(axis=1)
    return means


def _measured(masks: Masks, names: tuple[str, ...], fov: Mask, known: Known, as_regions: bool) -> Measured:
    if not as_regions:
        return measure_classes(masks, names, fov, known.disc)
    scale = _scale(known, fov)
    if known.slice_um is not None and scale is None:
        raise UsageError("a volume needs a scale: give --um-per-pixel beside --slice-um.")
    distance = None if known.slice_um is None or scale is None else known.slice_um / scale
    return measure_regions(any_of(masks), fov, distance)


def _read(source: Source, form: Form) -> tuple[Masks, tuple[str, ...]]:
    names = tuple(label.name for label in ARTERY_VEIN)
    if isinstance(source, str | Path):
        if form == "mask":
            return read_mask(source)[None], ("",)
        return as_masks(read_labels(source, ARTERY_VEIN), len(names)), names
    if isinstance(source, np.ndarray) and source.dtype == bool:
        if form == "mask" and source.ndim == 2:
            return source[None], ("",)
        if form == "artery-vein" and source.ndim == 3 and 2 <= len(source) <= 3:
            return source, names[: len(source)]
    raise UsageError("a mask is a file or a bool array: H×W, or 2×H×W or 3×H×W for arteries, veins and crossings.")


def _name(source: Source) -> str:
    return str(source) if isinstance(source, str | Path) else "array"


def _scale(known: Known, fov: Mask) -> float | None:
    """Micrometres per pixel: the given one, the file's own, or that of the field of view's angle."""
    scale = known.um_per_pixel or known.um_from_file
    if scale is not None or known.fov_degrees is None:
        return scale
    return known.fov_degrees * UM_PER_DEGREE / diameter_of(fov)


def _um_of(spacing: tuple[float, float] | None) -> float | None:
    """Micrometres per pixel of millimetres between rows and columns; None where pixels are not square."""
    if spacing is None or not isclose(*spacing, rel_tol=0.01):
        return None
    return 1000 * sum(spacing) / 2


def _components(measured: Measured) -> float:
    return float(sum(vessels.values["components"] for vessels in measured.vessels.values()) or len(measured.regions))
