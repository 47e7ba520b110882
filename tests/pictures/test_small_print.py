"""What stands under every figure can be read, and none of it is cut."""

import pytest

from foveate.pictures.counted import counted
from foveate.pictures.figure import new_figure
from known_reports import report_of


@pytest.mark.parametrize("width", [4.2, 5.0, 9.0])
def test_the_small_print_is_large_enough_to_read_and_stays_in_the_figure(width: float) -> None:
    figure = new_figure(width, 3.0, counted([report_of("a model with a rather long name", 1)], "fov", "all images"))
    (note,) = (text for text in figure.texts if text.get_gid() == "small-print")
    # 10 pixels of a browser, of which there are 96 to an inch as there are 72 points.
    assert float(note.get_fontsize()) * 96 / 72 >= 10
    figure.draw_without_rendering()
    extent, page = note.get_window_extent(), figure.bbox
    assert extent.x0 >= page.x0
    assert extent.x1 <= page.x1
    assert extent.y0 >= page.y0
    room = extent.y1 - page.y0
    assert room <= page.height - 3.0 * figure.dpi
