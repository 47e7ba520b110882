"""The one rule for links: what a page's relative link leads to in the repository, it leads to in the site.

A page of the site is there under its place; any other file of the repository is copied, to be shown or downloaded.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path, PurePosixPath

from site_pages.places import Places, place_of_file

CODE = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")
"""Of a link or a picture: the path of a file, and the place in it; no address, and nothing in the same page."""


class DeadLinkError(Exception):
    """A page links to a file that the repository hasn't, or to a folder."""


def in_the_site(text: str, page: PurePosixPath, places: Places, root: Path) -> tuple[str, dict[Path, PurePosixPath]]:
    """The page's text with every relative link as the site needs it, and the files that are to be copied to where.

    `page` is its path in the repository `root`. Raises DeadLinkError.
    """
    files: dict[Path, PurePosixPath] = {}

    def led(match: re.Match[str]) -> str:
        target = PurePosixPath(os.path.normpath(page.parent / match[1]))
        place = places.get(target)
        if place is None:
            if not (root / target).is_file():
                raise DeadLinkError(f"{page}: links to {match[1]}, which is no file of the repository")
            place = files[root / target] = place_of_file(target)
        return relative(place, places[page]) + (match[2] or "")

    parts = CODE.split(text)
    return "".join(part if number % 2 else TARGET.sub(led, part) for number, part in enumerate(parts)), files


def relative(place: PurePosixPath, page: PurePosixPath) -> str:
    """The way from a page to another place of the site."""
    return PurePosixPath(os.path.relpath(place, page.parent)).as_posix()
