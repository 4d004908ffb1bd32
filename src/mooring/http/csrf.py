"""Protection against requests that another site makes a browser send, in the manner of gorilla/csrf, which Harbor's
clients know: a secret in a cookie, and in a header of every request that changes something a masked form of it.

Whoever sends no cookies cannot be made to send one. A visitor without credentials gets a session's cookie, which opens
nothing before it is signed in; from then on its answers carry the token that signing in asks for.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import parse_qs

from mooring.core.errors import Forbidden, WireError
from mooring.http.cookies import SESSION, cookies, setting
from mooring.http.exchange import (
    ASGIApp,
    ClientGone,
    Headers,
    Message,
    Origin,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    respond,
)
from mooring.http.problems import body_of, headers_of, status_of

COOKIE: Final = "_gorilla_csrf"
HEADER: Final = "x-harbor-csrf-token"
FIELD: Final = "gorilla.csrf.Token"
_AGE: Final = 43_200  # seconds
_SIZE: Final = 32  # bytes of the secret
_FORM: Final = 64 << 10  # bytes that are searched for the field
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Csrf:
    """Lets requests through to the application. `key` seals the cookies: one for all nodes."""

    def __init__(self, app: ASGIApp, key: bytes, origin: Origin) -> None:
        self._app = app
        self._key = key
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        sent = cookies(scope)
        headers: Headers = []
        if SESSION not in sent and b"authorization" not in request.headers:
            headers.append(self._set(request, SESSION, secrets.token_hex(32)))
        if SESSION in sent or not scope["path"].startswith("/api/"):
            secret = self._opened(sent.get(COOKIE, ""))
            if secret is None:
                secret = secrets.token_bytes(_SIZE)
                headers.append(self._set(request, COOKIE, self._sealed(secret), same_site="Strict", max_age=_AGE))
            headers += [(HEADER.encode(), masked(secret)), (b"vary", b"Cookie")]
            try:
                receive = await _checked(request, secret)
            except ClientGone:
                return
            except WireError as error:
                answer = Response(status_of(error), [*headers_of(error), *headers], body_of(error))
                await respond(answer, request.method, send)
                return
        await self._app(scope, receive, _adding(headers, send))

    def _set(
        self, request: Request, name: str, value: str, *, same_site: str = "Lax", max_age: int | None = None
    ) -> tuple[bytes, bytes]:
        secure = self._origin.is_secure(request)
        return b"set-cookie", setting(name, value, secure=secure, same_site=same_site, max_age=max_age).encode()

    def _sealed(self, secret: bytes) -> str:
        """The cookie's value; without padding, since clients cut it at its first `=`."""
        return base64.urlsafe_b64encode(secret + self._mark(secret)).rstrip(b"=").decode()

    def _opened(self, cookie: str) -> bytes | None:
        """The secret in a cookie of ours."""
        try:
            decoded = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        except ValueError:
            return None
        secret, mark = decoded[:_SIZE], decoded[_SIZE:]
        return secret if hmac.compare_digest(mark, self._mark(secret)) else None

    def _mark(self, secret: bytes) -> bytes:
        return hmac.digest(self._key, COOKIE.encode() + secret, hashlib.sha256)


def masked(secret: bytes) -> bytes:
    """The secret as a token that looks different each time, so that compressed answers do not give it away (BREACH)."""
    pad = secrets.token_bytes(len(secret))
    return base64.b64encode(pad + _xor(pad, secret))


async def _checked(request: Request, secret: bytes) -> Receive:
    """What the application reads the request's body from. Raises Forbidden unless it is safe or brings the token."""
    if request.method in _SAFE:
        return request.receive
    token, receive = request.header(HEADER.encode()), request.receive
    if not token and request.header(b"content-type").startswith("application/x-www-form-urlencoded"):
        body = await request.body(_FORM)
        token, receive = parse_qs(body.decode("latin-1")).get(FIELD, [""])[0], _again(body, request.receive)
    if not token:
        raise Forbidden("CSRF token not found in request")
    if not _is_of(token, secret):
        raise Forbidden("CSRF token invalid")
    return receive


def _is_of(token: str, secret: bytes) -> bool:
    try:
        decoded = base64.b64decode(token, validate=True)
    except ValueError:
        return False
    return len(decoded) == 2 * _SIZE and hmac.compare_digest(_xor(decoded[:_SIZE], decoded[_SIZE:]), secret)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _again(body: bytes, receive: Receive) -> Receive:
    """The body that was read, and then what else comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _adding(headers: Headers, send: Send) -> Send:
    """Sends answers with these headers too; a session that the application sets goes before ours."""

    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message["headers"])
            starts = {value.partition(b"=")[0] for name, value in own if name == b"set-cookie"}
            message["headers"] = own + [
                (name, value)
                for name, value in headers
                if name != b"set-cookie" or value.partition(b"=")[0] not in starts
            ]
        await send(message)

    return adding
