"""What is read from the bytes of artifacts: additions, and the pictures that they bring along."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import Connection

from mooring.core.errors import NotFound, ObjectMissing
from mooring.core.media import Manifest, parse
from mooring.db.engine import Database
from mooring.features.artifacts import additions, icons, queries, service
from mooring.features.artifacts.additions import MAX_BLOB, Addition, Name, Plan
from mooring.features.artifacts.kinds import MAX_ICON
from mooring.features.artifacts.queries import Found
from mooring.features.artifacts.wire import Icon
from mooring.features.blobs.queries import IN_REPOSITORY, Blob, to_blob
from mooring.features.projects.queries import Project
from mooring.features.repositories.service import full_name
from mooring.http.access import ANYBODY, named_project

# All the bytes of a blob that is small; raises ObjectMissing.
ReadBlob = Callable[[Blob], Awaitable[bytes]]

_ADDITIONS: Final = (
    "/projects/{project_name:str}/repositories/{repository_name:str}/artifacts/{reference:str}/additions"
)


@get(
    f"{_ADDITIONS}/vulnerabilities",
    access=named_project("artifact-addition", "read"),
    operation_id="getVulnerabilitiesAddition",
)
async def read_vulnerabilities(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
) -> None:
    """What scanners have found. There are none yet."""
    await db.read(service.read, project.id, full_name(project, repository_name), reference)
    raise NotFound(f"no scanner registration configured for project: {project.id}")


@get(
    f"{_ADDITIONS}/{{addition:str}}",
    access=named_project("artifact-addition", "read"),
    produces="",
    operation_id="getAddition",
)
async def read_addition(
    db: NamedDependency[Database],
    read_blob: NamedDependency[ReadBlob],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
    addition: FromPath[Name],
) -> Response[bytes]:
    """An image's `build_history`, a chart's `values.yaml`, `readme.md` and `dependencies`, a model's `readme.md`,
    `license` and `files`, the content of an `sbom`.
    """
    name = full_name(project, repository_name)

    def work(connection: Connection) -> tuple[Plan, Blob | None]:
        found = service.read(connection, project.id, name, reference)
        plan = additions.plan(addition, found, _manifest(connection, found))
        if plan.blob is None:
            return plan, None
        row = IN_REPOSITORY.one(connection, repository=name, project=project.id, digest=plan.blob.digest)
        if row is None or row[2] > MAX_BLOB:
            raise NotFound(f"{addition} not found: its blob is not here, or longer than {MAX_BLOB} bytes")
        return plan, to_blob(row)

    plan, blob = await db.read(work)
    content = await _content(read_blob, blob) if blob else b""
    made: Addition = await asyncio.to_thread(plan.render, content)
    return Response(made.content, headers={"content-type": made.content_type})


@get("/icons/{digest:str}", access=ANYBODY, tag="icon", operation_id="getIcon")
async def read_icon(db: NamedDependency[Database], read_blob: NamedDependency[ReadBlob], digest: FromPath[str]) -> Icon:
    """A picture of a kind of artifacts, or one that an artifact brings along."""
    content = icons.built_in(digest)
    if content is None:
        row = await db.reader.one(queries.ICON, digest=digest)
        blob = to_blob(row) if row else None
        content = await _content(read_blob, blob) if blob and blob.size <= MAX_ICON else b""
    kind = icons.content_type(content)
    if kind is None:
        raise NotFound(f"the icon {digest} not found")
    return Icon(content, kind)


async def _content(read_blob: ReadBlob, blob: Blob) -> bytes:
    try:
        return await read_blob(blob)
    except ObjectMissing:
        raise NotFound(f"the bytes of {blob.digest} are not in the store") from None


def _manifest(connection: Connection, found: Found) -> Manifest:
    return parse(queries.content(connection, found.digest), found.manifest_media_type)


HANDLERS: Final = (read_vulnerabilities, read_addition, read_icon)
