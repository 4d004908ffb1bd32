"""One log for all that a process says: lines for people on a terminal, JSON otherwise, and no secret in either."""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import Processor

from mooring.settings import Log

# The id of the request that is being answered, or that a task follows; lines of the log carry it.
REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
_HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(
    r"passw|secret|token|authorization|credential|cookie|(private|access|account)_?key", re.I
)
# Credentials inside other text: an Authorization header's, and those of an address with an account in it.
_SECRET_TEXT: Final = re.compile(
    r"(?<=\bbasic )[\w+/=-]{6,}|(?<=\bbearer )[\w.~+/=-]{6,}|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)", re.I
)


def configure(log: Log, stream: TextIO | None = None) -> None:
    """Send the log of the process and of the libraries in it to the stream, standard output unless given."""
    output = stream or sys.stdout
    people = log.format == "console" or (log.format == "auto" and output.isatty())
    level = _LEVELS[log.level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    render = _people(output) if people else structlog.processors.JSONRenderer(serializer=_json)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, render]))
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries say at "info" what only their authors want to read.
    root.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)


def _add_request_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := REQUEST_ID.get():
        event.setdefault("request_id", request_id)
    return event


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: `***` in place of every value that is named like a secret or looks like a credential."""
    for name, value in event.items():
        event[name] = _hidden(name, value)
    return event


def _hidden(name: object, value: Any) -> Any:
    if isinstance(name, str) and _SECRET_NAME.search(name) and value is not None:
        return _HIDDEN
    if isinstance(value, str):
        return _SECRET_TEXT.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {key: _hidden(key, member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_pair(member) for member in value]
    return value


def _pair(member: Any) -> Any:
    """Headers come as pairs of name and value."""
    match member:
        case (str() | bytes() as name, str() | bytes() as value):
            text = name.decode("latin-1") if isinstance(name, bytes) else name
            return [text, _hidden(text, value.decode("latin-1") if isinstance(value, bytes) else value)]
    return _hidden("", member)


def _people(output: TextIO) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=output.isatty(),
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
        sort_keys=False,
    )


def _json(event: Any, default: Callable[[Any], Any] | None = None, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=default or repr).decode()
