"""Webhooks are delivered at least once: tried as often as is set, and taken over when their worker dies."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.events import ArtifactPushed
from mooring.db.engine import Database
from mooring.db.events import emit
from mooring.features.configuration.queries import Current
from mooring.features.configuration.vault import Vault
from mooring.features.projects.tables import project
from mooring.features.signin.keys import make_keys, read_keys
from mooring.features.webhooks import service
from mooring.features.webhooks.listeners import Notices
from mooring.features.webhooks.queries import Target
from mooring.features.webhooks.service import Content
from mooring.jobs import logs, sweep
from mooring.jobs.tables import execution, task
from tests.jobs.conftest import Start
from tests.jobs.waiting import eventually, status
from tests.parts.receiver import Receiver, receiving

PUSHED = ArtifactPushed(
    actor=Actor(kind="user", id=1, name="ada"),
    project_id=1,
    project="p",
    repository="p/app",
    artifact_id=1,
    digest="sha256:" + "0" * 64,
    tags=("v1",),
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def followed(db: Database) -> Database:
    """A database with a project, whose events are followed."""
    db.write_now(make_keys)
    db.write_now(lambda connection: connection.execute(project.insert().values(id=1, name="p", owner_id=1)))
    db.follow(Notices(Current(db.reader), "registry.example.com").listeners())
    return db


def listen(db: Database, *addresses: str, **target: Any) -> int:
    """Make a policy that hears of pushes."""
    keys = db.read_now(read_keys)
    assert keys is not None
    targets = [Target("http", each, "Default", **target) for each in addresses]
    content = Content(
        name=str(now()), description="", creator="", is_enabled=True, event_types=["PUSH_ARTIFACT"], targets=targets
    )
    return db.write_now(service.create, Vault(keys.sealing), 1, content)


DELIVERIES = task.c.kind != sweep.NAME  # which comes at midnight


def ends(count: int, status: str) -> Any:
    """So many deliveries have ended in this way."""
    statement = select(func.count()).select_from(task).where(DELIVERIES, task.c.status == status)
    return lambda connection: connection.execute(statement).scalar_one() == count


def test_what_is_not_taken_is_tried_so_often_with_the_same_id(
    followed: Database, start: Start, receiver: Receiver
) -> None:
    listen(followed, f"{receiver.url}/500/x", authorization="Bearer abc-abc-abc")
    followed.write_now(emit, PUSHED)
    start()
    eventually(followed, ends(1, "Error"))
    received = receiver.on("/500/x")
    assert len(received) == 3
    assert len({(each.headers["x-mooring-delivery"], each.body) for each in received}) == 1
    assert {each.headers["authorization"] for each in received} == {"Bearer abc-abc-abc"}
    tried = select(task.c.id, task.c.run_count, task.c.execution_id).where(DELIVERIES)
    row = followed.read_now(lambda connection: connection.execute(tried).one())
    assert row.run_count == 3
    log = followed.read_now(logs.read, row.id) or ""
    assert log.count("the receiver answered with status 500") == 3
    assert Receiver.SPOKEN.decode() not in log
    assert followed.read_now(status(row.execution_id)) == "Error"


def test_a_delivery_whose_worker_is_killed_is_made_by_another_with_the_same_id(
    followed: Database, start: Start, receiver: Receiver
) -> None:
    listen(followed, f"{receiver.url}/slow/x")
    first = start()
    followed.write_now(emit, PUSHED)
    receiver.wait("/slow/x")
    first.kill()
    start()
    one, two = receiver.wait("/slow/x", 2)
    assert (one.headers["x-mooring-delivery"], one.body) == (two.headers["x-mooring-delivery"], two.body)
    receiver.go_on.set()
    eventually(followed, ends(1, "Success"))


def test_every_target_is_told_though_another_does_not_take_it(
    followed: Database, start: Start, receiver: Receiver
) -> None:
    listen(followed, f"{receiver.url}/404/x", f"{receiver.url}/a")
    listen(followed, f"{receiver.url}/b")
    followed.write_now(emit, PUSHED)
    start()
    eventually(followed, ends(2, "Success"))
    eventually(followed, ends(1, "Error"))
    assert [len(receiver.on(path)) for path in ("/a", "/b", "/404/x")] == [1, 1, 3]


def test_each_of_two_targets_at_one_address_is_told_with_its_own_header(
    followed: Database, start: Start, receiver: Receiver
) -> None:
    keys = followed.read_now(read_keys)
    assert keys is not None
    content = Content(
        name="twice",
        description="",
        creator="",
        is_enabled=True,
        event_types=["PUSH_ARTIFACT"],
        targets=[Target("http", f"{receiver.url}/a", "Default", authorization=each) for each in ("one", "two")],
    )
    followed.write_now(service.create, Vault(keys.sealing), 1, content)
    followed.write_now(emit, PUSHED)
    start()
    eventually(followed, ends(2, "Success"))
    assert sorted(each.headers["authorization"] for each in receiver.on("/a")) == ["one", "two"]


def test_what_did_not_happen_is_not_told_and_nothing_is_written_where_nobody_listens(followed: Database) -> None:
    def fail(connection: Connection) -> None:
        emit(connection, PUSHED)
        raise LookupError

    count = select(func.count()).select_from(execution)
    followed.write_now(emit, PUSHED)
    listen(followed, "http://127.0.0.1:1/")
    with pytest.raises(LookupError):
        followed.write_now(fail)
    assert followed.read_now(lambda connection: connection.execute(count).scalar_one()) == 0


def test_an_address_that_is_a_policys_no_more_is_sent_nothing(
    followed: Database, start: Start, receiver: Receiver
) -> None:
    policy_id = listen(followed, f"{receiver.url}/before")
    followed.write_now(emit, PUSHED)
    keys = followed.read_now(read_keys)
    assert keys is not None

    def move(connection: Connection) -> None:
        policy = service.read(connection, 1, policy_id)
        content = Content(
            name="moved",
            description="",
            creator="",
            is_enabled=True,
            event_types=["PUSH_ARTIFACT"],
            targets=[Target("http", f"{receiver.url}/after", "Default")],
        )
        service.change(connection, Vault(keys.sealing), policy, content)

    followed.write_now(move)
    start()
    eventually(followed, ends(1, "Success"))
    assert not receiver.on("/before")
    assert not receiver.on("/after")
