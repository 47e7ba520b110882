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

__version__ = "0.1.0"
__all__ = ["load"]


def load(model: str | Path = "vessels", *, threads: int = 0) -> Segmenter:
    """A model that is ready to segment: a shipped one by name, or an `.onnx` file with `card.json` beside it.

    `threads` of 0 uses every core. Raises `foveate.errors.UsageError` for an unknown name, `ModelError` for
    a file that is not what its card says.
    """
    from foveate.inference import Segmenter

    return Segmenter.open(model, threads=threads)
