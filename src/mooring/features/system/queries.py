"""Looking over the whole installation: search, statistics, who administers what."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, func, select
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.access import Role, allowed
from mooring.core.actor import Actor
from mooring.db import query
from mooring.features.artifacts import queries as artifacts
from mooring.features.artifacts.tables import manifest
from mooring.features.blobs.tables import blob
from mooring.features.projects import queries as projects
from mooring.features.projects.queries import Project, View
from mooring.features.projects.tables import USER, member, project
from mooring.features.repositories import queries as repositories
from mooring.features.repositories.tables import repository


class Hit(Struct, frozen=True):
    """A repository that a search has found; `name` is the full one."""

    name: str
    project_id: int
    project: str
    is_public: bool
    pulls: int
    artifacts: int


class Counts(Struct, frozen=True):
    """How much there is, as far as the actor may know. `size` is in bytes."""

    private_projects: int
    private_repositories: int
    public_projects: int
    public_repositories: int
    total_projects: int = 0
    total_repositories: int = 0
    size: int = 0


def search_projects(connection: Connection, actor: Actor, text: str) -> list[View]:
    """The projects whose name contains the text. Case counts, so that a capital finds none, as in Harbor."""
    if text != text.lower():
        return []
    statement = (
        select(*projects.COLUMNS)
        .where(~project.c.is_deleted, _visible(actor), query.contains(project.c.name, text))
        .order_by(project.c.name)
    )
    found = [Project(*row) for row in connection.execute(statement)]
    return projects.views(connection, actor, found, repositories.count)


def search_repositories(connection: Connection, actor: Actor, text: str) -> list[Hit]:
    """The repositories whose full name contains the text in any case."""
    statement = (
        select(
            repository.c.id,
            repository.c.name,
            project.c.id,
            project.c.name,
            project.c.is_public,
            repository.c.pull_count,
        )
        .join(project, project.c.id == repository.c.project_id)
        .where(~project.c.is_deleted, _visible(actor), query.contains(repository.c.name, text))
        .order_by(repository.c.id)
    )
    rows = connection.execute(statement).all()
    counts = artifacts.count(connection, [row[0] for row in rows])
    return [
        Hit(name, project_id, in_project, is_public, pulls, counts.get(number, 0))
        for number, name, project_id, in_project, is_public, pulls in rows
    ]


def count(connection: Connection, actor: Actor) -> Counts:
    """The totals for administrators; of what is private, for others what they are members of; robots are in nothing."""
    public = _count(connection, project.c.is_public)
    if actor.is_admin and allowed(actor, "project", "list", project=None):
        total = _count(connection, ~project.c.is_deleted)
        return Counts(total[0] - public[0], total[1] - public[1], *public, *total, stored(connection))
    private = (0, 0)
    if actor.kind == "user":
        private = _count(connection, ~project.c.is_public & projects.visible(actor))
    return Counts(*private, *public)


def administers_a_project(connection: Connection, actor: Actor) -> bool:
    """Whether the actor is a person with the role of project administrator somewhere."""
    if actor.kind != "user":
        return False
    statement = (
        select(member.c.id)
        .join(project, project.c.id == member.c.project_id)
        .where(
            member.c.entity_type == USER,
            member.c.entity_id == actor.id,
            member.c.role == int(Role.PROJECT_ADMIN),
            ~project.c.is_deleted,
        )
    )
    return connection.execute(statement.limit(1)).first() is not None


def _visible(actor: Actor) -> ColumnElement[bool]:
    """Robots find what everybody finds, whatever they were given, as in Harbor."""
    return project.c.is_public if actor.kind == "robot" else projects.visible(actor)


def _count(connection: Connection, condition: ColumnElement[bool]) -> tuple[int, int]:
    """How many projects meet the condition, and how many repositories are in them."""
    met = condition & ~project.c.is_deleted
    inside = select(func.count()).select_from(repository).join(project, project.c.id == repository.c.project_id)
    number: int = connection.execute(select(func.count()).select_from(project).where(met)).scalar_one()
    return number, connection.execute(inside.where(met)).scalar_one()


def stored(connection: Connection) -> int:
    """How many bytes all blobs and manifests take, each once."""
    sizes: Sequence[ColumnElement[int]] = (func.sum(blob.c.size), func.sum(func.length(manifest.c.content)))
    return sum(int(connection.execute(select(size)).scalar() or 0) for size in sizes)
