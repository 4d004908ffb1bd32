"""What follows pulls, for all of a second together: counts and times of what was pulled, a line of the audit log for
each, and their events.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.events import ArtifactPulled
from mooring.db.events import emit
from mooring.features.artifacts.service import Pull, record_pulls
from mooring.features.audit import entries
from mooring.features.audit import service as audit
from mooring.features.audit.records import Entry
from mooring.features.audit.service import Log
from mooring.features.configuration.queries import Current


class Pulled(Struct, frozen=True, gc=False):
    """One pull; `tag` is empty and `tag_id` 0 when it was by digest."""

    actor: Actor
    project_id: int
    project: str
    repository_id: int
    repository: str
    artifact_id: int
    digest: str
    tag_id: int
    tag: str
    moment: int


class _Key(NamedTuple):
    """Pulls that differ only in their moments."""

    kind: str
    account_id: int
    name: str
    address: str
    artifact_id: int
    tag_id: int


class Pulls:
    """Writes pulls down, as the configuration says at the moment."""

    def __init__(self, configuration: Current, log: Log) -> None:
        self._configuration = configuration
        self._log = log

    def record(self, connection: Connection, pulls: Sequence[Pulled]) -> None:
        alike: dict[_Key, tuple[Pulled, list[int]]] = {}
        for pull in pulls:
            actor = pull.actor
            key = _Key(actor.kind, actor.id, actor.name, actor.address, pull.artifact_id, pull.tag_id)
            alike.setdefault(key, (pull, []))[1].append(pull.moment)
        groups = list(alike.values())
        configuration = self._configuration.inside(connection)
        record_pulls(
            connection,
            [Pull(one.repository_id, one.artifact_id, one.tag_id, len(at), max(at)) for one, at in groups],
            counts=not configuration.pull_count_update_disable,
            times=not configuration.pull_time_update_disable,
        )
        self._log.write_pulls(connection, [audit.Pulls(one.actor, _entry(one), at) for one, at in groups])
        for one, at in groups:
            emit(connection, _event(one, at))


def _entry(pull: Pulled) -> Entry:
    return entries.pulled(pull.repository, pull.digest, pull.tag, pull.project_id)


def _event(pull: Pulled, moments: Sequence[int]) -> ArtifactPulled:
    return ArtifactPulled(
        actor=pull.actor,
        project_id=pull.project_id,
        project=pull.project,
        repository=pull.repository,
        artifact_id=pull.artifact_id,
        digest=pull.digest,
        tags=(pull.tag,) if pull.tag else (),
        count=len(moments),
        moment=max(moments),
    )
