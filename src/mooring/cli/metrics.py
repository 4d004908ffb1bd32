"""The process that Prometheus reads: the supervisor's, or a part of `mooring worker`."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from socket import socket

from mooring.cli.listen import listen
from mooring.core.errors import StartError
from mooring.observe.board import Board
from mooring.observe.exposition import Certificate, Exposition
from mooring.settings import Settings


def check(settings: Settings) -> None:
    """Raise StartError when the metrics are to be read over TLS and there is no certificate."""
    if settings.metric.enabled and settings.metric.tls and settings.https is None:
        raise StartError("metric.tls needs a certificate; give the section https, or leave metric.tls out")


def listener(settings: Settings) -> socket | None:
    """The socket that Prometheus reads from, where the metrics are on. Raises StartError."""
    metric = settings.metric
    return listen(metric.host, metric.port, "metric") if metric.enabled else None


def run_child(settings: Settings, board: Board, listener: socket, unused: Sequence[socket]) -> None:
    """The supervisor's metrics process."""
    from mooring.cli.process import become_child

    become_child("mooring metrics", unused=unused)
    asyncio.run(_run(settings, board, listener))


async def expose(settings: Settings, board: Board, listener: socket, *, has_web: bool) -> None:
    """Answer Prometheus until cancelled."""
    from mooring.measuring import Measures

    https = settings.https if settings.metric.tls else None
    certificate = Certificate(Path(https.certificate), Path(https.private_key)) if https else None
    measures = Measures(settings, board, has_web=has_web)
    await Exposition(settings.metric.path, measures.render, certificate).run(listener)


async def _run(settings: Settings, board: Board, listener: socket) -> None:
    exposing = asyncio.ensure_future(expose(settings, board, listener, has_web=True))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, exposing.cancel)
    await asyncio.wait([exposing])
    if not exposing.cancelled():
        exposing.result()
