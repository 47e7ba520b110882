"""The page, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from foveate.evaluation.protocol import NOTICE
from foveate.pictures import LearningCurve, encoded
from foveate.report.figures import Drawn, learning
from foveate.report.markup import Markup, data_address, fill, joined
from foveate.report.published import published_rows
from foveate.report.tables import counts_everything, every_measure, protocol, remarks, summary

if TYPE_CHECKING:
    from foveate.evaluation import Report

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
class Part:
    """One data set: reports of the same images, one for each model."""

    title: str
    """Of the set."""
    terms: str
    citation: str
    reports: tuple[Report, ...]
    viewers: tuple[Markup, ...]
    figures: tuple[Drawn, ...]


def page(parts: Sequence[Part], runs: Sequence[LearningCurve]) -> str:
    """The whole page as HTML. Every text that comes from data is escaped; no address leads out of the page."""
    models = list(dict.fromkeys(report.model.name for part in parts for report in part.reports))
    sets = [f"{part.reports[0].data.set}, {part.reports[0].data.split}" for part in parts]
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
        models=joined(_model(report) for report in {r.model: r for part in parts for r in part.reports}.values()),
        versions=", ".join(f"{name} {version}" for name, version in parts[0].reports[0].versions.items()),
    )


def _part(part: Part, key: str, title: str) -> Markup:
    data = part.reports[0].data
    groups = f", of {data.groups} patients or eyes" if data.groups != data.count else ""
    return fill(
        PART,
        key=key,
        title=title,
        title_of_set=part.title,
        images=f"{data.count} image{'s' * (data.count > 1)}{groups}.",
        summaries=joined(summary(part.reports, name) for name in part.reports[0].classes),
        remarks=remarks(part.reports),
        details=every_measure(part.reports),
        where="" if counts_everything(part.reports) else " inside the field of view",
        mean=", the mean of the models" if len(part.reports) > 1 else "",
        viewers=joined(part.viewers),
        figures=joined(figure(drawn) for drawn in part.figures),
        published=published_rows(part.reports, key=key),
        protocol=protocol(part.reports),
    )


def figure(drawn: Drawn) -> Markup:
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


def _owner(part: Part) -> Markup:
    words = "<li><strong>$title.</strong> $terms Cite: $citation</li>"
    return fill(words, title=part.title, terms=part.terms, citation=part.citation)


def _model(report: Report) -> Markup:
    model = report.model
    parameters = "" if model.parameters is None else f", {model.parameters:,} parameters"
    sha256 = "" if model.sha256 is None else f", SHA-256 {model.sha256}"
    return fill(
        "<li><strong>$name</strong>$parameters$sha256</li>", name=model.name, parameters=parameters, sha256=sha256
    )


def _resource(name: str) -> str:
    return files("foveate.report").joinpath(name).read_text(encoding="utf-8")
