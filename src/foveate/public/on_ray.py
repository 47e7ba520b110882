"""`foveate.segment` with `engine="ray"`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from foveate.inference import Procedure, Segmenter
    from foveate.inference.cluster.call import ClusterCall
    from foveate.inference.cluster.connection import Cluster
    from foveate.inference.large.limits import Limits
    from foveate.inference.listing.shard import Shard
    from foveate.inference.sink import Outcome, Wanted
    from foveate.inference.source import SourceItem
    from foveate.models import Model, ModelCard
    from foveate.runtime import Execution, Wish


@dataclass(frozen=True)
class OnRay:
    """A call, as far as it is the same for every engine."""

    items: list[SourceItem]
    wanted: Wanted
    out: Path | str
    """A str is an address."""
    shard: Shard
    limits: Limits
    address: str | None
    """Of the cluster; None for one on this machine that begins and ends with the call."""
    seg: bool
    """Whether DICOM SEG are asked for."""

    def segmented(
        self,
        engine: str,
        model: str | Path | Segmenter,
        wish: Wish,
        procedure: Procedure,
        *,
        on_image: Callable[[Outcome], None] | None,
        on_start: Callable[[str], None] | None,
    ) -> list[Outcome]:
        """What became of each image, in order. Raises as `foveate.segment` does."""
        from dataclasses import replace

        from foveate.errors import needs
        from foveate.inference.cluster.sent import sent
        from foveate.public.load import opened_model

        named = self._named(engine, model)
        items = [sent(item) for item in self.items]
        execution, verified = self._execution(wish), opened_model(named)
        procedure.post_processing.check_thresholds(verified.card.thresholds)
        with needs("ray", "--engine ray"):
            from foveate.inference.cluster.engine import run_on_cluster

            outcomes: dict[int, Outcome] = {}
            common: dict[tuple[str, ...], tuple[str, ...]] = {}

            def started(cluster: Cluster) -> None:
                if on_start is not None:
                    on_start(f"{in_words(verified.card, execution)}; {cluster}")
                    if self.wanted.confidence:
                        on_start(confidence_in_words(verified.card))

            call = self._call(verified, execution, procedure)
            coming = run_on_cluster(items, call, address=self.address, on_start=started)
            del call  # the paths of all images once more, which are kept only until they are sent
            for number, outcome in coming:
                # What came by itself holds texts of its own, that others have, too.
                notes = common.setdefault(outcome.notes, outcome.notes)
                outcomes[number] = replace(outcome, key=items[number].key, notes=notes)
                if on_image is not None:
                    on_image(outcome)
        return [outcome for _, outcome in sorted(outcomes.items(), key=lambda each: each[0])]

    def _named(self, engine: str, model: str | Path | Segmenter) -> str | Path:
        from foveate.errors import UsageError, unknown
        from foveate.inference import Segmenter

        if engine != "ray":
            raise UsageError(unknown("engine", engine, ["local", "ray"]))
        if isinstance(model, Segmenter):
            raise UsageError("--engine ray opens the model on each machine: name it, and leave out foveate.load.")
        if self.seg:
            raise UsageError("--dicom-seg and --store need whole series in one process: leave out --engine.")
        return model

    def _execution(self, wish: Wish) -> Execution:
        """The same on every machine, so that masks are."""
        from dataclasses import replace

        from foveate.errors import UsageError
        from foveate.runtime import chosen

        execution = chosen(wish, images=len(self.items))
        if execution.backend == "torch":
            raise UsageError("--engine ray runs model files: `foveate export` makes one of a run; leave out --backend.")
        return replace(execution, threads=execution.threads or 1)

    def _call(self, model: Model, execution: Execution, procedure: Procedure) -> ClusterCall:
        from pathlib import Path

        from foveate.inference.cluster.call import ClusterCall, Destination
        from foveate.inference.cluster.sent import refuse_secrets
        from foveate.inference.record import readable

        destination = None
        if isinstance(self.out, str):
            refuse_secrets(self.out)
            names = frozenset(readable(item.name) for item in self.items)
            destination = Destination(self.out, self.shard.part, names, frozenset(item.key for item in self.items))
        files = frozenset(item.place for item in self.items if item.place is not None)
        return ClusterCall(model, execution, procedure, self.limits, self.wanted, destination, files, Path.cwd())


def in_words(card: ModelCard, execution: Execution) -> str:
    """A model and what runs it, on a line."""
    thresholds = ", ".join(f"{value:.3f}" for value in card.thresholds)
    return f"{card.name}, threshold {thresholds}, chosen on {card.threshold_from}; {execution}"


def confidence_in_words(card: ModelCard) -> str:
    """What the model's expected F1 goes by, and where that ends, on a line."""
    if card.trust is None:
        return "expected F1: by the model's own probabilities, which mostly promise too much"
    return (
        f"expected F1: corrected by {card.trust.images} validation images; of other cameras, and beside masks drawn by"
        " others, it may be far too high"
    )
