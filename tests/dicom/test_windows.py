"""How grey levels are shown: the standard's transforms by hand, and one window for all images of a series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from foveate.imaging import read_photograph
from foveate.inference.source import items_of
from foveate.records import Photograph
from made_dicom import image, packed, ramp, saved

WIDE = ramp()
LEVELS = WIDE.astype(np.float64)
STORED: dict[str, Any] = {"BitsStored": 12, "HighBit": 11}


def shown(**elements: Any) -> NDArray[np.uint8]:
    photograph = read_photograph(packed(image(WIDE, **STORED | elements)))
    return photograph.pixels[..., 0]


def shows(found: NDArray[np.uint8], share: NDArray[np.float64]) -> bool:
    """Whether it is that share of white, rounded: to either side where the share lies halfway."""
    return bool(np.all(np.abs(found - np.clip(share, 0, 1) * 255) <= 0.5 + 1e-9))


def lut(first: int, entries: NDArray[np.uint16]) -> Dataset:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(entries), first, 16], entries.tobytes()
    item["LUTData"].VR = "OW"
    return item


def test_a_window_is_linear_between_its_ends_by_the_standards_formula() -> None:
    expected = (LEVELS - (1000 - 0.5)) / (600 - 1) + 0.5  # PS3.3, C.11.2.1.2.1
    assert shows(shown(WindowCenter=1000, WindowWidth=600), expected)


def test_an_exact_window_and_a_sigmoid_follow_their_formulas() -> None:
    exact = shown(WindowCenter=1000, WindowWidth=600, VOILUTFunction="LINEAR_EXACT")
    assert shows(exact, (LEVELS - 1000) / 600 + 0.5)  # PS3.3, C.11.2.1.3.2
    sigmoid = shown(WindowCenter=1000, WindowWidth=600, VOILUTFunction="SIGMOID")
    assert shows(sigmoid, 1 / (1 + np.exp(-4 * (LEVELS - 1000) / 600)))  # C.11.2.1.3.1


def test_levels_are_rescaled_before_the_window() -> None:
    levels = LEVELS * 2 - 1024
    expected = (levels - (40 - 0.5)) / (400 - 1) + 0.5
    found = shown(RescaleSlope=2, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400)
    assert shows(found, expected)


def test_modality_and_voi_tables_are_looked_up_one_after_the_other() -> None:
    squares = (np.arange(4096, dtype=np.uint32) ** 2 >> 8).astype(np.uint16)
    steps = np.where(np.arange(65536) < 30000, 0, 65535).astype(np.uint16)
    modality = lut(0, squares)
    modality.ModalityLUTType = "US"
    found = shown(ModalityLUTSequence=[modality], VOILUTSequence=[lut(0, steps[:65535])])
    assert np.array_equal(found, np.where(squares[WIDE] < 30000, 0, 255))


def test_of_several_views_the_first_is_shown() -> None:
    assert np.array_equal(
        shown(WindowCenter=[1000, 9], WindowWidth=[600, 9]), shown(WindowCenter=1000, WindowWidth=600)
    )


@pytest.mark.parametrize("elements", [{}, {"WindowCenter": 5, "WindowWidth": 0}])
def test_without_a_window_that_is_one_all_levels_that_occur_are_shown(elements: dict[str, Any]) -> None:
    pixels = WIDE // 4 + 100
    photograph = read_photograph(packed(image(pixels, **STORED | elements)))
    expected = (pixels - pixels.min()) / float(pixels.max() - pixels.min())
    assert shows(photograph.pixels[..., 0], expected)
    assert photograph.notes == ("no window in its series: shown from 100 to 1123, its range",)


def test_padding_does_not_widen_the_range() -> None:
    pixels = (WIDE // 4 + 100).astype(np.int16)
    padded = pixels.copy()
    padded[:5] = -2000
    photograph = read_photograph(packed(image(padded, PixelPaddingValue=-2000)))
    inside = pixels[5:].astype(np.float64)
    assert shows(photograph.pixels[5:, :, 0], (inside - inside.min()) / (inside.max() - inside.min()))
    assert not photograph.pixels[:5].any()


def series(folder: Path, *elements: dict[str, Any]) -> list[NDArray[np.uint8]]:
    """What is shown of slices in a folder, each twice as bright as the one before."""
    for number, own in enumerate(elements):
        saved(folder / f"slice{number}", image((WIDE // 4) << number, number=number, **own))
    photographs = [item.read() for item in items_of([folder])]
    return [each.pixels[..., 0] for each in photographs if isinstance(each, Photograph)]


def test_all_slices_of_a_series_are_shown_by_the_range_of_all(tmp_path: Path) -> None:
    highest = int((WIDE // 4).max()) << 2
    for number, found in enumerate(series(tmp_path, {}, {}, {})):
        assert shows(found, ((WIDE // 4) << number) / highest)


def test_slices_of_different_windows_are_shown_by_one_that_holds_all(tmp_path: Path) -> None:
    # LINEAR: from 0 to 999, and from 500 to 1999.
    found = series(
        tmp_path, {"WindowCenter": 500, "WindowWidth": 1000}, {"WindowCenter": 1250, "WindowWidth": 1500}, {}
    )
    for number, plane in enumerate(found):
        assert shows(plane, ((WIDE // 4) << number) / 1999)


def test_another_series_in_the_folder_has_a_window_of_its_own(tmp_path: Path) -> None:
    own = {"SeriesInstanceUID": "1.2.3"}
    first, second = series(tmp_path, {}, own)
    assert np.array_equal(first, second)


def test_frames_have_the_transforms_of_their_functional_groups() -> None:
    def group(slope: float) -> Dataset:
        transform, voi, item = Dataset(), Dataset(), Dataset()
        transform.RescaleSlope, transform.RescaleIntercept = slope, 10
        voi.WindowCenter, voi.WindowWidth = 2000, 4000
        item.PixelValueTransformationSequence, item.FrameVOILUTSequence = [transform], [voi]
        return item

    enhanced = image(np.stack([WIDE, WIDE]), PerFrameFunctionalGroupsSequence=[group(0.5), group(2)], **STORED)
    photograph = read_photograph(packed(enhanced))
    assert shows(photograph.pixels[..., 0], (WIDE * 0.5 + 10) / 3999)
    assert photograph.notes == ("first of 2 frames",)


def test_a_large_image_is_shown_as_a_small_part_of_it_is() -> None:
    large = np.tile(WIDE, (8, 8))
    elements = {"WindowCenter": 1000, "WindowWidth": 600, **STORED}
    whole = read_photograph(packed(image(large, **elements))).pixels
    assert np.array_equal(whole[:48, :64, 0], shown(**elements))
