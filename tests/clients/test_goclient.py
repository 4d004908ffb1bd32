"""goharbor's Go client: a project's life that calls every operation which manages people, projects and content."""

from collections.abc import Callable

import pytest

from tests.clients.conftest import Shell, Signed
from tests.contract.contract import SERVED, folder, listed, load, operations
from tests.parts.server import Server

# Ldap and oidc are refused; what runs in the background has tests of its own.
ELSEWHERE = {"Ldap", "oidc", "Retention", "gc", "jobservice", "purge", "schedule", "webhook", "webhookjob"}


def test_a_project_lives_through_every_operation(
    tool: Callable[[str], str], shell: Shell, server: Server, signed: Signed
) -> None:
    printed = shell(
        tool("goclient"), server.url, server.username, server.password, signed.repository, signed.digest
    ).splitlines()
    if (contract := folder()) is None:
        pytest.skip("Harbor's contract is not on this machine; MOORING_CONTRACT names its folder")
    not_served = {name for name, differences in listed().items() if "is not served" in differences}
    wanted = {each.name for each in operations(load(contract)) if each.tag in SERVED - ELSEWHERE}
    assert wanted - not_served - set(printed) == set()
