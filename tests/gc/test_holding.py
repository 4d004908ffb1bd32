"""A push holds the blob that it is about to link: garbage collection, come in between, leaves it alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from mooring.core.clock import SECOND, now
from mooring.db import schema
from mooring.db.engine import Database
from mooring.features.blobs import service as blobs
from mooring.features.blobs.tables import blob, repository_blob
from mooring.features.gc import service
from tests.parts.postgres import Postgres
from tests.parts.process import wait_for

DIGEST = f"sha256:{'0' * 64}"
WAITS = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'repository_blob'::regclass")


@pytest.fixture
def db(postgres: Postgres) -> Iterator[Database]:
    database = Database(postgres.url(postgres.create()))
    schema.migrate(database, "head")
    yield database
    database.close_now()


def test_a_blob_that_is_about_to_be_linked_is_not_buried(db: Database) -> None:
    def push() -> bool:
        return db.write_now(blobs.finish, 1, "p/app", DIGEST, 4, [("blobs/00/new", 4)])

    db.write_now(blobs.finish, 1, "p/app", DIGEST, 4, [("blobs/00/old", 4)])
    db.write_now(lambda connection: connection.execute(repository_blob.delete()))
    [blob_id] = db.read_now(lambda connection: connection.execute(select(blob.c.id)).scalars().all())
    later = now() + 60 * SECOND  # so that the time of its last use does not save it
    assert db.read_now(service.dead_blobs, later, 0) == [blob_id]
    with ThreadPoolExecutor(1) as threads, db.engine.connect() as barrier:
        barrier.execute(text("LOCK TABLE repository_blob IN SHARE MODE"))
        pushing = threads.submit(push)
        wait_for(lambda: db.read_now(lambda it: it.execute(WAITS).scalar()) == 1, "the push, before its link")
        buried, keys = db.write_now(service.bury, [blob_id], later)
        barrier.rollback()
        assert pushing.result() is False  # it links the blob that was there
    assert (buried.count, keys) == (0, [])
    statement = select(func.count()).select_from(repository_blob).where(repository_blob.c.blob_id == blob_id)
    assert db.read_now(lambda connection: connection.execute(statement).scalar()) == 1
