"""Files and arrays.

Photographs and masks are read from every form of image that people have, by stated rules, and results are
written so that a file is complete or not there at all.
"""

from foveate.imaging.files import ENDINGS, find_images, stem_of
from foveate.imaging.mask import MaskFile, read_mask, read_mask_file
from foveate.imaging.overlay import overlay
from foveate.imaging.read import read_photograph
from foveate.imaging.write import (
    write_bytes,
    write_gif_mask,
    write_mask,
    write_probability,
    write_rgb,
    write_text,
    write_tiff,
)

__all__ = [
    "ENDINGS",
    "MaskFile",
    "find_images",
    "overlay",
    "read_mask",
    "read_mask_file",
    "read_photograph",
    "stem_of",
    "write_bytes",
    "write_gif_mask",
    "write_mask",
    "write_probability",
    "write_rgb",
    "write_text",
    "write_tiff",
]
