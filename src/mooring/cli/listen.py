"""The sockets that clients reach us on, opened once, so that a taken port is known before anything starts."""

import errno
import os
import socket
from pathlib import Path
from typing import Final

from mooring.core.errors import StartError

BACKLOG: Final = 2048

_LISTENING: Final = "0A"  # TCP_LISTEN in the kernel's tables


def listen(host: str, port: int, key: str, *, shared: bool = False) -> socket.socket:
    """A listening socket; `shared` lets others like it have the port too. `key` is the setting's section.

    Raises StartError.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both, reuse_port=shared
        )
    except OSError as error:
        raise StartError(_fault(error, host, port, key)) from error


def listen_each(host: str, port: int, key: str, count: int) -> list[socket.socket]:
    """One listening socket for each web process, among which the kernel spreads the connections. Raises StartError.

    Processes that accept from one socket take what they can get: the one that is awake gets most, and a core idles. The
    sockets stay open here, so that a process that ends loses none of the connections that wait for it.
    """
    listen(host, port, key).close()  # alone first: sockets that share would not notice that the port is taken
    return [listen(host, port, key, shared=True) for _ in range(count)]


def holder(port: int) -> str:
    """The process that listens on a port, as `nginx (process 123)`; empty when the kernel does not tell."""
    inodes = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(table, port)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(link) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return ""


def _inodes(table: str, port: int) -> list[str]:
    try:
        lines = Path("/proc/net", table).read_text().splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _fault(error: OSError, host: str, port: int, key: str) -> str:
    flag = " with --port or" if key == "http" else " with"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"this machine has no address {host}; choose another with {key}.host"
    match error.errno:
        case errno.EADDRINUSE:
            by = holder(port)
            return (
                f"port {port} is taken{f' by {by}' if by else ''}; stop that, or choose another port{flag} {key}.port"
            )
        case errno.EACCES | errno.EPERM:
            return (
                f"port {port} is for root only; choose one above 1023{flag} {key}.port, or grant CAP_NET_BIND_SERVICE"
            )
    return f"port {port} cannot be opened: {error.strerror}; choose another{flag} {key}.port"
