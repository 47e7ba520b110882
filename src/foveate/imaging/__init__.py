"""Files and arrays.

Photographs and masks are read from every form of image that people have, by stated rules, and results are
written so that a file is complete or not there at all.
"""

from foveate.imaging.decoding import size_of
from foveate.imaging.files import (
    ENDINGS,
    find_images,
    images_below,
    images_matching,
    is_photograph_name,
    stem_of,
)
from foveate.imaging.labels import (
    Label,
    LabelFile,
    as_masks,
    names_of,
    read_label_file,
    read_labels,
)
from foveate.imaging.mask import MaskFile, read_mask, read_mask_file
from foveate.imaging.overlay import overlay
from foveate.imaging.palette import class_colours
from foveate.imaging.read import PhotographFile, read_photograph, read_photograph_file
from foveate.imaging.spreadsheet import csv_text, write_csv
from foveate.imaging.write import (
    encode_labels,
    encode_mask,
    encode_probability,
    encode_rgb,
    whole_folder,
    write_bytes,
    write_gif_mask,
    write_labels,
    write_mask,
    write_probability,
    write_rgb,
    write_text,
    write_tiff,
)

__all__ = [
    "ENDINGS",
    "Label",
    "LabelFile",
    "MaskFile",
    "PhotographFile",
    "as_masks",
    "class_colours",
    "csv_text",
    "encode_labels",
    "encode_mask",
    "encode_probability",
    "encode_rgb",
    "find_images",
    "images_below",
    "images_matching",
    "is_photograph_name",
    "names_of",
    "overlay",
    "read_label_file",
    "read_labels",
    "read_mask",
    "read_mask_file",
    "read_photograph",
    "read_photograph_file",
    "size_of",
    "stem_of",
    "whole_folder",
    "write_bytes",
    "write_csv",
    "write_gif_mask",
    "write_labels",
    "write_mask",
    "write_probability",
    "write_rgb",
    "write_text",
    "write_tiff",
]
