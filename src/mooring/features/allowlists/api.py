"""The system's allowlist: /system/CVEAllowlist."""

from typing import Final

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from mooring.db.engine import Database
from mooring.features.allowlists import queries, service
from mooring.features.allowlists.queries import SYSTEM
from mooring.features.allowlists.wire import CVEAllowlist
from mooring.http.access import SIGNED_IN, system


@get("/system/CVEAllowlist", access=SIGNED_IN, operation_id="getSystemCVEAllowlist")
async def read_system_allowlist(db: NamedDependency[Database]) -> CVEAllowlist:
    return CVEAllowlist.of_system(await db.read(queries.read, SYSTEM))


@put(
    "/system/CVEAllowlist",
    access=system("configuration", "update"),
    body="allowlist",
    operation_id="putSystemCVEAllowlist",
)
async def change_system_allowlist(db: NamedDependency[Database], data: JSONBody[CVEAllowlist]) -> None:
    await db.write(service.replace, SYSTEM, data.ids(), data.expires_at)


HANDLERS: Final = (read_system_allowlist, change_system_allowlist)
