"""A page for every shipped model: its card."""

from __future__ import annotations

from foveate.models import ModelCard, open_model, shipped
from site_pages.markdown import block, page, table
from site_pages.menu import tree


def pages() -> dict[str, str]:
    """Place to text of all of them and of their index."""
    made = {f"models/{name}.md": _page(open_model(name).card) for name in sorted(shipped())}
    said = "Model cards, as the programs read them; [](../segmenting.md) says how a model of someone else is checked."
    listed = "".join(f"- [`{name}`]({name}.md)\n" for name in sorted(shipped()))
    return made | {"models/index.md": page("Models", said, listed, tree(sorted(shipped())))}


def _page(card: ModelCard) -> str:
    return page(
        f"`{card.name}`",
        f"{card.description} **{card.notice}**",
        _facts(card),
        "## Scores",
        "On images that chose neither weights nor threshold, counted by [the protocol](../evaluation.md).",
        _scores(card),
        "## What it has seen",
        _seen(card),
        "## How it was made",
        "".join(f"\n{block(f'$ {command}', 'console')}" for command in card.command.split("; then ")),
    )


def _facts(card: ModelCard) -> str:
    preparation = card.preparation
    bounds = dict.fromkeys((preparation.working_minimum, preparation.working_maximum))
    rows = {
        "network": f"[`{card.network}`](../networks/{card.network}.md), {card.parameters} parameters",
        "classes": ", ".join(card.classes),
        "input": card.input,
        "output": card.output,
        "longer side" if preparation.fov == "whole" else "diameter of the field of view": (
            f"{' to '.join(f'{bound:g}' for bound in bounds)} pixels; others are brought to that"
        ),
        "threshold": f"{', '.join(f'{each:.4f}' for each in card.thresholds)}, from {card.threshold_from}",
        "recipe": f"[`{card.recipe}`](../recipes/{card.recipe}.md)",
        "commit": f"`{card.source_commit}`",
        "SHA-256 of the file": f"`{card.sha256}`",
        "licence": card.licence,
    }
    return table(("", ""), ((f"**{what}**", text) for what, text in rows.items()))


def _scores(card: ModelCard) -> str:
    rows = [
        (
            f"`{score.set}`, {score.split} ({score.images})",
            score.scope,
            *(f"{value:.4f}" for value in (score.f1, score.sensitivity, score.specificity, score.roc_auc)),
        )
        for score in card.scores
    ]
    return table(("images", "counted pixels", "F1", "sensitivity", "specificity", "ROC AUC"), rows)


def _seen(card: ModelCard) -> str:
    rows = [
        (
            f"[`{data.set}`](../data-sets/{data.set}.md)",
            ", ".join(data.training),
            ", ".join(data.validation),
            data.terms,
        )
        for data in card.training_data
    ]
    return table(("data set", "learnt from", "chose epoch and threshold", "terms"), rows)
