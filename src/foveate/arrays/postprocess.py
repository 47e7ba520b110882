"""What may be done to masks after the threshold, in a fixed order, where it is asked for; what is done unasked is the
removal of components that are smaller than a model's card has them.

Hysteresis, reconnection, removal of small components, the largest component, holes: first what finds more, so that a
piece is judged with all that belongs to it, then what takes away, and last what fills the rest. A component's pixels
share an edge or a corner, a hole's share edges (Rosenfeld, 1970: else a hole could leak through the line around it).
Nothing depends on which side of a photograph is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from foveate.arrays.components import label, sizes
from foveate.arrays.reconnect import reconnect
from foveate.errors import UsageError
from foveate.records import Mask, Masks, Probabilities, Probability


@dataclass(frozen=True, slots=True)
class PostProcessing:
    """Options, in the order in which they are applied; lengths and areas in pixels of the photograph."""

    hysteresis: float | None = None
    """A second, lower threshold: what reaches it counts where it hangs together with a pixel of the mask."""
    reconnect: int = 0
    """The longest gap between two components that is bridged, in the measure of `reconnect.reconnect`, where a pixel
    below the threshold counts for more than one; so 2 is the least that does anything. 0: none."""
    min_size: int | None = None
    """Components of fewer pixels are removed. None: as the model's card has it; 0: none."""
    largest: bool = False
    """Keep only the largest component of each class; several, where they are equally large."""
    fill_holes: int = 0
    """Holes of at most so many pixels are filled; -1: all. 0: none."""

    def __post_init__(self) -> None:
        limit = self.hysteresis
        if limit is not None and not (isinstance(limit, Real) and 0 < limit < 1):
            shown = f"{limit:g}" if isinstance(limit, Real) else repr(limit)
            raise UsageError(f"hysteresis {shown}: is no threshold. Use a number between 0 and 1.")
        if not isinstance(self.largest, bool | np.bool_):
            raise UsageError(f"largest {self.largest!r}: is neither True nor False.")
        for name, value, lowest in (
            ("reconnect", self.reconnect, 0),
            ("min_size", 0 if self.min_size is None else self.min_size, 0),
            ("fill_holes", self.fill_holes, -1),
        ):
            if isinstance(value, bool) or not isinstance(value, Integral) or value < lowest:
                raise UsageError(f"{name} {value!r}: is no number of pixels. Use a whole number from {lowest} on.")

    def check_thresholds(self, thresholds: Sequence[float]) -> None:
        """Raise UsageError unless these options go with a model's thresholds."""
        if self.hysteresis is not None and self.hysteresis > min(thresholds):
            raise UsageError(
                f"hysteresis {self.hysteresis:g}: is above the model's threshold {min(thresholds):g}, so it would"
                " find nothing more. Use a lower one."
            )


def postprocess(
    masks: Masks,
    effective: Probabilities,
    inside: Mask,
    thresholds: Sequence[float],
    options: PostProcessing,
    *,
    exclusive: bool = False,
) -> Masks:
    """Masks (K×H×W) after the options; False outside `inside` (H×W).

    `effective` (K×H×W, 0 to 1) is what the masks were decided on, with the `thresholds`: one for all planes, or K.
    Every plane is treated for itself. Where classes are `exclusive`, its effective probabilities are 0 wherever
    another class is more probable, so that hysteresis and bridges stay out of there; and a hole is filled only if
    nothing but background is in it, so no pixel comes to be of two classes. Raises UsageError for a low threshold
    above a high one.
    """
    options.check_thresholds(thresholds)
    limits = np.broadcast_to(np.asarray(thresholds, np.float64), len(masks))
    triples = zip(masks, effective, limits, strict=True)
    cleaned = np.stack([_components(mask, plane, float(limit), options) for mask, plane, limit in triples])
    if options.fill_holes:
        others = cleaned.sum(axis=0) - cleaned.astype(int) > 0 if exclusive else np.zeros_like(cleaned)
        pairs = zip(cleaned, others, strict=True)
        cleaned = np.stack([fill_holes(mask, options.fill_holes, keep=other) for mask, other in pairs])
    result: Masks = cleaned & inside
    return result


def _components(mask: Mask, effective: Probability, threshold: float, options: PostProcessing) -> Mask:
    """All but the holes, for one class."""
    if options.hysteresis is not None:
        mask = hysteresis(mask, effective >= options.hysteresis)
    if options.reconnect:
        mask = reconnect(mask, effective, threshold, options.reconnect)
    if options.min_size is not None and options.min_size > 1:
        mask = remove_small(mask, options.min_size)
    return largest_component(mask) if options.largest else mask


def hysteresis(high: Mask, low: Mask) -> Mask:
    """The components of `low` (H×W) that hold a pixel of `high` (H×W), and `high` (Canny, 1986, section VII)."""
    labels, count = label(low | high)
    kept = np.zeros(count + 1, bool)
    kept[labels[high]] = True
    result: Mask = kept[labels]
    return result


def remove_small(mask: Mask, smallest: int) -> Mask:
    """The components of at least `smallest` pixels."""
    labels, count = label(mask)
    kept = sizes(labels, count) >= smallest
    kept[0] = False
    result: Mask = kept[labels]
    return result


def largest_component(mask: Mask) -> Mask:
    """The component with most pixels, or the several that have; an empty mask stays empty."""
    labels, count = label(mask)
    pixels = sizes(labels, count)
    pixels[0] = 0
    kept = (pixels == pixels.max()) & (pixels > 0)
    result: Mask = kept[labels]
    return result


def fill_holes(mask: Mask, largest: int, *, keep: Mask) -> Mask:
    """The mask with its holes of at most `largest` pixels (-1: of any size) that hold no pixel of `keep` (H×W).

    A hole is background that doesn't reach the image's edge.
    """
    labels, count = label(~mask, 4)
    filled = np.ones(count + 1, bool) if largest < 0 else sizes(labels, count) <= largest
    filled[0] = False
    for open_to in (labels[0], labels[-1], labels[:, 0], labels[:, -1], labels[keep]):
        filled[open_to] = False
    return mask | filled[labels]
