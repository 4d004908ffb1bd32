"""Reading the configuration: from the database each time it is needed, so that a change acts at once on every node."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from mooring.db.prepared import Prepared, Row
from mooring.db.reader import Reader
from mooring.features.configuration.keys import Configuration
from mooring.features.configuration.tables import configuration

_ALL: Final = Prepared(select(configuration.c.name, configuration.c.value).order_by(configuration.c.name))
_ONE: Final = Prepared(select(configuration.c.value).where(configuration.c.name == bindparam("name")))


class Current:
    """The configuration as it is now. `defaults` are the values of keys that nobody has set."""

    def __init__(self, reader: Reader, defaults: Configuration | None = None) -> None:
        self._reader = reader
        self.defaults: Final = defaults or Configuration()
        self._known: tuple[Sequence[Row], Configuration] = [], self.defaults

    async def read(self) -> Configuration:
        return self._over_defaults(await self._reader.all(_ALL))

    def inside(self, connection: Connection) -> Configuration:
        """As `read`, in a transaction."""
        return self._over_defaults(_ALL.all(connection))

    async def is_read_only(self) -> bool:
        """The one key that every request that writes asks for."""
        row = await self._reader.one(_ONE, name="read_only")
        return self.defaults.read_only if row is None else bool(msgspec.json.decode(row[0]))

    def _over_defaults(self, rows: Sequence[Row]) -> Configuration:
        """The rows are decoded only when they are not those of last time."""
        known, decoded = self._known
        if rows != known:
            values = {name: msgspec.json.decode(value) for name, value in rows}
            decoded = msgspec.structs.replace(self.defaults, **values)
            self._known = rows, decoded
        return decoded
