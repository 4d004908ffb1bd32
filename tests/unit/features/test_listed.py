"""Whether a list shows an artifact is held in its row; whatever happens, the row says what the other tables say."""

import contextlib
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select
from tests.parts.postgres import Postgres

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, Conflict, Denied, NotFound, Precondition
from mooring.core.media import OCI_INDEX, OCI_MANIFEST, parse
from mooring.core.page import Listing
from mooring.core.reference import digest_of
from mooring.db import schema
from mooring.db.engine import Database
from mooring.features.artifacts import deletion, queries, service, tagging
from mooring.features.artifacts.copying import Source, Target, copy
from mooring.features.artifacts.kinds import kind_of
from mooring.features.artifacts.queries import Beside, Found
from mooring.features.artifacts.service import Push
from mooring.features.artifacts.statements import IS_LISTED
from mooring.features.artifacts.tables import artifact
from mooring.features.blobs.service import finish
from mooring.features.projects.tables import project
from mooring.features.repositories import queries as repositories

NAME, OTHER = "listed/app", "listed/other"
ADMIN = Actor("user", 1, "admin", is_admin=True)
EMPTY = b"{}"
DESCRIPTOR = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(EMPTY), "size": len(EMPTY)}
TAGS = ["a", "b", "c"]


class House:
    """A repository that things happen to, drawn from one seed."""

    def __init__(self, db: Database, project_id: int, seed: int) -> None:
        self.db = db
        self.project_id = project_id
        self.draw = random.Random(seed)
        self.pushed: list[tuple[bytes, str]] = []

    def push_image(self) -> None:
        content: dict[str, Any] = {
            "config": DESCRIPTOR,
            "layers": [],
            "annotations": {"n": str(self.draw.randrange(8))},
        }
        self._push(content, OCI_MANIFEST)

    def push_index(self) -> None:
        named = {digest_of(content): (content, kind) for content, kind in self.pushed}
        some = self.draw.sample(list(named), min(len(named), self.draw.randrange(1, 4)))
        children = [{"mediaType": named[each][1], "digest": each, "size": len(named[each][0])} for each in some]
        self._push({"manifests": children}, OCI_INDEX)

    def push_accessory(self) -> None:
        if self.pushed:
            subject, kind = self.draw.choice(self.pushed)
            of = {"mediaType": kind, "digest": digest_of(subject), "size": len(subject)}
            mark = {"n": str(self.draw.randrange(3))}
            self._push({"config": DESCRIPTOR, "layers": [], "subject": of, "annotations": mark}, OCI_MANIFEST)

    def tag(self) -> None:
        if found := self._any():
            self.db.write_now(tagging.create_tag, ADMIN, NAME, found, self.draw.choice(TAGS))

    def untag(self) -> None:
        if found := self._any():
            names = [each.name for each in self.db.read_now(queries.tags_of, [found.id])]
            if names:
                self.db.write_now(tagging.untag, ADMIN, NAME, found, self.draw.choice(names))

    def delete(self) -> None:
        if found := self._any():
            self.db.write_now(deletion.delete_artifact, ADMIN, found.id)

    def copy(self) -> None:
        if found := self._any():
            self.db.write_now(copy, ADMIN, Source(NAME, found.digest), Target(self.project_id, OTHER))

    def act(self) -> str:
        """Let something happen; its name. What is there already, has gone, or is named by an index is refused."""
        acts = [self.push_image] * 4 + [self.push_index] * 3 + [self.push_accessory] * 3
        act = self.draw.choice([*acts, self.tag, self.untag, self.untag, self.delete, self.copy])
        with contextlib.suppress(BadRequest, Conflict, Denied, NotFound, Precondition):
            act()
        return act.__name__

    def _any(self) -> Found | None:
        def work(connection: Connection) -> list[Found]:
            home = repositories.find(connection, self.project_id, NAME)
            ids = select(artifact.c.id).where(artifact.c.repository_id == (home.id if home else 0))
            return queries.by_ids(connection, connection.execute(ids).scalars().all())

        found = self.db.read_now(work)
        return self.draw.choice(found) if found else None

    def _push(self, members: dict[str, Any], kind: str) -> None:
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, **members}).encode()
        manifest = parse(content, kind)
        what = Push(
            project_id=self.project_id,
            repository=NAME,
            digest=digest_of(content),
            content=content,
            manifest=manifest,
            kind=kind_of(manifest, b""),
            tags=self.draw.sample(TAGS, self.draw.choice([0, 0, 1, 2])),
            may_be_sparse=True,
        )
        self.db.write_now(service.push, ADMIN, what)
        self.pushed.append((content, kind))


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('listed')}/test.db"
    else:
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url, synchronous="OFF", connections=4)
    schema.migrate(database)
    yield database
    database.close_now()


@pytest.fixture(scope="module")
def project_id(db: Database) -> int:
    def work(connection: Connection) -> int:
        made = insert(project).values(name="listed", owner_id=1).returning(project.c.id)
        number: int = connection.execute(made).scalar_one()
        finish(connection, number, NAME, digest_of(EMPTY), len(EMPTY), [("key", len(EMPTY))])
        return number

    return db.write_now(work)


def wrong(connection: Connection) -> list[int]:
    return list(connection.execute(select(artifact.c.id).where(artifact.c.is_listed != IS_LISTED)).scalars())


def count_hidden(connection: Connection) -> int:
    return len(connection.execute(select(artifact.c.id).where(~artifact.c.is_listed)).all())


@pytest.mark.parametrize("seed", range(6))
def test_the_row_says_what_the_tables_say(db: Database, project_id: int, seed: int) -> None:
    house = House(db, project_id, seed)
    hidden = 0
    for _ in range(120):
        act = house.act()
        assert db.read_now(wrong) == [], act
        hidden += db.read_now(count_hidden)
    assert hidden > 0


def test_also_when_it_happens_at_once(db: Database, project_id: int) -> None:
    houses = [House(db, project_id, seed) for seed in range(100, 104)]

    def live(house: House) -> None:
        for _ in range(60):
            house.act()

    with ThreadPoolExecutor(len(houses)) as threads:
        for done in [threads.submit(live, house) for house in houses]:
            done.result()
    assert db.read_now(wrong) == []


def test_artifacts_whose_repository_goes_before_its_name_is_read_are_left_out(db: Database, project_id: int) -> None:
    House(db, project_id, 1).push_image()
    home = db.read_now(repositories.find, project_id, NAME)
    assert home
    everything, _ = db.read_now(queries.project_page, project_id, Listing(size=0))
    found = [each for each in everything if each.repository_id == home.id]
    assert [view.artifact for view in db.read_now(queries.views, found, Beside())] == found != []
    db.write_now(deletion.delete_repository, ADMIN, home.id)
    assert db.read_now(queries.views, found, Beside()) == []
