"""The daily clean-up: what is over goes, and sums that are wrong are put right."""

from sqlalchemy import select

from mooring.db.engine import Database
from mooring.features.quotas.tables import project_storage
from mooring.features.system.jobs import recount


def test_a_sum_that_is_wrong_is_corrected_once(db: Database) -> None:
    db.write_now(lambda connection: connection.execute(project_storage.insert().values(project_id=1, bytes=12)))
    assert db.write_now(recount) == [(1, -12)]
    assert db.write_now(recount) == []
    held = db.read_now(lambda connection: connection.execute(select(project_storage.c.bytes)).scalars().all())
    assert sum(held) == 0
