"""How long the log is, and where its pages begin, without reading it.

The log is divided into blocks of records that follow each other in the order of (op_time, id). How many records a block
has in all, of each project, of each user and of each kind of event is counted once, when nothing can be added to it any
more; what is newer than the last block is counted each time. So a page is found by adding up a few hundred numbers, and
costs the same wherever in the log it is.

Blocks are derived from the records: to drop some is always right, only slower. Who adds old records drops the blocks
that these are in; who deletes records has theirs counted anew.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy import (
    Connection,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.sql.elements import ColumnElement, Tuple

from mooring.core.clock import SECOND, now
from mooring.db.prepared import Among
from mooring.db.turns import take_turns
from mooring.features.audit.tables import audit_block, audit_count, audit_log

SIZE: Final = 8192  # records of a block
SETTLED: Final = 60 * SECOND  # age at which no node's clock takes a record for a new one

PROJECT: Final = "project"
USER: Final = "user"
EVENT: Final = "event"
OUTCOME: Final = "outcome"

_TURN: Final = "audit blocks"

Key = tuple[int, int]  # (op_time, id) of a record

_log, _block, _count = audit_log.c, audit_block.c, audit_count.c
_VALUES: Final[Mapping[str, ColumnElement[str]]] = {
    PROJECT: cast(_log.project_id, Text),
    USER: _log.username,
    EVENT: _log.operation + literal_column("'_'") + _log.resource_type,
    OUTCOME: case((_log.op_result, literal_column("'true'")), else_=literal_column("'false'")),
}
# What is counted: of one thing, or of two together.
FACETS: Final = ((), (PROJECT,), (USER,), (EVENT,), (OUTCOME,), (PROJECT, EVENT), (USER, EVENT))
# The blocks that hold matching records, the oldest first, with how many.
_COUNTED: Final = Among(
    select(_block.last_time, _block.last_id, func.sum(_count.records))
    .join(audit_count, _block.number == _count.block)
    .where(_count.facet == bindparam("facet"))
    .group_by(_block.number, _block.last_time, _block.last_id)
    .order_by(_block.number),
    _count.value,
)


class Facet(Struct, frozen=True):
    """Records that blocks have counted: `names` is one of FACETS, `values` those that are meant, and `condition` says
    the same in SQL. The values of two things together are joined by a space.
    """

    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ("",)
    condition: ColumnElement[bool] = true()


class Stretch(Struct, frozen=True):
    """The records behind `after`, up to `upto` and with it, of which so many match; None is the log's begin or end."""

    after: Key | None
    upto: Key | None
    records: int

    def condition(self) -> ColumnElement[bool]:
        return within(self.after, self.upto)


def within(after: Key | None, upto: Key | None) -> ColumnElement[bool]:
    """The records behind the one key, up to the other and with it."""
    key = tuple_(_log.op_time, _log.id)
    conditions: list[ColumnElement[bool]] = []
    # PostgreSQL can tell how much lies between two moments, but not between two rows.
    if after is not None:
        conditions += [_log.op_time >= after[0], key > _literal(after)]
    if upto is not None:
        conditions += [_log.op_time <= upto[0], key <= _literal(upto)]
    return and_(true(), *conditions)


def _literal(key: Key) -> Tuple:
    moment, number = key
    return tuple_(literal(moment, _log.op_time.type), literal(number, _log.id.type))


def stretches(connection: Connection, facet: Facet, low: int | None = None, high: int | None = None) -> list[Stretch]:
    """The log from the moment `low` to the moment `high`, both included, as stretches with counts, the oldest first."""
    inside: list[Stretch] = []
    before: Key | None = None
    for last_time, last_id, records in _COUNTED.all(connection, facet.values, facet=_name(facet.names)):
        last = (last_time, last_id)
        begins = low is None or (before is not None and before[0] >= low)
        if begins and (high is None or last_time <= high):
            inside.append(Stretch(before, last, records))
        before = last
    wanted = and_(facet.condition, period(low, high))
    if not inside:
        return [_read(connection, None, None, wanted)]
    newest = _read(connection, inside[-1].upto, None, wanted)
    oldest = [] if low is None else [_read(connection, None, inside[0].after, wanted)]
    return [*oldest, *inside, newest]


def period(low: int | None, high: int | None) -> ColumnElement[bool]:
    """From the one moment to the other, both included."""
    lower = true() if low is None else _log.op_time >= low
    return lower if high is None else and_(lower, _log.op_time <= high)


class Block(Struct, frozen=True):
    """A block that is ready to be added behind the block `after`: its last key, and its counts of each facet."""

    after: int
    upto: Key
    counts: list[tuple[str, str, int]]


def next_block(connection: Connection) -> Block | None:
    """Count the oldest records that are in no block; None while there are too few that nothing can come between."""
    number, after = _last(connection)
    settled = and_(within(after, None), _log.op_time < _settled(connection))
    key = select(_log.op_time, _log.id).where(settled).order_by(_log.op_time, _log.id)
    last = connection.execute(key.limit(1).offset(SIZE - 1)).one_or_none()
    if last is None:
        return None
    upto = (last.op_time, last.id)
    return Block(number, upto, _tally(connection, after, upto))


def add(connection: Connection, block: Block) -> bool:
    """Add a block, unless something has come between since it was counted."""
    take_turns(connection, [_TURN])
    number, after = _last(connection)
    records = select(func.count()).select_from(audit_log).where(within(after, block.upto))
    if number != block.after or connection.execute(records).scalar_one() != SIZE:
        return False
    moment, record_id = block.upto
    connection.execute(insert(audit_block).values(number=number + 1, last_time=moment, last_id=record_id))
    _keep(connection, number + 1, block.counts)
    return True


def recount(connection: Connection, first: int, last: int) -> None:
    """Count the blocks anew that records from the one moment to the other were deleted from; empty ones go."""
    take_turns(connection, [_TURN])
    after: Key | None = None
    for block in connection.execute(select(audit_block).order_by(_block.number)).all():
        upto = (block.last_time, block.last_id)
        if block.last_time >= first and (after is None or after[0] <= last):
            connection.execute(delete(audit_count).where(_count.block == block.number))
            counts = _tally(connection, after, upto)
            if not counts:
                connection.execute(delete(audit_block).where(_block.number == block.number))
                continue
            _keep(connection, block.number, counts)
        after = upto


def drop(connection: Connection, since: int) -> None:
    """Drop the blocks that records of the moment, or later ones, are in."""
    take_turns(connection, [_TURN])
    dropped = select(_block.number).where(_block.last_time >= since)
    connection.execute(delete(audit_count).where(_count.block.in_(dropped)))
    connection.execute(delete(audit_block).where(_block.last_time >= since))


def _tally(connection: Connection, after: Key | None, upto: Key) -> list[tuple[str, str, int]]:
    """How many records there are of each value of each facet."""
    counts: list[tuple[str, str, int]] = []
    for names in FACETS:
        value = _value(names).label("value")
        counted = select(value, func.count()).where(within(after, upto)).group_by(text("value"))
        counts += [(_name(names), *row) for row in connection.execute(counted)]
    return counts


def _keep(connection: Connection, number: int, counts: list[tuple[str, str, int]]) -> None:
    rows = [{"facet": facet, "value": value, "block": number, "records": n} for facet, value, n in counts]
    connection.execute(insert(audit_count), rows)


def _last(connection: Connection) -> tuple[int, Key | None]:
    """The number of the newest block, 0 when there is none, and its last key."""
    last = connection.execute(select(audit_block).order_by(_block.number.desc()).limit(1)).one_or_none()
    return (0, None) if last is None else (last.number, (last.last_time, last.last_id))


def _read(connection: Connection, after: Key | None, upto: Key | None, wanted: ColumnElement[bool]) -> Stretch:
    counted = select(func.count()).select_from(audit_log).where(within(after, upto), wanted)
    return Stretch(after, upto, connection.execute(counted).scalar_one())


def _name(names: tuple[str, ...]) -> str:
    return " ".join(names)


def _value(names: tuple[str, ...]) -> ColumnElement[str]:
    first, *others = [_VALUES[name] for name in names] or [literal_column("''")]
    for other in others:
        first = first + literal_column("' '") + other
    return first


def _settled(connection: Connection) -> int:
    """The moment before which no record comes any more, but from who drops the blocks."""
    settled = now() - SETTLED
    if connection.dialect.name == "postgresql":
        # A record's moment lies within the transaction that writes it.
        oldest = connection.execute(_OLDEST_TRANSACTION).scalar_one()
        settled = settled if oldest is None else min(settled, oldest)
    return settled


_OLDEST_TRANSACTION: Final = text(
    "SELECT CAST(extract(epoch FROM min(xact_start)) * 1000000 AS bigint) FROM pg_stat_activity "
    "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
