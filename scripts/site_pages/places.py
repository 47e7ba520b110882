"""Where a page of the repository stands in the site, and which pages there are."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

OF_THE_PROJECT = {
    "README.md": "overview.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages outside of docs/, and their places in the site."""

Places = dict[PurePosixPath, PurePosixPath]
"""A page's path in the repository to its path in the site."""


def places(root: Path = ROOT) -> Places:
    """Every page of the repository that is one of the site: those above, and all of docs/."""
    pages = sorted(path.relative_to(root) for path in (root / "docs").rglob("*.md"))
    project = {PurePosixPath(page): PurePosixPath(place) for page, place in OF_THE_PROJECT.items()}
    return project | {PurePosixPath(page): _place(PurePosixPath(*page.parts[1:])) for page in pages}


def place_of_file(file: PurePosixPath) -> PurePosixPath:
    """Where a file that is no page lies, so that the site's pages can show it or hand it over."""
    return PurePosixPath(*file.parts[1:]) if file.parts[0] == "docs" else PurePosixPath("files", file)


def _place(page: PurePosixPath) -> PurePosixPath:
    """A folder's README, which a code host shows for the folder, is its index here."""
    return page.with_name("index.md") if page.name == "README.md" else page
