"""One image as layers that a reader switches one by one and zooms into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foveate.pictures.colours import OUTCOMES, Palette
from foveate.reports.images import ShownImage, layer, photograph, size_shown
from foveate.reports.markup import Markup, fill, joined

if TYPE_CHECKING:
    from foveate.imaging.palette import Colour
    from foveate.records import Mask

WHITE: Colour = (255, 255, 255)
OUTSIDE: Colour = (0, 0, 0)

VIEWER = """<article class="viewer" data-viewer aria-labelledby="$key-title">
<h4 id="$key-title">$why image: $case</h4>
<p class="scores">$scores</p>
<div class="stage" tabindex="0" role="group" style="aspect-ratio: $width / $height"
 aria-label="$case. Click or press + to zoom in, − to zoom out, arrow keys to move, 0 for the whole image.">
<div class="stack">
$layers
</div>
</div>
<form class="controls" aria-label="What is shown of $case">
$choices
<fieldset class="switches"><legend>Layers</legend>
$switches
</fieldset>
<p class="zoom"><button type="button" data-zoom="in" aria-label="zoom in">+</button>
<button type="button" data-zoom="out" aria-label="zoom out">−</button>
<button type="button" data-zoom="reset">whole image</button></p>
</form>
<p class="print-legend">$legend</p>
</article>"""

IMAGE = '<img class="layer" data-layer="$kind" $of src="$source" alt="$text" width="$width" height="$height"$hidden>'

SWITCH = '<label><input type="checkbox" name="$kind"$checked>$swatch $kind</label>'

SWATCH = '<span class="swatch" style="background: rgb($red $green $blue)"></span>'

CHOICE = '<label><input type="radio" name="$group" value="$number"$checked> $name</label>'

CHOICES = "<fieldset><legend>$title</legend>\n$options\n</fieldset>"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that can be switched."""

    name: str
    colour: Colour | None
    on: bool
    """From the beginning."""


def viewer(shown: ShownImage, models: Sequence[str], classes: Sequence[str], *, key: str, palette: Palette) -> Markup:
    """The image with photograph, truth, each model's prediction and its outcomes; `key` is its own on the page."""
    kinds = [kind for kind in kinds_of(palette) if kind.name != "not counted" or not shown.within.all()]
    width, height = size_shown(shown.within.shape)
    f1 = ["F1 undefined" if value is None else f"F1 {value:.4f}" for value in shown.f1]
    outcomes = [kind for kind in kinds if kind.name in ("true positive", "false negative", "false positive")]
    return fill(
        VIEWER,
        key=key,
        why=shown.why.capitalize(),
        case=shown.id,
        scores="; ".join(f"{model}: {score}" for model, score in zip(models, f1, strict=True)),
        width=width,
        height=height,
        layers=joined(_layers(shown, models, classes, kinds)),
        choices=joined([_choice("Model", "model", models, key), _choice("Class", "class", classes, key)]),
        switches=joined(_switch(kind) for kind in kinds),
        legend=joined(fill("$swatch $kind", swatch=_swatch(kind.colour), kind=kind.name) for kind in outcomes),
    )


def kinds_of(palette: Palette) -> list[Layer]:
    """The layers, from below to above."""
    colours = OUTCOMES[palette]
    return [
        Layer("photograph", None, on=True),
        Layer("truth", WHITE, on=False),
        Layer("prediction", WHITE, on=False),
        Layer("true positive", colours.true_positive, on=True),
        Layer("false negative", colours.false_negative, on=True),
        Layer("false positive", colours.false_positive, on=True),
        Layer("not counted", OUTSIDE, on=False),
    ]


def _layers(
    shown: ShownImage, models: Sequence[str], classes: Sequence[str], kinds: Sequence[Layer]
) -> Iterator[Markup]:
    width, height = size_shown(shown.within.shape)
    for kind in kinds:
        for model, of_class, mask in _masks(shown, kind.name):
            words = [shown.id, *(names[n] for names, n in ((models, model), (classes, of_class)) if n is not None)]
            yield fill(
                IMAGE,
                kind=kind.name,
                of=Markup(" ".join(_of("model", model) + _of("class", of_class))),
                source=photograph(shown.image) if mask is None else layer(mask, kind.colour or WHITE),
                text=f"{kind.name} of {', '.join(words)}",
                width=width,
                height=height,
                hidden=Markup("" if kind.on else " hidden"),
            )


def _masks(shown: ShownImage, kind: str) -> Iterator[tuple[int | None, int | None, Mask | None]]:
    """(model, class, mask) of every picture of a kind; the photograph has no mask."""
    if kind == "photograph":
        yield None, None, None
    elif kind == "not counted":
        yield None, None, ~shown.within
    elif kind == "truth":
        yield from ((None, number, mask) for number, mask in enumerate(shown.truth))
    else:
        for model, masks in enumerate(shown.predictions):
            for number, (mask, truth) in enumerate(zip(masks, shown.truth, strict=True)):
                yield model, number, _outcome(kind, mask, truth, shown.within)


def _outcome(kind: str, mask: Mask, truth: Mask, within: Mask) -> Mask:
    outcomes = {
        "prediction": mask,
        "true positive": mask & truth & within,
        "false negative": ~mask & truth & within,
        "false positive": mask & ~truth & within,
    }
    return outcomes[kind]


def _of(what: str, number: int | None) -> list[str]:
    return [] if number is None else [f'data-{what}="{number}"']


def _switch(kind: Layer) -> Markup:
    return fill(
        SWITCH,
        kind=kind.name,
        swatch=_swatch(kind.colour),
        checked=Markup(" checked" if kind.on else ""),
    )


def _swatch(colour: Colour | None) -> Markup:
    if colour is None:
        return Markup("")
    red, green, blue = colour
    return fill(SWATCH, red=red, green=green, blue=blue)


def _choice(title: str, what: str, names: Sequence[str], key: str) -> Markup:
    """Which model, or which class; nothing where there is only one."""
    if len(names) == 1:
        return Markup("")
    options = (
        fill(
            CHOICE,
            group=f"{key}-{what}",
            number=number,
            name=name,
            checked=Markup(" checked" if not number else ""),
        )
        for number, name in enumerate(names)
    )
    return fill(CHOICES, title=title, options=joined(options))
