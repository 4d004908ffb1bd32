"""The log as the API spells it."""

from msgspec import Struct

from mooring.core.clock import rfc3339
from mooring.features.audit.kinds import Kind
from mooring.features.audit.queries import Line


class AuditLogExt(Struct, omit_defaults=True, kw_only=True):
    id: int
    op_time: str
    username: str = ""
    operation: str = ""
    resource_type: str = ""
    resource: str = ""
    operation_description: str = ""
    operation_result: bool

    @classmethod
    def of(cls, line: Line) -> "AuditLogExt":
        return cls(
            id=line.id,
            op_time=rfc3339(line.op_time),
            username=line.username,
            operation=line.operation,
            resource_type=line.resource_type,
            resource=line.resource,
            operation_description=line.op_desc,
            operation_result=bool(line.op_result),
        )


class AuditLog(Struct, omit_defaults=True, kw_only=True):
    """The shape from before outcomes were recorded."""

    id: int
    op_time: str
    username: str = ""
    operation: str = ""
    resource_type: str = ""
    resource: str = ""

    @classmethod
    def of(cls, line: Line) -> "AuditLog":
        return cls(
            id=line.id,
            op_time=rfc3339(line.op_time),
            username=line.username,
            operation=line.operation,
            resource_type=line.resource_type,
            resource=line.resource,
        )


class AuditLogEventType(Struct):
    event_type: str

    @classmethod
    def of(cls, kind: Kind) -> "AuditLogEventType":
        return cls(str(kind))
