"""Retention policies: what is refused, what stays after a run, and that a preview said so."""

import json
import time
from collections.abc import Iterable
from typing import Any

import pytest

from tests.api.conftest import location
from tests.api.test_immutability import message
from tests.api.test_immutability import rule as immutable_rule
from tests.parts.client import OCI_INDEX, OCI_MANIFEST, Client, expect
from tests.parts.server import Server


def selector(pattern: str, decoration: str = "matches", kind: str = "doublestar", **members: Any) -> dict[str, Any]:
    return {"kind": kind, "decoration": decoration, "pattern": pattern, **members}


def rule(template: str, number: object = None, tags: Iterable[dict[str, Any]] = (), repositories: str = "**") -> Any:
    """A rule as guides write it."""
    return {
        "disabled": False,
        "action": "retain",
        "template": template,
        "params": {} if number is None else {template: number},
        "tag_selectors": list(tags) or [selector("**")],
        "scope_selectors": {"repository": [selector(repositories, "repoMatches")]},
    }


class House:
    """A project with its policy."""

    def __init__(self, admin: Client, project: str) -> None:
        self.admin = admin
        self.project = project
        self.id = int(expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"])

    def policy(self, *rules: Any, cron: str = "") -> dict[str, Any]:
        return {
            "algorithm": "or",
            "rules": list(rules),
            "scope": {"level": "project", "ref": self.id},
            "trigger": {"kind": "Schedule", "references": {}, "settings": {"cron": cron}},
        }

    def push(self, *tags: str, repository: str = "app") -> list[str]:
        """Push an image for each tag, one after the other; their digests."""
        return [self.admin.push_image(f"{self.project}/{repository}", tag, tag.encode()) for tag in tags]

    def tags(self, repository: str = "app") -> list[str]:
        path = f"/projects/{self.project}/repositories/{repository}/artifacts?page_size=100"
        found = expect(self.admin.api("GET", path), 200).json()
        return sorted(tag["name"] for each in found for tag in each["tags"] or ())

    def preview(self, policy: dict[str, Any], repository: str = "app") -> dict[str, Any]:
        path = f"/retentions/preview?repository={repository}&page_size=100"
        previewed: dict[str, Any] = expect(self.admin.api("POST", path, policy), 200).json()
        return previewed

    def run(self, policy: str, *, dry_run: bool = False) -> list[dict[str, Any]]:
        """Carry the policy out; the tasks once all have ended well."""
        run = location(self.admin, "POST", f"{policy}/executions", {"dry_run": dry_run})
        number = int(run.rpartition("/")[2])
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            runs = expect(self.admin.api("GET", f"{policy}/executions"), 200).json()
            (status,) = [each["status"] for each in runs if each["id"] == number]
            if status != "Running":
                assert status == "Success"
                tasks: list[dict[str, Any]] = expect(self.admin.api("GET", f"{run}/tasks"), 200).json()
                return tasks
            time.sleep(0.05)
        raise AssertionError("the run has not ended within two minutes")

    def retain(self, *rules: Any) -> list[str]:
        """The tags of `app` after these rules were carried out, which a preview and a dry run foretold."""
        policy = self.policy(*rules)
        foretold = self.preview(policy)
        path = location(self.admin, "POST", "/retentions", policy)
        (dry,) = self.run(path, dry_run=True)
        before = self.tags()
        assert sorted(tag for each in foretold["artifacts"] for tag in each["tags"]) == before
        (done,) = self.run(path)
        left = self.tags()
        assert left == sorted(tag for each in foretold["artifacts"] if each["verdict"] != "DEL" for tag in each["tags"])
        assert (foretold["total"], foretold["retained"]) == (dry["total"], dry["retained"])
        assert (dry["total"], dry["retained"]) == (done["total"], done["retained"])
        expect(self.admin.api("DELETE", path), 200)
        return left


@pytest.fixture
def house(admin: Client, project: str) -> House:
    return House(admin, project)


def test_the_policy_of_the_guide_keeps_exactly_what_it_says(house: House, admin: Client) -> None:
    house.push(*(f"v{number}" for number in range(13)), "main-1", "feature-x")
    rules = (rule("latestPushedK", 10, [selector("v*")]), rule("nDaysSinceLastPush", 7, [selector("main-*")]))
    policy = location(admin, "POST", "/retentions", house.policy(*rules, cron="0 3 * * *"))
    known = expect(admin.api("GET", policy), 200).json()
    assert known["trigger"]["settings"]["cron"] == "0 3 * * *"
    assert known["trigger"]["settings"]["next_scheduled_time"].endswith("T03:00:00.000Z")
    (task,) = house.run(policy)
    assert (task["repository"], task["total"], task["retained"]) == ("app", 15, 11)
    assert house.tags() == sorted([*(f"v{number}" for number in range(3, 13)), "main-1"])


def test_a_rule_keeps_what_it_says_and_the_preview_has_said_so(house: House) -> None:
    versions = ["1.10.0", "v1.9.0", "1.10.0-rc.1", "2.0", "latest", "nightly"]
    house.push(*versions)
    assert house.retain(rule("latestSemverK", 3), rule("always", tags=[selector("night.*", kind="regexp")])) == sorted(
        ["2.0", "1.10.0", "1.10.0-rc.1", "nightly"]
    )
    assert house.retain(rule("always", tags=[selector("{1,2}*")])) == ["1.10.0", "1.10.0-rc.1", "2.0"]
    assert house.retain(rule("latestPushedK", "1")) == ["2.0"]
    assert house.retain(rule("nDaysSinceLastPull", 1)) == []


def test_a_repository_that_no_rule_is_about_is_left_alone(house: House, admin: Client) -> None:
    house.push("v1")
    house.push("v1", repository="tool")
    policy = house.policy(rule("latestPushedK", 0, repositories="app"))
    path = location(admin, "POST", "/retentions", policy)
    assert house.preview(policy, "tool") == {
        "repository": "tool",
        "is_selected": False,
        "total": 0,
        "retained": 0,
        "artifacts": [],
    }
    assert [task["repository"] for task in house.run(path)] == ["app"]
    assert (house.tags(), house.tags("tool")) == ([], ["v1"])


def test_what_is_immutable_or_in_an_index_that_stays_is_not_deleted(house: House, admin: Client) -> None:
    expect(admin.api("POST", f"/projects/{house.project}/immutabletagrules", immutable_rule("rel-*")), 201)
    rel, child, _ = house.push("rel-1", "child", "gone")
    # By HEAD, which is no pull: one that is written between a plan and its run keeps what was pulled.
    size = int(admin.registry("HEAD", f"/v2/{house.project}/app/manifests/{child}").headers["Content-Length"])
    manifests = [{"mediaType": OCI_MANIFEST, "digest": child, "size": size}]
    house.admin.push_manifest(
        f"{house.project}/app",
        "index",
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode(),
        OCI_INDEX,
    )
    policy = house.policy(rule("always", tags=[selector("index")]))
    verdicts = {each["digest"]: each["verdict"] for each in house.preview(policy)["artifacts"]}
    assert (verdicts[rel], verdicts[child]) == ("IMMUTABLE", "IN INDEX")
    assert house.retain(rule("always", tags=[selector("index")])) == ["child", "index", "rel-1"]
    assert house.retain(rule("always", tags=[selector("nothing", extras='{"untagged":false}')])) == ["rel-1"]


def test_what_has_no_tag_stays_if_the_pattern_is_meant_for_it(house: House, admin: Client) -> None:
    untagged, _ = house.push("v1", "v2")
    expect(admin.api("DELETE", f"/projects/{house.project}/repositories/app/artifacts/{untagged}/tags/v1"), 200)

    def kept(chosen: dict[str, Any]) -> bool:
        decisions = house.preview(house.policy(rule("always", tags=[chosen])))["artifacts"]
        (verdict,) = [each["verdict"] for each in decisions if each["digest"] == untagged]
        return bool(verdict == "RETAIN")

    assert kept(selector("**"))
    assert kept(selector("**", extras='{"untagged":true}'))
    assert not kept(selector("**", extras='{"untagged":false}'))
    assert kept(selector("x", "excludes"))
    assert not kept(selector("x", "excludes", extras='{"untagged":true}'))


def test_a_run_acts_in_the_name_of_the_jobservice_and_says_in_its_log_why(house: House, admin: Client) -> None:
    old, new = house.push("v1", "v2")
    policy = location(admin, "POST", "/retentions", house.policy(rule("latestPushedK", 1)))
    (task,) = house.run(policy)
    log = expect(admin.api("GET", f"{policy}/executions/{task['execution_id']}/tasks/{task['id']}"), 200).body.decode()
    verdicts = {line.split()[1]: line.split("|")[8:10] for line in log.splitlines() if line.startswith("| sha256:")}
    assert verdicts == {old: [" DEL ", "  "], new: [" RETAIN ", " 1 "]}
    query = "q=operation=delete,resource_type=artifact,username=harbor-jobservice&page_size=1"
    (entry,) = expect(admin.api("GET", f"/projects/{house.project}/auditlog-exts?{query}"), 200).json()
    assert old in entry["resource"]


def test_what_could_not_work_is_refused_when_it_is_made(house: House, admin: Client) -> None:
    good = rule("always")
    for bad in (
        rule("newest"),
        rule("latestPushedK", -1),
        rule("latestPushedK", 32767),
        rule("latestPushedK", "many"),
        rule("latestPushedK", True),
        rule("latestPushedK", 1.5),
        rule("nDaysSinceLastPush", 20190905),
        rule("always", tags=[selector("**", "likes")]),
        rule("always", tags=[selector("**", "repoMatches")]),
        rule("always", tags=[selector("**", kind="label")]),
        rule("always", tags=[selector("{a", "matches")]),
        rule("always", tags=[selector("(", kind="regexp")]),
        rule("always", tags=[selector("**", extras="no JSON")]),
        rule("always", tags=[selector("**", extras="[]")]),
        rule("always", repositories="{a"),
        good | {"action": "delete"},
        good | {"scope_selectors": {"project": []}},
    ):
        said = message(admin, 400, "POST", "/retentions", house.policy(bad))
        assert said.startswith("bad request: "), bad
        assert message(admin, 400, "POST", "/retentions/preview?repository=app", house.policy(bad)) == said
    said = message(admin, 409, "POST", "/retentions", house.policy(good, rule("latestPushedK", 1), good))
    assert said == "resource conflict: rule 2 is conflict with rule 0"
    many = [rule("latestPushedK", number) for number in range(16)]
    assert message(admin, 400, "POST", "/retentions", house.policy(*many)).endswith("only 15 rules are allowed at most")
    message(admin, 400, "POST", "/retentions", house.policy(good) | {"algorithm": "and"})
    message(admin, 400, "POST", "/retentions", house.policy(good, cron="@daily"))
    assert expect(admin.api("GET", f"/projects/{house.project}/metadatas/retention_id"), 200).json() == {}


def test_a_policy_stays_in_its_project(house: House, admin: Client, server: Server) -> None:
    other = House(admin, server.create_project())
    policy = location(admin, "POST", "/retentions", house.policy(rule("always")))
    message(admin, 404, "PUT", policy, other.policy(rule("latestPushedK", 0)))
    theirs = location(admin, "POST", "/retentions", other.policy(rule("always")))
    run = location(admin, "POST", f"{theirs}/executions", {"dry_run": True}).rpartition("/")[2]
    message(admin, 404, "GET", f"{policy}/executions/{run}/tasks")
    message(admin, 404, "PATCH", f"{policy}/executions/{run}", {"action": "stop"})
    assert expect(admin.api("GET", policy), 200).json()["rules"][0]["template"] == "always"


def test_a_policy_goes_with_its_project(house: House, admin: Client) -> None:
    policy = location(admin, "POST", "/retentions", house.policy(rule("always"), cron="0 0 3 * * *"))
    expect(admin.api("DELETE", f"/projects/{house.project}"), 200)
    expect(admin.api("GET", policy), 404)


def test_a_run_is_found_in_its_own_policy_alone(house: House, server: Server) -> None:
    admin, other = house.admin, House(house.admin, server.create_project())
    house.push("v1")
    own, foreign = (location(admin, "POST", "/retentions", each.policy(rule("always"))) for each in (house, other))
    run = location(admin, "POST", f"{own}/executions", {"dry_run": True}).rpartition("/")[2]
    elsewhere = f"project: {other.id}, execution id {run} not found"
    assert message(admin, 404, "GET", f"{foreign}/executions/{run}/tasks") == elsewhere
    assert message(admin, 404, "GET", f"{foreign}/executions/{run}/tasks/1") == elsewhere
    assert message(admin, 404, "PATCH", f"{foreign}/executions/{run}", {"action": "stop"}) == elsewhere
    assert message(admin, 404, "GET", f"{own}/executions/{run}/tasks/99999999") == "task 99999999 not found"


def test_a_run_can_be_stopped_and_nothing_else_whoever_asks(house: House, user: Client) -> None:
    policy = location(house.admin, "POST", "/retentions", house.policy(rule("always")))
    for client in (house.admin, user):
        refusal = message(client, 400, "PATCH", f"{policy}/executions/1", {"action": "pause"})
        assert refusal == "bad request: action should be 'stop'"


def test_the_log_is_harbors_table_and_tells_the_rules(house: House, word: str) -> None:
    admin = house.admin
    (digest,) = house.push("v1")
    label = location(admin, "POST", "/labels", {"name": word, "scope": "g"}).rpartition("/")[2]
    artifact = f"/projects/{house.project}/repositories/app/artifacts/v1"
    expect(admin.api("POST", f"{artifact}/labels", {"id": int(label)}), 200)
    policy = location(admin, "POST", "/retentions", house.policy(rule("always")))
    (task,) = house.run(policy, dry_run=True)
    path = f"{policy}/executions/{task['execution_id']}/tasks/{task['id']}"
    lines = expect(admin.api("GET", path), 200).body.decode().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert " ".join(table[0]) == "Digest Tag Kind Labels PushedTime PulledTime CreatedTime Retention Rules"
    ((*said, pushed, pulled, created, verdict, kept),) = table[1:]
    assert (said, pulled, verdict, kept) == ([digest, "v1", "image", word], "", "RETAIN", "1")
    assert pushed >= created > "2026"
