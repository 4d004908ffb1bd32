"""Tags of an artifact, and all tags of a repository."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.artifacts import queries, service, tagging, tags
from mooring.features.artifacts.wire import NamedArtifact, NewTag, Tag
from mooring.features.immutability.queries import matcher
from mooring.features.projects.queries import Project
from mooring.features.repositories.service import full_name
from mooring.features.repositories.service import read as read_repository
from mooring.http.access import named_project
from mooring.http.links import listed
from mooring.http.parameters import is_true

_REPOSITORY: Final = "/projects/{project_name:str}/repositories/{repository_name:str}"
_TAGS: Final = f"{_REPOSITORY}/artifacts/{{reference:str}}/tags"


@get(_TAGS, access=named_project("tag", "list"), operation_id="listTags")
async def list_tags(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    repository_name: FromPath[str],
    reference: FromPath[str],
    with_immutable_status: FromQuery[str] = "false",
) -> Response[Sequence[Tag]]:
    name = full_name(project, repository_name)

    def work(connection: Connection) -> tuple[list[queries.Tag], int]:
        found = service.read(connection, project.id, name, reference)
        tags, total = queries.tags(connection, found.id, listing)
        if is_true(with_immutable_status):
            is_immutable = matcher(connection, project.id)
            tags = queries.marked(tags, lambda tag: is_immutable(name, tag))
        return tags, total

    tags, total = await db.read(work)
    return listed(request, [Tag.of(tag) for tag in tags], total, listing)


@post(_TAGS, access=named_project("tag", "create"), body="tag", operation_id="createTag", refuses=(409,))
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


@delete(f"{_TAGS}/{{tag_name:str}}", access=named_project("tag", "delete"), status_code=200, operation_id="deleteTag")
async def delete_tag(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
    tag_name: FromPath[str],
) -> None:
    """Take a tag from the artifact, which stays."""

    def work(connection: Connection) -> None:
        name = full_name(project, repository_name)
        found = service.read(connection, project.id, name, reference)
        tagging.untag(connection, actor, name, found, tag_name)

    await db.write(work)


@get(f"{_REPOSITORY}/tags", access=named_project("tag", "list"))
async def list_named_artifacts(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    repository_name: FromPath[str],
) -> Response[Sequence[NamedArtifact]]:
    """All tags of a repository with what they name, the latest first; Harbor has no such list."""
    name = full_name(project, repository_name)

    def work(connection: Connection) -> tuple[list[tags.NamedArtifact], int]:
        home = read_repository(connection, project.id, name)
        return tags.page(connection, project.id, home.id, name, listing)

    found, total = await db.read(work)
    return listed(request, [NamedArtifact.of(each) for each in found], total, listing)


HANDLERS: Final = (list_tags, create_tag, delete_tag, list_named_artifacts)
