"""Mooring passes the OCI conformance suite with authentication: nothing fails and nothing is skipped."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance import suite
from tests.parts.deployments import Deployments
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


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "s3"])
def lenient(
    request: pytest.FixtureRequest, deployments: Deployments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that takes sparse manifests, which the default refuses so that every image listed can be pulled."""
    folder = tmp_path_factory.mktemp("lenient")
    server = deployments.start(request.param, folder, environment={"MOORING_SPARSE_MANIFESTS": "true"})
    yield server
    server.stop()


@every_deployment
def test_the_stable_profile_passes(
    request: pytest.FixtureRequest, server: Server, tool: Callable[[str], str], tmp_path: Path, figures: list[str]
) -> None:
    outcome = suite.run(
        tool("conformance"), server.client(), server.create_project(), "stable", {}, tmp_path / "stable"
    )
    figures.append(f"conformance stable on {request.node.callspec.id}: {outcome}")
    assert not outcome.complaints, "\n".join(outcome.complaints)
    # The profile itself turns off cancelling an upload, once for each algorithm.
    assert (outcome.failed, outcome.skipped, outcome.disabled) == (0, 0, 2)
    assert outcome.tests >= 850


def test_the_development_profile_passes_with_every_option(
    request: pytest.FixtureRequest, lenient: Server, tool: Callable[[str], str], tmp_path: Path, figures: list[str]
) -> None:
    outcome = suite.run(
        tool("conformance"), lenient.client(), lenient.create_project(), "dev", OPTIONAL, tmp_path / "dev"
    )
    figures.append(f"conformance dev on {request.node.callspec.id}: {outcome}")
    assert not outcome.complaints, "\n".join(outcome.complaints)
    assert (outcome.failed, outcome.skipped, outcome.disabled) == (0, 0, 0)
    assert outcome.tests >= 1030
