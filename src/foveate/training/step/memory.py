"""When memory runs out: which batch would fit, found by trying half of it again and again."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch

from foveate.recipes.schema import TrainingSection


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch says so, of a GPU or of the main memory."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(error)


def advice(options: TrainingSection, probe: Callable[[int], None], processes: int = 1) -> str:
    """What to say after a step that did not fit: a batch that does, and how to keep the size of a step."""
    too_much = f"a batch of {options.batch} crops of {options.crop}×{options.crop} pixels does not fit into memory"
    size = fitting(options.batch // processes, probe) * processes
    if not size:
        return f"{too_much}, nor does a single one. Lower training.crop, or choose a smaller network."
    batches = -(-options.crops_per_step // size)
    return f"{too_much}; {size} would. Begin again with training.batch={size} training.accumulate={batches}."


def fitting(size: int, probe: Callable[[int], None]) -> int:
    """The largest of size / 2, size / 4, … that `probe` can be called with; 0 where there is none."""
    while size := size // 2:
        gc.collect()
        torch.cuda.empty_cache()
        try:
            probe(size)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        else:
            return size
    return 0
