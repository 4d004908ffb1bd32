import asyncio
import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from mooring.core.actor import Actor, Permission
from mooring.core.clock import SECOND, now
from mooring.db.engine import Database
from mooring.db.types import metadata
from mooring.features.configuration.keys import Configuration
from mooring.features.configuration.queries import Current
from mooring.features.robots.tables import robot, robot_permission
from mooring.features.signin import queries, service
from mooring.features.signin.service import SignIn, parse_basic
from mooring.features.signin.tables import signin_failure
from mooring.features.users.passwords import hash_password
from mooring.features.users.tables import user

PASSWORD = "Wharf-rat-7"


def people(connection: Connection) -> None:
    connection.execute(
        user.insert().values(
            id=3,
            username="Ann",
            username_key="ann",
            email="ann@example.org",
            email_key="ann@example.org",
            password=hash_password(PASSWORD),
        )
    )
    connection.execute(
        robot.insert().values(
            id=9,
            name="library+ci",
            project_id=1,
            secret=hashlib.sha256(b"S3cretsecret").hexdigest(),
            duration=-1,
            expires_at=-1,
        )
    )
    connection.execute(
        robot_permission.insert().values(robot_id=9, kind="project", project_id=1, resource="repository", action="push")
    )


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/mooring.db")
    metadata.create_all(database.engine)
    database.write_now(people)
    yield database
    database.close_now()


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> int:
    """How long a lock is, in microseconds: so long that it ends only when it is made to."""
    assert SECOND < service.LOCK < 3 * SECOND
    monkeypatch.setattr(service, "LOCK", 3600 * SECOND)
    return service.LOCK


def unlock(db: Database) -> None:
    db.write_now(lambda connection: connection.execute(update(signin_failure).values(locked_until=now())))


def test_by_user_name_or_mail_address_in_any_case(db: Database) -> None:
    async def scenario() -> None:
        signin = SignIn(db, Current(db.reader))
        for name in ("Ann", "ANN", "Ann@Example.org"):
            actor = await signin.basic(name, PASSWORD)
            assert actor is not None
            assert (actor.kind, actor.id, actor.name) == ("user", 3, "Ann")

    asyncio.run(scenario())


def test_a_wrong_password_refuses_the_right_one_for_a_moment(db: Database, lock: int) -> None:
    async def scenario() -> None:
        signin, other_process = SignIn(db, Current(db.reader)), SignIn(db, Current(db.reader))
        assert await signin.basic("ann", PASSWORD) is not None
        before = now()
        assert await signin.basic("ann", "wrong") is None
        assert await signin.basic("ann", PASSWORD) is None
        assert await other_process.basic("ann@example.org", PASSWORD) is None
        until = await queries.locked_until(db.reader, "ann")
        assert until is not None
        assert before + lock <= until <= now() + lock
        unlock(db)
        assert await other_process.basic("ann", PASSWORD) is not None
        assert await queries.locked_until(db.reader, "ann") is None

    asyncio.run(scenario())


@pytest.mark.usefixtures("lock")
def test_guesses_sent_at_once_are_worth_one(db: Database) -> None:
    async def scenario() -> None:
        signin = SignIn(db, Current(db.reader))
        guesses = [*(f"guess-{n}" for n in range(20)), PASSWORD]
        assert await asyncio.gather(*(signin.basic("ann", guess) for guess in guesses)) == [None] * 21

    asyncio.run(scenario())


def test_failures_of_names_nobody_has_look_alike_and_stay_few(db: Database) -> None:
    async def scenario() -> None:
        signin = SignIn(db, Current(db.reader))
        assert await signin.basic("nobody", PASSWORD) is None
        rows = await db.read(lambda connection: connection.execute(signin_failure.select()).all())
        assert [row.principal[0] for row in rows] == ["#"]

    asyncio.run(scenario())


@pytest.mark.parametrize("change", [{"version": 2, "password": "x"}, {"is_deleted": True}])
def test_a_verified_pair_ends_with_what_it_rests_on(db: Database, change: dict[str, object]) -> None:
    async def scenario() -> None:
        signin = SignIn(db, Current(db.reader))
        assert await signin.basic("ann", PASSWORD) is not None
        await db.write(lambda connection: connection.execute(update(user).values(**change)))
        assert await signin.basic("ann", PASSWORD) is None

    asyncio.run(scenario())


def test_a_verified_pair_is_not_hashed_again(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        signin = SignIn(db, Current(db.reader))
        assert await signin.basic("ann", PASSWORD) is not None
        monkeypatch.setattr("mooring.features.signin.service.verify_password", lambda *_: False)
        assert await signin.basic("ann", PASSWORD) is not None
        assert await SignIn(db, Current(db.reader)).basic("ann", PASSWORD) is None

    asyncio.run(scenario())


def test_a_robot_comes_with_its_permissions(db: Database) -> None:
    async def scenario() -> None:
        signin = SignIn(db, Current(db.reader))
        actor = await signin.basic("robot$library+ci", "S3cretsecret")
        assert actor is not None
        assert (actor.kind, actor.name, actor.project) == ("robot", "robot$library+ci", 1)
        assert actor.permissions == (Permission(1, "repository", "push"),)
        assert await signin.account(actor) == actor
        assert await signin.basic("robot$library+ci", "wrong") is None
        assert await signin.basic("robot$nobody", "S3cretsecret") is None
        assert (
            await SignIn(db, Current(db.reader, Configuration(robot_name_prefix="bot-"))).basic(
                "bot-library+ci", "S3cretsecret"
            )
            is not None
        )

    asyncio.run(scenario())


@pytest.mark.parametrize("change", [{"is_disabled": True}, {"expires_at": now() // SECOND - 1}])
def test_a_disabled_or_expired_robot_is_nobody(db: Database, change: dict[str, object]) -> None:
    async def scenario() -> None:
        await db.write(lambda connection: connection.execute(update(robot).values(**change)))
        assert await SignIn(db, Current(db.reader)).basic("robot$library+ci", "S3cretsecret") is None
        assert await SignIn(db, Current(db.reader)).account(Actor(kind="robot", id=9)) is None

    asyncio.run(scenario())


def test_basic_headers() -> None:
    def basic(text: bytes) -> str:
        return "basic " + base64.b64encode(text).decode()

    assert parse_basic(basic("jörg:a:b".encode())) == ("jörg", "a:b")
    assert parse_basic(basic(b"no colon")) is None
    assert parse_basic(basic(b"\xff:x")) is None
    assert parse_basic("Basic not base64") is None
    assert parse_basic("Bearer YTpi") is None
