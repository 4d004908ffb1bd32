"""Reading the configuration: from the database each time it is needed, so that a change acts at once on every node."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, select

from mooring.db.prepared import Prepared, Row
from mooring.db.reader import Reader
from mooring.features.configuration.keys import Configuration
from mooring.features.configuration.tables import configuration

_ALL = Prepared(select(configuration.c.name, configuration.c.value))


class Current:
    """The configuration as it is now. `defaults` are the values of keys that nobody has set."""

    def __init__(self, reader: Reader, defaults: Configuration | None = None) -> None:
        self._reader = reader
        self.defaults = defaults or Configuration()

    async def read(self) -> Configuration:
        return self._over_defaults(await self._reader.all(_ALL))

    def inside(self, connection: Connection) -> Configuration:
        """As `read`, in a transaction."""
        return self._over_defaults(_ALL.all(connection))

    def _over_defaults(self, rows: Iterable[Row]) -> Configuration:
        return msgspec.structs.replace(self.defaults, **{name: msgspec.json.decode(value) for name, value in rows})
