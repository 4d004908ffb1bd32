"""Chores of the log: counting it in blocks, and handing records on to a syslog server."""

import asyncio
from typing import Final

import structlog
from sqlalchemy import Connection, delete, func, select

from mooring.core.clock import now
from mooring.core.errors import RemoteError
from mooring.db.engine import Database
from mooring.features.audit import blocks
from mooring.features.audit.syslog import frame
from mooring.features.audit.tables import audit_forward
from mooring.features.configuration.queries import Current

_BATCH: Final = 1000  # records that are sent and forgotten together
_WAITING: Final = 100_000  # records that wait for a server which does not answer; of more the oldest are given up
_PATIENCE: Final = 10  # seconds

_forward = audit_forward.c


async def count_blocks(db: Database) -> None:
    """Count what is old enough."""
    while (block := await db.read(blocks.next_block)) is not None:
        await db.write(blocks.add, block)


async def is_waiting(db: Database) -> bool:
    """Whether any record is to be forwarded."""
    return await db.read(_has_waiting)


async def forward(db: Database, configuration: Current) -> None:
    """Send what waits to the syslog server, the oldest first. What could not be sent is sent next time, so that one may
    come twice. Raises RemoteError.
    """
    given_up = await db.write(_give_up)
    if given_up:
        structlog.get_logger().warning("audit records were not forwarded: too many waited", records=given_up)
    endpoint = (await configuration.read()).audit_log_forward_endpoint
    if not endpoint:
        await db.write(_forget, None)
        return
    host, _, port = endpoint.rpartition(":")
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        try:
            while lines := await db.read(_oldest):
                writer.write(b"".join(frame(line, now()) for _, line in lines))
                async with asyncio.timeout(_PATIENCE):
                    await writer.drain()
                await db.write(_forget, lines[-1][0])
        finally:
            writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise RemoteError(
            f"audit records cannot be forwarded to {endpoint}: {error or 'it does not answer'}"
        ) from error


def _has_waiting(connection: Connection) -> bool:
    return connection.execute(select(_forward.id).limit(1)).first() is not None


def _oldest(connection: Connection) -> list[tuple[int, str]]:
    waiting = select(_forward.id, _forward.line).order_by(_forward.id).limit(_BATCH)
    return [(number, line) for number, line in connection.execute(waiting)]


def _forget(connection: Connection, upto: int | None) -> None:
    """What has been sent, or all."""
    sent = delete(audit_forward)
    connection.execute(sent if upto is None else sent.where(_forward.id <= upto))


def _give_up(connection: Connection) -> int:
    newest = connection.execute(select(func.max(_forward.id))).scalar() or 0
    return connection.execute(delete(audit_forward).where(_forward.id <= newest - _WAITING)).rowcount
