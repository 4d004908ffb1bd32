"""Garbage collection as a task: it runs beside pushes and pulls, can be stopped between any two steps, and goes on
where the last one was when it is begun again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final

from mooring.core.actor import JOBS
from mooring.core.clock import SECOND, now
from mooring.core.errors import Denied, WireError
from mooring.core.sizes import readable
from mooring.db.engine import Database
from mooring.features.gc import plan, service
from mooring.features.gc.service import BATCH, Buried, Doomed, Link
from mooring.features.gc.sweep import sweeping
from mooring.features.gc.wire import hours
from mooring.http.access import READ_ONLY
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind
from mooring.storage.driver import Driver

NAME: Final = "GARBAGE_COLLECTION"

# Blobs of one repository lie scattered over the rows of all: deleted in the order of their ids, many of them share a
# page of the database, which is then written once.
_GATHERED: Final = 10 * BATCH


class Collector:
    """`window` is in seconds: what was asked for within it stays, whatever names it. While the system is read-only
    nothing is deleted, so that a backup made then is whole.
    """

    def __init__(self, driver: Driver, window: int, is_read_only: Callable[[], Awaitable[bool]]) -> None:
        self._driver = driver
        self._window = window
        self._is_read_only = is_read_only

    def kind(self) -> Kind:
        return Kind(NAME, self.run, limit=1)

    async def run(self, context: Context) -> None:
        before = now() - self._window * SECOND
        log = context.log
        delete_untagged = bool(context.payload.get("delete_untagged"))
        if context.payload.get("dry_run"):
            found = await context.db.read(plan.survey, before, delete_untagged=delete_untagged)
            for line in found.lines:
                log.info(line)
            await self._report(context, found.blobs, found.manifests, "would be deleted")
            return
        if await self._is_read_only():
            raise Denied(READ_ONLY)
        async with sweeping(context.db, self._driver, int(context.payload.get("workers") or 1)) as sweep:
            await sweep.resume()
            if delete_untagged:
                await self._delete_untagged(context, before)
            async for blob_ids in _candidates(context, before):
                await sweep.bury(blob_ids, before)
            manifests = await _bury_manifests(context.db)
        await self._report(context, sweep.buried, manifests, "were deleted")

    async def _delete_untagged(self, context: Context, before: int) -> None:
        after = 0
        while doomed := await context.db.read(service.untagged, before, after):
            after = doomed[-1].id
            for each in doomed:
                await self._delete(context, each, before)

    async def _delete(self, context: Context, doomed: Doomed, before: int) -> None:
        try:
            await context.db.write(service.delete_if_untagged, JOBS, doomed, before)
        except WireError as error:
            context.log.warning(f"{doomed.repository}@{doomed.digest} stays: {error.message}")
        else:
            context.log.info(f"deleted the untagged artifact {doomed.repository}@{doomed.digest}")

    async def _report(self, context: Context, blobs: Buried, manifests: Buried, done: str) -> None:
        freed, log = blobs.size + manifests.size, context.log
        log.info(f"{blobs.count} blobs and {manifests.count} manifests eligible for deletion")
        log.info(f"The GC could free up {readable(freed)} space")
        log.info(f"{blobs.count} blobs and {manifests.count} manifests {done}, {freed} bytes")
        await context.note_execution(
            freed_space=freed,
            purged_blobs=blobs.count,
            purged_manifests=manifests.count,
            time_window=hours(self._window),
        )


async def _candidates(context: Context, before: int) -> AsyncIterator[list[int]]:
    """Blobs that nothing may hold any more, in batches: those that lose links now, while others do, then whatever has
    none.
    """
    links, unlinked = 0, list[int]()
    async for blob_ids in _unlink(context.db, before):
        links += len(blob_ids)
        unlinked += blob_ids
        if len(unlinked) >= _GATHERED:
            for batch in _batches(unlinked):
                yield batch
            unlinked.clear()
    context.log.info(f"{links} links to blobs that no artifact of their repository names were deleted")
    after = 0
    while dead := await context.db.read(service.dead_blobs, before, after):
        after = dead[-1]
        yield dead


def _batches(blob_ids: list[int]) -> Iterator[list[int]]:
    in_order = sorted(blob_ids)
    for start in range(0, len(in_order), BATCH):
        yield in_order[start : start + BATCH]


async def _unlink(db: Database, before: int) -> AsyncIterator[list[int]]:
    """Delete the links that are garbage; the blobs that lost them, repository by repository."""
    after = Link("", 0)
    while page := await db.read(service.links, after):
        after = page[-1]
        for name, links in groupby(page, attrgetter("repository")):
            blob_ids = [each.blob_id for each in links]
            if await db.read(service.has_garbage, name, blob_ids, before):
                yield await db.write(service.unlink, name, blob_ids, before)


async def _bury_manifests(db: Database) -> Buried:
    after, total = 0, Buried()
    while ids := await db.read(service.dead_manifests, after):
        after = ids[-1]
        total = total.plus(await db.write(service.bury_manifests, ids))
    return total
