"""What a check finds in sets of several classes, each fault in a copy that was broken on purpose."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets.check import CheckReport, check_set

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

LABELS = "DRIVE_AV/training/21_training.png"
IMAGE = "DRIVE/training/images/21_training.tif"


@pytest.fixture
def drive_av(shared_data: Path, tmp_path: Path) -> Path:
    """Two training and two test cases of DRIVE with arteries and veins; the folder around both."""
    for part, numbers in (("training", ("21", "22")), ("test", ("01", "02"))):
        for path in (*(shared_data / "DRIVE" / part).glob("*/*"), *(shared_data / "DRIVE_AV" / part).iterdir()):
            if path.name[:2] in numbers:
                copy = tmp_path / path.relative_to(shared_data)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    return tmp_path


def checked(folder: Path) -> CheckReport:
    return check_set(f"drive_av:{folder / 'DRIVE'}")


def faults(report: CheckReport) -> dict[str, list[str]]:
    """Texts of the faults, by kind."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        assert "\n" not in finding.text
        if finding.fault:
            found.setdefault(finding.kind, []).append(finding.text)
    return found


def stored(path: Path) -> NDArray[np.uint8]:
    with PillowImage.open(path) as file:
        return np.array(file)


def rewrite(path: Path, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    PillowImage.fromarray(change(stored(path))).save(path)


def with_value(value: int) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Puts the value into one corner."""

    def change(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        classes[0, 0] = value
        return classes

    return change


def test_the_copy_to_be_broken_is_whole_and_its_shares_are_those_of_its_pixels(drive_av: Path) -> None:
    report = checked(drive_av)
    assert report.findings == ()
    classes = np.stack([stored(path) for path in drive_av.glob("DRIVE_AV/*/*.png")])
    assert list(report.classes) == ["artery", "vein", "crossing"]
    for number, share in enumerate(report.classes.values(), start=1):
        assert share.pixels == pytest.approx((classes == number).mean(), rel=1e-12)  # float64
        assert share.images == (classes == number).any(axis=(1, 2)).sum() == 4


@pytest.mark.parametrize(
    "spec",
    [
        "drive_av:DRIVE",
        pytest.param("hrf_av:HRF_half", marks=pytest.mark.slow),
        pytest.param("hrf_av:HRF", marks=pytest.mark.slow),
    ],
)
def test_the_public_sets_of_arteries_and_veins_are_without_a_finding(spec: str, shared_data: Path) -> None:
    name, _, folder = spec.partition(":")
    report = check_set(f"{name}:{shared_data / folder}")
    assert [finding.text for finding in report.findings if finding.kind != "split"] == []
    assert all(share.images == sum(report.sizes.values()) > 0 for share in report.classes.values())


@pytest.mark.parametrize("value", [4, 255])
def test_a_number_of_no_class_is_found_in_its_file(drive_av: Path, value: int) -> None:
    rewrite(drive_av / LABELS, with_value(value))
    found = faults(checked(drive_av))
    assert list(found) == ["unreadable"]
    (text,) = found["unreadable"]
    assert text.startswith(f"{drive_av / LABELS}: holds the values 0, 1, 2, 3, {value}; ")


def test_numbers_and_colours_may_stand_side_by_side_but_no_unknown_colour(drive_av: Path) -> None:
    table = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255), (0, 255, 0)], np.uint8)
    rewrite(drive_av / LABELS, lambda classes: table[classes])
    report = checked(drive_av)
    assert report.faults == 0
    assert report.values["mask"] == {"0, 1, 2, 3": 3, "colours": 1}
    rewrite(drive_av / LABELS, with_value(200))
    assert faults(checked(drive_av)) == {}  # light grey is no mixture, but nearest to white, as in soft edges
    colours = stored(drive_av / LABELS)
    colours[3, 5] = (0, 255, 255)
    PillowImage.fromarray(colours).save(drive_av / LABELS)
    (text,) = faults(checked(drive_av))["unreadable"]
    assert text.startswith(f"{drive_av / LABELS}: is coloured (RGB [0, 255, 255] at row 3, column 5)")


def test_missing_partners_and_sizes_that_differ_are_found_as_for_one_class(drive_av: Path) -> None:
    (drive_av / IMAGE).unlink()
    rewrite(drive_av / "DRIVE_AV/training/22_training.png", lambda classes: classes[:-1])
    (drive_av / "DRIVE_AV/test/01_test.png").unlink()
    found = faults(checked(drive_av))
    assert sorted(found) == ["missing", "size"]
    assert len(found["missing"]) == 2
    assert any("mask '21_training' has no image" in text for text in found["missing"])
    assert any("image '01_test' has no mask" in text for text in found["missing"])
    assert "583×565" in found["size"][0]


def test_a_class_that_no_training_mask_has_is_a_remark_and_none_at_all_a_fault(drive_av: Path) -> None:
    training = sorted(drive_av.glob("DRIVE_AV/training/*.png"))
    for path in training:
        rewrite(path, lambda classes: np.where(classes == 3, 1, classes).astype(np.uint8))
    report = checked(drive_av)
    (finding,) = report.findings
    assert (finding.kind, finding.fault) == ("class", False)
    assert finding.text == "class 'crossing' occurs in none of the 2 masks of 'train'."
    assert report.classes["crossing"].images == 2
    for path in training:
        rewrite(path, np.zeros_like)
    assert "nothing to learn" in faults(checked(drive_av))["nothing"][0]


def test_one_grey_image_among_coloured_ones_is_found_and_the_other_way_round(drive_av: Path) -> None:
    with PillowImage.open(drive_av / IMAGE) as file:
        file.convert("L").save(drive_av / IMAGE)
    (text,) = faults(checked(drive_av))["channels"]
    assert text == "images with the channels of grey among images of colour: 21_training.tif; save all alike."
    for path in drive_av.glob("DRIVE/*/images/0*.tif"):
        with PillowImage.open(path) as file:
            file.convert("L").save(path)
    (text,) = faults(checked(drive_av))["channels"]
    assert text == "images with the channels of colour among images of grey: 22_training.tif; save all alike."


def test_grey_images_saved_with_one_and_with_three_channels_are_alike(drive_av: Path) -> None:
    for number, path in enumerate(sorted(drive_av.glob("DRIVE/*/images/*.tif"))):
        with PillowImage.open(path) as file:
            file.convert("L").convert("RGB" if number % 2 else "L").save(path)
    assert checked(drive_av).findings == ()


def put(folder: Path, stem: str, classes: NDArray[np.uint8]) -> None:
    """An image and label image, or mask, of a folder of one's own."""
    random = np.random.default_rng(list(stem.encode()))
    for part, pixels in (("images", random.integers(0, 256, (*classes.shape, 3)).astype(np.uint8)), ("masks", classes)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(pixels).save(folder / part / f"{stem}.png")


CLASSES = np.random.default_rng(1).integers(0, 3, (40, 50)).astype(np.uint8)


def test_a_coloured_mask_among_class_numbers_without_colours_is_found(tmp_path: Path) -> None:
    put(tmp_path, "a", CLASSES)
    put(tmp_path, "b", np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255)], np.uint8)[CLASSES][..., 0])
    PillowImage.fromarray(np.full((40, 50, 3), (255, 0, 0), np.uint8)).save(tmp_path / "masks/b.png")
    (tmp_path / "classes.csv").write_text("value,name\n1,one\n2,two\n", encoding="utf-8")
    (text,) = faults(check_set(f"folder:{tmp_path}"))["unreadable"]
    assert text.startswith(f"{tmp_path / 'masks/b.png'}: is coloured (RGB [255, 0, 0] at row 0, column 0)")


def test_a_table_of_classes_that_is_wrong_is_a_fault_of_the_layout(tmp_path: Path) -> None:
    put(tmp_path, "a", CLASSES)
    (tmp_path / "classes.csv").write_text("value|name\n1|one\n", encoding="utf-8")
    (text,) = faults(check_set(f"folder:{tmp_path}"))["layout"]
    assert text.startswith(f"{tmp_path / 'classes.csv'}: unknown column 'value|name'")


def test_soft_edges_of_colours_are_a_remark(tmp_path: Path) -> None:
    put(tmp_path, "a", CLASSES)
    soft = np.zeros((40, 50, 3), np.uint8)
    soft[..., 0] = np.linspace(0, 255, 50).astype(np.uint8)
    PillowImage.fromarray(soft).save(tmp_path / "masks/a.png")
    (tmp_path / "classes.csv").write_text("value,name,colour\n1,one,#ff0000\n", encoding="utf-8")
    finding, _ = check_set(f"folder:{tmp_path}").findings
    assert not finding.fault
    assert finding.text == "1 masks have soft edges, which are taken as the nearest colour of a class: a.png"


def test_masks_of_classes_apart_are_counted_apart_and_a_lost_one_is_found(tmp_path: Path) -> None:
    for stem in "ab":
        put(tmp_path, stem, CLASSES)
    shutil.rmtree(tmp_path / "masks")
    for kind, number in (("cup", 1), ("disc", 2)):
        (tmp_path / "masks" / kind).mkdir(parents=True)
        for stem in "ab":
            PillowImage.fromarray(number <= CLASSES).save(tmp_path / "masks" / kind / f"{stem}.png")
    report = check_set(f"folder:{tmp_path}")
    assert report.findings == ()
    assert list(report.values) == ["cup mask", "disc mask"]
    assert report.classes["cup"].pixels == pytest.approx((CLASSES >= 1).mean(), rel=1e-12)
    assert report.classes["disc"].pixels == pytest.approx((CLASSES >= 2).mean(), rel=1e-12)
    (tmp_path / "masks/cup/b.png").unlink()
    assert "image 'b' has no cup mask" in faults(check_set(f"folder:{tmp_path}"))["missing"][0]
