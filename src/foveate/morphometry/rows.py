"""Measured values as rows of tables: columns by the data dictionary, in pixels or micrometres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from foveate.morphometry.dictionary import EQUIVALENTS, IMAGE, RATIOS, REGION_ROWS, REGIONS, SEGMENTS, VESSELS, Quantity
from foveate.morphometry.image import Measured
from foveate.morphometry.segments import Segment
from foveate.morphometry.zones import Disc

Cell = str | float
Row = dict[str, Cell]
"""Column to value; NaN where it isn't defined."""


def measures_of(measured: Measured) -> tuple[Quantity, ...]:
    """The dictionary's entries for an image's values, in the table's order, named as the values are."""
    if not measured.vessels:
        return REGIONS
    classes = list(measured.vessels)
    if classes == [""]:
        return VESSELS
    per_class = [_named(name, measure) for name in classes for measure in VESSELS]
    if "avr" not in measured.values:
        return tuple(per_class)
    ratios = [_ratio(measure) for measure in VESSELS if measure.name in RATIOS]
    return (*per_class, *EQUIVALENTS, *ratios)


def row(values: Mapping[str, Cell], measures: Sequence[Quantity], um_per_pixel: float | None) -> Row:
    """The values that the measures name, given in pixels, with the columns of their unit."""
    length, factor = ("px", 1.0) if um_per_pixel is None else ("um", um_per_pixel)
    cells: Row = {}
    for measure in measures:
        value = values.get(measure.name, np.nan)
        scaled = value if isinstance(value, str) or not measure.power else value * factor**measure.power
        cells[measure.column(length)] = scaled
    return cells


def segment_rows(measured: Measured, disc: Disc | None, um_per_pixel: float | None) -> list[Row]:
    """A row for each vessel segment, or for each region."""
    if measured.regions:
        numbered = enumerate(measured.regions, start=1)
        values = [{"region": float(number), **_of(region)} for number, region in numbered]
        return [row(region_values, REGION_ROWS, um_per_pixel) for region_values in values]
    return [
        {"class": name, **row(_segment(segment, disc), SEGMENTS, um_per_pixel)}
        for name, vessels in measured.vessels.items()
        for segment in vessels.segments
    ]


def header(rows: Sequence[Row]) -> list[str]:
    """All columns that occur, in order: those of the first row, and behind their neighbours those of others."""
    columns: list[str] = []
    for row in rows:
        place = 0
        for column in row:
            if column in columns:
                place = columns.index(column) + 1
            else:
                columns.insert(place, column)
                place += 1
    return columns


def dictionary_rows() -> list[Row]:
    """The data dictionary as a table."""
    tables = {
        "image": IMAGE,
        "vessels": VESSELS,
        "arteries and veins": EQUIVALENTS,
        "regions": REGIONS,
        "segments": SEGMENTS,
        "regions' rows": REGION_ROWS,
    }
    return [
        {
            "table": table,
            "name": quantity.name,
            "column_px": quantity.column("px"),
            "column_um": quantity.column("um"),
            "definition": quantity.definition,
            "source": quantity.source,
            "reliability": quantity.reliability,
        }
        for table, measures in tables.items()
        for quantity in measures
    ]


def _named(name: str, measure: Quantity) -> Quantity:
    return Quantity(f"{name}_{measure.name}", measure.power, measure.unit, measure.definition, measure.source)


def _ratio(measure: Quantity) -> Quantity:
    return Quantity(f"artery_vein_{measure.name}", None, "", "The arteries' value over the veins'.", measure.source)


def _of(region: object) -> dict[str, Cell]:
    from dataclasses import asdict

    return dict(asdict(region))  # type: ignore[call-overload]


def _segment(segment: Segment, disc: Disc | None) -> dict[str, Cell]:
    line, winds = segment.line, segment.tortuosity
    known = segment.calibres[np.isfinite(segment.calibres)]
    (start_row, start_column), (end_row, end_column) = line.points[[0, -1]].tolist()
    return {
        "segment": segment.number,
        "start_node": segment.start,
        "end_node": segment.end,
        "start_row": start_row,
        "start_column": start_column,
        "end_row": end_row,
        "end_column": end_column,
        "arc": line.arc,
        "chord": line.chord,
        "calibre_mean": segment.calibre,
        "calibre_sd": float(known.std()) if len(known) else np.nan,
        "tortuosity": winds.arc_chord,
        "total_curvature": winds.total_curvature,
        "squared_curvature": winds.squared_curvature,
        "tau4": winds.tau4,
        "tau5": winds.tau5,
        "tortuosity_density": winds.density,
        "disc_distance": np.nan if disc is None else float(disc.distances(line.points).mean()),
    }
