"""Repositories: /projects/{project}/repositories and /repositories."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.projects.queries import Project
from mooring.features.repositories import queries, service
from mooring.features.repositories.queries import Found
from mooring.features.repositories.wire import Repository
from mooring.http.access import ANYBODY, named_project
from mooring.http.links import listed

# How many artifacts each of the repositories shows, and what must go with one; features above this one know.
CountArtifacts = Callable[[Connection, Sequence[int]], Mapping[int, int]]
DeleteRepository = Callable[[Connection, Actor, int], None]


@get("/repositories", access=ANYBODY, operation_id="listAllRepositories")
async def list_all_repositories(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    count_artifacts: NamedDependency[CountArtifacts],
) -> Response[Sequence[Repository]]:
    def work(connection: Connection) -> tuple[list[Repository], int]:
        found, total = queries.visible_page(connection, actor, listing)
        return _shown(connection, found, count_artifacts), total

    repositories, total = await db.read(work)
    return listed(request, repositories, total, listing)


@get(
    "/projects/{project_name:str}/repositories",
    access=named_project("repository", "list"),
    operation_id="listRepositories",
)
async def list_repositories(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    count_artifacts: NamedDependency[CountArtifacts],
) -> Response[Sequence[Repository]]:
    def work(connection: Connection) -> tuple[list[Repository], int]:
        found, total = queries.page(connection, project.id, listing)
        return _shown(connection, found, count_artifacts), total

    repositories, total = await db.read(work)
    return listed(request, repositories, total, listing)


@get(
    "/projects/{project_name:str}/repositories/{repository_name:str}",
    access=named_project("repository", "read"),
    operation_id="getRepository",
)
async def read_repository(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    count_artifacts: NamedDependency[CountArtifacts],
    repository_name: FromPath[str],
) -> Repository:
    def work(connection: Connection) -> Repository:
        found = service.read(connection, project.id, service.full_name(project, repository_name))
        return _shown(connection, [found], count_artifacts)[0]

    return await db.read(work)


@put(
    "/projects/{project_name:str}/repositories/{repository_name:str}",
    access=named_project("repository", "update"),
    body="repository",
    operation_id="updateRepository",
)
async def change_repository(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    data: JSONBody[Repository],
) -> None:
    await db.write(service.describe, project.id, service.full_name(project, repository_name), data.description)


@delete(
    "/projects/{project_name:str}/repositories/{repository_name:str}",
    access=named_project("repository", "delete"),
    status_code=200,
    operation_id="deleteRepository",
    refuses=(412,),
)
async def remove_repository(
    db: NamedDependency[Database],
    actor: NamedDependency[Actor],
    project: NamedDependency[Project],
    delete_repository: NamedDependency[DeleteRepository],
    repository_name: FromPath[str],
) -> None:
    def work(connection: Connection) -> None:
        found = service.read(connection, project.id, service.full_name(project, repository_name))
        delete_repository(connection, actor, found.id)

    await db.write(work)


def _shown(connection: Connection, found: Sequence[Found], count: CountArtifacts) -> list[Repository]:
    counts = count(connection, [each.id for each in found])
    return [Repository.of(each, counts.get(each.id, 0)) for each in found]


HANDLERS: Final = (
    list_all_repositories,
    list_repositories,
    read_repository,
    change_repository,
    remove_repository,
)
