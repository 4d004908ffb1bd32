"""The configuration: /configurations."""

import asyncio
from collections.abc import Callable
from typing import Final

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, Unauthorized
from mooring.db.engine import Database
from mooring.features.configuration import service
from mooring.features.configuration.queries import Current
from mooring.features.configuration.wire import Configurations, ConfigurationsResponse
from mooring.http.access import ANYBODY, system

# Whether anybody but the first administrator has an account; a feature above this one knows.
PeopleExist = Callable[[Connection], bool]

_PATIENCE: Final = 5.0  # seconds that an endpoint may take to accept a connection


@get("/configurations", access=system("configuration", "read"), operation_id="getConfigurations")
async def read_configurations(
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    people_exist: NamedDependency[PeopleExist],
) -> ConfigurationsResponse:
    is_fixed = configuration.is_frozen or await db.read(people_exist)
    return ConfigurationsResponse.of(
        await configuration.read(),
        lambda name: not (is_fixed if name == "auth_mode" else configuration.is_frozen),
    )


@put(
    "/configurations",
    access=system("configuration", "update"),
    body="configurations",
    while_read_only=True,
    operation_id="updateConfigurations",
)
async def change_configurations(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    people_exist: NamedDependency[PeopleExist],
    data: JSONBody[Configurations],
) -> None:
    if data.audit_log_forward_endpoint:
        await _require_answer(data.audit_log_forward_endpoint)

    def work(connection: Connection) -> None:
        service.change(connection, actor, configuration, data.values(), people_exist=people_exist(connection))

    await db.write(work)


@get("/internalconfig", access=ANYBODY, operation_id="getInternalconfig", refuses=(401, 403))
async def read_internal_configuration() -> None:
    """For Harbor's own parts, which Mooring does not have: nobody may."""
    raise Unauthorized("only internal service is allowed to call this API")


async def _require_answer(endpoint: str) -> None:
    """Raise BadRequest unless something accepts connections at `host:port`."""
    host, _, port = endpoint.rpartition(":")
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, ValueError, OverflowError) as error:
        raise BadRequest(f"bad request: audit_log_forward_endpoint {endpoint} does not accept connections") from error
    writer.close()


HANDLERS: Final = (read_configurations, change_configurations, read_internal_configuration)
