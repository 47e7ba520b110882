"""What `auto` decides by: a table for each number of the data, read from top to bottom; a later one has the last word.

A row holds from its `least` on, up to the next row's. It sets keys of a recipe, and says why. What nothing here
depends on is in `ALWAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foveate.planning.fingerprint import Fingerprint

Keys = Mapping[str, object]
"""Full names of a recipe's keys to their values."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What follows where the number is `least` or more, and less than the next row's."""

    least: float
    keys: Keys
    reason: str
    """A sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One number of the data, and what follows from it."""

    number: str
    """What it is, in words that `{value}` fits into."""
    of: Callable[[Fingerprint], float]
    rows: tuple[RuleRow, ...]
    """The lowest first, whose `least` is the lowest value that there is."""

    def row(self, fingerprint: Fingerprint) -> RuleRow:
        """The row that holds for these images."""
        value = self.of(fingerprint)
        return [row for row in self.rows if row.least <= value or row is self.rows[0]][-1]

    def words(self, fingerprint: Fingerprint) -> str:
        """The number, and what follows from it, in a sentence or two."""
        return f"{self.number.format(value=self.of(fingerprint))}: {self.row(fingerprint).reason}"


THICK = 0.03
"""Share of the diameter. Vessels of DRIVE, CHASE_DB1, STARE and HRF take .2 to .5 %, the gliomas of LGG 5 %, the
lesions of ISIC 2018 16 %."""

SEEN = 4.0
"""Pixels that the thinnest structures should be thick before the network: at two, the first pooling may lose them."""

SMALL = {"network.name": "attention_unet", "network.widths": [8, 16, 24, 32, 48, 64]}
"""271 462 parameters for one class."""

RULES: tuple[Rule, ...] = (
    Rule(
        "a lit disc is seen in {value:.0%} of the images",
        lambda of: of.discs,
        (
            RuleRow(0.0, {"preparation.fov": "whole"}, "no fundus photographs, so that all of an image counts"),
            RuleRow(0.5, {"preparation.fov": "find"}, "fundus photographs, of which the lit disc alone counts"),
        ),
    ),
    Rule(
        "the thinnest structures are {value:.2%} of the diameter thick",
        lambda of: of.thinnest,
        (
            RuleRow(
                0.0,
                {
                    "network.name": "region_guided",
                    "network.widths": [16, 24, 40, 56],
                    "network.initial_maps": "previous",
                    "training.side_weight": 0.2,
                },
                "thin; the network of `vessels` (37 695 parameters), which came to F1 .80 to .84 on four sets; maps"
                " that begin as the one before gained .008 in short trainings",
            ),
            RuleRow(
                THICK,
                SMALL,
                "thick; a U-Net with six levels sees a whole one, and came to F1 .83 on lesions in 20 minutes",
            ),
        ),
    ),
    Rule(
        "{value} classes",
        lambda of: len(of.classes),
        (
            RuleRow(1, {}, "any network"),
            RuleRow(
                2,
                SMALL | {"training.side_weight": 0.0},
                "the maps by which region_guided looks tell structures from background alone, not one from another",
            ),
        ),
    ),
    Rule(
        f"the thinnest structures are {SEEN:g} pixels thick where the diameter is {{value:.0f}}",
        lambda of: SEEN / of.thinnest,
        (
            RuleRow(
                0,
                {"preparation.working_minimum": 256, "preparation.working_maximum": 256},
                "256 shows them, at a quarter of the cost of 512",
            ),
            RuleRow(256, {"preparation.working_minimum": 384, "preparation.working_maximum": 384}, "384 shows them"),
            RuleRow(384, {"preparation.working_minimum": 512, "preparation.working_maximum": 512}, "512 shows them"),
            RuleRow(
                512,
                {"preparation.working_minimum": 512, "preparation.working_maximum": 768},
                "up to 768 images keep their own size",
            ),
            RuleRow(
                768,
                {"preparation.working_minimum": 512, "preparation.working_maximum": 1024},
                "up to 1024 images keep their own size, as for `vessels`; more costs more than it shows",
            ),
        ),
    ),
    Rule(
        "foreground takes {value:.2%} of what counts",
        lambda of: of.foreground,
        (
            RuleRow(
                0.0,
                {"augmentation.place": "vessel"},
                "rare; crops lie about it, as it would be missed by most (nnU-Net, Isensee et al. 2021, draws a third"
                " of its crops so)",
            ),
            RuleRow(0.02, {"augmentation.place": "uniform"}, "frequent enough to be met anywhere"),
        ),
    ),
    Rule(
        "{value:.0f} of the images' channels are colours",
        lambda of: 3.0 if of.colours else 0.0,
        (
            RuleRow(
                0.0,
                {
                    "augmentation.rotation": 30.0,
                    "augmentation.flip_vertical": False,
                    "augmentation.jitter": 0.0,
                    "augmentation.colour": 0.0,
                },
                "no photographs but scans, which lie one way up, as for LGG's recipes",
            ),
            RuleRow(
                1.0,
                {
                    "augmentation.rotation": 180.0,
                    "augmentation.flip_vertical": True,
                    "augmentation.shift": 0.1,
                    "augmentation.colour": 0.1,
                },
                "photographs through a lens, which may be turned any way, under lamps of any colour",
            ),
        ),
    ),
    Rule(
        "{value:.0f} of the channels say something of their own",
        lambda of: 1.0 if of.grey else 3.0,
        (
            RuleRow(1.0, {"preparation.channels": "green"}, "grey images, for which one is enough"),
            RuleRow(2.0, {"preparation.channels": "rgb"}, "all three go in"),
        ),
    ),
)
"""By the training images."""

GROUPS: tuple[RuleRow, ...] = (
    RuleRow(0, {"data.validation_share": 0.25}, "few groups, of which one or two validate"),
    RuleRow(10, {"data.validation_share": 0.15}, "a threshold needs some images, learning the most of them"),
    RuleRow(60, {"data.validation_share": 0.1}, "a tenth is enough to choose an epoch and a threshold"),
)
"""By the number of groups (patients, eyes) in the training part, before any image is read. Sets with validation images
of their own leave it unread."""

STEPS: tuple[RuleRow, ...] = (
    RuleRow(0, {"training.average": 0.9, "training.warm_up": 0}, "few steps, of which no average must outlive a third"),
    RuleRow(300, {"training.average": 0.99, "training.warm_up": 50}, "as in the recipes for lesions and gliomas"),
    RuleRow(6000, {"training.average": 0.999, "training.warm_up": 100}, "as in the recipe of `vessels`"),
)
"""By the steps of the optimiser that fit into the hours: the average of the weights forgets in 10, 100 or 1000."""

ALWAYS: tuple[RuleRow, ...] = (
    RuleRow(
        0,
        {"training.loss": "dice_bce"},
        "Dice keeps rare foreground from being outweighed, cross-entropy gives a slope where Dice has none; the sum is"
        " what nnU-Net takes (Isensee et al. 2021), and did best with attention in paper 003's table II",
    ),
    RuleRow(
        0,
        {"training.optimiser": "adamw", "training.learning_rate": 1e-2, "training.weight_decay": 1e-4},
        "networks this small, with batch norm, bear a high rate; as in the recipes for vessels, lesions and gliomas",
    ),
    RuleRow(0, {"training.gradient_clip": 1.0}, "one odd batch can't undo what was learnt, at that rate"),
    RuleRow(
        0,
        {"training.schedule": "cosine"},
        "falls to zero when the time is over, whatever that is, and has nothing to be tuned",
    ),
    RuleRow(0, {"training.precision": "auto"}, "bf16 where processor or GPU are fast in it"),
)
"""Whatever the data."""


def row_of(rows: tuple[RuleRow, ...], value: float) -> RuleRow:
    """The last row that begins at `value` or below."""
    return [row for row in rows if row.least <= value][-1]
