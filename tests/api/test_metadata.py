"""What is kept beside a project."""

from typing import Any

import pytest

from tests.parts.client import Client, expect

GUIDE = {
    "public": "true",
    "enable_content_trust": "true",
    "enable_content_trust_cosign": "True",
    "prevent_vul": "TRUE",
    "severity": "Critical",
    "auto_scan": "1",
    "reuse_sys_cve_allowlist": "false",
}
KEPT = {
    "public": "true",
    "enable_content_trust": "true",
    "enable_content_trust_cosign": "true",
    "prevent_vul": "true",
    "severity": "critical",
    "auto_scan": "true",
    "reuse_sys_cve_allowlist": "false",
}


def shown(client: Client, project: str) -> Any:
    metadata = expect(client.api("GET", f"/projects/{project}"), 200).json()["metadata"]
    assert expect(client.api("GET", f"/projects/{project}/metadatas/"), 200).json() == metadata
    return metadata


def test_values_as_guides_write_them(admin: Client, project: str, word: str) -> None:
    expect(admin.api("POST", "/projects", {"project_name": word, "metadata": GUIDE}), 201)
    assert shown(admin, word) == KEPT
    expect(admin.api("PUT", f"/projects/{project}", {"metadata": GUIDE}), 200)
    assert shown(admin, project) == KEPT


def test_only_what_is_sent_changes(admin: Client, project: str) -> None:
    path = f"/projects/{project}"
    expect(admin.api("PUT", path, {"metadata": GUIDE}), 200)
    expect(admin.api("PUT", path, {"metadata": {"auto_scan": "false", "severity": ""}}), 200)
    expect(admin.api("PUT", path, {"public": False, "project_name": "other", "storage_limit": 5}), 200)
    assert shown(admin, project) == KEPT | {"auto_scan": "false"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("auto_scan", "perhaps"), ("severity", "awful"), ("public", "2"), ("proxy_referrer_api", "on")],
)
def test_values_that_there_are_not_are_refused_everywhere(admin: Client, project: str, name: str, value: str) -> None:
    path = f"/projects/{project}"
    for method, place, body in (
        ("PUT", path, {"metadata": {name: value}}),
        ("PUT", f"{path}/metadatas/{name}", {name: value}),
        ("POST", f"{path}/metadatas/", {name: value}),
    ):
        refused = expect(admin.api(method, place, body), 400)
        assert refused.json()["errors"][0]["message"] == f"invalid value: {value}"
    assert shown(admin, project) == {"public": "false"}


def test_one_value_at_a_time(admin: Client, project: str) -> None:
    path = f"/projects/{project}/metadatas"
    expect(admin.api("POST", f"{path}/", {"severity": "HIGH"}), 200)
    assert expect(admin.api("GET", f"{path}/severity"), 200).json() == {"severity": "high"}
    expect(admin.api("POST", path, {"severity": "low"}), 409)
    expect(admin.api("PUT", f"{path}/severity", {"severity": "low", "auto_scan": "true"}), 200)
    expect(admin.api("PUT", f"{path}/auto_scan", {"auto_scan": "true"}), 200)
    assert shown(admin, project) == {"public": "false", "severity": "low", "auto_scan": "true"}
    for _ in range(2):
        expect(admin.api("DELETE", f"{path}/severity"), 200)
    assert expect(admin.api("GET", f"{path}/severity"), 200).json() == {}
    for body in (None, {}, {"prevent_vul": "true", "severity": "low"}, {"nonsense": "1"}, {"retention_id": "1"}):
        expect(admin.api("POST", path, body), 400)


def test_public_is_one_of_them(admin: Client, anonymous: Client, project: str) -> None:
    path = f"/projects/{project}/metadatas/public"
    expect(admin.api("POST", f"/projects/{project}/metadatas/", {"public": "true"}), 409)
    expect(admin.api("PUT", path, {"public": "1"}), 200)
    expect(anonymous.api("GET", f"/projects/{project}"), 200)
    expect(admin.api("DELETE", path), 200)
    expect(anonymous.api("GET", f"/projects/{project}"), 401)
    assert shown(admin, project) == {"public": "false"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_numbers_of_a_proxy(admin: Client, project: str, method: str) -> None:
    path = f"/projects/{project}/metadatas"

    def keep(name: str, value: str, status: int) -> None:
        expect(admin.api("DELETE", f"{path}/{name}"), 200)
        expect(admin.api(method, path if method == "POST" else f"{path}/{name}", {name: value}), status)

    for name, value in (("proxy_speed_kb", "-1"), ("max_upstream_conn", "4"), ("proxy_cache_filter_kind", "regex")):
        keep(name, value, 200)
    for name, value in (("proxy_speed_kb", "x"), ("max_upstream_conn", "-2"), ("proxy_cache_filter_kind", "sql")):
        keep(name, value, 400)
