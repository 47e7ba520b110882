"""The options for several views and for post-processing, which `segment` and `evaluate` share."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from foveate.cli.declared import CommandOption

HEADING = "What is done with the mask"
"""Of these options in a command's help."""

TTA = Annotated[
    Literal["1", "2", "4", "8"],
    CommandOption("--tta", rich_help_panel=HEADING, help="Mean of so many flips and quarter turns; 8: all."),
]
HYSTERESIS = Annotated[
    float | None,
    CommandOption(
        rich_help_panel=HEADING,
        help="A second, lower threshold: what reaches it counts if it hangs together with the mask.",
    ),
]
RECONNECT = Annotated[
    int, CommandOption(rich_help_panel=HEADING, help="Bridge gaps of at most so many pixels between parts of vessels.")
]
MIN_SIZE = Annotated[
    int | None,
    CommandOption(
        rich_help_panel=HEADING,
        help="Remove parts of fewer pixels; 0: none. Without it, parts that are smaller than the model's card says.",
    ),
]
LARGEST = Annotated[
    bool, CommandOption("--largest", rich_help_panel=HEADING, help="Keep only the largest part of each class.")
]
FILL_HOLES = Annotated[
    int, CommandOption(rich_help_panel=HEADING, help="Fill holes of at most so many pixels; -1: all.")
]
SUREST_SIZE = Annotated[
    bool,
    CommandOption(
        "--surest-size",
        rich_help_panel=HEADING,
        help="Try smaller working sizes, too, and keep the one of which the model is surest: may help with a camera"
        " that it doesn't know.",
    ),
]


def views_of(tta: str) -> Literal[1, 2, 4, 8]:
    """The option as a number."""
    return cast("Literal[1, 2, 4, 8]", int(tta))
