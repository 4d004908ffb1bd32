"""Reading policies, and what was delivered for them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, bindparam, func, select

from mooring.core.page import Listing
from mooring.db import query
from mooring.db.prepared import Prepared
from mooring.features.projects.tables import project
from mooring.features.repositories.tables import repository
from mooring.features.webhooks.tables import webhook_policy
from mooring.jobs.tables import execution, task

HTTP: Final = "http"
SLACK: Final = "slack"
VENDORS: Final = {HTTP: "WEBHOOK", SLACK: "SLACK"}  # the kinds of job that deliver to targets of each type
TYPES: Final = {vendor: kind for kind, vendor in VENDORS.items()}


class Target(Struct, frozen=True, omit_defaults=True):
    """Where a policy delivers to. `authorization` is the header's value, `secret` what deliveries are signed with; both
    are sealed.
    """

    type: str
    address: str
    format: str = ""
    skips_verification: bool = False
    authorization: str = ""
    secret: str = ""


class Policy(Struct, frozen=True):
    """A policy; times in microseconds since the epoch."""

    id: int
    project_id: int
    name: str
    description: str
    creator: str
    is_enabled: bool
    event_types: tuple[str, ...]
    targets: tuple[Target, ...]
    creation_time: int
    update_time: int


def target_of(policy: Policy, told: Mapping[str, Any]) -> Target | None:
    """The target that a task was for, as it is now: the one at its place, or, since a change of the policy may have
    moved it, another at its address.
    """
    place, address = told.get("place", 0), told["address"]
    at_place = policy.targets[place : place + 1]
    return next((each for each in (*at_place, *policy.targets) if each.address == address), None)


class Delivery(Struct, frozen=True):
    """An execution: one event for one target. `payload` is what is sent."""

    id: int
    policy_id: int
    vendor_type: str
    trigger: str
    status: str
    status_message: str
    event_type: str
    payload: str
    start_time: int
    update_time: int
    end_time: int
    tasks: Mapping[str, int]


class Attempted(Struct, frozen=True):
    """The task of a delivery, which is run until it succeeds or was run often enough."""

    id: int
    execution_id: int
    status: str
    run_count: int
    creation_time: int
    start_time: int
    update_time: int
    end_time: int


_event_types: Final = msgspec.json.Decoder(tuple[str, ...])
_targets: Final = msgspec.json.Decoder(tuple[Target, ...])
_POLICY: Final = tuple(webhook_policy.c[field] for field in Policy.__struct_fields__)
_LISTED: Final = {
    "id": webhook_policy.c.id,
    "name": webhook_policy.c.name,
    "description": webhook_policy.c.description,
    "creator": webhook_policy.c.creator,
    "enabled": webhook_policy.c.is_enabled,
    "creation_time": webhook_policy.c.creation_time,
    "update_time": webhook_policy.c.update_time,
}
# Every push asks.
_LISTENING: Final = Prepared(
    select(webhook_policy.c.id, webhook_policy.c.event_types, webhook_policy.c.targets)
    .where(webhook_policy.c.project_id == bindparam("project"), webhook_policy.c.is_enabled)
    .order_by(webhook_policy.c.id)
)
# Whether the project is public, and when the repository was made, NULL where it is not there.
_PLACE: Final = Prepared(
    select(project.c.is_public, repository.c.creation_time)
    .select_from(project.outerjoin(repository, repository.c.name == bindparam("repository")))
    .where(project.c.id == bindparam("project"))
)
_DELIVERY: Final = (
    execution.c.id,
    execution.c.vendor_id,
    execution.c.vendor_type,
    execution.c.trigger,
    execution.c.status,
    execution.c.status_message,
    execution.c.extra_attrs,
    execution.c.start_time,
    execution.c.update_time,
    execution.c.end_time,
)
_DELIVERIES: Final = {
    name: execution.c[name]
    for name in ("id", "vendor_type", "trigger", "status", "extra_attrs", "start_time", "end_time")
} | {"creation_time": execution.c.start_time, "update_time": execution.c.update_time}
_TASK: Final = tuple(task.c[field] for field in Attempted.__struct_fields__)
_TASKS: Final = {field: task.c[field] for field in (*Attempted.__struct_fields__, "extra_attrs")}


def listening(connection: Connection, project_id: int, event_type: str) -> list[tuple[int, Sequence[Target]]]:
    """The ids and targets of the project's policies that are to hear of such an event."""
    rows = _LISTENING.all(connection, project=project_id)
    return [
        (policy_id, _targets.decode(targets))
        for policy_id, event_types, targets in rows
        if event_type in _event_types.decode(event_types)
    ]


def place(connection: Connection, project_id: int, repository_name: str) -> tuple[bool, int]:
    """Whether the project is public, and when the repository (full name) was made, 0 when it is not there."""
    is_public, made = _PLACE.one(connection, project=project_id, repository=repository_name) or (False, 0)
    return bool(is_public), made or 0


def page(connection: Connection, project_id: int, listing: Listing) -> tuple[list[Policy], int]:
    """One page of the project's policies, the latest first, and how many there are."""
    statement = select(*_POLICY).where(webhook_policy.c.project_id == project_id)
    order = (webhook_policy.c.creation_time.desc(), webhook_policy.c.id.desc())
    rows, total = query.page(connection, statement, listing, _LISTED, *order)
    return [_policy(row) for row in rows], total


def find(connection: Connection, policy_id: int) -> Policy | None:
    row = connection.execute(select(*_POLICY).where(webhook_policy.c.id == policy_id)).one_or_none()
    return None if row is None else _policy(row)


def last_triggers(connection: Connection, project_id: int) -> list[tuple[Policy, str, int]]:
    """Every policy with each of its event types, and when it was last delivered; 0 for never."""
    policies, _ = page(connection, project_id, Listing(size=0))
    return [
        (policy, event_type, _last(connection, policy.id, event_type))
        for policy in policies
        for event_type in policy.event_types
    ]


def deliveries(
    connection: Connection, policy_id: int, listing: Listing, statuses: Sequence[str] = ()
) -> tuple[list[Delivery], int]:
    """One page of the policy's deliveries, the latest first, and how many there are; of some statuses where given."""
    statement = _of(policy_id)
    if statuses:
        statement = statement.where(execution.c.status.in_(statuses))
    order = (execution.c.start_time.desc(), execution.c.id.desc())
    rows, total = query.page(connection, statement, listing, _DELIVERIES, *order)
    counts = _counts(connection, [row.id for row in rows])
    return [_delivery(row, counts.get(row.id, {})) for row in rows], total


def delivery(connection: Connection, execution_id: int) -> Delivery | None:
    """The execution of this id, whatever it is of."""
    row = connection.execute(select(*_DELIVERY).where(execution.c.id == execution_id)).one_or_none()
    return None if row is None else _delivery(row, _counts(connection, [row.id]).get(row.id, {}))


def attempts(connection: Connection, execution_id: int, listing: Listing) -> tuple[list[Attempted], int]:
    """One page of a delivery's tasks, and how many there are."""
    statement = select(*_TASK).where(task.c.execution_id == execution_id)
    rows, total = query.page(connection, statement, listing, _TASKS, task.c.start_time.desc(), task.c.id.desc())
    return [Attempted(*row) for row in rows], total


def task_payload(connection: Connection, execution_id: int) -> Mapping[str, Any]:
    """What a delivery's task was told."""
    statement = select(task.c.payload).where(task.c.execution_id == execution_id).order_by(task.c.id).limit(1)
    found: Mapping[str, Any] = msgspec.json.decode(connection.execute(statement).scalar_one())
    return found


def _of(policy_id: int) -> Select[Any]:
    return select(*_DELIVERY).where(execution.c.vendor_type.in_(TYPES), execution.c.vendor_id == policy_id)


def _last(connection: Connection, policy_id: int, event_type: str) -> int:
    # The event's type is the first that is written there (listeners.py), so that neither database has to read JSON.
    begins = f'{{"event_type": "{event_type}"'
    moments = (
        select(execution.c.start_time)
        .where(
            execution.c.vendor_type == vendor,
            execution.c.vendor_id == policy_id,
            func.substr(execution.c.extra_attrs, 1, len(begins)) == begins,
        )
        .order_by(execution.c.start_time.desc())
        .limit(1)
        for vendor in TYPES
    )
    return max(connection.execute(each).scalar() or 0 for each in moments)


def _counts(connection: Connection, executions: Sequence[int]) -> dict[int, dict[str, int]]:
    counted = select(task.c.execution_id, task.c.status, func.count()).group_by(task.c.execution_id, task.c.status)
    found: dict[int, dict[str, int]] = {}
    for some in query.in_batches(executions):
        for execution_id, status, count in connection.execute(counted.where(task.c.execution_id.in_(some))):
            found.setdefault(execution_id, {})[status] = count
    return found


def _policy(row: Any) -> Policy:
    values = dict(row._mapping)
    return Policy(
        **values
        | {
            "event_types": _event_types.decode(values["event_types"]),
            "targets": _targets.decode(values["targets"]),
        }
    )


def _delivery(row: Any, tasks: Mapping[str, int]) -> Delivery:
    number, policy_id, vendor_type, trigger, status, message, attributes, start, update, end = row
    noted = msgspec.json.decode(attributes)
    event_type, payload = noted.get("event_type", ""), noted.get("payload", "")
    return Delivery(
        number, policy_id, vendor_type, trigger, status, message, event_type, payload, start, update, end, tasks
    )
