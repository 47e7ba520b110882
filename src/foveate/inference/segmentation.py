"""What comes out of one photograph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foveate.errors import OutputError
from foveate.imaging import overlay, stem_of, write_mask, write_probability, write_rgb
from foveate.records import Image, Mask, Photograph, Probability


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Mask and probabilities on the photograph's own grid, upright (EXIF orientation applied)."""

    photograph: Photograph
    mask: Mask
    """H×W bool, True is vessel (or whatever the model segments); False outside the FOV."""
    probability: Probability
    """H×W float32, 0 to 1; 0 outside the FOV."""
    fov: Mask
    """H×W bool, the field of view that was found (or given)."""
    fov_diameter: float
    """Pixels."""
    threshold: float
    model: str
    seconds: float
    """From pixels to mask, reading not included."""
    notes: tuple[str, ...]
    """What had to be decided: when reading, and when looking for the FOV."""

    def overlay(self) -> Image:
        """The photograph with the mask drawn over it and the FOV outlined, H×W×3 uint8."""
        return overlay(self.photograph.pixels, self.mask, fov=self.fov)

    def save(
        self,
        folder: str | Path,
        *,
        name: str | None = None,
        probabilities: bool = False,
        overlay: bool = False,
        overwrite: bool = False,
    ) -> dict[str, Path]:
        """Write `NAME_mask.png` and, if asked for, `NAME_probability.png` (16 bits) and `NAME_overlay.png`.

        `name` is by default the photograph's file name without its ending. Returns the paths by kind. Raises
        OutputError where a file can't be written, or is there already and `overwrite` is off; nothing is
        written then.
        """
        paths = output_paths(
            Path(folder), name or stem_of(Path(self.photograph.source)), probabilities=probabilities, overlay=overlay
        )
        there = [path for path in paths.values() if path.exists()]
        if there and not overwrite:
            raise OutputError(f"{there[0]}: is there already. Choose another folder or name, or overwrite=True.")
        self.write(paths)
        return paths

    def write(self, paths: dict[str, Path]) -> None:
        """Write the kinds that `paths` names ('mask', 'probability', 'overlay'), replacing what is there."""
        if "mask" in paths:
            write_mask(self.mask, paths["mask"])
        if "probability" in paths:
            write_probability(self.probability, paths["probability"])
        if "overlay" in paths:
            write_rgb(self.overlay(), paths["overlay"])


def output_paths(folder: Path, name: str, *, probabilities: bool, overlay: bool) -> dict[str, Path]:
    """Kind of output to its path."""
    kinds = ["mask"] + ["probability"] * probabilities + ["overlay"] * overlay
    return {kind: folder / f"{name}_{kind}.png" for kind in kinds}
