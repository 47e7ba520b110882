"""From a photograph to its mask, and from a list of files to a folder of masks."""

from foveate.arrays.postprocess import PostProcessing
from foveate.inference.refinement import Refinement
from foveate.inference.segmentation import Segmentation
from foveate.inference.segmenter import Segmenter

__all__ = ["PostProcessing", "Refinement", "Segmentation", "Segmenter"]
