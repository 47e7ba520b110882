"""Images that are too large to be held in memory: read some rows at a time, and written so.

`photograph` opens one, `rows` says what rows are, `tiff_layout` and `tiff_rows` read those of a TIFF; `png_file` and
`tiff_file` write an image from top to bottom, and `drawing` draws masks over it.
"""

from foveate.imaging.large.photograph import LargePhotograph, in_memory, open_tiff
from foveate.imaging.large.rows import Following, Rows
from foveate.imaging.large.tiff_layout import NotByRowsError

__all__ = ["Following", "LargePhotograph", "NotByRowsError", "Rows", "in_memory", "open_tiff"]
