"""The published description of the API: OpenAPI 3.1, made of what the routes say of themselves.

A route's types, docstring, `operation_id` and access are read from its handler. Three of its options are for this page
alone: `tag` groups operations, `refuses` names the statuses that neither the access nor the parameters imply, and
`headers` the request headers that it looks at.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.routes import HTTPRoute
from litestar.types.empty import Empty
from litestar.typing import FieldDefinition

import mooring
from mooring.core import errors
from mooring.core.page import DEFAULT_SIZE, MAX_SIZE
from mooring.http.access import Access, Realm
from mooring.http.shapes import complete

EMPTY: Final = "Done; the body is empty where there is nothing to tell"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # in which order they are told
_READS: Final = ("GET", "HEAD")
_JSON: Final = "application/json"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_QUALIFIED: Final = re.compile(r"mooring\.features\.(\w+)\.\w+\.(\w+)")
_SCHEMA: Final = "#/components/schemas/{name}"
_REFUSALS: Final[Mapping[int, type[errors.WireError]]] = {
    kind.status: kind
    for kind in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.Conflict,
        errors.Precondition,
        errors.TooLarge,
        errors.Unprocessable,
        errors.WireError,
    )
}
_PAGING: Final[Mapping[str, Mapping[str, Any]]] = {
    "page": {"type": "integer", "format": "int64", "default": 1},
    "page_size": {"type": "integer", "format": "int64", "default": DEFAULT_SIZE, "maximum": MAX_SIZE},
}
# What the frame's dependencies of lists read (api.py).
_LISTS: Final = {"paging": _PAGING, "listing": {**_PAGING, "q": {"type": "string"}, "sort": {"type": "string"}}}
_HEADERS: Final = {
    "X-Request-Id": {"description": "The request's id, the client's own where it sent one", "type": "string"},
    "X-Total-Count": {"description": "How many there are on all pages", "type": "integer"},
    "Link": {"description": "The neighbouring pages (RFC 8288)", "type": "string"},
    "Location": {"description": "The path of what was made", "type": "string"},
}
_SECURITY: Final = {
    "basic": {"type": "http", "scheme": "basic", "description": "A user, a robot account, or a personal access token"},
    "session": {"type": "apiKey", "in": "cookie", "name": "sid", "description": "A browser's session"},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Harbor-CSRF-Token",
        "description": "Comes with every answer to a session, and goes with every call of it that changes something",
    },
}


class Errors(msgspec.Struct):
    """Why a request was refused."""

    errors: list["Error"]


class Error(msgspec.Struct):
    """`code` is for programs, `message` for people."""

    code: str
    message: str


class Meaning(msgspec.Struct, frozen=True):
    """What a parameter is for. Every parameter of a name means the same."""

    text: str
    type: str = "string"


class Operation:
    """One method of one path."""

    def __init__(self, path: str, method: str, handler: HTTPRouteHandler, meanings: Mapping[str, Meaning]) -> None:
        self.path = path
        self.method = method
        self._handler = handler
        self._meanings = meanings
        signature = handler.parsed_fn_signature
        self._fields = signature.parameters
        self.body: Any = self._fields["data"].annotation if "data" in self._fields else None
        self.answer: Any = _content(signature.return_type.annotation)
        self._may_be_empty = signature.return_type.is_optional and self.answer is not None

    @property
    def access(self) -> Access:
        access: Access = self._handler.opt["access"]
        return access

    def described(self, schemas: Mapping[Any, Any]) -> dict[str, Any]:
        """As the document has it; `schemas` are those of the bodies by their types."""
        handler = self._handler
        described = {
            "operationId": handler.operation_id or _camel(handler.handler_name),
            "tags": [handler.opt["tag"]] if "tag" in handler.opt else [],
            "summary": handler.summary or handler.handler_name.replace("_", " ").capitalize(),
            "description": inspect.cleandoc(handler.description or handler.fn.__doc__ or ""),
            "parameters": list(self._parameters()),
            "responses": self._responses(schemas),
            "security": self._security(),
        }
        if self.body is not None:
            content = {_JSON: {"schema": schemas[self.body]}}
            described["requestBody"] = {"required": True, "content": content}
        return {name: value for name, value in described.items() if value not in ("", [])} | {
            "security": described["security"]
        }

    def _parameters(self) -> Iterator[dict[str, Any]]:
        for name in _PLACEHOLDER.findall(self.path):
            schema = _schema(self._fields[name]) if name in self._fields else {"type": "string"}
            yield self._parameter(name, "path", schema, required=True)
        for dependency in self._fields.keys() & _LISTS.keys():
            for name, described in _LISTS[dependency].items():
                yield self._parameter(name, "query", described)
        for name, field in self._fields.items():
            if isinstance(field.kwarg_definition, QueryParameter):
                called = field.kwarg_definition.query or field.kwarg_definition.name or name
                yield self._parameter(called, "query", _schema(field), required=field.default is Empty)
        if self.access.parameter and not self.access.by_name:
            yield self._parameter("X-Is-Resource-Name", "header", {"type": "string"})
        for name in (*self._handler.opt.get("headers", ()), "X-Request-Id"):
            yield self._parameter(name, "header", {"type": "string"})

    def _parameter(self, name: str, place: str, schema: Mapping[str, Any], *, required: bool = False) -> dict[str, Any]:
        meaning = self._meanings.get(name, Meaning(""))
        if meaning.type != "string":
            schema = {"type": meaning.type}
        described = {"name": name, "in": place, "description": meaning.text, "schema": schema}
        return described | ({"required": True} if required else {})

    def _responses(self, schemas: Mapping[Any, Any]) -> dict[str, Any]:
        handler = self._handler
        names = ["X-Request-Id"]
        if "listing" in self._fields:
            names += ["X-Total-Count", "Link"]
        if handler.status_code == 201 and self.method == "POST":
            names.append("Location")
        done: dict[str, Any] = {
            "description": EMPTY if self._may_be_empty else "Made" if handler.status_code == 201 else "Done",
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        }
        if self.answer is not None and self.method != "HEAD":
            media_type = str(getattr(handler.media_type, "value", handler.media_type) or _JSON)
            schema = schemas.get(self.answer, {} if media_type == _JSON else {"type": "string"})
            done["content"] = {media_type: {"schema": schema}}
        refusals = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(self.refusals())}
        return {str(handler.status_code): done, **refusals}

    def refusals(self) -> set[int]:
        """The statuses of the errors that the operation may answer."""
        refusals = {500, *self._handler.opt.get("refuses", ())}
        if len(list(self._parameters())) > 1 or self.body is not None:
            refusals |= {400, 422}
        if self._handler.opt.get("produces", _JSON):
            refusals.add(422)
        if self.access.realm is not Realm.ANYBODY:
            refusals.add(401)
        if self.access.realm in (Realm.SYSTEM, Realm.PROJECT) or self.method not in _READS:
            refusals.add(403)
        if "{" in self.path:
            refusals.add(404)
        return refusals | ({413} if self.body is not None else set())

    def _security(self) -> list[dict[str, list[str]]]:
        session: dict[str, list[str]] = {"session": []}
        if self.method not in _READS:
            session["csrf"] = []
        nobody: list[dict[str, list[str]]] = [{}] if self.access.realm is Realm.ANYBODY else []
        return [*nobody, {"basic": []}, session]


def operations(app: Litestar, meanings: Mapping[str, Meaning]) -> list[Operation]:
    """Those of all routes that are to be described, in the order in which they were registered."""
    return [
        Operation(route.path_format, method, handler, meanings)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in sorted(route.route_handler_map.items(), key=lambda found: _METHODS.index(found[0]))
        if method != "OPTIONS" and handler.resolve_include_in_schema()
    ]


def document(app: Litestar, prefix: str, meanings: Mapping[str, Meaning]) -> bytes:
    """The document as JSON. Paths below the prefix are told without it, the others as they are."""
    found = operations(app, meanings)
    kinds = list(dict.fromkeys(kind for each in found for kind in (each.body, each.answer) if _has_schema(kind)))
    shapes, components = msgspec.json.schema_components([*kinds, Errors], ref_template=_SCHEMA)
    complete(components, sent=[each.answer for each in found], taken=[each.body for each in found])
    schemas = dict(zip(kinds, shapes[:-1], strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in found:
        path = operation.path.removeprefix(prefix)
        item = paths.setdefault(path, {} if path != operation.path else {"servers": [{"url": "/"}]})
        item[operation.method.lower()] = operation.described(schemas)
    tags = sorted({tag for item in paths.values() for each in item.values() if "tags" in each for tag in each["tags"]})
    whole = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Mooring",
                "version": mooring.__version__,
                "description": "Harbor's API, version 2.0, and what Mooring adds to it.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": prefix}],
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": {
                "schemas": components,
                "responses": {str(status): _refusal(kind, shapes[-1]) for status, kind in _REFUSALS.items()},
                "headers": {
                    name: {"description": each["description"], "schema": {"type": each["type"]}}
                    for name, each in _HEADERS.items()
                },
                "securitySchemes": _SECURITY,
            },
        }
    )
    # Two features may have structs of one name; their schemas are then told apart by the features' names.
    return _QUALIFIED.sub(lambda found: found[1].title() + found[2], whole.decode()).encode()


def _refusal(kind: type[errors.WireError], schema: Any) -> dict[str, Any]:
    return {"description": kind.text.capitalize(), "content": {_JSON: {"schema": schema}}}


def _content(annotation: Any) -> Any:
    """The type of an answer's body, None when it has none."""
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, Response):
        annotation = next(iter(get_args(annotation)), Any)
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (each for each in get_args(annotation) if each is not type(None))
    return None if annotation in (None, type(None)) else annotation


def _has_schema(kind: Any) -> bool:
    return kind is not None and kind is not bytes and kind is not Any


def _schema(field: FieldDefinition) -> dict[str, Any]:
    if get_origin(field.annotation) is Literal:
        return {"type": "string", "enum": list(get_args(field.annotation))}
    return {"type": {int: "integer", bool: "boolean"}.get(field.annotation, "string")}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
