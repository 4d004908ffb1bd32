from typing import Any

import pytest

from mooring.http.exchange import Origin, Request

PROXIES = ["10.0.0.0/8", "fd00::/8"]


def request(peer: Any, **headers: str) -> Request:
    scope = {
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "client": peer,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    return Request(scope, None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # what the client put in front is not believed
        ("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("", "203.0.113.7", "203.0.113.7"),  # a unix socket
    ],
)
def test_where_a_request_came_from(peer: str, forwarded: str, client: str) -> None:
    assert Origin("", PROXIES).client(request((peer, 5000), x_forwarded_for=forwarded)) == client


def test_a_peer_without_an_address() -> None:
    assert Origin("", PROXIES).client(request(None)) == ""
    assert Origin("", PROXIES).client(request(("203.0.113.7", 5000))) == "203.0.113.7"


@pytest.mark.parametrize(
    ("external", "peer", "proto", "is_secure"),
    [
        ("https://registry.example.com", "203.0.113.7", "", True),
        ("http://registry.example.com", "10.0.0.1", "https", False),
        ("", "203.0.113.7", "", False),
        ("", "10.0.0.1", "https", True),
        ("", "203.0.113.7", "https", False),
    ],
)
def test_whether_the_client_speaks_tls(external: str, peer: str, proto: str, is_secure: bool) -> None:
    headers = {"x_forwarded_proto": proto} if proto else {}
    assert Origin(external, PROXIES).is_secure(request((peer, 5000), host="r", **headers)) is is_secure
