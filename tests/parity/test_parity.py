"""Mooring answers as a real Harbor 2.16 does, but for what differences.yaml lists."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parity import recordings
from tests.parts.client import expect
from tests.parts.deployments import Deployments
from tests.parts.server import Server

REPLAYED = [
    "registry-auth-challenge",
    "registry-auth-token",
    "registry-roles-basic",
    "registry-blob-uploads",
    "registry-blobs",
    "registry-manifests",
    "registry-types-and-referrers",
    "registry-lists-and-names",
    "people-configurations",
    "people-system",
    "people-cve-allowlist",
    "people-conventions",
    "people-labels",
    "people-session",
    "people-users",
    "people-user-changes",
    "people-usergroups",
    "people-members",
    "people-metadata",
    "people-member-roles",
    "people-projects",
    "people-project-errors",
    "people-project-roles",
    "people-robots-at-work",
    "people-robots-project",
    "people-robots-system",
    "registry-repositories-roles",
    "registry-repositories-api",
    "people-quotas",
    "registry-quota-on-push",
    "registry-immutable-tags",
    "registry-content-trust",
    "people-audit",
    "registry-audit-and-pull-counts",
    "registry-artifacts-list",
    "registry-artifacts-api",
    "registry-tags-and-labels-api",
    "registry-copy",
    "registry-additions-and-icons",
    "registry-accessories-by-clients",
    "gc",
    "retention-policy",
    "retention-run",
    "purge-and-scanall-schedule",
    "jobservice-dashboard",
    "webhook-policy",
    "webhook-delivery",
]
# How the steps begin that are about what Mooring does not have yet.
WANTING = {"purge-and-scanall-schedule": ("scan all: ", "security summary ", "vulnerability search ")}

AMENDED = {
    # Harbor refuses what guides write and ours takes (tests/api/test_retention.py); then the project would have the
    # policy that the next step is to make.
    "retention-policy": {"create with a cron of five fields": None},
    # Two runs are under way, and the recorded step waits for one of them.
    "retention-run": {
        "the dry run ends": {"until": '"status":"Success","trigger":"MANUAL","dry_run":true},{"id":'},
    },
    # A policy is not deleted while something is delivered; the recorded step sleeps instead of looking.
    "webhook-delivery": {
        "let the last deliveries end": {
            "sh": "for i in $(seq 1000); do curl -sf -u 'admin:{admin_password}' "
            "'{url}/api/v2.0/projects/{run}-p/webhook/policies/{w}/executions?page_size=100' > /tmp/replay-{run}/runs "
            "&& ! grep -q Running /tmp/replay-{run}/runs && exit 0; sleep 0.2; done; exit 1"
        },
    },
}

ROBOT = {
    "name": "first",
    "level": "system",
    "duration": -1,
    "permissions": [{"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]}],
}


@pytest.fixture(scope="module")
def contract() -> Path:
    found = recordings.folder()
    if found is None:
        pytest.skip("the recordings are not here: neither ../shared/contract nor MOORING_CONTRACT has a replay.py")
    return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fresh(
    request: pytest.FixtureRequest, deployments: Deployments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that holds nothing but what the recordings put there; the first robot is gone, as it was there."""
    # The recordings were made so; otherwise garbage collection would leave everything that is young.
    environment = {"MOORING_GC_TIME_WINDOW": "0"}
    server = deployments.start(request.param, tmp_path_factory.mktemp("parity"), environment=environment)
    robot = expect(server.client().api("POST", "/robots", ROBOT), 201).json()
    expect(server.client().api("DELETE", f"/robots/{robot['id']}"), 200)
    yield server
    server.stop()


@pytest.mark.parametrize("name", REPLAYED)
def test_answers_are_harbors_or_listed(
    request: pytest.FixtureRequest, name: str, contract: Path, fresh: Server, figures: list[str]
) -> None:
    meant = {each.step: each.answers for each in recordings.listed() if each.file == name}
    steps = recordings.replay(contract, name, fresh, AMENDED.get(name, {}))
    steps = [step for step in steps if not step.name.startswith(WANTING.get(name, ()))]
    differing = [step for step in steps if step.differences]
    alike = len(steps) - len(differing)
    case = request.node.callspec.id
    figures.append(f"parity {case}: {alike}/{len(steps)} steps alike, {len(meant)} listed differences")
    complaints = [
        "\n    ".join([f"{step.name}:", *step.differences]) + f"\n{recordings.entry(name, step)}"
        for step in differing
        if meant.get(step.name) != step.answer
    ]
    stale = meant.keys() - {step.name for step in differing}
    assert not complaints, f"{len(complaints)} steps differ and are not listed so:\n" + "\n".join(complaints)
    assert not stale, f"listed, but no longer different or no step of the recording: {sorted(stale)}"


def test_every_listed_difference_stands_once_says_why_and_names_a_recording_that_is_replayed() -> None:
    listed = recordings.listed()
    assert len({(each.file, each.step) for each in listed}) == len(listed)
    for each in listed:
        assert each.file in REPLAYED, each
        assert each.why.strip(), each
