"""Quotas: /quotas."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from mooring.core.errors import BadRequest
from mooring.core.page import Listing, parse_sort
from mooring.db.engine import Database
from mooring.features.quotas import queries, service
from mooring.features.quotas.wire import Quota, QuotaUpdateReq
from mooring.http.access import system
from mooring.http.links import listed

_NOBODYS: Final = 0  # the id of no project


@get("/quotas", access=system("quota", "list"), operation_id="listQuotas")
async def list_quotas(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    paging: NamedDependency[Listing],
    reference: FromQuery[str] = "",
    reference_id: FromQuery[str] = "",
    sort: FromQuery[str] = "",
) -> Response[Sequence[Quota]]:
    """Those of all projects, or of the one whose id is `reference_id`; there are none of anything else."""
    wanted = _NOBODYS if reference not in ("", "project") else None
    if reference_id and wanted is None:
        is_id = reference_id.isascii() and reference_id.isdecimal() and len(reference_id) < 19
        wanted = int(reference_id) if is_id else _NOBODYS
    listing = Listing(paging.page, paging.size, sort=parse_sort(sort))
    quotas, total = await db.read(queries.page, listing, wanted)
    return listed(request, [Quota.of(quota) for quota in quotas], total, listing)


@get("/quotas/{id:str}", access=system("quota", "read"), operation_id="getQuota")
async def read_quota(db: NamedDependency[Database], id: FromPath[int]) -> Quota:
    return Quota.of(await db.read(service.read, id))


@put("/quotas/{id:str}", access=system("quota", "update"), body="hard", operation_id="updateQuota")
async def change_quota(db: NamedDependency[Database], id: FromPath[int], data: JSONBody[QuotaUpdateReq]) -> None:
    if not data.hard:
        raise BadRequest("hard required in body")
    await db.write(service.change, id, data.hard)


HANDLERS: Final = (list_quotas, read_quota, change_quota)
