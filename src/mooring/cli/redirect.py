"""The plain listener of a server that speaks TLS: it sends every request there (308, which keeps the method)."""

import asyncio
import re
from contextlib import suppress
from socket import socket
from typing import Final
from urllib.parse import urlsplit

from mooring.settings import Settings

_LIMIT: Final = 16 << 10  # bytes of a request's head
_PATIENCE: Final = 10.0  # seconds for it to come
_HOST: Final = re.compile(
    rb"^host:[ \t]*([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::\d+)?[ \t]*\r$", re.IGNORECASE | re.MULTILINE
)
_TARGET: Final = re.compile(rb"[A-Z]+ (/[!-~]*) HTTP/1\.[01]\r\n")


class Redirect:
    """Answers on a listening socket with the same address in https."""

    def __init__(self, settings: Settings, listener: socket) -> None:
        assert settings.https is not None  # noqa: S101 - there is nothing to redirect to without it
        self._listener = listener
        self._external = settings.external_url.rstrip("/")
        self._hostname = settings.hostname
        self._port = settings.https.port

    async def start(self) -> asyncio.Server:
        """Serve until the returned server is closed."""
        return await asyncio.start_server(self._answer, sock=self._listener, limit=_LIMIT)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _response(self, head: bytes) -> bytes:
        target = _TARGET.match(head)
        if target is None:
            return b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        location = self._base(head).encode() + target[1]
        return (
            b"HTTP/1.1 308 Permanent Redirect\r\nlocation: " + location + b"\r\n"
            b"content-length: 0\r\nconnection: close\r\n\r\n"
        )

    def _base(self, head: bytes) -> str:
        if urlsplit(self._external).scheme == "https":
            return self._external
        host = _HOST.search(head)
        name = host[1].decode() if host else self._hostname
        return f"https://{name}" if self._port == 443 else f"https://{name}:{self._port}"
