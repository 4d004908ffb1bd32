"""A jobs process for tests: `run` runs its kinds until the process is killed or told to end.

COUNT notes each run, SLOW sleeps, FAIL fails, LATER fails the first time and waits an hour, and each says what it does
in its log. Webhooks are delivered to 127.0.0.1, and tried again soon. With two more arguments, `before` or `after` and
the name of a transaction, the process kills itself just there.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, text

from mooring.core.clock import SECOND, now
from mooring.db.engine import Database
from mooring.features.webhooks.jobs import Deliverer
from mooring.http.client import Client
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind
from mooring.jobs.worker import Worker

BEAT = 0.4  # seconds between heartbeats: who is dead is soon known
PATIENT = 5.0  # where several live at once, so that none is taken for dead because the machine is slow


def note(connection: Connection, task_id: int) -> None:
    statement = text("INSERT INTO ran (task_id, moment) VALUES (:task, :moment)")
    connection.execute(statement, {"task": task_id, "moment": now()})


async def count(context: Context) -> None:
    await context.db.write(note, context.task_id)


async def slow(context: Context) -> None:
    await context.db.write(note, context.task_id)
    context.log.info("sleeping")
    await asyncio.sleep(float(context.payload.get("seconds", 60)))


async def fail(context: Context) -> None:
    await context.db.write(note, context.task_id)
    raise RuntimeError("it went wrong")


async def later(context: Context) -> None:
    if context.run_count == 1:
        await fail(context)
    await count(context)


KINDS = (
    Kind("COUNT", count),
    Kind("SLOW", slow),
    Kind("ALONE", slow, limit=1),
    Kind("FAIL", fail, attempts=3, backoff=lambda failures: 10_000 * failures),
    Kind("LATER", later, attempts=2, backoff=lambda failures: 3600 * SECOND),
    *(
        structs.replace(kind, backoff=lambda failures: 10_000 * failures)
        for kind in Deliverer(Client(("127.0.0.1/32",)), attempts=3, patience=30, limit=8).kinds()
    ),
)


class Dying(Database):
    """Kills the process before or after the transaction of this name."""

    moment, name = "", ""

    async def write(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self._die("before", function)
        result = await super().write(function, *args, **kwargs)
        # Looking for work that there is not is no step of any work.
        if result or function.__name__ not in ("claim", "take_over"):
            self._die("after", function)
        return result

    def _die(self, moment: str, function: Callable[..., Any]) -> None:
        if (moment, function.__name__) == (self.moment, self.name):
            os.kill(os.getpid(), signal.SIGKILL)


async def main(url: str, moment: str, name: str, beat: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    db = Dying(url)
    db.moment, db.name = moment, name
    await Worker(db, KINDS, grace=0.5, beat=beat).run_forever(stop)


def run(url: str, moment: str = "", name: str = "", beat: float = BEAT) -> None:
    asyncio.run(main(url, moment, name, beat))
