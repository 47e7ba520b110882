"""What may be done beyond one pass through the network: several views of the image, and work on the masks."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal

from foveate.arrays.augmented import predict_augmented
from foveate.arrays.decide import decide, decisive
from foveate.arrays.postprocess import PostProcessing, postprocess
from foveate.arrays.prepare import Network, predict
from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.arrays.fov import FieldOfView
    from foveate.models import ModelCard
    from foveate.records import Image, Masks, Probabilities


@dataclass(frozen=True, slots=True)
class Procedure:
    """All of it is off unless asked for."""

    views: Literal[1, 2, 4, 8] = 1
    """How many flips and turns of the image the probabilities are the mean of."""
    post_processing: PostProcessing = field(default_factory=PostProcessing)

    def __post_init__(self) -> None:
        if isinstance(self.views, bool) or self.views not in (1, 2, 4, 8):
            raise UsageError(f"tta {self.views!r}: is no number of views. Use 1, 2, 4 or 8.")

    @property
    def passes(self) -> str:
        """The views in words."""
        kinds = {2: "left and right", 4: "flips", 8: "flips and quarter turns"}
        return "one forward pass" if self.views == 1 else f"mean of {self.views} views ({kinds[self.views]})"

    @property
    def steps(self) -> str:
        """The post-processing in words: every option that is on, in the order of application."""
        plain = PostProcessing()
        chosen = [(option.name, getattr(self.post_processing, option.name)) for option in fields(plain)]
        on = [name if value is True else f"{name} {value}" for name, value in chosen if value != getattr(plain, name)]
        return ", ".join(on) or "none"

    def carry_out(
        self, image: Image, fov: FieldOfView, network: Network, card: ModelCard, *, threads: int = 1
    ) -> tuple[Masks, Probabilities, Probabilities | None]:
        """Masks, probabilities and, of several views, the standard deviation of these, all K×H×W, of an image H×W×3."""

        def once(view: Image, inside: FieldOfView) -> Probabilities:
            return predict(view, inside, network, card.preparation, len(card.classes), threads=threads)

        spread = None
        if self.views == 1:
            probabilities = once(image, fov)
        else:
            probabilities, spread = predict_augmented(image, fov, once, self.views)
        classes = card.told_apart
        masks = decide(probabilities, classes, card.thresholds)
        masks &= fov.mask
        if self.post_processing != PostProcessing():
            effective = decisive(probabilities, classes)
            masks = postprocess(
                masks, effective, fov.mask, card.thresholds, self.post_processing, exclusive=classes.exclusive
            )
        return masks, probabilities, spread
