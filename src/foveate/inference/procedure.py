"""What is done beyond one pass through the network: several views of the image, and work on the masks."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

from foveate.arrays.augmented import predict_augmented
from foveate.arrays.decide import decide, decisive
from foveate.arrays.postprocess import PostProcessing, postprocess
from foveate.arrays.prepare import Network, predict
from foveate.errors import UsageError
from foveate.metrics.confidence import expected_f1

if TYPE_CHECKING:
    from foveate.arrays.fov import FieldOfView
    from foveate.arrays.prepare import Preparation
    from foveate.models import ModelCard
    from foveate.records import Image, Mask, Masks, Probabilities


SLICES_AT_ONE_SIZE = "--surest-size would show the slices of a volume at different sizes; leave it out."
"""Why a volume is refused."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """All of it is off unless asked for, but for the `min_size` of a model's card."""

    views: Literal[1, 2, 4, 8] = 1
    """How many flips and turns of the image the probabilities are the mean of."""
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    surest_size: bool = False
    """Whether smaller working sizes are tried, too, and the one kept at which the model is surest: at which its mask
    has the highest expected F1."""

    def __post_init__(self) -> None:
        if isinstance(self.views, bool) or self.views not in (1, 2, 4, 8):
            raise UsageError(f"tta {self.views!r}: is no number of views. Use 1, 2, 4 or 8.")

    @property
    def passes(self) -> str:
        """Views and sizes in words."""
        kinds = {2: "left and right", 4: "flips", 8: "flips and quarter turns"}
        views = "one forward pass" if self.views == 1 else f"mean of {self.views} views ({kinds[self.views]})"
        return f"{views} at the working size of which the model is surest" if self.surest_size else views

    def check_goes_with(self, card: ModelCard) -> None:
        """Raise UsageError for what doesn't go with a model."""
        self.post_processing.check_thresholds(card.thresholds)
        if self.surest_size and card.preparation.working_minimum == card.preparation.working_maximum:
            raise UsageError(
                f"--surest-size: the model '{card.name}' is shown every image at one size,"
                f" {card.preparation.working_sizes} pixels; leave it out."
            )

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

        classes = card.told_apart

        def shown(preparation: Preparation) -> tuple[Masks, Probabilities, Probabilities | None]:
            def once(view: Image, inside: FieldOfView) -> Probabilities:
                return predict(view, inside, network, preparation, len(card.classes), threads=threads)

            probabilities, spread = (
                (once(image, fov), None) if self.views == 1 else predict_augmented(image, fov, once, self.views)
            )
            masks = decide(probabilities, classes, card.thresholds)
            masks &= fov.mask
            return masks, probabilities, spread

        if self.surest_size:
            every = map(shown, card.preparation.smaller(fov.diameter))
            masks, probabilities, spread = max(every, key=lambda one: _sureness(one[0], one[1], fov.mask))
        else:
            masks, probabilities, spread = shown(card.preparation)
        options = self.post_processing_of(card, fov.diameter)
        if options != PostProcessing():
            effective = decisive(probabilities, classes)
            masks = postprocess(masks, effective, fov.mask, card.thresholds, options, exclusive=classes.exclusive)
        return masks, probabilities, spread


def _sureness(masks: Masks, probabilities: Probabilities, within: Mask) -> float:
    """Expected F1, in the sum of the classes; 0 of one that is nowhere."""
    expected = [expected_f1(plane, mask, within) for mask, plane in zip(masks, probabilities, strict=True)]
    return sum(each.value for each in expected if each is not None)
