"""The processes of a run, each of which goes through the same loop, and how they speak with each other.

What a process does by itself, it does in `together`: there it may fail or be interrupted, and there alone, as all of
them then end at the same place and with the same error. Between two such calls they speak, which takes every one of
them. Where there is only one process, nothing of this happens.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TypeVar, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, distributed

from foveate.errors import FoveateError, TrainingError, UsageError
from foveate.recipes.schema import TrainingSection
from foveate.training.processes.place import Rank, is_out_of_memory

Result = TypeVar("Result")
Number = TypeVar("Number", bound=np.generic)

PATIENCE = 5.0
"""Seconds in which the first process says what went wrong: `torchrun` ends all of them as soon as one has gone."""


@dataclass(slots=True)
class Signals:
    """Ctrl-C and requests to end, of this process; they wait while the processes speak."""

    interruptible: bool = False
    heard: int = 0
    """The last one's number."""
    raised: KeyboardInterrupt | None = None
    """What came of it; what it interrupted may have made another error of that."""


@dataclass(frozen=True, slots=True)
class Processes:
    """All of a run's processes, as this one sees them."""

    fabric: Fabric
    signals: Signals = field(default_factory=Signals)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.fabric.world_size

    @property
    def rank(self) -> int:
        """Which one this is, from 0."""
        return self.fabric.global_rank

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def together(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, in each process its own; where one fails, all raise the error of the first of those.

        `work` must not speak with other processes.
        """
        if self.count == 1:
            return work()
        result, failure = None, None
        try:
            self.signals.interruptible = True
            if self.signals.heard:
                signal.raise_signal(self.signals.heard)
            result = work()
            self.signals.interruptible = False
        except BaseException as error:  # whatever it is, the others wait to hear of it
            self.signals.interruptible = False
            failure = self.signals.raised or error
        self._settle(failure)
        return cast("Result", result)

    def in_turns(self, work: Callable[[], Result]) -> Result:
        """As `together`, but first in one process of each machine, so that the others find what it leaves on disk."""
        leads = self.fabric.local_rank == 0
        early = self.together(lambda: work() if leads else None)
        late = self.together(lambda: None if leads else work())
        return cast("Result", early if leads else late)

    def by_first(self, work: Callable[[], object]) -> None:
        """Let the first process do it; the others wait, and end with it where it fails."""
        self.together(lambda: work() if self.first else None)

    def from_first(self, value: Result) -> Result:
        """The first process's value, in all of them; those of the others don't matter."""
        return self._broadcast(value, 0) if self.count > 1 else value

    def of_each(self, value: Result) -> list[Result]:
        """The values of all processes, in their order, in all of them."""
        return [self._broadcast(value, rank) for rank in range(self.count)] if self.count > 1 else [value]

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place; `values` has the same shape in each of them."""
        if self.count > 1:
            with _while_all_live():
                distributed.all_reduce(values)
        return values

    def sum_of_arrays(self, values: NDArray[Number]) -> NDArray[Number]:
        """As `sum`; alone, nothing goes to the device, which may not have all types of numbers."""
        if self.count == 1:
            return values
        total: NDArray[Number] = self.sum(torch.from_numpy(values).to(self.fabric.device)).cpu().numpy()
        return total

    def _settle(self, failure: BaseException | None) -> None:
        """Raise the error of the first process that has one."""
        # Each says its number if it has an error, else one that none has: the least of them names who tells the others.
        # All go through the same calls whether or not they have failed, so that none waits for one that is gone.
        failing = torch.tensor(self.rank if failure else self.count, device=self.fabric.device)
        with _while_all_live():
            distributed.all_reduce(failing, distributed.ReduceOp.MIN)
        number = int(failing)
        if number == self.count:
            return
        told = self._broadcast(_as_told(failure, self.rank), number)
        if failure and number == self.rank:
            raise failure
        raise told from failure

    def _broadcast(self, value: Any, source: int) -> Any:
        values = [value if self.rank == source else None]
        with _while_all_live():
            distributed.broadcast_object_list(values, source)
        return values[0]


def _as_told(failure: BaseException | None, rank: int) -> BaseException | None:
    """What other processes raise; where memory ran out in one of them, each looks for what would fit."""
    if failure is None or isinstance(failure, FoveateError | KeyboardInterrupt):
        return failure
    if isinstance(failure, RuntimeError) and is_out_of_memory(failure):
        return failure
    first_line = str(failure).partition("\n")[0]
    return TrainingError(f"process {rank} failed: {type(failure).__name__}: {first_line}")


@contextmanager
def _while_all_live() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            "another of the run's processes has been ended. If an epoch was done, go on with --resume."
        ) from error


@contextmanager
def launched(device: torch.device, precision: str, options: TrainingSection, rank: Rank) -> Iterator[Processes]:
    """Bring the run's processes together, each on its device.

    Raises UsageError where there are fewer devices than processes, the batch can't be shared out, or the processes
    would compute in different precisions.
    """
    if options.batch % rank.count:
        raise UsageError(
            f"training.batch = {options.batch} can't be shared out equally among {rank.count} processes."
            f" Take a multiple of {rank.count}: the batch is that of all of them together."
        )
    fabric = _fabric(device, precision, rank)
    processes = Processes(fabric)
    if rank.count == 1:
        yield processes
        return
    with _while_all_live():
        fabric.launch()
    with _signals_wait(processes.signals):
        try:
            _check_same_precision(processes, precision)
            yield processes
        except BaseException:  # whatever it is, it is raised on
            if not processes.first:
                _let_the_first_speak(processes.signals)
            raise
        finally:
            # Gloo's threads may still hold tensors, and one that frees them while Python shuts down aborts the process.
            distributed.destroy_process_group()


def _check_same_precision(processes: Processes, precision: str) -> None:
    """UsageError where `auto` means one thing on one machine and another on the next."""
    halves = processes.sum(torch.tensor(int(precision != "32-true"), device=processes.fabric.device))
    if int(halves) not in (0, processes.count):
        raise UsageError("training.precision = 'auto' differs between the machines. Set bf16-mixed or 32-true.")


def _fabric(device: torch.device, precision: Any, rank: Rank) -> Fabric:
    accelerator = device.type
    if rank.count > 1 and (device.index is not None or accelerator == "mps"):
        raise UsageError(f"--device {device}: of several processes each takes a device of its own. Use cuda or cpu.")
    if accelerator == "cuda" and rank.per_machine > torch.cuda.device_count():
        raise UsageError(
            f"{rank.per_machine} processes need a GPU each, and here are {torch.cuda.device_count()}."
            " Start fewer, or use --device cpu."
        )
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells on stderr what a recipe has asked for
    if rank.count == 1:
        devices = 1 if device.index is None else [device.index]
        return Fabric(accelerator=accelerator, devices=devices, precision=precision)
    machines = rank.count // rank.per_machine
    return Fabric(
        accelerator=accelerator, devices=rank.per_machine, num_nodes=machines, strategy="ddp", precision=precision
    )


@contextmanager
def _signals_wait(signals: Signals) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM do what they did before, but not while the processes speak with each other."""

    def hear(number: int, frame: FrameType | None) -> None:
        signals.heard = number
        if signals.interruptible:
            signals.interruptible = False
            handler = before[signal.Signals(number)]
            try:
                if callable(handler):
                    handler(number, frame)
                raise KeyboardInterrupt
            except KeyboardInterrupt as stop:
                signals.raised = stop
                raise

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _let_the_first_speak(signals: Signals) -> None:
    end = time.monotonic() + PATIENCE
    while not signals.heard and time.monotonic() < end:
        time.sleep(0.05)
