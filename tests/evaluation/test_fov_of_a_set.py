"""Whether a folder shows eyes, on real photographs of eyes, skin and brains that are listed as one's own."""

from pathlib import Path

import pytest

from foveate.datasets import open_set
from foveate.evaluation import shows_eyes


@pytest.mark.parametrize(
    "pattern",
    [
        "ARIA/images/*.jpg|ARIA/vessels/*.png",
        "ORVS/test/images/*.jpg|ORVS/test/vessels/*.png",
        "CHASE_DB1/Image_*.jpg|CHASE_DB1/Image_*_1stHO.png",
    ],
)
def test_folders_of_fundus_photographs_show_eyes(pattern: str, shared_data: Path) -> None:
    images, masks = (shared_data / each for each in pattern.split("|"))
    assert shows_eyes(open_set(f"folder:{images}|{masks}").entries)


@pytest.mark.parametrize(("name", "folder"), [("isic2018", "ISIC2018"), ("lgg", "LGG")])
def test_photographs_of_skin_and_slices_of_brains_show_none(name: str, folder: str, shared_data: Path) -> None:
    assert not shows_eyes(open_set(f"{name}:{shared_data / folder}").entries)
