import io
import re
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.errors import ImageError
from foveate.imaging import read_photograph

Array = NDArray[Any]


def tiff(values: Array, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def scaled(values: Array, bits: int = 16) -> Array:
    rounded: Array = np.floor(values * (255 / (2**bits - 1)) + 0.5).astype(np.uint8)
    return rounded


def random_16_bit(*shape: int, bits: int = 16) -> Array:
    values = np.random.default_rng(bits).integers(0, 2**bits, shape).astype(np.uint16)
    values.flat[0] = 2**bits - 1
    return values


LAYOUTS: list[dict[str, Any]] = [
    {},
    {"rowsperstrip": 6},
    {"tile": (16, 16)},
    {"compression": "zlib", "predictor": 2},
    {"compression": "zlib", "tile": (16, 32)},
    {"bigtiff": True},
]


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_16_bit_colour_is_read_in_full(layout: dict[str, Any], byteorder: Any) -> None:
    values = random_16_bit(37, 45, 3)
    photograph = read_photograph(tiff(values, photometric="rgb", byteorder=byteorder, **layout))
    np.testing.assert_array_equal(photograph.pixels, scaled(values))
    assert photograph.notes == ()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_16_bit_grey_is_read_in_full(layout: dict[str, Any], byteorder: Any) -> None:
    values = random_16_bit(37, 45)
    photograph = read_photograph(tiff(values, photometric="minisblack", byteorder=byteorder, **layout))
    np.testing.assert_array_equal(photograph.pixels, np.stack([scaled(values)] * 3, axis=2))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_separate_planes_become_channels(layout: dict[str, Any], dtype: Any) -> None:
    values = np.random.default_rng(3).integers(0, np.iinfo(dtype).max, (3, 37, 45), endpoint=True).astype(dtype)
    data = tiff(values, photometric="rgb", planarconfig="separate", **layout)
    expected = np.moveaxis(scaled(values, 8 * np.dtype(dtype).itemsize), 0, 2)
    np.testing.assert_array_equal(read_photograph(data).pixels, expected)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_16_bit_colour_with_fewer_bits_is_scaled_by_these_with_a_note(bits: int) -> None:
    values = random_16_bit(37, 45, 3, bits=bits)
    for data in (
        tiff(values, photometric="rgb"),
        tiff(np.moveaxis(values, 2, 0), photometric="rgb", planarconfig="separate"),
    ):
        photograph = read_photograph(data)
        np.testing.assert_array_equal(photograph.pixels, scaled(values, bits))
        assert photograph.notes == (f"16-bit image with {bits}-bit values: scaled by 255/{2**bits - 1}",)


def test_16_bit_grey_with_lzw_is_read_in_full() -> None:
    values, file = random_16_bit(37, 45), io.BytesIO()
    PillowImage.fromarray(values).save(file, "TIFF", compression="tiff_lzw")
    np.testing.assert_array_equal(read_photograph(file.getvalue()).pixels[..., 1], scaled(values))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(37, 45), (37, 45, 3)])
def test_floats_from_0_to_1_are_scaled_to_255(shape: tuple[int, ...], dtype: Any) -> None:
    values = np.random.default_rng(4).random(shape).astype(dtype)
    photometric = "rgb" if len(shape) == 3 else "minisblack"
    expected = np.rint(values.astype(np.float64) * 255).reshape(37, 45, -1)
    for order in "<>":
        data = tiff(values, photometric=photometric, byteorder=order, planarconfig="contig")
        np.testing.assert_array_equal(read_photograph(data).pixels, np.broadcast_to(expected, (37, 45, 3)))


@pytest.mark.parametrize(("lowest", "highest"), [(0.0, 255.0), (-0.5, 0.5), (0.0, np.nan)])
def test_floats_outside_0_to_1_are_refused_with_the_values_found(lowest: float, highest: float) -> None:
    for shape in ((37, 45), (37, 45, 3)):
        values = np.full(shape, lowest, np.float32)
        values.flat[1] = highest
        data = tiff(values, photometric="rgb" if len(shape) == 3 else "minisblack")
        found = "from nan to nan" if np.isnan(highest) else f"from {lowest:g} to {highest:g}"
        with pytest.raises(ImageError, match=re.escape(f"float32 values {found}")):
            read_photograph(data)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_wider_and_signed_integers_are_taken_as_16_bits_where_they_fit(dtype: Any) -> None:
    values = np.random.default_rng(5).integers(0, 32768, (37, 45)).astype(dtype)
    values.flat[0] = 32767
    for order in "<>":
        data = tiff(values, photometric="minisblack", byteorder=order)
        np.testing.assert_array_equal(read_photograph(data).pixels[..., 0], scaled(values))
    values.flat[1] = 100_000 if np.dtype(dtype).itemsize == 4 else -3
    with pytest.raises(ImageError, match=f"from .*{values.min()} to .*"):
        read_photograph(tiff(values, photometric="minisblack"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_white_is_zero_is_inverted(dtype: Any, byteorder: Any) -> None:
    full = np.iinfo(dtype).max
    values = np.random.default_rng(6).integers(0, full + 1, (37, 45)).astype(dtype)
    values.flat[0] = 0
    data = tiff(values, photometric="miniswhite", byteorder=byteorder)
    expected = scaled(full - values, 8 * np.dtype(dtype).itemsize)
    np.testing.assert_array_equal(read_photograph(data).pixels[..., 2], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_composited_and_extra_samples_of_unknown_kind_are_left_out(dtype: Any) -> None:
    full, bits = np.iinfo(dtype).max, 8 * np.dtype(dtype).itemsize
    values = np.random.default_rng(7).integers(0, full + 1, (37, 45, 4)).astype(dtype)
    values[0, 0] = full
    colour, alpha = scaled(values[..., :3], bits).astype(float), scaled(values[..., 3:], bits)
    composited = np.rint(colour * alpha / 255)
    for planar in ("contig", "separate"):
        stored = values if planar == "contig" else np.moveaxis(values, 2, 0)
        with_alpha = tiff(stored, photometric="rgb", planarconfig=planar, extrasamples=["unassalpha"])
        photograph = read_photograph(with_alpha)
        np.testing.assert_array_equal(photograph.pixels, composited)
        assert photograph.notes == ("transparent pixels: composited over black",)
        with_extra = tiff(stored, photometric="rgb", planarconfig=planar, extrasamples=["unspecified"])
        np.testing.assert_array_equal(read_photograph(with_extra).pixels, colour)


def test_an_extra_sample_beside_16_bit_grey_is_left_out_or_taken_as_alpha() -> None:
    values = random_16_bit(37, 45, 2)
    values[1, 1] = 65535
    grey, alpha = np.moveaxis(scaled(values).astype(float), 2, 0)
    for planar in ("contig", "separate"):
        stored = values if planar == "contig" else np.moveaxis(values, 2, 0)
        for kind, expected in (
            ("unspecified", grey),
            ("assocalpha", grey),
            ("unassalpha", np.rint(grey * alpha / 255)),
        ):
            data = tiff(stored, photometric="minisblack", planarconfig=planar, extrasamples=[kind])
            np.testing.assert_array_equal(read_photograph(data).pixels[..., 0], expected)


def test_an_orientation_without_meaning_turns_nothing() -> None:
    values, tag = random_16_bit(37, 45, 3), [(274, "H", 1, 9, True)]
    np.testing.assert_array_equal(read_photograph(tiff(values, extratags=tag)).pixels, scaled(values))
    planes = np.moveaxis(values, 2, 0)
    data = tiff(planes, photometric="rgb", planarconfig="separate", extratags=tag)
    np.testing.assert_array_equal(read_photograph(data).pixels, scaled(values))


def test_three_channels_marked_as_grey_are_red_green_and_blue() -> None:
    values = random_16_bit(37, 45, 3)
    data = tiff(values, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(read_photograph(data).pixels, scaled(values))


def test_more_channels_than_an_image_has_are_refused() -> None:
    data = tiff(random_16_bit(37, 45, 5), photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match="5 channels of 16 bits"):
        read_photograph(data)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_first_page_is_read_with_a_note(dtype: Any) -> None:
    file = io.BytesIO()
    pages = np.random.default_rng(8).integers(0, 2, (3, 37, 45, 3)).astype(dtype)
    with tifffile.TiffWriter(file) as writer:
        for page in pages:
            writer.write(page, photometric="rgb", contiguous=False)
    photograph = read_photograph(file.getvalue())
    scale = 255 if dtype == np.float32 else 1
    np.testing.assert_array_equal(photograph.pixels, pages[0] * scale)
    assert photograph.notes[0] == "first of 3 pages"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_to_wide_samples_too(orientation: int) -> None:
    values = random_16_bit(37, 45, 3)
    tag = [(274, "H", 1, orientation, True)]
    turned = scaled(values)
    if orientation in (5, 6, 7, 8):
        # TIFF 6.0: rows of the file are columns of the scene.
        turned = turned.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    planes = np.moveaxis(values, 2, 0)
    for data in (
        tiff(values, photometric="rgb", extratags=tag),
        tiff(planes, photometric="rgb", planarconfig="separate", extratags=tag),
    ):
        np.testing.assert_array_equal(read_photograph(data).pixels, turned)


def test_a_jpeg_inside_a_tiff_is_near_what_it_was_made_from() -> None:
    smooth, file = np.linspace(30, 220, 48 * 48 * 3).reshape(48, 48, 3).astype(np.uint8), io.BytesIO()
    PillowImage.fromarray(smooth).save(file, "TIFF", compression="jpeg", quality=95)
    # Quality 95 quantises by a few levels.
    assert np.abs(read_photograph(file.getvalue()).pixels.astype(int) - smooth).max() <= 6


def lab_to_srgb(lab: Array) -> Array:
    """CIELAB under D50 to sRGB: CIE 15:2004, Bradford's adaptation to D65, IEC 61966-2-1."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    y = (lightness + 16) / 116
    cubes = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    linear = np.where(cubes > 6 / 29, cubes**3, 3 * (6 / 29) ** 2 * (cubes - 4 / 29))
    to_srgb = np.array(
        [
            [3.1338561, -1.6168667, -0.4906146],
            [-0.9787684, 1.9161415, 0.0334540],
            [0.0719453, -0.2289914, 1.4052427],
        ]
    )
    rgb = (linear * [0.96422, 1.0, 0.82521] @ to_srgb.T).clip(0, 1)
    srgb: Array = 255 * np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return srgb


def test_lab_becomes_srgb() -> None:
    lightness, a, b = np.meshgrid(np.linspace(50, 80, 16), [-10, 0, 8, 16], [-10, 0, 8, 16], indexing="ij")
    lab = np.rint(np.stack([lightness * 2.55, a, b], axis=-1)).reshape(16, 16, 3)
    data = tiff(lab.astype(np.int64).astype(np.uint8), photometric="cielab")
    expected = lab_to_srgb(lab / [2.55, 1, 1])
    # Little CMS interpolates in a table, coarsely so near the edge of sRGB's gamut, which is avoided here.
    assert np.abs(read_photograph(data).pixels - expected).max() <= 2
