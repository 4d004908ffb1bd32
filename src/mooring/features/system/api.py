"""The installation: /systeminfo, /health, /ping, /api/version."""

import asyncio
import os
from pathlib import Path
from typing import Any, Final

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from msgspec import json, structs

import mooring
from mooring.core.actor import Actor
from mooring.core.clock import now, rfc3339
from mooring.core.errors import NotFound
from mooring.features.configuration.queries import Current
from mooring.features.system.health import Health
from mooring.features.system.wire import (
    ComponentHealthStatus,
    GeneralInfo,
    OverallHealthStatus,
    Storage,
    SystemInfo,
    Version,
)
from mooring.http.access import ANYBODY, system
from mooring.http.exchange import Origin
from mooring.http.exchange import Request as Exchange
from mooring.settings import Settings

HARBOR_VERSION: Final = "v2.16.0"  # whose API this is
CA_CERTIFICATE: Final = Path("ca_download", "ca.crt")  # in the data folder, where Harbor has it too


@get("/systeminfo", access=ANYBODY, operation_id="getSystemInfo")
async def read_system_info(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    configuration: NamedDependency[Current],
    origin: NamedDependency[Origin],
) -> GeneralInfo:
    """What the sign-in page needs, and for those who are signed in what clients ask for."""
    current = await configuration.read()
    public = GeneralInfo.of(current)
    if actor.is_anonymous:
        return public
    address = settings.external_url.rstrip("/") or origin.base(Exchange(request.scope, request.receive))
    scheme, _, registry = address.partition("://")
    return structs.replace(
        public,
        current_time=rfc3339(now()),
        registry_url=registry,
        external_url=address,
        harbor_version=f"{HARBOR_VERSION}-mooring{mooring.__version__}",
        has_ca_root=scheme == "https" and (Path(settings.data_volume) / CA_CERTIFICATE).is_file(),
        project_creation_restriction=current.project_creation_restriction,
        read_only=current.read_only,
        registry_storage_provider_name=settings.storage.kind,
        notification_enable=current.notification_enable,
    )


@get("/systeminfo/volumes", access=system("system-volumes", "read"), operation_id="getVolumes")
async def read_volumes(settings: NamedDependency[Settings]) -> SystemInfo:
    """The volume that blobs are on; with an object store, which has no size, the one of the data folder."""
    is_folder = settings.storage.kind == "filesystem"
    return SystemInfo([await asyncio.to_thread(_volume, settings.storage_root if is_folder else settings.data_volume)])


@get("/systeminfo/getcert", access=ANYBODY, produces="", operation_id="getCert", refuses=(404,))
async def read_ca_certificate(settings: NamedDependency[Settings]) -> Response[bytes]:
    """The certificate of the authority that clients are to trust, if the administrator has put one there."""
    path = Path(settings.data_volume) / CA_CERTIFICATE
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotFound("resource not found: the administrator offers no certificate of an authority") from error
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"Content-Disposition": f"attachment; filename={path.name}"},
    )


@get("/health", access=ANYBODY, tag="health", operation_id="getHealth")
async def read_health(health: NamedDependency[Health]) -> OverallHealthStatus:
    """Always 200, as in Harbor: whether all is well stands in the body."""
    components = [
        ComponentHealthStatus(part.name, "unhealthy" if part.fault else "healthy", part.fault)
        for part in await health.components()
    ]
    unhealthy = any(part.error for part in components)
    return OverallHealthStatus("unhealthy" if unhealthy else "healthy", components)


@get("/ping", access=ANYBODY, produces="", media_type=MediaType.TEXT, tag="ping", operation_id="getPing")
async def ping(request: Request[Any, Any, Any]) -> Response[bytes]:
    wants_json = "application/json" in request.headers.get("accept", "")
    return Response(b"Pong", headers={"content-type": "application/json" if wants_json else "text/plain"})


@get("/api/version", access=ANYBODY, produces="", tag="systeminfo")
async def read_version() -> Response[bytes]:
    """JSON under the name of text: what Harbor sends, and clients have been written to."""
    return Response(json.encode(Version("v2.0")), media_type=MediaType.TEXT)


def _volume(path: str) -> Storage:
    try:
        volume = os.statvfs(path)
    except OSError:
        return Storage(0, 0)
    return Storage(volume.f_blocks * volume.f_frsize, volume.f_bavail * volume.f_frsize)


HANDLERS: Final = (read_system_info, read_volumes, read_ca_certificate, read_health, ping)
ROOT_HANDLERS: Final = (read_version,)
