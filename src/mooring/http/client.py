"""The one way out: every request that Mooring sends to another server goes through a Client.

It reaches no private address that is not allowed (egress.py), keeps no cookies, follows no redirect unless told to,
sends credentials to the origin that they are meant for alone, and takes nothing packed. ADR 0010.
"""

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpcore2
import httpx2
from msgspec import Struct

from mooring import __version__
from mooring.core.errors import AddressRefused, RemoteError
from mooring.http.egress import Door, Guard

_HOPS: Final = 5
_PIECE: Final = 1 << 20  # bytes
_CONNECTIONS: Final = 100
_IDLE: Final = 5.0  # seconds that a connection is kept for the next request
_OWN: Final = ("localhost", "127.0.0.1", "::1", ".local", ".internal")  # Harbor asks no proxy for these


class Proxies(Struct, frozen=True):
    """Which proxy is asked for what. `bypass` are hosts, `.suffixes` and networks that are reached without one."""

    http: str = ""
    https: str = ""
    bypass: tuple[str, ...] = ()

    def of(self, scheme: str, host: str) -> str:
        """The address of the proxy; empty where none is asked."""
        proxy = self.https if scheme == "https" else self.http
        return "" if not proxy or any(_covers(each, host) for each in (*_OWN, *self.bypass)) else proxy


class Answer:
    """What another server answers, as far as it has come: its status and headers (names in lower case)."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.status: Final = response.status_code
        self.headers: Final[Mapping[str, str]] = dict(response.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, as it was sent. Raises RemoteError when it breaks off."""
        with _translated(self._response.url.host):
            async for piece in self._response.aiter_raw(_PIECE):
                yield piece

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises RemoteError, also when it has more than `limit` bytes."""
        body = bytearray()
        async for piece in self.chunks():
            body += piece
            if len(body) > limit:
                raise RemoteError(f"{self._response.url.host} answered with more than {limit} bytes")
        return bytes(body)


class Client:
    """Sends requests; one for each process. `allowed` are private networks that it may reach."""

    def __init__(self, allowed: tuple[str, ...] = (), proxies: Proxies | None = None) -> None:
        self._guard: Final = Guard(allowed)
        self._proxies: Final = proxies or Proxies()
        self._clients: Final[dict[tuple[str, bool], httpx2.AsyncClient]] = {}

    @contextlib.asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        timeout: float,
        verify: bool = True,
        follow: bool = False,
    ) -> AsyncIterator[Answer]:
        """Send a request and wait for the answer's head; its body comes while the context is open.

        `timeout` is in seconds, for connecting and for each piece on the way; who wants a limit on the whole sets one
        around it. `verify` says whether a certificate is checked, `follow` whether redirects are followed: then
        Authorization goes to no other origin. Raises AddressRefused, and RemoteError for everything that goes wrong
        on the way.
        """
        parts = _parts(url)
        client = self._client(self._proxies.of(*parts), verify=verify)
        with _translated(parts[1]):
            request = client.build_request(method, url, headers=dict(headers or {}), content=content, timeout=timeout)
            response = await client.send(request, stream=True, follow_redirects=follow)
        try:
            yield Answer(response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    def _client(self, proxy: str, *, verify: bool) -> httpx2.AsyncClient:
        known = self._clients.get((proxy, verify))
        if known is None:
            known = self._clients[proxy, verify] = httpx2.AsyncClient(
                transport=_Transport(self._guard, proxy, verify=verify),
                headers={"user-agent": f"Mooring/{__version__}", "accept": "*/*", "accept-encoding": "identity"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                event_hooks={"request": [self._check]} if proxy else None,
                max_redirects=_HOPS,
                trust_env=False,
            )
        return known

    async def _check(self, request: httpx2.Request) -> None:
        """A proxy connects by itself: refuse what it would be asked for if that is at a private address, as seen from
        here. A name that means nothing here is the proxy's to judge.
        """
        try:
            await self._guard.resolve(request.url.host, request.url.port or 0)
        except AddressRefused:
            raise
        except RemoteError:
            return


class _Transport(httpx2.AsyncHTTPTransport):
    """httpx2's own, over a pool that connects through the guard: httpx2 has no parameter for that."""

    def __init__(self, guard: Guard, proxy: str, *, verify: bool) -> None:
        tls = httpx2.create_ssl_context(verify=verify)
        if proxy:
            known = httpx2.Proxy(proxy)
            self._pool = httpcore2.AsyncHTTPProxy(
                str(known.url), known.raw_auth, ssl_context=tls, max_connections=_CONNECTIONS, keepalive_expiry=_IDLE
            )
        else:
            self._pool = httpcore2.AsyncConnectionPool(
                tls, max_connections=_CONNECTIONS, keepalive_expiry=_IDLE, network_backend=Door(guard)
            )


def _parts(url: str) -> tuple[str, str]:
    """Scheme and host of an address. Raises RemoteError for what is none."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise RemoteError("this is no address that a request can be sent to") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise RemoteError("an address begins with http:// or https:// and names a host")
    return parsed.scheme, parsed.host


def _covers(entry: str, host: str) -> bool:
    """Whether an entry of a no_proxy list is about the host."""
    host = host.lower()
    entry = entry.strip().lower()
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry)
    return bool(entry) and (entry == "*" or host == entry.lstrip(".") or host.endswith("." + entry.lstrip(".")))


@contextlib.contextmanager
def _translated(host: str) -> Iterator[None]:
    """What httpx2 raises, in a sentence. None tells more of an address than its host: a path may be a secret."""
    try:
        yield
    except httpx2.TimeoutException:
        raise RemoteError(f"{host} did not answer in time") from None
    except httpx2.ConnectError as error:
        raise RemoteError(f"{host} cannot be reached: {_cause(error)}") from None
    except httpx2.TooManyRedirects:
        raise RemoteError(f"{host} redirects too often") from None
    except httpx2.ProxyError as error:
        raise RemoteError(f"the proxy did not pass a request to {host} on: {error}") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise RemoteError(f"{host} broke off: {type(error).__name__}") from None


def _cause(error: BaseException) -> str:
    """What the system or TLS had to say, which is at the bottom."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
