"""Labels: /labels. Whom a route lets in depends on the label's scope, so the service asks."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, NotFound
from mooring.core.page import Fuzzy, Listing
from mooring.db.engine import Database
from mooring.features.labels import queries, service
from mooring.features.labels.wire import Label
from mooring.http.access import ANYBODY
from mooring.http.links import created, listed


@get("/labels", access=ANYBODY, operation_id="ListLabels", refuses=(401,))
async def list_labels(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    name: FromQuery[str] = "",
    of_scope: Annotated[str, QueryParameter(name="scope")] = "",
    project_id: FromQuery[int] = 0,
) -> Response[Sequence[Label]]:
    """Everybody's with `scope=g`, a project's with `scope=p`; none of a project that is not there."""
    if of_scope not in (service.GLOBAL, service.OF_PROJECT):
        raise BadRequest(f"invalid scope: {of_scope}")
    is_global = of_scope == service.GLOBAL
    wanted = listing.asking(name=Fuzzy(name) if name else None)
    if not is_global and project_id <= 0:
        raise BadRequest("must with project ID when to query project labels")

    def work(connection: Connection) -> tuple[list[queries.Label], int]:
        try:
            if not is_global:
                service.require_in(connection, actor, "list", of_scope, project_id)
        except NotFound:
            return [], 0
        return queries.page(connection, 0 if is_global else project_id, wanted)

    labels, total = await db.read(work)
    return listed(request, [Label.of(label) for label in labels], total, listing)


@post("/labels", access=ANYBODY, body="label", operation_id="CreateLabel", refuses=(401, 404, 409))
async def create_label(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    data: JSONBody[Label],
) -> Response[None]:
    label_id = await db.write(
        service.create,
        actor,
        name=data.name,
        description=data.description,
        color=data.color,
        scope=data.scope,
        project_id=data.project_id,
    )
    return created(request, label_id)


@get("/labels/{label_id:str}", access=ANYBODY, operation_id="GetLabelByID", refuses=(401,))
async def read_label(actor: NamedDependency[Actor], db: NamedDependency[Database], label_id: FromPath[int]) -> Label:
    return Label.of(await db.read(service.read, actor, "read", label_id))


@put("/labels/{label_id:str}", access=ANYBODY, body="label", operation_id="UpdateLabel", refuses=(401, 409))
async def change_label(
    actor: NamedDependency[Actor], db: NamedDependency[Database], label_id: FromPath[int], data: JSONBody[Label]
) -> None:
    def work(connection: Connection) -> None:
        service.read(connection, actor, "update", label_id)
        service.change(connection, label_id, name=data.name, description=data.description, color=data.color)

    await db.write(work)


@delete("/labels/{label_id:str}", access=ANYBODY, status_code=200, operation_id="DeleteLabel", refuses=(401,))
async def delete_label(actor: NamedDependency[Actor], db: NamedDependency[Database], label_id: FromPath[int]) -> None:
    def work(connection: Connection) -> None:
        service.read(connection, actor, "delete", label_id)
        service.remove(connection, label_id)

    await db.write(work)


HANDLERS: Final = (list_labels, create_label, read_label, change_label, delete_label)
