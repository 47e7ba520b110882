"""From a photograph to its mask, and from many images to complete outputs."""

from foveate.arrays.postprocess import PostProcessing
from foveate.inference.procedure import Procedure
from foveate.inference.segmentation import Segmentation
from foveate.inference.segmenter import Segmenter

__all__ = ["PostProcessing", "Procedure", "Segmentation", "Segmenter"]
