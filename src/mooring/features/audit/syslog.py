"""Records for a syslog server: as Harbor writes them, in the framing of Go's log/syslog (RFC 3164, one line each)."""

import os
import socket
from typing import Final

from mooring.core.clock import rfc3339
from mooring.features.audit.records import Record

_PRIORITY: Final = 14  # facility user, severity informational
_TAG: Final = "audit"
_CONTROLS: Final = dict.fromkeys((*range(32), 127), " ")


def line(record: Record) -> str:
    """The message of one record, without the frame. What would end the line or the field is made harmless."""
    moment = rfc3339(record.op_time)
    fields = {
        "operator": record.username,
        "resourceType": record.resource_type,
        "time": moment,
        "address": record.address,
    }
    shown = " ".join(f'{name}="{_field(value)}"' for name, value in fields.items())
    act = (
        f"action:{record.operation}, resource:{record.resource}, operation_description:{record.op_desc}, "
        f"operation_result:{str(record.op_result).lower()}"
    )
    return f"{moment} [INFO] [{shown}]: {act.translate(_CONTROLS)}"


def frame(message: str, moment: int) -> bytes:
    """A message as it goes over the wire."""
    return f"<{_PRIORITY}>{rfc3339(moment)} {socket.gethostname()} {_TAG}[{os.getpid()}]: {message}\n".encode()


def _field(value: str) -> str:
    return value.translate(_CONTROLS).replace('"', "'")
