"""Garbage collection as a task: it runs beside pushes and pulls, can be stopped between any two steps, and goes on
where the last one was when it is begun again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from mooring.core.actor import Actor
from mooring.core.clock import SECOND, now
from mooring.core.errors import Denied, WireError
from mooring.db.engine import Database
from mooring.features.gc import plan, service
from mooring.features.gc.service import BATCH, Buried, Doomed, Link
from mooring.http.access import READ_ONLY
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind
from mooring.storage.driver import Driver

NAME: Final = "GARBAGE_COLLECTION"
ACTOR: Final = Actor(kind="internal", name="harbor-jobservice")
_AT_ONCE: Final = 1000  # keys in one request to the store


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
        await self._sweep(context)  # what an earlier run let go of and did not come to delete
        if delete_untagged:
            await self._delete_untagged(context, before)
        links = await self._unlink(context.db, before)
        log.info(f"{links} links to blobs that no artifact of their repository names were deleted")
        blobs = await _bury(
            context.db,
            lambda connection, after: service.dead_blobs(connection, before, after),
            lambda connection, ids: service.bury(connection, ids, before),
        )
        manifests = await _bury(context.db, service.dead_manifests, service.bury_manifests)
        log.info(f"{blobs.count} blobs and {manifests.count} manifests eligible for deletion")
        await self._sweep(context)
        await self._report(context, blobs, manifests, "were deleted")

    async def _delete_untagged(self, context: Context, before: int) -> None:
        after = 0
        while doomed := await context.db.read(service.untagged, before, after):
            after = doomed[-1].id
            for each in doomed:
                await self._delete(context, each, before)

    async def _delete(self, context: Context, doomed: Doomed, before: int) -> None:
        try:
            await context.db.write(service.delete_if_untagged, ACTOR, doomed, before)
        except WireError as error:
            context.log.warning(f"{doomed.repository}@{doomed.digest} stays: {error.message}")
        else:
            context.log.info(f"deleted the untagged artifact {doomed.repository}@{doomed.digest}")

    async def _unlink(self, db: Database, before: int) -> int:
        after, deleted = Link("", 0), 0
        while page := await db.read(service.links, after):
            after = page[-1]
            homes: dict[str, list[int]] = {}
            for each in page:
                homes.setdefault(each.repository, []).append(each.blob_id)
            for name, blob_ids in homes.items():
                if await db.read(service.has_garbage, name, blob_ids, before):
                    deleted += await db.write(service.unlink, name, blob_ids, before)
        return deleted

    async def _sweep(self, context: Context) -> None:
        """Delete the bytes of what was let go of."""
        workers = int(context.payload.get("workers") or 1)
        while keys := await context.db.read(service.dead_segments, _AT_ONCE * workers):
            parts = [keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE)]
            await asyncio.gather(*(self._driver.delete(part) for part in parts))
            await context.db.write(service.forget_segments, keys)

    async def _report(self, context: Context, blobs: Buried, manifests: Buried, done: str) -> None:
        freed = blobs.size + manifests.size
        context.log.info(f"{blobs.count} blobs and {manifests.count} manifests {done}, {freed} bytes")
        await context.note_execution(
            freed_space=freed,
            purged_blobs=blobs.count,
            purged_manifests=manifests.count,
            time_window=_hours(self._window),
        )


def _hours(seconds: int) -> float:
    whole, rest = divmod(seconds, 3600)
    return seconds / 3600 if rest else whole


async def _bury(
    db: Database, find: Callable[[Any, int], list[int]], bury: Callable[[Any, Sequence[int]], Buried]
) -> Buried:
    after, total = 0, Buried()
    while ids := await db.read(find, after):
        after = ids[-1]
        total = total.plus(await db.write(bury, ids))
        if len(ids) < BATCH:
            break
    return total
