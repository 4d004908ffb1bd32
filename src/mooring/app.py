"""The composition root of a web process: makes its parts from the settings.

`build` makes them; `web` does for an ASGI server that is not `mooring serve`. background.py does the same for a jobs
process and measuring.py for the metrics; what all of them share is in installation.py.
"""

import asyncio
import os
from typing import Final

import structlog

from mooring import installation
from mooring.core.errors import DatabaseUnavailable, StartError, StorageError
from mooring.core.threads import pool
from mooring.features.api import build_api
from mooring.features.audit.service import Log
from mooring.features.configuration.vault import Vault
from mooring.features.listeners import listeners
from mooring.features.quotas.service import Quotas
from mooring.features.signin.keys import read_keys
from mooring.features.signin.service import SignIn
from mooring.http.asgi import Assembly
from mooring.http.csrf import Csrf
from mooring.http.exchange import ASGIApp, BrokenOff, Origin
from mooring.observe import logging
from mooring.observe.board import Board, Place
from mooring.observe.counts import HIT, LOOKUP, MISS, Actions, Requests
from mooring.registry.bearer import Tokens
from mooring.registry.buffer import Buffer
from mooring.registry.cache import ByteCache
from mooring.registry.context import Registry
from mooring.registry.gate import Gate
from mooring.registry.pulls import Pulls
from mooring.registry.routes import DataPlane
from mooring.settings import SETTINGS_VARIABLE, Settings, decode
from mooring.storage.driver import uncounted
from mooring.storage.uploads import RunningHashes
from mooring.ui.start import StartPage

MANIFEST_CACHE: Final = 16 << 20  # bytes in each web process


class App:
    """One web process: `asgi` is the application, the rest its parts. Requests are counted at `place`."""

    def __init__(self, settings: Settings, place: Place | None = None) -> None:
        self.db = installation.database(settings)
        counted = uncounted if place is None else Actions(place, settings.storage.kind).count
        self.driver = installation.driver(settings, counted)
        origin = Origin(settings.external_url, settings.trusted_proxies)
        keys = self.db.read_now(read_keys)
        if keys is None:
            raise StartError("the database lacks the installation's keys; `mooring serve` makes them when it starts")
        configuration = installation.configuration(settings, self.db, Vault(keys.sealing))
        log = Log(configuration)
        self.db.follow(listeners(configuration, settings.external_host))
        self.signin = SignIn(self.db, configuration)
        tokens = Tokens(keys.signing, self.signin)
        self._threads = pool(4, "work")
        self.buffer = Buffer(self.db, Pulls(configuration, log), _failed)
        self.registry = Registry(
            db=self.db,
            driver=self.driver,
            configuration=configuration,
            quotas=Quotas(self.db, configuration),
            signin=self.signin,
            tokens=tokens,
            gate=Gate(self.db, self.signin, tokens, origin),
            origin=origin,
            manifests=_manifests(place),
            hashes=RunningHashes(),
            buffer=self.buffer,
            redirect=settings.storage.redirect,
            sparse=settings.sparse_manifests,
        )
        self._flushing: asyncio.Task[None] | None = None
        api = build_api(settings, self.db, configuration, self.signin, log, self.driver)
        self.asgi: ASGIApp = Assembly(
            DataPlane(self.registry, _failed),
            Csrf(api, bytes.fromhex(keys.cookie), origin),
            StartPage(origin),
            self._started,
            self._stopping,
            Requests(place or Board(1).take(0), logs=settings.log.access) if place or settings.log.access else None,
        )

    async def _started(self) -> None:
        asyncio.get_running_loop().set_default_executor(self._threads)
        self._flushing = asyncio.create_task(self.buffer.run())

    async def _stopping(self) -> None:
        if self._flushing is not None:
            await self.buffer.close(self._flushing)
        await self.signin.uses.close()
        await self.driver.close()
        await self.db.close()


def _manifests(place: Place | None) -> ByteCache:
    if place is None:
        return ByteCache(MANIFEST_CACHE)
    return ByteCache(MANIFEST_CACHE, place.series(LOOKUP, HIT).tick, place.series(LOOKUP, MISS).tick)


def build(settings: Settings, place: Place | None = None) -> App:
    """The parts of a web process, which counts its requests at the place. Raises StartError, DatabaseUnavailable."""
    return App(settings, place)


def web() -> ASGIApp:
    """The application with the settings that the environment holds as JSON, on a database that was prepared before."""
    settings = decode(os.environ[SETTINGS_VARIABLE])
    logging.configure(settings.log)
    return build(settings).asgi


def _failed(error: Exception) -> None:
    """Log why a request came to nothing: a sentence where it is for administrators to see to, else the whole story."""
    cause = error.__cause__ if isinstance(error, BrokenOff) else error
    if isinstance(cause, StorageError | DatabaseUnavailable):
        structlog.get_logger().error("a request failed", reason=str(cause))
    else:
        structlog.get_logger().error("a request failed", exc_info=error)
