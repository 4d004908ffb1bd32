"""What of webhooks is listed, searched and told in the small: lists, homes, addresses, and the events of deletions."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import location
from tests.api.test_retention import House, rule
from tests.api.test_webhooks import Hooks, told
from tests.parts.client import OCI_INDEX, OCI_MANIFEST, Client, expect
from tests.parts.receiver import Receiver, receiving, until


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def hooks(admin: Client, project: str, receiver: Receiver) -> Hooks:
    return Hooks(admin, project, receiver)


def ids(hooks: Hooks, path: str) -> list[int]:
    return [each["id"] for each in hooks.read(path)]


def events(hooks: Hooks, policy: str, count: int = 1) -> list[Any]:
    """The data of what the policy has delivered, the oldest first."""
    return [json.loads(each["extra_attrs"]["payload"])["event_data"] for each in hooks.ended(policy, count)]


def test_deliveries_are_searched_by_what_they_are_about(hooks: Hooks) -> None:
    policy = hooks.make("all", "PUSH_ARTIFACT", "DELETE_ARTIFACT")
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    expect(hooks.admin.api("DELETE", f"/projects/{hooks.project}/repositories/app/artifacts/v1"), 200)
    pushed, deleted = (each["id"] for each in hooks.ended(policy, 2))
    for condition, found in {
        "extra_attrs.event_type=DELETE_ARTIFACT": [deleted],
        "ExtraAttrs.event_type=PUSH_ARTIFACT": [pushed],
        "extra_attrs.event_type={PUSH_ARTIFACT DELETE_ARTIFACT}": [deleted, pushed],
        "extra_attrs.event_type=~push": [pushed],
        "extra_attrs.event_type=SNEEZE": [],
        "extra_attrs.no.such=1": [],
        'extra_attrs."=1': [],
    }.items():
        assert ids(hooks, f"{policy}/executions?q={quote(condition)}") == found, condition
    assert ids(hooks, f"{policy}/executions/{pushed}/tasks?q=extra_attrs.no%3D1") == []
    many = ",".join(f"extra_attrs.a{each}=1" for each in range(1000))
    expect(hooks.admin.api("GET", f"{policy}/executions?q={quote(many)}"), 400)


def test_a_delivery_is_found_in_its_own_place_alone(hooks: Hooks) -> None:
    one, other = hooks.make("one", "PUSH_ARTIFACT"), hooks.make("other", "PUSH_ARTIFACT")
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    (mine,), (foreign,) = hooks.ended(one), hooks.ended(other)
    (task,) = hooks.read(f"{other}/executions/{foreign['id']}/tasks")

    def refusal(path: str) -> str:
        return told(expect(hooks.admin.api("GET", path), 404))

    number = one.rpartition("/")[2]
    assert refusal(f"{one}/executions/{foreign['id']}/tasks") == (
        f"resource not found: execution {foreign['id']} not found in policy {number}"
    )
    assert refusal(f"{one}/executions/{mine['id']}/tasks/{task['id']}/log") == (
        f"resource not found: task {task['id']} not found in execution {mine['id']}"
    )
    assert refusal(f"{one}/executions/{mine['id']}/tasks/99999999/log") == "task 99999999 not found"
    elsewhere = hooks.admin.api("POST", "/projects", {"project_name": f"{hooks.project}-2"})
    home = expect(elsewhere, 201).headers["Location"].rpartition("/")[2]
    assert refusal(f"/projects/{hooks.project}-2/webhook/jobs?policy_id={number}") == (
        f"resource not found: project id {home} does not match"
    )


def test_what_has_not_ended_shows_no_time_of_its_end(hooks: Hooks) -> None:
    policy = hooks.make("failing", "PUSH_ARTIFACT", path="/500/unended")
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    (execution,) = until(lambda: hooks.read(f"{policy}/executions"))
    (task,) = hooks.read(f"{policy}/executions/{execution['id']}/tasks")
    assert execution["end_time"] == task["end_time"] == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("/", "empty URL"),
        ("  ", "empty URL"),
        ("HTTP://a/", None),
        (" https://a/x?y=http://z ", None),
        ("http://[::1]:80/", None),
        ("http://a b/c/", 'parse "http://a b/c": invalid character " " in host name'),
        ("a:b", 'parse "http://a:b": invalid port ":b" after host'),
        ("mailto:a", 'parse "http://mailto:a": invalid port ":a" after host'),
        ("http://a:65536", 'parse "http://a:65536": invalid port ":65536" after host'),
        ("http://a/%zz", 'parse "http://a/%zz": invalid URL escape "%zz"'),
        ("http://a/\tx", 'parse "http://a/\\tx": net/url: invalid control character in URL'),
        ("http://[::1", 'parse "http://[::1": Invalid IPv6 URL'),
        ("http:///x", 'parse "http:///x": there is no host in it'),
    ],
)
def test_addresses_are_taken_and_refused_as_harbor_does(hooks: Hooks, address: str, complaint: str | None) -> None:
    answer = hooks.admin.api("POST", f"{hooks.base}/policies", hooks.body("x", "PUSH_ARTIFACT", url=address))
    if complaint is None:
        (policy,) = hooks.read(f"{hooks.base}/policies")
        assert policy["targets"][0]["address"] == address.strip()
    else:
        assert told(expect(answer, 400)) == complaint


def push_index(client: Client, repository: str, *tags: str) -> str:
    """An index under the tags, of two images that have none; its digest."""
    project, _, name = repository.partition("/")
    named = []
    for tag in ("one", "other"):
        digest = client.push_image(repository, tag, tag.encode())
        size = int(client.registry("HEAD", f"/v2/{repository}/manifests/{digest}").headers["Content-Length"])
        named.append({"mediaType": OCI_MANIFEST, "digest": digest, "size": size})
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": named}).encode()
    (index,) = {client.push_manifest(repository, tag, content, OCI_INDEX) for tag in tags}
    for tag in ("one", "other"):
        expect(client.api("DELETE", f"/projects/{project}/repositories/{name}/artifacts/{tag}/tags/{tag}"), 200)
    return index


@pytest.mark.parametrize("what", ["repositories/app", "repositories/app/artifacts/first"])
def test_a_deletion_names_the_latest_tag_and_says_nothing_of_children(hooks: Hooks, what: str) -> None:
    digest = push_index(hooks.admin, f"{hooks.project}/app", "first", "second")
    policy = hooks.make("gone", "DELETE_ARTIFACT")
    expect(hooks.admin.api("DELETE", f"/projects/{hooks.project}/{what}"), 200)
    (deleted,) = events(hooks, policy)
    assert [(each["digest"], each["tag"]) for each in deleted["resources"]] == [(digest, "second")]
    is_dated = "artifacts" in what  # a repository that is gone has no date
    assert ("date_created" in deleted["repository"]) is is_dated


def set_quota(hooks: Hooks, limit: int) -> None:
    number = hooks.read(f"/projects/{hooks.project}")["project_id"]
    (quota,) = hooks.read(f"/quotas?reference=project&reference_id={number}")
    expect(hooks.admin.api("PUT", f"/quotas/{quota['id']}", {"hard": {"storage": limit}}), 200)


def test_whatever_is_added_near_a_quota_is_warned_of(hooks: Hooks) -> None:
    hooks.admin.push_blob(f"{hooks.project}/app", b"a" * 900)
    set_quota(hooks, 1000)
    policy = hooks.make("near", "QUOTA_WARNING")
    for content in (b"b" * 10, b"b" * 10, b"c" * 10):  # one of them is there already
        hooks.admin.push_blob(f"{hooks.project}/app", content)
    used = "quota usage reach 85%: resource storage used {} B of 1000 B"
    details = [each["custom_attributes"]["Details"] for each in events(hooks, policy, 2)]
    assert details == [used.format(910), used.format(920)]


def test_a_push_by_digest_that_exceeds_a_quota_is_told_of_without_a_tag(hooks: Hooks) -> None:
    path = f"/v2/{hooks.project}/app/manifests"
    hooks.admin.push_image(f"{hooks.project}/app", "v1", b"x")
    manifest = hooks.admin.registry("GET", f"{path}/v1").json() | {"annotations": {"a": "b"}}
    content = json.dumps(manifest).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    set_quota(hooks, 1)
    policy = hooks.make("over", "QUOTA_EXCEED")
    expect(hooks.admin.registry("PUT", f"{path}/{digest}", content, {"Content-Type": OCI_MANIFEST}), 403)
    (exceeded,) = events(hooks, policy)
    assert exceeded["resources"] == [{"digest": digest}]


def test_a_rule_that_has_no_parameters_is_told_of_without(hooks: Hooks) -> None:
    policy = hooks.make("kept", "TAG_RETENTION")
    house = House(hooks.admin, hooks.project)
    house.push("old", "new")
    rules = (rule("latestPushedK", 1), rule("always", repositories="other"))
    house.run(location(hooks.admin, "POST", "/retentions", house.policy(*rules)))
    (retained,) = events(hooks, policy)
    assert [each.get("params") for each in retained["retention"]["retention_rule"]] == [{"latestPushedK": 1}, None]
