"""A purge deletes what is old enough and of the kinds that are meant, no more; the log's length stays right."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select

from mooring.core.clock import SECOND, now
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.audit import blocks, purge, queries
from mooring.features.audit.tables import audit_log
from mooring.jobs import claims, executions, logs
from mooring.jobs.context import Context
from mooring.jobs.executions import NewTask
from mooring.jobs.kinds import Kinds

HOUR = 3600 * SECOND
ACTS = (("pull", "artifact"), ("create", "project"), ("delete", "tag"))


def record(connection: Connection, moment: int, operation: str, resource_type: str) -> None:
    values = {
        "op_time": moment,
        "user_kind": "user",
        "user_id": 1,
        "username": "admin",
        "address": "",
        "operation": operation,
        "resource_type": resource_type,
        "resource": "x",
        "project_id": 0,
        "op_desc": "",
        "op_result": True,
    }
    connection.execute(audit_log.insert().values(**values))


def run(db: Database, **parameters: Any) -> str:
    """Purge; what the task has said."""
    db.write_now(executions.start, purge.NAME, -1, "MANUAL", [NewTask(payload=parameters)])
    (claimed,) = db.write_now(claims.claim, "test", Kinds([purge.kind()]), 1)

    async def work() -> None:
        context = Context(db, claimed)
        await purge.run(context)
        await context.flush()

    asyncio.run(work())
    return db.read_now(logs.read, claimed.id) or ""


def left(db: Database) -> list[tuple[str, str, bool]]:
    """What is left, and whether it is old."""
    columns = (audit_log.c.operation, audit_log.c.resource_type, audit_log.c.op_time)
    rows = db.read_now(lambda connection: connection.execute(select(*columns)).all())
    return sorted((operation, kind, moment < now() - 3 * HOUR) for operation, kind, moment in rows)


@pytest.fixture
def filled(db: Database) -> Database:
    def fill(connection: Connection) -> None:
        for operation, resource_type in ACTS:
            record(connection, now() - 4 * HOUR, operation, resource_type)
            record(connection, now() - HOUR, operation, resource_type)

    db.write_now(fill)
    return db


YOUNG = [(operation, kind, False) for operation, kind in ACTS]


@pytest.mark.parametrize(
    ("types", "spared"),
    [
        ("pull_artifact", {("create", "project"), ("delete", "tag")}),
        ("other", {("pull", "artifact")}),
        ("other,pull_artifact", set()),
        ("no_such", set(ACTS)),
        (["create_project"], {("pull", "artifact"), ("delete", "tag")}),
    ],
)
def test_the_kinds_that_are_meant_go_when_they_are_old(filled: Database, types: Any, spared: set[Any]) -> None:
    said = run(filled, audit_retention_hour=3, include_event_types=types)
    assert left(filled) == sorted([*YOUNG, *((operation, kind, True) for operation, kind in spared)])
    assert f"Purged {3 - len(spared)} rows of audit logs" in said


def test_a_dry_run_counts_and_spares(filled: Database) -> None:
    before = left(filled)
    said = run(filled, audit_retention_hour=3, include_event_types="other,pull_artifact", dry_run=True)
    assert left(filled) == before
    assert "[DRYRUN]Purged 3 rows of audit logs" in said


def test_no_hours_purge_nothing(filled: Database) -> None:
    before = left(filled)
    run(filled, audit_retention_hour=0, include_event_types="other,pull_artifact")
    assert left(filled) == before


def test_the_log_is_as_long_as_it_is_after_a_purge_of_counted_records(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "SIZE", 2)
    while (block := filled.read_now(blocks.next_block)) is not None:
        assert filled.write_now(blocks.add, block)
    assert filled.read_now(queries.page, Listing())[1] == 6
    run(filled, audit_retention_hour=3, include_event_types="pull_artifact")
    assert filled.read_now(queries.page, Listing())[1] == len(left(filled)) == 5
