"""GET /v2/_catalog (Docker registry API, "Listing Repositories")."""

from typing import Final

import msgspec
from sqlalchemy import bindparam, exists, select

from mooring.core.access import allowed
from mooring.core.errors import BadRequest, Unauthorized
from mooring.db.prepared import Prepared
from mooring.features.artifacts.tables import tag
from mooring.features.repositories.tables import repository
from mooring.http.exchange import JSON, Request, Response
from mooring.registry.context import Registry
from mooring.registry.gate import CHALLENGE, VERSION
from mooring.registry.paging import page

_HAS_TAG: Final = exists().where(tag.c.repository_id == repository.c.id)
_NAMES: Final = Prepared(
    select(repository.c.name)
    .where(repository.c.name > bindparam("last"), _HAS_TAG)
    .order_by(repository.c.name)
    .limit(bindparam("count"))
)
_IS_LISTED: Final = Prepared(select(repository.c.id).where(repository.c.name == bindparam("name"), _HAS_TAG))


async def admit(registry: Registry, request: Request) -> None:
    """Administrators and robots with catalog:read; as in Harbor no token. Raises Unauthorized."""
    caller = await registry.gate.caller(request)
    if caller.token is not None or not allowed(caller.actor, "catalog", "read", project=None):
        raise Unauthorized(
            "unauthorized to list catalog: unauthorized to list catalog",
            headers={CHALLENGE: 'Basic realm="harbor"', VERSION: "registry/2.0"},
        )


async def catalog(registry: Registry, request: Request) -> Response:
    """Every repository that has a tag."""
    wanted = page(request.parameters())
    if wanted.most == 0:
        return Response(200, [JSON], msgspec.json.encode({"repositories": []}))
    if wanted.last and await registry.db.reader.one(_IS_LISTED, name=wanted.last) is None:
        raise BadRequest(f"the last: {wanted.last} should be a valid repository name.")
    rows = await registry.db.reader.all(_NAMES, last=wanted.last, count=wanted.limit)
    names, link = wanted.cut("/v2/_catalog", [name for (name,) in rows])
    return Response(200, [JSON, *link], msgspec.json.encode({"repositories": names}))
