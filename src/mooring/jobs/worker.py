"""A worker: claims tasks as they come, runs them, writes how they ended, and takes over from workers that died."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Concatenate, Final, ParamSpec, TypeVar
from uuid import uuid4

import structlog
from sqlalchemy import Connection
from structlog.contextvars import bind_contextvars

from mooring.core.clock import SECOND, now
from mooring.core.errors import DatabaseUnavailable, MooringError
from mooring.db.engine import Database
from mooring.jobs import claims, schedules, sweep
from mooring.jobs.context import Claimed, Context
from mooring.jobs.engine import Engine
from mooring.jobs.kinds import Kind, Kinds, Status
from mooring.jobs.schedules import Start
from mooring.jobs.watch import Watch, watch
from mooring.observe.counts import Tasks
from mooring.observe.logging import REQUEST_ID

P = ParamSpec("P")
T = TypeVar("T")

_MISSED: Final = 3  # heartbeats, after which a worker is dead
_TICK: Final = 1.0  # seconds between two looks at the schedules
_LOG: Final = 1.0  # seconds that a line of a log may wait
_PAUSE: Final = 1.0  # seconds after the database did not answer


class Worker:
    """Runs up to `places` tasks at once. `grace` and `beat` are in seconds: what tasks get to end when the worker is
    told to, and how often it says that it lives. `counts` is told how they ended.
    """

    def __init__(
        self,
        db: Database,
        kinds: Iterable[Kind],
        starts: Mapping[str, Start] | None = None,
        own: Sequence[schedules.Own] = (),
        *,
        places: int = 10,
        grace: float = 10.0,
        beat: float = 5.0,
        counts: Tasks | None = None,
    ) -> None:
        self._db = db
        self._kinds = Kinds([*kinds, Kind(sweep.NAME, self._sweep, limit=1, kept=10)])
        self._own = (*own, schedules.Own(sweep.NAME, sweep.CRON, -1))
        self._starts = {sweep.NAME: schedules.start, **(starts or {})}
        self._places = places
        self._grace = grace
        self._every = beat
        self._counts = counts
        self.name: Final = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._running: dict[int, asyncio.Task[None]] = {}
        self._expected = 0  # tasks that were claimed and have not come to `_perform` yet
        self._wake = asyncio.Event()
        self._stopped: set[int] = set()
        self._log = structlog.get_logger().bind(worker=self.name)

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; what has not ended by then and within the grace goes to another worker."""
        while not await self._started():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE)
                return
        watcher = watch(self._db)
        async with asyncio.TaskGroup() as group:
            chores = [
                group.create_task(each) for each in (self._listen(watcher), self._beat(), self._tick(), self._serve())
            ]
            await stop.wait()
            for chore in chores:
                chore.cancel()
        await watcher.close()
        await self._end()

    async def _started(self) -> bool:
        """Whether there is an engine now; there is none while the database is away."""
        self._engine = Engine(self._db.url.render_as_string(hide_password=False), self.name, self._perform)
        is_started = False
        with self._patiently():
            await self._engine.start()
            is_started = True
        return is_started

    async def _listen(self, watcher: Watch) -> None:
        while True:
            await watcher.changed()
            self._wake.set()

    async def _beat(self) -> None:
        patience = int(_MISSED * self._every * SECOND)
        while True:
            with self._patiently():
                await self._db.write(claims.beat, self.name, socket.gethostname(), os.getpid(), self._places)
                for orphan in await self._db.write(claims.take_over, self.name, patience):
                    await self._take_over(orphan)
            self._wake.set()
            await asyncio.sleep(self._every)

    async def _tick(self) -> None:
        with self._patiently():
            await self._db.write(schedules.ensure, self._own)
        while True:
            with self._patiently():
                if await self._db.reader.one(schedules.DUE, moment=now()):
                    await self._db.write(schedules.tick, self._starts)
            await asyncio.sleep(_TICK)

    async def _sweep(self, context: Context) -> None:
        await sweep.sweep(context, self._kinds, self._engine)

    async def _take_over(self, orphan: Claimed) -> None:
        self._log.warning("a task of a worker that died is taken over", job=orphan.job_id, kind=orphan.kind)
        if await self._engine.resume(orphan.run_name):
            return
        renewed = await self._surely(claims.renew, orphan, self.name)
        if renewed is not None:
            await self._engine.begin(renewed.run_name)

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            pause: float | None = _PAUSE
            with self._patiently():
                await self._cancel_stopped()
                await self._claim()
                due = await self._db.read(claims.next_due)
                pause = max((due - now()) / SECOND, 0.01) if due else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _claim(self) -> None:
        free = self._places - len(self._running) - self._expected
        if free <= 0 or not await self._db.read(claims.is_due):
            return
        for claimed in await self._db.write(claims.claim, self.name, self._kinds, free):
            self._expected += 1
            await self._engine.begin(claimed.run_name)

    async def _cancel_stopped(self) -> None:
        if not self._running:
            return
        for task_id in await self._db.read(claims.stopping, self.name):
            if task_id in self._running and task_id not in self._stopped:
                self._stopped.add(task_id)
                self._running[task_id].cancel()

    async def _perform(self, run_name: str) -> None:
        """One run, as the engine asks for it."""
        self._expected = max(self._expected - 1, 0)
        claimed = await self._surely(claims.adopt, run_name, self.name)
        if claimed is None:
            return
        # In a context of its own: whatever is said from here on, and whatever is enqueued, bears these.
        bind_contextvars(job=claimed.job_id, kind=claimed.kind)
        context = Context(self._db, claimed)
        if claimed.request_id:
            REQUEST_ID.set(claimed.request_id)
            context.log.info(f"request {claimed.request_id}")
        began = time.monotonic()
        work = asyncio.ensure_future(self._kinds[claimed.kind].run(context))
        self._running[claimed.id] = work
        self._wake.set()  # it may have been stopped before it was there to be cancelled
        over = asyncio.Event()
        flushing = asyncio.create_task(_keep_flushing(context, over))
        try:
            status, retry_at = await self._outcome(claimed, context, work)
        finally:
            del self._running[claimed.id]
            self._stopped.discard(claimed.id)
            self._wake.set()
            over.set()
            await asyncio.wait([flushing])  # cancelled, it would lose what it is writing, or write it beside the rest
        self._ended(claimed, status, time.monotonic() - began)
        with self._patiently():
            await context.flush()
        await self._surely(claims.end, claimed, self.name, status, retry_at=retry_at)

    def _ended(self, claimed: Claimed, status: Status, seconds: float) -> None:
        """Say so, and count it; a run that another will follow has failed."""
        self._log.info("a task ended", status=status, execution=claimed.execution_id, seconds=round(seconds, 3))
        if self._counts:
            end = status if status.is_final else Status.ERROR
            self._counts.ended(claimed.kind, end, seconds, is_final=status.is_final)

    async def _surely(
        self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write when the database takes it: nobody takes over the tasks of a worker that lives."""
        while True:
            try:
                return await self._db.write(function, *args, **kwargs)
            except DatabaseUnavailable as error:
                self._log.warning("a task waits for the database", reason=str(error))
                await asyncio.sleep(_PAUSE)

    async def _outcome(self, claimed: Claimed, context: Context, work: "asyncio.Future[None]") -> tuple[Status, int]:
        """How the run ended, and when the next one is if there is one."""
        kind = self._kinds[claimed.kind]
        try:
            await work
        except asyncio.CancelledError:
            if claimed.id not in self._stopped:
                raise
            context.log.info("stopped")
            return Status.STOPPED, 0
        except Exception as error:
            context.log.failure(str(error) or type(error).__name__)
            if not isinstance(error, MooringError):
                self._log.exception("a task failed")
            if claimed.run_count < kind.attempts:
                return Status.SCHEDULED, now() + kind.backoff(claimed.run_count)
            return Status.ERROR, 0
        return Status.SUCCESS, 0

    @contextlib.contextmanager
    def _patiently(self) -> Iterator[None]:
        """A database that is away is waited for."""
        try:
            yield
        except MooringError as error:
            self._log.warning("the jobs wait for the database", reason=str(error))

    async def _end(self) -> None:
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=self._grace)
        for work in self._running.values():
            work.cancel()
        with contextlib.suppress(MooringError):
            await self._db.write(claims.leave, self.name)
        await self._engine.close()


async def _keep_flushing(context: Context, over: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), _LOG)
            return
        with contextlib.suppress(MooringError):
            await context.flush()
