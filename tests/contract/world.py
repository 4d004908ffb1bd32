"""A server with something of everything in it, and the contract told so that generated calls meet what is there."""

import copy
import re
import secrets
from collections.abc import Mapping
from typing import Any

from mooring.http.description import EMPTY
from tests.contract.contract import ALWAYS, NOT_SERVED, SERVED, operations
from tests.parts.client import Client, expect
from tests.parts.server import Server

NOWHERE = 999_999
PASSWORD = "Pass-word-12345"

_TOO = re.compile(r"answers (\d+) too")
_ADDITION = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/{addition}"
_MAYBE_EMPTY = ("/system/gc/schedule", "/system/purgeaudit/schedule")
# What would end the run itself: an administrator without a password or rights, a server that takes no more changes.
_NOT_TO_SET = {"Configurations": ("read_only", "auth_mode", "audit_log_forward_endpoint", "skip_audit_log_database")}
_RULE = {
    "disabled": False,
    "action": "immutable",
    "template": "immutable_template",
    "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "never"}],
    "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
}
_WEBHOOK = {
    "name": "known",
    "enabled": False,
    "event_types": ["PUSH_ARTIFACT"],
    "targets": [{"type": "http", "address": "http://127.0.0.1:1/"}],
}


class World:
    """`known` has, by the names of parameters, what is there."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.admin = server.client()
        self.project = server.create_project(public=True)
        self.known: dict[str, list[Any]] = self._made()
        self.user = server.client(*self._user("ordinary")[:2])

    def _made(self) -> dict[str, list[Any]]:
        digest = self.admin.push_image(f"{self.project}/app", "v1", b"layer")
        self.admin.push_image(f"{self.project}/team/app", "v2", b"another")
        project_id = expect(self.admin.api("GET", f"/projects/{self.project}"), 200).json()["project_id"]
        _, _, user_id = self._user("somebody")
        label = self._number("/labels", {"name": "checked", "scope": "p", "project_id": project_id})
        pull = [{"resource": "repository", "action": "pull"}]
        robot = self._number(
            "/robots",
            {
                "name": "puller",
                "level": "project",
                "duration": 1,
                "permissions": [{"kind": "project", "namespace": self.project, "access": pull}],
            },
        )
        member = {"role_id": 2, "member_user": {"user_id": user_id}}
        webhook = self._number(f"/projects/{self.project}/webhook/policies", _WEBHOOK)
        return {
            "project_name_or_id": [self.project, str(project_id), "library", "none"],
            "project_name": [self.project, "library", "none"],
            "repository_name": ["app", "team%2Fapp", "none"],
            "reference": [digest, "v1", "none"],
            "tag_name": ["v1", "none"],
            "digest": [digest, "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06"],
            "user_id": [user_id, NOWHERE],
            "label_id": [label, NOWHERE],
            "robot_id": [robot, NOWHERE],
            "mid": [self._number(f"/projects/{self.project}/members", member), NOWHERE],
            "id": [1, 2, NOWHERE],
            "group_id": [self._number("/usergroups", {"group_name": self.project, "group_type": 2}), NOWHERE],
            "immutable_rule_id": [self._number(f"/projects/{self.project}/immutabletagrules", _RULE), NOWHERE],
            "webhook_policy_id": [webhook, NOWHERE],
            "policy_id": [webhook, NOWHERE],
            "addition": ["build_history", "vulnerabilities", "sbom", "readme.md"],
            "meta_name": ["public", "auto_scan", "severity", "none"],
        }

    def _user(self, name: str) -> tuple[str, str, int]:
        name = f"{name}{secrets.token_hex(3)}"
        user = {"username": name, "email": f"{name}@example.org", "realname": "R", "password": PASSWORD}
        return name, PASSWORD, self._number("/users", user)

    def _number(self, path: str, body: Any) -> int:
        made = expect(self.admin.api("POST", path, body), 201)
        return int(made.headers["Location"].rpartition("/")[2])

    def callers(self) -> Mapping[str, Client]:
        """Who calls: an administrator, an ordinary user, nobody."""
        return {"admin": self.admin, "user": self.user, "anonymous": self.server.client("", "")}


def prepared(contract: Mapping[str, Any], world: World, meant: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The operations of the contract that are served, and what Harbor does everywhere is said of each.

    Go writes null for a list or map that was never set, and go-swagger refuses what cannot be read: the contract says
    neither, nor that an answer is empty where there is no schedule. It calls the attributes of an image objects, though
    most are text, and every addition text, though some are lists. Parameters in paths are what `world` knows; `meant`
    are the differences that are listed.
    """
    document: dict[str, Any] = copy.deepcopy(dict(contract))
    document["host"] = world.server.host
    document["schemes"] = ["http"]
    for operation in operations(document):
        listed = meant.get(operation.name, {})
        if operation.tag not in SERVED or NOT_SERVED in listed:
            del document["paths"][operation.path][operation.method]
            continue
        responses = operation.described["responses"]
        more = {found[1] for each in listed if (found := _TOO.fullmatch(each))}
        for status in ALWAYS - {"500"} | {"401"} | more | ({"404"} if "{" in operation.path else set()):
            responses.setdefault(status, {"description": "", "schema": {"$ref": "#/definitions/Errors"}})
        for parameter in operation.described.get("parameters", ()):
            _tell(parameter, world)
    for parameter in document["parameters"].values():
        _tell(parameter, world)
    document["definitions"]["ExtraAttrs"]["additionalProperties"] = {}
    for path in (_ADDITION, *_MAYBE_EMPTY):
        if "get" in document["paths"][path]:
            del document["paths"][path]["get"]["responses"]["200"]["schema"]
    for name, schema in document["definitions"].items():
        for member in _NOT_TO_SET.get(name, ()):
            del schema["properties"][member]
        for member in schema.get("properties", {}).values():
            if member.get("type") in ("array", "object") or member.get("x-isnullable") or "$ref" in member:
                member["x-nullable"] = True
    return document


def _tell(parameter: dict[str, Any], world: World) -> None:
    if parameter.get("in") == "path" and parameter["name"] in world.known:
        parameter.get("schema", parameter)["enum"] = world.known[parameter["name"]]


def told(description: Mapping[str, Any], world: World) -> dict[str, Any]:
    """What the server publishes of itself, with what `world` knows for the parameters in paths."""
    document: dict[str, Any] = copy.deepcopy(dict(description))
    for path in [path for path, item in document["paths"].items() if "servers" in item]:
        del document["paths"][path]  # has a server of its own, which schemathesis does not know
    for operation in operations(document):
        done = operation.described["responses"][operation.success]
        if done["description"] == EMPTY:
            del done["content"]  # no schema is that of no body
        for parameter in operation.described.get("parameters", ()):
            _tell(parameter, world)
    for name in _NOT_TO_SET["Configurations"]:
        del document["components"]["schemas"]["Configurations"]["properties"][name]
    return document
