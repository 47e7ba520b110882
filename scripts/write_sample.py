"""Draw the eye that the page has to try, `src/foveate/browser/static/sample.jpg`: python scripts/write_sample.py."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image as PillowImage

from foveate.drawn import draw
from foveate.imaging import write_bytes

FILE = Path(__file__).parents[1] / "src" / "foveate" / "browser" / "static" / "sample.jpg"
SEED = 3


def sample() -> bytes:
    """The drawn eye as JPEG, small enough to stand in a page."""
    file = io.BytesIO()
    PillowImage.fromarray(draw(SEED).image).save(file, "JPEG", quality=85, optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    write_bytes(sample(), FILE)
