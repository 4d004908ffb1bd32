"""What every operation demands of its caller, as Harbor documents it: written from its tables, not from our code."""

from collections.abc import Mapping
from typing import NamedTuple

# Resource, actions, who may: project Admin, Maintainer, Developer, Guest, Limited guest; Public is everybody.
ROLES = """
project             read                                A M D G L P
project             update delete                       A
member              create update delete                A
member              read list                           A M D G
metadata            create update delete                A
metadata            read                                A M
metadata            list                                -
log                 list                                A
label               create update delete                A M
label               read list                           A M D G P
quota               read                                A M D G L
repository          read                                A M D G L
repository          update                              A M D
repository          delete                              A M
repository          list                                A M D G L P
artifact            create                              A M D
artifact            read list                           A M D G L P
artifact            delete                              A M
artifact-addition   read                                A M D G L P
accessory           list                                A M D G L P
tag                 list                                A M D G L P
tag                 create                              A M D
tag                 delete                              A M
artifact-label      create delete                       A M D
immutable-tag       create update delete list           A M
tag-retention       create read update delete list      A M D
notification-policy create update delete                A
notification-policy read list                           A M
robot               create update delete                A
robot               read list                           A M D G
scanner             read                                A M D G L P
scanner             create                              A
"""
MATRIX: Mapping[str, frozenset[str]] = {
    f"{resource}:{action}": frozenset(word for word in rest if len(word) == 1)
    for resource, *rest in (line.split() for line in ROLES.strip().splitlines())
    for action in rest
    if len(action) > 1
}


class Demand(NamedTuple):
    """`realm` is who decides; `right` is what the system's and the projects' realms are asked for."""

    realm: str
    right: str = ""


ANYBODY = Demand("anybody")
SIGNED_IN = Demand("signed in")
WHOLE = Demand("whole account")  # no token that leaves only some of its owner's rights
ADMINISTRATORS = Demand("administrators")  # whatever else was given to others
PROJECT_ADMINS = Demand("project admins")  # of any project; no robots
CREATORS = Demand("creators")  # robots of a project make no other, and tokens only what they were made for
NOBODY = Demand("nobody")


def system(right: str) -> Demand:
    """What administrators may, and robots of the system that were given it."""
    return Demand("system", right)


def project(right: str) -> Demand:
    """What the roles in the project give."""
    return Demand("project", right)


def signed_in_project(right: str) -> Demand:
    """The same, but nobody without an account even where the project is public."""
    return Demand("signed in project", right)


class Case(NamedTuple):
    """An operation with what it demands. `places` fill its path, `body` is well-formed and changes nothing.

    A name in braces stands for what tests/api/tenants.py knows or makes, as a number after `#`.
    """

    operation: str
    demand: Demand
    places: Mapping[str, str] = {}
    body: object = None
    query: str = ""


_PROJECT = "/projects/{project_name_or_id}"
_REPOSITORIES = "/projects/{project_name}/repositories"
_REPOSITORY = _REPOSITORIES + "/{repository_name}"
_ARTIFACT = _REPOSITORY + "/artifacts/{reference}"
_PULL = [{"resource": "repository", "action": "pull"}]
_USERS = [{"resource": "user", "action": "list"}]
_SYSTEM_ROBOT = {
    "name": "{word}",
    "level": "system",
    "duration": 1,
    "permissions": [{"kind": "system", "namespace": "/", "access": _USERS}],
}
_PROJECT_ROBOT = {
    "name": "{word}",
    "level": "project",
    "duration": 1,
    "permissions": [{"kind": "project", "namespace": "{project_name}", "access": _PULL}],
}
_RULE = {"id": "{#immutable_rule_id}"}
_POLICY = {"algorithm": "none", "scope": {"level": "project", "ref": "{#project_id}"}}
_OF_POLICY = {"id": "{retention}", "eid": "999999", "tid": "999999"}
_RUNS = "/retentions/{id}/executions"
_WEBHOOK = "/projects/{project_name_or_id}/webhook"
_HOOK = _WEBHOOK + "/policies/{webhook_policy_id}"
_OF_HOOK = {"webhook_policy_id": "{webhook}", "execution_id": "999999", "task_id": "999999"}
_NO_ROBOT = {"name": "x", "level": "project", "duration": 0, "permissions": []}

CASES = (
    Case("GET /health", ANYBODY),
    Case("GET /ping", ANYBODY),
    Case("GET /api/version", ANYBODY),
    Case("GET /systeminfo", ANYBODY),
    Case("GET /systeminfo/getcert", ANYBODY),
    Case("GET /systeminfo/volumes", system("system-volumes:read")),
    Case("GET /search", ANYBODY, query="q=x"),
    Case("GET /statistics", SIGNED_IN),
    Case("GET /icons/{digest}", ANYBODY),
    Case("GET /configurations", system("configuration:read")),
    Case("PUT /configurations", system("configuration:update"), body={}),
    Case("GET /internalconfig", NOBODY),
    Case("GET /schedules/{job_type}/paused", SIGNED_IN, {"job_type": "all"}),
    Case("GET /schedules", system("jobservice-monitor:list")),
    Case("GET /jobservice/pools", system("jobservice-monitor:list")),
    Case("GET /jobservice/pools/{pool_id}/workers", system("jobservice-monitor:list"), {"pool_id": "all"}),
    Case("PUT /jobservice/jobs/{job_id}", system("jobservice-monitor:stop"), {"job_id": "0123456789abcdef01234567"}),
    Case("GET /jobservice/jobs/{job_id}/log", system("jobservice-monitor:list"), {"job_id": "0123456789abcdef"}),
    Case("GET /jobservice/queues", system("jobservice-monitor:list")),
    Case(
        "PUT /jobservice/queues/{job_type}",
        system("jobservice-monitor:stop"),
        {"job_type": "NO_SUCH"},
        {"action": "stop"},
    ),
    Case("GET /system/purgeaudit", system("purge-audit:list")),
    Case("GET /system/purgeaudit/{purge_id}", system("purge-audit:read"), {"purge_id": "999999"}),
    Case("PUT /system/purgeaudit/{purge_id}", system("purge-audit:stop"), {"purge_id": "999999"}),
    Case("GET /system/purgeaudit/{purge_id}/log", system("purge-audit:read"), {"purge_id": "999999"}),
    Case("GET /system/purgeaudit/schedule", system("purge-audit:read")),
    Case("POST /system/purgeaudit/schedule", system("purge-audit:create"), {}, {"schedule": {"type": "None"}}),
    Case("PUT /system/purgeaudit/schedule", system("purge-audit:update"), {}, {"schedule": {"type": "None"}}),
    Case("GET /system/CVEAllowlist", SIGNED_IN),
    Case("PUT /system/CVEAllowlist", system("configuration:update"), body={"items": []}),
    Case("POST /system/oidc/ping", system("configuration:update"), body={}),
    Case("POST /ldap/ping", system("configuration:read"), body={}),
    Case("GET /ldap/users/search", system("ldap-user:list")),
    Case("POST /ldap/users/import", system("ldap-user:create"), body={"ldap_uid_list": []}),
    Case("GET /ldap/groups/search", system("ldap-user:list")),
    Case("GET /audit-logs", SIGNED_IN),
    Case("GET /auditlog-exts", SIGNED_IN),
    Case("GET /auditlog-exts/events", system("audit-log:list")),
    Case("GET /projects/{project_name}/logs", project("log:list")),
    Case("GET /projects/{project_name}/auditlog-exts", project("log:list")),
    Case("GET /users", system("user:list")),
    Case("POST /users", system("user:create"), body={}),
    Case("GET /users/search", SIGNED_IN, query="username=x"),
    Case("GET /users/current", SIGNED_IN),
    Case("GET /users/current/permissions", SIGNED_IN),
    Case("GET /users/current/tokens", WHOLE),
    Case("POST /users/current/tokens", WHOLE, body={}),
    Case("GET /users/current/tokens/{token_id}", WHOLE),
    Case("DELETE /users/current/tokens/{token_id}", WHOLE),
    Case("GET /users/{user_id}/tokens", system("user:read")),
    Case("DELETE /users/{user_id}/tokens/{token_id}", system("user:update")),
    Case("GET /permissions", PROJECT_ADMINS),
    Case("GET /users/{user_id}", system("user:read")),
    Case("PUT /users/{user_id}", system("user:update"), body={}),
    Case("DELETE /users/{user_id}", system("user:delete"), {"user_id": "999999"}),
    Case("PUT /users/{user_id}/sysadmin", ADMINISTRATORS, {"user_id": "999999"}, {}),
    Case("PUT /users/{user_id}/password", system("user:update"), body={"new_password": "x"}),
    Case("PUT /users/{user_id}/cli_secret", ANYBODY, body={"secret": "x"}),  # 412 before it asks who it is
    Case("GET /usergroups", system("user-group:list")),
    Case("POST /usergroups", system("user-group:create"), body={}),
    Case("GET /usergroups/search", SIGNED_IN, query="groupname=x"),
    Case("GET /usergroups/{group_id}", system("user-group:read")),
    Case("PUT /usergroups/{group_id}", system("user-group:update"), body={}),
    Case("DELETE /usergroups/{group_id}", system("user-group:delete")),
    Case("GET /quotas", system("quota:list")),
    Case("GET /quotas/{id}", system("quota:read")),
    Case("PUT /quotas/{id}", system("quota:update"), {"id": "999999"}, {"hard": {"storage": -1}}),
    Case("GET /system/gc", system("garbage-collection:list")),
    Case("GET /system/gc/schedule", system("garbage-collection:read")),
    Case("POST /system/gc/schedule", system("garbage-collection:create"), body={}),
    Case("PUT /system/gc/schedule", system("garbage-collection:update"), body={}),
    Case("GET /system/gc/{gc_id}", system("garbage-collection:read"), {"gc_id": "999999"}),
    Case("PUT /system/gc/{gc_id}", system("garbage-collection:stop"), {"gc_id": "999999"}),
    Case("GET /system/gc/{gc_id}/log", system("garbage-collection:read"), {"gc_id": "999999"}),
    Case("GET /retentions/metadatas", SIGNED_IN),
    Case("POST /retentions", signed_in_project("tag-retention:create"), body=_POLICY),
    Case("POST /retentions/preview", signed_in_project("tag-retention:read"), body=_POLICY, query="repository=app"),
    Case("GET /retentions/{id}", signed_in_project("tag-retention:read"), _OF_POLICY),
    Case("PUT /retentions/{id}", signed_in_project("tag-retention:update"), _OF_POLICY, _POLICY),
    Case("DELETE /retentions/{id}", signed_in_project("tag-retention:delete"), _OF_POLICY),
    Case(f"GET {_RUNS}", signed_in_project("tag-retention:list"), _OF_POLICY),
    Case(f"POST {_RUNS}", signed_in_project("tag-retention:update"), _OF_POLICY, {"dry_run": True}),
    Case(f"PATCH {_RUNS}/{{eid}}", signed_in_project("tag-retention:update"), _OF_POLICY, {"action": "stop"}),
    Case(f"GET {_RUNS}/{{eid}}/tasks", signed_in_project("tag-retention:list"), _OF_POLICY),
    Case(f"GET {_RUNS}/{{eid}}/tasks/{{tid}}", signed_in_project("tag-retention:read"), _OF_POLICY),
    Case("GET /labels", ANYBODY, query="scope=g"),
    Case("GET /labels", project("label:list"), query="scope=p&project_id={project_id}"),
    Case("POST /labels", system("label:create"), body={"name": "x", "scope": "g"}),
    Case("POST /labels", project("label:create"), body={"name": "x", "scope": "p", "project_id": "{#project_id}"}),
    Case("GET /labels/{label_id}", system("label:read"), {"label_id": "{global_label}"}),
    Case("GET /labels/{label_id}", project("label:read"), {"label_id": "{label}"}),
    Case("PUT /labels/{label_id}", system("label:update"), {"label_id": "{global_label}"}, {}),
    Case("PUT /labels/{label_id}", project("label:update"), {"label_id": "{label}"}, {}),
    Case("DELETE /labels/{label_id}", system("label:delete"), {"label_id": "{global_label}"}),
    Case("DELETE /labels/{label_id}", project("label:delete"), {"label_id": "{label}"}),
    Case("GET /robots", system("robot:list")),
    Case("GET /robots", project("robot:list"), query="q=Level%3Dproject,ProjectID%3D{project_id}"),
    Case("POST /robots", system("robot:create"), body=_SYSTEM_ROBOT),
    Case("POST /robots", project("robot:create"), body=_PROJECT_ROBOT),
    Case("GET /robots/{robot_id}", system("robot:read"), {"robot_id": "{system_robot}"}),
    Case("GET /robots/{robot_id}", project("robot:read"), {"robot_id": "{robot}"}),
    Case("PUT /robots/{robot_id}", system("robot:update"), {"robot_id": "{system_robot}"}, _NO_ROBOT),
    Case("PUT /robots/{robot_id}", project("robot:update"), {"robot_id": "{robot}"}, _NO_ROBOT),
    Case("PATCH /robots/{robot_id}", system("robot:update"), {"robot_id": "{system_robot}"}, {"secret": "x"}),
    Case("PATCH /robots/{robot_id}", project("robot:update"), {"robot_id": "{robot}"}, {"secret": "x"}),
    Case("DELETE /robots/{robot_id}", system("robot:delete"), {"robot_id": "{system_robot}"}),
    Case("DELETE /robots/{robot_id}", project("robot:delete"), {"robot_id": "{robot}"}),
    Case("GET /projects", ANYBODY),
    Case("POST /projects", CREATORS, body={"project_name": "-"}),
    Case("HEAD /projects", SIGNED_IN, query="project_name={project_name}"),
    Case(f"GET {_PROJECT}", project("project:read")),
    Case(f"PUT {_PROJECT}", project("project:update"), body={}),
    Case(f"DELETE {_PROJECT}", project("project:delete")),
    Case(f"GET {_PROJECT}/_deletable", project("project:delete")),
    Case(f"GET {_PROJECT}/summary", project("project:read")),
    Case(f"GET {_PROJECT}/artifacts", signed_in_project("artifact:list")),
    Case(f"GET {_PROJECT}/members", project("member:list")),
    Case(f"POST {_PROJECT}/members", project("member:create"), body={}),
    Case(f"GET {_PROJECT}/members/{{mid}}", project("member:read")),
    Case(f"PUT {_PROJECT}/members/{{mid}}", project("member:update"), body={}),
    Case(f"DELETE {_PROJECT}/members/{{mid}}", project("member:delete")),
    Case(f"GET {_PROJECT}/metadatas", project("metadata:list")),
    Case(f"POST {_PROJECT}/metadatas", project("metadata:create"), body={}),
    Case(f"GET {_PROJECT}/metadatas/{{meta_name}}", project("metadata:read")),
    Case(f"PUT {_PROJECT}/metadatas/{{meta_name}}", project("metadata:update"), body={}),
    Case(f"DELETE {_PROJECT}/metadatas/{{meta_name}}", project("metadata:delete")),
    Case(f"GET {_PROJECT}/immutabletagrules", project("immutable-tag:list")),
    Case(f"POST {_PROJECT}/immutabletagrules", project("immutable-tag:create"), body={}),
    Case(f"PUT {_PROJECT}/immutabletagrules/{{immutable_rule_id}}", project("immutable-tag:update"), body=_RULE),
    Case(f"DELETE {_PROJECT}/immutabletagrules/{{immutable_rule_id}}", project("immutable-tag:delete")),
    Case(f"GET {_PROJECT}/robots", project("robot:list")),
    Case(f"POST {_PROJECT}/robots", project("robot:create"), body={"name": "-"}),
    Case(f"GET {_PROJECT}/robots/{{robot_id}}", project("robot:read")),
    Case(f"PUT {_PROJECT}/robots/{{robot_id}}", project("robot:update"), body={}),
    Case(f"DELETE {_PROJECT}/robots/{{robot_id}}", project("robot:delete")),
    Case(f"GET {_WEBHOOK}/events", project("notification-policy:read")),
    Case(f"GET {_WEBHOOK}/lasttrigger", project("notification-policy:read")),
    Case(f"GET {_WEBHOOK}/jobs", project("notification-policy:list"), query="policy_id={webhook}"),
    Case(f"GET {_WEBHOOK}/policies", project("notification-policy:list")),
    Case(f"POST {_WEBHOOK}/policies", project("notification-policy:create"), body={}),
    Case(f"GET {_HOOK}", project("notification-policy:read"), _OF_HOOK),
    Case(f"PUT {_HOOK}", project("notification-policy:update"), _OF_HOOK, {}),
    Case(f"DELETE {_HOOK}", project("notification-policy:delete"), _OF_HOOK),
    Case(f"GET {_HOOK}/signing-secrets", project("notification-policy:read"), _OF_HOOK),
    Case(f"PUT {_HOOK}/signing-secrets", project("notification-policy:update"), _OF_HOOK, {"address": "none"}),
    Case(f"GET {_HOOK}/executions", project("notification-policy:read"), _OF_HOOK),
    Case(f"POST {_HOOK}/executions/{{execution_id}}/replay", project("notification-policy:update"), _OF_HOOK),
    Case(f"GET {_HOOK}/executions/{{execution_id}}/tasks", project("notification-policy:read"), _OF_HOOK),
    Case(
        f"GET {_HOOK}/executions/{{execution_id}}/tasks/{{task_id}}/log",
        project("notification-policy:read"),
        _OF_HOOK,
    ),
    Case("GET /repositories", ANYBODY),
    Case(f"GET {_REPOSITORIES}", project("repository:list")),
    Case(f"GET {_REPOSITORY}", project("repository:read")),
    Case(f"PUT {_REPOSITORY}", project("repository:update"), body={}),
    Case(f"DELETE {_REPOSITORY}", project("repository:delete"), {"repository_name": "none"}),
    Case(f"GET {_REPOSITORY}/tags", project("tag:list")),
    Case(f"GET {_REPOSITORY}/artifacts", project("artifact:list")),
    Case(f"POST {_REPOSITORY}/artifacts", project("artifact:create"), query="from=none"),
    Case(f"GET {_ARTIFACT}", project("artifact:read")),
    Case(f"DELETE {_ARTIFACT}", project("artifact:delete"), {"reference": "none"}),
    Case(f"GET {_ARTIFACT}/tags", project("tag:list")),
    Case(f"POST {_ARTIFACT}/tags", project("tag:create"), body={"name": "v1"}),
    Case(f"DELETE {_ARTIFACT}/tags/{{tag_name}}", project("tag:delete"), {"tag_name": "none"}),
    Case(f"GET {_ARTIFACT}/accessories", project("accessory:list")),
    Case(f"GET {_ARTIFACT}/additions/vulnerabilities", project("artifact-addition:read")),
    Case(f"GET {_ARTIFACT}/additions/{{addition}}", project("artifact-addition:read")),
    Case(f"POST {_ARTIFACT}/labels", project("artifact-label:create"), body={"id": 999999}),
    Case(f"DELETE {_ARTIFACT}/labels/{{label_id}}", project("artifact-label:delete"), {"label_id": "999999"}),
)
