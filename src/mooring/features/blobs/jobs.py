"""Chores of blobs: uploads that nobody goes on with, and bytes that nothing names."""

from typing import Final

import structlog

from mooring.core.clock import SECOND, now
from mooring.db.engine import Database
from mooring.features.blobs.service import count_uploads, expire_uploads, referenced
from mooring.storage.driver import Driver
from mooring.storage.keys import SEGMENTS

_BATCH: Final = 500


async def purge_uploads(db: Database, driver: Driver, age: int, *, dry_run: bool = False) -> int:
    """Forget uploads that nothing has come for in `age` seconds and delete their bytes; how many there were."""
    before = now() - age * SECOND
    log = structlog.get_logger()
    if dry_run:
        count = await db.read(count_uploads, before)
        log.info("uploads would be purged", count=count)
        return count
    purged = 0
    while expired := await db.write(expire_uploads, before, _BATCH):
        await driver.delete([key for upload in expired for key, _ in upload.segments])
        purged += len(expired)
    if purged:
        log.info("uploads were purged", count=purged)
    return purged


async def purge_orphans(db: Database, driver: Driver, age: int) -> int:
    """Delete segments older than `age` seconds that no row names: a crash between the bytes and their row leaves
    such; how many.

    A request that is still writing one keeps its time of change young, and a key is never used again, so what is old
    and has no row will never get one.
    """
    before = now() - age * SECOND
    deleted = 0
    for number in range(256):
        prefix = f"{SEGMENTS}{number:02x}/"
        old = [entry.key async for entry in driver.list(prefix) if entry.modified < before]
        if not old:
            continue
        known = await db.read(referenced, prefix)
        orphans = [key for key in old if key not in known]
        for at in range(0, len(orphans), _BATCH):
            await driver.delete(orphans[at : at + _BATCH])
        deleted += len(orphans)
    if deleted:
        structlog.get_logger().info("segments without a row were deleted", count=deleted)
    return deleted
