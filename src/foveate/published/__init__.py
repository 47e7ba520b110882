"""What papers printed of their scores, how many pixels the public sets have, and whether a printed row can be true."""

from foveate.published.rows import PublishedRow, rows

__all__ = ["PublishedRow", "rows"]
