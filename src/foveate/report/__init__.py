"""An evaluation as one HTML page that opens from disk: no network, everything inside.

`page` puts it together from one `Part` for each data set; `shown` makes the images that a reader looks into.
"""

from foveate.report.figures import Drawn, figures
from foveate.report.images import Shown, chosen
from foveate.report.page import Part, page
from foveate.report.viewer import viewer

__all__ = ["Drawn", "Part", "Shown", "chosen", "figures", "page", "viewer"]
