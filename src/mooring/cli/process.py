"""What every process of a server does first."""

import ctypes
import gc
import os
import resource
import signal
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from socket import AF_UNIX, socket
from typing import Final

STOP_ACCEPTING: Final = signal.SIGUSR1

_PR_SET_NAME: Final = 15
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def become_child(name: str, *, unused: Iterable[socket] = ()) -> None:
    """Take a name that `ps` shows, end with the parent whatever ends that, and close the sockets that others serve.

    Called in the child right after it was forked. What the parent does at a signal is not for the child: until it has
    its own way, SIGTERM ends it, and it takes no part in a reload.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NAME, name.encode()[:15])
        parent = parent_process()
        if parent is not None and os.getppid() != parent.pid:  # it ended before we had asked
            os._exit(1)
    for other in unused:
        other.close()


def stop_accepting(listener: socket) -> None:
    """Leave the connections that come to a shared listener to the other processes, and go on with those that are open.

    Whoever accepts in this process finds a socket that nobody connects to behind the listener's descriptors. Ending at
    once instead would drop what is accepted and has not said yet what it wants, such as a TLS handshake under way.
    """
    inode = os.fstat(listener.fileno()).st_ino
    with socket(AF_UNIX) as lonely:
        lonely.bind("")  # an abstract name that the kernel picks: unix(7), "Autobind feature"
        lonely.listen(1)
        lonely.setblocking(False)
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                status = os.fstat(int(name))
                if stat.S_ISSOCK(status.st_mode) and status.st_ino == inode:
                    os.dup2(lonely.fileno(), int(name), inheritable=False)


@contextmanager
def shared_memory() -> Iterator[None]:
    """Keep what is loaded inside out of garbage collection, so that forked children go on sharing it.

    The documentation of gc.freeze() says why it must not run before either.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: every connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
