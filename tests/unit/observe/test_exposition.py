"""The metrics listener against clients that do not behave."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mooring.observe.exposition import Answer, Exposition


async def render(component: str, accept: str) -> Answer:
    if component == "broken":
        raise RuntimeError("secret of the inside")
    return Answer("200 OK", "text/plain", f"{component} {accept}".encode())


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(Exposition("/metrics", render).run(listener))
    yield listener.getsockname()[1]
    serving.cancel()
    await asyncio.wait([serving])


async def said(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def answered(*requests: bytes) -> list[bytes]:
    async def ask() -> list[bytes]:
        async with listening() as port:
            return [await said(port, request) for request in requests]

    return asyncio.run(ask())


def test_get_and_head_of_the_path_alone() -> None:
    get, head, post, elsewhere = answered(
        b"GET /metrics?comp=core HTTP/1.1\r\nHost: x\r\nACCEPT: text/plain\r\n\r\n",
        b"HEAD /metrics HTTP/1.1\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics/ HTTP/1.1\r\n\r\n",
    )
    assert get.startswith(b"HTTP/1.1 200 OK\r\n")
    assert get.endswith(b"\r\n\r\ncore text/plain")
    assert b"content-length: 1\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    assert post.startswith(b"HTTP/1.1 405 ")
    assert elsewhere.startswith(b"HTTP/1.1 404 ")


def test_what_goes_wrong_inside_stays_there_and_the_next_is_answered() -> None:
    cut, endless, broken, fine = answered(
        b"GET /met",
        b"x" * 20_000,
        b"GET /metrics?comp=broken HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
    )
    assert (cut, endless) == (b"", b"")
    assert broken.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in broken
    assert fine.startswith(b"HTTP/1.1 200 ")
