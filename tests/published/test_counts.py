"""The checked-in numbers of pixels, against the sets themselves and against those in mlscorecheck."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foveate.datasets import open_set
from foveate.published.counts import SPLITS, TITLES, image_sets
from foveate.records import Scope


@pytest.mark.parametrize(
    ("name", "folder"),
    [("drive", "DRIVE"), ("stare", "STARE"), ("chase_db1", "CHASE_DB1"), ("hrf", "HRF_half")],
)
def test_the_table_has_the_numbers_of_the_images(shared_data: Path, name: str, folder: str) -> None:
    data = open_set(f"{name}:{shared_data / folder}")
    images = {image.id: image for split in image_sets(name) for image in split.images}
    listed = [entry for entry in data.entries if entry.id in images]
    assert len(listed) == len(images) == len(data.split("all" if "all" in SPLITS[name] else "test"))
    for entry in listed[:: 1 if name == "drive" else 5]:
        case, image = entry.load(), images[entry.id]
        assert case.fov is not None
        height, width = case.mask.shape
        vessels = case.mask.astype(int)
        assert image.split == entry.split
        assert image.counted("image") == (vessels.sum(), height * width - vessels.sum())
        assert sum(image.counted("fov")) == case.fov.astype(int).sum()
        assert image.counted("fov")[0] == (vessels * case.fov).sum()


def library_counts(images: list[dict[str, Any]]) -> tuple[int, int]:
    return sum(image["p"] for image in images), sum(image["n"] for image in images)


def test_the_library_knows_the_same_numbers_of_drive_stare_and_chase_db1() -> None:
    experiments = pytest.importorskip("mlscorecheck").experiments.get_experiment
    drive = experiments("retina.drive")
    scopes: dict[Scope, str] = {"fov": "fov", "image": "all"}
    for scope, word in scopes.items():
        assert image_sets("drive")[0].counted(scope) == library_counts(drive[(1, word)]["test"]["images"])
    assert image_sets("stare")[1].counted("image") == library_counts(experiments("retina.stare")["ah"]["images"])
    chase = experiments("retina.chase_db1")["manual1"]["images"]
    assert image_sets("chase_db1")[1].counted("image") == library_counts(chase)


def test_half_size_keeps_the_share_of_vessels_in_hrf() -> None:
    hrf = pytest.importorskip("mlscorecheck").experiments.get_experiment("retina.hrf")
    scopes: dict[Scope, str] = {"fov": "fov", "image": "all"}
    for scope, word in scopes.items():
        vessels, rest = library_counts(hrf[word]["images"])
        # Three of the 45 masks come from artery and vein labels instead of the set's own.
        assert float(image_sets("hrf")[1].share(scope)) == pytest.approx(vessels / (vessels + rest), rel=1e-3)


def test_a_set_that_was_not_counted_has_no_images() -> None:
    assert image_sets("lgg") == ()
    assert set(SPLITS) == set(TITLES)
