"""What lies in a server's store without a row, and what rows lead to; and the chore that sweeps it."""

import asyncio
import json
from collections.abc import Mapping

from mooring.db.engine import Database
from mooring.features.blobs.jobs import purge_orphans, purge_uploads
from mooring.storage.filesystem import Filesystem
from tests.parts.server import Server
from tests.registry.contents import files, query


def segments(server: Server, table: str) -> dict[str, int]:
    """The segments that the rows of `blob` or `upload` name, with their sizes."""
    statement = {"blob": "SELECT segments FROM blob", "upload": "SELECT segments FROM upload"}[table]
    return {key: size for row in query(server, statement) for key, size in json.loads(row["segments"])}


def check_rows(server: Server) -> None:
    """No row leads to bytes that are not there. What an upload has beyond its row is nobody's."""
    there = files(server)
    for key, size in segments(server, "blob").items():
        assert there.get(key) == size
    for key, size in segments(server, "upload").items():
        assert there.get(key, -1) >= size


def sweep(server: Server) -> None:
    """What the jobs process does once a day, as if everything were old."""
    address = server.settings.get("MOORING_DATABASE__URL") or f"sqlite:///{server.data}/mooring.db"

    async def purge() -> None:
        db, driver = Database(address), Filesystem(server.data)
        await purge_uploads(db, driver, 0)
        await purge_orphans(db, driver, 0)
        await driver.close()
        await db.close()

    asyncio.run(purge())


def check_swept(server: Server) -> None:
    """There are files for blobs and no others."""
    expected: Mapping[str, int] = segments(server, "blob")
    assert query(server, "SELECT id FROM upload") == []
    assert files(server) == expected
