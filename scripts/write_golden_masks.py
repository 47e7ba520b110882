"""Write what every shipped model makes of a drawn photograph: python scripts/write_golden_masks.py.

The masks lie in `tests/models/golden/`, and of the lesion a picture in `docs/pictures/`. A change of these files is a
change of what users get: look at them before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFilter

import foveate
from foveate.drawn import draw
from foveate.models import shipped
from foveate.records import Image

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "models" / "golden"
PICTURE = ROOT / "docs" / "pictures" / "lesion.jpg"
SEED = 11


def eye() -> Image:
    """H×W×3, the size of DRIVE's photographs."""
    return draw(SEED, height=584, width=565).image


def skin() -> Image:
    """H×W×3: a brown spot with an uneven border and two shades on pale skin, hairs over it, dark corners."""
    random = np.random.default_rng(SEED)
    height, width = 480, 640
    down, right = np.mgrid[:height, :width].astype(np.float64)
    angle = np.arctan2(down - 230, right - 335)
    away = np.hypot((down - 230) / 105, (right - 335) / 145)
    border = 1 + sum(random.normal(0, 0.06) * np.cos(wave * angle + random.uniform(0, 6)) for wave in range(2, 9))
    spot = 1 / (1 + np.exp((away - border) * 14))
    shade = 1 / (1 + np.exp((np.hypot(down - 200, right - 360) - 55) / 9))
    corners = np.clip(np.hypot((down - height / 2) / height, (right - width / 2) / width) * 2 - 0.75, 0, 1)
    painted = np.array([226.0, 184, 166]) * (1 - 0.5 * corners[..., None])
    painted += spot[..., None] * (np.array([128.0, 84, 66]) - painted)
    painted += (0.55 * spot * shade)[..., None] * (np.array([70.0, 44, 42]) - painted)
    grain = PillowImage.fromarray(random.normal(0, 9, (height // 8, width // 8)).astype(np.float32))
    painted += np.asarray(grain.resize((width, height), PillowImage.Resampling.BICUBIC))[..., None]
    painted += random.normal(0, 3, painted.shape)
    picture = PillowImage.fromarray(np.clip(painted, 0, 255).astype(np.uint8))
    brush = ImageDraw.Draw(picture)
    for _ in range(9):
        x, y = random.uniform(0, width), random.uniform(0, height)
        bend, turn = random.uniform(40, 200, 2), random.uniform(0, 360)
        brush.arc((x, y, x + bend[0], y + bend[1]), turn, turn + 110, fill=(58, 40, 36), width=2)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(0.8)))


PHOTOGRAPHS: dict[str, Callable[[], Image]] = {"vessels": eye, "lesion": skin}
"""Shipped model to what it is shown."""


def golden_file(name: str) -> Path:
    """Where that model's mask lies: 0 and 255."""
    return GOLDEN / f"{name}.png"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for model in shipped():
        photograph = PHOTOGRAPHS[model]()
        found = foveate.load(model).segment(photograph)
        PillowImage.fromarray(found.mask).save(golden_file(model), optimize=True)
        if model == "lesion":
            both = np.concatenate([photograph, found.overlay(style="fill", opacity=0.4)], axis=1)
            PillowImage.fromarray(both).save(PICTURE, quality=85, optimize=True)
