"""Reading allowlists."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from mooring.db import query
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


def read(connection: Connection, project_id: int) -> Allowlist:
    """The list of the project, of the system when it is SYSTEM; an empty one where none was set."""
    return of_projects(connection, [project_id]).get(project_id) or Allowlist(project_id)


def of_projects(connection: Connection, project_ids: Sequence[int]) -> dict[int, Allowlist]:
    """The lists of these projects; those that were never set are left out."""
    rows = query.among(connection, select(allowlist), allowlist.c.project_id, project_ids)
    return {
        row.project_id: Allowlist(
            row.project_id,
            msgspec.json.decode(row.items, type=tuple[str, ...]),
            row.expires_at,
            row.creation_time,
            row.update_time,
        )
        for row in rows
    }
