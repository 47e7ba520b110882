"""How often which class was called which, over a data set whose classes exclude each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foveate.pictures import label_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foveate.evaluation import Counting, Prediction
    from foveate.records import Case


@dataclass(slots=True, eq=False)
class LabelCounts:
    """Sums over images."""

    counting: Counting
    inside: NDArray[np.int64] | None = None
    """(K+1)×(K+1), inside the field of view: rows are the truth, background first. None before the first image."""
    everywhere: NDArray[np.int64] | None = None
    """The same over all pixels."""

    def add(self, case: Case, prediction: Prediction) -> None:
        """Count one image, in place."""
        within, _ = self.counting.within(case)
        inside = label_counts(prediction.masks, case.masks, within)
        everywhere = label_counts(prediction.masks, case.masks, None)
        self.inside = inside if self.inside is None else self.inside + inside
        self.everywhere = everywhere if self.everywhere is None else self.everywhere + everywhere

    @property
    def matrices(self) -> dict[str, NDArray[np.int64]]:
        """By which pixels were counted, in words; all of them alone where none lies outside the field of view."""
        if self.inside is None or self.everywhere is None:
            return {}
        if (self.inside == self.everywhere).all():
            return {"whole image": self.everywhere}
        return {"inside the field of view": self.inside, "whole image": self.everywhere}
