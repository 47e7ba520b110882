import concurrent.futures
import gzip
import hashlib
import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps

from foveate.imaging import read_photograph

Array = NDArray[Any]
GREY = np.random.default_rng(1).integers(0, 256, (20, 31), dtype=np.uint8)
RGB = np.random.default_rng(2).integers(0, 256, (20, 31, 3), dtype=np.uint8)
ALPHA = np.random.default_rng(3).integers(0, 256, (20, 31, 1), dtype=np.uint8)


def encoded(image: PillowImage.Image | Array, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, PillowImage.Image) else PillowImage.fromarray(image)).save(file, file_format, **options)
    return file.getvalue()


def png_16(samples: Array, transparent: bytes = b"") -> bytes:
    """A 16-bit PNG, which Pillow can't write in colour; rows take turns with filters 0, 1 and 2."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    lines = np.frombuffer(samples.astype(">u2").tobytes(), np.uint8).reshape(height, -1)
    filtered = b""
    for row, line in enumerate(lines):
        left = np.concatenate([np.zeros(2 * channels, np.uint8), line[: -2 * channels]])
        above = lines[row - 1] if row else np.zeros_like(line)
        predicted = (np.zeros_like(line), left, above)[row % 3]
        filtered += bytes([row % 3]) + (line - predicted).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")]
    if transparent:
        chunks.insert(1, (b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def scaled(values: Array, bits: int) -> Array:
    rounded: Array = np.floor(values * (255 / (2**bits - 1)) + 0.5).astype(np.uint8)
    return rounded


def over_black(colour: Array, alpha: Array) -> Array:
    return np.rint(colour.astype(np.float64) * alpha / 255).astype(np.uint8)


def as_colour(grey: Array) -> Array:
    return np.stack([grey] * 3, axis=2)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("PPM", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("TIFF", {"compression": "packbits"}),
    ],
)
def test_lossless_files_give_the_stored_values(file_format: str, options: dict[str, Any]) -> None:
    photograph = read_photograph(encoded(RGB, file_format, **options))
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert photograph.notes == ()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "PPM", "GIF", "TIFF"])
def test_grey_becomes_three_equal_channels(file_format: str) -> None:
    np.testing.assert_array_equal(read_photograph(encoded(GREY, file_format)).pixels, as_colour(GREY))


def test_jpeg_is_near_the_smooth_image_it_was_made_from() -> None:
    smooth = np.linspace(40, 200, 40 * 40 * 3).reshape(40, 40, 3).astype(np.uint8)
    difference = read_photograph(encoded(smooth, "JPEG", quality=95)).pixels.astype(int) - smooth
    # Quality 95 quantises by a few levels.
    assert np.abs(difference).max() <= 6


def test_a_stereo_jpeg_counts_as_one_image_without_notes() -> None:
    first, second = PillowImage.fromarray(RGB), PillowImage.fromarray(RGB[::-1].copy())
    stereo = encoded(first, "MPO", save_all=True, append_images=[second])
    single = read_photograph(encoded(first, "JPEG"))
    np.testing.assert_array_equal(read_photograph(stereo).pixels, single.pixels)
    assert read_photograph(stereo).notes == ()


def test_the_pixels_are_contiguous_bytes_in_rgb() -> None:
    photograph = read_photograph(encoded(GREY, "PNG"))
    assert photograph.pixels.dtype == np.uint8
    assert photograph.pixels.shape == (20, 31, 3)
    assert photograph.pixels.flags.c_contiguous
    assert photograph.pixels.flags.writeable


def test_one_bit_becomes_0_and_255() -> None:
    bits = GREY > 128
    for file_format in ("PNG", "TIFF", "PPM", "BMP"):
        pixels = read_photograph(encoded(PillowImage.fromarray(bits), file_format)).pixels
        np.testing.assert_array_equal(pixels, as_colour(bits * np.uint8(255)))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "GIF"])
def test_a_palette_is_looked_up(file_format: str) -> None:
    colours = np.random.default_rng(4).integers(0, 256, (256, 3), dtype=np.uint8)
    image = PillowImage.frombytes("P", (31, 20), GREY.tobytes())
    image.putpalette(colours.tobytes())
    np.testing.assert_array_equal(read_photograph(encoded(image, file_format)).pixels, colours[GREY])


def test_a_transparent_palette_entry_becomes_black_with_a_note() -> None:
    colours = np.random.default_rng(4).integers(1, 256, (256, 3), dtype=np.uint8)
    image = PillowImage.frombytes("P", (31, 20), GREY.tobytes())
    image.putpalette(colours.tobytes())
    photograph = read_photograph(encoded(image, "PNG", transparency=int(GREY[3, 5])))
    expected = colours[GREY]
    expected[GREY[3, 5] == GREY] = 0
    np.testing.assert_array_equal(photograph.pixels, expected)
    assert photograph.notes == ("transparent pixels: composited over black",)


@pytest.mark.parametrize("colour", [GREY[..., np.newaxis], RGB], ids=["grey", "rgb"])
def test_alpha_is_composited_over_black_with_a_note(colour: Array) -> None:
    both = np.concatenate([colour, ALPHA], axis=2)
    expected = over_black(colour, ALPHA)
    for source in (encoded(both, "PNG"), both):
        photograph = read_photograph(source)
        np.testing.assert_array_equal(photograph.pixels, np.broadcast_to(expected, RGB.shape))
        assert photograph.notes == ("transparent pixels: composited over black",)


@pytest.mark.parametrize("colour", [GREY[..., np.newaxis], RGB], ids=["grey", "rgb"])
def test_opaque_alpha_is_dropped_silently(colour: Array) -> None:
    both = np.concatenate([colour, np.full_like(ALPHA, 255)], axis=2)
    for source in (encoded(both, "PNG"), encoded(both, "TIFF"), both):
        photograph = read_photograph(source)
        np.testing.assert_array_equal(photograph.pixels, np.broadcast_to(colour, RGB.shape))
        assert photograph.notes == ()


def test_one_pixel_that_is_hardly_transparent_is_enough_for_a_note() -> None:
    alpha = np.full_like(ALPHA, 255)
    alpha[4, 6] = 254
    photograph = read_photograph(np.concatenate([RGB, alpha], axis=2))
    np.testing.assert_array_equal(photograph.pixels, over_black(RGB, alpha))
    assert photograph.notes == ("transparent pixels: composited over black",)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_pngs_and_arrays_are_scaled_by_the_smallest_depth_that_holds_them(bits: int, channels: int) -> None:
    samples = np.random.default_rng(bits).integers(0, 2**bits, (24, 19, channels)).astype(np.uint16)
    samples[0, 0] = 2**bits - 1
    samples[0, 1] = 0
    if channels in (2, 4):
        samples[..., -1] = 65535
    expected = scaled(samples[..., : 3 if channels >= 3 else 1], bits)
    note = f"16-bit image with {bits}-bit values: scaled by 255/{2**bits - 1}"
    for source in (png_16(samples[..., 0] if channels == 1 else samples), samples):
        photograph = read_photograph(source)
        np.testing.assert_array_equal(photograph.pixels, np.broadcast_to(expected, (24, 19, 3)))
        assert photograph.notes == (() if bits == 16 else (note,))


@pytest.mark.parametrize(
    ("largest", "bits"), [(0, 8), (255, 8), (600, 10), (1023, 10), (1900, 12), (4095, 12), (9000, 14), (40000, 16)]
)
def test_the_depth_is_the_smallest_that_holds_the_values(largest: int, bits: int) -> None:
    values = np.linspace(0, largest, 400).astype(np.uint16).reshape(20, 20)
    np.testing.assert_array_equal(read_photograph(values).pixels, as_colour(scaled(values, bits)))


@pytest.mark.parametrize("top", [255, 1023, 4095, 16383])
def test_one_level_more_than_a_depth_holds_hardly_changes_a_picture(top: int) -> None:
    shares = np.linspace(0, 1.01, 3000).clip(max=1).reshape(50, 60)
    below, above = (read_photograph(np.rint(shares * most).astype(np.uint16)) for most in (top, top + 1))
    difference = np.abs(below.pixels.astype(int) - above.pixels)
    assert difference.max() <= 4  # of 255: the scale grows by four levels
    assert above.notes == (f"16-bit image with values up to {top + 1}: scaled by 255/{top + 4}",)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_broken_pixel_does_not_decide_on_the_scale_of_16_bits(channels: int) -> None:
    samples = np.random.default_rng(3).integers(0, 4096, (100, 120, channels)).astype(np.uint16)
    clean = read_photograph(samples)
    samples[7, 9] = 65535
    hot = read_photograph(samples)
    rest = np.ones((100, 120), bool)
    rest[7, 9] = False
    np.testing.assert_array_equal(hot.pixels[rest], clean.pixels[rest])
    assert (hot.pixels[7, 9] == 255).all()
    assert hot.notes == (f"16-bit image with 12-bit values: scaled by 255/4095, {channels} brighter values cut",)


def test_a_small_bright_area_decides_on_the_scale(tmp_path: Path) -> None:
    samples = np.random.default_rng(3).integers(0, 4096, (100, 120)).astype(np.uint16)
    samples[40:43, 50:53] = 60000
    np.testing.assert_array_equal(read_photograph(samples).pixels, as_colour(scaled(samples, 16)))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transparent_value_of_a_16_bit_png_becomes_black(channels: int) -> None:
    samples = np.random.default_rng(5).integers(300, 65536, (20, 31, channels)).astype(np.uint16)
    samples[2:4] = samples[2, 2]
    data = png_16(samples[..., 0] if channels == 1 else samples, samples[2, 2].astype(">u2").tobytes())
    expected = scaled(samples, 16)
    expected[2:4] = 0
    photograph = read_photograph(data)
    np.testing.assert_array_equal(photograph.pixels, np.broadcast_to(expected, (20, 31, 3)))
    assert photograph.notes == ("transparent pixels: composited over black",)


def test_a_16_bit_png_written_by_pillow_is_read_in_full() -> None:
    samples = np.random.default_rng(6).integers(0, 65536, (20, 31), dtype=np.uint16)
    np.testing.assert_array_equal(read_photograph(encoded(samples, "PNG")).pixels, as_colour(scaled(samples, 16)))


@pytest.mark.parametrize("largest", [200, 255, 1000, 4095, 65535])
@pytest.mark.parametrize("brightest", [1, 3])
def test_pgm_and_ppm_are_scaled_by_the_range_that_they_state(largest: int, brightest: int) -> None:
    values = np.random.default_rng(largest).integers(0, largest // brightest + 1, (20, 31, 3))
    expected = np.rint(values * (255 / largest))
    stored = values.astype(">u2" if largest > 255 else np.uint8)
    grey = b"P5 31 20 %d\n" % largest + stored[..., 0].tobytes()
    colour = b"P6 31 20 %d\n" % largest + stored.tobytes()
    # Pillow rounds at 16 bits first, which can move a half to the next level.
    assert np.abs(read_photograph(grey).pixels - expected[..., :1]).max() <= (largest not in (255, 65535))
    assert np.abs(read_photograph(colour).pixels - expected).max() <= 1


def test_a_gzipped_ppm_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "im0001.ppm.gz"
    path.write_bytes(gzip.compress(encoded(RGB, "PPM")))
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert photograph.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_is_ink_on_white(file_format: str) -> None:
    inks = np.zeros((32, 48, 4), np.uint8)
    inks[:, :16] = (200, 30, 60, 20)
    inks[:, 16:32] = (0, 255, 255, 0)
    inks[:, 32:] = (10, 10, 10, 180)
    expected = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255
    image = PillowImage.frombytes("CMYK", (48, 32), inks.tobytes())
    options = {"quality": 95} if file_format == "JPEG" else {}
    difference = read_photograph(encoded(image, file_format, **options)).pixels - expected
    # Rounding of Pillow's integer formula; a JPEG adds its quantisation.
    assert np.abs(difference).max() <= (6 if file_format == "JPEG" else 1.5)


def test_ycbcr_follows_bt_601() -> None:
    stored = np.random.default_rng(8).integers(90, 160, (20, 31, 3)).astype(np.uint8)
    y, cb, cr = np.moveaxis(stored.astype(np.float64), 2, 0)
    red, blue = y + 1.402 * (cr - 128), y + 1.772 * (cb - 128)
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    image = PillowImage.frombytes("YCbCr", (31, 20), stored.tobytes())
    # Pillow computes in integers.
    assert np.abs(read_photograph(image).pixels - np.stack([red, green, blue], axis=2)).max() <= 1.5


def test_the_first_frame_of_an_animation_is_read_with_a_note() -> None:
    frames = [PillowImage.fromarray(np.roll(RGB, 5 * step, axis=0)) for step in range(3)]
    for file_format, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
        photograph = read_photograph(data)
        np.testing.assert_array_equal(photograph.pixels, RGB)
        assert photograph.notes == ("first of 3 frames",)


def test_the_first_frame_of_an_animated_gif_is_read_with_a_note() -> None:
    frames = [PillowImage.fromarray(np.roll(GREY, 5 * step, axis=0)) for step in range(4)]
    photograph = read_photograph(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    np.testing.assert_array_equal(photograph.pixels, as_colour(GREY))
    assert photograph.notes == ("first of 4 frames",)


TURNS = {
    2: PillowImage.Transpose.FLIP_LEFT_RIGHT,
    3: PillowImage.Transpose.ROTATE_180,
    4: PillowImage.Transpose.FLIP_TOP_BOTTOM,
    5: PillowImage.Transpose.TRANSPOSE,
    6: PillowImage.Transpose.ROTATE_270,
    7: PillowImage.Transpose.TRANSVERSE,
    8: PillowImage.Transpose.ROTATE_90,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_exif_orientation_is_applied_and_noted(file_format: str, orientation: int) -> None:
    exif = PillowImage.Exif()
    exif[274] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    stored = encoded(RGB, file_format, **options)
    turned = encoded(RGB, file_format, exif=exif, **options)
    upright = PillowImage.fromarray(read_photograph(stored).pixels)
    if orientation in TURNS:
        upright = upright.transpose(TURNS[orientation])
    notes = (f"turned upright by its orientation tag ({orientation})",) if orientation in TURNS else ()
    photograph = read_photograph(turned)
    np.testing.assert_array_equal(photograph.pixels, np.asarray(upright))
    assert photograph.notes == notes
    with PillowImage.open(io.BytesIO(turned)) as opened:
        assert read_photograph(opened).notes == notes
        np.testing.assert_array_equal(read_photograph(opened).pixels, np.asarray(upright))
        np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(opened).convert("RGB")), np.asarray(upright))


def test_unreadable_exif_data_leaves_the_image_as_stored_with_a_note() -> None:
    photograph = read_photograph(encoded(RGB, "PNG", exif=b"Exif\0\0neither byte order"))
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert photograph.notes == ("EXIF data unreadable: taken as upright",)


def test_the_warnings_of_decoders_about_metadata_are_not_passed_on() -> None:
    cut_short = b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03"
    data = encoded(RGB, "PNG", exif=cut_short)
    with pytest.warns(UserWarning, match="Corrupt EXIF"):
        PillowImage.open(io.BytesIO(data)).getexif()
    with warnings.catch_warnings(record=True) as passed_on:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(read_photograph(data).pixels, RGB)
    assert passed_on == []


@pytest.mark.parametrize("dtype", [np.uint8, np.dtype("<u2"), np.dtype(">u2")])
def test_arrays_are_taken_as_they_are_and_never_changed(dtype: Any) -> None:
    full = np.iinfo(dtype).max
    for shape in ((20, 31), (20, 31, 1), (20, 31, 3)):
        values = np.random.default_rng(9).integers(0, full + 1, shape).astype(dtype)
        values.flat[0] = full
        before = values.copy()
        values.flags.writeable = False
        photograph = read_photograph(values)
        wide = values.reshape(20, 31, -1)
        expected = scaled(wide, 8 * np.dtype(dtype).itemsize)
        np.testing.assert_array_equal(photograph.pixels, np.broadcast_to(expected, (20, 31, 3)))
        photograph.pixels[:] = 7
        np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "HSV"])
def test_pillow_images_of_every_mode_look_as_pillow_shows_them(mode: str) -> None:
    via = {"La": "LA", "RGBa": "RGBA"}.get(mode)
    image = PillowImage.fromarray(RGB)
    image = image.convert(via).convert(mode) if via else image.convert(mode)
    shown = image.convert(via).convert("RGB") if via else image.convert("RGB")
    photograph = read_photograph(image)
    np.testing.assert_array_equal(photograph.pixels, np.asarray(shown))
    assert (photograph.source, photograph.notes) == ("Pillow image", ())


@pytest.mark.parametrize("mode", ["I", "I;16", "F"])
def test_pillow_images_of_wide_modes_follow_the_rules_for_files(mode: str) -> None:
    samples = np.random.default_rng(10).integers(0, 65536, (20, 31), dtype=np.uint16)
    forms: dict[str, Array] = {"I": samples.astype(np.int32), "I;16": samples}
    values = forms.get(mode, (samples / 65535).astype(np.float32))
    image = PillowImage.fromarray(values)
    assert image.mode == mode
    np.testing.assert_array_equal(read_photograph(image).pixels, as_colour(scaled(samples, 16)))


def test_the_source_and_the_sum_say_where_a_photograph_came_from(tmp_path: Path) -> None:
    data = encoded(RGB, "PNG")
    path = tmp_path / "Fundus rechts – größer 眼.png"
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    of_pixels = hashlib.sha256(RGB.tobytes()).hexdigest()
    sources: list[tuple[Any, str, str]] = [
        (path, str(path), digest),
        (str(path), str(path), digest),
        (data, "bytes", digest),
        (PillowImage.fromarray(RGB), "Pillow image", of_pixels),
        (RGB, "array", of_pixels),
    ]
    for source, name, total in sources:
        photograph = read_photograph(source)
        assert (photograph.source, photograph.sha256) == (name, total)
        np.testing.assert_array_equal(photograph.pixels, RGB)


def test_a_limit_of_pixels_that_the_calling_program_sets_in_pillow_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = [encoded(RGB, file_format) for file_format in ("PNG", "JPEG", "BMP", "PPM")]
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 400)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for source in sources:
            assert read_photograph(source).pixels.shape == RGB.shape
    assert PillowImage.MAX_IMAGE_PIXELS == 400


def test_reading_in_threads_leaves_the_warning_filters_as_they_were() -> None:
    sources = [encoded(RGB, file_format) for file_format in ("PNG", "JPEG", "TIFF", "GIF")] * 20
    before = list(warnings.filters)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        shapes = {photograph.pixels.shape for photograph in pool.map(read_photograph, sources)}
    assert shapes == {RGB.shape}
    assert list(warnings.filters) == before


def test_importing_the_folder_loads_neither_tifffile_nor_anything_heavier() -> None:
    heavy = "{'tifffile', 'torch', 'onnxruntime', 'pydantic'}"
    code = f"import sys, foveate.imaging; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_images_of_drive_and_stare_are_read_as_pillow_reads_them(shared_data: Path) -> None:
    drive = shared_data / "DRIVE" / "test" / "images" / "01_test.tif"
    np.testing.assert_array_equal(read_photograph(drive).pixels, np.asarray(PillowImage.open(drive).convert("RGB")))
    stare = shared_data / "STARE" / "stare-images" / "im0001.ppm.gz"
    content = gzip.decompress(stare.read_bytes())
    assert content.startswith(b"P6")
    # A binary PPM ends with the pixels themselves.
    assert content.endswith(read_photograph(stare).pixels.tobytes())
