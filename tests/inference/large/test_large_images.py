"""A large image comes out as the whole of it would, in strips and in tiles, or is refused in one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

import foveate
from computed_models import computed
from foveate.drawn import draw
from foveate.errors import UsageError
from foveate.inference import PostProcessing, Procedure, Segmenter
from foveate.inference.large import limits, source
from foveate.inference.large.limits import Limits, bytes_in
from foveate.inference.record import ImageRecord, read_record
from green_model import write_green_model
from known_model import known_model
from native_model import CONTEXT, write_native_model

LITTLE = "450MB"
"""Of memory: with `small_bounds`, images of 200 000 pixels and more go by strips."""

HEIGHT, WIDTH = 520, 470


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small images count as large ones."""
    monkeypatch.setattr(limits, "WHOLE_BYTES", 500)
    monkeypatch.setattr(source, "MAY_BE_LARGE", 100)


def noise(seed: int, *, cell: int = 6) -> NDArray[np.uint8]:
    """Blobs of some pixels, on and off."""
    small = np.random.default_rng(seed).integers(0, 256, (HEIGHT // cell + 2, WIDTH // cell + 2, 3), np.uint8)
    return np.asarray(PillowImage.fromarray(small).resize((WIDTH, HEIGHT), PillowImage.Resampling.BICUBIC))


def saved(folder: Path, pixels: NDArray[np.uint8], name: str = "large.tif") -> Path:
    path = folder / name
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(128, 128), compression="zlib")
    return path


def outputs(folder: Path) -> dict[str, NDArray[Any]]:
    return {path.name: np.asarray(PillowImage.open(path)) for path in sorted(folder.glob("*_*.png"))}


def record(folder: Path) -> ImageRecord:
    ((_, image),) = read_record(folder)
    return image


def in_both_ways(folder: Path, path: Path, model: Any, **options: Any) -> tuple[Path, Path]:
    """The outputs of the image as a whole, and in strips."""
    for name, memory in (("whole", None), ("strips", LITTLE)):
        (outcome,) = foveate.segment(path, folder / name, model=model, max_memory=memory, **options)
        assert outcome.error == ""
    return folder / "whole", folder / "strips"


def test_the_shipped_model_says_of_strips_what_it_says_of_the_whole(tmp_path: Path) -> None:
    fundus = PillowImage.fromarray(draw(2, height=584, width=565).image)
    path = saved(tmp_path, np.asarray(fundus.resize((1250, 1300), PillowImage.Resampling.BICUBIC)))
    whole, strips = in_both_ways(tmp_path, path, "vessels", probabilities=True, overlay=True, confidence=True)
    of_whole, of_strips = outputs(whole), outputs(strips)
    mask, other = of_whole["large_mask.png"], of_strips["large_mask.png"]
    assert 0.02 < (mask > 0).mean() < 0.3
    assert (mask == other).mean() >= 0.9995
    probability, same = (each["large_probability.png"] / 65535 for each in (of_whole, of_strips))
    assert np.abs(probability - same).mean() < 1e-4  # of a grey level here and there that the network saw
    assert (of_whole["large_overlay.png"] == of_strips["large_overlay.png"]).all(axis=-1).mean() >= 0.9995
    one, two = record(whole), record(strips)
    assert (two.height, two.width, two.sha256, two.notes) == (1300, 1250, one.sha256, one.notes)
    assert two.fov_diameter == pytest.approx(one.fov_diameter, abs=0.5)
    assert two.areas["vessel"] == pytest.approx(one.areas["vessel"], rel=1e-3)
    assert two.expected_f1["vessel"].value == pytest.approx(one.expected_f1["vessel"].value, abs=1e-4)


def test_a_network_at_native_size_leaves_no_seam_between_tiles(tmp_path: Path) -> None:
    path = saved(tmp_path, noise(1))
    results = {}
    for name, context, memory in (("whole", 0, None), ("tiles", CONTEXT, LITTLE), ("too narrow", 1, LITTLE)):
        model = write_native_model(tmp_path / name, context=context)
        (outcome,) = foveate.segment(path, tmp_path / f"{name} out", model=model, probabilities=True, max_memory=memory)
        assert outcome.error == ""
        results[name] = outputs(tmp_path / f"{name} out")["large_probability.png"] / 65535
    assert results["whole"].std() > 0.1
    assert np.abs(results["tiles"] - results["whole"]).max() < 1e-3
    assert np.abs(results["too narrow"] - results["whole"]).max() > 1e-3


def test_from_python_too_a_native_network_is_given_tiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMORY", limits.LEAST_MEMORY)
    pixels = noise(1)
    whole = foveate.load(write_native_model(tmp_path / "whole", context=0)).segment(pixels).probability
    segmenter = foveate.load(write_native_model(tmp_path / "tiles", context=CONTEXT))
    shapes: list[tuple[int, ...]] = []

    def watched(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        shapes.append(batch.shape)
        return segmenter.session.run(batch)

    tiled = Segmenter(segmenter.card, computed(watched).session).segment(pixels).probability
    assert len(shapes) > 9
    assert np.abs(tiled - whole).max() < 1e-3


OPTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "hysteresis": {"hysteresis": 0.25},
    "min-size": {"min_size": 200},
    "largest": {"largest": True},
    "small holes": {"fill_holes": 60},
    "all holes": {"fill_holes": -1},
    "all": {"hysteresis": 0.3, "min_size": 300, "fill_holes": 200},
    "the card's": {"of_card": 90},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_what_is_done_after_the_threshold_is_the_same_to_the_pixel(tmp_path: Path, options: dict[str, Any]) -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    disc = (rows - HEIGHT / 2) ** 2 + (columns - WIDTH / 2) ** 2 < 230**2
    path = saved(tmp_path, np.where(disc[..., None], noise(3), np.uint8(0)))
    asked = {name: value for name, value in options.items() if name != "of_card"}
    model = known_model(tmp_path / "model", min_size=options.get("of_card", 0))
    whole, strips = in_both_ways(
        tmp_path, path, model, probabilities=True, overlay=True, confidence=True, **asked
    )  # fmt: skip
    of_whole, of_strips = outputs(whole), outputs(strips)
    assert of_whole.keys() == of_strips.keys()
    for name in of_whole:
        np.testing.assert_array_equal(of_strips[name], of_whole[name], err_msg=name)
    one, two = record(whole), record(strips)
    assert two.areas == one.areas
    assert two.model == one.model
    assert two.expected_f1["vessel"].value == pytest.approx(one.expected_f1["vessel"].value, abs=1e-6)


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "overlapping"])
def test_several_classes_and_views_are_the_same_in_strips(tmp_path: Path, exclusive: bool) -> None:
    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        shifted = np.roll(batch[:, :2], 1, axis=3)  # so that its views differ
        return np.asarray((batch[:, :2] * 0.8 + shifted * 0.2) / 512, np.float32)

    fields = {"classes": ("artery", "vein"), "exclusive": exclusive, "thresholds": (0.2,) * (2 - exclusive)}
    model = computed(network, **fields, fov="whole", working_minimum=1.0, working_maximum=350.0, trust=None)
    model = Segmenter(model.card, model.session, Procedure(4))
    path = saved(tmp_path, noise(4, cell=30))
    whole, strips = in_both_ways(tmp_path, path, model, probabilities=True, overlay=True, confidence=True)
    of_whole, of_strips = outputs(whole), outputs(strips)
    assert of_whole.keys() == of_strips.keys()
    for name, values in of_whole.items():
        if "probability" in name:
            assert np.abs(values.astype(int) - of_strips[name]).max() <= 65536 / 512  # a grey level of what it saw
        else:
            assert (values == of_strips[name]).mean() >= 0.9995
    for name, expected in record(whole).expected_f1.items():
        assert record(strips).expected_f1[name].value == pytest.approx(expected.value, abs=1e-3)


def test_what_the_green_channel_and_local_contrast_show_is_the_same_in_strips(tmp_path: Path) -> None:
    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return batch[:, :1] / np.float32(255)

    model = computed(
        network, channels="green", clahe=2.0, working_minimum=1.0, working_maximum=350.0, thresholds=(0.5,), trust=None
    )
    fundus = PillowImage.fromarray(draw(2, height=584, width=565).image).resize((WIDTH, HEIGHT))
    whole, strips = in_both_ways(tmp_path, saved(tmp_path, np.asarray(fundus)), model, probabilities=True)
    probability, other = (outputs(out)["large_probability.png"] / 65535 for out in (whole, strips))
    assert probability.std() > 0.1
    assert np.quantile(np.abs(probability - other), 0.999) < 2 / 255


def test_a_pyramid_is_reduced_from_a_smaller_version_and_that_is_said(tmp_path: Path) -> None:
    pixels = np.asarray(PillowImage.fromarray(draw(2, height=584, width=565).image).resize((1400, 1400)))
    path = tmp_path / "large.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(pixels, subifds=1, photometric="rgb", tile=(128, 128))
        half = np.asarray(PillowImage.fromarray(pixels).resize((700, 700), PillowImage.Resampling.BOX))
        file.write(half, subfiletype=1, photometric="rgb", tile=(128, 128))
    model = computed(lambda batch: batch[:, 1:2] / np.float32(255), working_minimum=1.0, working_maximum=500.0)
    whole, strips = in_both_ways(tmp_path, path, model, probabilities=True)
    assert "reduced from its smaller version of 700×700 pixels" in record(strips).notes
    probability, other = (outputs(out)["large_probability.png"] / 65535 for out in (whole, strips))
    assert probability.std() > 0.1
    assert np.abs(probability - other).mean() < 2 / 255


@pytest.mark.parametrize("form", ["jpg", "png"])
def test_other_formats_are_decoded_as_a_whole_and_worked_on_in_strips(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"large.{form}"
    PillowImage.fromarray(noise(5)).save(path)
    whole, strips = in_both_ways(tmp_path, path, write_green_model(tmp_path))
    np.testing.assert_array_equal(outputs(strips)["large_mask.png"], outputs(whole)["large_mask.png"])


def test_a_black_image_gives_an_empty_mask(tmp_path: Path) -> None:
    path = saved(tmp_path, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    whole, strips = in_both_ways(tmp_path, path, write_green_model(tmp_path), overlay=True, confidence=True)
    assert not outputs(strips)["large_mask.png"].any()
    assert record(strips).notes == record(whole).notes
    assert record(strips).areas == record(whole).areas


def test_beyond_100_megapixels_outputs_are_bigtiffs_and_are_kept_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BIGTIFF_FROM", 10**5)
    path, model = saved(tmp_path, noise(6)), write_green_model(tmp_path)
    options: dict[str, Any] = {"model": model, "overlay": True, "probabilities": True}
    (outcome,) = foveate.segment(path, tmp_path / "out", max_memory=LITTLE, **options)
    assert {kind: out.name for kind, out in outcome.outputs.items()} == {
        kind: f"large_{kind}.tif" for kind in ("mask", "probability", "overlay")
    }
    (again,) = foveate.segment(path, tmp_path / "out", max_memory=LITTLE, **options)
    assert again.kept
    monkeypatch.setattr(source, "BIGTIFF_FROM", 10**8)
    foveate.segment(path, tmp_path / "png", **options)
    for kind, out in outcome.outputs.items():
        with tifffile.TiffFile(out) as file:
            assert file.is_bigtiff
            np.testing.assert_array_equal(
                file.pages.first.asarray(), np.asarray(PillowImage.open(tmp_path / "png" / f"large_{kind}.png"))
            )


REFUSED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "reconnect": ("--reconnect", {}, {"reconnect": 9}),
    "sizes": ("--surest-size", {}, {"surest_size": True}),
    "views in tiles": ("--tta", {"context": 8, "working_maximum": 9999.0}, {"tta": 2}),
    "contrast in tiles": ("CLAHE", {"context": 8, "working_maximum": 9999.0, "clahe": 2.0}, {}),
    "more pixels": ("over the limit of 0.2 megapixels", {}, {"max_megapixels": 0.2}),
}


@pytest.mark.parametrize(("words", "fields", "options"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_to_a_large_image_is_refused_in_one_line(
    tmp_path: Path, words: str, fields: dict[str, Any], options: dict[str, Any]
) -> None:
    model = computed(lambda batch: batch[:, 1:2] / np.float32(255), **({"working_minimum": 1.0} | fields))
    bounds = {key: value for key, value in options.items() if key == "max_megapixels"}
    steps = PostProcessing(reconnect=options.get("reconnect", 0))
    procedure = Procedure(options.get("tta", 1), steps, options.get("surest_size", False))
    model = Segmenter(model.card, model.session, procedure)
    path = saved(tmp_path, noise(7))
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model, max_memory=LITTLE, **bounds)
    assert words in outcome.error
    assert outcome.error.startswith(str(path))
    assert "\n" not in outcome.error
    assert list((tmp_path / "out").glob("large*")) == []


def test_a_format_that_must_be_decoded_as_a_whole_keeps_to_the_memory_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DECODED_BYTES", 500)
    path, model = tmp_path / "large.png", write_green_model(tmp_path)
    PillowImage.fromarray(noise(8)).save(path)
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model, max_memory=LITTLE)
    assert "must be decoded as a whole" in outcome.error
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model)
    assert outcome.error == ""


def test_a_stop_in_the_middle_leaves_nothing_and_the_next_call_makes_it(tmp_path: Path) -> None:
    path, tiles = saved(tmp_path, noise(9)), []
    green: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda batch: batch[:, 1:2] / np.float32(255)  # noqa: E731

    def stopped(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        tiles.append(batch.shape)
        if len(tiles) == 30:
            raise KeyboardInterrupt
        return green(batch)

    fields: dict[str, Any] = {"context": 8, "working_minimum": 1.0, "working_maximum": 9999.0, "trust": None}
    with pytest.raises(KeyboardInterrupt):
        foveate.segment(path, tmp_path / "out", model=computed(stopped, **fields), max_memory=LITTLE)
    assert [file.name for file in (tmp_path / "out").iterdir() if "large" in file.name or ".part" in file.name] == []
    (outcome,) = foveate.segment(path, tmp_path / "out", model=computed(green, **fields), max_memory=LITTLE)
    assert outcome.error == ""
    assert (tmp_path / "out" / "large_mask.png").is_file()


PEAK = """
import resource, sys
import foveate
outcomes = foveate.segment(sys.argv[2:], sys.argv[1] + "/out", model=sys.argv[1] + "/green.onnx",
                           max_memory="450MB", overwrite=True)
assert not any(outcome.error for outcome in outcomes), outcomes
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_is_flat_in_the_number_of_images_and_below_what_the_image_alone_would_take(tmp_path: Path) -> None:
    pixels = np.tile(noise(0), (8, 8, 1))
    paths = [saved(tmp_path, pixels, f"large{number}.tif") for number in range(3)]
    card = write_green_model(tmp_path).parent / "card.json"
    card.write_text(card.read_text(encoding="utf-8").replace("2000.0", "600.0"), encoding="utf-8")

    def peak(*images: Path) -> int:
        """Bytes; of a process of its own."""
        command = [sys.executable, "-c", PEAK, str(tmp_path), *map(str, images)]
        return 1024 * int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    small = saved(tmp_path, noise(0)[:300, :300], "small.tif")
    one, three, none = peak(paths[0]), peak(*paths), peak(small)
    assert three < 1.1 * one
    # Its pixels, mask and probabilities alone have 8 bytes each; what is held of them is a share.
    assert one - none < 8 * pixels[..., 0].size


def test_sizes_are_read_and_wrong_ones_refused() -> None:
    assert [bytes_in(text) for text in ("1500MB", "1.5 gb", "2GiB", "600000000")] == [
        1_500_000_000,
        1_500_000_000,
        2**31,
        600_000_000,
    ]
    for wrong in ("much", "-5GB", "1e9", "9" * 30):
        with pytest.raises(UsageError, match=r"is no size"):
            bytes_in(wrong)
    with pytest.raises(UsageError, match="450MB or more"):
        Limits(memory=10**6)
    for megapixels in (0.0, float("nan"), 1e9):
        with pytest.raises(UsageError, match="max_megapixels"):
            Limits(megapixels=megapixels)


def test_a_hostile_tiff_fails_alone_and_the_others_are_made(tmp_path: Path) -> None:
    good = saved(tmp_path, noise(1), "good.tif")
    bad = tmp_path / "bad.tif"
    bad.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    outcomes = foveate.segment([bad, good], tmp_path / "out", model=write_green_model(tmp_path), max_memory=LITTLE)
    assert [bool(outcome.error) for outcome in outcomes] == [True, False]
    assert "\n" not in outcomes[0].error
    assert msgspec.json.decode((tmp_path / "out" / "segment.json").read_bytes())["images"]["bad"]["status"] == "failed"
