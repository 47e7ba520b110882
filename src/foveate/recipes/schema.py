"""Every key of a recipe with its default, its bounds and, where its name does not say it, what it does."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from foveate.arrays.prepare import Preparation
from foveate.errors import UsageError
from foveate.networks.registry import entry_of, variant_options
from foveate.networks.registry.catalogue import catalogue
from foveate.networks.registry.options import DATA_OPTIONS, OptionValue, check_options

Positive = Annotated[float, Field(gt=0)]
ShareBelowOne = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """Frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class NetworkSection(Section):
    """Which network, and as further keys any of its options but those that the data decide.

    Every option gets its value: the one given here, else the named variant's, else the network's default. Raises
    UsageError for an unknown name, variant or option, and for an option that contradicts the variant.
    """

    model_config = ConfigDict(extra="allow")

    name: str
    variant: str = ""
    """A named row of its paper's tables."""

    @model_validator(mode="before")
    @classmethod
    def _resolved(cls, section: Any) -> Any:
        if not isinstance(section, dict) or not isinstance(section.get("name"), str):
            return section
        own = {key: value for key, value in section.items() if key not in ("name", "variant")}
        return section | _resolve(section["name"], section.get("variant") or None, own)

    @property
    def options(self) -> dict[str, Any]:
        """Every option but those that the data decide, resolved."""
        return dict(self.model_extra or {})


def _resolve(name: str, variant: str | None, own: dict[str, object]) -> dict[str, OptionValue]:
    """Every option of the network but the data's: its own value, the variant's, or the default."""
    variants = entry_of(name).variants
    options = [option for option in catalogue()[name].options if option.name not in DATA_OPTIONS]
    given = check_options(name, options, own, place="network.")
    resolved = {option.name: option.default for option in options} | variant_options(name, variant)
    for key in given.keys() & {key for row in variants.values() for key in row}:
        if variant and given[key] != resolved[key]:
            raise UsageError(
                f"network.variant '{variant}' has {key} = {resolved[key]}, not {given[key]}. Leave one of the two out."
            )
    return resolved | given


class DataSection(Section):
    """Which images are learnt from, and which validate."""

    own_validation: bool = True
    """Validate on a set's own validation part, where it has one; the next three keys are for sets that have none."""
    validation_share: ShareBelowOne = 0.1
    """Of the groups (patients, eyes) of each set's training part; at least one group."""
    folds: Annotated[int, Field(ge=0)] = 0
    """Parts for cross-validation, by groups, the same for every seed; one is held out, and no share. 0: a share."""
    fold: Annotated[int, Field(ge=0)] = 0
    """Which of them is held out, from 0."""
    weights: dict[str, Positive] = {}
    """How often a set is drawn, by name; 1 where not given."""

    @model_validator(mode="after")
    def _one_of_the_folds(self) -> Self:
        if self.folds == 1:
            raise ValueError("folds = 1 leaves nothing to train on; write 0, or 2 and more")
        if self.fold >= max(self.folds, 1):
            raise ValueError(f"fold {self.fold} is none of the {self.folds} folds, which count from 0")
        return self


class AugmentationSection(Section):
    """Drawn anew for every crop."""

    place: Literal["uniform", "vessel"] = "uniform"
    """Crops lie anywhere, or about a pixel of the mask; anywhere again where a case's mask is empty."""
    jitter: ShareBelowOne = 0.125
    """Share of the crop's side by which a crop that lies anywhere may reach over the image's edge, and at most by as
    much as the image is longer than the crop. A crop as long as the image is centred on it."""
    jitter_whole: bool = False
    """Let crops that are nearly as long as the image, or longer, lie as any others, so that they reach farther over it:
    as before version 0.2.0."""
    rotation: Annotated[float, Field(ge=0, le=180)] = 180.0
    """Degrees, either way, uniform."""
    flip: bool = True
    """Mirror every second crop."""
    flip_vertical: bool = False
    """Upside down, every second crop; apart from `flip`."""
    scale: Annotated[float, Field(ge=0, le=1)] = 0.25
    """The factor is e to the power of ± this, uniform."""
    shift: ShareBelowOne = 0.0
    """Share of the crop's side, ± this in both directions, on top of the place."""
    shear: Annotated[float, Field(ge=0, le=45)] = 0.0
    """Degrees by which the crop's columns lean, ± this."""
    whole_pixels: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the crops that lie on whole pixels, neither scaled nor sheared, and turned by nothing but quarter turns,
    which are as likely as `rotation` has room for them: nothing in these is interpolated."""
    brightness: ShareBelowOne = 0.1
    """Added to all channels, ± this share of full scale."""
    contrast: ShareBelowOne = 0.2
    """Factor 1 ± this about the crop's mean."""
    gamma: ShareBelowOne = 0.2
    """Exponent e to the power of ± this."""
    colour: ShareBelowOne = 0.1
    """Factor 1 ± this for each channel alone."""
    noise: ShareBelowOne = 0.0
    """Normal noise; its standard deviation, a share of full scale, is uniform from 0 to this."""


class TrainingSection(Section):
    """The loop."""

    seed: Annotated[int, Field(ge=0)] = 0
    encoder_weights: str = ""
    """Begin a ResNet encoder with these: a name, e.g. resnet34, fetched once, or a .safetensors file; none: random."""
    normalisation: Literal["weights", "images"] = "weights"
    """Normalise images as the weights expect that the run begins with; or by the training images, as if it had none."""
    freeze: tuple[str, ...] = ()
    """Stages of the network that don't learn."""
    crop: Annotated[int, Field(ge=16, multiple_of=8)] = 448
    """Side of the square crops, pixels at working size."""
    batch: Count = 4
    accumulate: Count = 1
    """Batches per step of the optimiser."""
    epochs: Count = 70
    samples_per_epoch: Count = 2000
    """Crops drawn between two validations."""
    draw: Literal["without_replacement", "with_replacement"] = "without_replacement"
    """Each case of a set once before any twice, sets in turns by `data.weights`; or each crop's by chance alone."""
    loss: Literal[
        "bce", "dice", "dice_bce", "weighted_dice", "iou", "bce_iou", "dice_bce_iou", "focal", "tversky", "cldice"
    ] = "dice_bce"
    side_weight: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the loss on each side output, of a network that has them."""
    optimiser: Literal["adam", "adamw", "sgd"] = "adamw"
    momentum: ShareBelowOne = 0.9
    """Of `sgd`, without Nesterov's step."""
    learning_rate: Positive = 1e-3
    stage_rates: dict[str, Positive] = {}
    """Factors on `learning_rate`, by stage of the network; 1 where not given."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["constant", "plateau", "step", "cosine", "one_cycle"] = "cosine"
    """Plateau: lower after `plateau_patience` epochs without a better validation by `watch`. Cosine: to zero. One
    cycle: up over the first 30 % of the steps, then down to nothing, momentum the other way round."""
    plateau_patience: Count = 5
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    step_epochs: Count = 20
    """Epochs between two steps of the schedule `step`."""
    step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    warm_up: Annotated[int, Field(ge=0)] = 0
    """Steps over which the learning rate rises from zero."""
    gradient_clip: Annotated[float, Field(ge=0)] = 0.0
    """Largest norm of the gradient; 0 leaves it alone."""
    divergence: Annotated[float, Field(ge=0)] = 3.0
    """Stop when the average loss of the last hundred steps is more than this many times the lowest one; 0: never."""
    average: ShareBelowOne = 0.0
    """Decay per step of the exponential moving average of the weights that is validated and kept; 0: none."""
    average_warm_up: bool = True
    """Forget faster at first: with a decay of at most (1 + n) / (10 + n) after n steps."""
    hours: Annotated[float, Field(ge=0)] = 0.0
    """End before epochs have taken so many hours; where fewer than `epochs` fit, `cosine` falls faster. 0: never."""
    watch: Literal["f1", "loss"] = "f1"
    """What the best epoch, the plateau and early stopping go by: F1 or loss of the validation images."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Stop after this many epochs without a better validation by `watch`; 0: never."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "auto"] = "32-true"
    """Of the training steps; 16-mixed on a GPU only, where the loss is scaled against underflow. Auto: bf16-mixed where
    processor or GPU are fast in it, else 32-true."""
    compile: bool = False
    """Let PyTorch compile the training's forward pass."""

    @model_validator(mode="after")
    def _frozen_without_rate(self) -> Self:
        if both := [stage for stage in self.freeze if stage in self.stage_rates]:
            raise ValueError(f"'{both[0]}' is in freeze and in stage_rates; leave one of the two out")
        return self

    @property
    def crops_per_step(self) -> int:
        """Of the optimiser."""
        return self.batch * self.accumulate

    @property
    def steps_per_epoch(self) -> int:
        """Of the optimiser; the last one is as large as the others."""
        return -(-self.samples_per_epoch // self.crops_per_step)


class Recipe(Section):
    """One experiment."""

    name: str
    description: str
    paper: str = ""
    row: str = ""
    """The row of the paper's tables that it follows."""
    published: dict[str, float] = {}
    """What the paper states there, by measure."""
    network: NetworkSection
    preparation: Preparation = Preparation()
    data: DataSection = DataSection()
    augmentation: AugmentationSection = AugmentationSection()
    training: TrainingSection = TrainingSection()
