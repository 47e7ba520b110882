"""The measures of one image, with what was known of it: as numbers, as rows of a table, as a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from foveate.errors import UsageError
from foveate.imaging.measured_overlay import Nodes, centreline_overlay
from foveate.imaging.overlay import overlay
from foveate.morphometry.dictionary import IMAGE
from foveate.morphometry.image import Measured
from foveate.morphometry.rows import Row, measures_of, row, segment_rows
from foveate.morphometry.zones import Disc

if TYPE_CHECKING:
    from foveate.records import Image, Mask, Masks


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an image beside its pixels."""

    disc: Disc | None = None
    um_per_pixel: float | None = None
    fov_degrees: float | None = None
    """Angle of the field of view, from which a scale is assumed where none is given."""
    slice_um: float | None = None
    """Micrometres between slices; regions have a volume then."""
    eye: str = ""
    patient: str = ""
    um_from_file: float | None = None
    """What the file itself says, for where nothing is given."""

    def __post_init__(self) -> None:
        for name in ("um_per_pixel", "fov_degrees", "slice_um"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and 0 < value < float("inf")):
                raise UsageError(f"--{name.replace('_', '-')} {value}: expected a number above 0.")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One image's measures."""

    source: str
    measured: Measured
    """In pixels."""
    known: Known
    um_per_pixel: float | None
    """Given or assumed; None where there is no scale."""
    fov: Mask
    """All of an image that has none."""
    image: Image
    """H×W×3: the photograph, or the mask in grey."""
    quality: tuple[str, ...]
    """What is wrong, in the words of `morphometry.trust.RULES`; empty for a good image."""
    contrast: float
    expected_f1: float
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Measure to low and high, in pixels."""
    regions: Masks | None = None
    """What was measured as regions, K×H×W; None of vessels."""
    has_fov: bool = True

    @property
    def values(self) -> dict[str, float]:
        """Measure to value in pixels; NaN where it isn't defined."""
        return self.measured.values

    @property
    def row(self) -> Row:
        """Column to value, by the data dictionary; NaN where it isn't defined."""
        cells = row(self._facts(), IMAGE, self.um_per_pixel)
        length = "px" if self.um_per_pixel is None else "um"
        for measure in measures_of(self.measured):
            cells |= row(self.values, [measure], self.um_per_pixel)
            if measure.name in self.intervals:
                for end, value in zip(("low", "high"), self.intervals[measure.name], strict=True):
                    scaled = row({measure.name: value}, [measure], self.um_per_pixel)
                    cells[f"{measure.column(length)}_{end}"] = next(iter(scaled.values()))
        return cells

    @property
    def segment_rows(self) -> list[Row]:
        """A row for each vessel segment, or each region, with the image's path before it."""
        return [
            {"path": self.source, **columns}
            for columns in segment_rows(self.measured, self.known.disc, self.um_per_pixel)
        ]

    def overlay(self, colour: Literal["calibre", "tortuosity"] = "calibre") -> Image:
        """The centrelines in colours over the image H×W×3; forks vermilion, crossings purple, ends sky blue. Of regions
        it is a line around each, whatever the colour."""
        if self.regions is not None:
            return overlay(self.image, self.regions)
        lines, forks, crossings, ends = [], [], [], []
        for vessels in self.measured.vessels.values():
            for segment in vessels.segments:
                winding = np.full(len(segment.calibres), segment.tortuosity.arc_chord)
                lines.append((segment.line.points, segment.calibres if colour == "calibre" else winding))
            forks += [vessels.graph.positions[node] for node in vessels.junctions.forks]
            crossings += vessels.junctions.crossings
            ends += [vessels.graph.positions[node] for node in vessels.ends]
        title = "calibre in px" if colour == "calibre" else "arc over chord"
        places = [np.array(points, np.float64).reshape(-1, 2) for points in (forks, crossings, ends)]
        return centreline_overlay(self.image, lines, Nodes(*places), title)

    def _facts(self) -> dict[str, str | float]:
        scale = self.um_per_pixel
        known = self.known
        assumed = "the file" if known.um_from_file else f"assumed from {known.fov_degrees} degrees"
        given = "given" if known.um_per_pixel else assumed
        return {
            "path": self.source,
            "eye": self.known.eye,
            "patient": self.known.patient,
            "um_per_pixel": np.nan if scale is None else scale,
            "scale_from": "" if scale is None else given,
            "fov_diameter": diameter_of(self.fov) if self.has_fov else np.nan,
            "fov_share": float(self.fov.mean()) if self.has_fov else np.nan,
            "contrast": self.contrast,
            "expected_f1": self.expected_f1,
            "quality": "; ".join(self.quality) or "good",
        }


def diameter_of(fov: Mask) -> float:
    """Of the disc with the field of view's width: the longer side of its box."""
    rows, columns = fov.any(axis=1), fov.any(axis=0)
    return float(max(np.count_nonzero(rows), np.count_nonzero(columns)))
