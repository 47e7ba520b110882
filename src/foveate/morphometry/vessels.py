"""All measures of the vessels of one mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.morphometry.branching import Arm, Fork, fork
from foveate.morphometry.crossings import Junctions, sorted_junctions
from foveate.morphometry.fractal import fractal_dimensions
from foveate.morphometry.graph import Numbers, VesselGraph
from foveate.morphometry.segments import Segment, segments
from foveate.morphometry.trace import border_tree, vessel_graph, without_pinholes, without_specks
from foveate.morphometry.zones import ZONES, Disc, in_zone

if TYPE_CHECKING:
    from foveate.records import Mask

MeasureValues = dict[str, float]
"""Measure to value in pixels; NaN where it isn't defined."""

BEYOND = 3.0
"""Pixels beyond a vessel's end, in which the field of view must go on, or it was cut there."""

SPECK = 1 / 5000
"""Share of the field of view below which a part of the mask that touches no other is left out of all measures."""

WINDING = {
    "tortuosity": "arc_chord",
    "total_curvature": "total_curvature",
    "squared_curvature": "squared_curvature",
    "tau4": "tau4",
    "tau5": "tau5",
    "tortuosity_density": "density",
}
"""Measure to its name in `Tortuosity`."""


@dataclass(frozen=True, slots=True)
class VesselMeasures:
    """What was measured, and on what."""

    values: MeasureValues
    segments: list[Segment]
    graph: VesselGraph
    junctions: Junctions
    ends: list[int]
    """Nodes where a vessel ends inside the field of view."""


def measure_vessels(mask: Mask, fov: Mask, disc: Disc | None = None) -> VesselMeasures:
    """Measure an H×W bool mask inside the field of view, H×W bool. A mask without a vessel has counts of 0."""
    area = float(np.count_nonzero(fov))
    mask, components = without_specks(mask & fov, SPECK * area)
    mask = without_pinholes(mask)
    border = border_tree(mask)
    graph = vessel_graph(mask, border)
    all_segments = segments(mask, graph, border)
    junctions = sorted_junctions(graph)
    ends = [node for node in graph.ends if not _cut(node, graph, fov)]
    length = sum(segment.line.arc for segment in all_segments)
    values = {
        "area_density": np.count_nonzero(mask) / area if area else np.nan,
        "length_density": length / area if area else np.nan,
        "length": length,
        **_calibres(all_segments),
        **_winding(all_segments),
        **_fractal(graph),
        "bifurcations": float(len(junctions.forks)),
        "crossings": float(len(junctions.crossings)),
        "components": float(components),
        "segments": float(len(all_segments)),
        "ends": float(len(ends)),
        **_forks(graph, all_segments, junctions.forks),
        **_zones(all_segments, disc),
    }
    return VesselMeasures(values, all_segments, graph, junctions, ends)


def _cut(node: int, graph: VesselGraph, fov: Mask) -> bool:
    """Whether the field of view ends just beyond a vessel's end."""
    branch = graph.branches[graph.at[node][0]]
    points = branch.points if branch.end == node else branch.points[::-1]
    back = points[max(len(points) - 10, 0)]
    away = (points[-1] - back) / max(float(np.hypot(*(points[-1] - back))), 1.0)
    row, column = np.rint(points[-1] + away * (graph.radii[node] + BEYOND)).astype(int)
    inside = 0 <= row < fov.shape[0] and 0 <= column < fov.shape[1]
    return not (inside and fov[row, column])


def _calibres(all_segments: Sequence[Segment]) -> MeasureValues:
    width = np.concatenate([segment.calibres for segment in all_segments] or [np.zeros(0)])
    width, weight = _known(width, np.concatenate([segment.steps for segment in all_segments] or [np.zeros(0)]))
    names = ("calibre_mean", "calibre_sd", "calibre_p10", "calibre_p50", "calibre_p90")
    if not len(width):
        return dict.fromkeys(names, np.nan)
    mean = float(np.average(width, weights=weight))
    spread = float(np.sqrt(np.average((width - mean) ** 2, weights=weight)))
    order = np.argsort(width)
    share = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    percentiles = np.interp((0.1, 0.5, 0.9), share, width[order])
    return dict(zip(names, (mean, spread, *percentiles.tolist()), strict=True))


def _winding(all_segments: Sequence[Segment]) -> MeasureValues:
    arcs = np.array([segment.line.arc for segment in all_segments])
    lines = [segment.tortuosity for segment in all_segments]
    return {name: _mean(np.array([getattr(line, key) for line in lines]), arcs) for name, key in WINDING.items()}


def _fractal(graph: VesselGraph) -> MeasureValues:
    return {
        f"fractal_{name}": value
        for name, value in asdict(fractal_dimensions([branch.points for branch in graph.branches.values()])).items()
    }


def _forks(graph: VesselGraph, all_segments: Sequence[Segment], nodes: Sequence[int]) -> MeasureValues:
    by_number = {segment.number: segment for segment in all_segments}
    forks: list[Fork] = []
    for node in nodes:
        numbers = graph.at[node]
        if len(numbers) == len(set(numbers)) == 3:
            one, two, three = (_arm(by_number[number], node) for number in numbers)
            forks.append(fork((one, two, three), graph.radii[node]))
    return {
        "branching_angle": _mean(np.array([junction.angle for junction in forks])),
        "murray_exponent": _median(np.array([junction.murray for junction in forks])),
        "asymmetry": _mean(np.array([junction.asymmetry for junction in forks])),
    }


def _arm(segment: Segment, node: int) -> Arm:
    away = segment.start == node
    return Arm(segment.line.points if away else segment.line.points[::-1], segment.calibre)


def _zones(all_segments: Sequence[Segment], disc: Disc | None) -> MeasureValues:
    names = [f"calibre_zone_{zone}" for zone in ZONES]
    if disc is None or not all_segments:
        return dict.fromkeys(names, np.nan)
    distances = disc.distances(np.concatenate([segment.line.points for segment in all_segments]))
    width = np.concatenate([segment.calibres for segment in all_segments])
    weight = np.concatenate([segment.steps for segment in all_segments])
    return {name: _mean(width, weight * in_zone(distances, zone)) for name, zone in zip(names, ZONES, strict=True)}


def _known(values: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    known = np.isfinite(values) & (weights > 0)
    return values[known], weights[known]


def _mean(values: Numbers, weights: Numbers | None = None) -> float:
    """Of the known ones; NaN for none."""
    values, weights = _known(values, np.ones(len(values)) if weights is None else weights)
    return float(np.average(values, weights=weights)) if len(values) else np.nan


def _median(values: Numbers) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else np.nan
