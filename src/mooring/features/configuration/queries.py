"""Reading the configuration: from the database each time it is needed, so that a change acts at once on every node."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from mooring.db.prepared import Prepared, Row
from mooring.db.reader import Reader
from mooring.features.configuration.keys import SECRET, Configuration
from mooring.features.configuration.tables import configuration
from mooring.features.configuration.vault import Vault

Value = bool | int | str

_ALL: Final = Prepared(select(configuration.c.name, configuration.c.value).order_by(configuration.c.name))
_ONE: Final = Prepared(select(configuration.c.value).where(configuration.c.name == bindparam("name")))


class Current:
    """The configuration as it is now.

    `defaults` are the values of keys that nobody has set. `overwritten` is what the administrator of the machine has
    set: it holds whatever the database says, and while it is not None nobody may change anything. `vault` opens the
    secrets; without one they are not set.
    """

    def __init__(
        self,
        reader: Reader,
        defaults: Configuration | None = None,
        *,
        overwritten: Mapping[str, Value] | None = None,
        vault: Vault | None = None,
    ) -> None:
        self._reader = reader
        self.is_frozen: Final = overwritten is not None
        self._overwritten: Final = dict(overwritten or {})
        self._defaults: Final = msgspec.structs.replace(defaults or Configuration(), **self._overwritten)
        self.vault: Final = vault
        self._known: tuple[Sequence[Row], Configuration] = [], self._defaults

    async def read(self) -> Configuration:
        return self._over_defaults(await self._reader.all(_ALL))

    def inside(self, connection: Connection) -> Configuration:
        """As `read`, in a transaction."""
        return self._over_defaults(_ALL.all(connection))

    async def is_read_only(self) -> bool:
        """The one key that every request that writes asks for."""
        if "read_only" in self._overwritten:
            return self._defaults.read_only
        row = await self._reader.one(_ONE, name="read_only")
        return self._defaults.read_only if row is None else bool(msgspec.json.decode(row[0]))

    def _over_defaults(self, rows: Sequence[Row]) -> Configuration:
        """The rows are decoded only when they are not those of last time."""
        known, decoded = self._known
        if rows != known:
            values = {name: self._value(name, text) for name, text in rows if name in self._defaults.__struct_fields__}
            decoded = msgspec.structs.replace(self._defaults, **(values | self._overwritten))
            self._known = rows, decoded
        return decoded

    def _value(self, name: str, text: str) -> Value:
        value: Value = msgspec.json.decode(text)
        if name not in SECRET:
            return value
        return self.vault.open(str(value)) if self.vault and value else ""
