"""GET /v2/<name>/tags/list (OCI distribution specification, "Listing Tags")."""

import re
from typing import Final
from urllib.parse import urlencode

import msgspec
from sqlalchemy import bindparam, select

from mooring.core.errors import BadRequest, NameUnknown
from mooring.db.prepared import Prepared
from mooring.features.artifacts.tables import tag
from mooring.features.repositories.tables import repository
from mooring.http.exchange import JSON, Request, Response
from mooring.registry.context import Registry
from mooring.registry.gate import PROJECT

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
EVERYTHING: Final = 1 << 62  # rows
_NUMBER: Final = re.compile(r"\+?[0-9]{1,32}")
_MOST: Final = (1 << 63) - 1


async def list_tags(registry: Registry, request: Request, name: str) -> Response:
    """The repository's tags in byte order, those after `last`, `n` at most; Link leads to the next page where there
    is one.
    """
    passed = await registry.gate.enter(request, name, "pull", PROJECT)
    query = request.parameters()
    count = page_size(query.get("n", ""))
    if count == 0:
        return Response(200, [JSON], msgspec.json.encode({"name": name, "tags": []}))
    row = await registry.db.reader.one(_REPOSITORY, name=name, project=passed.project_id)
    if row is None:
        raise NameUnknown(f"repository {name} not found")
    limit = EVERYTHING if count is None else min(count + 1, EVERYTHING)
    rows = await registry.db.reader.all(_TAGS, repository=row[0], last=query.get("last", ""), count=limit)
    tags = [tag_name for (tag_name,) in rows]
    headers = [JSON]
    if count is not None and len(tags) > count:
        tags = tags[:count]
        headers.append((b"link", next_page(f"/v2/{name}/tags/list", tags[-1], count)))
    return Response(200, headers, msgspec.json.encode({"name": name, "tags": tags}))


def page_size(text: str) -> int | None:
    """The parameter `n`; None when it was not given. Raises BadRequest."""
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None or int(text) > _MOST:
        raise BadRequest("the N must be a positive int type")
    return int(text)


def next_page(path: str, last: str, count: int) -> bytes:
    """A Link to what follows `last` (RFC 8288)."""
    return f'<{path}?{urlencode({"last": last, "n": count})}>; rel="next"'.encode()
