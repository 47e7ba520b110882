"""How a recipe's images are brought to its network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from foveate.arrays.fov import FieldOfView
from foveate.arrays.prepare import Preparation, WorkingSize, prepare_mask
from foveate.errors import DataError
from foveate.recipes.schema import DataSection
from foveate.records import Case, CaseEntry


def preparation_of(data: DataSection) -> Preparation:
    """The recipe's section as what `arrays.prepare` goes by."""
    return Preparation(WorkingSize(data.working_minimum, data.working_maximum), data.fov, data.channels, data.clahe)


def looked_at(entry: CaseEntry, preparation: Preparation) -> tuple[Case, FieldOfView]:
    """Read a case, without a second observer's masks, and find its FOV. Raises DataError for an image without one."""
    case = replace(entry.load(), second_masks=None)
    fov = preparation.view(case.image)
    if not fov.diameter:
        raise DataError(f"{case.id}: {fov.note}. Take it out of the training part.")
    return case, fov


def prepared(entry: CaseEntry, preparation: Preparation) -> Tensor:
    """What training draws its crops from: (C + K + 1)×H×W uint8 as in `samples.py`. Raises DataError likewise."""
    case, fov = looked_at(entry, preparation)
    frame = preparation.frame(fov)
    counted = fov if case.fov is None else FieldOfView.of_mask(case.fov & fov.mask)
    planes = [np.round(255 * prepare_mask(mask, frame)).astype(np.uint8) for mask in (*case.masks, counted.mask)]
    pixels = preparation.pixels(case.image, fov, frame).transpose(2, 0, 1)
    return torch.from_numpy(np.concatenate((pixels, np.stack(planes))))
