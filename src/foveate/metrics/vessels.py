"""Everything that is counted of vessels besides pixels, in one pass: each mask's centreline is found once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foveate.metrics.calibre import Calibres, count_calibres
from foveate.metrics.pixels import cut
from foveate.metrics.topology import Centrelines, Components, centreline, count_centrelines, count_components

if TYPE_CHECKING:
    from foveate.records import Mask


@dataclass(frozen=True, slots=True)
class VesselCounts:
    """Counts of one image, or the sum over many."""

    centrelines: Centrelines = field(default_factory=Centrelines)
    components: Components = field(default_factory=Components)
    calibres: Calibres = field(default_factory=Calibres)

    def __add__(self, other: VesselCounts) -> VesselCounts:
        return VesselCounts(
            self.centrelines + other.centrelines,
            self.components + other.components,
            self.calibres + other.calibres,
        )


def count_vessels(prediction: Mask, truth: Mask, within: Mask | None = None) -> VesselCounts:
    """Compare the vessels of two H×W bool masks, both first cut to `within` (H×W bool) where it is given.

    A vessel that the edge of the field of view cuts ends there. Raises ValueError if a shape differs or an array is
    not bool.
    """
    prediction, truth = cut(prediction, truth, within)
    lines = centreline(prediction), centreline(truth)
    return VesselCounts(
        centrelines=count_centrelines(prediction, truth, *lines),
        components=count_components(prediction, truth),
        calibres=count_calibres(prediction, truth, *lines),
    )
