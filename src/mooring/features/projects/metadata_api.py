"""What is kept beside a project: /projects/{project}/metadatas."""

from typing import Final

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest
from mooring.db.engine import Database
from mooring.features.projects import service
from mooring.features.projects.queries import Project, metadata_of
from mooring.features.projects.values import normal
from mooring.http.access import project as within


@get(
    "/projects/{project_name_or_id:str}/metadatas",
    access=within("metadata", "list"),
    operation_id="listProjectMetadatas",
)
async def list_metadata(db: NamedDependency[Database], project: NamedDependency[Project]) -> dict[str, str]:
    return await db.read(_read, project)


@post(
    "/projects/{project_name_or_id:str}/metadatas",
    access=within("metadata", "create"),
    body="metadata",
    status_code=200,
    operation_id="addProjectMetadatas",
    refuses=(409,),
)
async def add_metadata(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    data: JSONBody[dict[str, str] | None] = None,
) -> None:
    """One name with its value at a time, which must be new."""
    if data is None or len(data) != 1:
        raise BadRequest("only allow one key/value pair")
    ((name, value),) = data.items()
    await db.write(service.add_metadata, actor, project, name, normal(name, value))


@get(
    "/projects/{project_name_or_id:str}/metadatas/{meta_name:str}",
    access=within("metadata", "read"),
    operation_id="getProjectMetadata",
)
async def read_metadata(
    db: NamedDependency[Database], project: NamedDependency[Project], meta_name: FromPath[str]
) -> dict[str, str]:
    """Empty where nothing is set."""
    values = await db.read(_read, project)
    return {meta_name: values[meta_name]} if meta_name in values else {}


@put(
    "/projects/{project_name_or_id:str}/metadatas/{meta_name:str}",
    access=within("metadata", "update"),
    body="metadata",
    operation_id="updateProjectMetadata",
)
async def change_metadata(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    meta_name: FromPath[str],
    data: JSONBody[dict[str, str] | None] = None,
) -> None:
    values = {meta_name: normal(meta_name, (data or {}).get(meta_name, ""))}
    await db.write(service.change, actor, project, values)


@delete(
    "/projects/{project_name_or_id:str}/metadatas/{meta_name:str}",
    access=within("metadata", "delete"),
    status_code=200,
    operation_id="deleteProjectMetadata",
)
async def delete_metadata(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    meta_name: FromPath[str],
) -> None:
    """What is not set is no error."""
    await db.write(service.remove_metadata, actor, project, meta_name)


def _read(connection: Connection, project: Project) -> dict[str, str]:
    return metadata_of(connection, [project])[project.id]


HANDLERS: Final = (list_metadata, add_metadata, read_metadata, change_metadata, delete_metadata)
