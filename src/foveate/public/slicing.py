"""How volumes are taken apart, in the words of `foveate segment`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.imaging.nifti.planes import Plane
    from foveate.imaging.nifti.volume import Slicing


def slicing_of(plane: Plane, channels: Sequence[str], window: tuple[float, float] | None) -> Slicing | None:
    """None where nothing is asked for. Raises UsageError for what can't be done, and where the extra `nifti` lacks."""
    from foveate.errors import needs

    if plane == "axial" and not channels and window is None:
        return None
    with needs("nifti", "reading NIfTI"):
        from foveate.imaging.nifti.volume import Slicing
    return Slicing(plane, tuple(channels), window)


def window_in(text: str | None) -> tuple[float, float] | None:
    """Of LOW,HIGH. Raises UsageError for what isn't two numbers."""
    from foveate.errors import UsageError

    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--window '{text}': is no window: write LOW,HIGH, such as 0,1200.") from error
    return low, high
