"""Results of evaluations, to and from the text of their files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from foveate.errors import DataError, UsageError
from foveate.evaluation.report import Report


def as_json(reports: Sequence[Report]) -> str:
    """One report as it is; several in one object."""
    if len(reports) == 1:
        return reports[0].to_json()
    return json.dumps({"reports": [report.model_dump(mode="json") for report in reports]}, indent=2) + "\n"


def read_reports(file: Path) -> list[Report]:
    """What `foveate evaluate --json` wrote: one report, or several in an object.

    Raises UsageError for a file that can't be read, DataError for one that holds something else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        documents = content["reports"] if isinstance(content, dict) and "reports" in content else [content]
        return [Report.model_validate_json(json.dumps(each)) for each in documents]
    except OSError as error:
        raise UsageError(f"{file}: can't be read ({error.strerror or error}).") from error
    except (ValueError, TypeError, ValidationError) as error:
        raise DataError(
            f"{file}: is no result of this version's `foveate evaluate --json`; write it again with that."
        ) from error
