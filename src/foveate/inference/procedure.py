"""What is done beyond one pass through the network: several views of the image, and work on the masks."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
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
    """All of it is off unless asked for, but for the `min_size` of a model's card."""

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
        """The post-processing that was asked for, in words: every option, in the order of application."""
        plain = PostProcessing()
        chosen = [(option.name, getattr(self.post_processing, option.name)) for option in fields(plain)]
        on = [name if value is True else f"{name} {value}" for name, value in chosen if value != getattr(plain, name)]
        return ", ".join(on) or "none"

    def steps_with(self, card: ModelCard) -> str:
        """All that is done by a model, in words: what was asked for, and what its card adds."""
        if not self._is_the_cards(card):
            return self.steps
        own = f"min_size {card.min_size} at the working size (the model's)"
        return own if self.steps == "none" else f"{self.steps}, {own}"

    def post_processing_of(self, card: ModelCard, diameter: float) -> PostProcessing:
        """The options for a photograph whose FOV has that diameter."""
        if not self._is_the_cards(card):
            return self.post_processing
        return replace(self.post_processing, min_size=card.preparation.photograph_pixels(card.min_size, diameter))

    def _is_the_cards(self, card: ModelCard) -> bool:
        return self.post_processing.min_size is None and card.min_size > 1

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
        options = self.post_processing_of(card, fov.diameter)
        if options != PostProcessing():
            effective = decisive(probabilities, classes)
            masks = postprocess(masks, effective, fov.mask, card.thresholds, options, exclusive=classes.exclusive)
        return masks, probabilities, spread
