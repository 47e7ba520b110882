"""A run learns from the part that is there, and says what lies beside it unused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from foveate.datasets import open_set
from small_run import run, small_recipe


def put(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(values).save(path)


def test_a_set_whose_test_images_have_no_masks_is_learnt_from_and_what_is_unused_is_said(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for place in ("train/images/a", "train/images/b", "test/images/c", "old/d", "old/e"):
        put(tmp_path / "own" / f"{place}.png", random.integers(0, 256, (96, 96, 3)).astype(np.uint8))
    for name in "ab":
        put(tmp_path / "own" / "train" / "masks" / f"{name}.png", np.eye(96, dtype=bool))
    recipe = small_recipe("training.epochs=1", "training.samples_per_epoch=2", "preparation.fov=whole")
    run(recipe, [open_set(f"folder:{tmp_path / 'own'}")], tmp_path / "run")
    log = (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")
    assert "folder: 1 training images, 1 for validation" in log
    assert f"folder: images in {tmp_path / 'own' / 'old'} that are not used: 2, such as d.png." in log
