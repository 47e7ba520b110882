"""foveate: masks from medical photographs, by small attention U-Nets. For research, not a medical device.

import foveate
vessels = foveate.load("vessels")
result = vessels.segment("photo.jpg")     # result.mask, result.probability, result.fov, result.overlay()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.inference import Segmenter
    from foveate.inference.measuring import Measurement
    from foveate.inference.segmenter import Source
    from foveate.records import Mask

__version__ = "0.1.0"
__all__ = ["load", "measure"]


def load(model: str | Path = "vessels", *, threads: int = 0) -> Segmenter:
    """A model that is ready to segment: a shipped one by name, or an `.onnx` file with `card.json` beside it.

    `threads` of 0 uses every core. Raises `foveate.errors.UsageError` for an unknown name, `ModelError` for
    a file that is not what its card says.
    """
    from foveate.inference import Segmenter

    return Segmenter.open(model, threads=threads)


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
    `result.row` is a row of the table, `result.values` all measures in pixels, `result.overlay()` a picture.
    """
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
