"""What every process on a cluster is told once: the model, and where results go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import UsageError
from foveate.inference.large.limits import Limits
from foveate.inference.procedure import Procedure
from foveate.inference.segmenter import Segmenter
from foveate.inference.sink import Wanted
from foveate.models import Model
from foveate.runtime import Execution


@dataclass(frozen=True, slots=True)
class Destination:
    """An address to which results go."""

    address: str
    part: str
    """Of the record there."""
    names: frozenset[str]
    """Of the results of the call."""
    inputs: frozenset[str]
    """Keys of its images."""


@dataclass(frozen=True, slots=True)
class ClusterCall:
    """Of one call."""

    model: Model
    """Verified, with its bytes: other machines needn't have the file."""
    execution: Execution
    """Its threads are the cores of each process."""
    procedure: Procedure
    limits: Limits
    wanted: Wanted
    destination: Destination | None
    """None where results go to the folder that is wanted."""
    inputs: frozenset[Path]
    """Files of the call, none of which a result may replace."""
    directory: Path
    """From which the call's paths count."""

    def segmenter(self) -> Segmenter:
        """A session of its own. Raises UsageError and ModelError."""
        return Segmenter.of(self.model, execution=self.execution, procedure=self.procedure)

    def enter(self) -> None:
        """Have paths mean in this process what they mean for the call. Raises UsageError where they can't."""
        if self.destination is not None and not self.inputs:
            return
        try:
            os.chdir(self.directory)
        except OSError as error:
            raise UsageError(
                f"{self.directory}: a machine of the cluster doesn't have this folder ({error.strerror}), from which"
                " the call's paths count. Work on a disk that all machines share, or with addresses."
            ) from error
