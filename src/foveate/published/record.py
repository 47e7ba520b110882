"""What an audit found, as the record that `foveate audit --json` writes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from foveate.published.audit import Audit, Trial, Verdict
from foveate.published.sentences import sentences, shares_in_short
from foveate.records import Scope


class ShareOfRates(BaseModel):
    """The share of foreground that three rates imply."""

    model_config = ConfigDict(frozen=True)

    by: tuple[str, ...] = Field(description="The rates.")
    share: tuple[float, float] = Field(description="Lowest and highest, 0 to 1.")


class TrialRecord(BaseModel):
    """One way in which a row may have been counted; null: the question had no answer."""

    model_config = ConfigDict(frozen=True)

    images: str = Field(description="Which images.")
    scope: Scope = Field(description="Which pixels.")
    share: float = Field(description="Foreground among these.")
    pooled: bool = Field(description="One confusion matrix has the rates.")
    one_count: bool | None = Field(description="The same, of exactly these pixels, by mlscorecheck.")
    share_fits: bool = Field(description="The share is one at which one confusion matrix has the rates.")
    means: bool | None = Field(description="These images can have the rates as means, none being much worse.")
    means_at_all: bool | None = Field(description="The same without that condition, by mlscorecheck.")


class AuditRecord(BaseModel):
    """What can be said of a row."""

    model_config = ConfigDict(frozen=True)

    paper: str = Field(description="Number of the paper; '' for a row of one's own.")
    tables: tuple[str, ...] = Field(description="The numbers of its tables that have the row.")
    row: str = Field(description="What the row is called.")
    cites: str = Field(description="The paper's reference that it is taken from; '' for the paper's own.")
    set: str = Field(description="The data set.")
    values: dict[str, float] = Field(description="Measure to the printed number, as a share.")
    verdict: Verdict = Field(description="Whether it can be true.")
    counted: tuple[Scope, ...] = Field(description="Which pixels it may have counted; none where that can't be told.")
    share: tuple[float, float] | None = Field(description="The shares of foreground that all rates imply.")
    shares: tuple[ShareOfRates, ...] = Field(description="The same for three rates at a time.")
    trials: tuple[TrialRecord, ...] = Field(description="Every way that was tried.")
    sentences: tuple[str, ...] = Field(description="All of it in words.")
    in_short: str = Field(exclude=True, description="The implied share in words, for a table; not in the file.")


def record_of(audit: Audit) -> AuditRecord:
    """Of one row."""
    row = audit.row
    return AuditRecord(
        paper=row.paper,
        tables=row.tables,
        row=row.name,
        cites=row.cites,
        set=row.set,
        values={measure: float(value) for measure, value in row.values.items()},
        verdict=audit.verdict,
        counted=audit.scopes,
        share=None if audit.share is None else (float(audit.share[0]), float(audit.share[1])),
        shares=tuple(
            ShareOfRates(by=measures, share=(float(low), float(high))) for measures, (low, high) in audit.shares.items()
        ),
        trials=tuple(map(_trial, audit.trials)),
        sentences=sentences(audit),
        in_short=shares_in_short(audit),
    )


def _trial(trial: Trial) -> TrialRecord:
    return TrialRecord(
        images=trial.images.name,
        scope=trial.scope,
        share=trial.share,
        pooled=trial.pooled,
        one_count=trial.one_count,
        share_fits=trial.share_fits,
        means=trial.means,
        means_at_all=trial.means_at_all,
    )
