"""Images that are too large to be held in memory: read some rows at a time, and written so.

`size` says how large one is, `photograph` opens it, `rows` says what rows are, `tiff_layout` and `tiff_rows` read those
of a TIFF; `tiff_file` writes an image from top to bottom, as `png_file` beside this folder does; `drawing` draws masks
over it.
"""
