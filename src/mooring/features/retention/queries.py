"""Reading policies, their executions and tasks."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from mooring.core.page import Listing
from mooring.db import query
from mooring.features.retention.rules import RetentionRule
from mooring.features.retention.tables import retention_policy
from mooring.jobs.tables import execution, task

NAME: Final = "RETENTION"


class Content(Struct, frozen=True, omit_defaults=True):
    """What a policy says. `cron` is as it was sent, empty where it runs by hand alone."""

    algorithm: str = "or"
    rules: tuple[RetentionRule, ...] = ()
    kind: str = ""
    cron: str = ""


class Policy(Struct, frozen=True):
    id: int
    project_id: int
    content: Content


class Run(Struct, frozen=True):
    """An execution of a policy; times in microseconds since the epoch."""

    id: int
    policy_id: int
    trigger: str
    status: str
    attributes: Mapping[str, Any]
    start_time: int
    end_time: int


class Piece(Struct, frozen=True):
    """A task of an execution: one repository."""

    id: int
    execution_id: int
    job_id: str
    status: str
    attributes: Mapping[str, Any]
    start_time: int
    end_time: int


_decoder: Final = msgspec.json.Decoder(Content)
_POLICY: Final = (retention_policy.c.id, retention_policy.c.project_id, retention_policy.c.content)
_RUN: Final = (
    execution.c.id,
    execution.c.vendor_id,
    execution.c.trigger,
    execution.c.status,
    execution.c.extra_attrs,
    execution.c.start_time,
    execution.c.end_time,
)
_PIECE: Final = (
    task.c.id,
    task.c.execution_id,
    task.c.job_id,
    task.c.status,
    task.c.extra_attrs,
    task.c.start_time,
    task.c.end_time,
)


def encoded(content: Content) -> str:
    """As it is kept."""
    return msgspec.json.encode(content).decode()


def find(connection: Connection, policy_id: int) -> Policy | None:
    return _policy(connection.execute(select(*_POLICY).where(retention_policy.c.id == policy_id)).one_or_none())


def of_project(connection: Connection, project_id: int) -> Policy | None:
    statement = select(*_POLICY).where(retention_policy.c.project_id == project_id)
    return _policy(connection.execute(statement).one_or_none())


def runs(connection: Connection, policy_id: int, listing: Listing) -> tuple[list[Run], int]:
    """One page of the policy's executions, the newest first, and how many there are."""
    statement = select(*_RUN).where(execution.c.vendor_type == NAME, execution.c.vendor_id == policy_id)
    rows, total = query.page(connection, statement, listing, {}, execution.c.start_time.desc(), execution.c.id.desc())
    return [_run(row) for row in rows], total


def pieces(connection: Connection, execution_id: int, listing: Listing) -> tuple[list[Piece], int]:
    """One page of the execution's tasks, the newest first, and how many there are."""
    statement = select(*_PIECE).where(task.c.execution_id == execution_id)
    rows, total = query.page(connection, statement, listing, {}, task.c.id.desc())
    return [_piece(row) for row in rows], total


def _policy(row: Any) -> Policy | None:
    return None if row is None else Policy(row.id, row.project_id, _decoder.decode(row.content))


def _run(row: Any) -> Run:
    number, policy_id, trigger, status, attributes, start_time, end_time = row
    return Run(number, policy_id, trigger, status, json.loads(attributes), start_time, end_time)


def _piece(row: Any) -> Piece:
    number, execution_id, job_id, status, attributes, start_time, end_time = row
    return Piece(number, execution_id, job_id, status, json.loads(attributes), start_time, end_time)
