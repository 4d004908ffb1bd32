"""What is counted: requests by the web processes, tasks by the jobs processes."""

from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from mooring.observe.board import Place, Series

REQUEST: Final = "request"  # operation, method, status
STORAGE: Final = "storage"  # driver, what it did
LOOKUP: Final = "lookup"  # HIT or MISS
RUN: Final = "run"  # kind, how one run of a task ended
TASK: Final = "task"  # kind, how a task ended with its last run

HIT: Final = "Hit"
MISS: Final = "Miss"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GONE: Final = 499  # in place of the status where the client left before there was one


class Requests:
    """The requests of one web process. `begun` is how many are under way, of the data plane's at True, of all others
    at False. `logs` has a line written for each.

    A scope says of its request what is not known before: its `operation`, the `status` of the answer, and the bytes of
    both bodies, `received` and `sent`.
    """

    def __init__(self, place: Place, *, logs: bool = False) -> None:
        self._place = place
        self.begun: Final = place.begun
        self._known: dict[tuple[str, str, int], Series] = {}
        self._logs = logs

    def end(self, scope: MutableMapping[str, Any], seconds: float, is_data: bool) -> None:
        """A request is over, one to the data plane or to anything else."""
        self.begun[is_data] -= 1
        key = (scope.get("operation", ""), scope["method"], scope.get("status", _GONE))
        series = self._known.get(key)
        if series is None:
            series = self._known[key] = self._series(*key, is_data)
        series.add(seconds, scope.get("received", 0), scope.get("sent", 0))
        if self._logs:
            peer = scope.get("client")
            structlog.get_logger().info(
                "request",
                client=peer[0] if peer else "",
                method=scope["method"],
                path=scope["path"],
                status=key[2],
                milliseconds=round(1000 * seconds, 1),
            )

    def _series(self, operation: str, method: str, status: int, is_data: bool) -> Series:
        if len(self._known) > 4096:  # somebody makes methods up
            self._known.clear()
        operation = operation or ("v2_others" if is_data else "unknown")
        return self._place.series(REQUEST, operation, method if method in _METHODS else "other", str(status))


class Actions:
    """What one web process asks of its storage, which bears this name."""

    def __init__(self, place: Place, driver: str) -> None:
        self._place = place
        self._driver = driver

    def count(self, action: str, seconds: float) -> None:
        """The driver has done this, and took so long."""
        self._place.series(STORAGE, self._driver, action).add(seconds)


class Tasks:
    """The tasks of one jobs process."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def ended(self, kind: str, status: str, seconds: float, *, is_final: bool) -> None:
        """A run of a task has ended after so long; `is_final` when there will not be another."""
        self._place.series(RUN, kind, status).add(seconds)
        if is_final:
            self._place.series(TASK, kind, status).add(seconds)
