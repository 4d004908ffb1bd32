"""`mooring serve`."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from socket import socket
from typing import Annotated

import structlog
from cyclopts import Parameter

from mooring.cli import banner, folder, metrics
from mooring.cli.certificate import Pair
from mooring.cli.listen import listen, listen_each
from mooring.cli.options import Config, Data, load
from mooring.cli.prepare import Preparation, Prepared
from mooring.cli.process import raise_file_limit, shared_memory
from mooring.cli.supervisor import Post, Supervisor
from mooring.http.exchange import ASGIApp
from mooring.observe.board import Board
from mooring.settings import Settings


def serve(
    *,
    config: Config = None,
    data: Data = None,
    host: Annotated[str | None, Parameter(help="The address to listen on; http.host.")] = None,
    port: Annotated[int | None, Parameter(help="The port to listen on; http.port.")] = None,
    workers: Annotated[int | None, Parameter(help="Web processes; 0 for one for each core.")] = None,
    log_format: Annotated[str | None, Parameter(help="auto, console or json.")] = None,
) -> None:
    """Serve the registry: web processes and a jobs process, until SIGTERM. SIGHUP reads the certificate anew."""
    from mooring.observe.logging import configure

    settings, notices = load(config, data, http__host=host, http__port=port, workers=workers, log__format=log_format)
    configure(settings.log)
    for notice in notices:
        structlog.get_logger().warning(notice)
    with ExitStack() as held, ExitStack() as listeners:
        _serve(settings, held, listeners)


def _serve(settings: Settings, held: ExitStack, listeners: ExitStack) -> None:
    pair = Pair.read(settings.https) if settings.https else None
    metrics.check(settings)
    if folder.is_needed(settings):
        folder.make(Path(settings.data_volume))
    if settings.sqlite_file is not None:
        held.callback(os.close, folder.lock(Path(settings.data_volume)))
    raise_file_limit()
    web, plain = _listen(settings)
    read = metrics.listener(settings)
    for listener in (*web, *filter(None, (plain, read))):
        listeners.enter_context(listener)
    with shared_memory():
        prepared = _prepare(settings)
    supervisor = _supervisor(settings, pair, web, plain, read)
    announced = (supervisor, settings, prepared.password)
    ready = threading.Thread(target=_announce, args=announced, name="ready", daemon=True)
    try:
        supervisor.run(ready.start, listeners.close)
    finally:
        if prepared.password and not supervisor.has_answered:
            print(banner.sentence(settings, prepared.password), flush=True)


def _listen(settings: Settings) -> tuple[list[socket], socket | None]:
    """The sockets of the web processes, and the one that redirects to them where they speak TLS."""
    http, https = settings.http, settings.https
    count = settings.workers or _cores()
    if https is None:
        return listen_each(http.host, http.port, "http", count), None
    plain = listen(http.host, http.port, "http")
    return listen_each(https.host, https.port, "https", count), plain


def _prepare(settings: Settings) -> Prepared:
    """Prepare in a child, and meanwhile load here, once, what the processes that are forked from this one share."""
    import_module("mooring.db.engine")
    preparation = Preparation(settings)
    import_module("mooring.app")
    import_module("mooring.cli.web")
    if settings.storage.kind != "filesystem":
        import_module("mooring.storage.objectstore")
    prepared = preparation.result()
    for notice in prepared.notices:
        structlog.get_logger().warning(notice)
    return prepared


def _supervisor(
    settings: Settings, pair: Pair | None, listeners: list[socket], plain: socket | None, read: socket | None
) -> Supervisor:
    """Of the processes of a server: `plain` is the listener that redirects, `read` the one for Prometheus."""
    from mooring.app import build
    from mooring.cli.web import WebProcesses
    from mooring.cli.worker import run_child

    board = Board(len(listeners) + 1) if read else None

    def load(number: int) -> ASGIApp:
        return build(settings, board.take(number) if board else None).asgi

    web = WebProcesses(settings, pair, listeners, load, [*filter(None, (plain, read))])
    jobs = (settings, board, plain, [*listeners, *filter(None, [read])])
    posts = [Post(f"web {number}", partial(web.start, number), is_web=True) for number in range(len(listeners))]
    posts.append(Post("jobs", partial(_fork, run_child, jobs), is_web=False))
    if board and read:
        reading = (settings, board, read, [*listeners, *filter(None, [plain])])
        posts.append(Post("metrics", partial(_fork, metrics.run_child, reading), is_web=False))
    return Supervisor(posts, settings.shutdown_timeout, web.renew)


def _fork(target: Callable[..., None], arguments: tuple[object, ...]) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    return process


def _announce(supervisor: Supervisor, settings: Settings, password: str) -> None:
    """Say that the server answers, as soon as it does."""
    banner.wait_for_answer(settings)
    supervisor.has_answered = True
    if settings.log.format == "json":
        structlog.get_logger().info(banner.sentence(settings, password))
    else:
        print(banner.text(settings, password), flush=True)


def _cores() -> int:
    """How many cores we may use: those of our affinity, or what the control group's quota is worth if that is less."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores
