"""Every error that reaches a client or an administrator.

    MooringError
    ├── StartError                     the program cannot start; one sentence for the terminal
    ├── StorageError                   bytes could not be read or written
    │   ├── StorageFull
    │   ├── StorageUnavailable
    │   └── ObjectMissing
    ├── DatabaseUnavailable
    ├── JobsUnavailable
    ├── RemoteError                    another server cannot be reached, or does not answer as it should
    │   └── AddressRefused             it is where this installation sends nothing
    └── WireError                      has a status, a code and a message
        ├── BadRequest 400             ├── Conflict 409
        ├── Unauthorized 401           ├── Precondition 412
        ├── Forbidden 403              ├── TooLarge 413
        │   └── Denied 403, OverQuota  ├── RangeInvalid 416
        ├── NotFound 404               ├── Unprocessable 422
        ├── MethodNotAllowed 405       ├── ServiceUnavailable 503
        ├── RequestTimeout 408         └── InsufficientStorage 507
        └── the OCI codes: BlobUnknown, BlobUploadInvalid, BlobUploadUnknown, DigestInvalid, ManifestBlobUnknown,
            ManifestInvalid, ManifestUnknown, NameInvalid, NameUnknown, SizeInvalid, Unsupported

Both protocols render a WireError as `{"errors":[{"code","message"[,"detail"]}]}`; http/problems.py does it in one
place. The codes are those of the OCI distribution specification ("Error Codes") and, where it has none, Harbor's.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from mooring.core.sizes import readable


class MooringError(Exception):
    """The root of everything Mooring raises on purpose."""


class StartError(MooringError):
    """The program cannot start; the message says what to change."""


class StorageError(MooringError):
    """Bytes could not be read or written."""


class StorageFull(StorageError):
    """The folder or bucket has no room left."""


class StorageUnavailable(StorageError):
    """The folder or bucket does not answer or is not ours to use."""


class ObjectMissing(StorageError):
    """A key that a row points to is not in the store."""


class DatabaseUnavailable(MooringError):
    """The database does not answer."""


class JobsUnavailable(MooringError):
    """No jobs process is alive."""


class RemoteError(MooringError):
    """Another server cannot be reached or does not answer as it should; the message holds nothing of what it sent."""


class AddressRefused(RemoteError):
    """The other server is at a private address that is not allowed."""


class WireError(MooringError):
    """An answer that a client sees.

    `detail` is what OCI errors carry beside the message; `headers` are added to the answer (the challenge of a 401,
    the Allow of a 405).
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "UNKNOWN"
    text: ClassVar[str] = "internal server error"

    def __init__(
        self, message: str | None = None, *, detail: Any = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.message = self.text if message is None else message
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(self.message)


class WireErrors(WireError):
    """Several errors of one answer, such as every blob that a manifest names and the repository lacks."""

    def __init__(self, errors: list[WireError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


class BadRequest(WireError):
    status, code, text = 400, "BAD_REQUEST", "bad request"


class Unauthorized(WireError):
    status, code, text = 401, "UNAUTHORIZED", "unauthorized"


class Forbidden(WireError):
    status, code, text = 403, "FORBIDDEN", "forbidden"


class Denied(Forbidden):
    code, text = "DENIED", "denied"


class OverQuota(Denied):
    """What a project holds would exceed its quota: in bytes, what it has `used`, its limit `hard`, and what was
    `wanted` on top, 0 where it has more than the limit already.
    """

    def __init__(self, used: int, hard: int, wanted: int) -> None:
        self.used, self.hard, self.wanted = used, hard, wanted
        change = f"adding {readable(wanted)}" if wanted else "subtracting 0 B"
        super().__init__(
            f"{change} of storage resource, which when updated to current usage of {readable(used)} "
            f"will exceed the configured upper limit of {readable(hard)}."
        )


class NotFound(WireError):
    status, code, text = 404, "NOT_FOUND", "not found"


class MethodNotAllowed(WireError):
    status, code, text = 405, "METHOD_NOT_ALLOWED", "method not allowed"


class RequestTimeout(WireError):
    status, code, text = 408, "REQUEST_TIMEOUT", "nothing of the request's body came for too long; send it again"


class Conflict(WireError):
    status, code, text = 409, "CONFLICT", "conflict"


class Precondition(WireError):
    status, code, text = 412, "PRECONDITION", "precondition failed"


class ReferencedByIndex(Precondition):
    """Harbor answers so when a manifest that an index names is deleted."""

    code, text = "VIOLATE_FOREIGN_KEY_CONSTRAINT", "the artifact is referenced by an index"


class PolicyViolation(Precondition):
    """What a project's policy keeps from being pulled."""

    code, text = "PROJECTPOLICYVIOLATION", "the project's policy does not let this be pulled"


class TooLarge(WireError):
    status, code, text = 413, "REQUEST_ENTITY_TOO_LARGE", "request entity too large"


class RangeInvalid(WireError):
    status, code, text = 416, "RANGE_INVALID", "invalid content range"


class Unprocessable(WireError):
    status, code, text = 422, "UNPROCESSABLE_ENTITY", "unprocessable entity"


class ServiceUnavailable(WireError):
    status, code, text = 503, "UNAVAILABLE", "the registry cannot serve this just now; try again"


class InsufficientStorage(WireError):
    status, code, text = 507, "UNAVAILABLE", "the registry's storage is full"


class BlobUnknown(WireError):
    status, code, text = 404, "BLOB_UNKNOWN", "blob unknown to registry"


class BlobUploadInvalid(WireError):
    status, code, text = 404, "BLOB_UPLOAD_INVALID", "blob upload invalid"


class BlobUploadUnknown(WireError):
    status, code, text = 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"


class DigestInvalid(WireError):
    status, code, text = 400, "DIGEST_INVALID", "provided digest did not match uploaded content"


class ManifestBlobUnknown(WireError):
    status, code, text = 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"


class ManifestInvalid(WireError):
    status, code, text = 400, "MANIFEST_INVALID", "manifest invalid"


class ManifestUnknown(WireError):
    status, code, text = 404, "MANIFEST_UNKNOWN", "manifest unknown"


class NameInvalid(WireError):
    status, code, text = 400, "NAME_INVALID", "invalid repository name"


class NameUnknown(WireError):
    status, code, text = 404, "NAME_UNKNOWN", "repository name not known to registry"


class SizeInvalid(WireError):
    status, code, text = 400, "SIZE_INVALID", "provided length did not match content length"


class Unsupported(WireError):
    status, code, text = 400, "UNSUPPORTED", "the operation is unsupported"
