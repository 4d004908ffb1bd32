"""Two tenants of one installation, and everybody who may call it."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.api.conftest import PASSWORD, location
from tests.parts.client import Answer, Client, expect
from tests.parts.server import Server

ROLES = {"A": 1, "D": 2, "G": 3, "M": 4, "L": 5}
NOWHERE = "999999"  # an id that nothing has

# What the robots and the narrow token were given.
PROJECT_ROBOT = frozenset({"repository:list", "repository:pull", "label:create", "member:list", "tag:delete"})
SYSTEM_ROBOT = frozenset({"user:list", "label:read", "quota:list", "robot:list"})
IN_PROJECTS = frozenset({"artifact:read", "metadata:list", "log:list"})
TOKEN = frozenset({"member:list", "repository:delete"})


class Caller(NamedTuple):
    """`role` is the letter of the role in the first tenant's projects, `granted` what a robot or token was given there,
    `system` what of the system. `leads` says whether the person is the administrator of some project.
    """

    name: str
    client: Client
    kind: str = "user"
    role: str = ""
    granted: frozenset[str] = frozenset()
    system: frozenset[str] = frozenset()
    leads: bool = False


class Tenants:
    """`private` and `public` belong to the first tenant, `other` to the second; each has an image `app:v1`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.admin = server.client()
        self.private = server.create_project()
        self.public = server.create_project(public=True)
        self.other = server.create_project()
        self.digests = {
            name: self.admin.push_image(f"{name}/app", "v1", name.encode())
            for name in (self.private, self.public, self.other)
        }
        self.ids = {
            name: str(expect(self.admin.api("GET", f"/projects/{name}"), 200).json()["project_id"])
            for name in self.digests
        }
        self.user_id = self._user()[1]
        self.callers = self._callers()
        self._made: dict[tuple[str, str], str] = {}
        self._children: dict[str, str] = {}

    def _callers(self) -> list[Caller]:
        members = {letter: self._member(role, self.private, self.public) for letter, role in ROLES.items()}
        names = {"A": "project admin", "D": "developer", "G": "guest", "M": "maintainer", "L": "limited guest"}
        grants = [_grant("project", name, PROJECT_ROBOT) for name in (self.private,)]
        robot = self._robot("project", grants)
        wide = self._robot(
            "system", [_grant("system", "/", SYSTEM_ROBOT), _grant("project", self.private, IN_PROJECTS)]
        )
        token = self._token(members["A"], [_grant("project", self.private, TOKEN)])
        return [
            Caller("anonymous", self.server.client("", ""), "anonymous"),
            Caller("admin", self.admin, "admin"),
            *(Caller(names[each], client, role=each, leads=each == "A") for each, client in members.items()),
            Caller("project robot", robot, "robot", granted=PROJECT_ROBOT),
            Caller("system robot", wide, "robot", granted=IN_PROJECTS, system=SYSTEM_ROBOT),
            Caller("narrow token", token, "token", granted=TOKEN, leads=True),
            Caller("other tenant's admin", self._member(1, self.other), leads=True),
        ]

    def call(self, caller: Caller, operation: str, places: Mapping[str, str], body: Any, query: str = "") -> Answer:
        """Send the operation with its path filled."""
        method, path = operation.split(" ", 1)
        path = re.sub(r"\{(\w+)\}", lambda found: places[found[1]], path)
        return caller.client.api(method, path + (f"?{query}" if query else ""), body)

    def places(self, project: str) -> dict[str, str]:
        """What fills the paths of operations in the project, and names what is not there where only access counts."""
        return {
            "project_name_or_id": project,
            "project_name": project,
            "project_id": self.ids.get(project, NOWHERE),
            "repository_name": "app",
            "reference": self.digests.get(project, "v1"),
            "digest": self.digests[self.private],
            "tag_name": "v1",
            "meta_name": "auto_scan",
            "addition": "build_history",
            "user_id": self.user_id,
            "word": f"w{secrets.token_hex(4)}",
            **dict.fromkeys(
                ("mid", "group_id", "id", "immutable_rule_id", "token_id", "label_id", "robot_id"), NOWHERE
            ),
            **dict.fromkeys(("webhook_policy_id", "execution_id", "task_id"), NOWHERE),
        }

    def filled(self, value: Any, places: Mapping[str, str], *, anew: bool) -> Any:
        """The value with names in braces replaced; `{label}` and the like are made, `anew` for who will delete them."""
        if isinstance(value, dict):
            return {name: self.filled(member, places, anew=anew) for name, member in value.items()}
        if isinstance(value, list):
            return [self.filled(member, places, anew=anew) for member in value]
        if not isinstance(value, str):
            return value
        if value.startswith("{#"):
            return int(places[value[2:-1]])

        def fill(found: re.Match[str]) -> str:
            return places.get(found[1]) or self._thing(found[1], places["project_name"], anew=anew)

        return re.sub(r"\{(\w+)\}", fill, value)

    def _thing(self, kind: str, project: str, *, anew: bool) -> str:
        if anew or (kind, project) not in self._made:
            self._made[kind, project] = self._make(kind, project)
        return self._made[kind, project]

    def _make(self, kind: str, project: str) -> str:
        if kind == "retention":
            return self._retention(project)
        if project not in self.ids:
            return NOWHERE
        name = f"w{secrets.token_hex(4)}"
        makers: dict[str, Callable[[], tuple[str, Any]]] = {
            "label": lambda: ("/labels", {"name": name, "scope": "p", "project_id": int(self.ids[project])}),
            "global_label": lambda: ("/labels", {"name": name, "scope": "g"}),
            "robot": lambda: ("/robots", _robot(name, "project", [_grant("project", project, {"repository:pull"})])),
            "system_robot": lambda: ("/robots", _robot(name, "system", [_grant("system", "/", {"user:list"})])),
            "webhook": lambda: (f"/projects/{project}/webhook/policies", _webhook(name)),
        }
        path, body = makers[kind]()
        return location(self.admin, "POST", path, body).rpartition("/")[2]

    def _retention(self, project: str) -> str:
        """The project's policy, of which there can be only one; it keeps everything."""
        known = expect(self.admin.api("GET", f"/projects/{project}/metadatas/retention_id"), 200).json()
        if known:
            return str(known["retention_id"])
        policy = {"algorithm": "or", "rules": [], "scope": {"level": "project", "ref": int(self.ids[project])}}
        return location(self.admin, "POST", "/retentions", policy).rpartition("/")[2]

    def _user(self) -> tuple[Client, str]:
        name = f"u{secrets.token_hex(4)}"
        user = {"username": name, "email": f"{name}@example.org", "realname": "R", "password": PASSWORD}
        number = location(self.admin, "POST", "/users", user).rpartition("/")[2]
        return self.server.client(name, PASSWORD), number

    def _member(self, role: int, *projects: str) -> Client:
        client, number = self._user()
        member = {"role_id": role, "member_user": {"user_id": int(number)}}
        for project in projects:
            expect(self.admin.api("POST", f"/projects/{project}/members", member), 201)
        return client

    def _robot(self, level: str, grants: list[dict[str, Any]]) -> Client:
        made = self.admin.api("POST", "/robots", _robot(f"r{secrets.token_hex(4)}", level, grants))
        robot = expect(made, 201).json()
        return self.server.client(robot["name"], robot["secret"])

    def _token(self, owner: Client, grants: list[dict[str, Any]]) -> Client:
        wish = {"name": f"t{secrets.token_hex(4)}", "duration": 1, "permissions": grants}
        made = expect(owner.api("POST", "/users/current/tokens", wish), 201)
        return self.server.client(owner.username, made.json()["token"])

    def children(self) -> dict[str, str]:
        """What belongs to the second tenant alone, by the name of the parameter that takes it."""
        if not self._children:
            base = f"/projects/{self.other}"
            app = f"{self.other}/only"
            digest = self.admin.push_image(app, "theirs", b"only theirs")
            members = expect(self.admin.api("GET", f"{base}/members"), 200).json()
            rule = location(self.admin, "POST", f"{base}/immutabletagrules", _rule())
            self._children = {
                "mid": str(members[-1]["id"]),
                "immutable_rule_id": rule.rpartition("/")[2],
                "reference": digest,
                "tag_name": "theirs",
                "repository_name": "only",
                "label_id": self._thing("label", self.other, anew=False),
                "robot_id": self._thing("robot", self.other, anew=False),
                "webhook_policy_id": self._thing("webhook", self.other, anew=False),
            }
        return self._children

    def snapshot(self, project: str) -> str:
        """All that an administrator sees of the project, but for what a push leaves to be written a second later."""
        base = f"/projects/{project}"
        pages = ("", "/members", "/metadatas", "/immutabletagrules", "/repositories", "/repositories/app/artifacts")
        robots = f"/robots?q=Level=project,ProjectID={self.ids[project]}"
        labels = f"/labels?scope=p&project_id={self.ids[project]}"
        paths = [*(base + page for page in pages), robots, labels]
        seen = [expect(self.admin.api("GET", path), 200).json() for path in paths]
        for repository in seen[pages.index("/repositories")]:
            del repository["update_time"]
        return json.dumps(seen, indent=1)


def _grant(kind: str, namespace: str, rights: frozenset[str] | set[str]) -> dict[str, Any]:
    access = [dict(zip(("resource", "action"), right.split(":"), strict=True)) for right in sorted(rights)]
    return {"kind": kind, "namespace": namespace, "access": access}


def _robot(name: str, level: str, grants: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "level": level, "duration": 1, "permissions": grants}


def _rule() -> dict[str, Any]:
    """A rule that makes every tag immutable whose name is `never`."""
    tags = [{"kind": "doublestar", "decoration": "matches", "pattern": "never"}]
    repositories = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}
    return {
        "disabled": False,
        "action": "immutable",
        "template": "immutable_template",
        "tag_selectors": tags,
        "scope_selectors": repositories,
    }


def _webhook(name: str) -> dict[str, Any]:
    targets = [{"type": "http", "address": "https://hooks.example.invalid/"}]
    return {"name": name, "enabled": False, "event_types": ["PUSH_ARTIFACT"], "targets": targets}
