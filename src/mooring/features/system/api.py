"""The installation: /systeminfo, /health, /ping, /api/version."""

from typing import Any, Final, cast

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from msgspec import json, structs

import mooring
from mooring.core.actor import Actor
from mooring.core.clock import now, rfc3339
from mooring.features.system.health import Health
from mooring.features.system.wire import ComponentHealthStatus, GeneralInfo, OverallHealthStatus, Version
from mooring.http.access import ANYBODY
from mooring.http.exchange import Origin, Receive, Scope
from mooring.http.exchange import Request as Exchange
from mooring.settings import Settings

HARBOR_VERSION: Final = "v2.16.0"  # whose API this is


@get("/systeminfo", access=ANYBODY)
async def read_system_info(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    origin: NamedDependency[Origin],
) -> GeneralInfo:
    public = GeneralInfo(
        auth_mode="db_auth",
        primary_auth_mode=False,
        self_registration=False,
        banner_message="",
        oidc_provider_name="",
    )
    if actor.is_anonymous:
        return public
    address = settings.external_url or origin.base(
        Exchange(cast("Scope", request.scope), cast("Receive", request.receive))
    )
    return structs.replace(
        public,
        current_time=rfc3339(now()),
        registry_url=address.partition("://")[2],
        external_url=address,
        harbor_version=f"{HARBOR_VERSION}-mooring{mooring.__version__}",
        has_ca_root=False,
        project_creation_restriction="everyone",
        read_only=False,
        registry_storage_provider_name=settings.storage.kind,
        notification_enable=True,
    )


@get("/health", access=ANYBODY)
async def read_health(health: NamedDependency[Health]) -> OverallHealthStatus:
    """Always 200, as in Harbor: whether all is well stands in the body."""
    components = [
        ComponentHealthStatus(part.name, "unhealthy" if part.fault else "healthy", part.fault)
        for part in await health.components()
    ]
    unhealthy = any(part.error for part in components)
    return OverallHealthStatus("unhealthy" if unhealthy else "healthy", components)


@get("/ping", access=ANYBODY, produces="", media_type=MediaType.TEXT)
async def ping(request: Request[Any, Any, Any]) -> Response[bytes]:
    wants_json = "application/json" in request.headers.get("accept", "")
    return Response(b"Pong", headers={"content-type": "application/json" if wants_json else "text/plain"})


@get("/api/version", access=ANYBODY, produces="")
async def read_version() -> Response[bytes]:
    """JSON under the name of text: what Harbor sends, and clients have been written to."""
    return Response(json.encode(Version("v2.0")), media_type=MediaType.TEXT)


HANDLERS: Final = (read_system_info, read_health, ping)
ROOT_HANDLERS: Final = (read_version,)
