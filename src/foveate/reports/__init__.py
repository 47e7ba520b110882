"""An evaluation as one HTML page that opens from disk: no network, everything inside.

`page` puts it together from one `SetSection` for each data set; `shown` makes the images that a reader looks into.
"""

from foveate.reports.figures import DrawnFigure, figures
from foveate.reports.images import ShownImage, chosen
from foveate.reports.page import SetSection, page
from foveate.reports.viewer import viewer

__all__ = ["DrawnFigure", "SetSection", "ShownImage", "chosen", "figures", "page", "viewer"]
