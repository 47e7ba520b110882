"""All files that come with pydicom: what its decoders read, with the same pixels; the rest refused in one line."""

from __future__ import annotations

import logging
import re
import warnings
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from foveate.errors import FoveateError
from foveate.imaging import read_photograph
from foveate.imaging.decoding.samples import MIN_SIDE
from foveate.imaging.dicom.header import header_of
from foveate.imaging.dicom.parse import opened
from foveate.imaging.dicom.read import stored_samples

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file() and not path.name.startswith("README"))
PAGE = Path(__file__).resolve().parents[2] / "docs" / "dicom.md"


def by_pydicom(path: Path) -> tuple[str, NDArray[Any] | None]:
    """A file's transfer syntax, and its pixels where pydicom's decoders read them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            dataset = pydicom.dcmread(path, force=True)
            named = dataset.file_meta.get("TransferSyntaxUID")
            return (named.name if named else "none", dataset.pixel_array)
        except Exception:
            return "", None
        finally:
            logging.disable(logging.NOTSET)


def stored(path: Path) -> NDArray[Any]:
    with opened(path) as file:
        header = header_of(file)
        return np.stack([stored_samples(file, header, frame) for frame in range(header.frames)])


@cache
def readable() -> dict[Path, tuple[str, NDArray[Any]]]:
    found = {path: by_pydicom(path) for path in FILES}
    return {path: (syntax, pixels) for path, (syntax, pixels) in found.items() if pixels is not None}


def rows() -> list[str]:
    """The table of the page: a row for each transfer syntax of the files that pydicom's decoders read."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for path, (syntax, pixels) in readable().items():
        counts[syntax][0] += 1
        counts[syntax][1] += np.array_equal(stored(path).reshape(pixels.shape), pixels)
        counts[syntax][2] += is_small(path)
    return [
        f"| {name} | {files} | {equal} | {small or '–'} |" for name, (files, equal, small) in sorted(counts.items())
    ]


def is_small(path: Path) -> bool:
    with opened(path) as file:
        header = header_of(file)
    return min(header.rows, header.columns) < MIN_SIDE


def test_what_pydicoms_decoders_read_is_read_with_the_same_pixels_as_the_page_says() -> None:
    listed = re.findall(r"^\| (?!transfer|---).*\|$", PAGE.read_text(encoding="utf-8").partition("## Checked")[2], re.M)
    assert rows() == listed
    for path, (_, pixels) in readable().items():
        assert np.array_equal(stored(path).reshape(pixels.shape), pixels), path.name
    assert f"{len(readable())} of the {len(FILES)} files" in " ".join(PAGE.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_pydicoms_is_a_photograph_or_refused_in_one_line(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    can = readable()
    capfd.readouterr()  # what pydicom's own decoders said when they were asked
    if path.name == "zipMR.gz" or (path in can and not is_small(path)):
        assert read_photograph(path).pixels.dtype == np.uint8
    else:
        with pytest.raises(FoveateError) as caught:
            read_photograph(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
