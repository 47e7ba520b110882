"""Where masks lie: in the place of their volume, whatever the order in which it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

import foveate
from made_nifti import LEAST, SPACING, affine, green, head, millimetres, model, opened, samples, saved, turned, volume

ORIENTATIONS = ("RAS", "LPS", "RSA", "LIP", "ARI", "PLS", "ASR", "PIL", "SLP", "IRA", "SAL", "IPR")
"""All six orders of axes, each twice, with every direction."""


def voxels_at(image: Any, places: NDArray[np.float64]) -> set[tuple[int, ...]]:
    """Which voxels of a volume have their middles at these millimetres."""
    found = millimetres(np.linalg.inv(image.affine), places)
    assert np.abs(found - np.rint(found)).max() < 1e-3  # srow_x and so on are float32
    return {tuple(voxel) for voxel in np.rint(found).astype(int).tolist()}


def oblique(degrees: float) -> NDArray[np.float64]:
    """The place of the head, turned about two axes."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    about_x = np.array([[1, 0, 0, 0], [0, cosine, -sine, 0], [0, sine, cosine, 0], [0, 0, 0, 1]])
    about_z = np.array([[cosine, -sine, 0, 0], [sine, cosine, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    turned_affine: NDArray[np.float64] = about_z @ about_x @ affine()
    return turned_affine


@pytest.mark.parametrize("degrees", [0, 12])
@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_a_mask_has_its_volumes_affine_and_shape_and_lies_where_the_lesion_does(
    axes: str, degrees: float, tmp_path: Path
) -> None:
    place = oblique(degrees)
    image = turned(volume(head(), place), axes)
    image.set_sform(image.affine, 1)
    image.set_qform(image.affine, 2)
    image.header.set_xyzt_units("mm", "sec")
    path = saved(image, tmp_path / "in/head.nii.gz")
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model())
    assert outcome.error == ""
    mask, source = opened(outcome.outputs["mask"]), opened(path)
    assert np.abs(mask.affine - source.affine).max() <= 1e-6
    assert (mask.shape, mask.get_data_dtype()) == (source.shape, np.uint8)
    for field in ("sform_code", "qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "srow_x", "srow_z"):
        assert np.array_equal(mask.header[field], source.header[field])
    assert np.array_equal(mask.header["pixdim"][:4], source.header["pixdim"][:4])
    assert mask.header.get_xyzt_units()[0] == "mm"
    lesion = millimetres(place, np.argwhere(head() >= LEAST))
    assert voxels_at(mask, lesion) == {tuple(voxel) for voxel in np.argwhere(np.asarray(mask.dataobj) == 1).tolist()}
    assert any("oblique" in note for note in outcome.notes) == bool(degrees)


SHOWN: dict[str, Any] = {
    "axial": lambda base: [base[::-1, ::-1, k].T for k in range(base.shape[2])],
    "coronal": lambda base: [base[::-1, k, ::-1].T for k in range(base.shape[1])],
    "sagittal": lambda base: [base[k, ::-1, ::-1].T for k in range(base.shape[0])],
}
"""As radiologists look at them: the patient's right on the left, the front (or in axial slices the nape below) as it is
printed, the top above; in slices from side to side the nose is on the left. By the head's own axes."""


@pytest.mark.parametrize("plane", SHOWN)
@pytest.mark.parametrize("axes", ["RAS", "LPS", "SAL", "PIR"])
def test_a_network_sees_the_slices_of_the_plane_upright_whatever_is_stored(
    axes: str, plane: Any, tmp_path: Path
) -> None:
    seen: list[NDArray[Any]] = []

    def watching(batch: NDArray[Any]) -> NDArray[Any]:
        seen.append(batch[0, 1].astype(np.uint8))
        return green(batch)

    path = saved(turned(volume(head()), axes), tmp_path / "head.nii")
    foveate.segment(path, tmp_path / "out", model=model(watching), plane=plane)
    expected = SHOWN[plane](head())
    assert len(seen) == len(expected)
    assert {each.tobytes() for each in seen} == {each.tobytes() for each in expected}
    assert {each.shape for each in seen} == {each.shape for each in expected}
    follow = [next(n for n, slice_ in enumerate(expected) if np.array_equal(slice_, each)) for each in seen]
    assert follow in (sorted(follow), sorted(follow, reverse=True))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_masks_of_a_model_of_single_pixels_are_the_same_in_every_plane(plane: Any, tmp_path: Path) -> None:
    path = saved(turned(volume(head()), "ASR"), tmp_path / "head.nii.gz")
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model(), plane=plane)
    assert np.array_equal(samples(outcome.outputs["mask"]), samples(path) >= LEAST)


def test_a_file_that_says_nothing_of_its_place_is_taken_as_nibabel_does_and_says_so(tmp_path: Path) -> None:
    image = volume(head())
    image.header.set_sform(None, 0)
    image.header.set_qform(None, 0)
    image.header["pixdim"][1:4] = SPACING
    bare = nibabel.Nifti1Image(head(), None, image.header)  # type: ignore[no-untyped-call]
    path = saved(bare, tmp_path / "head.nii")
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model())
    assert any("doesn't say how it lies" in note for note in outcome.notes)
    mask = opened(outcome.outputs["mask"])
    assert np.array_equal(mask.affine, opened(path).affine)
    assert (int(mask.header["sform_code"]), int(mask.header["qform_code"])) == (0, 0)
