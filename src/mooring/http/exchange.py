"""One request and its answer on plain ASGI: the little that the data plane needs, with nothing built that is not
asked for.
"""

import asyncio
import ipaddress
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Struct, field

from mooring.core.errors import BadRequest, MooringError, RequestTimeout, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]  # frameworks type its arguments each in their own way
Headers = list[tuple[bytes, bytes]]

STALL: Final = 60.0  # seconds that the next piece of a body may take
_UNWANTED: Final = 16 << 20  # bytes of a body that are read for nothing
_HOST: Final = re.compile(r"[A-Za-z0-9._~%-]+(?::[0-9]+)?|\[[0-9A-Fa-f:.]+\](?::[0-9]+)?")
JSON: Final = (b"content-type", b"application/json; charset=utf-8")


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


class BrokenOff(Exception):
    """An answer ends in its middle: too late for an error, so that the client sees fewer bytes than were announced."""


class Request:
    """A request as ASGI hands it over. `path` is the undecoded path, `headers` has lower-case names and of equal ones
    the last.
    """

    __slots__ = ("_has_ended", "headers", "method", "path", "receive", "scope")

    def __init__(self, scope: Any, receive: Any) -> None:  # frameworks type them each in their own way
        self.scope: Scope = scope
        self.receive: Receive = receive
        self.method: str = scope["method"]
        self.path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._has_ended = False

    def header(self, name: bytes) -> str:
        """A header's value, empty when it was not sent."""
        return self.headers.get(name, b"").decode("latin-1")

    def query(self) -> list[tuple[str, str]]:
        """The query's pairs in order. Raises BadRequest for what is no query, as Harbor does."""
        raw: str = self.scope["query_string"].decode("latin-1")
        check_query(raw)
        return parse_qsl(raw, keep_blank_values=True)

    def parameters(self) -> dict[str, str]:
        """The query's parameters, of equal ones the first, as Harbor's registry takes them. Raises BadRequest."""
        return dict(reversed(self.query()))

    async def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ClientGone, RequestTimeout."""
        self.scope.setdefault("received", 0)
        while True:
            try:
                async with asyncio.timeout(STALL):
                    message = await self.receive()
            except TimeoutError as error:
                self._has_ended = True
                raise RequestTimeout from error
            if message["type"] == "http.disconnect":
                raise ClientGone
            self._has_ended = not message.get("more_body", False)
            body: bytes = message.get("body", b"")
            if body:
                self.scope["received"] += len(body)
                yield body
            if self._has_ended:
                return

    async def discard(self) -> None:
        """Read what is left of a body that is refused: a client that is still sending would find its connection broken,
        and no answer. Not so where too much would come for nothing, or where the client asked before it sends.
        """
        length = self.headers.get(b"content-length", b"0" if b"transfer-encoding" not in self.headers else b"1")
        if self._has_ended or b"expect" in self.headers or not 0 < int(length) <= _UNWANTED:
            return
        left = _UNWANTED
        try:
            async with asyncio.timeout(STALL):
                async for piece in self.stream():
                    left -= len(piece)
                    if left < 0:
                        return
        except (ClientGone, RequestTimeout, TimeoutError):
            return

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises TooLarge beyond `limit` bytes, ClientGone."""
        if int(self.headers.get(b"content-length", b"0") or 0) > limit:
            raise TooLarge
        pieces: list[bytes] = []
        size = 0
        async for piece in self.stream():
            size += len(piece)
            if size > limit:
                raise TooLarge
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Response(Struct):
    """An answer. The body is sent as it is produced when it is an iterator, which then yields `size` bytes in all."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes | AsyncIterator[bytes] = b""
    size: int = 0

    @property
    def length(self) -> int:
        """How many bytes the body has."""
        return len(self.body) if isinstance(self.body, bytes) else self.size


async def respond(response: Response, method: str, send: Send) -> None:
    """Send the answer; to HEAD without its body. A body of known length carries its Content-Length here.

    Raises BrokenOff when a body that is produced cannot go on.
    """
    body = response.body
    headers = response.headers
    if isinstance(body, bytes):
        if response.status not in (204, 304) and not (
            method == "HEAD" and any(name == b"content-length" for name, _ in headers)
        ):
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
        return
    first = await anext(body, b"")  # what cannot be read at all is still answered as an error
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    try:
        left = response.size - len(first)
        await send({"type": "http.response.body", "body": first, "more_body": left > 0})
        async for piece in body:
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
    except MooringError as error:
        raise BrokenOff from error


def check_query(raw: str) -> None:
    """Raise BadRequest for a query that Go's parser refuses, in its words."""
    if ";" in raw:
        raise BadRequest("invalid semicolon separator in query")
    check_escapes(raw)


def check_escapes(raw: str) -> None:
    """Raise BadRequest for the first `%` that two hex digits do not follow, in the words of Go's parser."""
    at = raw.find("%")
    while at >= 0:
        digits = raw[at + 1 : at + 3]
        if len(digits) < 2 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise BadRequest(f'invalid URL escape "{raw[at : at + 3]}"')
        at = raw.find("%", at + 3)


class Origin:
    """Where clients reach this server: the base of absolute addresses.

    Forwarded headers are believed only from a trusted proxy. A configured external URL decides the scheme; the host
    stays the one that the client used, so that several names work at once.
    """

    def __init__(self, external_url: str, trusted_proxies: list[str]) -> None:
        self._scheme = external_url.partition("://")[0] if external_url else ""
        self._host = external_url.partition("://")[2].rstrip("/")
        self._trusted = [ipaddress.ip_network(network) for network in trusted_proxies]
        self._known: dict[str, bool] = {}

    def base(self, request: Request) -> str:
        """`scheme://host` without a slash at the end."""
        headers = request.headers
        scheme = self._scheme or request.scope.get("scheme", "http")
        host = headers.get(b"host", b"").decode("latin-1")
        if b"x-forwarded-proto" in headers or b"x-forwarded-host" in headers:
            client = request.scope.get("client")
            if client is None or self.trusts(client[0]):
                scheme = self._scheme or _first(headers.get(b"x-forwarded-proto")) or scheme
                host = _first(headers.get(b"x-forwarded-host")) or host
        if _HOST.fullmatch(host) is None:  # what goes into headers and addresses is what can be a host
            host = self._host or _own_host(request.scope)
        return f"{scheme}://{host}"

    def is_secure(self, request: Request) -> bool:
        """Whether the client speaks TLS, be it with a proxy."""
        return self.base(request).startswith("https:")

    def client(self, request: Request) -> str:
        """Where the request came from: of the addresses in X-Forwarded-For the last that is no trusted proxy's. Empty
        where a unix socket tells no more.
        """
        peer = request.scope.get("client")
        address: str = peer[0] if peer else ""
        forwarded = request.headers.get(b"x-forwarded-for")
        if forwarded is not None:
            hops = [hop.strip() for hop in forwarded.decode("latin-1").split(",")]
            while hops and self.trusts(address) and _is_address(hops[-1]):
                address = hops.pop()
        return address

    def trusts(self, address: str) -> bool:
        """Whether a peer is a proxy whose forwarded headers are believed."""
        known = self._known.get(address)
        if known is None:
            try:
                peer = ipaddress.ip_address(address)
            except ValueError:
                known = not address  # a unix socket has no address; only this machine reaches it
            else:
                known = any(peer in network for network in self._trusted)
            if len(self._known) < 1024:
                self._known[address] = known
        return known


def _own_host(scope: Scope) -> str:
    """Where the connection came in."""
    address, port = scope.get("server") or ("localhost", None)
    name = f"[{address}]" if ":" in address else address
    return f"{name}:{port}" if port else name


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _first(value: bytes | None) -> str:
    return (value or b"").decode("latin-1").partition(",")[0].strip()
