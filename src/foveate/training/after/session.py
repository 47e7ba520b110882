"""A run's weights as a session of PyTorch: on a GPU, or where the exported file isn't wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from foveate.errors import ModelError, UsageError
from foveate.runtime import Execution
from foveate.runtime.outputs import checked, failed
from foveate.training.after.validation import Exportable
from foveate.training.processes.place import chosen_device, fast_in_bf16
from foveate.training.run.folder import BEST
from foveate.training.run.tensors import load_weights


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TorchSession:
    """A `Session`. It pickles: another process loads the run's weights again."""

    run_folder: Path
    model: Exportable
    device: torch.device
    execution: Execution

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels N×C×H×W (float32, 0 to 255) to probabilities N×K×H×W (0 to 1). Raises ModelError where it fails."""
        half = torch.autocast(self.device.type, torch.bfloat16, enabled=self.execution.precision == "bf16")
        try:
            with torch.inference_mode(), half:
                pixels = torch.from_numpy(batch).to(self.device, memory_format=torch.channels_last)
                output = self.model(pixels).float().cpu().numpy()
        except RuntimeError as error:
            raise ModelError(f"{self.run_folder}: {failed(error, batch.shape)}") from error
        return checked(output, batch, None, str(self.run_folder))

    def __reduce__(self) -> tuple[Callable[..., TorchSession], tuple[object, ...]]:
        return open_in_torch, (self.run_folder, self.execution)


def open_in_torch(run: Path, execution: Execution) -> TorchSession:
    """The best weights of a run's folder on a device. Raises UsageError for a device or precision that isn't here."""
    if execution.device not in ("cpu", "cuda", "mps"):
        raise UsageError(f"device {execution.device}: --backend torch has cpu, cuda and mps.")
    device = chosen_device(execution.device)
    if execution.precision == "bf16" and not fast_in_bf16(device):
        raise UsageError(f"precision bf16: this {device.type} has no instructions for it. Use f32, or auto.")
    if execution.threads:
        torch.set_num_threads(execution.threads)
    network, facts = load_weights(run / BEST)
    model = Exportable(network, facts.mean, facts.deviation, facts.told_apart).eval()
    return TorchSession(run, model.to(device), device, execution)
