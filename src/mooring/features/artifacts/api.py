"""Artifacts with their tags and accessories: /projects/{project}/repositories/{repository}/artifacts."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.artifacts import deletion, queries, service, tagging
from mooring.features.artifacts.queries import Found, View
from mooring.features.artifacts.wire import Accessory, Artifact, NewTag, Tag
from mooring.features.projects.queries import Project
from mooring.features.repositories import queries as repositories
from mooring.features.repositories.service import full_name
from mooring.http.access import named_project
from mooring.http.links import listed
from mooring.http.parameters import is_true

_ARTIFACTS: Final = "/projects/{project_name:str}/repositories/{repository_name:str}/artifacts"
_ARTIFACT: Final = f"{_ARTIFACTS}/{{reference:str}}"


@get(_ARTIFACTS, access=named_project("artifact", "list"))
async def list_artifacts(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    repository_name: FromPath[str],
    with_tag: FromQuery[str] = "true",
    with_accessory: FromQuery[str] = "false",
) -> Response[Sequence[Artifact]]:
    """Those of a repository that is not there are none."""
    name = full_name(project, repository_name)

    def work(connection: Connection) -> tuple[list[View], int]:
        repository = repositories.find(connection, project.id, name)
        found, total = queries.page(connection, repository.id if repository else 0, listing)
        flags = {"with_tags": is_true(with_tag), "with_accessories": is_true(with_accessory)}
        return queries.views(connection, found, name, **flags), total

    views, total = await db.read(work)
    return listed(request, [Artifact.of(view) for view in views], total, listing)


@get(_ARTIFACT, access=named_project("artifact", "read"))
async def read_artifact(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
    with_tag: FromQuery[str] = "true",
    with_accessory: FromQuery[str] = "false",
) -> Artifact:
    name = full_name(project, repository_name)

    def work(connection: Connection) -> View:
        found = service.read(connection, project.id, name, reference)
        flags = {"with_tags": is_true(with_tag), "with_accessories": is_true(with_accessory)}
        return queries.views(connection, [found], name, **flags)[0]

    return Artifact.of(await db.read(work))


@delete(_ARTIFACT, access=named_project("artifact", "delete"), status_code=200)
async def delete_artifact(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
) -> None:
    def work(connection: Connection) -> None:
        found = service.read(connection, project.id, full_name(project, repository_name), reference)
        deletion.delete_artifact(connection, actor, found.id)

    await db.write(work)


@get(f"{_ARTIFACT}/tags", access=named_project("tag", "list"))
async def list_tags(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    repository_name: FromPath[str],
    reference: FromPath[str],
) -> Response[Sequence[Tag]]:
    def work(connection: Connection) -> tuple[list[queries.Tag], int]:
        found = service.read(connection, project.id, full_name(project, repository_name), reference)
        return queries.tags(connection, found.id, listing)

    tags, total = await db.read(work)
    return listed(request, [Tag.of(tag) for tag in tags], total, listing)


@post(f"{_ARTIFACT}/tags", access=named_project("tag", "create"), body="tag")
async def create_tag(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
    data: JSONBody[NewTag],
) -> None:
    def work(connection: Connection) -> None:
        name = full_name(project, repository_name)
        found = service.read(connection, project.id, name, reference)
        tagging.create_tag(connection, actor, name, found, data.name)

    await db.write(work)


@delete(f"{_ARTIFACT}/tags/{{tag_name:str}}", access=named_project("tag", "delete"), status_code=200)
async def delete_tag(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
    tag_name: FromPath[str],
) -> None:
    def work(connection: Connection) -> None:
        name = full_name(project, repository_name)
        found = service.read(connection, project.id, name, reference)
        tagging.untag(connection, actor, name, found, tag_name)

    await db.write(work)


@get(f"{_ARTIFACT}/accessories", access=named_project("accessory", "list"))
async def list_accessories(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    repository_name: FromPath[str],
    reference: FromPath[str],
) -> Response[Sequence[Accessory]]:
    def work(connection: Connection) -> tuple[list[queries.Accessory], int]:
        found: Found = service.read(connection, project.id, full_name(project, repository_name), reference)
        return queries.accessories(connection, found.id, listing)

    accessories, total = await db.read(work)
    return listed(request, [Accessory.of(accessory) for accessory in accessories], total, listing)


HANDLERS: Final = (
    list_artifacts,
    read_artifact,
    delete_artifact,
    list_tags,
    create_tag,
    delete_tag,
    list_accessories,
)
