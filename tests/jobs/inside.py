"""A jobs process for tests: `python -m tests.jobs.inside URL` runs its kinds until it is killed or told to end.

COUNT notes each run, SLOW sleeps, FAIL fails, and each says what it does in its log.
"""

import asyncio
import signal
import sys

from sqlalchemy import Connection, text

from mooring.db.engine import Database
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind
from mooring.jobs.worker import Worker


def note(connection: Connection, task_id: int) -> None:
    connection.execute(text("INSERT INTO ran (task_id) VALUES (:task)"), {"task": task_id})


async def count(context: Context) -> None:
    await context.db.write(note, context.task_id)


async def slow(context: Context) -> None:
    await context.db.write(note, context.task_id)
    context.log.info("sleeping")
    await asyncio.sleep(float(context.payload.get("seconds", 60)))


async def fail(context: Context) -> None:
    await context.db.write(note, context.task_id)
    raise RuntimeError("it went wrong")


KINDS = (
    Kind("COUNT", count),
    Kind("SLOW", slow),
    Kind("ALONE", slow, limit=1),
    Kind("FAIL", fail, attempts=3, backoff=lambda failures: 10_000 * failures),
)


async def main(url: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Worker(Database(url), KINDS, grace=0.5).run_forever(stop)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
