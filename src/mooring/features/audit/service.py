"""Writing the log: in the transaction of the act, so that neither comes without the other."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Insert,
    Select,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.db.prepared import Prepared
from mooring.features.audit import blocks
from mooring.features.audit.kinds import Kind
from mooring.features.audit.records import Entry, Record
from mooring.features.audit.syslog import line
from mooring.features.audit.tables import audit_forward, audit_log
from mooring.features.configuration.keys import Configuration
from mooring.features.configuration.queries import Current


class Pulls(Struct, frozen=True):
    """Pulls that differ only in their moments."""

    actor: Actor
    entry: Entry
    moments: list[int]


class Log:
    """The log, kept as the configuration says at the moment."""

    def __init__(self, configuration: Current) -> None:
        self._configuration = configuration

    def write(self, connection: Connection, actor: Actor, entry: Entry) -> None:
        """Record one act, unless its kind is switched off."""
        configuration = self._configuration.inside(connection)
        if not _is_recorded(configuration, entry.operation, entry.resource_type):
            return
        record = Record.of(actor, entry, now())
        if not configuration.skip_audit_log_database:
            _ADD.run(connection, **msgspec.structs.asdict(record))
        if configuration.audit_log_forward_endpoint:
            _FORWARD.run(connection, line=line(record))

    def write_pulls(self, connection: Connection, pulls: Sequence[Pulls]) -> None:
        """Record pulls of many requests at once, one by one, unless they are switched off."""
        configuration = self._configuration.inside(connection)
        if configuration.pull_audit_log_disable or not _is_recorded(configuration, "pull", "artifact"):
            return
        oldest = min(moment for pull in pulls for moment in pull.moments)
        if oldest < now() - blocks.SETTLED // 2:
            blocks.drop(connection, oldest)
        groups = [(pull.moments, Record.of(pull.actor, pull.entry, 0)) for pull in pulls]
        if not configuration.skip_audit_log_database:
            _ADD_PULLS.run(connection, groups=msgspec.json.encode(groups).decode())
        if configuration.audit_log_forward_endpoint:
            for moments, record in groups:
                for moment in moments:
                    _FORWARD.run(connection, line=line(msgspec.structs.replace(record, op_time=moment)))


def _is_recorded(configuration: Configuration, operation: str, resource_type: str) -> bool:
    disabled = configuration.disabled_audit_log_event_types
    return not disabled or str(Kind(operation, resource_type)) not in [each.strip() for each in disabled.split(",")]


def _unpacked() -> dict[str, Insert]:
    """Many records in one statement, from a JSON list of moments with the record that they share: the database works
    alone while the event loop goes on.
    """
    shared = Record.__struct_fields__[1:]
    names = ["op_time", *shared]
    places = list(enumerate(shared, start=1))
    lists = func.json_each(bindparam("groups")).table_valued("value", name="alike")
    texts: list[ColumnElement[Any]] = [
        literal_column(f"json_extract(alike.value, '$[1][{at}]')").label(name) for at, name in places
    ]
    elements = func.json_array_elements(cast(bindparam("groups"), JSON)).table_valued("value", name="alike")
    typed: list[ColumnElement[Any]] = [
        cast(literal_column(f"alike.value -> 1 ->> {at}"), audit_log.c[name].type).label(name) for at, name in places
    ]
    sqlite = _each(texts, lists, "json_extract(alike.value, '$[0]')", func.json_each)
    postgresql = _each(typed, elements, "alike.value -> 0", func.json_array_elements_text)
    return {
        "sqlite": insert(audit_log).from_select(names, sqlite),
        "postgresql": insert(audit_log).from_select(names, postgresql),
    }


def _each(shared: list[ColumnElement[Any]], groups: FromClause, moments: str, unpack: Any) -> Select[Any]:
    """Every moment with what it shares, which is read once: there may be very many moments."""
    alike = select(literal_column(moments).label("moments"), *shared).select_from(groups).cte("pulls")
    alike = alike.prefix_with("MATERIALIZED")
    moment = unpack(alike.c.moments).table_valued("value", name="moment")
    columns = [alike.c[column.name] for column in shared]
    return select(cast(moment.c.value, BigInteger), *columns).select_from(alike.join(moment, true()))


_ADD: Final = Prepared(insert(audit_log).values({name: bindparam(name) for name in Record.__struct_fields__}))
_ADD_PULLS: Final = Prepared(_unpacked())
_FORWARD: Final = Prepared(insert(audit_forward).values(line=bindparam("line")))
