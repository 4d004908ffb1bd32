"""The composition root of the metrics listener, which only reads: the database, the board, and what clients see."""

import asyncio
import http.client
import os
import ssl
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from mooring import installation
from mooring.core.errors import ServiceUnavailable
from mooring.features.operations.queries import QUEUES
from mooring.features.system.exporter import Exporter
from mooring.features.system.health import Health, probes
from mooring.observe.board import Board
from mooring.observe.exposition import TEXT, Answer
from mooring.observe.families import Core, Jobservice, Registry
from mooring.observe.processes import Processes
from mooring.settings import Settings

Collect = Callable[[], Iterable[Metric]]

_SECONDS: Final = 4.0  # that an answer to ourselves may take
# What the web processes answer for: a path, and the status that says they are well.
_WEB: Final = {"core": ("/api/v2.0/ping", 200), "portal": ("/", 200), "registry": ("/v2/", 401)}


class Measures:
    """What is to be read; `has_web` says whether web processes belong to the board, or a jobs process alone."""

    def __init__(self, settings: Settings, board: Board, *, has_web: bool) -> None:
        db, store = installation.database(settings), installation.driver(settings)
        asked = probes(db.reader, store)
        if has_web:
            asked |= {name: partial(_check_answer, settings, *expected) for name, expected in _WEB.items()}
        configuration = installation.configuration(settings, db)
        self._exporter = Exporter(db, configuration, Health(asked))
        core, registry, jobservice = Core(board), Registry(board), Jobservice(board, QUEUES)
        processes = Processes(os.getppid() if has_web else os.getpid())
        self._components: dict[str, tuple[Collect, ...]] = {
            "exporter": (self._exporter.collect, self._exporter.collect_tasks),
            "core": (core.collect, processes.collect),
            "registry": (registry.collect,),
            "jobservice": (jobservice.collect, self._exporter.collect_pools),
        }

    async def render(self, component: str, accept: str) -> Answer:
        """The component's metrics, those of all when it is empty, in the format that is asked for."""
        if component and component not in self._components:
            known = ", ".join(self._components)
            return Answer("404 Not Found", TEXT, f"comp is one of {known}; without it there is all\n".encode())
        await self._exporter.refresh()
        chosen = [self._components[component]] if component else self._components.values()
        encode, content_type = choose_encoder(accept)
        return Answer("200 OK", content_type, encode(_All([collect for part in chosen for collect in part])))


class _All:
    def __init__(self, parts: Iterable[Collect]) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        for collect in self._parts:
            yield from collect()


async def _check_answer(settings: Settings, path: str, status: int) -> None:
    """Raise ServiceUnavailable unless the web processes answer as they should."""
    try:
        answered = await asyncio.to_thread(_status, settings, path)
    except (OSError, http.client.HTTPException) as error:
        raise ServiceUnavailable(f"{path} is not answered: {error}") from error
    if answered != status:
        raise ServiceUnavailable(f"{path} is answered with {answered}")


def _status(settings: Settings, path: str) -> int:
    host, port = settings.own_address
    connection: http.client.HTTPConnection
    if settings.https:
        # To ourselves; the certificate names the outside.
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status
    finally:
        connection.close()
