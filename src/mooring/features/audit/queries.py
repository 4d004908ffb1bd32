"""Reading the log."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, and_, select, true
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.access import Role, allowed
from mooring.core.actor import EVERY_PROJECT, Actor
from mooring.core.page import AnyOf, Exact, Filter, Listing, Range
from mooring.db import query
from mooring.db.places import Places, lasting
from mooring.features.audit.blocks import (
    EVENT,
    FACETS,
    OUTCOME,
    PROJECT,
    USER,
    Facet,
    Stretch,
    period,
    stretches,
    within,
)
from mooring.features.audit.kinds import RECORDED, Kind
from mooring.features.audit.tables import audit_log
from mooring.features.projects.tables import USER as USER_MEMBER
from mooring.features.projects.tables import member

_log = audit_log.c
_MANY: Final = 1000  # values that are sooner read than looked up one by one
_THINGS: Final = {PROJECT: ("project_id",), USER: ("username",), EVENT: Kind._fields, OUTCOME: ("op_result",)}


class Line(Struct, frozen=True):
    """A record as it is shown."""

    id: int
    op_time: int
    username: str
    operation: str
    resource_type: str
    resource: str
    op_desc: str
    op_result: bool


_SHOWN: Final[list[ColumnElement[Any]]] = [_log[name] for name in Line.__struct_fields__]
_NAMES: Final = {
    "id": _log.id,
    "op_time": _log.op_time,
    "username": _log.username,
    "operation": _log.operation,
    "resource_type": _log.resource_type,
    "resource": _log.resource,
    "project_id": _log.project_id,
    "op_desc": _log.op_desc,
    "operation_description": _log.op_desc,
    "op_result": _log.op_result,
    "is_successful": _log.op_result,
}


def page(connection: Connection, listing: Listing, projects: Collection[int] | None = None) -> tuple[list[Line], int]:
    """One page of the log, the newest first, and how long it is; of these projects only, if they are given."""
    filters = query.named(listing.filters, _NAMES)
    facet, bounds = _facet(filters, projects), _bounds(filters.get("op_time"))
    newest_first = not _is_by_time(listing) or not listing.sort or listing.sort[0].descending
    known: Places | None = None
    if facet is not None and bounds is not None:
        name = ("audit", facet.names, facet.values, bounds)
        parts = lasting(connection, name, partial(stretches, connection, facet, *bounds))
        known = Places(sum(part.records for part in parts))
        if listing.size > 0 and _is_by_time(listing):
            wanted = and_(facet.condition, period(*bounds))
            rows = _found(connection, listing, wanted, parts, newest_first=newest_first)
            return [Line(*row) for row in rows], known.total
    statement = select(*_SHOWN)
    if projects is not None:
        statement = statement.where(_log.project_id.in_(projects))
    order = _by_time(newest_first=newest_first)
    if _is_by_time(listing):
        listing = Listing(listing.page, listing.size, listing.filters)
    rows, total = query.page(connection, statement, listing, _NAMES, *order, known=known)
    return [Line(*row) for row in rows], total


def readable(connection: Connection, actor: Actor) -> frozenset[int] | None:
    """The projects whose records the actor may see; None for the whole log."""
    if allowed(actor, "audit-log", "list", project=None):
        return None
    roles: dict[int, set[Role]] = {}
    granted = (*actor.permissions, *(actor.scope.permissions if actor.scope else ()))
    for project_id in {permission.project for permission in granted if permission.project > EVERY_PROJECT}:
        roles[project_id] = set()
    if actor.kind == "user":
        own = select(member.c.project_id, member.c.role).where(
            member.c.entity_type == USER_MEMBER, member.c.entity_id == actor.id
        )
        for project_id, role in connection.execute(own):
            roles.setdefault(project_id, set()).add(Role(role))
    may = (each for each in roles if allowed(actor, "log", "list", project=each, roles=frozenset(roles[each])))
    return frozenset(may)


def _found(
    connection: Connection,
    listing: Listing,
    wanted: ColumnElement[bool],
    parts: Sequence[Stretch],
    *,
    newest_first: bool,
) -> list[Any]:
    """The rows of the page: those stretches are read that it lies in, and of what is skipped only the index."""
    skipped = listing.offset
    chosen: list[Stretch] = []
    for part in reversed(parts) if newest_first else parts:
        if not chosen and skipped >= part.records:
            skipped -= part.records
        elif sum(one.records for one in chosen) < skipped + listing.size:
            chosen.append(part)
    if not chosen:
        return []
    first, last = (chosen[-1], chosen[0]) if newest_first else (chosen[0], chosen[-1])
    order = _by_time(newest_first=newest_first)
    keys = select(_log.id).where(within(first.after, last.upto), wanted).order_by(*order)
    ids = keys.limit(listing.size).offset(skipped).scalar_subquery()
    return list(connection.execute(select(*_SHOWN).where(_log.id.in_(ids)).order_by(*order)))


def _by_time(*, newest_first: bool) -> tuple[ColumnElement[int], ...]:
    return (_log.op_time.desc(), _log.id.desc()) if newest_first else (_log.op_time, _log.id)


def _is_by_time(listing: Listing) -> bool:
    """Whether it is sorted by time. Ids are taken for the same: records of several processes that are written down
    together have them in any order.
    """
    return not listing.sort or [order.key for order in listing.sort] in (["op_time"], ["id"])


def _facet(filters: Mapping[str, Filter], projects: Collection[int] | None) -> Facet | None:
    """What is asked for as something that blocks have counted; None where they have not."""
    asked = {name: condition for name, condition in filters.items() if isinstance(condition, Exact | AnyOf)}
    if asked.keys() != filters.keys() - {"op_time"} or (projects is not None and "project_id" in asked):
        return None
    if projects is not None:
        asked["project_id"] = AnyOf(tuple(projects))
    things = tuple(thing for thing, columns in _THINGS.items() if not asked.keys().isdisjoint(columns))
    others = asked.keys() - {name for columns in _THINGS.values() for name in columns}
    if others or things not in FACETS:
        return None
    values = tuple(" ".join(each) for each in product(*(_values(thing, asked) for thing in things)))
    conditions = [query.matches(_log[name], condition) for name, condition in asked.items()]
    if EVENT in things:
        kinds = _kinds(asked)  # conditions on both columns, for the index that begins with them
        conditions.append(_log.operation.in_(sorted({kind.operation for kind in kinds})))
        conditions.append(_log.resource_type.in_(sorted({kind.resource_type for kind in kinds})))
    return Facet(things, values, and_(true(), *conditions)) if len(values) <= _MANY else None


def _values(thing: str, asked: Mapping[str, Exact | AnyOf]) -> list[str]:
    """The values of a thing that the conditions let pass, as blocks spell them."""
    if thing == EVENT:
        return [str(kind) for kind in _kinds(asked)]
    (name,) = _THINGS[thing]
    return _listed(name, asked[name])


def _kinds(asked: Mapping[str, Exact | AnyOf]) -> list[Kind]:
    listed = {name: _listed(name, asked[name]) for name in Kind._fields if name in asked}
    return [kind for kind in RECORDED if all(getattr(kind, name) in values for name, values in listed.items())]


def _listed(name: str, condition: Exact | AnyOf) -> list[str]:
    values = [condition.value] if isinstance(condition, Exact) else condition.values
    comparable = [query.comparable(_log[name], value) for value in values]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in comparable if value is not None]


def _bounds(condition: Filter | None) -> tuple[int | None, int | None] | None:
    """The first and the last moment of a range of times; None where the condition is another."""
    match condition:
        case None:
            return None, None
        case Range(low, high):
            first, last = (None if each is None else query.comparable(_log.op_time, each) for each in (low, high))
            is_range = (first is None) == (low is None) and (last is None) == (high is None)
            return (first, last) if is_range else None
    return None
