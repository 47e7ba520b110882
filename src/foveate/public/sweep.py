"""What `foveate sweep` does, from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.datasets import open_sets
from foveate.errors import needs
from foveate.public.scoring import one_or_more
from foveate.public.train import Listening, listening_to
from foveate.sweeps.read import read_sweep
from foveate.sweeps.space import check_recipes
from foveate.training.processes.place import check_device_name
from foveate.training.run.progress import EpochRow
from foveate.training.run.provenance import command_line

if TYPE_CHECKING:
    from foveate.sweeps.ranking import Ranking


@dataclass(frozen=True, slots=True)
class RankedSweep:
    """A sweep's trials, the best first, and the files that show them."""

    ranking: Ranking
    table: Path
    """sweep.csv"""
    picture: Path
    """sweep.png"""


def sweep(
    sweep: str | Path,
    *,
    data: str | Sequence[str],
    out: str | Path,
    initial: str | Path | None = None,
    storage: str | None = None,
    trials_now: int | None = None,
    device: str = "auto",
    on_epoch: Callable[[EpochRow], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
    listening: Listening | None = None,
    command: str | None = None,
) -> RankedSweep:
    """Train a recipe with many settings into the folder `out`, and rank them; needs the extra `sweep`.

    `sweep` is a shipped sweep's name or a `.toml` file, `data` one or several `"NAME:FOLDER"`; `initial`, `device`,
    `on_epoch`, `listening` and `command` are as of `train`; `storage`, where the trials are written down, and
    `trials_now`, after how many to end, as of the command. `say` gets a sentence for each trial and run. Several
    processes may give the same call, and share the work; after a break it goes on.

    Raises UsageError for what can't be asked for so or where the extra is missing, RecipeError for the sweep's file,
    DataError for a data set, OutputError or TrainingError where the disk is full or the storage fails.
    """
    check_device_name(device)
    with needs("train"):
        from foveate.training.processes.place import chosen_device

        chosen_device(device)  # a wrong one is told before anything is read
    asked = read_sweep(str(sweep))
    check_recipes(asked, str(sweep))
    sets = list(one_or_more(data))
    opened = open_sets(sets)
    with needs("sweep"):
        from foveate.sweeps.storage import hidden
    hidden(storage)  # a wrong address is told before anything is trained
    with needs("train"):
        from foveate.sweeps.work import Work, work_on
    options = {"--out": out, "--from": initial, "--storage": storage, "--device": device}
    words = ["sweep", str(sweep), *(word for name in sets for word in ("--data", name))]
    words += [str(word) for name, value in options.items() if value is not None for word in (name, value)]
    called = command or command_line(words)
    work = Work(asked, Path(out), opened, device, called, initial, say, listening or listening_to(on_epoch))
    work_on(work, storage=storage, at_most=trials_now)
    return sweep_ranking(out, storage=storage)


def sweep_ranking(folder: str | Path, *, storage: str | None = None) -> RankedSweep:
    """The ranking of the sweep in a folder as it is now, also written there as table and picture.

    `storage` may be left out unless its address has a password. Raises UsageError where the folder holds no sweep or
    its storage can't be used, OutputError.
    """
    with needs("sweep"):
        from foveate.sweeps.drawing import draw_sweep
        from foveate.sweeps.place import sweep_in
        from foveate.sweeps.ranking import ranking_of, write_table
    place = Path(folder)
    ranking = ranking_of(place, storage)
    return RankedSweep(ranking, write_table(ranking, place), draw_sweep(ranking, sweep_in(place), place))
