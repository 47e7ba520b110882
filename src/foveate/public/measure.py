"""`foveate.measure`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.inference import Segmenter
    from foveate.inference.measuring import Measurement
    from foveate.inference.segmenter import Source
    from foveate.records import Mask


def measure(
    source: Source,
    *,
    mask: bool = False,
    artery_vein: bool = False,
    regions: bool = False,
    model: str | Path | Segmenter = "vessels",
    fov: Mask | None = None,
    disc: tuple[float, float, float] | None = None,
    um_per_pixel: float | None = None,
    fov_degrees: float | None = None,
) -> Measurement:
    """Measure the vessels, or with `regions` the lesions, of one image; needs the extra `evaluate`.

    A photograph is segmented by `model` first; with `mask` (a file, or bool H×W) or `artery_vein` (a label file, or
    bool 2×H×W or 3×H×W) `source` is what any tool made. `fov` is bool H×W; `disc` row, column and diameter in pixels.
    `result.row` is a row of the table, `result.values` all measures in pixels, `result.overlay()` a picture. Raises
    `foveate.errors.UsageError` where what it needs is not installed.
    """
    from foveate.errors import needs

    with needs("evaluate", "measuring"):
        from foveate.inference.measuring import measure_one

        return measure_one(
            source,
            "artery-vein" if artery_vein else "mask" if mask else "photograph",
            model,
            fov,
            disc,
            um_per_pixel,
            fov_degrees,
            as_regions=regions,
        )
