"""Whether a folder shows eyes, on real photographs of eyes, skin and brains that are listed as one's own."""

from pathlib import Path

import pytest

from foveate.datasets import open_set
from foveate.evaluation import shows_eyes


@pytest.mark.parametrize(
    ("pattern", "eyes"),
    [
        ("ARIA/images/*.jpg|ARIA/vessels/*.png", True),
        ("ORVS/test/images/*.jpg|ORVS/test/vessels/*.png", True),
        ("CHASE_DB1/Image_*.jpg|CHASE_DB1/Image_*_1stHO.png", True),
        (
            "ISIC2018/ISIC2018_Task1-2_Training_Input/*.jpg|"
            "ISIC2018/ISIC2018_Task1_Training_GroundTruth/*_segmentation.png",
            False,
        ),
    ],
)
def test_a_folder_of_fundus_photographs_is_told_from_one_of_skin_or_brains(
    pattern: str, eyes: bool, shared_data: Path
) -> None:
    images, masks = (shared_data / each for each in pattern.split("|"))
    assert shows_eyes(open_set(f"folder:{images}|{masks}").entries) == eyes


def test_slices_of_brains_show_no_eyes(shared_data: Path) -> None:
    assert not shows_eyes(open_set(f"lgg:{shared_data / 'LGG'}").entries)
