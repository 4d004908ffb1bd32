"""Artifacts with their accessories and labels: /projects/{project}/repositories/{repository}/artifacts.

Their tags are in tag_api.py, what else is read from their bytes in addition_api.py.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.artifacts import addition_api, copying, deletion, labelling, queries, service, tag_api
from mooring.features.artifacts.copying import Target
from mooring.features.artifacts.queries import Beside, View
from mooring.features.artifacts.wire import Accessory, Artifact
from mooring.features.labels.wire import Label
from mooring.features.projects.queries import Project
from mooring.features.quotas.service import Quotas
from mooring.features.repositories import queries as repositories
from mooring.features.repositories.service import full_name, touch
from mooring.http.access import named_project, project, signed_in
from mooring.http.links import created, listed
from mooring.http.parameters import is_true

ARTIFACTS: Final = "/projects/{project_name:str}/repositories/{repository_name:str}/artifacts"
ARTIFACT: Final = f"{ARTIFACTS}/{{reference:str}}"


@get(ARTIFACTS, access=named_project("artifact", "list"), operation_id="listArtifacts")
async def list_artifacts(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    repository_name: FromPath[str],
    with_tag: FromQuery[str] = "true",
    with_label: FromQuery[str] = "false",
    with_accessory: FromQuery[str] = "false",
    with_inherited_accessory: FromQuery[str] = "false",
    with_immutable_status: FromQuery[str] = "false",
    with_scan_overview: FromQuery[str] = "false",
    with_sbom_overview: FromQuery[str] = "false",
) -> Response[Sequence[Artifact]]:
    """Those of a repository that is not there are none."""
    name = full_name(project, repository_name)
    beside = _beside(with_tag, with_label, with_accessory, with_inherited_accessory, with_immutable_status)

    def work(connection: Connection) -> tuple[list[View], int]:
        repository = repositories.find(connection, project.id, name)
        if repository is None:
            return [], 0
        found, total = queries.page(connection, repository.id, listing)
        return queries.views(connection, found, beside, {repository.id: name}), total

    views, total = await db.read(work)
    return listed(request, [Artifact.of(view) for view in views], total, listing)


@get(
    "/projects/{project_name_or_id:str}/artifacts",
    access=signed_in(project("artifact", "list")),
    tag="project",
    operation_id="listArtifactsOfProject",
)
async def list_artifacts_of_project(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    with_tag: FromQuery[str] = "true",
    with_label: FromQuery[str] = "false",
    with_accessory: FromQuery[str] = "false",
    with_inherited_accessory: FromQuery[str] = "false",
    with_immutable_status: FromQuery[str] = "false",
    with_scan_overview: FromQuery[str] = "false",
    with_sbom_overview: FromQuery[str] = "false",
    latest_in_repository: FromQuery[str] = "false",
) -> Response[Sequence[Artifact]]:
    """Those of all its repositories; with `latest_in_repository` only the one of each that was pushed last, among those
    of the one type that `q` names by `media_type` or `artifact_type`.
    """
    beside = _beside(with_tag, with_label, with_accessory, with_inherited_accessory, with_immutable_status)
    page = queries.latest_page if is_true(latest_in_repository) else queries.project_page

    def work(connection: Connection) -> tuple[list[View], int]:
        found, total = page(connection, project.id, listing)
        return queries.views(connection, found, beside), total

    views, total = await db.read(work)
    return listed(request, [Artifact.of(view) for view in views], total, listing)


@post(ARTIFACTS, access=named_project("artifact", "create"), operation_id="CopyArtifact")
async def copy_artifact(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    project: NamedDependency[Project],
    quotas: NamedDependency[Quotas],
    repository_name: FromPath[str],
    source: Annotated[str, QueryParameter(name="from")],
) -> Response[None]:
    """Copy an artifact of another repository here, with its tags, its accessories, and what it is made of."""
    wanted = copying.parse_source(source)
    target = Target(project.id, full_name(project, repository_name))
    await quotas.write(actor, project.id, target.repository, copying.copy, actor, wanted, target)
    return created(request, wanted.reference)


@get(ARTIFACT, access=named_project("artifact", "read"), operation_id="getArtifact")
async def read_artifact(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    paging: NamedDependency[Listing],
    repository_name: FromPath[str],
    reference: FromPath[str],
    with_tag: FromQuery[str] = "true",
    with_label: FromQuery[str] = "false",
    with_accessory: FromQuery[str] = "false",
    with_inherited_accessory: FromQuery[str] = "false",
    with_immutable_status: FromQuery[str] = "false",
    with_signature: FromQuery[str] = "false",
    with_scan_overview: FromQuery[str] = "false",
    with_sbom_overview: FromQuery[str] = "false",
) -> Artifact:
    """One artifact; which page is asked for changes nothing, as in Harbor."""
    name = full_name(project, repository_name)
    beside = _beside(with_tag, with_label, with_accessory, with_inherited_accessory, with_immutable_status)

    def work(connection: Connection) -> View:
        found = service.read(connection, project.id, name, reference)
        return queries.views(connection, [found], beside, {found.repository_id: name})[0]

    return Artifact.of(await db.read(work))


@delete(ARTIFACT, access=named_project("artifact", "delete"), status_code=200, operation_id="deleteArtifact")
async def delete_artifact(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
) -> None:
    """Delete an artifact with its tags and accessories, and what it is made of where nothing else needs it."""

    def work(connection: Connection) -> None:
        found = service.read(connection, project.id, full_name(project, repository_name), reference)
        deletion.delete_artifact(connection, actor, found.id)
        touch(connection, {found.repository_id: now()})

    await db.write(work)


@get(f"{ARTIFACT}/accessories", access=named_project("accessory", "list"), operation_id="listAccessories")
async def list_accessories(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    repository_name: FromPath[str],
    reference: FromPath[str],
) -> Response[Sequence[Accessory]]:
    def work(connection: Connection) -> tuple[list[queries.Accessory], int]:
        found = service.read(connection, project.id, full_name(project, repository_name), reference)
        return queries.accessories(connection, found.id, listing)

    accessories, total = await db.read(work)
    return listed(request, [Accessory.of(accessory) for accessory in accessories], total, listing)


@post(
    f"{ARTIFACT}/labels",
    access=named_project("artifact-label", "create"),
    body="label",
    status_code=200,
    operation_id="addLabel",
    refuses=(409,),
)
async def add_label(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
    data: JSONBody[Label],
) -> None:
    """Give the artifact a label; of what is sent only the id counts."""

    def work(connection: Connection) -> None:
        found = service.read(connection, project.id, full_name(project, repository_name), reference)
        labelling.add_label(connection, found, data.id)

    await db.write(work)


@delete(
    f"{ARTIFACT}/labels/{{label_id:str}}",
    access=named_project("artifact-label", "delete"),
    status_code=200,
    operation_id="removeLabel",
)
async def remove_label(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    repository_name: FromPath[str],
    reference: FromPath[str],
    label_id: FromPath[int],
) -> None:
    def work(connection: Connection) -> None:
        found = service.read(connection, project.id, full_name(project, repository_name), reference)
        labelling.remove_label(connection, found, label_id)

    await db.write(work)


def _beside(tags: str, labels: str, accessories: str, inherited: str, immutability: str) -> Beside:
    """What the flags of a request ask for. What scans have found is told once there are scans."""
    return Beside(
        tags=is_true(tags),
        labels=is_true(labels),
        accessories=is_true(accessories),
        inherited=is_true(inherited),
        immutability=is_true(immutability),
    )


HANDLERS: Final = (
    list_artifacts,
    list_artifacts_of_project,
    copy_artifact,
    read_artifact,
    delete_artifact,
    list_accessories,
    add_label,
    remove_label,
    *tag_api.HANDLERS,
    *addition_api.HANDLERS,
)
