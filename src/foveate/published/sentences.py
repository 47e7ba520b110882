"""What an audit found, in plain sentences."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from foveate.published import focal
from foveate.published.audit import Audit
from foveate.published.counts import ImageSet
from foveate.published.one_count import ShareInterval
from foveate.records import Scope

WHERE: dict[Scope, str] = {"fov": "inside the field of view", "image": "over the whole image"}

NAMES = {"f1": "F1", "iou": "IoU"}
"""Of measures that aren't words."""

ANY_SHARE: ShareInterval = (Fraction(0), Fraction(1))


def sentences(audit: Audit) -> tuple[str, ...]:
    """The verdict with its reason, and what else is worth knowing."""
    verdict = {
        "consistent": _consistent,
        "consistent as means": _as_means,
        "not these images": _other_images,
        "inconsistent": _inconsistent,
        "too few rates": _too_few,
    }[audit.verdict]
    return (verdict(audit), *_other_way(audit), *_empty_prediction(audit), *_loss(audit), *_focal(audit))


def percent(share: ShareInterval) -> str:
    """An interval of shares (0 to 1), as '12.71–12.78 %'."""
    low, high = (f"{100 * float(end):.2f}" for end in share)
    return f"{low} %" if low == high else f"{low}–{high} %"


def shares_in_short(audit: Audit) -> str:
    """The share of foreground that the rates imply, all of them or else by threes; '' where they imply none."""
    if audit.share == ANY_SHARE:
        return "any"
    implied = [audit.share] if audit.share else list(audit.shares.values())
    return percent((min(low for low, _ in implied), max(high for _, high in implied))) if implied else ""


def _too_few(audit: Audit) -> str:
    return "Fewer than two rates are printed, and any one rate can be true."


def _consistent(audit: Audit) -> str:
    if audit.share == ANY_SHARE:
        return "F1 and IoU are those of one confusion matrix; they don't tell which pixels were counted."
    if not audit.trials:
        return f"One confusion matrix has all rates, where {shares_in_short(audit)} are foreground."
    images = next(trial.images for trial in audit.trials if trial.pooled)
    counted = " or ".join(WHERE[scope] for scope in audit.scopes)
    return (
        f"One confusion matrix has all rates, where {shares_in_short(audit)} are vessels; {_real(images)}:"
        f" the row was counted {counted}."
    )


def _as_means(audit: Audit) -> str:
    if not audit.trials:
        return "No one confusion matrix has these rates; means over images can have them."
    images = next(trial.images for trial in audit.trials if trial.means)
    counted = " or ".join(WHERE[scope] for scope in audit.scopes)
    return (
        f"No one confusion matrix of {images.name} has these rates, but means over these images can, counted {counted}:"
        f" the rates imply {shares_in_short(audit)} of vessels; {_real(images)}."
    )


def _other_images(audit: Audit) -> str:
    return (
        f"One confusion matrix has all rates, where {shares_in_short(audit)} are vessels, but neither it nor means can"
        f" be of {_names(audit)}; {_real(audit.trials[0].images)}. Other images or other masks were counted."
    )


def _inconsistent(audit: Audit) -> str:
    start = f"Neither one confusion matrix nor means over {_names(audit) or 'images'} can have these rates"
    real = f"; {_real(audit.trials[0].images)}" if audit.trials else ""
    pairs = list(combinations(sorted(audit.shares.items(), key=lambda share: share[1]), 2))
    if pairs:
        (one, low), (other, high) = max(pairs, key=lambda pair: pair[1][1][0] - pair[0][1][1])
        apart = f"{_together(one)} imply {percent(low)} of foreground, {_together(other)} {percent(high)}"
        return f"{start}: {apart}{real}."
    f1, iou = (audit.row.values.get(measure) for measure in ("f1", "iou"))
    if f1 is not None and iou is not None:
        return f"{start}: F1 {f1.text} goes with IoU {float(f1.exact / (2 - f1.exact)):.4f}, not with {iou.text}{real}."
    return f"{start}{real}."


def _other_way(audit: Audit) -> tuple[str, ...]:
    """That means over images could also be where one confusion matrix can't."""
    if audit.verdict != "consistent":
        return ()
    also = {trial.scope for trial in audit.trials if trial.means} - set(audit.scopes)
    return tuple(f"As means over images it may also have been counted {WHERE[scope]}." for scope in sorted(also))


def _empty_prediction(audit: Audit) -> tuple[str, ...]:
    if audit.background_iou is None:
        return ()
    iou, background, accuracy = audit.row.values["iou"], float(audit.background_iou), audit.row.values.get("accuracy")
    beside = f"; such a prediction has accuracy {background:.4f}, printed is {accuracy.text}" if accuracy else ""
    nothing = f"where nothing is found and {100 * (1 - background):.2f} % of the pixels are foreground"
    halves = f"the mean of {background:.4f} and 0, the IoU of background and foreground {nothing}"
    return (f"IoU {iou.text} is {halves}{beside}.",)


def _loss(audit: Audit) -> tuple[str, ...]:
    f1, loss = (audit.row.values.get(measure) for measure in ("f1", "loss"))
    same = audit.verdict == "inconsistent" and f1 is not None and loss is not None and f1.exact == loss.exact
    return ("Its F1 is also printed as its loss.",) if same else ()


def _focal(audit: Audit) -> tuple[str, ...]:
    loss = audit.row.values.get("focal_loss")
    (low, high), (without, _) = focal.knowing_nothing(), focal.knowing_nothing(balanced=False)
    if loss is None or loss.exact - loss.unit <= without:
        return ()
    knowing_nothing = f"{low:.3f} to {high:.3f} with the usual α = {focal.ALPHA:g} and γ = {focal.GAMMA:g}"
    said = (
        f"A focal loss of {loss.text} is more than knowing nothing gives: with probability ½ everywhere its mean over"
        f" pixels is {knowing_nothing}, {without:.3f} without α, whatever is foreground. So it is no mean of the usual"
        " focal loss of a network that has learnt."
    )
    return (said,)


def _together(measures: tuple[str, ...]) -> str:
    *others, last = (NAMES.get(measure, measure) for measure in measures)
    return f"{', '.join(others)} and {last}"


def _names(audit: Audit) -> str:
    return " or ".join(dict.fromkeys(trial.images.name for trial in audit.trials))


def _real(images: ImageSet) -> str:
    shares = {scope: f"{100 * float(images.share(scope)):.2f} % {where}" for scope, where in WHERE.items()}
    return f"{images.name} have {shares['fov']} and {shares['image']}"
