"""What the installation holds and does, in figures for the metrics."""

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import BigInteger, Connection, Select, cast, func, select

from mooring.core.clock import now
from mooring.features.artifacts.tables import artifact
from mooring.features.operations import queries as operations
from mooring.features.operations.queries import Busy, Pool, Queue
from mooring.features.projects.tables import member, project
from mooring.features.quotas.tables import project_storage, quota
from mooring.features.repositories.tables import repository
from mooring.features.system.queries import stored
from mooring.jobs.claims import SILENCE
from mooring.jobs.tables import schedule


class ProjectFigures(Struct, frozen=True):
    """One project; `hard` is -1 for no limit, sizes are in bytes, `artifacts` are counted by their type."""

    name: str
    is_public: bool
    repositories: int
    pulls: int
    members: int
    hard: int
    used: int
    artifacts: Mapping[str, int]


class Figures(Struct, frozen=True):
    """All of it; `stored` is in bytes."""

    projects: list[ProjectFigures]
    stored: int
    queues: list[Queue]
    pools: list[Pool]
    busy: list[Busy]
    schedules: int


def read(connection: Connection) -> Figures:
    """Count everything."""
    oldest = now() - SILENCE
    return Figures(
        _projects(connection),
        stored(connection),
        operations.queues(connection),
        [pool for pool in operations.pools(connection) if pool.heartbeat > oldest],
        operations.busy(connection),
        connection.execute(select(func.count()).select_from(schedule)).scalar_one(),
    )


def _projects(connection: Connection) -> list[ProjectFigures]:
    repositories = {
        project_id: (count, pulls)
        for project_id, count, pulls in connection.execute(
            select(repository.c.project_id, func.count(), cast(func.sum(repository.c.pull_count), BigInteger)).group_by(
                repository.c.project_id
            )
        )
    }
    members = _by_project(connection, select(member.c.project_id, func.count()).group_by(member.c.project_id))
    limits = _by_project(connection, select(quota.c.project_id, quota.c.hard))
    held = project_storage.c
    used = _by_project(
        connection, select(held.project_id, cast(func.sum(held.bytes), BigInteger)).group_by(held.project_id)
    )
    artifacts = _artifacts(connection)
    rows = select(project.c.id, project.c.name, project.c.is_public).where(~project.c.is_deleted)
    return [
        ProjectFigures(
            name,
            is_public,
            *repositories.get(number, (0, 0)),
            members.get(number, 0),
            limits.get(number, -1),
            used.get(number, 0),
            artifacts.get(number, {}),
        )
        for number, name, is_public in connection.execute(rows.order_by(project.c.id))
    ]


def _by_project(connection: Connection, statement: Select[int, int]) -> dict[int, int]:
    """Rows of a project's id and a number."""
    return {row[0]: row[1] for row in connection.execute(statement)}


def _artifacts(connection: Connection) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = {}
    columns = (artifact.c.project_id, artifact.c.type)
    for project_id, kind, count in connection.execute(select(*columns, func.count()).group_by(*columns)):
        counts.setdefault(project_id, {})[kind] = count
    return counts
