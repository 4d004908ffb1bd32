"""harborapi, and the harbor-cli that is made of it: a project's life through each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Shell, Signed
from tests.parts.process import wait_for
from tests.parts.server import Server

LIFE = str(Path(__file__).with_name("life.py"))
Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def is_well(server: Server) -> None:
    """A server that has just started has jobs a moment later than answers."""
    client = server.client()
    wait_for(lambda: client.api("GET", "/health").json()["status"] == "healthy", "the jobs")


def test_a_project_lives_through_harborapi(
    tool: Callable[[str], str], shell: Shell, server: Server, signed: Signed
) -> None:
    python = Path(tool("harbor")).with_name("python")
    shell(str(python), LIFE, server.url, server.username, server.password, signed.repository, signed.digest)


@pytest.fixture
def harbor(tool: Callable[[str], str], shell: Shell, server: Server) -> Run:
    """Runs a command of harbor-cli as the administrator; returns the JSON that it printed, if any."""
    settings = shell.home / "harbor-cli.toml"
    settings.write_text(f"""
        harbor = {{ url = "{server.url}/api/v2.0", username = "{server.username}", secret = "{server.password}" }}
        general = {{ confirm_deletion = false, confirm_enumeration = false, warnings = false }}
        output = {{ format = "json" }}
        logging = {{ enabled = false }}
        repl = {{ history = false }}
    """)
    program = tool("harbor")

    def run(*words: str) -> Any:
        printed = shell(program, "--config", str(settings), *words)
        begin = min((place for mark in "{[" if (place := printed.find(mark)) >= 0), default=-1)
        return json.JSONDecoder().raw_decode(printed[begin:])[0] if begin >= 0 else printed

    return run


def test_a_project_lives_through_harbor_cli(harbor: Run, signed: Signed, project: str) -> None:
    name = f"{project}-cli"
    harbor("project", "create", name, "--storage-limit", "1073741824", "--public", "true")
    shown = harbor("project", "get", name)
    assert (shown["name"], shown["metadata"]["public"]) == (name, "true")
    people(harbor, name)
    content(harbor, name, signed)
    harbor("project", "delete", name, "--force")


def people(harbor: Run, name: str) -> None:
    user = f"{name}-user"
    harbor("user", "create", user, "--password", "Sesame-opens-2", "--email", f"{user}@example.org", "--realname", "A")
    harbor("user", "set-admin", user)
    assert harbor("user", "get", user)["sysadmin_flag"] is True
    harbor("user", "unset-admin", user)
    harbor("project", "member", "add-user", name, user, "developer")
    members = {each["entity_name"]: each["role_name"] for each in harbor("project", "member", "list", name)}
    assert members[user] == "developer"
    harbor("user", "delete", user, "--force")
    harbor("usergroup", "create", f"{name}-group", "OIDC")
    (group,) = [each for each in harbor("usergroup", "list") if each["group_name"] == f"{name}-group"]
    harbor("usergroup", "delete", str(group["id"]), "--force")


def content(harbor: Run, name: str, signed: Signed) -> None:
    harbor("artifact", "copy", f"{signed.repository}@{signed.digest}", name, "app")
    harbor("artifact", "tag", "create", f"{name}/app:1.0", "rel-1")
    tags = harbor("artifact", "tag", "list", f"{name}/app:1.0")
    assert {each["name"] for each in tags} == {"1.0", "rel-1"}
    assert harbor("artifact", "get", f"{name}/app:rel-1")["artifact"]["digest"] == signed.digest
    harbor("artifact", "tag", "delete", f"{name}/app:1.0", "rel-1", "--force")
    assert harbor("artifact", "buildhistory", f"{name}/app:1.0")
    harbor("repository", "update", name, "app", "--description", "text")
    (repository,) = harbor("repository", "list", name)
    assert (repository["name"], repository["description"]) == (f"{name}/app", "text")
    assert [each["repository_name"] for each in harbor("search", name)["repository"]] == [f"{name}/app"]
    harbor("artifact", "delete", f"{name}/app@{signed.digest}", "--force")
    harbor("repository", "delete", name, "app", "--force")


def test_harbor_cli_shows_the_system(harbor: Run) -> None:
    assert harbor("system", "health")["status"] == "healthy"
    assert harbor("system", "info")["auth_mode"] == "db_auth"
    assert harbor("system", "statistics")["total_project_count"] > 0
    assert harbor("config", "get")["robot_name_prefix"] == "robot$"
    assert isinstance(harbor("quota", "list"), list)
    assert isinstance(harbor("cve-allowlist", "get")["items"], list)
    assert len(harbor("auditlog", "list", "--limit", "2")) == 2
