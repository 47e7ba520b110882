"""What the pages take for granted, drawn small: photographs, data sets, masks of another tool, a run and its model."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from source_tree import SOURCE

import made_dicom
import made_nifti
from foveate.datasets import open_set
from foveate.datasets.sets.lgg import split_of
from foveate.recipes.read import read_recipe
from small_run import SMALL, run

HEIGHT, WIDTH = 100, 96

SHORT = ("training.epochs=1", "training.samples_per_epoch=2", "data.validation_share=0.3")

FOLDERS = ("my_photographs", "held_out", "lesions", "mine")
"""Data sets of the adapter `folder`."""


def draw(folder: Path) -> None:
    """Fill an empty folder with all that the pages' commands read and don't make."""
    for seed, name in enumerate(("photo.jpg", "other.tif", "folder/a.png", "folder/b.png")):
        _save(_photograph(seed)[0], folder / name)
    made_dicom.saved(folder / "scan.dcm", made_dicom.image(_photograph(0)[0], made_dicom.FUNDUS))
    for name in ("scan", *(f"brains/p1_{sequence}" for sequence in ("pre", "flair", "post"))):
        made_nifti.saved(made_nifti.volume(made_nifti.head()), folder / f"{name}.nii.gz")
    for place, sets in (("", ("DRIVE", "STARE", "HRF")), ("data/", ("DRIVE", "STARE", "HRF_half"))):
        for name, drawn in zip(sets, (_drive(), _stare(), _hrf()), strict=True):
            _put(drawn, folder / f"{place}{name}")
    _put(_chase_db1(), folder / "data/CHASE_DB1")
    for name in ("ISIC", "ISIC2018"):
        _put(_isic2018(), folder / name)
    _put(_lgg(), folder / "LGG")
    for name in FOLDERS:
        _put(((f"images/{n}.png", f"masks/{n}.png") for n in range(10)), folder / name)
    _put(((f"validation/images/{n}.png", f"validation/masks/{n}.png") for n in range(3)), folder / "ours")
    _put(((f"scans/{n}.jpg", f"scans/{n}_mask.png") for n in range(3)), folder)
    _put(((f"scans/p{n}/image_{n}.tif", f"outlines/p{n}/{n}.png") for n in range(3)), folder)
    _put(((f"images/{n}.png",) for n in range(4)), folder / "labelled")
    for number in range(4):
        labels = np.random.default_rng(number).integers(0, 4, (HEIGHT, WIDTH), dtype=np.uint8)
        _save(labels, folder / f"labelled/masks/{number}.png")
    for name in ("masks_of_any_tool", "theirs"):
        for number in range(1, 3):
            _save(_photograph(number + 50)[1], folder / name / f"{number:02}_test.png")
    (folder / "list.csv").write_text("path,eye,patient\nphoto.jpg,left,p1\nother.tif,right,p1\n", encoding="utf-8")
    for part in ("model.onnx", "card.json"):
        shutil.copy(SOURCE / "models/vessels" / part, folder / part)


def train(folder: Path, *runs: str) -> None:
    """Train one run on the folder `mine`, put it under every name, and its export in it and beside the data."""
    from foveate.training.after.export import export

    recipe = read_recipe("region-guided-drive", [*SMALL, *SHORT])
    run(recipe, [open_set(f"folder:{folder / 'mine'}")], folder / runs[0])
    export(folder / runs[0], folder / runs[0] / "model.onnx", name="mine", overwrite=False)
    for part in ("model.onnx", "card.json"):
        shutil.copy(folder / runs[0] / part, folder / "mine" / part)
    for other in runs[1:]:
        shutil.copytree(folder / runs[0], folder / other)


def save_encoders(folder: Path, *depths: int) -> None:
    """Weights of residual networks as files, in place of those that would be fetched."""
    from safetensors.torch import save_file

    from foveate.networks import resnet

    for depth in depths:
        save_file(resnet(depth).state_dict(), folder / f"resnet{depth}.safetensors")  # type: ignore[arg-type]


Places = Iterable[tuple[str, ...]]
"""For each case: the photograph's place, its mask's, and where the set has it the field of view's."""


def _drive() -> Places:
    for part, numbers in (("training", (21, 22, 23, 24, 25, 40)), ("test", (1, 2))):
        for n in numbers:
            name = f"{n:02}_{part}"
            yield f"{part}/images/{name}.tif", f"{part}/1st_manual/{n:02}_manual1.gif", f"{part}/mask/{name}_mask.gif"


def _stare() -> Places:
    # The first ten by name are for training.
    for n in range(1, 12):
        yield f"stare-images/im{n:04}.ppm.gz", f"labels-ah/im{n:04}.ah.ppm.gz"
        yield f"stare-images/im{n:04}.ppm.gz", f"labels-vk/im{n:04}.vk.ppm.gz"


def _chase_db1() -> Places:
    for eye in ("04L", "04R", "05L", "05R"):
        yield f"Image_{eye}.jpg", f"Image_{eye}_1stHO.png"
        yield f"Image_{eye}.jpg", f"Image_{eye}_2ndHO.png"


def _hrf() -> Places:
    for name in ("01_h", "02_h", "03_h", "04_h", "06_h"):
        yield f"images/{name}.jpg", f"manual1/{name}.tif", f"mask/{name}_mask.tif"


def _isic2018() -> Places:
    for part, numbers in (("Training", range(4)), ("Validation", range(4, 6)), ("Test", range(6, 8))):
        for name in (f"ISIC_{number:07}" for number in numbers):
            folders = f"ISIC2018_Task1-2_{part}_Input", f"ISIC2018_Task1_{part}_GroundTruth"
            yield f"{folders[0]}/{name}.jpg", f"{folders[1]}/{name}_segmentation.png"


def _lgg() -> Places:
    patients = [f"TCGA_CS_{number}_20010101" for number in range(4941, 4950)]
    chosen = [name for name in patients if split_of(name) == "train"][:3]
    for name in chosen:
        yield f"kaggle_3m/{name}/{name}_1.tif", f"kaggle_3m/{name}/{name}_1_mask.tif"


def _put(places: Places, folder: Path) -> None:
    for seed, names in enumerate(places):
        for values, name in zip(_photograph(sum(map(ord, names[0])) + 1000 * seed), names, strict=False):
            _save(values, folder / name)


def _photograph(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """A bright disc with dark lines across it, height×width×3; the lines and the disc as masks of 0 and 255."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    disc = (y - HEIGHT / 2) ** 2 + (x - WIDTH / 2) ** 2 < (WIDTH / 2 - 3) ** 2
    lines = np.zeros_like(disc)
    for _ in range(5):
        angle, offset = random.uniform(0, np.pi), random.uniform(-20, 20)
        across = (y - HEIGHT / 2) * np.cos(angle) + (x - WIDTH / 2) * np.sin(angle)
        lines |= np.abs(across - offset) < 1.5
    lines &= disc
    light = np.where(lines, 90, 170) + random.normal(0, 6, disc.shape)
    image = np.where(disc, light, 0)[..., None] * (1.2, 0.7, 0.4)
    return image.clip(0, 255).astype(np.uint8), lines * np.uint8(255), disc * np.uint8(255)


def _save(values: NDArray[np.uint8], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = PillowImage.fromarray(values)
    if path.suffix != ".gz":
        picture.save(path)
        return
    plain = io.BytesIO()
    picture.save(plain, "ppm")
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=0))
