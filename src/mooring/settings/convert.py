"""Text to typed settings; whatever is wrong is said with its place, its key, its value and what is allowed."""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Final, NoReturn, TypeVar, get_args

import msgspec
from msgspec import Struct, inspect, structs

from mooring.core.errors import StartError
from mooring.settings.sources import Given, Section, nearest

S = TypeVar("S", bound=Struct)

_TRUTH: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")


def convert(section: Section, kind: type[S], above: tuple[str, ...] = ()) -> S:
    """The struct that a section describes. Raises StartError."""
    fields = {field.name: field for field in structs.fields(kind)}
    values: dict[str, Any] = {}
    for name, given in section.items():
        if name not in fields:
            near = nearest(".".join((*above, name)), [".".join((*above, known)) for known in fields])
            raise StartError(f"{given.where}: {given.key} is not a setting{near}")
        value = _value(given, fields[name].type, (*above, name))
        if value is not None:
            values[name] = value
    missing = [name for name, field in fields.items() if field.required and name not in values]
    if missing:
        where = next((given.where + ": " for given in section.values()), "")
        raise StartError(f"{where}{'.'.join((*above, missing[0]))} is missing and has no default")
    return kind(**values)


def paths(kind: type[Struct], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every setting of the model."""
    for field in structs.fields(kind):
        inner = _struct(field.type)
        if inner is None:
            yield (*above, field.name)
        else:
            yield from paths(inner, (*above, field.name))


def _struct(annotation: Any) -> type[Struct] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Struct):
            return candidate
    return None


def _value(given: Given, annotation: Any, path: tuple[str, ...]) -> Any:
    inner = _struct(annotation)
    if inner is not None:
        if given.value is None:
            return None
        if not isinstance(given.value, dict):
            raise StartError(
                f"{given.where}: {given.key} is {given.value!r}; it is a section, with {_names(inner)} in it"
            )
        return convert(given.value, inner, path)
    kind, extra = _kind(annotation)
    if given.value is None:
        return None
    try:
        raw = _raw(given, kind, extra)
        if extra.get("is_networks"):
            for network in raw:
                ipaddress.ip_network(network)
        return msgspec.convert(raw, annotation, strict=False)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        _refuse(given, kind, extra, error)


def _kind(annotation: Any) -> tuple[inspect.Type, dict[str, Any]]:
    """The type behind Annotated and `| None`, and what the model says about it beside."""
    kind = inspect.type_info(annotation)
    extra: dict[str, Any] = {}
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            extra |= kind.extra or {}
            kind = kind.type
        else:
            kind = next(member for member in kind.types if not isinstance(member, inspect.NoneType))
    return kind, extra


def _raw(given: Given, kind: inspect.Type, extra: dict[str, Any]) -> Any:
    """What msgspec is to judge: text made ready as the type wants it."""
    value = given.value
    if isinstance(kind, inspect.DictType) and isinstance(value, dict):
        return {name: member.value for name, member in value.items() if member.value is not None}
    if isinstance(kind, inspect.ListType):
        if isinstance(value, str):
            return [item.strip() for item in value.split(",") if item.strip()]
        return [item.value for item in value] if isinstance(value, list) else value
    if not isinstance(value, str):
        raise TypeError
    if isinstance(kind, inspect.BoolType):
        return _TRUTH.get(value.lower(), value)
    if extra.get("is_duration"):
        return _seconds(value)
    if extra.get("is_path") and value:
        return str((given.folder / Path(value).expanduser()).absolute())
    return value


def _seconds(text: str) -> int | str:
    parts = _DURATION.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return int(sum(float(number) * _UNITS[unit] for number, unit in parts))
    return text


def _refuse(given: Given, kind: inspect.Type, extra: dict[str, Any], cause: Exception) -> NoReturn:
    shown = "***" if extra.get("is_secret") else repr(given.value if isinstance(given.value, str) else _plain(given))
    raise StartError(f"{given.where}: {given.key} is {shown}; allowed is {_allowed(kind, extra)}") from cause


def _allowed(kind: inspect.Type, extra: dict[str, Any]) -> str:
    if "allowed" in extra:
        return str(extra["allowed"])
    if extra.get("is_duration"):
        return "a number of seconds, or a duration such as 90s, 5m or 168h"
    if extra.get("is_networks"):
        return "a list of networks such as 10.0.0.0/8"
    match kind:
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=low, le=high):
            return f"a number from {low} to {high}"
        case inspect.DictType():
            return "a section of `name: text` lines"
        case inspect.StrType(min_length=low, max_length=high) if low is not None and high is not None:
            return f"text of {low} to {high} characters"
    return "text"


def _plain(given: Given) -> Any:
    if isinstance(given.value, dict):
        return {name: _plain(member) for name, member in given.value.items()}
    if isinstance(given.value, list):
        return [_plain(member) for member in given.value]
    return given.value


def _names(kind: type[Struct]) -> str:
    return ", ".join(field.name for field in structs.fields(kind) if field.type is not NoneType)
