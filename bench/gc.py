"""Measure garbage collection: dead blobs a minute on a folder and on the tests' S3 server, beside the store's own
deletion of the same number of objects.

python -m bench.gc                     100 000 dead blobs
python -m bench.gc --blobs 10000       fewer
python -m bench.gc --store s3          on one store
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection
from tests.parts import s3
from tests.parts.client import digest_of

from mooring.db import schema
from mooring.db.engine import Database
from mooring.features.blobs.tables import blob, repository_blob
from mooring.features.gc.jobs import NAME, Collector
from mooring.jobs import executions
from mooring.jobs.context import Claimed, Context
from mooring.settings import Storage
from mooring.storage import keys
from mooring.storage.driver import Driver
from mooring.storage.filesystem import Filesystem
from mooring.storage.objectstore import from_settings

_AT_ONCE: Final = 64  # objects that are written at a time
_REQUEST: Final = 1000  # keys in one request to the store
_SIZE: Final = 32  # bytes


def main() -> None:
    """Run what the command line asks for, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gc", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blobs", type=int, default=100_000, help="how many dead blobs there are")
    parser.add_argument("--store", default="", help="folder or s3; both when it is not given")
    parser.add_argument("--workers", type=int, default=4, help="what the collection is asked for")
    options = parser.parse_args()
    print("| store | dead blobs | requests at once | collected | a minute | the store alone | a minute |")
    print("|---|---|---|---|---|---|---|")
    for name in ("folder", "s3"):
        if options.store in name:
            with _driver(name) as driver:
                print(asyncio.run(_measured(name, driver, options.blobs, options.workers)), flush=True)


@contextmanager
def _driver(name: str) -> Iterator[Driver]:
    if name == "folder":
        with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="bench-gc-") as folder:
            yield Filesystem(Path(folder), fsync=False)
        return
    with s3.versitygw() as bucket:
        yield from_settings(
            Storage(
                kind="s3",
                endpoint=bucket.endpoint,
                bucket=bucket.name,
                region=s3.REGION,
                access_key=bucket.access_key,
                secret_key=bucket.secret_key,
            )
        )


async def _measured(name: str, driver: Driver, count: int, workers: int) -> str:
    own = await _write(driver, count)
    began = time.monotonic()
    batches = [own[at : at + _REQUEST] for at in range(0, count, _REQUEST)]
    for at in range(0, len(batches), workers):
        await asyncio.gather(*(driver.delete(batch) for batch in batches[at : at + workers]))
    alone = time.monotonic() - began
    segments = await _write(driver, count)
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="bench-gc-") as folder:
        db = Database(f"sqlite:///{folder}/mooring.db")
        schema.migrate(db, "head")
        run = await db.write(_fill, segments)
        context = Context(db, Claimed(run, run, NAME, "bench", 1, {"workers": workers}))
        began = time.monotonic()
        await Collector(driver, 0, _never).run(context)
        took = time.monotonic() - began
        await db.close()
    assert not [entry async for entry in driver.list(keys.SEGMENTS)]
    times = " | ".join(f"{seconds:.1f} s | {_rate(count, seconds)}" for seconds in (took, alone))
    return f"| {name} | {count} | {workers} | {times} |"


async def _never() -> bool:
    return False


def _rate(count: int, seconds: float) -> str:
    return f"{count * 60 / seconds:,.0f}".replace(",", " ")


async def _write(driver: Driver, count: int) -> list[str]:
    """Objects for so many blobs; their keys."""

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * _SIZE

    made = [keys.segment() for _ in range(count)]
    for at in range(0, count, _AT_ONCE):
        await asyncio.gather(*(driver.write(key, body()) for key in made[at : at + _AT_ONCE]))
    return made


def _fill(connection: Connection, segments: Sequence[str]) -> int:
    """A row and a link for each, as the deletion of every artifact leaves them; the id of an execution."""
    rows: list[dict[str, Any]] = [
        {
            "id": number,
            "digest": digest_of(str(number).encode()),
            "size": _SIZE,
            "segments": json.dumps([[key, _SIZE]]),
            "creation_time": 1,
            "last_used": 1,
        }
        for number, key in enumerate(segments, 1)
    ]
    connection.execute(blob.insert(), rows)
    links = [{"repository": f"p/r{row['id'] % 100}", "blob_id": row["id"], "project_id": 1} for row in rows]
    connection.execute(repository_blob.insert(), links)
    return executions.start(connection, NAME, -1, "MANUAL")


main()
