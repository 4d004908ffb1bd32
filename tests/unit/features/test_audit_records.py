"""What is said of each event, and how it goes to a syslog server."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Connection

from mooring.core import events
from mooring.core.actor import Actor
from mooring.features.audit.kinds import LISTED, RECORDED, Kind
from mooring.features.audit.listeners import listeners
from mooring.features.audit.records import Entry, Record
from mooring.features.audit.syslog import line

SAMPLES: dict[Any, Any] = {int: 1, str: "x", bool: True, tuple[str, ...]: ("x",), Actor: Actor(kind="user", name="ada")}
# Pulls are recorded as well, but many at a time (tests/api).
ACTS: set[type[events.Event]] = {
    *(events.ProjectCreated, events.ProjectChanged, events.ProjectDeleted),
    *(events.MemberCreated, events.MemberChanged, events.MemberDeleted),
    *(events.UserCreated, events.UserChanged, events.UserDeleted, events.SignedIn, events.SignedOut),
    *(events.PersonalTokenCreated, events.PersonalTokenDeleted),
    *(events.RobotCreated, events.RobotDeleted),
    *(events.ConfigurationChanged, events.RepositoryDeleted),
    *(events.ArtifactPushed, events.ArtifactDeleted, events.TagCreated, events.TagDeleted),
}


class Kept:
    """A log that keeps what it is given."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, connection: Connection | None, actor: Actor, entry: Entry) -> None:
        self.entries.append(entry)


def happened(kind: type[events.Event]) -> events.Event:
    """An event of this kind."""
    return kind(**{field.name: SAMPLES[field.type] for field in structs.fields(kind)})


@pytest.mark.parametrize("kind", sorted(ACTS, key=str))
def test_every_act_is_recorded_as_a_kind_that_is_known(kind: type[events.Event]) -> None:
    log = Kept()
    for follow in listeners(log)[kind]:  # type: ignore[arg-type]
        follow(None, happened(kind))  # type: ignore[arg-type]
    (entry,) = log.entries
    assert Kind(entry.operation, entry.resource_type) in RECORDED


def test_the_list_is_harbors() -> None:
    assert len(LISTED) == 18
    assert len(set(RECORDED)) == len(RECORDED)


def test_nobody_and_a_name_that_is_too_long() -> None:
    entry = Entry("pull", "artifact", "r", "d")
    assert Record.of(Actor(), entry, 1).username == "anonymous"
    long = Record.of(Actor(kind="robot", name="n" * 300), entry, 1).username
    assert (len(long), long[-4:]) == (255, "n...")


def test_a_name_cannot_forge_a_line() -> None:
    entry = Entry("create", "user", 'x"\n<14>forged', "d\r\n")
    text = line(Record.of(Actor(kind="user", name='a"b\nc'), entry, 1_000_000))
    assert text == (
        '1970-01-01T00:00:01.000Z [INFO] [operator="a\'b c" resourceType="user" time="1970-01-01T00:00:01.000Z" '
        'address=""]: action:create, resource:x" <14>forged, operation_description:d  , operation_result:true'
    )
