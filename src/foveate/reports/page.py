"""The page, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from foveate.evaluation.protocol import NOTICE
from foveate.pictures import LearningCurve, encoded
from foveate.reports.figures import DrawnFigure, learning
from foveate.reports.markup import Markup, data_address, fill, joined
from foveate.reports.page_tables import counts_everything, every_measure, protocol, remarks, summary
from foveate.reports.published import published_rows

if TYPE_CHECKING:
    from foveate.evaluation import EvaluationResult

FIGURE = '<figure$wide><img src="$source" alt="$words" width="$width" height="$height"></figure>'

PART = """<section class="part" aria-labelledby="$key">
<h2 id="$key">$title</h2>
<p>$title_of_set. $images</p>
$summaries
$remarks
$details
<section aria-labelledby="$key-images"><h3 id="$key-images">Best, median and worst image</h3>
<p>By F1$where$mean.
<span class="screen">Switch the layers, and click into an image to zoom.</span></p>
<div class="viewers">
$viewers
</div></section>
<section aria-labelledby="$key-figures"><h3 id="$key-figures">Curves, calibration and confusion</h3>
<div class="figures">
$figures
</div></section>
$published
<section aria-labelledby="$key-protocol"><h3 id="$key-protocol">Protocol</h3>
$protocol
</section>
</section>"""

LEARNING = """<section class="part" aria-labelledby="learning"><h2 id="learning">How the runs learned</h2>
<div class="figures">
$figure
</div></section>"""


@dataclass(frozen=True, slots=True)
class SetSection:
    """One data set: results of the same images, one for each model."""

    title: str
    """Of the set."""
    terms: str
    citation: str
    results: tuple[EvaluationResult, ...]
    viewers: tuple[Markup, ...]
    figures: tuple[DrawnFigure, ...]


def page(parts: Sequence[SetSection], runs: Sequence[LearningCurve]) -> str:
    """The whole page as HTML. Every text that comes from data is escaped; no address leads out of the page."""
    models = list(dict.fromkeys(result.model.name for part in parts for result in part.results))
    sets = [f"{part.results[0].data.set}, {part.results[0].data.split}" for part in parts]
    keys = [f"set{number}" for number in range(len(parts))]
    links = [fill('<li><a href="#$key">$text</a></li>', key=k, text=text) for k, text in zip(keys, sets, strict=True)]
    if runs:
        links.append(Markup('<li><a href="#learning">How the runs learned</a></li>'))
    return fill(
        _resource("page.html"),
        title=f"{', '.join(models)} on {'; '.join(sets)}",
        notice=NOTICE,
        style=Markup(_resource("page.css")),
        script=Markup(_resource("page.js")),
        links=joined(links),
        parts=joined(_part(part, key, title) for part, key, title in zip(parts, keys, sets, strict=True)),
        learning=_learning(runs),
        owners=joined(_owner(part) for part in parts),
        models=joined(_model(result) for result in {r.model: r for part in parts for r in part.results}.values()),
        versions=", ".join(f"{name} {version}" for name, version in parts[0].results[0].versions.items()),
    )


def _part(part: SetSection, key: str, title: str) -> Markup:
    data = part.results[0].data
    groups = f", of {data.groups} patients or eyes" if data.groups != data.count else ""
    return fill(
        PART,
        key=key,
        title=title,
        title_of_set=part.title,
        images=f"{data.count} image{'s' * (data.count > 1)}{groups}.",
        summaries=joined(summary(part.results, name) for name in part.results[0].classes),
        remarks=remarks(part.results),
        details=every_measure(part.results),
        where="" if counts_everything(part.results) else " inside the field of view",
        mean=", the mean of the models" if len(part.results) > 1 else "",
        viewers=joined(part.viewers),
        figures=joined(figure(drawn) for drawn in part.figures),
        published=published_rows(part.results, key=key),
        protocol=protocol(part.results),
    )


def figure(drawn: DrawnFigure) -> Markup:
    """A figure as an image in the page, with its words as the alternative text."""
    width, height = drawn.figure.get_size_inches()
    return fill(
        FIGURE,
        wide=Markup(' class="wide"' if drawn.wide else ""),
        source=data_address(encoded(drawn.figure, "svg"), "image/svg+xml"),
        words=drawn.words,
        width=round(96 * width),
        height=round(96 * height),
    )


def _learning(runs: Sequence[LearningCurve]) -> Markup:
    if not runs:
        return Markup("")
    return fill(LEARNING, figure=figure(learning(runs)))


def _owner(part: SetSection) -> Markup:
    words = "<li><strong>$title.</strong> $terms Cite: $citation</li>"
    return fill(words, title=part.title, terms=part.terms, citation=part.citation)


def _model(result: EvaluationResult) -> Markup:
    model = result.model
    parameters = "" if model.parameters is None else f", {model.parameters:,} parameters"
    sha256 = "" if model.sha256 is None else f", SHA-256 {model.sha256}"
    return fill(
        "<li><strong>$name</strong>$parameters$sha256</li>", name=model.name, parameters=parameters, sha256=sha256
    )


def _resource(name: str) -> str:
    return files("foveate.reports").joinpath(name).read_text(encoding="utf-8")
