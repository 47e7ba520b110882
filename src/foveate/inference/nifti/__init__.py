"""NIfTI volumes on their way: as items of a source, through the segmenter slice by slice, and into volumes of masks."""
