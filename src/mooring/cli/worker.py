"""`mooring worker`: a jobs process alone, and what the supervisor runs as its own."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from socket import socket
from typing import Annotated, Final

import structlog
from cyclopts import Parameter

from mooring.cli import folder, metrics
from mooring.cli.options import Config, Data, load
from mooring.observe.board import Board
from mooring.settings import Settings

_AFTER_WEB: Final = 1.0  # seconds; what jobs load takes a core for half a second, which first answers need more


def worker(
    *,
    config: Config = None,
    data: Data = None,
    log_format: Annotated[str | None, Parameter(help="auto, console or json.")] = None,
) -> None:
    """Run the background jobs of an installation, beside `mooring serve` on other machines."""
    from mooring.cli.prepare import Preparation
    from mooring.observe.logging import configure

    settings, notices = load(config, data, log__format=log_format)
    configure(settings.log)
    metrics.check(settings)
    log = structlog.get_logger()
    if folder.is_needed(settings):
        folder.make(Path(settings.data_volume))
    prepared = Preparation(settings).result()
    for notice in (*notices, *prepared.notices):
        log.warning(notice)
    if prepared.password:
        print(f"the administrator is admin with the password {prepared.password} (shown this once)", flush=True)
    with metrics.listener(settings) or nullcontext() as read:
        run(settings, Board(1) if read else None, read=read)


def run_child(settings: Settings, board: Board | None, listener: socket | None, unused: Sequence[socket]) -> None:
    """The supervisor's jobs process; it answers on the plain listener when there is one to redirect."""
    from mooring.cli.process import become_child

    become_child("mooring jobs", unused=unused)
    run(settings, board, listener, after=_AFTER_WEB)


def run(
    settings: Settings,
    board: Board | None,
    listener: socket | None = None,
    *,
    read: socket | None = None,
    after: float = 0,
) -> None:
    """Run the jobs until SIGTERM or SIGINT, and let what is under way end. They begin `after` so many seconds. Tasks
    are counted at the board's last place; with `read` this process answers Prometheus too.
    """
    asyncio.run(_run(settings, board, listener, read, after))


async def _run(
    settings: Settings, board: Board | None, listener: socket | None, read: socket | None, after: float
) -> None:
    from mooring.cli.redirect import Redirect

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        if listener is not None:
            server = await Redirect(settings, listener).start()
            stack.callback(server.close)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), after)
            return
        from mooring.background import build_jobs

        structlog.get_logger().info("the jobs process runs")
        if board and read:
            exposing = asyncio.create_task(metrics.expose(settings, board, read, has_web=False))
            stack.callback(exposing.cancel)
        await build_jobs(settings, board.take(board.last) if board else None).run_forever(stop)
