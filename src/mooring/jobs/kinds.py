"""What can be done in the background. A kind of task says how one is run, how often it is tried, how many at once."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from mooring.core.clock import SECOND
from mooring.jobs.context import Context


class Status(StrEnum):
    """Of a task and of an execution (Harbor's words)."""

    PENDING = "Pending"
    SCHEDULED = "Scheduled"  # waits for its next try
    RUNNING = "Running"
    STOPPED = "Stopped"
    ERROR = "Error"
    SUCCESS = "Success"

    @property
    def is_final(self) -> bool:
        return self in FINAL

    @property
    def code(self) -> int:
        """The number that the API gives beside the word."""
        return 3 if self.is_final else (Status.PENDING, Status.SCHEDULED, Status.RUNNING).index(self)


FINAL: Final = (Status.STOPPED, Status.ERROR, Status.SUCCESS)
OPEN: Final = (Status.PENDING, Status.SCHEDULED, Status.RUNNING)

MANUAL: Final = "MANUAL"
SCHEDULE: Final = "SCHEDULE"
EVENT: Final = "EVENT"


def backoff(failures: int) -> int:
    """Microseconds until a task that has failed so often is tried again."""
    return (failures**4 + 15) * SECOND


class Kind(Struct, frozen=True):
    """`run` does one task. `attempts` counts the first one; `limit` is how many run at once in the whole
    installation, 0 for as many as there are places; `kept` is how many executions of one policy stay when old ones
    are swept, 0 for all.
    """

    name: str
    run: Callable[[Context], Awaitable[None]]
    attempts: int = 1
    limit: int = 0
    kept: int = 50
    backoff: Callable[[int], int] = backoff


class Kinds:
    """Every kind by its name."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds: Mapping[str, Kind] = {kind.name: kind for kind in kinds}

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())
