"""Request bodies as Go's encoding/json reads them, because clients of Harbor rely on it.

Keys match in any case, of equal keys the last counts, null is absent, and unknown keys are ignored. What does not fit
is told in the words that Harbor's clients show. Text after the value is refused, which Harbor's decoder never looks at:
a request of which only a part counts is none.
"""

import json
import re
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import fields

from mooring.core import syntax
from mooring.core.errors import BadRequest, Unprocessable

S = TypeVar("S", bound=Struct)
T = TypeVar("T")

_GO: Final = {str: "string", int: "int64", bool: "bool", Any: "interface {}"}
_JSON: Final = {str: "string", int: "number", float: "number", bool: "bool", list: "array", dict: "object"}
_SPACE: Final = " \t\r\n"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INT64: Final = range(-(2**63), 2**63)


class Mismatch(Exception):
    """The body is no value of the type; the message is Go's."""


def decode(body: bytes, kind: type[T], name: str) -> T:
    """The body as a `kind`, a struct or a mapping; `name` is what the API calls it.

    Raises Unprocessable, and BadRequest for text after the value.
    """
    try:
        raw = _parse(body)
        value: T = kind() if raw is None else _value(raw, kind, "", kind.__name__)
    except Mismatch as error:
        raise unprocessable(f'parsing {name} body from "" failed, because {error}') from None
    faults = list(_faults(value)) if isinstance(value, Struct) else []
    if faults:
        raise unprocessable("validation failure list:", *faults)
    return value


def unprocessable(*faults: str) -> Unprocessable:
    """Everything that is wrong with a request, one a line, as Harbor's clients know it."""
    return Unprocessable("\n".join(("validation failure list:", *faults)))


def _parse(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").lstrip(_SPACE)
    try:
        value, end = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(text)
    except json.JSONDecodeError:
        found = syntax.fault(body) or "the JSON is malformed"
        raise Mismatch("unexpected EOF" if found == syntax.ENDS_EARLY else found) from None
    except RecursionError:
        raise Mismatch("exceeded max depth") from None
    except ValueError:
        raise Mismatch("invalid number literal") from None
    if text[end:].strip(_SPACE):
        raise BadRequest(syntax.fault(body) or "the body goes on after its JSON")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise json.JSONDecodeError("no value of JSON's", constant, 0)


def _struct(raw: Any, kind: type[S], path: str, owner: str) -> S:
    if not isinstance(raw, dict):
        raise _mismatch(raw, f"models.{kind.__name__}", path, owner)
    known = _members(kind)
    values: dict[str, Any] = {}
    for key, value in raw.items():
        member = known.get(key) or known.get(key.lower())
        if member is not None and value is not None:
            attribute, annotation, encoded = member
            inner = f"{path}.{encoded}" if path else encoded
            values[attribute] = _value(value, annotation, inner, kind.__name__)
    return kind(**values)


def _value(raw: Any, annotation: Any, path: str, owner: str) -> Any:
    annotation = plain(annotation)
    if annotation is Any:
        return raw
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return _struct(raw, annotation, path, owner)
    if origin is list or origin is tuple:
        if not isinstance(raw, list):
            raise _mismatch(raw, f"[]{_go_name(get_args(annotation)[0])}", path, owner)
        return [_value(item, get_args(annotation)[0], path, owner) for item in raw if item is not None]
    if origin is dict or origin is Mapping:
        if not isinstance(raw, dict):
            raise _mismatch(raw, f"map[string]{_go_name(get_args(annotation)[1])}", path, owner)
        kind = get_args(annotation)[1]
        # What is null there is zero, not absent.
        return {
            _text(key): plain(kind)() if item is None and kind is not Any else _value(item, kind, path, owner)
            for key, item in raw.items()
        }
    if origin is Literal:
        annotation = str
    if annotation is int and (isinstance(raw, float) or (type(raw) is int and raw not in _INT64)):
        raise _mismatch(raw, "int64", path, owner, f"number {raw}")
    if type(raw) is not annotation:
        raise _mismatch(raw, _go_name(annotation), path, owner)
    if annotation is str and "\0" in raw:
        raise Mismatch(f"{path} holds a NUL character")
    return _text(raw) if annotation is str else raw


def _text(raw: str) -> str:
    """Half of a surrogate pair is no character: Go and we put U+FFFD in its place."""
    return _SURROGATE.sub("\ufffd", raw)


def _mismatch(raw: Any, wanted: str, path: str, owner: str, found: str = "") -> Mismatch:
    found = found or _JSON[type(raw)]
    target = f"Go struct field {owner}.{path}" if path else "Go value"
    return Mismatch(f"json: cannot unmarshal {found} into {target} of type {wanted}")


def _faults(value: Struct, path: str = "") -> Iterator[str]:
    for attribute, annotation, name in _members(type(value)).values():
        text = getattr(value, attribute)
        encoded = f"{path}{name}"
        if isinstance(text, Struct):
            yield from _faults(text, f"{encoded}.")
        choice = plain(annotation)
        if get_origin(choice) is Literal and text and text not in get_args(choice):
            yield f"{encoded} in body should be one of [{' '.join(get_args(choice))}]"
        for meta in get_args(annotation)[1:] if get_origin(annotation) is Annotated else ():
            if not isinstance(meta, Meta):
                continue
            if meta.min_length and not text:
                yield f"{encoded} in body is required"
            if meta.max_length is not None and len(text) > meta.max_length:
                yield f"{encoded} in body should be at most {meta.max_length} chars long"


@cache
def _members(kind: type[Struct]) -> dict[str, tuple[str, Any, str]]:
    """The members of a struct by their lower-cased names on the wire: attribute, annotation, name on the wire."""
    hints = get_type_hints(kind, include_extras=True)
    for member in fields(kind):
        if member.required and member.default is NODEFAULT:
            raise TypeError(f"{kind.__name__}.{member.name} has no default, but every member of a body may be absent")
    return {
        member.encode_name.lower(): (member.name, hints[member.name], member.encode_name) for member in fields(kind)
    }


def plain(annotation: Any) -> Any:
    """The annotation without what Annotated adds and without None."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def _go_name(annotation: Any) -> str:
    annotation = plain(annotation)
    return _GO.get(annotation) or f"*models.{getattr(annotation, '__name__', annotation)}"
