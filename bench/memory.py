"""Memory stays flat: a 2 GB layer goes to a slow reader, then eight clients push 1 GB each, and memory is watched.

python -m bench.memory
"""

import argparse
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.authority import Authority
from bench.contenders import Mooring
from bench.content import REPOSITORIES
from bench.load import Blob, Pusher, noise
from bench.processes import memory, memory_of_each

_REPOSITORY: Final = REPOSITORIES[0]
_LAYER: Final = 2_000_000_000
_PUSHED: Final = 1_000_000_000
_CLIENTS: Final = 8
_SLOW: Final = 100_000_000  # bytes a second that the slow reader takes


def main() -> None:
    """Start Mooring in a folder on disk and print what its processes cost meanwhile."""
    argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__).parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mooring-memory-", dir="/var/tmp"))
    server = Mooring(folder / "server", Authority(folder))
    try:
        server.start()
        pusher = Pusher(server.url, server.token([_REPOSITORY]), _REPOSITORY)
        layer = noise(_LAYER)
        _show("idle", [memory(server.process)])
        for name, cost in memory_of_each(server.process).items():
            print(f"  {name}: {cost / 1e6:.0f} MB")
        _show("2 GB pushed", _watched(server, lambda: pusher.push(layer)))
        _show(f"2 GB read at {_SLOW / 1e6:.0f} MB/s", _watched(server, lambda: _read_slowly(server, layer)))
        blobs = [noise(_PUSHED) for _ in range(_CLIENTS)]
        _show(f"{_CLIENTS} clients push 1 GB each", _watched(server, lambda: _push_all(pusher, blobs)))
    finally:
        server.close()
        shutil.rmtree(folder)


def _watched(server: Mooring, work: Callable[[], object]) -> list[int]:
    """The memory of all processes, twice a second, while the work is done."""
    samples = [memory(server.process)]
    over = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(work)
        done.add_done_callback(lambda _: over.set())
        while not over.wait(0.5):
            samples.append(memory(server.process))
        done.result()
    return samples


def _show(what: str, samples: list[int]) -> None:
    """The start, the middle and the end of what was seen, and the most."""
    first, middle, last = samples[0], samples[len(samples) // 2], samples[-1]
    figures = [f"{figure / 1e6:.0f}" for figure in (first, middle, last, max(samples))]
    print(f"{what}: {' '.join(figures[:3])} MB (start, middle, end), at most {figures[3]} MB", flush=True)


def _push_all(pusher: Pusher, blobs: list[Blob]) -> None:
    pusher.push_all(blobs)


def _read_slowly(server: Mooring, layer: Blob) -> None:
    """Take the whole layer no faster than the slow reader does. Raises RuntimeError when less comes."""
    target = urlsplit(server.url)
    lines = [
        f"GET /v2/{_REPOSITORY}/blobs/{layer.digest} HTTP/1.1",
        f"Host: {target.netloc}",
        f"Authorization: Bearer {server.token([_REPOSITORY])}",
        "Connection: close",
    ]
    received = 0
    began = time.monotonic()
    with socket.create_connection((target.hostname or "", target.port or 0), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        while data := connection.recv(1 << 20):
            received += len(data)
            time.sleep(max(0.0, began + received / _SLOW - time.monotonic()))
    if received < layer.size:
        raise RuntimeError(f"{received} of {layer.size} bytes came")


main()
