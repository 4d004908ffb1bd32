"""What is measured, as a table."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Final, NamedTuple

from tests.parts.client import OCI_MANIFEST

from bench import load, machine
from bench.contenders import Contender
from bench.content import GIB, KIB, MIB, REPOSITORIES, TAG, Content, forget
from bench.processes import memory

PUSHED: Final = 200_000_000  # bytes of one pushed blob
PUSHES: Final = 3  # of the row's streams, one after another: which process gets which stream is chance
_FIRST: Final = REPOSITORIES[0]


class Run(NamedTuple):
    """A contender that runs and holds the content; `seconds` is how long one measurement of many requests takes."""

    contender: Contender
    content: Content
    seconds: int


class Row(NamedTuple):
    """`bar` is the ratio to distribution 3 that is asked for; `is_get` rows are measured over TLS too."""

    name: str
    unit: str
    measure: Callable[[Run], float] | None
    bar: float | None = None
    is_get: bool = False


def _get(path: str, connections: int, factor: float = 1) -> Callable[[Run], float]:
    """Requests a second, times the factor; the path may name the manifest's digest."""

    def measure(run: Run) -> float:
        address = run.contender.url + path.format(digest=run.content.digest)
        return factor * load.wrk(address, connections, run.seconds, [*_headers(run), f"Accept: {OCI_MANIFEST}"])

    return measure


def _blob(size: int, connections: int, factor: float = 1) -> Callable[[Run], float]:
    def measure(run: Run) -> float:
        return _get(_path(run, size), connections, factor)(run)

    return measure


def _heads(run: Run) -> float:
    return load.heads(run.contender.url + _path(run, KIB), 32, run.seconds, _headers(run))


def _long(run: Run) -> float:
    return load.curl(run.contender.url + _path(run, GIB), _headers(run)) / 1e6


def _push(streams: int, pushes: int = PUSHES) -> Callable[[Run], float]:
    """Megabytes a second of all streams together, the median of so many pushes."""

    def measure(run: Run) -> float:
        pusher = load.Pusher(run.contender.url, run.contender.token([_FIRST]), _FIRST)
        return median(_pushed(pusher, run, streams) for _ in range(pushes))

    return measure


def _pushed(pusher: load.Pusher, run: Run, streams: int) -> float:
    blobs = [load.noise(PUSHED) for _ in range(streams)]
    machine.touch_memory()
    rate = pusher.push_all(blobs) / 1e6
    forget(run.contender.folder, blobs)
    return rate


def _put(repositories: Sequence[str]) -> Callable[[Run], float]:
    def measure(run: Run) -> float:
        headers = [f"Authorization: Bearer {run.contender.token(repositories)}", f"Content-Type: {OCI_MANIFEST}"]
        arguments = [secrets.token_hex(4), str(run.content.template), *repositories]
        return load.wrk(run.contender.url, 16, run.seconds, headers, "put.lua", arguments)

    return measure


def loaded_memory(run: Run) -> float:
    """The most memory seen while manifests and layers are pulled and four blobs pushed, in MB."""
    loads = [_get(f"/v2/{_FIRST}/manifests/{TAG}", 32), _blob(MIB, 8), _push(4, 1)]
    over = threading.Event()
    with ThreadPoolExecutor(len(loads) + 1) as threads:
        peak = threads.submit(_peak, run.contender.process, over)
        try:
            for under_way in [threads.submit(each, run) for each in loads]:
                under_way.result()
        finally:
            over.set()
        return peak.result() / 1e6


def _peak(process: int, over: threading.Event) -> int:
    peak = memory(process)
    while not over.wait(0.2):
        peak = max(peak, memory(process))
    return peak


def idle_memory(run: Run) -> float:
    """Memory of a server that has answered once, in MB."""
    time.sleep(1)  # until what a start leaves to do is done
    return memory(run.contender.process) / 1e6


def _headers(run: Run) -> list[str]:
    return [f"Authorization: Bearer {run.contender.token([_FIRST])}"]


def _path(run: Run, size: int) -> str:
    return f"/v2/{_FIRST}/blobs/{run.content.blobs[size].digest}"


_MEGABYTES: Final = MIB / 1e6

ROWS: Final = (
    Row("manifest GET by tag, 32 connections", "/s", _get(f"/v2/{_FIRST}/manifests/{TAG}", 32), 4, True),
    Row("manifest GET by digest, 32 connections", "/s", _get(f"/v2/{_FIRST}/manifests/{{digest}}", 32), None, True),
    Row("blob HEAD, 32 connections", "/s", _heads),
    Row("blob GET 1 KiB, 32 connections", "/s", _blob(KIB, 32), 10, True),
    Row("blob GET 1 MiB, 8 connections", "MB/s", _blob(MIB, 8, _MEGABYTES), 2.2, True),
    Row("blob GET 1 GiB, one curl", "MB/s", _long, 0.9, True),
    Row("push 200 MB, 1 stream", "MB/s", _push(1), 1.2),
    Row("push 200 MB each, 4 streams", "MB/s", _push(4), 1.2),
    Row("manifest PUT by tag, one repository, 16 connections", "/s", _put(REPOSITORIES[:1]), 0.5),
    Row("manifest PUT by tag, 16 repositories, 16 connections", "/s", _put(REPOSITORIES), 0.5),
    Row("memory under load", "MB", loaded_memory),
)
