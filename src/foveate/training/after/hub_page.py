"""What the hub shows of a model: its metadata as YAML, and the page below them as Markdown.

A card's texts may be a stranger's. The metadata go through huggingface_hub's own classes, which check and quote them;
on the page every such text passes `escaped` or `fenced`, so that it is words, and never a heading, a link or a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from foveate.models.card import HUB_FILE, HUB_WEIGHTS, ModelCard, Score
from foveate.models.licence import is_open

NOTICE = "For research, not a medical device."
TASK = "image-segmentation"

LEARN_ON = f"""To learn on with these weights: `foveate train RECIPE --data folder:mine --from {HUB_WEIGHTS}`, with
the network of `config.json`.
"""

METRICS = {
    "f1": ("f1", "F1 (Dice)"),
    "sensitivity": ("recall", "Sensitivity"),
    "specificity": ("specificity", "Specificity"),
    "roc_auc": ("roc_auc", "ROC AUC"),
}
"""Field of a score to the hub's name of the metric, and ours."""

SCOPES = {"fov": "inside the field of view", "image": "over the whole image"}

PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+!|<>~&:@$=-])")
"""What Markdown might read as more than itself; by a backslash it is itself again."""


def readme(card: ModelCard) -> str:
    """README.md: metadata between two lines of dashes, and the page."""
    return f"---\n{metadata(card).to_yaml()}\n---\n\n{page(card)}"


def metadata(card: ModelCard) -> ModelCardData:
    """What the hub lists and searches by."""
    terms: dict[str, Any] = (
        {"license": "apache-2.0"}
        if is_open(card.training_data)
        else {"license": "other", "license_name": "terms-of-the-training-images", "license_link": "LICENSE.md"}
    )
    results = [result for score in card.scores for result in _results(score, card)]
    return ModelCardData(
        **terms,
        library_name="foveate",
        pipeline_tag=TASK,
        tags=["foveate", "onnx", "safetensors", "medical", "research-only", TASK, card.network, *card.classes],
        metrics=list(dict.fromkeys(result.metric_type for result in results)) or None,
        model_name=card.name if results else None,
        eval_results=results or None,
    )


def _results(score: Score, card: ModelCard) -> list[EvalResult]:
    titles = {data.set: data.title for data in card.training_data}
    return [
        EvalResult(
            task_type=TASK,
            dataset_type=score.set,
            dataset_name=titles.get(score.set, score.set),
            dataset_split=score.split,
            dataset_args={"images": score.images},
            metric_type=kind,
            metric_name=f"{title}, {SCOPES[score.scope]}",
            metric_value=value,
        )
        for field, (kind, title) in METRICS.items()
        if (value := getattr(score, field)) is not None
    ]


def page(card: ModelCard) -> str:
    """The page below the metadata."""
    return "\n".join(
        (
            f"# {escaped(card.name)}\n",
            f"**{NOTICE}** No number here says anything about a diagnosis.\n",
            f"{escaped(card.description)}\n",
            "## Use\n",
            fenced(
                "pip install foveate",
                f"foveate segment photo.jpg -o masks/ --model {HUB_FILE}",
                language="console",
            ),
            LEARN_ON,
            "## What it is\n",
            _table(("", ""), _facts(card)),
            "## Scores\n",
            *_scores(card),
            "## Trained on\n",
            _table(
                ("set", "learnt from", "chose epoch and threshold", "terms", "citation"),
                [
                    (data.title, len(data.training), len(data.validation), data.terms, data.citation)
                    for data in card.training_data
                ],
            ),
            "By\n",
            fenced(card.command),
            "`card.json` names every image.\n",
            "## Licence\n",
            f"{escaped(card.licence)} See LICENSE.md.\n",
        )
    )


def _facts(card: ModelCard) -> list[tuple[object, object]]:
    return [
        ("network", f"{card.network}, {card.parameters} parameters"),
        ("classes", ", ".join(card.classes)),
        ("input", card.input),
        ("output", card.output),
        ("threshold", f"{', '.join(map(str, card.thresholds))}, from {card.threshold_from}"),
        ("working size", f"FOV diameter of {card.preparation.working_sizes} pixels"),
        *([("smallest part", f"{card.min_size} pixels of the working size")] if card.min_size else []),
        (f"SHA-256 of {HUB_FILE}", card.sha256),
        ("foveate's commit", card.source_commit),
    ]


def _scores(card: ModelCard) -> list[str]:
    validation = ", ".join(f"{escaped(name)} {f1:.4f}" for name, f1 in card.validation_f1.items())
    chosen = f"F1 on the validation images, which chose the threshold and so flatter it: {validation}.\n"
    if not card.scores:
        return ["None on held-out images.\n", chosen]
    head = ("set", "split", "images", "counted", *(title for _, title in METRICS.values()))
    rows = [(score.set, score.split, score.images, SCOPES[score.scope], *_values(score)) for score in card.scores]
    return ["Pooled over pixels, at the images' own size, one forward pass:\n", _table(head, rows), chosen]


def _values(score: Score) -> list[str]:
    values = [getattr(score, field) for field in METRICS]
    return ["–" if value is None else f"{value:.4f}" for value in values]


def licence_page(card: ModelCard) -> str:
    """LICENSE.md: the weights' terms, and those of each set."""
    sets = "".join(f"- {escaped(data.title)}: {escaped(data.terms)}\n" for data in card.training_data)
    return (
        f"# Licence\n\n{escaped(card.licence)}\n\n{NOTICE}\n\nTerms of the images that the weights were trained and"
        f" chosen on, none of which are here:\n\n{sets}"
    )


def escaped(text: object) -> str:
    """A text as words of a page."""
    # A bare address becomes a link by its beginning alone.
    return re.sub(r"(?i)\bwww\.", lambda match: f"{match[0][:-1]}\\.", PUNCTUATION.sub(r"\\\1", str(text)))


def fenced(*lines: str, language: str = "") -> str:
    """Lines as a block of code, whose fence is longer than any in them."""
    text = "\n".join(lines)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 0)
    return f"{fence}{language}\n{text}\n{fence}\n"


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *([escaped(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
