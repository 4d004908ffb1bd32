"""The API's description: /swagger.json for programs and /docs for people.

The page is Swagger UI, which comes with this package (swagger_ui/), so that it works without internet. It loads nothing
from elsewhere and runs no script that is written into a page.
"""

import gzip
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from litestar import Litestar, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from mooring.core.errors import NotFound
from mooring.http.access import ANYBODY
from mooring.http.description import Meaning, document

_FOLDER: Final = files("mooring.http") / "swagger_ui"
_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_PACKED: Final = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
_SAFE: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class Published:
    """The document of one application, made at the first request for it. `meanings` are those of the parameters."""

    def __init__(self, prefix: str, meanings: Mapping[str, Meaning]) -> None:
        self._prefix = prefix
        self._meanings = meanings
        self._document = b""

    def document(self, app: Litestar) -> bytes:
        """The OpenAPI document as JSON."""
        self._document = self._document or document(app, self._prefix, self._meanings)
        return self._document


@get("/swagger.json", access=ANYBODY, produces="", include_in_schema=False, sync_to_thread=True)
def read_description(request: Request[Any, Any, Any], published: NamedDependency[Published]) -> Response[bytes]:
    return Response(published.document(request.app), headers={"Content-Type": "application/json"})


@get("/docs", access=ANYBODY, produces="", include_in_schema=False)
async def read_page() -> Response[bytes]:
    page = (_FOLDER / "index.html").read_bytes()
    return Response(page, headers={"Content-Type": "text/html; charset=utf-8", **_SAFE})


@get("/docs/{asset:str}", access=ANYBODY, produces="", include_in_schema=False)
async def read_asset(request: Request[Any, Any, Any], asset: FromPath[str]) -> Response[bytes]:
    """What the page is made of; the large files are kept packed and are sent so to whoever takes them."""
    if asset not in _ASSETS:
        raise NotFound(f"path {request.scope['path']} was not found")
    headers = {"Content-Type": _ASSETS[asset], "Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    if asset not in _PACKED:
        return Response((_FOLDER / asset).read_bytes(), headers=headers)
    packed = (_FOLDER / f"{asset}.gz").read_bytes()
    headers["Vary"] = "Accept-Encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"})
    return Response(gzip.decompress(packed), headers=headers)


HANDLERS: Final = (read_description, read_page, read_asset)
