"""HRF's masks measured, as the Markdown tables of docs/measures.md: python scripts/hrf_measures.py HRF HRF_half DRIVE.

Beside VesSkel's numbers for the same masks; at full, half and a quarter of the resolution, and turned; the group means
at half size; DRIVE's two observers side by side.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from foveate.imaging import read_mask
from foveate.morphometry.vessels import measure_vessels
from foveate.records import Mask

VESSKEL = {
    "05_dr": (329, 224, 73003.4, 1.0833, 1.2276),
    "06_dr": (643, 332, 97017.6, 1.1168, 1.3020),
    "07_dr": (382, 238, 81289.7, 1.0969, 1.2529),
    "07_h": (291, 211, 73362.0, 1.0907, 1.2334),
    "09_h": (344, 242, 75140.7, 1.0843, 1.2426),
    "15_h": (312, 240, 63548.3, 1.0974, 1.2066),
    "09_g": (459, 321, 82272.2, 1.0831, 1.2586),
    "14_g": (573, 288, 85600.0, 1.0933, 1.2619),
    "15_g": (483, 306, 83075.2, 1.0846, 1.2588),
}
"""Bifurcations, ends, length, tortuosity, fractal dimension: tests/features/features_*.csv of
github.com/404Simon/VesSkel at commit 025cda003a657bbeb7a6ab8a4d183da54f4c42d0."""

WIDE = 8.0
"""Pixels of calibre at full size from which vessels are compared between resolutions."""

Line = list[float | str]


def read(folder: Path, name: str) -> tuple[Mask, Mask]:
    """A mask of HRF and its field of view."""
    return read_mask(folder / "manual1" / f"{name}.tif"), read_mask(folder / "mask" / f"{name}_mask.tif")


def beside_vesskel(folder: Path) -> str:
    """Ours / VesSkel's."""
    rows: list[Line] = []
    for name, theirs in VESSKEL.items():
        measured = measure_vessels(*read(folder, name))
        values = [measured.values[each] for each in ("ends", "length", "tortuosity", "fractal_d0")]
        # VesSkel doesn't sort them into forks and crossings.
        ours = [float(len(measured.graph.junctions)), *values]
        rows.append([name, *(f"{one:.5g} / {other:.5g}" for one, other in zip(ours, theirs, strict=True))])
    return markdown(["image", "junctions", "ends", "length", "tortuosity", "fractal dimension"], rows)


def groups(half: Path) -> str:
    """Mean share of the whole image that is vessel, as VesSkel counts it, and of the field of view."""
    rows: list[Line] = []
    for letter, name in (("h", "healthy"), ("g", "glaucoma"), ("dr", "retinopathy")):
        pairs = [read(half, f"{number:02d}_{letter}") for number in range(1, 16)]
        whole = np.mean([mask.mean() for mask, _ in pairs])
        inside = np.mean([(mask & fov).sum() / fov.sum() for mask, fov in pairs])
        rows.append([name, f"{whole:.3f}", f"{inside:.3f}"])
    return markdown(["group", "share of the image", "share of the field of view"], rows)


def reduced(mask: Mask, factor: int) -> Mask:
    """The mask at 1 / factor of its size: set where half of a block is."""
    height, width = (side // factor for side in mask.shape)
    blocks = mask[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return np.asarray(blocks.mean(axis=(1, 3)) >= 0.5)


def turned(mask: Mask, degrees: float) -> Mask:
    """The mask turned about its middle."""
    from scipy.ndimage import rotate  # type: ignore[import-untyped]

    return np.asarray(rotate(mask.astype(np.float32), degrees, order=1) >= 0.5)


def wide(mask: Mask, fov: Mask, factor: int) -> tuple[float, float]:
    """Mean calibre in thousandths of the field of view, and tortuosity, of segments that are wide at full size."""
    found = [each for each in measure_vessels(mask, fov).segments if each.calibre * factor >= WIDE]
    length = np.array([each.line.arc for each in found])
    winding = np.array([each.tortuosity.arc_chord for each in found])
    known = np.isfinite(winding)
    across = float(np.average([each.calibre for each in found], weights=length))
    diameter = float(np.count_nonzero(fov.any(axis=0)))
    return 1000 * across / diameter, float(np.average(winding[known], weights=length[known]))


def resolutions(folder: Path) -> str:
    """Calibre and tortuosity at full, half and a quarter of the size, and turned by 30 degrees."""
    rows: list[Line] = []
    for name in VESSKEL:
        mask, fov = read(folder, name)
        found = [wide(reduced(mask, factor), reduced(fov, factor), factor) for factor in (1, 2, 4)]
        half = reduced(mask, 2), reduced(fov, 2)
        diameter = np.count_nonzero(half[1].any(axis=0)) / np.count_nonzero(turned(half[1], 30).any(axis=0))
        across, winding = wide(turned(half[0], 30), turned(half[1], 30), 2)
        found.append((across / diameter, winding))
        rows.append([name, *(f"{one:.2f}" for one, _ in found), *(f"{one:.3f}" for _, one in found)])
    sizes = ("full", "half", "quarter", "half, turned")
    return markdown(
        ["image", *(f"calibre, {size}" for size in sizes), *(f"tortuosity, {size}" for size in sizes)], rows
    )


def observers(drive: Path) -> str:
    """Density and fractal dimension of both observers of DRIVE's test images."""
    rows: list[Line] = []
    for number in range(1, 21):
        fov = read_mask(drive / "test" / "mask" / f"{number:02d}_test_mask.gif")
        paths = (f"1st_manual/{number:02d}_manual1.gif", f"2nd_manual/{number:02d}_manual2.gif")
        both = [measure_vessels(read_mask(drive / "test" / path), fov).values for path in paths]
        cells = [f"{each[name]:.4f}" for name in ("area_density", "length_density", "fractal_d0") for each in both]
        rows.append([f"{number:02d}", *cells])
    columns = ("area density", "length density per px", "D0")
    return markdown(["image", *(f"{column}, {who}" for column in columns for who in ("first", "second"))], rows)


def markdown(header: list[str], rows: list[Line]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("hrf", "half", "drive"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    for text in (
        beside_vesskel(arguments.hrf),
        groups(arguments.half),
        resolutions(arguments.hrf),
        observers(arguments.drive),
    ):
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
