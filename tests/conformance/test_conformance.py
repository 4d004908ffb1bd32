"""Mooring passes the OCI conformance suite with authentication: nothing fails and nothing is skipped."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import suite
from tests.parts.server import Server, every_deployment

OPTIONAL = {
    "OCI_DATA_SPARSE": "true",
    "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
    "OCI_API_BLOBS_DIGEST_HEADER": "true",
    "OCI_API_BLOBS_MOUNT_ANONYMOUS": "true",
    "OCI_API_MANIFESTS_DIGEST_HEADER": "true",
    "OCI_API_MANIFESTS_TAG_PARAM": "true",
    "OCI_API_REFERRER": "true",
}


@every_deployment
@pytest.mark.parametrize(
    ("profile", "options", "at_least", "disabled"),
    [
        pytest.param(
            "stable", {}, 850, 2, id="stable"
        ),  # the profile itself turns off cancelling an upload, once an algorithm
        pytest.param("dev", OPTIONAL, 1030, 0, id="dev"),
    ],
)
def test_every_test_of_the_profile_passes(
    server: Server,
    tool: Callable[[str], str],
    tmp_path: Path,
    figures: list[str],
    profile: str,
    options: dict[str, str],
    at_least: int,
    disabled: int,
) -> None:
    outcome = suite.run(
        tool("conformance"), server.client(), server.create_project(), profile, options, tmp_path / "results"
    )
    figures.append(f"conformance {profile}: {outcome}")
    assert not outcome.complaints, "\n".join(outcome.complaints)
    assert (outcome.failed, outcome.skipped, outcome.disabled) == (0, 0, disabled)
    assert outcome.tests >= at_least, (
        f"{outcome.tests} tests is fewer than the {at_least} that the suite is known to have"
    )
