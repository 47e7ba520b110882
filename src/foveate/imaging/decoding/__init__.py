"""From the bytes of an image file, whatever its format, to samples: nothing here knows of files or of what is shown.

`formats` tells formats apart, `pillow` calls Pillow and says what its modes mean, `tiff` and `tiff_pages` read TIFF,
`silence` keeps what the decoders would say to themselves, and `samples` says what comes out and how that becomes 8-bit
RGB.
"""

from foveate.imaging.decoding.formats import decode, is_tiff, size_in_header, size_of
from foveate.imaging.decoding.samples import Decoded, Samples, as_rgb, check_size

__all__ = ["Decoded", "Samples", "as_rgb", "check_size", "decode", "is_tiff", "size_in_header", "size_of"]
