"""How errors look on the wire, for both protocols: `{"errors":[{"code","message"[,"detail"]}]}` and a newline.

OCI distribution specification, "Error Codes"; Harbor's API has the same shape.
"""

from typing import Any, Final

import msgspec

from mooring.core.errors import (
    DatabaseUnavailable,
    InsufficientStorage,
    ServiceUnavailable,
    StorageFull,
    StorageUnavailable,
    WireError,
    WireErrors,
)

CONTENT_TYPE: Final = "application/json; charset=utf-8"

_encode: Final = msgspec.json.Encoder().encode


def on_the_wire(error: Exception) -> WireError:
    """The answer to any exception: what was raised for the client as it is, everything else without its particulars."""
    match error:
        case WireErrors() | ServiceUnavailable() | InsufficientStorage():
            return error
        case WireError() if error.status < 500:
            return error
        case StorageFull():
            return InsufficientStorage()
        case StorageUnavailable() | DatabaseUnavailable():
            return ServiceUnavailable(headers={"Retry-After": "5"})
        case _:
            return WireError()


def status_of(error: WireError) -> int:
    """The status of the answer; of several errors the first decides."""
    return error.errors[0].status if isinstance(error, WireErrors) else error.status


def body_of(error: WireError) -> bytes:
    """The answer's body."""
    errors = error.errors if isinstance(error, WireErrors) else [error]
    return _encode({"errors": [_member(each) for each in errors]}) + b"\n"


def headers_of(error: WireError) -> list[tuple[bytes, bytes]]:
    """The answer's headers, with lower-case names as ASGI wants them."""
    own = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in error.headers.items()]
    return [(b"content-type", CONTENT_TYPE.encode()), *own]


def _member(error: WireError) -> dict[str, Any]:
    member = {"code": error.code, "message": error.message}
    return member if error.detail is None else {**member, "detail": error.detail}
