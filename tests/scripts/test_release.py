"""What a release says of its audit is no more than what was looked up."""

from __future__ import annotations

import json

import pytest
import release
from matrix import StageError

GOOD = {"name": "numpy", "version": "2.4.6", "vulns": []}
SKIPPED = {"name": "pillow", "skip_reason": "Dependency not found and could not be audited: pillow (9.0.0)"}
BAD = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "PYSEC-2022-10", "fix_versions": ["9.0.1"]}]}
"""As pip-audit writes them."""


def test_packages_that_were_looked_up_without_a_finding_are_counted() -> None:
    assert release.judged(json.dumps({"dependencies": [GOOD, GOOD]}), "") == "no known vulnerability of 2"


def test_what_could_not_be_looked_up_is_not_called_safe() -> None:
    said = release.judged(json.dumps({"dependencies": [GOOD, SKIPPED]}), "No known vulnerabilities found")
    assert said == "NOT audited, as the advisories on 1 of 2 can't be had here"
    assert release.judged("", "no route to host").startswith(
        "NOT audited, as the advisories can't be had here (no route"
    )


def test_a_known_vulnerability_ends_the_release_and_is_named() -> None:
    with pytest.raises(StageError) as caught:
        release.judged(json.dumps({"dependencies": [SKIPPED, GOOD, BAD]}), "")
    assert caught.value.args == ("audit", "pillow 9.0.0: PYSEC-2022-10")
