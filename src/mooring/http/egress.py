"""Where requests that Mooring sends may go: nowhere but to the public internet and to what the administrator allows.

What is checked is the address that is connected to, so a name that points elsewhere the next time gains nothing.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

import httpcore2

from mooring.core.errors import AddressRefused, RemoteError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # all that is global in IPv6 (RFC 4291 section 2.4)
# Addresses that hold one of IPv4 in their last bits: for translators (RFC 6052), and what nobody uses any more.
_HOLDING_IPV4: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


class Guard:
    """Judges addresses. `allowed` are networks, such as `10.0.0.0/8`, that may be reached although they are private."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed: Final = [ipaddress.ip_network(each) for each in allowed]

    def permits(self, text: str) -> bool:
        """Whether an address may be connected to. Raises ValueError for what is none."""
        address = _plain(ipaddress.ip_address(text.partition("%")[0]))
        return _is_public(address) or any(address in network for network in self._allowed)

    async def resolve(self, host: str, port: int) -> list[str]:
        """Those addresses of a host that may be connected to. Raises AddressRefused, RemoteError for a name that
        nobody knows.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise RemoteError(f"the name {host} is not known") from None
        permitted = [str(each[4][0]) for each in found if self.permits(str(each[4][0]))]
        if not permitted:
            raise AddressRefused(
                f"{host} is at a private address, where nothing is sent; "
                "an administrator can allow its network with the setting outgoing.allow"
            )
        return list(dict.fromkeys(permitted))


class Door(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that the guard has let through, and never to a name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port, local_address, socket_options)
        except TimeoutError:
            raise httpcore2.ConnectTimeout from None

    async def _connect(
        self,
        host: str,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        *others, last = await self._guard.resolve(host, port)
        for address in others:
            with contextlib.suppress(httpcore2.ConnectError):
                return await self._backend.connect_tcp(address, port, None, local_address, socket_options)
        return await self._backend.connect_tcp(last, port, None, local_address, socket_options)


def _plain(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 stands for, else itself."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback or address.is_unspecified:
        return address
    if any(address in network for network in _HOLDING_IPV4):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    is_unicast = address.version == 4 or address in _UNICAST
    return is_unicast and address.is_global and not address.is_multicast
