"""Whether the parts that the installation rests on answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy import select

from mooring.core.errors import MooringError
from mooring.db.prepared import Prepared
from mooring.db.reader import Reader
from mooring.jobs.claims import check_alive
from mooring.storage.driver import Driver

Probe = Callable[[], Awaitable[object]]

# Seconds that an answer holds: whoever asks without an account must not make work. A fault is looked at again sooner.
_KEPT: Final = 10.0
_KEPT_FAULT: Final = 1.0
_PATIENCE: Final = 5.0

_ALIVE: Final = Prepared(select(1))


class Component(Struct, frozen=True):
    """`fault` is empty while all is well."""

    name: str
    fault: str = ""


class Health:
    """Asks the probes, at most once in ten seconds however many ask; once in a second while there is a fault."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = dict(sorted(probes.items()))
        self._asking = asyncio.Lock()
        self._known: list[Component] = []
        self._until = 0.0

    async def components(self) -> list[Component]:
        """Every part in the order of their names."""
        async with self._asking:
            if time.monotonic() >= self._until:
                self._known = list(await asyncio.gather(*map(self._ask, self._probes)))
                is_well = not any(part.fault for part in self._known)
                self._until = time.monotonic() + (_KEPT if is_well else _KEPT_FAULT)
            return self._known

    async def _ask(self, name: str) -> Component:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._probes[name]()
        except TimeoutError:
            return Component(name, f"no answer within {_PATIENCE:.0f} s")
        except MooringError as error:
            return Component(name, str(error))
        return Component(name)


def probes(reader: Reader, driver: Driver) -> dict[str, Probe]:
    """Of the parts that any process can ask: the database, the jobs processes and the store."""
    return {
        "database": lambda: reader.one(_ALIVE),
        "jobservice": lambda: check_alive(reader),
        "registryctl": driver.check,
    }
