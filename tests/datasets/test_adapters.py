"""The public sets as they lie on disk: counts, splits and masks against listing and reading them with Pillow."""

from __future__ import annotations

import gzip
import io
import pickle
import shutil
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import SETS, DataSet, open_set
from foveate.errors import DataError, ImageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from foveate.records import Image, Mask


class Parts(NamedTuple):
    """The files of one case, by the data sets' own naming, and what is known of the case."""

    split: str
    group: str
    image: Path
    mask: Path
    fov: Path
    second: Path | None


def opened(path: Path, mode: str) -> Image:
    data = path.read_bytes()
    with PillowImage.open(io.BytesIO(gzip.decompress(data) if path.suffix == ".gz" else data)) as file:
        return np.asarray(file.convert(mode))


def read_mask(path: Path) -> Mask:
    return opened(path, "L") >= 128


def drive(data: Path) -> dict[str, Parts]:
    cases = {}
    for number in range(1, 41):
        part, stem = ("test", f"{number:02}") if number <= 20 else ("training", f"{number:02}")
        folder = data / "DRIVE" / part
        cases[f"drive_{stem}"] = Parts(
            "test" if number <= 20 else "train",
            stem,
            folder / "images" / f"{stem}_{part}.tif",
            folder / "1st_manual" / f"{stem}_manual1.gif",
            folder / "mask" / f"{stem}_{part}_mask.gif",
            folder / "2nd_manual" / f"{stem}_manual2.gif" if number <= 20 else None,
        )
    return cases


def chase_db1(data: Path) -> dict[str, Parts]:
    cases, folder = {}, data / "CHASE_DB1"
    for child in range(1, 15):
        for eye in "LR":
            stem = f"Image_{child:02}{eye}"
            cases[f"chase_db1_{stem}"] = Parts(
                "train" if child <= 10 else "test",
                f"{child:02}",
                folder / f"{stem}.jpg",
                folder / f"{stem}_1stHO.png",
                data / "CHASE_DB1_FOV" / f"{stem}.png",
                folder / f"{stem}_2ndHO.png",
            )
    return cases


def stare(data: Path) -> dict[str, Parts]:
    cases, folder = {}, data / "STARE"
    names = sorted(path.name.removesuffix(".ppm.gz") for path in (folder / "stare-images").iterdir())
    for place, name in enumerate(names):
        cases[f"stare_{name}"] = Parts(
            "train" if place < 10 else "test",
            name,
            folder / "stare-images" / f"{name}.ppm.gz",
            folder / "labels-ah" / f"{name}.ah.ppm.gz",
            data / "STARE_FOV" / f"{name}.gif",
            folder / "labels-vk" / f"{name}.vk.ppm.gz",
        )
    return cases


def hrf(folder: Path) -> dict[str, Parts]:
    cases = {}
    for image in sorted((folder / "images").iterdir()):
        cases[f"hrf_{image.stem}"] = Parts(
            "train" if image.stem[:2] in ("01", "02", "03", "04", "05") else "test",
            image.stem,
            image,
            folder / "manual1" / f"{image.stem}.tif",
            folder / "mask" / f"{image.stem}_mask.tif",
            None,
        )
    return cases


def hrf_half(data: Path) -> dict[str, Parts]:
    return hrf(data / "HRF_half")


def hrf_original(data: Path) -> dict[str, Parts]:
    return hrf(data / "HRF")


class Expected(NamedTuple):
    """One set: where it lies, its cases, and counts and shape from its documentation."""

    spec: str
    cases: Callable[[Path], dict[str, Parts]]
    train: int
    test: int
    shape: tuple[int, int]


EXPECTED = [
    Expected("drive:DRIVE", drive, 20, 20, (584, 565)),
    Expected("chase_db1:CHASE_DB1", chase_db1, 20, 8, (960, 999)),
    Expected("stare:STARE", stare, 10, 10, (605, 700)),
    Expected("hrf:HRF_half", hrf_half, 15, 30, (1168, 1752)),
    Expected("hrf:HRF", hrf_original, 1, 8, (2336, 3504)),
]

every_set = pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.spec)


def opened_set(expected: Expected, data: Path) -> DataSet:
    name, _, folder = expected.spec.partition(":")
    return open_set(f"{name}:{data / folder}")


@every_set
def test_cases_splits_and_groups_are_the_documented_ones(expected: Expected, shared_data: Path) -> None:
    data, parts = opened_set(expected, shared_data), expected.cases(shared_data)
    assert {entry.id: (entry.split, entry.group) for entry in data.entries} == {
        case: (part.split, part.group) for case, part in parts.items()
    }
    assert [entry.id for entry in data.entries] == sorted(parts)
    assert len({entry.id for entry in data.entries}) == len(data.entries)
    assert Counter(entry.split for entry in data.entries) == {"train": expected.train, "test": expected.test}
    assert [len(data.split(name)) for name in ("train", "test")] == [expected.train, expected.test]
    assert data.title
    assert data.terms
    assert data.citation


@every_set
def test_every_case_holds_what_its_files_show(expected: Expected, shared_data: Path) -> None:
    parts = expected.cases(shared_data)
    for entry in opened_set(expected, shared_data).entries:
        case, part = entry.load(), parts[entry.id]
        assert (case.id, case.group) == (entry.id, entry.group)
        assert case.image.shape == (*expected.shape, 3)
        np.testing.assert_array_equal(case.image, opened(part.image, "RGB"))
        second = None if case.second_masks is None else case.second_masks[0]
        for found, path in ((case.masks[0], part.mask), (case.fov, part.fov), (second, part.second)):
            if path is None:
                assert found is None
            else:
                assert found is not None
                assert found.shape == expected.shape
                assert found.dtype == np.bool_
                np.testing.assert_array_equal(found, read_mask(path))
        files = (part.image, part.mask, part.fov, part.second)
        assert case.paths == tuple(path for path in files if path is not None)
        assert case.fov is not None
        # A mask turned inside out, or read as empty, would be far outside.
        assert 0.04 < case.mask[case.fov].mean() < 0.2
        assert 0.5 < case.fov.mean() < 0.9


@pytest.mark.parametrize("spec", ["drive:DRIVE", "stare:STARE", "chase_db1:CHASE_DB1"])
def test_two_observers_agree_as_people_do(spec: str, shared_data: Path) -> None:
    name, _, folder = spec.partition(":")
    for entry in open_set(f"{name}:{shared_data / folder}").split("test")[:4]:
        case = entry.load()
        assert case.second_masks is not None
        both = np.count_nonzero(case.masks & case.second_masks)
        dice = 2 * both / (np.count_nonzero(case.masks) + np.count_nonzero(case.second_masks))
        assert 0.6 < dice < 0.95  # neither the same file nor one read wrongly


def test_the_second_observer_of_drive_is_read_through_its_palette(shared_data: Path) -> None:
    for entry in open_set(f"drive:{shared_data / 'DRIVE'}").split("test"):
        number = entry.id.removeprefix("drive_")
        path = shared_data / "DRIVE" / "test" / "2nd_manual" / f"{number}_manual2.gif"
        with PillowImage.open(path) as file:
            indices = np.asarray(file)
        assert set(np.unique(indices)) == {0, 1}
        second = entry.load().second_masks
        assert second is not None
        np.testing.assert_array_equal(second[0], indices == 1)


def test_both_eyes_of_a_child_stand_on_one_side(shared_data: Path) -> None:
    entries = open_set(f"chase_db1:{shared_data / 'CHASE_DB1'}").entries
    assert set(Counter(entry.group for entry in entries).values()) == {2}
    sides = {(entry.group, entry.split) for entry in entries}
    assert len(sides) == len({entry.group for entry in entries}) == 14


def test_half_size_and_original_hrf_share_ids_and_splits(shared_data: Path) -> None:
    half, original = (open_set(f"hrf:{shared_data / name}") for name in ("HRF_half", "HRF"))
    splits = {entry.id: entry.split for entry in half.entries}
    assert {entry.id: entry.split for entry in original.entries}.items() <= splits.items()
    for kind in ("h", "dr", "g"):
        train = [entry.id for entry in half.split("train") if entry.id.endswith(f"_{kind}")]
        assert train == [f"hrf_{number:02}_{kind}" for number in range(1, 6)]


@every_set
def test_an_entry_travels_to_another_process_and_loads_there(expected: Expected, shared_data: Path) -> None:
    entry = opened_set(expected, shared_data).entries[-1]
    copy = pickle.loads(pickle.dumps(entry))
    assert (copy.id, copy.group, copy.split) == (entry.id, entry.group, entry.split)
    np.testing.assert_array_equal(copy.load().mask, entry.load().mask)


@pytest.fixture
def small(tmp_path: Path, shared_data: Path) -> Callable[[Expected], tuple[str, list[Parts]]]:
    """Copies the first and last two cases of a set, without the masks that others drew, and says where."""

    def copied(expected: Expected) -> tuple[str, list[Parts]]:
        name, _, folder = expected.spec.partition(":")
        kept = list(expected.cases(shared_data).values())
        parts = [kept[0], kept[1], kept[-2], kept[-1]]
        here = []
        for part in parts:
            moved = {}
            for field, path in part._asdict().items():
                if field in ("image", "mask", "fov", "second") and path is not None:
                    moved[field] = tmp_path / path.relative_to(shared_data)
                    if not path.relative_to(shared_data).parts[0].endswith("_FOV"):
                        moved[field].parent.mkdir(parents=True, exist_ok=True)
                        shutil.copyfile(path, moved[field])
            here.append(part._replace(**moved))
        return f"{name}:{tmp_path / folder}", here

    return copied


@pytest.mark.parametrize("expected", EXPECTED[1:3], ids=lambda expected: expected.spec)
def test_a_set_without_the_masks_that_others_drew_has_no_field_of_view(
    expected: Expected, small: Callable[[Expected], tuple[str, list[Parts]]]
) -> None:
    spec, parts = small(expected)
    entries = open_set(spec).entries
    assert len(entries) == len(parts)
    for entry in entries:
        case = entry.load()
        assert case.fov is None
        assert case.second_masks is not None


@pytest.mark.parametrize(
    ("expected", "missing"),
    [(EXPECTED[0], "mask"), (EXPECTED[0], "fov"), (EXPECTED[0], "second")]
    + [(EXPECTED[place], part) for place in (1, 2) for part in ("mask", "second")]
    + [(EXPECTED[3], "mask"), (EXPECTED[3], "fov")],
    ids=lambda value: value.spec if isinstance(value, Expected) else value,
)
def test_a_missing_partner_is_refused_by_its_name(
    expected: Expected, missing: str, small: Callable[[Expected], tuple[str, list[Parts]]]
) -> None:
    spec, parts = small(expected)
    path: Path = getattr(parts[0], missing)
    path.unlink()
    with pytest.raises(DataError) as caught:
        open_set(spec).split("all")
    assert str(caught.value).startswith(f"{path}: missing")


@pytest.mark.parametrize("expected", EXPECTED[:4], ids=lambda expected: expected.spec)
def test_listing_reads_no_pixel_and_a_damaged_image_is_refused_by_name(
    expected: Expected, small: Callable[[Expected], tuple[str, list[Parts]]]
) -> None:
    spec, parts = small(expected)
    for part in parts:
        part.image.write_bytes(b"no image")
    entries = open_set(spec).entries
    assert len(entries) == len(parts)
    with pytest.raises(ImageError) as caught:
        entries[0].load()
    assert any(str(caught.value).startswith(str(part.image)) for part in parts)


def test_a_mask_that_belongs_to_another_image_is_refused(
    small: Callable[[Expected], tuple[str, list[Parts]]],
) -> None:
    spec, parts = small(EXPECTED[0])
    PillowImage.fromarray(read_mask(parts[0].mask)[:-1]).save(parts[0].mask)
    entry = next(entry for entry in open_set(spec).entries if entry.group == parts[0].group)
    with pytest.raises(DataError, match="583×565") as caught:
        entry.load()
    assert str(caught.value).startswith(str(parts[0].mask))


def test_unpacked_stare_files_are_read_alike(
    small: Callable[[Expected], tuple[str, list[Parts]]],
) -> None:
    spec, parts = small(EXPECTED[2])
    packed = [entry.load() for entry in open_set(spec).entries]
    for path in {path for part in parts for path in (part.image, part.mask, part.second) if path is not None}:
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    for before, entry in zip(packed, open_set(spec).entries, strict=True):
        after = entry.load()
        assert after.id == before.id
        np.testing.assert_array_equal(after.image, before.image)
        np.testing.assert_array_equal(after.mask, before.mask)


def test_a_stray_image_in_hrf_is_an_error_for_people(
    small: Callable[[Expected], tuple[str, list[Parts]]],
) -> None:
    spec, parts = small(EXPECTED[3])
    first = parts[0]
    shutil.copyfile(first.image, first.image.with_name("overview_h.jpg"))
    shutil.copyfile(first.mask, first.mask.with_name("overview_h.tif"))
    shutil.copyfile(first.fov, first.fov.with_name("overview_h_mask.tif"))
    with pytest.raises(DataError, match="overview_h"):
        open_set(spec)


@pytest.mark.parametrize("name", sorted(SETS.keys() - {"synthetic"}))
def test_a_folder_that_is_missing_or_holds_something_else_is_refused_by_name(name: str, tmp_path: Path) -> None:
    for root in (tmp_path / "nothing", tmp_path):
        with pytest.raises(DataError) as caught:
            open_set(f"{name}:{root}")
        assert str(caught.value).startswith(str(root))
        assert "\n" not in str(caught.value)
