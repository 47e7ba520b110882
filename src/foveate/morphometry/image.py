"""All measures of one image: of its vessels, of arteries and veins each, or of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.morphometry.dictionary import RATIOS
from foveate.morphometry.shape import Region, regions
from foveate.morphometry.vessels import MeasureValues, VesselMeasures, measure_vessels
from foveate.morphometry.zones import ARTERY, VEIN, Disc, equivalent

if TYPE_CHECKING:
    from foveate.records import Mask, Masks

CROSSING = "crossing"
"""A class that lies in arteries and veins both."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured in one image, in pixels."""

    values: MeasureValues
    """Measure to value, with the class and _ before it where there are several; NaN where it isn't defined."""
    vessels: dict[str, VesselMeasures]
    """By class; '' for the only one."""
    regions: list[Region]


def measure_classes(masks: Masks, names: Sequence[str], fov: Mask, disc: Disc | None = None) -> Measured:
    """Measure the vessels of each class (masks K×H×W); of crossings, both arteries and veins have them."""
    by_name = dict(zip(names, masks, strict=True))
    crossing = by_name.pop(CROSSING, None)
    if crossing is not None:
        by_name = {name: mask | crossing for name, mask in by_name.items()}
    if len(by_name) == 1:
        only = measure_vessels(next(iter(by_name.values())), fov, disc)
        return Measured(only.values, {"": only}, [])
    by_class = {name: measure_vessels(mask, fov, disc) for name, mask in by_name.items()}
    values = {f"{name}_{key}": value for name, vessels in by_class.items() for key, value in vessels.values.items()}
    if {"artery", "vein"} <= set(by_class):
        values |= _together(by_class["artery"], by_class["vein"], disc)
    return Measured(values, by_class, [])


def measure_regions(mask: Mask, fov: Mask, slice_distance: float | None = None) -> Measured:
    """Measure the connected regions of a mask (H×W bool); `slice_distance` in pixels makes areas volumes."""
    all_regions = regions(mask & fov)
    area = sum(region.area for region in all_regions)
    values = {
        "area_share": area / np.count_nonzero(fov) if fov.any() else np.nan,
        "regions": float(len(all_regions)),
        "area": area,
        "volume": np.nan if slice_distance is None else area * slice_distance,
    }
    names = ("perimeter", "feret_most", "feret_least", "solidity", "irregularity")
    values["largest_area"] = all_regions[0].area if all_regions else np.nan
    values |= {name: getattr(all_regions[0], name) if all_regions else np.nan for name in names}
    return Measured(values, {}, all_regions)


def _together(arteries: VesselMeasures, veins: VesselMeasures, disc: Disc | None) -> MeasureValues:
    crae, crve = _equivalent(arteries, disc, ARTERY), _equivalent(veins, disc, VEIN)
    values = {"crae": crae, "crve": crve, "avr": crae / crve}
    for name in RATIOS:
        below = veins.values[name]
        values[f"artery_vein_{name}"] = arteries.values[name] / below if below else np.nan
    return values


def _equivalent(vessels: VesselMeasures, disc: Disc | None, coefficient: float) -> float:
    if disc is None:
        return np.nan
    lines = [segment.line.points for segment in vessels.segments]
    across = [segment.calibres for segment in vessels.segments]
    return equivalent([disc.distances(points) for points in lines], across, coefficient)
