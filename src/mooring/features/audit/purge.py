"""Deleting what the log has held for long enough."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, delete, false, func, not_, or_, select

from mooring.core.clock import SECOND, now
from mooring.core.errors import BadRequest
from mooring.features.audit import blocks
from mooring.features.audit.kinds import LISTED, RECORDED
from mooring.features.audit.tables import audit_log
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind

NAME: Final = "PURGE_AUDIT_LOG"
OTHER: Final = "other"  # every kind of act but those done to artifacts

_HOUR: Final = 3600 * SECOND
_LONGEST: Final = 240_000  # hours
_INTEGER: Final = re.compile(r"-?\d{1,18}")
_BATCH: Final = 5000
_ARTIFACTS: Final = LISTED[:3]

_log = audit_log.c


class Purge(Struct, frozen=True):
    """`hours` is the age of what is deleted, `types` are names of kinds of acts, or `other`."""

    hours: int
    types: Sequence[str]
    dry_run: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Purge":
        """As a schedule has it. Raises BadRequest, in Harbor's words."""
        if (hours := parameters.get("audit_retention_hour")) is None:
            raise BadRequest("bad request: audit_retention_hour should provide")
        if not _INTEGER.fullmatch(str(hours)):
            raise BadRequest("bad request: audit_retention_hour should be integer format")
        if int(hours) > _LONGEST:
            raise BadRequest(f"bad request: audit_retention_hour should be less than {_LONGEST}")
        if (types := parameters.get("include_event_types")) is None:
            raise BadRequest("bad request: include_event_types should provide")
        if not isinstance(dry_run := parameters.get("dry_run") or False, bool):
            raise BadRequest("bad request: dry_run should be true or false")
        words = types.split(",") if isinstance(types, str) else types if isinstance(types, list) else ()
        return cls(int(hours), [str(word).strip() for word in words], dry_run)

    def parameters(self) -> dict[str, Any]:
        """The same, as a run tells it."""
        types = ",".join(self.types)
        return {"audit_retention_hour": self.hours, "include_event_types": types, "dry_run": self.dry_run}

    def condition(self, moment: int) -> ColumnElement[bool]:
        """The records that are meant at the moment. Words that are no kind of act are passed over, as in Harbor."""
        if self.hours <= 0:
            return false()
        kinds = [kind for kind in RECORDED if str(kind) in self.types]
        chosen = [and_(_log.operation == kind.operation, _log.resource_type == kind.resource_type) for kind in kinds]
        if OTHER in self.types:
            operations = [kind.operation for kind in _ARTIFACTS]
            chosen.append(not_(and_(_log.resource_type == "artifact", _log.operation.in_(operations))))
        return and_(_log.op_time < moment - self.hours * _HOUR, or_(false(), *chosen))


def kind() -> Kind:
    return Kind(NAME, run, limit=1, kept=10)


async def run(context: Context) -> None:
    """Delete the records that the task's parameters mean, or count them in a dry run."""
    purge, log = Purge.of(context.payload), context.log
    log.info(
        f"Purge operation parameter, retention_hour:{purge.hours}, include_event_types:[{' '.join(purge.types)}], "
        f"dry_run:{str(purge.dry_run).lower()}"
    )
    condition = purge.condition(now())
    if purge.dry_run:
        log.info(f"[DRYRUN]Purged {await context.db.read(_count, condition)} rows of audit logs")
        return
    total = 0
    while deleted := await context.db.write(_delete, condition):
        total += deleted
    log.info(f"Purged {total} rows of audit logs")


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(audit_log).where(condition)).scalar_one()


def _delete(connection: Connection, condition: ColumnElement[bool]) -> int:
    """Delete the oldest of them; how many."""
    oldest_first = select(_log.id, _log.op_time).where(condition).order_by(_log.op_time, _log.id).limit(_BATCH)
    doomed = connection.execute(oldest_first).all()
    if doomed:
        connection.execute(delete(audit_log).where(_log.id.in_([row.id for row in doomed])))
        blocks.recount(connection, doomed[0].op_time, doomed[-1].op_time)
    return len(doomed)
