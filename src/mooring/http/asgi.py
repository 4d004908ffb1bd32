"""The outermost application: request ids, paths, and who answers what."""

from collections.abc import Awaitable, Callable
from itertools import count
from time import perf_counter
from urllib.parse import unquote
from uuid import uuid4

from mooring.http.exchange import ASGIApp, Message, Receive, Response, Scope, Send, respond
from mooring.observe.counts import Requests
from mooring.observe.logging import REQUEST_ID

Hook = Callable[[], Awaitable[None]]


class Assembly:
    """Sends each request to the part that answers it. `started` and `stopping` run with the process; `requests` counts
    what is answered, if that is to be known.
    """

    def __init__(
        self,
        data_plane: ASGIApp,
        api: ASGIApp,
        ui: ASGIApp,
        started: Hook,
        stopping: Hook,
        requests: Requests | None = None,
    ) -> None:
        self._data_plane = data_plane
        self._api = api
        self._ui = ui
        self._started = started
        self._stopping = stopping
        self._requests = requests
        # Asking the kernel for each id would let other threads take the interpreter in the middle of every request, and
        # an id need not be hard to guess: a process draws one and counts on.
        beginning, _, node = str(uuid4()).rpartition("-")
        self._beginning = f"{beginning}-".encode()
        self._nodes = count(int(node, 16) >> 1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            return
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        requests = self._requests
        if requests is None:
            await self._answer(path, scope, receive, send)
            return
        is_data = path.startswith(b"/v2")
        requests.begun[is_data] += 1
        began = perf_counter()
        try:
            await self._answer(path, scope, receive, send)
        finally:
            requests.end(scope, perf_counter() - began, is_data)

    async def _answer(self, path: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        identified = self._identified(scope, send)
        if path.startswith(b"/v2/") or path == b"/service/token":
            await self._data_plane(scope, receive, identified)
        elif path.startswith(b"//v2/"):
            scope["raw_path"] = path[1:]
            await self._data_plane(scope, receive, identified)
        elif path == b"/v2":
            await respond(Response(301, [(b"location", b"/v2/")]), scope["method"], identified)
        elif path.startswith((b"/api/", b"/c/")):
            inner = {**scope, "path": routed(path)}
            await self._api(inner, receive, identified)
            scope["operation"] = inner.get("operation", "")
        else:
            await self._ui(scope, receive, identified)

    def _identified(self, scope: Scope, send: Send) -> Send:
        """Every answer carries the request's id, the client's own where it sent one; log lines carry it too."""
        request_id = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
                break
        if not 0 < len(request_id) <= 128 or not request_id.isascii():
            request_id = self._request_id()
        REQUEST_ID.set(request_id.decode())
        header = (b"x-request-id", request_id)

        def with_id(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"].append(header)
                scope["status"] = message["status"]
            return send(message)

        return with_id

    def _request_id(self) -> bytes:
        """A UUID that looks like version 4 (RFC 9562), as Harbor's."""
        return b"%s%012x" % (self._beginning, next(self._nodes))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._started()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stopping()
        await send({"type": "lifespan.shutdown.complete"})


def routed(path: bytes) -> str:
    """The path that the API is routed by, without empty and dot segments (RFC 3986 section 5.2.4): decoded but for
    slashes inside a segment, which stay `%2F` however often they were escaped.
    """
    parts: list[str] = []
    for part in path.decode("latin-1").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(_unescaped(part))
    return "/" + "/".join(parts)


def _unescaped(part: str) -> str:
    if "%" not in part:
        return part
    return unquote(part).replace("%2f", "%2F").replace("/", "%2F")
