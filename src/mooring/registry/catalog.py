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
from mooring.registry.tags import EVERYTHING, next_page, page_size

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
    query = request.parameters()
    count = page_size(query.get("n", ""))
    last = query.get("last", "")
    if count == 0:
        return Response(200, [JSON], msgspec.json.encode({"repositories": []}))
    if last and await registry.db.reader.one(_IS_LISTED, name=last) is None:
        raise BadRequest(f"the last: {last} should be a valid repository name.")
    rows = await registry.db.reader.all(
        _NAMES, last=last, count=EVERYTHING if count is None else min(count + 1, EVERYTHING)
    )
    names = [name for (name,) in rows]
    headers = [JSON]
    if count is not None and len(names) > count:
        names = names[:count]
        headers.append((b"link", next_page("/v2/_catalog", names[-1], count)))
    return Response(200, headers, msgspec.json.encode({"repositories": names}))
