"""The API's description and its page."""

import gzip
import re

import pytest

from tests.parts.client import Client, expect


def test_the_description_has_every_path_and_what_it_may_answer(anonymous: Client) -> None:
    described = expect(anonymous.api("GET", "/swagger.json"), 200).json()
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": "/api/v2.0"}]
    projects = described["paths"]["/projects"]
    assert {"get", "post", "head"} <= set(projects)
    assert {"201", "400", "401", "403", "422"} <= set(projects["post"]["responses"])
    assert set(described["components"]["securitySchemes"]) == {"basic", "session", "csrf"}
    assert described["paths"]["/api/version"]["servers"] == [{"url": "/"}]


def test_every_reference_of_the_description_leads_somewhere(anonymous: Client) -> None:
    answer = expect(anonymous.api("GET", "/swagger.json"), 200)
    described = answer.json()
    references = set(re.findall(r'"\$ref":"#/([^"]+)"', answer.body.decode()))
    assert references
    for reference in references:
        found = described
        for part in reference.split("/"):
            found = found[part]


def test_the_description_says_what_every_operation_and_parameter_is_for(anonymous: Client) -> None:
    described = expect(anonymous.api("GET", "/swagger.json"), 200).json()
    names = set()
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if method != "servers":
                assert operation["summary"], (method, path)
                assert operation["tags"], (method, path)
                assert operation["operationId"] not in names, (method, path)
                names.add(operation["operationId"])
                for parameter in operation.get("parameters", ()):
                    assert parameter["description"], (method, path, parameter["name"])


def test_the_page_is_whole_without_internet(anonymous: Client) -> None:
    page = expect(anonymous.api("GET", "/docs"), 200)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    text = page.body.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(loaded) == len(re.findall(r"<(?:script|link)\b", text))
    for path in loaded:
        assert path.startswith("/api/v2.0/docs/")
        assert expect(anonymous.send("GET", path), 200).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css"])
def test_large_files_go_packed_to_whoever_takes_them(anonymous: Client, name: str) -> None:
    plain = expect(anonymous.api("GET", f"/docs/{name}"), 200)
    packed = expect(anonymous.api("GET", f"/docs/{name}", headers={"Accept-Encoding": "gzip"}), 200)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3


def test_there_is_nothing_else_beside_the_page(anonymous: Client) -> None:
    expect(anonymous.api("GET", "/docs/index.html"), 404)
    expect(anonymous.api("GET", "/docs/..%2Fdocs.py"), 404)


def test_the_address_that_harbors_portal_has(anonymous: Client) -> None:
    assert expect(anonymous.send("GET", "/devcenter-api-2.0"), 302).headers["Location"] == "/api/v2.0/docs"
