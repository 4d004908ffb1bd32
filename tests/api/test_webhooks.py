"""Webhooks: what a real receiver gets of each event, compared member by member, and what policies are refused."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import NewUser, location
from tests.api.test_retention import House, rule
from tests.parts.client import Answer, Client, expect
from tests.parts.receiver import Receiver, receiving, until
from tests.parts.server import Server

DELIVERED = ["PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT", "QUOTA_EXCEED", "QUOTA_WARNING", "TAG_RETENTION"]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


class Hooks:
    """The webhook policies of a project."""

    def __init__(self, admin: Client, project: str, receiver: Receiver) -> None:
        self.admin = admin
        self.project = project
        self.receiver = receiver
        self.base = f"/projects/{project}/webhook"

    def body(self, name: str, *events: str, path: str = "", url: str = "", **target: Any) -> dict[str, Any]:
        """A policy that delivers to a path of the receiver's, by default one of the project's own."""
        address = url or f"{self.receiver.url}{path or self.path(name)}"
        targets = [{"type": "http", "address": address, **target}]
        return {"name": name, "enabled": True, "event_types": list(events or DELIVERED), "targets": targets}

    def path(self, name: str) -> str:
        return f"/{self.project}/{name}"

    def make(self, name: str, *events: str, **members: Any) -> str:
        return location(self.admin, "POST", f"{self.base}/policies", self.body(name, *events, **members))

    def read(self, path: str) -> Any:
        return expect(self.admin.api("GET", path), 200).json()

    def ended(self, policy: str, count: int = 1) -> list[dict[str, Any]]:
        """The policy's executions, the oldest first, once so many have ended."""

        def look() -> Any:
            found = self.read(f"{policy}/executions?sort=id&page_size=100")
            return len(found) >= count and all(each["status"] != "Running" for each in found) and found

        found: list[dict[str, Any]] = until(look)
        return found

    def log(self, policy: str, execution: dict[str, Any]) -> str:
        tasks = self.read(f"{policy}/executions/{execution['id']}/tasks")
        path = f"{policy}/executions/{execution['id']}/tasks/{tasks[0]['id']}/log"
        return expect(self.admin.api("GET", path), 200).body.decode()


@pytest.fixture
def hooks(admin: Client, project: str, receiver: Receiver) -> Hooks:
    return Hooks(admin, project, receiver)


def told(refusal: Answer) -> str:
    """The message of an error."""
    (error,) = refusal.json()["errors"]
    return str(error["message"])


def of_type(received: list[Any], event_type: str) -> Any:
    """The one body of that type."""
    (found,) = [each.json() for each in received if each.json()["type"] == event_type]
    return found


def test_every_event_is_told_as_harbor_tells_it(hooks: Hooks, server: Server, new_user: NewUser) -> None:
    admin, project = hooks.admin, hooks.project
    policy = hooks.make("all", auth_header="Token abc-abc-abc")
    began = int(time.time())
    digest = admin.push_image(f"{project}/deep/app", "v1", b"x" * 100)
    expect(admin.registry("GET", f"/v2/{project}/deep/app/manifests/v1"), 200)
    expect(admin.registry("GET", f"/v2/{project}/deep/app/manifests/{digest}"), 200)
    expect(admin.registry("HEAD", f"/v2/{project}/deep/app/manifests/v1"), 200)
    path = hooks.path("all")
    hooks.receiver.wait(path, 3)
    artifact = f"/projects/{project}/repositories/deep%252Fapp/artifacts/v1"
    expect(admin.api("POST", f"{artifact}/tags", {"name": "also"}), 201)
    expect(admin.api("DELETE", f"{artifact}/tags/also"), 200)
    expect(admin.api("DELETE", artifact), 200)
    received = hooks.receiver.wait(path, 4)
    assert {each.headers["authorization"] for each in received} == {"Token abc-abc-abc"}
    assert {each.headers["content-type"] for each in received} == {"application/json"}
    push = of_type(received, "PUSH_ARTIFACT")
    created = push["event_data"]["repository"]["date_created"]
    assert all(type(each) is int and began - 1 <= each <= time.time() for each in (created, push["occur_at"]))
    repository = {
        "date_created": created,
        "name": "deep/app",
        "namespace": project,
        "repo_full_name": f"{project}/deep/app",
        "repo_type": "private",
    }
    tagged = {"digest": digest, "tag": "v1", "resource_url": f"{server.host}/{project}/deep/app:v1"}
    plain = {"digest": digest, "tag": digest, "resource_url": f"{server.host}/{project}/deep/app@{digest}"}

    def body(event_type: str, resource: Any, moment: int) -> Any:
        data = {"resources": [resource], "repository": repository}
        return {"type": event_type, "occur_at": moment, "operator": "admin", "event_data": data}

    assert push == body("PUSH_ARTIFACT", tagged, push["occur_at"])
    deleted = of_type(received, "DELETE_ARTIFACT")
    assert deleted == body("DELETE_ARTIFACT", tagged, deleted["occur_at"])
    pulls = [each.json() for each in received if each.json()["type"] == "PULL_ARTIFACT"]
    by_digest, by_tag = sorted(pulls, key=lambda each: str(each["event_data"]["resources"][0]["tag"]))
    assert by_digest == body("PULL_ARTIFACT", plain, by_digest["occur_at"])
    assert by_tag == body("PULL_ARTIFACT", tagged, by_tag["occur_at"])
    assert len(hooks.ended(policy, 4)) == 4  # neither HEAD nor tags are told


def test_the_quota_is_told_of_when_it_is_near_and_when_it_is_exceeded(hooks: Hooks, server: Server) -> None:
    admin, project = hooks.admin, hooks.project
    hooks.make("quota", "QUOTA_EXCEED", "QUOTA_WARNING")
    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    (quota,) = hooks.read(f"/quotas?reference=project&reference_id={number}")
    expect(admin.api("PUT", f"/quotas/{quota['id']}", {"hard": {"storage": 10_240}}), 200)
    admin.push_blob(f"{project}/app", b"a" * 8000)
    assert not hooks.receiver.on(hooks.path("quota"))
    admin.push_blob(f"{project}/app", b"b" * 1000)
    (warned,) = hooks.receiver.wait(hooks.path("quota"))
    repository = {"name": "app", "namespace": project, "repo_full_name": f"{project}/app", "repo_type": "private"}
    details = "quota usage reach 85%: resource storage used 8.8 KiB of 10.0 KiB"
    data = {"repository": repository, "custom_attributes": {"Details": details}}
    warning = warned.json()
    assert warning == {
        "type": "QUOTA_WARNING",
        "occur_at": warning["occur_at"],
        "operator": "admin",
        "event_data": data,
    }
    blobs = [
        {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(text).hexdigest()}", "size": len(text)}
        for kind, text in (
            ("application/vnd.oci.image.config.v1+json", b"a" * 8000),
            ("application/vnd.oci.image.layer.v1.tar", b"b" * 1000),
        )
    ]
    manifest = {"schemaVersion": 2, "config": blobs[0], "layers": blobs[1:], "annotations": {"x": "y" * 2000}}
    content = json.dumps(manifest).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    refused = expect(admin.registry("PUT", f"/v2/{project}/app/manifests/v9", content, headers), 403)
    exceeded = hooks.receiver.wait(hooks.path("quota"), 2)[1].json()
    assert exceeded["type"] == "QUOTA_EXCEED"
    assert exceeded["event_data"] == {
        "resources": [{"digest": digest, "tag": "v9"}],
        "repository": repository,
        "custom_attributes": {"Details": told(refused)},
    }


def test_retention_is_told_of_with_its_rules_and_what_it_has_deleted(hooks: Hooks) -> None:
    hooks.make("kept", "TAG_RETENTION")
    house = House(hooks.admin, hooks.project)
    house.push("old", "new", repository="some/app")
    policy = location(hooks.admin, "POST", "/retentions", house.policy(rule("latestPushedK", 1)))
    house.run(policy, dry_run=True)
    house.run(policy)
    (received,) = hooks.receiver.wait(hooks.path("kept"))
    retained = received.json()
    everything = {"kind": "doublestar", "pattern": "**", "extras": ""}
    assert retained == {
        "type": "TAG_RETENTION",
        "occur_at": retained["occur_at"],
        "operator": "admin",
        "event_data": {
            "retention": {
                "total": 2,
                "retained": 1,
                "harbor_hostname": "127.0.0.1",
                "project_name": hooks.project,
                "retention_policy_id": int(policy.rpartition("/")[2]),
                "retention_rule": [
                    {
                        "template": "latestPushedK",
                        "params": {"latestPushedK": 1},
                        "tag_selectors": [{**everything, "decoration": "matches"}],
                        "scope_selectors": {"repository": [{**everything, "decoration": "repoMatches"}]},
                    }
                ],
                "result": "SUCCESS",
                "deleted_artifact": [
                    {"type": "image", "status": "SUCCESS", "name_tag": "some/app:old", "references": None}
                ],
            }
        },
    }


def test_a_cloud_event_holds_the_same_and_says_where_it_comes_from(hooks: Hooks) -> None:
    policy = hooks.make("cloud", "PUSH_ARTIFACT", payload_format="CloudEvents")
    hooks.make("plain", "PUSH_ARTIFACT")
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    (received,), (plain,) = hooks.receiver.wait(hooks.path("cloud")), hooks.receiver.wait(hooks.path("plain"))
    event, number = received.json(), hooks.read(policy)["project_id"]
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert event == {
        "specversion": "1.0",
        "id": received.headers["x-mooring-delivery"],
        "requestid": event["requestid"],
        "source": f"/projects/{number}/webhook/policies/{policy.rpartition('/')[2]}",
        "type": "harbor.artifact.pushed",
        "datacontenttype": "application/json",
        "time": event["time"],
        "operator": "admin",
        "data": plain.json()["event_data"],
    }
    assert len(event["requestid"]) == 36
    assert time.strptime(event["time"], "%Y-%m-%dT%H:%M:%S.%fZ")


def test_slack_gets_blocks_that_are_json_and_no_credentials(hooks: Hooks) -> None:
    policy = hooks.make("slack", "PUSH_ARTIFACT", type="slack", auth_header="Bearer not-for-slack")
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    (received,) = hooks.receiver.wait(hooks.path("slack"))
    blocks = received.json()["blocks"]
    texts = [each["text"]["text"] for each in blocks]
    assert all(each["type"] == "section" and each["text"]["type"] == "mrkdwn" for each in blocks)
    assert texts[0] == "*Harbor webhook events*"
    assert texts[1] == "*event_type:* PUSH_ARTIFACT"
    assert texts[2].startswith("*occur_at:* <!date^")
    assert texts[3:5] == ["*operator:* admin", "*event_data:*"]
    assert json.loads(texts[5].strip("`"))["repository"]["name"] == "app"
    assert "authorization" not in received.headers
    (execution,) = hooks.ended(policy)
    assert execution["vendor_type"] == "SLACK"
    (job,) = hooks.read(f"{hooks.base}/jobs?policy_id={policy.rpartition('/')[2]}")
    assert job["notify_type"] == "slack"


def test_pulls_of_a_second_are_told_one_by_one_up_to_ten(hooks: Hooks, server: Server) -> None:
    admin, project = hooks.admin, hooks.project
    admin.push_image(f"{project}/app", "v1", b"x")
    policy = hooks.make("pulls", "PULL_ARTIFACT")
    for _ in range(3):
        expect(admin.registry("GET", f"/v2/{project}/app/manifests/v1"), 200)
    assert len(hooks.ended(policy, 3)) == 3
    assert len(hooks.receiver.on(hooks.path("pulls"))) == 3


def test_what_is_disabled_or_switched_off_hears_of_nothing(hooks: Hooks) -> None:
    body = hooks.body("off", "PUSH_ARTIFACT") | {"enabled": False}
    off = location(hooks.admin, "POST", f"{hooks.base}/policies", body)
    other = hooks.make("other", "DELETE_ARTIFACT")
    on = hooks.make("on", "PUSH_ARTIFACT")
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    hooks.receiver.wait(hooks.path("on"))
    assert len(hooks.ended(on)) == 1
    assert hooks.read(f"{off}/executions") == hooks.read(f"{other}/executions") == []
    triggers = {(each["policy_name"], each["event_type"]): each for each in hooks.read(f"{hooks.base}/lasttrigger")}
    assert triggers["on", "PUSH_ARTIFACT"]["last_trigger_time"] > triggers["on", "PUSH_ARTIFACT"]["creation_time"]
    assert triggers["other", "DELETE_ARTIFACT"]["last_trigger_time"].startswith("0001-01-01")


def test_a_delivery_is_signed_and_sent_again_under_the_same_id(hooks: Hooks) -> None:
    policy, secret = hooks.make("signed", "PUSH_ARTIFACT"), "the-secret-of-this-target"
    address = hooks.read(policy)["targets"][0]["address"]
    expect(hooks.admin.api("PUT", f"{policy}/signing-secrets", {"address": "http://other/", "secret": secret}), 404)
    expect(hooks.admin.api("PUT", f"{policy}/signing-secrets", {"address": address, "secret": secret}), 200)
    expect(hooks.admin.api("PUT", policy, hooks.body("signed", "PUSH_ARTIFACT", auth_header="x")), 200)
    assert hooks.read(f"{policy}/signing-secrets") == [{"address": address}]
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    (execution,) = hooks.ended(policy)
    again = location(hooks.admin, "POST", f"{policy}/executions/{execution['id']}/replay", None)
    first, second = hooks.receiver.wait(hooks.path("signed"), 2)
    for received in (first, second):
        number, moment = received.headers["x-mooring-delivery"], received.headers["x-mooring-timestamp"]
        signed = f"{number}.{moment}.".encode() + received.body
        assert (
            received.headers["x-mooring-signature"] == "v1=" + hmac.new(secret.encode(), signed, "sha256").hexdigest()
        )
    assert (first.body, first.headers["x-mooring-delivery"]) == (second.body, second.headers["x-mooring-delivery"])
    replayed = hooks.ended(policy, 2)[1]
    assert (again, replayed["trigger"]) == (f"{policy}/executions/{replayed['id']}", "MANUAL")
    assert secret not in json.dumps([hooks.read(policy), hooks.log(policy, execution)])
    expect(hooks.admin.api("PUT", f"{policy}/signing-secrets", {"address": address, "secret": ""}), 200)
    assert hooks.read(f"{policy}/signing-secrets") == []
    expect(hooks.admin.api("PUT", policy, hooks.body("signed", "PUSH_ARTIFACT", path="/elsewhere")), 200)
    expect(hooks.admin.api("POST", f"{policy}/executions/{execution['id']}/replay"), 400)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("500", "the receiver answered with status 500"),
        ("302", "the receiver answered with status 302; redirects are not followed"),
        ("private", "127.0.0.2 is at a private address"),
        ("refused", "127.0.0.1 cannot be reached"),
    ],
)
def test_what_a_receiver_does_not_take_is_tried_again_and_the_log_says_why_but_not_what_it_said(
    hooks: Hooks, name: str, reason: str
) -> None:
    addresses = {
        "500": f"{hooks.receiver.url}/500/x",
        "302": f"{hooks.receiver.url}/302/x",
        "private": f"http://127.0.0.2:{hooks.receiver.port}/private",
        "refused": "http://127.0.0.1:1/",
    }
    policy = hooks.make("failing", "PUSH_ARTIFACT", url=addresses[name])
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")

    def tried() -> Any:
        (execution,) = hooks.read(f"{policy}/executions")
        return execution["metrics"] == {"task_count": 1, "scheduled_task_count": 1} and execution

    execution = until(tried)
    (task,) = hooks.read(f"{policy}/executions/{execution['id']}/tasks")
    assert (task["status"], task["run_count"], execution["status"]) == ("Scheduled", 1, "Running")
    log = hooks.log(policy, execution)
    assert reason in log
    assert Receiver.SPOKEN.decode() not in log
    assert not hooks.receiver.on("/redirected")
    assert not hooks.receiver.on("/private")
    expect(hooks.admin.api("DELETE", policy), 412)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"event_types": []}, "empty event type"),
        ({"event_types": ["pushImage"]}, "unsupported event type pushImage"),
        ({"targets": []}, "empty notification target with policy x"),
        ({"targets": [{"type": "mail", "address": "http://a/"}]}, "unsupported target type mail with policy x"),
        ({"targets": [{"type": "http", "address": ""}]}, "empty URL"),
        ({"targets": [{"type": "http", "address": "gopher://a/"}]}, "invalid scheme: gopher"),
        ({"targets": [{"type": "http", "address": "http://a/", "auth_header": "a\r\nX: y"}]}, "one line of ASCII"),
        ({"targets": [{"type": "http", "address": "http://a/", "payload_format": "XML"}]}, "payload format type: XML"),
        (
            {"targets": [{"type": "slack", "address": "http://a/", "payload_format": "Default"}]},
            "set payload format is not allowed for slack",
        ),
    ],
)
def test_a_policy_that_could_deliver_nothing_is_refused(hooks: Hooks, change: dict[str, Any], complaint: str) -> None:
    body = hooks.body("x", "PUSH_ARTIFACT") | change
    assert complaint in told(expect(hooks.admin.api("POST", f"{hooks.base}/policies", body), 400))
    assert hooks.read(f"{hooks.base}/policies") == []


def test_a_policy_is_changed_and_keeps_who_made_it_and_when(hooks: Hooks) -> None:
    policy = location(hooks.admin, "POST", f"{hooks.base}/policies", hooks.body("a") | {"creator": "ada"})
    before = hooks.read(policy)
    hooks.make("b")
    assert "already exists" in told(expect(hooks.admin.api("PUT", policy, hooks.body("b")), 409))
    expect(hooks.admin.api("PUT", policy, hooks.body("c", "PULL_ARTIFACT") | {"enabled": False}), 200)
    after = hooks.read(policy)
    assert (after["name"], after["enabled"], after["event_types"]) == ("c", False, ["PULL_ARTIFACT"])
    assert (after["creator"], after["creation_time"]) == ("ada", before["creation_time"])
    assert after["update_time"] > before["update_time"]
    assert [each["name"] for each in hooks.read(f"{hooks.base}/policies?sort=name")] == ["b", "c"]
    expect(hooks.admin.api("DELETE", policy), 200)
    expect(hooks.admin.api("GET", policy), 404)


def test_policies_go_with_their_project(hooks: Hooks) -> None:
    policy = hooks.make("gone")
    expect(hooks.admin.api("DELETE", f"/projects/{hooks.project}"), 200)
    expect(hooks.admin.api("POST", "/projects", {"project_name": hooks.project}), 201)
    assert hooks.read(f"{hooks.base}/policies") == []
    expect(hooks.admin.api("GET", policy), 404)


def test_credentials_are_kept_sealed(hooks: Hooks, server: Server) -> None:
    secret = "Basic " + base64.b64encode(b"somebody:their-password").decode()
    policy = hooks.make("sealed", auth_header=secret)
    assert hooks.read(policy)["targets"][0]["auth_header"] == secret
    files = [path for path in server.data.glob("mooring.db*") if path.is_file()]
    assert not any(secret.encode() in path.read_bytes() for path in files)
