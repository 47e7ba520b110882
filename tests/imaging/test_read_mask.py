import gzip
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFilter

from foveate.errors import DataError
from foveate.imaging import read_mask, read_mask_file
from foveate.records import Mask

MASK: Mask = np.random.default_rng(1).random((40, 50)) < 0.2


def palette_image(background: tuple[int, int, int], foreground: tuple[int, int, int]) -> PillowImage.Image:
    image = PillowImage.frombytes("P", (50, 40), MASK.astype(np.uint8).tobytes())
    image.putpalette(bytes([*background, *foreground]))
    return image


def grey(background: int, foreground: int, dtype: Any = np.uint8) -> PillowImage.Image:
    return PillowImage.fromarray(np.where(MASK, foreground, background).astype(dtype))


@pytest.mark.parametrize(
    ("image", "name", "options"),
    [
        (PillowImage.fromarray(MASK), "1bit.png", {}),
        (PillowImage.fromarray(MASK), "1bit.tif", {"compression": "group4"}),
        (grey(0, 255), "grey.png", {}),
        (grey(0, 255), "grey.gif", {}),
        (grey(0, 255), "lzw.tif", {"compression": "tiff_lzw"}),
        (grey(0, 255), "packbits.tif", {"compression": "packbits"}),
        (grey(0, 255).convert("RGB"), "rgb.tif", {"compression": "tiff_lzw"}),
        (grey(0, 255).convert("RGBA"), "rgba.png", {}),
        (grey(0, 1), "indices.png", {}),
        (grey(127, 128), "half.png", {}),
        (grey(0, 65535, np.uint16), "16bit.png", {}),
        (grey(0, 255, np.uint16), "8in16bit.png", {}),
        (grey(0, 1, np.uint16), "1in16bit.png", {}),
        (palette_image((4, 4, 4), (252, 254, 252)), "near.gif", {}),
        (palette_image((0, 0, 0), (255, 255, 255)), "palette.png", {}),
        (palette_image((0, 0, 0), (1, 1, 1)), "dark.png", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_lossless_form_of_a_mask_means_the_same(
    tmp_path: Path, image: PillowImage.Image, name: str, options: dict[str, Any]
) -> None:
    image.save(tmp_path / name, **options)
    mask = read_mask(tmp_path / name)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, MASK)
    np.testing.assert_array_equal(read_mask(str(tmp_path / name)), MASK)


def test_a_palette_whose_first_entry_is_white_means_foreground_there(tmp_path: Path) -> None:
    palette_image((255, 255, 255), (0, 0, 0)).save(tmp_path / "fov.gif")
    np.testing.assert_array_equal(read_mask(tmp_path / "fov.gif"), ~MASK)


@pytest.mark.parametrize(("value", "meaning"), [(0, False), (1, True), (128, True), (255, True)])
def test_a_mask_of_one_value_follows_the_same_rule(tmp_path: Path, value: int, meaning: bool) -> None:
    grey(value, value).save(tmp_path / "even.png")
    assert (read_mask(tmp_path / "even.png") == meaning).all()


def test_a_gzipped_mask_is_unpacked(tmp_path: Path) -> None:
    file = io.BytesIO()
    grey(0, 255).save(file, "PPM")
    (tmp_path / "im0001.ah.ppm.gz").write_bytes(gzip.compress(file.getvalue()))
    np.testing.assert_array_equal(read_mask(tmp_path / "im0001.ah.ppm.gz"), MASK)


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_mask(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_a_coloured_file_is_refused_with_the_colour_found(tmp_path: Path) -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    image[7, 9] = (255, 0, 30)
    PillowImage.fromarray(image).save(tmp_path / "veins.png")
    assert "coloured (RGB [255, 0, 30] at row 7, column 9)" in refusal(tmp_path / "veins.png")


def test_a_slight_tint_is_accepted_and_a_clear_one_refused(tmp_path: Path) -> None:
    palette_image((0, 16, 8), (255, 240, 239)).save(tmp_path / "tint.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "tint.png"), MASK)
    palette_image((0, 17, 0), (255, 255, 255)).save(tmp_path / "tint.png")
    assert "coloured" in refusal(tmp_path / "tint.png")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0, 1, 2, 3), "0, 1, 2, 3;"),
        ((100,), "100;"),
        ((0, 127), "0, 127;"),
        ((0, 1, 255), "0, 1, 255;"),
        ((0, 1, 2, 255), "0, 1, 2, 255;"),
        ((0, 128, 255), "0, 128, 255;"),
        ((0, 127, 255), "0, 127, 255;"),
        ((0, 85, 170, 255), "0, 85, 170, 255;"),
        ((0, 64, 128, 192, 255), "0, 64, 128, 192, 255;"),
        (tuple(range(20)), "0, 1, 2, 3, 4, 5, 6, 7, …;"),
    ],
)
def test_values_that_are_neither_0_and_1_nor_dark_and_bright_are_refused_as_found(
    values: tuple[int, ...], told: str, tmp_path: Path
) -> None:
    PillowImage.fromarray(np.resize(np.array(values, np.uint8), (40, 50))).save(tmp_path / "classes.png")
    assert f"holds the values {told}" in refusal(tmp_path / "classes.png")


@pytest.mark.parametrize("values", [(0, 255), (0, 254, 255), (0, 1, 254, 255), (0, 16, 255), (3, 253), (1, 255)])
def test_values_near_two_ends_are_cut_in_their_middle_and_told(values: tuple[int, ...], tmp_path: Path) -> None:
    stored = np.resize(np.array(values, np.uint8), (40, 50))
    PillowImage.fromarray(stored).save(tmp_path / "soft.png")
    found = read_mask_file(tmp_path / "soft.png")
    np.testing.assert_array_equal(found.mask, stored >= 128)
    assert found.values == values


def test_the_values_of_a_tinted_mask_are_the_means_of_its_channels(tmp_path: Path) -> None:
    palette_image((0, 16, 8), (255, 240, 239)).save(tmp_path / "tint.png")
    assert read_mask_file(tmp_path / "tint.png").values == (8, 244)  # 734 / 3, rounded down


@pytest.mark.parametrize(
    ("name", "options"),
    [("mask.jpg", {}), ("mask.webp", {"lossless": True}), ("mask.tif", {"compression": "jpeg"})],
)
def test_formats_with_loss_are_refused(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    grey(0, 255).save(tmp_path / name, **options)
    assert "a mask is read from PNG, TIFF, GIF, BMP or PPM" in refusal(tmp_path / name)


def test_several_pages_are_refused(tmp_path: Path) -> None:
    grey(0, 255).save(tmp_path / "stack.tif", save_all=True, append_images=[grey(255, 0)])
    assert "holds 2 frames" in refusal(tmp_path / "stack.tif")


def test_what_is_no_image_is_refused_as_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no mask")
    assert re.match("is not an image", refusal(tmp_path / "text.png"))
    assert re.match("no such file", refusal(tmp_path / "missing.png"))
    assert re.match("is a folder", refusal(tmp_path))


def test_both_observers_of_drive_mark_nearly_the_same_share_of_vessel(shared_data: Path) -> None:
    for number in range(1, 21):
        first = read_mask(shared_data / "DRIVE" / "test" / "1st_manual" / f"{number:02}_manual1.gif")
        second = read_mask(shared_data / "DRIVE" / "test" / "2nd_manual" / f"{number:02}_manual2.gif")
        assert first.shape == second.shape == (584, 565)
        # Vessels are 6 to 13 % of a DRIVE image; a palette taken for values would make it 0 or 100 %.
        assert 0.06 < first.mean() < 0.13
        assert 0.06 < second.mean() < 0.13
        overlap = 2 * (first & second).sum() / (first.sum() + second.sum())
        # The Dice coefficient of the two observers is about 0.79 in the literature.
        assert overlap > 0.7


def test_the_fields_of_view_of_the_data_sets_are_a_disc_in_the_middle(shared_data: Path) -> None:
    paths = [
        shared_data / "DRIVE" / "test" / "mask" / "01_test_mask.gif",
        shared_data / "STARE_FOV" / "im0001.gif",
        shared_data / "HRF" / "mask" / "05_dr_mask.tif",
        shared_data / "CHASE_DB1_FOV" / "Image_01L.png",
    ]
    for path in paths:
        fov = read_mask(path)
        height, width = fov.shape
        assert fov[height // 2, width // 2], path
        assert not fov[[0, 0, -1, -1], [0, -1, 0, -1]].any(), path
        # A disc as wide as the image covers between half and nine tenths of it.
        assert 0.5 < fov.mean() < 0.9, path


def test_one_bit_and_gzipped_truth_of_the_data_sets_is_as_pillow_decodes_it(shared_data: Path) -> None:
    chase = shared_data / "CHASE_DB1" / "Image_01L_1stHO.png"
    np.testing.assert_array_equal(read_mask(chase), np.asarray(PillowImage.open(chase)))
    stare = shared_data / "STARE" / "labels-ah" / "im0001.ah.ppm.gz"
    decoded = np.asarray(PillowImage.open(io.BytesIO(gzip.decompress(stare.read_bytes()))))
    np.testing.assert_array_equal(read_mask(stare), decoded == 255)


def disc() -> PillowImage.Image:
    """A disc and a thin line, white on black, four times as large as the pictures made of it."""
    image = PillowImage.new("L", (480, 360))
    pen = ImageDraw.Draw(image)
    pen.ellipse((80, 60, 280, 260), fill=255)
    pen.line((0, 300, 480, 330), fill=255, width=10)
    return image


@pytest.mark.parametrize(
    "soft",
    [
        disc().resize((120, 90), PillowImage.Resampling.BOX),
        disc().resize((120, 90), PillowImage.Resampling.LANCZOS),
        disc().filter(ImageFilter.GaussianBlur(4)),
    ],
    ids=["box", "lanczos", "blurred"],
)
def test_soft_edges_of_reduced_and_blurred_masks_are_cut_in_their_middle(
    soft: PillowImage.Image, tmp_path: Path
) -> None:
    soft.save(tmp_path / "soft.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "soft.png"), np.asarray(soft) >= 128)


@pytest.mark.parametrize("count", [3, 5, 12, 200])
def test_grey_levels_that_fill_areas_are_classes_or_objects_and_refused(count: int, tmp_path: Path) -> None:
    """So are the numbers of cells, bright where there are many."""
    levels = np.linspace(0, 255, count).astype(np.uint8)
    blocks = np.zeros((160, 200), np.uint8)
    for number, level in enumerate(levels):
        row, column = divmod(number, 20)
        blocks[8 * row : 8 * row + 5, 9 * column : 9 * column + 4] = level
    PillowImage.fromarray(blocks).save(tmp_path / "blocks.png")
    assert "name them in a classes.csv" in refusal(tmp_path / "blocks.png")


def test_a_map_of_probabilities_is_no_mask_with_soft_edges(tmp_path: Path) -> None:
    likely = np.random.default_rng(4).random((90, 120)) * 255
    PillowImage.fromarray(likely.astype(np.uint8)).save(tmp_path / "map.png")
    assert "holds the values 0, 1, 2," in refusal(tmp_path / "map.png")
