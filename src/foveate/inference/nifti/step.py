"""What a model makes of a volume's channels: what its card says that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.errors import ImageError
from foveate.imaging.nifti.volume import CHANNELS
from foveate.inference.nifti.result import VolumeSegmentation
from foveate.inference.procedure import SLICES_AT_ONE_SIZE
from foveate.models.card import NEIGHBOURS

if TYPE_CHECKING:
    from foveate.imaging.nifti.volume import Volume
    from foveate.inference.segmenter import Segmenter


def segment_volume(segmenter: Segmenter, volume: Volume) -> VolumeSegmentation:
    """The segmentation, opened: nothing runs before it is written. Raises ImageError for channels that don't fit,
    and where each slice would choose its size.

    A model whose card names sequences takes a file for each, one that sees neighbouring slices a single file; any other
    takes three files as red, green and blue, and a single one as grey.
    """
    if segmenter.procedure.surest_size:
        raise ImageError(f"{volume.source}: {SLICES_AT_ONE_SIZE}")
    sequences, files = segmenter.card.sequences, len(volume.files)
    if sequences == NEIGHBOURS:
        if files > 1:
            raise ImageError(
                f"{volume.source}: {segmenter.card.name} sees each slice between its neighbours. Give it one file."
            )
        notes = ("channels: the slice below, the slice, the slice above",)
    elif sequences and files < CHANNELS:
        raise ImageError(
            f"{volume.source}: {segmenter.card.name} sees {', '.join(sequences)}. Give a file for each, and say by"
            " --channels what their names end in; a sequence that is lacking may be another one again."
        )
    else:
        names = sequences or ("red", "green", "blue")
        pairs = zip(names, (header.path.name for header in volume.files), strict=False)
        told = ", ".join(f"{name} {file}" for name, file in pairs)
        notes = (f"channels: {told}",) if files > 1 else ("a single file: all channels are equal",)
    return VolumeSegmentation(volume, segmenter, sequences == NEIGHBOURS, (*volume.notes, *notes))
