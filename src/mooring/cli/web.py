"""Web processes: Granian's workers on a socket that is already open.

Granian's own supervisor is not used. It gives up when a worker dies twice in five seconds, waits blindly at a reload,
and has each worker open the port for itself, which loses the connections that wait at a worker that ends, and lets a
second server open the same port. All that Granian does not promise to keep is used in this file only.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.process import BaseProcess
from socket import socket
from typing import Any, Final

import structlog
from granian import _granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from mooring.cli.certificate import Pair
from mooring.cli.listen import BACKLOG
from mooring.cli.process import STOP_ACCEPTING, become_child, stop_accepting
from mooring.core.errors import MooringError
from mooring.settings import Settings

_CONNECTIONS: Final = 16_384  # that one web process serves at a time
# Bytes of a body that come at once. With 400 KiB, which is Granian's own choice, a push costs a fifth more; with more
# than this an upload holds more memory, and the event loop stands still longer while a message is hashed.
_MESSAGE: Final = 1 << 21

# Granian's log goes the way of all others.
_LOG: Final[dict[str, Any]] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {}, "granian.access": {"level": "INFO"}},
}


class WebProcesses:
    """Starts web processes, each on a socket of its own, with TLS where there is a certificate. `load` makes the
    application of the one with that number; `unused` is closed there.
    """

    def __init__(
        self,
        settings: Settings,
        pair: Pair | None,
        listeners: Sequence[socket],
        load: Callable[[int], Any],
        unused: Sequence[socket],
    ) -> None:
        self._cores = _cores(settings, len(listeners))
        self._https = settings.https
        self._pair = pair
        multiprocessing.set_start_method("fork", force=True)  # the default until Python 3.14
        self._server = MPServer(
            "mooring.app",
            interface=Interfaces.ASGI,
            runtime_mode=RuntimeModes.mt,
            loop=Loops.asyncio,
            http=HTTPModes.auto,
            http1_settings=HTTP1Settings(max_buffer_size=_MESSAGE),
            websockets=False,
            backlog=BACKLOG,
            backpressure=_CONNECTIONS,
            log_level=LogLevels.warning,
            log_dictconfig=_LOG,
        )
        self._listeners = listeners
        self._load = load
        self._unused = unused

    def renew(self) -> None:
        """Read certificate and key anew, for processes that start from now on. Raises StartError, and goes on with the
        ones that were read before, when they cannot be used.
        """
        if self._https is not None and self._pair is not None:
            before, self._pair = self._pair, Pair.read(self._https)
            before.close()

    def start(self, index: int) -> BaseProcess:
        """A new process, with the certificate and key that were read last."""
        listener = self._listeners[index]
        unused = [*self._unused, *(other for other in self._listeners if other is not listener)]
        target: Any = self._server._spawn_asgi_lifespan_worker
        holder: Any = _granian.SocketHolder
        server: Any = self._server
        # As Granian itself does where there is no SO_REUSEPORT: the worker is handed a socket of ours.
        server._ssp, server._shd, server._sso = None, holder(listener.fileno(), False, BACKLOG), listener
        server._ipc = {index: (None, None)}
        if self._pair is not None:
            server.ssl_ctx = (True, *self._pair.paths, None, str(SSLProtocols.tls12), None, [], False)
        core = self._cores[index] if self._cores else None
        load = partial(_application, partial(self._load, index), listener, unused, core)
        process: BaseProcess = server._spawn_worker(index, target, load).inner
        process.start()
        return process


def _cores(settings: Settings, processes: int) -> list[int]:
    """The core that each web process stays on; empty when they may roam.

    A request passes between the server's thread and the interpreter's three times. On one core that is a switch,
    between two it is a wake-up: staying is worth a tenth of the requests. It needs a core for each process, and a
    storage without threads of its own, which would all stay there too.
    """
    if sys.platform != "linux" or settings.storage.kind != "filesystem":
        return []
    cores = sorted(os.sched_getaffinity(0))
    return cores if len(cores) == processes else []


def _application(load: Callable[[], Any], listener: socket, unused: Sequence[socket], core: int | None) -> Any:
    """The first thing that runs in the new process."""
    become_child("mooring web", unused=unused)
    signal.signal(STOP_ACCEPTING, lambda _number, _frame: stop_accepting(listener))
    try:
        application = load()
    except MooringError as error:
        structlog.get_logger().error("a web process cannot start", reason=str(error))
    except Exception:
        structlog.get_logger().exception("a web process cannot start")
    else:
        if core is not None:
            os.sched_setaffinity(0, {core})
        return application
    sys.exit(1)
