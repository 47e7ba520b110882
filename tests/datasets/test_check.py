"""What a check finds: nothing in the public sets, and each fault in a copy that was broken on purpose."""

from __future__ import annotations

import shutil
import tracemalloc
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageFilter

from foveate.datasets.check import CheckReport, check_set
from foveate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

PUBLIC = [
    "drive:DRIVE",
    "stare:STARE",
    "chase_db1:CHASE_DB1",
    "hrf:HRF_half",
    "hrf:HRF",
    "isic2018:ISIC2018",
    "lgg:LGG",
]


whole_set = cache(check_set)


@pytest.mark.parametrize("spec", PUBLIC)
def test_the_public_sets_are_without_a_fault(spec: str, shared_data: Path) -> None:
    name, _, folder = spec.partition(":")
    report = whole_set(f"{name}:{shared_data / folder}")
    assert [finding.text for finding in report.findings if finding.fault] == []
    images = sum(part.images for part in report.splits.values())
    assert sum(report.sizes.values()) == sum(report.values["mask"].values()) == images


def test_the_empty_masks_of_lgg_are_a_remark_with_all_their_names(shared_data: Path) -> None:
    empty = set()
    for path in (shared_data / "LGG" / "kaggle_3m").glob("*/*_mask.tif"):
        with PillowImage.open(path) as file:
            if not np.asarray(file).any():
                empty.add(str(path))
    (finding,) = whole_set(f"lgg:{shared_data / 'LGG'}").findings
    assert not finding.fault
    assert finding.text.startswith(f"{len(empty)} masks are empty: ")
    assert set(finding.files) == empty


def faults(report: CheckReport) -> dict[str, list[str]]:
    """Texts of the faults, by kind."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        assert "\n" not in finding.text
        if finding.fault:
            found.setdefault(finding.kind, []).append(finding.text)
    return found


@pytest.fixture
def drive(shared_data: Path, tmp_path: Path) -> Path:
    """Two training and two test cases of DRIVE."""
    for part, numbers in (("training", ("21", "22")), ("test", ("01", "02"))):
        for path in (shared_data / "DRIVE" / part).glob("*/*"):
            if path.name[:2] in numbers:
                copy = tmp_path / "DRIVE" / path.relative_to(shared_data / "DRIVE")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    return tmp_path / "DRIVE"


def test_the_copy_to_be_broken_is_whole(drive: Path) -> None:
    report = check_set(f"drive:{drive}")
    assert report.findings == ()
    assert {split: (part.images, part.groups) for split, part in report.splits.items()} == {
        "train": (2, 2),
        "test": (2, 2),
    }


IMAGE, MASK = "training/images/21_training.tif", "training/1st_manual/21_manual1.gif"
FOV, SECOND = "training/mask/21_training_mask.gif", "test/2nd_manual/01_manual2.gif"


def values_of(path: Path) -> NDArray[np.uint8]:
    with PillowImage.open(path) as file:
        return np.array(file.convert("L"))


def rewrite(path: Path, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    PillowImage.fromarray(change(values_of(path))).save(path)


@pytest.mark.parametrize("path", [IMAGE, MASK, FOV, SECOND])
@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_file_that_can_not_be_read_is_found(path: str, content: bytes | None, drive: Path) -> None:
    whole = (drive / path).read_bytes()
    (drive / path).write_bytes(whole[: len(whole) // 2] if content is None else content)
    found = faults(check_set(f"drive:{drive}"))
    assert list(found) == ["unreadable"]
    assert found["unreadable"][0].startswith(f"{drive / path}: ")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (MASK, "image '21_training' has no mask"),
        (IMAGE, "mask '21_manual1' has no image"),
        (FOV, "image '21_training' has no field of view"),
        (SECOND, "image '01_test' has no second observer's mask"),
    ],
)
def test_a_missing_partner_is_found_and_the_others_are_still_checked(path: str, told: str, drive: Path) -> None:
    (drive / path).unlink()
    (drive / "test/1st_manual/02_manual1.gif").unlink()
    found = faults(check_set(f"drive:{drive}"))
    assert list(found) == ["missing"]
    assert len(found["missing"]) == 2
    assert any(text.startswith(f"{drive / path}: missing: {told}") for text in found["missing"])


@pytest.mark.parametrize("path", [MASK, FOV, SECOND])
def test_a_mask_of_another_size_is_found(path: str, drive: Path) -> None:
    rewrite(drive / path, lambda values: values[:-1, :-2])
    (text,) = faults(check_set(f"drive:{drive}"))["size"]
    assert text.startswith(f"{drive / path}: 583×563 pixels")
    assert "584×565" in text


@pytest.mark.parametrize("name", ["test/images/01_test.tif", "training/images/22_training.tif"])
def test_the_same_pixels_under_two_names_are_found_even_if_the_files_differ(name: str, drive: Path) -> None:
    with PillowImage.open(drive / IMAGE) as file:
        file.save(drive / name, compression="raw")
    assert (drive / name).read_bytes() != (drive / IMAGE).read_bytes()
    (text,) = faults(check_set(f"drive:{drive}"))["duplicate"]
    assert str(drive / IMAGE) in text
    assert str(drive / name) in text


def test_values_without_a_known_meaning_are_found_and_told(drive: Path) -> None:
    rewrite(drive / MASK, lambda values: np.where(values > 0, np.arange(values.shape[1]) % 3, 0).astype(np.uint8))
    (text,) = faults(check_set(f"drive:{drive}"))["unreadable"]
    assert text.startswith(f"{drive / MASK}: holds the values 0, 1, 2;")


def test_a_255_beside_0_and_1_is_found_in_one_file_and_across_files(drive: Path) -> None:
    masks = sorted(drive.glob("*/1st_manual/*.gif"))
    for path in masks:
        rewrite(path, lambda values: (values > 0).astype(np.uint8))
    assert faults(check_set(f"drive:{drive}")) == {}
    rewrite(masks[0], lambda values: values * np.uint8(255))
    (text,) = faults(check_set(f"drive:{drive}"))["values"]
    assert text.startswith("mask: values of 0 and 255 among files of 0 and 1: ")
    assert masks[0].name in text
    rewrite(masks[1], lambda values: np.where(np.eye(*values.shape) > 0, np.uint8(255), values))
    (text,) = faults(check_set(f"drive:{drive}"))["unreadable"]
    assert text.startswith(f"{masks[1]}: holds the values 0, 1, 255;")


def test_an_empty_mask_is_a_remark_and_empty_masks_alone_a_fault(drive: Path) -> None:
    rewrite(drive / MASK, np.zeros_like)
    report = check_set(f"drive:{drive}")
    assert report.faults == 0
    assert [finding.text for finding in report.findings] == ["1 masks are empty: 21_manual1.gif"]
    rewrite(drive / "training/1st_manual/22_manual1.gif", np.zeros_like)
    assert "nothing to learn" in faults(check_set(f"drive:{drive}"))["nothing"][0]


def test_an_empty_field_of_view_is_a_fault(drive: Path) -> None:
    rewrite(drive / FOV, np.zeros_like)
    (text,) = faults(check_set(f"drive:{drive}"))["fov"]
    assert text.startswith(f"{drive / FOV}: ")


def test_soft_edges_full_masks_and_plain_images_are_remarks(drive: Path) -> None:
    rewrite(
        drive / MASK, lambda values: np.asarray(PillowImage.fromarray(values).filter(ImageFilter.GaussianBlur(0.7)))
    )
    rewrite(drive / FOV, lambda values: np.full_like(values, 255))
    rewrite(drive / SECOND, lambda values: np.full_like(values, 255))
    for name in ("training/images/21_training.tif", "test/images/02_test.tif"):
        PillowImage.new("RGB", (565, 584), (9, 9, 9)).save(drive / name)
    report = check_set(f"drive:{drive}")
    assert faults(report) == {}  # two images that are black all over aren't the same one twice
    assert [finding.text for finding in report.findings] == [
        "1 masks are foreground all over: 01_manual2.gif",
        "1 masks have soft edges, which are cut at 128: 21_manual1.gif",
        "2 images are of a single colour: 02_test.tif, 21_training.tif",
    ]
    assert report.values["mask"]["soft edges from 0 to 255"] == 1


def put(folder: Path, stem: str, *, seed: int) -> None:
    """A drawn case of a folder of one's own."""
    random = np.random.default_rng(seed)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(random.integers(0, 256, (200, 300, 3)).astype(np.uint8)).save(
        folder / "images" / f"{stem}.png"
    )
    PillowImage.fromarray(random.random((200, 300)) < 0.5).save(folder / "masks" / f"{stem}.png")


def test_a_group_on_both_sides_of_the_split_is_found_with_its_files(tmp_path: Path) -> None:
    for split, stem, seed in (("train", "p1__left", 1), ("test", "p1__right", 2), ("test", "p2", 3)):
        put(tmp_path / split, stem, seed=seed)
    report = check_set(f"folder:{tmp_path}")
    finding, _ = report.findings
    assert (finding.kind, finding.fault) == ("leak", True)
    assert "group 'p1'" in finding.text
    assert set(finding.files) == {
        str(tmp_path / "train/images/p1__left.png"),
        str(tmp_path / "test/images/p1__right.png"),
    }
    assert all(name in finding.text for name in finding.files)


def test_doubles_within_a_group_are_a_remark(tmp_path: Path) -> None:
    for stem in ("p1__a", "p1__b"):
        put(tmp_path, stem, seed=1)
    put(tmp_path, "p2", seed=2)
    (finding,) = check_set(f"folder:{tmp_path}").findings
    assert (finding.kind, finding.fault) == ("duplicate", False)


def test_two_rows_of_one_name_in_a_table_are_found(tmp_path: Path) -> None:
    put(tmp_path, "a", seed=1)
    (tmp_path / "data.csv").write_text("image,mask\n" + 2 * "images/a.png,masks/a.png\n", encoding="utf-8")
    assert "id" in faults(check_set(f"folder:{tmp_path / 'data.csv'}"))


def test_every_leftover_of_a_folder_of_ones_own_is_found(tmp_path: Path) -> None:
    for seed, stem in enumerate("abcd"):
        put(tmp_path, stem, seed=seed)
    (tmp_path / "images" / "a.png").unlink()
    (tmp_path / "masks" / "b.png").unlink()
    (tmp_path / "masks" / "c.png").unlink()
    texts = faults(check_set(f"folder:{tmp_path}"))["missing"]
    assert ["mask 'a'" in texts[0], "image 'b'" in texts[1], "image 'c'" in texts[2]] == [True] * 3


def test_a_folder_that_is_no_such_set_is_a_fault_and_an_unknown_set_a_wrong_call(tmp_path: Path) -> None:
    (text,) = faults(check_set(f"stare:{tmp_path}"))["layout"]
    assert text.startswith(str(tmp_path))
    with pytest.raises(UsageError, match="drvie"):
        check_set(f"drvie:{tmp_path}")


def test_drawn_sets_are_checked_too() -> None:
    report = check_set("synthetic:2")
    assert report.findings == ()
    assert report.sizes == {"584×565": 4}


def test_a_test_part_alone_gets_a_remark(tmp_path: Path) -> None:
    put(tmp_path / "test", "a", seed=1)
    assert [finding.fault for finding in check_set(f"folder:{tmp_path}").findings] == [False]


def test_memory_does_not_grow_by_the_images(tmp_path: Path) -> None:
    peaks = []
    for count in (4, 24):
        for number in range(count):
            put(tmp_path / str(count), f"case{number:02}", seed=number)
        tracemalloc.start()
        check_set(f"folder:{tmp_path / str(count)}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Names and sums of twenty more cases, but not even one more image.
    assert peaks[1] - peaks[0] < 200 * 300 * 3


def test_progress_is_told_case_by_case() -> None:
    told: list[tuple[str, int, int]] = []
    check_set("synthetic:1", lambda case, done, total: told.append((case, done, total)))
    assert told == [("synthetic_train_00", 1, 2), ("synthetic_test_00", 2, 2)]


def test_images_that_a_tag_turns_while_their_masks_lie_as_stored_are_a_remark(tmp_path: Path) -> None:
    for seed, stem in enumerate("ab"):
        put(tmp_path, stem, seed=seed)
        exif = PillowImage.Exif()
        exif[0x0112] = 3
        for part in ("images",) if stem == "a" else ("images", "masks"):
            with PillowImage.open(tmp_path / part / f"{stem}.png") as file:
                file.save(tmp_path / part / f"{stem}.png", exif=exif)
    report = check_set(f"folder:{tmp_path}")
    assert report.faults == 0
    (turned,) = [finding for finding in report.findings if finding.kind == "turned"]
    assert turned.text.startswith("1 images and their masks differ in what an orientation tag turned: a.png.")
    assert "2 images, turned upright by its orientation tag (3): a.png, b.png" in [
        each.text for each in report.findings
    ]


def test_what_is_missing_is_not_counted_as_an_image(tmp_path: Path) -> None:
    for seed, stem in enumerate(("a", "b", "c")):
        put(tmp_path, stem, seed=seed)
    (tmp_path / "images/a.png").unlink()
    report = check_set(f"folder:{tmp_path}")
    assert (report.splits["train"].images, report.splits["train"].groups) == (2, 2)
    assert len(faults(report)["missing"]) == 1


def test_a_training_part_of_one_group_is_said_to_leave_nothing_to_validate_on(tmp_path: Path) -> None:
    for seed, stem in enumerate(("p1__a", "p1__b")):
        put(tmp_path / "train", stem, seed=seed)
    (finding,) = check_set(f"folder:{tmp_path}").findings
    assert finding.text.endswith("one to validate on; found 1 (p1).")
    put(tmp_path / "validation", "p2", seed=3)
    assert check_set(f"folder:{tmp_path}").findings == ()


def test_fields_of_view_that_some_images_lack_are_said(tmp_path: Path) -> None:
    (tmp_path / "fov").mkdir()
    for seed, stem in enumerate("abc"):
        put(tmp_path, stem, seed=seed)
    assert check_set(f"folder:{tmp_path}").findings == ()
    PillowImage.new("1", (300, 200), 1).save(tmp_path / "fov" / "b.png")
    (finding,) = check_set(f"folder:{tmp_path}").findings
    assert (finding.kind, finding.fault) == ("fov", False)
    assert finding.text.startswith("2 images of 3 have no field of view: a.png, c.png.")
    PillowImage.new("1", (300, 200), 1).save(tmp_path / "fov" / "zz.png")  # of no image
    (remark,) = [each.text for each in check_set(f"folder:{tmp_path}").findings if each.kind == "fov"]
    assert remark == finding.text
