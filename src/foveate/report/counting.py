"""How often which class was called which, over a data set whose classes exclude each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foveate.pictures import label_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foveate.evaluation import Prediction
    from foveate.records import Case, Mask


@dataclass(slots=True, eq=False)
class LabelCounts:
    """Sums over images."""

    matrices: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """By which pixels were counted, in words: (K+1)×(K+1), rows are the truth, background first. Empty before the first
    image."""

    def add(self, case: Case, prediction: Prediction) -> None:
        """Count one image, in place."""
        for title, within in (("inside the field of view", counted_in(case, prediction)), ("whole image", None)):
            counts = label_counts(prediction.masks, case.masks, within)
            self.matrices[title] = self.matrices[title] + counts if title in self.matrices else counts


def counted_in(case: Case, prediction: Prediction) -> Mask:
    """The field of view that an evaluation counts in: the set's own, else the prediction's."""
    return prediction.fov if case.fov is None else case.fov
