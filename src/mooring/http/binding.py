"""What comes before a handler: parameters and body are what its signature says, or the answer is 422."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.types.empty import Empty
from msgspec import Struct

from mooring.core.errors import BadRequest, Unprocessable
from mooring.core.page import MAX_SIZE
from mooring.http.bodies import decode, plain, unprocessable
from mooring.http.exchange import check_query

_INTEGER: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_MEDIA_TYPE: Final = re.compile(r"[!#$%&'*+.^_`|~\w-]+/[!#$%&'*+.^_`|~\w-]+", re.ASCII)
_JSON: Final = "application/json"


class Bound(Struct):
    """A request's body as the handler's type."""

    data: Any


class Binding:
    """Binds the requests of one handler. Its options: `body` is what the API calls the body, `consumes` the media type
    of what is sent and `produces` of what is answered, empty where any will do. `data` with a default may be absent.
    """

    def __init__(self, handler: HTTPRouteHandler) -> None:
        signature = handler.parsed_fn_signature.parameters
        self._integers = [name for name, field in signature.items() if field.annotation is int and name != "data"]
        self._choices = {
            name: get_args(field.annotation)
            for name, field in signature.items()
            if get_origin(field.annotation) is Literal
        }
        self._required = [
            field.kwarg_definition.name or name
            for name, field in signature.items()
            if isinstance(field.kwarg_definition, QueryParameter) and field.default is Empty
        ]
        if {"listing", "paging"} & signature.keys():
            self._integers += ["page", "page_size"]
        data = signature.get("data")
        self._body: Any = data and plain(data.annotation)
        self._may_be_absent = data is not None and data.default is not Empty
        self._body_name: str = handler.opt.get("body", "body")
        self._consumes: str = handler.opt.get("consumes", _JSON)
        self._produces: str = handler.opt.get("produces", _JSON)

    async def __call__(self, request: Request[Any, Any, Any]) -> Any:
        """The body, None where the handler takes none. Raises Unprocessable, BadRequest.

        As go-openapi does it: first the media type of the body, or without one that of the answer, and only when it is
        right all that is wrong with the parameters, by their names.
        """
        query = self._query(request)
        if any("\0" in text for text in (*request.path_params.values(), *query.values())):
            raise BadRequest("a parameter holds a NUL character")
        if self._consumes and _has_body(request):
            self._check_content_type(request)
        else:
            self._check_accept(request)
        faults = dict(self._parameters(request.path_params, query))
        data = None
        if self._body is not None:
            try:
                data = await self._data(request)
            except Unprocessable as error:
                faults[self._body_name] = "\n".join(error.message.split("\n")[1:])
        if faults:
            raise unprocessable(*(fault for _, fault in sorted(faults.items())))
        return data

    def _query(self, request: Request[Any, Any, Any]) -> dict[str, str]:
        """The query's parameters, of equal ones the last. A number that is sent empty was not sent, and others are put
        as plainly as the handler's types want them: a `+` or a zero may lead, as in Go.
        """
        raw = request.scope["query_string"].decode("latin-1")
        check_query(raw)
        pairs = parse_qsl(raw, keep_blank_values=True)
        kept = [
            (name, _plain(value) if name in self._integers else value)
            for name, value in pairs
            if value or name not in self._integers
        ]
        if kept != pairs:
            request.scope["query_string"] = urlencode(kept).encode()
        for name in request.path_params.keys() & set(self._integers):
            request.path_params[name] = _plain(request.path_params[name])
        return dict(kept)

    def _parameters(self, path: Mapping[str, str], query: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The names of parameters that are wrong, and what is wrong with each."""
        for name in self._integers:
            place, text = ("path", path[name]) if name in path else ("query", query.get(name, ""))
            if not text:
                continue
            if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
                yield name, f'{name} in {place} must be of type int64: "{text}"'
            elif name == "page_size" and int(text) > MAX_SIZE:
                yield name, f"page_size in query should be less than or equal to {MAX_SIZE}"
        for name, choices in self._choices.items():
            if path.get(name) not in choices:
                yield name, f"{name} in path should be one of [{' '.join(choices)}]"
        yield from ((name, f"{name} in query is required") for name in self._required if not query.get(name))

    def _check_accept(self, request: Request[Any, Any, Any]) -> None:
        wanted = request.headers.get("accept") or "*/*"
        group = self._produces.partition("/")[0]
        offers = {part.partition(";")[0].strip().lower() for part in wanted.split(",")}
        if self._produces and offers.isdisjoint({"*/*", f"{group}/*", self._produces}):
            raise unprocessable(f"unsupported media type requested, only [{self._produces}] are available")

    def _check_content_type(self, request: Request[Any, Any, Any]) -> None:
        sent = request.headers.get("content-type") or "application/octet-stream"
        media_type = sent.partition(";")[0].strip().lower()
        if "/" not in media_type:
            cause = f'mediatype: malformed: "{sent}" has no subtype'
            raise unprocessable(f'parsing Content-Type header from "{sent}" failed, because {cause}')
        if media_type != self._consumes:
            shown = media_type if _MEDIA_TYPE.fullmatch(media_type) else sent
            raise unprocessable(f'unsupported media type "{shown}", only [{self._consumes}] are allowed')

    async def _data(self, request: Request[Any, Any, Any]) -> Any:
        content = await request.body()
        if not content and self._may_be_absent:
            return None
        if not content.strip():
            raise unprocessable(f"{self._body_name} in body is required")
        return decode(content, self._body, self._body_name)


def _has_body(request: Request[Any, Any, Any]) -> bool:
    """Whether the request says that it has one (RFC 9112 section 6.3)."""
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _plain(number: str) -> str:
    return str(int(number)) if _INTEGER.fullmatch(number) else number
