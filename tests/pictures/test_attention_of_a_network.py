"""The maps that a network's attention leaves, brought to the photograph, against the network run by hand."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from foveate.arrays.fov import find_fov
from foveate.errors import ImageError, UsageError
from foveate.networks import build, record_attention
from foveate.recipes.read import read_recipe, to_toml
from foveate.training.after.attention import attention_of
from foveate.training.run.tensors import WeightsHeader, load_weights, save_weights
from known_reports import case


def run_of(folder: Path, network: str, recipe: str, **options: Any) -> str:
    """The folder of a run that has learned nothing."""
    facts = WeightsHeader(network, dict(options), (1.0,) * 3, (90.0,) * 3, ("x",), True, (0.5,), {}, 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_weights(folder / "best.safetensors", build(network, **options).state_dict(), facts)
    (folder / "recipe.toml").write_text(to_toml(read_recipe(recipe)), encoding="utf-8")
    return str(folder)


def test_the_maps_lie_over_the_photograph_where_the_network_has_them() -> None:
    image = np.asarray(case(0).image)
    image = np.kron(image, np.ones((6, 6, 1), np.uint8))  # so large that the shipped model leaves its size alone
    found = attention_of("vessels", image)
    fov = find_fov(image)
    top, left, bottom, right = fov.box
    seen = np.where(fov.mask[..., None], image, 0)[top:bottom, left:right]
    height, width = seen.shape[:2]
    padded = np.pad(seen, ((0, -height % 8), (0, -width % 8), (0, 0))).astype(np.float32)
    with as_file(files("foveate.models") / "vessels" / "weights.safetensors") as path:
        network, facts = load_weights(path)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (facts.mean, facts.deviation))
    with torch.inference_mode(), record_attention(network) as maps:
        network(((torch.from_numpy(padded).permute(2, 0, 1) - mean) / deviation)[None])
    assert list(found.maps) == list(maps) == ["iaa.0", "iaa.1", "iaa.2"]
    for name, weights in maps.items():
        by_hand = interpolate(weights, padded.shape[:2], mode="bilinear")[0, 0, :height, :width].numpy()
        inside = fov.mask[top:bottom, left:right]
        shown = found.maps[name][top:bottom, left:right]
        # float32, summed in another order
        np.testing.assert_allclose(shown[inside], by_hand[inside], atol=1e-5)
        assert np.isnan(found.maps[name][~fov.mask]).all()
        assert np.ptp(shown[inside]) > 0.1


def test_weights_of_channels_are_one_number_each(tmp_path: Path) -> None:
    run = run_of(tmp_path, "dual_attention_unet", "dual-attention-unet-lgg", encoder="plain", widths=(8, 16, 8))
    maps = attention_of(run, case(0).image).maps
    assert {name: each.shape for name, each in maps.items() if name.startswith("channel")} == {
        "channel.level0": (8,),
        "channel.level1": (16,),
        "channel.level2": (16,),
    }
    assert all(each.shape == (112, 120) for name, each in maps.items() if name.startswith("spatial"))


def test_a_network_without_attention_is_told(tmp_path: Path) -> None:
    run = run_of(tmp_path, "unet", "convlstm-unet-drive", widths=(4, 6, 8))
    with pytest.raises(UsageError, match="unet, has no attention"):
        attention_of(run, case(0).image)


def test_what_is_no_run_and_what_shows_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no best\.safetensors"):
        attention_of(str(tmp_path), case(0).image)
    with pytest.raises(UsageError, match="Did you mean 'vessels'"):
        attention_of("vesels", case(0).image)
    with pytest.raises(ImageError):
        attention_of("vessels", np.zeros((64, 64, 3), np.uint8))
