"""The page at the root: it says that this is a registry, and the first commands."""

import html
from typing import Final

from mooring.http.exchange import Headers, Origin, Receive, Request, Response, Scope, Send, respond

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mooring</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
main {{ max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem }}
pre {{ padding: 1rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); overflow-x: auto }}
</style>
</head>
<body>
<main>
<h1>Mooring</h1>
<p>This is a container registry.</p>
<pre>docker login {host}
docker push {host}/library/hello:1
docker pull {host}/library/hello:1</pre>
<p>The API is under <a href="/api/v2.0/docs">/api/v2.0</a>.</p>
</main>
</body>
</html>
"""
_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_PORTAL_DOCS: Final = b"/devcenter-api-2.0"  # where Harbor's portal has the API's page


class StartPage:
    """The ASGI application for everything that no protocol answers: one page, and 404."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.path == _PORTAL_DOCS:
            await respond(Response(302, [(b"location", b"/api/v2.0/docs")]), request.method, send)
            return
        headers: Headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if request.path != b"/":
            response = Response(404, headers, b"404 page not found\n")
        elif request.method not in ("GET", "HEAD"):
            response = Response(405, [*headers, (b"allow", b"GET, HEAD")], b"Method not allowed\n")
        else:
            host = html.escape(self._origin.base(request).partition("://")[2])
            response = Response(200, list(_HEADERS), _PAGE.format(host=host).encode())
        await respond(response, request.method, send)
