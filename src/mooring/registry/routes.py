"""The data plane's routes, as a table.

Repository names hold slashes, so a path is matched from its tail: the segments of a route are compared with the
path's last ones, and what stands before them is the name.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from mooring.core.errors import BadRequest, Denied, NameInvalid, Unauthorized, WireError
from mooring.core.reference import MAX_NAME, REPOSITORY, is_project
from mooring.http.access import READ_ONLY, SAFE
from mooring.http.exchange import (
    BrokenOff,
    ClientGone,
    Headers,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    check_escapes,
    check_query,
    respond,
)
from mooring.http.problems import body_of, headers_of, on_the_wire, status_of
from mooring.registry import blobs, catalog, manifests, ping, referrers, tags, token, uploads
from mooring.registry.context import Registry
from mooring.registry.gate import ACTIONS, CHALLENGE, PROJECT, VERSION

Handler = Callable[..., Awaitable[Response]]

_PATHS: Final = 4096  # whose route is remembered
_BACKEND: Final = (VERSION.encode(), b"registry/2.0")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_OF_CORE: Final = frozenset({"BAD_REQUEST", "UNAVAILABLE", "DENIED"})


class Route(Struct, frozen=True):
    """What follows the name in a path, and who answers which method. `*` is one segment that the handler gets.

    `versioned` tells where Harbor's storage backend answers: those answers carry Docker-Distribution-Api-Version, but
    not the errors in `unversioned`, which are of its core. `operation` is what its requests are counted as.
    """

    tail: tuple[str, ...]
    methods: dict[str, Handler]
    operation: str
    versioned: bool = True
    unversioned: frozenset[str] = _OF_CORE


ROUTES: Final = (
    Route(
        ("manifests", "*"),
        {"GET": manifests.get, "HEAD": manifests.get, "PUT": manifests.put, "DELETE": manifests.delete},
        "v2_manifest",
        unversioned=_OF_CORE
        | {"NAME_UNKNOWN", "MANIFEST_UNKNOWN", "MANIFEST_INVALID", "UNSUPPORTED", "REQUEST_ENTITY_TOO_LARGE"}
        | {"PRECONDITION", "VIOLATE_FOREIGN_KEY_CONSTRAINT", "PROJECTPOLICYVIOLATION"},
    ),
    Route(
        ("blobs", "uploads", ""), dict.fromkeys(ACTIONS, uploads.nameless) | {"POST": uploads.start}, "v2_blob_upload"
    ),
    Route(("blobs", "uploads"), dict.fromkeys(ACTIONS, uploads.add_slash), "v2_blob_upload"),
    Route(
        ("blobs", "uploads", "*"),
        {
            "GET": uploads.status,
            "HEAD": uploads.status,
            "PATCH": uploads.patch,
            "PUT": uploads.put,
            "DELETE": uploads.cancel,
        },
        "v2_blob_upload",
    ),
    Route(("blobs", "*"), {"GET": blobs.get, "HEAD": blobs.get, "DELETE": blobs.remove}, "v2_blob"),
    Route(("tags", "list"), {"GET": tags.list_tags}, "v2_tags", versioned=False),
    Route(("referrers", "*"), {"GET": referrers.referrers}, "v2_referrers", versioned=False),
)


class DataPlane:
    """The ASGI application under /v2 and /service/token."""

    def __init__(self, registry: Registry, failed: Callable[[Exception], None]) -> None:
        self._registry = registry
        self._failed = failed
        self._matched: dict[bytes, tuple[Route, str, list[str]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
            if request.method != "HEAD":
                scope["sent"] = response.length
            await respond(response, request.method, send)
        except ClientGone:  # or what it sends is no HTTP, and it waits for an answer
            await respond(Response(400), request.method, send)
        except BrokenOff as error:
            self._failed(error)
        except Exception as error:
            answer = on_the_wire(error)
            if status_of(answer) >= 500:
                self._failed(error)
            await request.discard()
            await respond(Response(status_of(answer), headers_of(answer), body_of(answer)), request.method, send)

    async def _answer(self, request: Request) -> Response:
        if request.path == b"/service/token":
            request.scope["operation"] = "token"
            return await token.token(self._registry, request)
        if request.scope["query_string"]:
            check_query(request.scope["query_string"].decode("latin-1"))
        if request.method not in SAFE and await self._registry.configuration.is_read_only():
            raise Denied(READ_ONLY)
        matched = self._matched.get(request.path)
        if matched is None:
            segments = _segments(request.path)
            if segments == [""]:
                response = await ping.ping(self._registry, request)
                response.headers.append(_BACKEND)
                return response
            if segments == ["_catalog"]:
                request.scope["operation"] = "v2_catalog"
                return await self._catalog(request)
            matched = self._match(request, segments)
        route, name, parameter = matched
        request.scope["operation"] = route.operation
        handler = route.methods.get(request.method)
        if handler is None:
            return await self._wrong_method(request, route, name)
        return await self._handle(request, route, handler, name, parameter)

    def _match(self, request: Request, segments: list[str]) -> tuple[Route, str, list[str]]:
        """The route, the name and the parameter of a path; kept, since a fleet asks for the same paths all day."""
        route, name, parameter = _match(segments)
        if route is None:
            raise _unrecognized(request)
        if len(self._matched) >= _PATHS:
            self._matched.clear()
        self._matched[request.path] = route, name, parameter
        return route, name, parameter

    async def _handle(
        self, request: Request, route: Route, handler: Handler, name: str, parameter: list[str]
    ) -> Response:
        try:
            response = await handler(self._registry, request, name, *parameter)
        except WireError as error:
            if route.versioned and error.code not in route.unversioned:
                error.headers.setdefault(VERSION, "registry/2.0")
            raise
        if route.versioned and not (route.tail[0] == "manifests" and response.status in (202, 304)):
            response.headers.append(_BACKEND)
        return response

    async def _catalog(self, request: Request) -> Response:
        if request.method not in ACTIONS:
            raise _unrecognized(request)
        await catalog.admit(self._registry, request)
        if request.method != "GET":
            return _not_allowed(["GET"])
        return await catalog.catalog(self._registry, request)

    async def _wrong_method(self, request: Request, route: Route, name: str) -> Response:
        """405 for those who may know that the repository is there."""
        action = ACTIONS.get(request.method)
        if action is None:
            raise _unrecognized(request)
        await self._registry.gate.enter(request, name, action, PROJECT)
        if route.tail[0] == "referrers":
            return Response(404, [_TEXT], b"404 page not found\n")
        return _not_allowed(sorted(route.methods))


def _not_allowed(methods: list[str]) -> Response:
    headers: Headers = [_TEXT, _BACKEND, (b"allow", ", ".join(methods).encode())]
    return Response(405, headers, b"Method not allowed\n")


def _segments(path: bytes) -> list[str]:
    """The path behind /v2/, decoded segment by segment, so that an escaped slash does not divide. Runs of slashes
    count as one.
    """
    text = path.decode("latin-1")
    if "//" in text:
        text = "/" + "/".join(part for part in text.split("/") if part) + ("/" if text.endswith("/") else "")
    parts = text.split("/")[2:]
    if len(parts) > 1 and parts[-1] == "" and parts[-3:-1] != ["blobs", "uploads"]:
        parts.pop()  # Harbor's router takes a slash at the end of any path
    if "%" not in text:
        return parts
    check_escapes(text)
    return [unquote_to_bytes(part).decode("utf-8", "replace") for part in parts]


def _match(segments: list[str]) -> tuple[Route | None, str, list[str]]:
    for route in ROUTES:
        at = len(segments) - len(route.tail)
        if at < 1 or segments[at] != route.tail[0]:
            continue
        tail = segments[at:]
        if all(want in ("*", got) for want, got in zip(route.tail, tail, strict=True)):
            wild = [got for want, got in zip(route.tail, tail, strict=True) if want == "*"]
            if wild == [""]:
                continue
            if route.tail == ("blobs", "*") and ":" not in wild[0]:
                return None, "", []
            return route, _name(segments[:at]), wild
    return None, "", []


def _name(segments: list[str]) -> str:
    """The repository's name. Raises NameInvalid, BadRequest for a project alone, as Harbor does."""
    if any("/" in segment for segment in segments):
        raise NameInvalid("invalid repository name: an escaped slash does not divide a name; send it as it is")
    name = "/".join(segments)
    if len(segments) == 1 and is_project(name):
        raise BadRequest(f"bad request: invalid repository name: {name}")
    if len(name) > MAX_NAME:
        raise NameInvalid(f"invalid repository name: it is {len(name)} characters long, {MAX_NAME} are allowed")
    if REPOSITORY.fullmatch(name) is None:
        raise NameInvalid(
            f"invalid repository name: {name!r}; its components are lower-case letters and digits, "
            "joined by . _ __ or -"
        )
    return name


def _unrecognized(request: Request) -> Unauthorized:
    what = f"un-recognized request: {request.method} {request.path.decode('latin-1')}"
    return Unauthorized(f"{what}: {what}", headers={CHALLENGE: "", VERSION: "registry/2.0"})
