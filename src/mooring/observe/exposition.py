"""The metrics listener: one address, read by Prometheus."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Final, NamedTuple
from urllib.parse import parse_qs

import structlog

_LIMIT: Final = 16 << 10  # bytes of a request's head
_PATIENCE: Final = 10.0  # seconds for it to come, and for a TLS handshake
_RELOAD: Final = 60.0  # seconds between two looks at the certificate
TEXT: Final = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    status: str
    content_type: str
    body: bytes


# What a component (empty for all) has to show, in a format that the Accept header names.
Render = Callable[[str, str], Awaitable[Answer]]


class Certificate(NamedTuple):
    """PEM files; they are read again when they have changed."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context

    async def follow(self, context: ssl.SSLContext) -> None:
        """Give the context what is renewed; what cannot be read is tried again."""
        known = self._changed()
        while True:
            await asyncio.sleep(_RELOAD)
            if self._changed() != known:
                try:
                    context.load_cert_chain(self.chain, self.key)
                except (OSError, ssl.SSLError) as error:
                    structlog.get_logger().error("the certificate was not read again", reason=str(error))
                else:
                    known = self._changed()

    def _changed(self) -> tuple[float, ...]:
        return tuple(path.stat().st_mtime if path.exists() else 0.0 for path in self)


class Exposition:
    """Answers GET and HEAD of one path on a listening socket; to all else that there is nothing."""

    def __init__(self, path: str, render: Render, certificate: Certificate | None = None) -> None:
        self._path = path
        self._render = render
        self._certificate = certificate

    async def run(self, listener: socket) -> None:
        """Serve until cancelled."""
        certificate = self._certificate
        context = certificate.context() if certificate else None
        patience = _PATIENCE if context else None
        server = await asyncio.start_server(
            self._answer, sock=listener, limit=_LIMIT, ssl=context, ssl_handshake_timeout=patience
        )
        async with server, asyncio.TaskGroup() as group:
            if certificate and context:
                group.create_task(certificate.follow(context))
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await self._response(head.decode("latin-1")))
            async with asyncio.timeout(_PATIENCE):
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()

    async def _rendered(self, component: str, accept: str) -> Answer:
        try:
            return await self._render(component, accept)
        except Exception:
            structlog.get_logger().exception("the metrics could not be read")
            return Answer("500 Internal Server Error", TEXT, b"the metrics could not be read; the log says why\n")

    async def _response(self, head: str) -> bytes:
        line, *rest = head.split("\r\n")
        method, _, target = line.partition(" ")
        path, _, query = target.partition(" ")[0].partition("?")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
        if path != self._path:
            answer = Answer("404 Not Found", TEXT, f"metrics are at {self._path}\n".encode())
        elif method not in ("GET", "HEAD"):
            answer = Answer("405 Method Not Allowed", TEXT, b"metrics are read with GET\n")
        else:
            component = parse_qs(query).get("comp", [""])[-1]
            answer = await self._rendered(component, headers.get("accept", ""))
        start = (
            f"HTTP/1.1 {answer.status}\r\ncontent-type: {answer.content_type}\r\n"
            f"content-length: {len(answer.body)}\r\nconnection: close\r\n\r\n"
        )
        return start.encode() + (b"" if method == "HEAD" else answer.body)
