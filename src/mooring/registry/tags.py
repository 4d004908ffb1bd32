"""GET /v2/<name>/tags/list (OCI distribution specification, "Listing Tags")."""

from typing import Final

import msgspec
from sqlalchemy import bindparam, select

from mooring.core.errors import NameUnknown
from mooring.db.prepared import Prepared
from mooring.features.artifacts.tables import tag
from mooring.features.repositories.tables import repository
from mooring.http.exchange import JSON, Request, Response
from mooring.registry.context import Registry
from mooring.registry.gate import PROJECT
from mooring.registry.paging import page

_REPOSITORY: Final = Prepared(
    select(repository.c.id).where(
        repository.c.name == bindparam("name"), repository.c.project_id == bindparam("project")
    )
)
_TAGS: Final = Prepared(
    select(tag.c.name)
    .where(tag.c.repository_id == bindparam("repository"), tag.c.name > bindparam("last"))
    .order_by(tag.c.name)
    .limit(bindparam("count"))
)


async def list_tags(registry: Registry, request: Request, name: str) -> Response:
    """The repository's tags in byte order, those after `last`, `n` at most; Link leads to the next page where there
    is one.
    """
    passed = await registry.gate.enter(request, name, "pull", PROJECT)
    wanted = page(request.parameters())
    if wanted.most == 0:
        return Response(200, [JSON], msgspec.json.encode({"name": name, "tags": []}))
    row = await registry.db.reader.one(_REPOSITORY, name=name, project=passed.project_id)
    if row is None:
        raise NameUnknown(f"repository {name} not found")
    rows = await registry.db.reader.all(_TAGS, repository=row[0], last=wanted.last, count=wanted.limit)
    tags, link = wanted.cut(f"/v2/{name}/tags/list", [tag_name for (tag_name,) in rows])
    return Response(200, [JSON, *link], msgspec.json.encode({"name": name, "tags": tags}))
