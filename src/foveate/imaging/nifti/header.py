"""What a NIfTI file says of itself, checked before a sample is read."""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Pair
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

from foveate.errors import ImageError, UsageError
from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.nifti.recognise import is_nifti_file

Affine = NDArray[np.float64]
"""4×4, from voxel indices to millimetres to the patient's right, front and top."""

MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
"""Of one unit of space, by its code: metres, millimetres, micrometres. Without a code it is taken as a millimetre."""

UNIT_OF_SPACE = 7
"""The bits of `xyzt_units` that are that code."""

MOST_FRAMES = 65_536
"""Volumes in a file, as frames in a DICOM file."""

PIECE = 2**18
"""Bytes that are unpacked at a time."""

MOST_BEHIND = 64 * 2**20
"""Bytes behind the samples of a gzipped file, which mean nothing."""

MOST_UNZIPPED = 1032
"""Bytes that one byte of gzip can stand for, at most."""


@dataclass(frozen=True)
class VolumeHeader:
    """Of a file with one volume, or several of one size and place."""

    path: Path
    shape: tuple[int, int, int]
    frames: int
    affine: Affine
    says_place: bool
    """Whether the file says how it lies in space; else nibabel's rule for such files is taken."""
    dtype: np.dtype[Any]
    scaled: bool
    """Whether its samples have a slope or an intercept."""
    window: tuple[float, float] | None
    """The levels that are to be shown as black and white (cal_min, cal_max), where the file says so."""
    fields: Any
    """nibabel's header: what stands in the file."""
    data: Path
    """The file of the samples: the same, but for a pair."""
    end: int
    """Where its samples end in it, unpacked."""
    zipped: bool

    @cached_property
    def version(self) -> int:
        """Of NIfTI, 1 or 2."""
        return 2 if isinstance(self.fields, Nifti2Header) else 1

    @property
    def voxel_ml(self) -> float:
        """Millilitres of a voxel."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between neighbours along each of the stored axes."""
        first, second, third = (float(np.linalg.norm(self.affine[:3, axis])) for axis in range(3))
        return first, second, third


def volume_header(path: Path) -> VolumeHeader:
    """Of a file. Raises UsageError where there is none and ImageError for what can't be a volume; neither names it."""
    if not path.exists():
        raise UsageError("no such file; check the name")
    if not is_nifti_file(path):
        raise ImageError("is no NIfTI file (of a pair, give the .hdr); give a .nii or .nii.gz")
    with calling_reader("has a header that can't be read (NIfTI)"):
        image = opened_image(path)
        return _checked(path, image, image.header)


def _checked(path: Path, image: Any, fields: Any) -> VolumeHeader:
    """Of an image that nibabel has opened, with its header's fields. Raises ImageError, among others."""
    shape = tuple(int(size) for size in image.shape)
    dtype, frames = np.dtype(image.get_data_dtype()), _checked_frames(shape)
    affine = np.array(fields.get_best_affine(), np.float64)
    affine[:3] *= MILLIMETRES.get(int(fields["xyzt_units"]) & UNIT_OF_SPACE, 1.0)
    _check_samples(dtype, affine)
    data = Path(image.file_map["image"].filename)
    zipped = data.suffix.lower() == ".gz"
    offset, size = int(image.dataobj.offset), math.prod(shape) * dtype.itemsize
    _check_bytes(path, data, offset, size, zipped=zipped)
    low, high = float(fields["cal_min"]), float(fields["cal_max"])
    first, second, third = shape[:3]
    return VolumeHeader(
        path=path,
        shape=(first, second, third),
        frames=frames,
        affine=affine,
        says_place=any(int(fields[code]) for code in ("sform_code", "qform_code")),
        dtype=dtype,
        scaled=fields.get_slope_inter() not in ((None, None), (1.0, 0.0)),
        window=(low, high) if low < high and math.isfinite(high - low) else None,
        fields=fields,
        data=data,
        end=offset + size,
        zipped=zipped,
    )


def check_packed(header: VolumeHeader) -> None:
    """Unpack a gzipped file once, to its end and into nothing, as its checksum stands there.

    Raises ImageError, without the file's name, for what is damaged, cut short, or far longer than its header says.
    """
    if not header.zipped:
        return
    length = 0
    with calling_reader("can't be read to its end (NIfTI)"), gzip.open(header.data) as file:
        while piece := file.read(PIECE):
            length += len(piece)
            if length > header.end + MOST_BEHIND:
                raise ImageError("unpacks to more than its header says (NIfTI); export it again")
        if length < header.end:
            raise ImageError(f"can't be read to its end (NIfTI): it unpacks to {length} bytes of {header.end}")


def opened_image(path: Path) -> Any:
    """nibabel's image, none of whose samples are read; its file stays open as long as samples are."""
    image = nibabel.load(path, mmap=False, keep_file_open=True)
    if not isinstance(image, Nifti1Pair):
        raise ImageError("is no NIfTI file; give a .nii or .nii.gz")
    return image


def _checked_frames(shape: tuple[int, ...]) -> int:
    """How many volumes there are. Raises ImageError."""
    size = "×".join(map(str, shape))
    if len(shape) < 3 or min(shape) < 1:
        raise ImageError(f"has the size {size or 0} (NIfTI), which is no volume; export it as one of three axes")
    if len(shape) > 4 and math.prod(shape[4:]) > 1:
        raise ImageError(f"has the size {size} (NIfTI), with several values for each voxel; export one of them")
    frames = shape[3] if len(shape) > 3 else 1
    if frames > MOST_FRAMES:
        raise ImageError(f"has {frames} volumes, over the limit of {MOST_FRAMES}; give fewer")
    return frames


def _check_samples(dtype: np.dtype[Any], affine: Affine) -> None:
    if dtype.kind not in "iuf":
        raise ImageError("holds colours or complex numbers (NIfTI); export one number for each voxel")
    if not np.isfinite(affine).all() or not abs(np.linalg.det(affine[:3, :3])) > 1e-12:
        raise ImageError("doesn't say how it lies in space (NIfTI: its affine maps voxels onto a plane, or nowhere)")


def _check_bytes(path: Path, data: Path, offset: int, samples: int, *, zipped: bool) -> None:
    """Refuse a header that promises more than its file can hold."""
    try:
        there = data.stat().st_size
    except OSError as error:
        raise ImageError(f"lacks the file of its samples, {data.name}; put it beside {path.name}") from error
    most = there * MOST_UNZIPPED if zipped else there
    if offset < 0 or offset + samples > most:
        raise ImageError(f"claims {samples} bytes of samples and has a file of {there}; it is cut short or damaged")
