"""DRIVE and HRF with arteries and veins, as they lie on disk, and in the layouts of those who drew them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageFilter

from foveate.datasets import open_set
from foveate.datasets.artery_vein import LABELS
from foveate.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.records import Case, Image, Mask

NAMES = ("artery", "vein", "crossing")
RED, BLUE, GREEN, WHITE = (255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 255, 255)


def stored(path: Path) -> Image:
    with PillowImage.open(path) as file:
        return np.asarray(file)


def grey_mask(path: Path) -> Mask:
    with PillowImage.open(path) as file:
        return np.asarray(file.convert("L")) >= 128


def cases(spec: str) -> dict[str, Case]:
    return {entry.id: entry.load() for entry in open_set(spec).entries}


def test_drive_has_all_images_but_the_half_labelled_one_in_its_own_splits(shared_data: Path) -> None:
    data = open_set(f"drive_av:{shared_data / 'DRIVE'}")
    assert (data.classes.names, data.classes.softmax) == (NAMES, True)
    numbers = [f"{number:02}" for number in range(1, 41) if number != 34]
    assert [entry.id for entry in data.entries] == [f"drive_av_{number}" for number in numbers]
    assert {entry.group: entry.split for entry in data.entries} == {
        number: "test" if number <= "20" else "train" for number in numbers
    }


def test_the_classes_of_drive_are_the_numbers_of_its_label_images(shared_data: Path) -> None:
    for name, case in cases(f"drive_av:{shared_data / 'DRIVE'}").items():
        number = name.removeprefix("drive_av_")
        part = "test" if number <= "20" else "training"
        classes = stored(shared_data / "DRIVE_AV" / part / f"{number}_{part}.png")
        np.testing.assert_array_equal(case.masks, np.stack([classes == 1, classes == 2, classes == 3]))
        fov = grey_mask(shared_data / "DRIVE" / part / "mask" / f"{number}_{part}_mask.gif")
        np.testing.assert_array_equal(case.fov, fov)
        assert (case.masks.sum(axis=0) <= 1).all()
        assert case.second_masks is None


def test_all_classes_together_are_the_vessels_of_the_observer_that_the_page_names(shared_data: Path) -> None:
    # The bounds are those of the data's own README; another observer differs by over 8000 pixels.
    for name, case in cases(f"drive_av:{shared_data / 'DRIVE'}").items():
        number = name.removeprefix("drive_av_")
        train = number > "20"
        manual = f"training/1st_manual/{number}_manual1.gif" if train else f"test/2nd_manual/{number}_manual2.gif"
        vessels = grey_mask(shared_data / "DRIVE" / manual)
        assert np.count_nonzero(case.mask != vessels) <= (169 if train else 308)


def test_the_image_that_is_left_out_has_half_of_its_vessels_only(shared_data: Path) -> None:
    labelled = stored(shared_data / "DRIVE_AV/training/34_training.png") > 0
    vessels = grey_mask(shared_data / "DRIVE/training/1st_manual/34_manual1.gif")
    assert 0.3 < (labelled & vessels).sum() / vessels.sum() < 0.7


def in_colours(classes: Image) -> Image:
    return np.array([(0, 0, 0), RED, BLUE, GREEN], np.uint8)[classes]


def test_rite_s_own_layout_in_colours_is_read_alike(shared_data: Path, tmp_path: Path) -> None:
    for part, number in (("training", "21"), ("training", "34"), ("test", "01")):
        for kind in ("images", "av"):
            (tmp_path / "RITE" / part / kind).mkdir(parents=True, exist_ok=True)
        image = f"{part}/images/{number}_{part}.tif"
        shutil.copyfile(shared_data / "DRIVE" / image, tmp_path / "RITE" / image)
        colours = in_colours(stored(shared_data / "DRIVE_AV" / part / f"{number}_{part}.png"))
        colours[:3, :5] = WHITE  # uncertain
        PillowImage.fromarray(colours).save(tmp_path / "RITE" / part / "av" / f"{number}_{part}.png")
    read = cases(f"drive_av:{tmp_path / 'RITE'}")
    assert list(read) == ["drive_av_01", "drive_av_21"]
    for name, expected in cases(f"drive_av:{shared_data / 'DRIVE'}").items():
        if name in read:
            np.testing.assert_array_equal(read[name].image, expected.image)
            assert read[name].fov is None
            uncertain = expected.masks.copy()
            uncertain[:, :3, :5] = [[[False]], [[False]], [[True]]]
            np.testing.assert_array_equal(read[name].masks, uncertain)


def copied(data: Path, folder: Path) -> Path:
    """Image 21 of DRIVE with its field of view and labels; the root to name."""
    for path in ("DRIVE/training/images/21_training.tif", "DRIVE/training/mask/21_training_mask.gif"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / path, folder / path)
    (folder / "DRIVE_AV/training").mkdir(parents=True)
    shutil.copyfile(data / "DRIVE_AV/training/21_training.png", folder / "DRIVE_AV/training/21_training.png")
    return folder / "DRIVE"


def test_labels_without_an_image_and_images_without_labels_are_refused_by_name(
    shared_data: Path, tmp_path: Path
) -> None:
    root = copied(shared_data, tmp_path)
    label = tmp_path / "DRIVE_AV/training/21_training.png"
    label.rename(label.with_name("22_training.png"))
    with pytest.raises(DataError) as caught:
        open_set(f"drive_av:{root}").split("all")
    assert str(caught.value).startswith(f"{label}: missing: image '21_training' has no mask")


def test_a_number_of_no_class_is_refused_by_the_file(shared_data: Path, tmp_path: Path) -> None:
    root = copied(shared_data, tmp_path)
    label = tmp_path / "DRIVE_AV/training/21_training.png"
    classes = stored(label).copy()
    classes[0, 0] = 4
    PillowImage.fromarray(classes).save(label)
    (entry,) = open_set(f"drive_av:{root}").entries
    with pytest.raises(DataError, match="holds the values 0, 1, 2, 3, 4; ") as caught:
        entry.load()
    assert str(caught.value).startswith(str(label))


def test_half_size_hrf_has_the_numbers_of_its_label_images_and_hrf_s_splits(shared_data: Path) -> None:
    data = open_set(f"hrf_av:{shared_data / 'HRF_half'}")
    assert data.classes.names == NAMES
    plain = open_set(f"hrf:{shared_data / 'HRF_half'}")
    assert [(entry.group, entry.split) for entry in data.entries] == [
        (entry.group, entry.split) for entry in plain.entries
    ]
    for entry in data.entries[::9]:
        case, folder = entry.load(), shared_data / "HRF_half"
        classes = stored(folder / "av" / f"{entry.group}_AVmanual.png")
        np.testing.assert_array_equal(case.masks, np.stack([classes == 1, classes == 2, classes == 3]))
        vessels = grey_mask(folder / "manual1" / f"{entry.group}.tif")
        assert np.count_nonzero(case.mask != vessels) <= 420  # the README's largest


@pytest.mark.slow
def test_original_hrf_is_read_in_colours_and_its_union_is_the_vessels(shared_data: Path) -> None:
    entries = open_set(f"hrf_av:{shared_data / 'HRF'}").entries
    assert len(entries) == len(list((shared_data / "HRF_AV").iterdir()))
    for entry in entries:
        case = entry.load()
        colours = stored(shared_data / "HRF_AV" / f"{entry.group}_AVmanual.png")
        for mask, colour in zip(case.masks, (RED, BLUE, GREEN), strict=True):
            np.testing.assert_array_equal(mask, (colours == colour).all(axis=-1))
        vessels = grey_mask(shared_data / "HRF/manual1" / f"{entry.group}.tif")
        assert np.count_nonzero(case.mask != vessels) <= 420  # the README's largest


def test_soft_edges_as_in_three_images_of_hrf_s_labels_fall_to_the_nearest_colour(
    shared_data: Path, tmp_path: Path
) -> None:
    for path in ("images/01_h.jpg", "mask/01_h_mask.tif"):
        (tmp_path / "HRF" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared_data / "HRF_half" / path, tmp_path / "HRF" / path)
    classes = stored(shared_data / "HRF_half/av/01_h_AVmanual.png")
    soft = PillowImage.fromarray(in_colours(classes)).filter(ImageFilter.GaussianBlur(0.6))
    (tmp_path / "HRF/av").mkdir()
    soft.save(tmp_path / "HRF/av/01_h_AVmanual.png")
    (case,) = cases(f"hrf_av:{tmp_path / 'HRF'}").values()
    colours = np.asarray(soft).astype(int)
    distances = [((colours - colour) ** 2).sum(axis=-1) for colour in ((0, 0, 0), RED, BLUE, GREEN, WHITE)]
    nearest = np.minimum(np.argmin(distances, axis=0), 3)  # white is the crossings' second colour
    np.testing.assert_array_equal(case.masks, np.stack([nearest == number for number in (1, 2, 3)]))
    # So little blur moves no line: what differs from the sharp picture lies on its edges alone.
    assert (nearest != classes).mean() < 0.1 * (classes > 0).mean()


def test_the_labels_table_has_a_colour_and_a_number_for_every_class() -> None:
    assert {(label.name, label.value, label.colour) for label in LABELS} == {
        ("artery", 1, RED),
        ("vein", 2, BLUE),
        ("crossing", 3, GREEN),
        ("crossing", 3, WHITE),
    }
