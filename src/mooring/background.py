"""The composition root of a jobs process, apart from app.py since web processes must not load DBOS."""

import asyncio
from typing import NamedTuple

from mooring import installation
from mooring.features.audit import purge
from mooring.features.audit.jobs import count_blocks, forward, is_waiting
from mooring.features.blobs.jobs import purge_orphans, purge_uploads
from mooring.features.gc import jobs as gc
from mooring.features.listeners import listeners
from mooring.features.retention import jobs as retention
from mooring.features.retention.queries import NAME as RETENTION
from mooring.features.retention.service import start_due
from mooring.features.system import jobs as system
from mooring.features.webhooks.jobs import Deliverer
from mooring.http.client import Client, Proxies
from mooring.jobs import schedules
from mooring.jobs.chores import Chore, Chores
from mooring.jobs.worker import Worker
from mooring.observe.board import Place
from mooring.observe.counts import Tasks
from mooring.settings import Settings


class Jobs(NamedTuple):
    """What a jobs process does."""

    chores: Chores
    worker: Worker
    client: Client

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set and what is under way then has ended or is handed on."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.chores.run_forever(stop))
            group.create_task(self.worker.run_forever(stop))
        await self.client.close()


def build_jobs(settings: Settings, place: Place | None = None) -> Jobs:
    """The parts of a jobs process, which counts its tasks at the place."""
    db = installation.database(settings)
    store = installation.driver(settings)
    purging = settings.upload_purging

    async def uploads() -> None:
        await purge_uploads(db, store, purging.age, dry_run=purging.dryrun)
        if not purging.dryrun:
            await purge_orphans(db, store, purging.age)

    configuration = installation.configuration(settings, db)
    db.follow(listeners(configuration, settings.external_host))
    chores = [
        Chore("count audit records", 60, lambda: count_blocks(db)),
        Chore("forward audit records", 1, lambda: forward(db, configuration), lambda: is_waiting(db)),
    ]
    if purging.enabled:
        chores.append(Chore("purge uploads", purging.interval, uploads))
    collector = gc.Collector(store, settings.gc_time_window, configuration.is_read_only)
    kinds = [collector.kind(), retention.kind(), purge.kind(), system.Cleanup(configuration).kind()]
    client = outgoing(settings)
    kinds += Deliverer(
        client,
        attempts=settings.notification.webhook_job_max_retry,
        patience=settings.notification.webhook_job_http_client_timeout,
        limit=max(settings.job_workers - 2, 1),
    ).kinds()
    starts = dict.fromkeys((gc.NAME, purge.NAME, system.NAME), schedules.start) | {RETENTION: start_due}
    own = [schedules.Own(system.NAME, system.CRON, system.VENDOR)]
    return Jobs(
        Chores(db, chores),
        Worker(db, kinds, starts, own, places=settings.job_workers, counts=Tasks(place) if place else None),
        client,
    )


def outgoing(settings: Settings) -> Client:
    """What sends requests to other servers."""
    proxy = settings.proxy
    bypass = tuple(each.strip() for each in proxy.no_proxy.split(",") if each.strip())
    return Client(tuple(settings.outgoing.allow), Proxies(proxy.http_proxy, proxy.https_proxy, bypass))
