"""The control API's frame: Litestar with Harbor's manners around it.

`build(handlers, admit, dependencies)` makes the ASGI application; features/api.py calls it with the handlers of all
features. A request is bound first (422), then its caller is let in or not (401, 403, 404: `admit`), and then handled.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import structlog
from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from mooring.core.errors import BadRequest, MethodNotAllowed, NotFound, TooLarge, Unprocessable, WireError
from mooring.core.page import DEFAULT_SIZE, Listing, parse_filters, parse_sort
from mooring.http import docs
from mooring.http.binding import Binding, Bound
from mooring.http.description import Meaning
from mooring.http.docs import Published
from mooring.http.links import Answer
from mooring.http.problems import CONTENT_TYPE, body_of, on_the_wire, status_of

PREFIX: Final = "/api/v2.0"
_BODY_LIMIT: Final = 4 << 20

Handler: TypeAlias = HTTPRouteHandler | Router
Admit: TypeAlias = Callable[[Request[Any, Any, Any]], Awaitable[None]]


class ApiRequest(Request[Any, Any, Any]):
    """A request whose body was bound to the handler's type before the handler is called."""

    async def json(self) -> Any:
        return self.scope["bound"].data  # type: ignore[typeddict-item]


def listing(page: int = 1, page_size: int = DEFAULT_SIZE, q: str = "", sort: str = "") -> Listing:
    """What a list request asks for. Raises BadRequest when `q` is not in its grammar."""
    return Listing(page, page_size, parse_filters(q), parse_sort(sort))


def paging(page: int = 1, page_size: int = DEFAULT_SIZE) -> Listing:
    """As `listing`, for a list that is neither filtered by `q` nor sorted."""
    return Listing(page, page_size)


def constant(value: Any) -> Provide:
    """A dependency that is the same for every request."""
    return Provide(lambda: value, sync_to_thread=False)


def build(
    handlers: Sequence[Handler],
    roots: Sequence[Handler],
    admit: Admit,
    dependencies: Mapping[str, Provide],
    meanings: Mapping[str, Meaning],
) -> ASGIApp:
    """The control API as an ASGI application: `handlers` below /api/v2.0, `roots` as they are.

    `admit` is called with every request that is well-formed, before its handler. `meanings` say in the API's
    description what the parameters are. Raises ValueError for a handler that does not say whom it lets in.
    """
    provided = {
        "listing": Provide(listing, sync_to_thread=False),
        "paging": Provide(paging, sync_to_thread=False),
        "published": constant(Published(PREFIX, meanings)),
    }

    async def before(request: Request[Any, Any, Any]) -> None:
        handler: HTTPRouteHandler = request.route_handler
        request.scope["operation"] = handler.operation_id  # type: ignore[typeddict-unknown-key]
        if request.method == "OPTIONS":
            raise MethodNotAllowed("method OPTIONS is not allowed")
        request.scope["bound"] = Bound(await bindings[handler](request))  # type: ignore[typeddict-unknown-key]
        await admit(request)

    app = _Lean(
        route_handlers=[Router(path=PREFIX, route_handlers=[*handlers, *docs.HANDLERS]), *roots],
        before_request=before,
        request_class=ApiRequest,
        response_class=Answer,
        dependencies={**dependencies, **provided},
        exception_handlers={Exception: _problem},
        request_max_body_size=_BODY_LIMIT,
        openapi_config=None,
        logging_config=None,
    )
    _spare_tasks(app)
    bindings = dict(_bindings(app))
    return _Manners(app)


def _spare_tasks(app: Litestar) -> None:
    """What handlers depend on is at hand: a task for each, as Litestar makes it, is a tenth of a small request."""
    for route in app.routes:
        for _, model in getattr(route, "route_handler_map", {}).values():
            model.dependency_batches = [{each} for batch in model.dependency_batches for each in batch]


def _bindings(app: Litestar) -> Iterator[tuple[HTTPRouteHandler, Binding]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if "OPTIONS" not in handler.http_methods:
                if "access" not in handler.opt:
                    raise ValueError(f"{handler} does not say whom it lets in")
                yield handler, Binding(handler)


class _Lean(Litestar):
    """Litestar loads pydantic and attrs wherever they are installed; each would cost memory in every worker."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


class _Manners:
    """What Harbor's answers have and Litestar's have not, or the other way round: an empty body has no content type,
    unless something is read that is not there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def plain(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                headers = list(message["headers"])
                if (b"content-length", b"0") in headers and scope.get("method") != "GET":
                    message["headers"] = [header for header in headers if header[0] != b"content-type"]
            await send(message)

        await self._app(scope, receive, plain)


def _problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Any exception as an answer; what is no answer of its own is logged."""
    answer = on_the_wire(_translated(request, error))
    if type(answer) is WireError:
        structlog.get_logger().error("a request failed", path=request.scope["path"], exc_info=error)
    if isinstance(answer, Unprocessable) and "authorization" not in request.headers:
        answer.headers.setdefault("WWW-Authenticate", 'Basic realm="API"')
    body = b"" if request.method == "HEAD" else body_of(answer)
    return Response(body, status_code=status_of(answer), headers=answer.headers, media_type=CONTENT_TYPE)


def _translated(request: Request[Any, Any, Any], error: Exception) -> Exception:
    """Litestar's own errors in our words."""
    match error:
        case MethodNotAllowedException() if request.scope["path"].startswith("/api/"):
            return MethodNotAllowed(f"method {request.method} is not allowed")
        case NotFoundException() | MethodNotAllowedException():
            path = re.sub("/+", "/", request.scope["raw_path"].decode("latin-1"))
            return NotFound(f"path {path} was not found")
        case HTTPException(status_code=413):
            return TooLarge()
        case HTTPException(status_code=status) if status < 500:
            return BadRequest(error.detail)
    return error
