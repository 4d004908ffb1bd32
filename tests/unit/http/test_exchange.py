import asyncio
from typing import Any

import pytest

from mooring.core.errors import RequestTimeout
from mooring.http import exchange
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


class Body:
    """A body that comes in pieces of a MiB, and then no more."""

    def __init__(self, pieces: int, *, ends: bool = True) -> None:
        self.left, self.ends = pieces, ends

    async def __call__(self) -> dict[str, Any]:
        if not self.left and not self.ends:
            await asyncio.Event().wait()
        self.left -= 1
        return {"type": "http.request", "body": bytes(1 << 20), "more_body": bool(self.left) or not self.ends}


def refused(body: Body, **headers: str) -> Request:
    scope = {"method": "PUT", "path": "/", "headers": [(key.encode(), text.encode()) for key, text in headers.items()]}
    return Request(scope, body)


@pytest.mark.parametrize(
    ("headers", "pieces", "left"),
    [
        ({"content-length": str(3 << 20)}, 3, 0),
        ({"transfer-encoding": "chunked"}, 3, 0),
        ({"transfer-encoding": "chunked"}, 40, 23),  # more than 16 MiB are not read for nothing
        ({"content-length": str(40 << 20)}, 40, 40),
        ({"content-length": str(3 << 20), "expect": "100-continue"}, 3, 3),
        ({"content-length": "0"}, 1, 1),
        ({}, 1, 1),
    ],
)
def test_how_much_of_a_refused_body_is_read(headers: dict[str, str], pieces: int, left: int) -> None:
    body = Body(pieces)
    asyncio.run(refused(body, **headers).discard())
    assert body.left == left


def test_what_was_read_is_not_waited_for() -> None:
    body = Body(1)
    request = refused(body, **{"transfer-encoding": "chunked"})

    async def both() -> None:
        await request.body(9 << 20)
        await request.discard()

    asyncio.run(both())
    assert body.left == 0


def test_a_body_that_stands_still_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "STALL", 0.05)
    body = Body(1, ends=False)
    request = refused(body, **{"transfer-encoding": "chunked"})

    async def both() -> None:
        with pytest.raises(RequestTimeout):
            await request.body(9 << 20)
        async with asyncio.timeout(0.02):
            await request.discard()

    asyncio.run(both())


@pytest.mark.parametrize(
    ("host", "external", "base"),
    [
        ("registry.example.com", "", "http://registry.example.com"),
        ("[2001:db8::7]:8080", "", "http://[2001:db8::7]:8080"),
        ("a b", "", "http://[fd00::7]:8080"),
        ('a",scope="x', "", "http://[fd00::7]:8080"),
        ("a/b", "https://registry.example.com", "https://registry.example.com"),
        ("", "", "http://[fd00::7]:8080"),
    ],
)
def test_what_is_no_host_gets_into_no_address(host: str, external: str, base: str) -> None:
    asked = request(None, host=host)
    asked.scope["server"] = ("fd00::7", 8080)
    assert Origin(external, []).base(asked) == base
