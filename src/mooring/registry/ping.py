"""GET /v2/: does this speak the distribution API, and am I signed in? (OCI distribution specification, "Determining
Support")
"""

from mooring.http.exchange import JSON, Request, Response
from mooring.registry.context import Registry


async def ping(registry: Registry, request: Request) -> Response:
    """200 for an account, 401 with a challenge for anybody else: `docker login` depends on it, so an anonymous token
    is not enough.
    """
    caller = await registry.gate.caller(request)
    if caller.actor.is_anonymous or not await registry.gate.is_alive(caller):
        raise registry.gate.refuse(request, caller)
    return Response(200, [JSON], b"{}")
