"""Reading allowlists."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from mooring.features.allowlists.tables import allowlist

SYSTEM: Final = 0  # the project_id of the list that holds everywhere


class Allowlist(Struct, frozen=True):
    """`items` are ids such as CVE-2026-1. `expires_at` is in seconds since the epoch, None for never; the other times
    in microseconds, 0 for a list that was never set.
    """

    project_id: int
    items: tuple[str, ...] = ()
    expires_at: int | None = None
    creation_time: int = 0
    update_time: int = 0


COLUMNS: Final = tuple(allowlist.c[field] for field in Allowlist.__struct_fields__)


def read(connection: Connection, project_id: int) -> Allowlist:
    """The list of the project, of the system when it is SYSTEM; an empty one where none was set."""
    row = connection.execute(select(*COLUMNS).where(allowlist.c.project_id == project_id)).one_or_none()
    return Allowlist(project_id) if row is None else of_row(row)


def of_row(columns: Sequence[Any]) -> Allowlist:
    """The list whose COLUMNS these are."""
    project_id, items, *times = columns
    return Allowlist(project_id, msgspec.json.decode(items, type=tuple[str, ...]), *times)
