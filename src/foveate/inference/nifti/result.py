"""What comes out of a volume: it is made while it is written, all outputs together, slice by slice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import OutputError
from foveate.imaging import stem_of
from foveate.imaging.nifti.volume_file import volume_file
from foveate.imaging.overlay import OPACITY, Style
from foveate.imaging.palette import classes_text
from foveate.imaging.write import probability_steps
from foveate.inference.segmentation import Segmentation, output_paths
from foveate.inference.tally import Counting, MaskTally
from foveate.metrics.confidence import Correction
from foveate.records import Photograph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.imaging.nifti.volume import Volume
    from foveate.imaging.nifti.volume_file import VolumeFile
    from foveate.inference.segmenter import Segmenter
    from foveate.records import Image

PROBABILITY_SLOPE = 1 / 65535
"""Of a volume of probabilities, in steps of 16 bits."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VolumeSegmentation:
    """A segmentation of a volume that is still to be made."""

    photograph: Volume
    segmenter: Segmenter
    neighbours: bool = False
    """Whether the model sees a slice between its neighbours."""
    notes: tuple[str, ...] = ()
    """What had to be decided to read it."""
    fov_diameter: float = 0.0
    """Slices differ in it."""

    def __repr__(self) -> str:
        return f"<VolumeSegmentation of {self.photograph.source}, by {self.segmenter.card.name}>"

    def segmentations(self) -> Iterator[tuple[int, Segmentation]]:
        """The slices in stored order, each with its stored number, from 0, along the axis across which they lie.

        Each is as it is looked at in its plane; one is in memory at a time. Raises ImageError or ModelError.
        """
        volume = self.photograph
        images = volume.with_neighbours() if self.neighbours else volume.images()
        for number, image in enumerate(images):
            yield number, self._segmented(number, image)

    def save(
        self, folder: str | Path, *, name: str | None = None, probabilities: bool = False, overwrite: bool = False
    ) -> dict[str, Path]:
        """Write `NAME_mask.nii` (`.nii.gz`, where the source is packed) and, if asked for, `NAME_probability.nii`.

        Of several classes as `Segmentation.save`. Returns the paths by kind. Raises OutputError where a file can't be
        written, or is there already and `overwrite` is off; nothing is written then.
        """
        header = self.photograph.files[0]
        paths = output_paths(
            Path(folder),
            name or stem_of(header.path),
            self.segmenter.card.told_apart,
            probabilities=probabilities,
            overlay=False,
            ending=".nii.gz" if header.zipped else ".nii",
        )
        there = [path for path in paths.values() if path.exists()]
        if there and not overwrite:
            raise OutputError(f"{there[0]}: is there already. Choose another folder or name, or overwrite=True.")
        self.written(paths)
        return paths

    def written(
        self,
        paths: Mapping[str, Path],
        *,
        style: Style = "outline",
        opacity: float = OPACITY,
        confidence: bool = False,
    ) -> MaskTally:
        """Write the kinds that `paths` names, replacing what is there: all of them or none. Raises a FoveateError."""
        volume, card = self.photograph, self.segmenter.card
        trust = card.trust
        correction = None if trust is None else Correction(trust.shift, trust.margin)
        counting, notes = Counting(card.told_apart, correction, confidence=confidence), Counter[str]()
        with ExitStack() as stack:
            files = {kind: self._opened(stack, kind, path) for kind, path in paths.items()}
            for _, result in self.segmentations():
                counting.add(result.masks, result.probabilities, result.fov, result.spread)
                notes.update(result.notes)
                for kind, file in files.items():
                    file.add(volume.slices.stored(_plane(result, kind)))
            for file in files.values():
                file.finish()
        count, height, width = volume.size
        per_voxel = volume.files[0].voxel_ml
        return replace(
            counting.tally(height, width),
            slices=count,
            volumes_ml={
                name: float(f"{pixels * per_voxel:.9g}")
                for name, pixels in zip(card.told_apart.names, counting.pixels.tolist(), strict=True)
            },
            notes=tuple(f"{number} slices: {note}" for note, number in notes.items()),
        )

    def _segmented(self, number: int, image: Image) -> Segmentation:
        source = f"{self.photograph.source}, slice {number + 1}"
        return self.segmenter.segment_photograph(Photograph(image, source, self.photograph.sha256))

    def _opened(self, stack: ExitStack, kind: str, path: Path) -> VolumeFile:
        volume, names = self.photograph, self.segmenter.card.classes
        mask = kind.endswith("mask")
        shown = names if kind == "mask" else [kind.rpartition("_")[0]] if len(names) > 1 else names
        file = volume_file(
            path,
            volume.files[0],
            volume.slices.axis,
            np.uint8 if mask else np.uint16,
            slope=1.0 if mask else PROBABILITY_SLOPE,
            text=classes_text(shown) if mask else ", ".join(shown),
        )
        return stack.enter_context(file)


def _plane(result: Segmentation, kind: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """What of a slice belongs into an output, H×W: numbers of classes, 0 and 1, or steps of probabilities."""
    class_name, _, what = kind.rpartition("_")
    number = result.classes.names.index(class_name) if class_name else 0
    if what != "mask":
        return probability_steps(result.probabilities[number])
    return result.labels if result.classes.softmax else result.masks[number].astype(np.uint8)
