"""Accounts that are not the administrator's."""

import secrets
from typing import Any

from tests.parts.client import Client, expect
from tests.parts.server import PASSWORD, Server

DEVELOPER = 2
GUEST = 3
MAINTAINER = 4


def person(server: Server, project: str = "", role: int = DEVELOPER) -> Client:
    """Somebody new, with the role in the project if one is named."""
    name = f"u{secrets.token_hex(4)}"
    admin = server.client()
    wanted = {"username": name, "email": f"{name}@example.com", "realname": name, "password": PASSWORD}
    expect(admin.api("POST", "/users", wanted), 201)
    if project:
        member = {"role_id": role, "member_user": {"username": name}}
        expect(admin.api("POST", f"/projects/{project}/members", member), 201)
    return server.client(name, PASSWORD)


def user_id(server: Server, client: Client) -> int:
    """The number of the account."""
    found: list[dict[str, Any]] = expect(
        server.client().api("GET", f"/users/search?username={client.username}"), 200
    ).json()
    return int(found[0]["user_id"])


def robot(server: Server, project: str, *actions: str) -> tuple[Client, int]:
    """A robot of the project that may do these things with its repositories, and its number."""
    access = [{"resource": "repository", "action": action} for action in actions]
    wanted = {
        "name": f"r{secrets.token_hex(4)}",
        "level": "project",
        "duration": -1,
        "permissions": [{"kind": "project", "namespace": project, "access": access}],
    }
    made = expect(server.client().api("POST", "/robots", wanted), 201).json()
    return server.client(made["name"], made["secret"]), int(made["id"])
