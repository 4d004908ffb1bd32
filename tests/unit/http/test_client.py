"""The one way out: where it goes, what it carries along, and what it says when it cannot."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import pytest
import trustme

from mooring.core.errors import AddressRefused, RemoteError
from mooring.http.client import Client, Proxies
from mooring.http.egress import Guard

HERE = ("127.0.0.0/8", "::1/128")

Exchange = Callable[["Sent"], bytes]


class Sent(NamedTuple):
    """A request as it came: its first line, its headers in lower case, and its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@contextlib.asynccontextmanager
async def receiver(answer: Exchange, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[Sent]]]:
    """A server that answers each request with these bytes and then hangs up, or says nothing until the client does: its
    port, and what it was sent.
    """
    received: list[Sent] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        received.append(Sent(head[0], headers, body))
        said = answer(received[-1])
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            if not said:
                await reader.read()
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], received


def reply(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 120))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1"),
        *("224.0.0.1", "255.255.255.255", "198.18.0.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1"),
    ],
)
def test_nothing_is_sent_to_a_private_address_unless_its_network_is_allowed(address: str) -> None:
    assert not Guard().permits(address)
    assert Guard(["0.0.0.0/0", "::/0"]).permits(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_reached(address: str) -> None:
    assert Guard().permits(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_no_spelling_of_a_private_address_is_reached(host: str) -> None:
    async def work() -> None:
        async with receiver(lambda _: reply("200 OK")) as (port, received):
            client = Client()
            with pytest.raises(RemoteError):
                async with client.open("POST", f"http://{host}:{port}/hook", timeout=60):
                    pass
            assert not received

    run(work)


def test_a_name_that_points_elsewhere_the_next_time_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was judged is the one that is connected to: the name is asked for once."""
    asked: list[str] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()

        async def rebinding(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(loop, "getaddrinfo", rebinding)
        async with receiver(lambda _: reply("200 OK")) as (port, received):
            client = Client(("127.0.0.1/32",))
            async with client.open("GET", f"http://rebinding.example:{port}/", timeout=60) as answer:
                assert answer.status == 200
            assert (asked, len(received)) == (["rebinding.example"], 1)
            with pytest.raises(AddressRefused):
                async with client.open("GET", f"http://rebinding.example:{port}/", timeout=60):
                    pass
            assert len(received) == 1
            await client.close()

    run(work)


def test_what_is_sent_and_what_comes_back() -> None:
    async def work() -> None:
        async with receiver(lambda _: reply("201 Created", b"x" * 100, "X-Thing: 1", "Set-Cookie: a=b")) as (port, got):
            client = Client(HERE)
            url = f"http://127.0.0.1:{port}/hook?a=b"
            for _ in range(2):
                async with client.open("POST", url, headers={"X-A": "1"}, content=b"{}", timeout=60) as answer:
                    assert (answer.status, answer.headers["x-thing"]) == (201, "1")
                    assert await answer.read(100) == b"x" * 100
            async with client.open("POST", url, timeout=60) as answer:
                with pytest.raises(RemoteError, match="more than 99 bytes"):
                    await answer.read(99)
            await client.close()
            assert got[0].line == "POST /hook?a=b HTTP/1.1"
            assert got[0].body == b"{}"
            assert got[0].headers["x-a"] == "1"
            assert got[0].headers["accept-encoding"] == "identity"
            assert got[0].headers["user-agent"].startswith("Mooring/")
            assert "cookie" not in got[1].headers

    run(work)


def test_redirects_are_followed_only_when_told_and_take_no_credentials_elsewhere() -> None:
    async def work() -> None:
        async with receiver(lambda _: reply("200 OK", b"there")) as (there, arrived):
            target = f"http://127.0.0.1:{there}/there"

            def redirect(sent: Sent) -> bytes:
                where = "http://10.255.255.1/" if "inside" in sent.line else target
                return reply("307 Temporary Redirect", b"", f"Location: {where}")

            async with receiver(redirect) as (port, received):
                client, headers = Client(HERE), {"Authorization": "Bearer abc"}
                async with client.open("GET", f"http://127.0.0.1:{port}/", headers=headers, timeout=60) as answer:
                    assert (answer.status, arrived) == (307, [])
                async with client.open(
                    "GET", f"http://127.0.0.1:{port}/", headers=headers, timeout=60, follow=True
                ) as answer:
                    assert await answer.read(10) == b"there"
                assert received[-1].headers["authorization"] == "Bearer abc"
                assert "authorization" not in arrived[0].headers
                with pytest.raises(AddressRefused):
                    async with client.open("GET", f"http://127.0.0.1:{port}/inside", timeout=60, follow=True):
                        pass
                await client.close()

    run(work)


def test_a_certificate_is_checked_unless_it_is_said_not_to() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)

    async def work() -> None:
        async with receiver(lambda _: reply("200 OK"), tls) as (port, received):
            client, url = Client(HERE), f"https://127.0.0.1:{port}/"
            with pytest.raises(RemoteError, match=r"127\.0\.0\.1 cannot be reached: .*certificate verify failed"):
                async with client.open("GET", url, timeout=60):
                    pass
            assert not received
            async with client.open("GET", url, timeout=60, verify=False) as answer:
                assert answer.status == 200
            await client.close()

    run(work)


def test_a_proxy_is_asked_for_what_is_not_bypassed_and_only_for_what_may_be_reached() -> None:
    async def work() -> None:
        async with receiver(lambda _: reply("200 OK", b"by proxy")) as (port, received):
            proxies = Proxies(http=f"http://me:pw@127.0.0.1:{port}", bypass=(".corp.example", "192.0.2.0/24"))
            client = Client((), proxies)
            async with client.open("GET", "http://hooks.example.invalid/x", timeout=60) as answer:
                assert await answer.read(20) == b"by proxy"
            assert received[0].line == "GET http://hooks.example.invalid/x HTTP/1.1"
            assert received[0].headers["proxy-authorization"].startswith("Basic ")
            for address in ("http://10.0.0.1/", "http://127.0.0.1/", "http://a.corp.example/", "http://192.0.2.1/"):
                with pytest.raises(RemoteError):
                    async with client.open("GET", address, timeout=60):
                        pass
            assert len(received) == 1
            await client.close()

    run(work)


@pytest.mark.parametrize(
    ("host", "proxy"),
    [
        ("hooks.example.com", "http://proxy"),
        ("localhost", ""),
        ("registry.internal", ""),
        ("corp.example", ""),
        ("a.corp.example", ""),
        ("notcorp.example", "http://proxy"),
        ("192.0.2.7", ""),
        ("192.0.3.7", "http://proxy"),
    ],
)
def test_no_proxy_names_hosts_suffixes_and_networks(host: str, proxy: str) -> None:
    assert Proxies(http="http://proxy", bypass=(".corp.example", "192.0.2.0/24")).of("http", host) == proxy


@pytest.mark.parametrize("url", ["", "hooks.example.com", "ftp://hooks.example.com/", "http://", "/x"])
def test_what_is_no_address_is_said_so(url: str) -> None:
    async def work() -> None:
        with pytest.raises(RemoteError, match="address"):
            async with Client().open("GET", url, timeout=1):
                pass

    run(work)


def test_a_server_that_says_nothing_or_breaks_off_is_told_without_the_path_which_may_be_a_secret() -> None:
    async def work() -> None:
        client = Client(HERE)
        async with receiver(lambda _: b"") as (port, _):
            url = f"http://127.0.0.1:{port}/T0/B0/abc"
            with pytest.raises(RemoteError, match=r"^127\.0\.0\.1 did not answer in time$"):
                async with client.open("GET", url, timeout=0.2):
                    pass
        with pytest.raises(RemoteError, match=r"^127\.0\.0\.1 cannot be reached") as refused:
            async with client.open("GET", url, timeout=60):
                pass
        assert "abc" not in str(refused.value)
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        async with receiver(lambda _: half) as (port, _):
            url = f"http://127.0.0.1:{port}/abc"
            async with client.open("GET", url, timeout=60) as answer:
                with pytest.raises(RemoteError, match=r"^127\.0\.0\.1 broke off"):
                    await answer.read(9)
        await client.close()

    run(work)
