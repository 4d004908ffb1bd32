"""What a project holds, as the triggers keep it, is at every moment what its rows say."""

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text

from mooring.core.errors import OverQuota
from mooring.db import schema
from mooring.db.engine import Database
from mooring.db.turns import take_turns
from mooring.features.artifacts.tables import artifact, manifest
from mooring.features.blobs import service as blobs
from mooring.features.blobs.tables import blob
from mooring.features.projects.tables import project
from mooring.features.quotas.queries import used
from mooring.features.repositories.tables import repository

BLOBS = 4
MANIFESTS = 3
numbers = itertools.count(1)

# As the rows say it: the blobs that count and the manifests, each once in a project.
HELD = text(
    """
    SELECT COALESCE(SUM(size), 0) FROM (
        SELECT DISTINCT blob.id, blob.size FROM repository_blob JOIN blob ON blob.id = repository_blob.blob_id
        WHERE project_id = :project AND is_counted
        UNION ALL
        SELECT DISTINCT 0 - manifest.id, artifact.manifest_size FROM artifact
        JOIN manifest ON manifest.digest = artifact.digest WHERE project_id = :project
    ) AS held
    """
)


class World:
    """Two projects, one of two repositories and one of one, that push and delete the same few blobs and manifests."""

    def __init__(self, connection: Connection) -> None:
        number = next(numbers)
        self.digests = [f"sha256:{number:032x}{each:032x}" for each in range(BLOBS + MANIFESTS)]
        self.homes: list[tuple[int, int, str]] = []
        for name in (f"one{number}", f"two{number}"):
            values = {"name": name, "owner_id": 1}
            project_id = connection.execute(insert(project).values(values).returning(project.c.id)).scalar_one()
            for path in ("a", "b") if name.startswith("one") else ("a",):
                place = {"name": f"{name}/{path}", "project_id": project_id, "description": ""}
                made = connection.execute(insert(repository).values(place).returning(repository.c.id)).scalar_one()
                self.homes.append((project_id, made, place["name"]))
        for each in range(MANIFESTS):
            digest = self.digests[BLOBS + each]
            connection.execute(insert(manifest).values(digest=digest, media_type="m", content=b"{}"))

    def check(self, connection: Connection) -> None:
        for project_id, _, _ in self.homes:
            held = connection.execute(HELD, {"project": project_id}).scalar_one()
            assert used(connection, project_id) == held

    def act(self, connection: Connection, what: int, home: int, which: int) -> None:
        """Do one of what services do to what counts."""
        project_id, repository_id, name = self.homes[home]
        digest = self.digests[which % BLOBS]
        known = connection.execute(select(blob.c.id).where(blob.c.digest == digest)).scalar()
        match what:
            case 0:
                blobs.finish(connection, project_id, name, digest, 10 ** (which % BLOBS), [])
            case 1 if known:
                blobs.mount(connection, known, project_id, name)
            case 2:
                blobs.unlink(connection, project_id, name, digest)
            case 3 if known:
                blobs.release(connection, name, [known])
            case 4 if known:
                blobs.count(connection, name, [known])
            case 5:
                self.push(connection, project_id, repository_id, which % MANIFESTS)
            case 6:
                gone = self.digests[BLOBS + which % MANIFESTS]
                own = (artifact.c.repository_id == repository_id) & (artifact.c.digest == gone)
                connection.execute(delete(artifact).where(own))
            case 7:
                connection.execute(delete(artifact).where(artifact.c.repository_id == repository_id))
                blobs.drop_repository(connection, project_id, name)

    def push(self, connection: Connection, project_id: int, repository_id: int, which: int) -> None:
        digest = self.digests[BLOBS + which]
        take_turns(connection, [f"{repository_id} {digest}"])  # as pushes do
        same = select(artifact.c.id).where(artifact.c.repository_id == repository_id, artifact.c.digest == digest)
        if connection.execute(same).first() is None:
            kinds = dict.fromkeys(("type", "media_type", "manifest_media_type"), "x")
            size = 7 * 10 ** (BLOBS + which)
            home = {"project_id": project_id, "repository_id": repository_id}
            connection.execute(insert(artifact).values(**kinds, **home, digest=digest, manifest_size=size, size=size))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database, which has the triggers."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('quotas')}/mooring.db"
    else:
        cluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url)
    schema.migrate(database)
    yield database
    database.close_now()


ACTS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 11)), max_size=40)


@given(acts=ACTS)
def test_the_sums_are_those_of_the_rows(db: Database, acts: list[tuple[int, int, int]]) -> None:
    def work(connection: Connection) -> None:
        world = World(connection)
        for act in acts:
            world.act(connection, *act)
            world.check(connection)

    db.write_now(work)


def test_they_are_when_many_act_at_once(db: Database) -> None:
    world: World = db.write_now(World)

    def act(seed: int) -> None:
        chosen = random.Random(seed)
        for _ in range(40):
            db.write_now(world.act, chosen.randrange(7), chosen.randrange(3), chosen.randrange(12))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(act, range(8)))
    db.read_now(world.check)


def test_no_push_waits_for_another_of_its_project(db: Database) -> None:
    if db.is_sqlite:  # one transaction writes at a time there
        return
    world: World = db.write_now(World)
    project_id = world.homes[0][0]
    with db.engine.begin() as other:
        world.act(other, 0, 0, 1)
        world.act(other, 5, 0, 1)
        second = db.engine.connect()
        with second.begin():
            second.execute(text("SET LOCAL lock_timeout = '5s'"))
            world.act(second, 0, 0, 2)
            world.act(second, 5, 1, 2)
        second.close()
        assert db.read_now(used, project_id) == 100 + 7 * 10 ** (BLOBS + 2)
    db.read_now(world.check)


def test_what_is_refused_leaves_nothing(db: Database) -> None:
    world: World = db.write_now(World)
    project_id, _, name = world.homes[0]

    def refused(connection: Connection) -> None:
        blobs.finish(connection, project_id, name, world.digests[0], 10, [])
        raise OverQuota(used=0, hard=1, wanted=used(connection, project_id))

    with pytest.raises(OverQuota) as refusal:
        db.write_now(refused)
    assert refusal.value.wanted == 10
    assert db.read_now(used, project_id) == 0


def test_what_was_there_before_is_summed_up(db: Database) -> None:
    """The revision that brings the triggers finds projects that hold things."""
    world: World = db.write_now(World)

    def fill(connection: Connection) -> None:
        for what, home, which in itertools.product((0, 5), range(3), range(4)):
            world.act(connection, what, home, which)

    db.write_now(fill)
    before = [db.read_now(used, home[0]) for home in world.homes]
    assert all(before)
    schema.migrate(db, "0001")
    schema.migrate(db)
    assert [db.read_now(used, home[0]) for home in world.homes] == before
    db.write_now(world.act, 7, 0, 0)
    db.read_now(world.check)


@pytest.mark.parametrize(
    ("used", "hard", "wanted", "message"),
    [
        (829, 1129, 301, "adding 301 B of storage resource, which when updated to current usage of 829 B"),
        (1129, 1129, 1 << 20, "adding 1.0 MiB of storage resource, which when updated to current usage of 1.1 KiB"),
        (3 << 39, 1 << 40, 0, "subtracting 0 B of storage resource, which when updated to current usage of 1.5 TiB"),
    ],
)
def test_a_refusal_in_words(used: int, hard: int, wanted: int, message: str) -> None:
    assert OverQuota(used=used, hard=hard, wanted=wanted).message.startswith(message)
