"""Where the pages of long lists are: what was counted once holds for as long as the database stays as it was.

A page is asked for by its number. To reach row 100 000 its 99 999 forerunners would be read each time, and all rows to
say how many there are. So each reading connection remembers, of lists that are long, their length and the sort keys at
some positions, together with the state of the database that they were true in. A read that begins at a remembered key
(keyset paging) costs the same wherever in the list it is. Nothing is ever told that is not so: another state, and all
is counted anew.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from sqlalchemy import Connection

Key = tuple[Any, ...]

STATE: Final = "state"  # execution option of engines that read: the statement that tells the database's state
SQLITE_STATE: Final = "PRAGMA data_version"  # changes with every commit of another connection; these never write
POSTGRESQL_STATE: Final = "SELECT CAST(pg_current_snapshot() AS text)"  # equal for those that see the same rows

_LONG: Final = 1000  # rows of a list that is worth remembering; shorter ones are counted each time
_LISTS: Final = 64  # remembered by a connection
_KEYS: Final = 512  # remembered of a list
_MEMORY: Final = "places"
_ASKED: Final = "asked_state"


class Places:
    """How long a list is, and the sort keys of the rows at some of its positions, which count from 0."""

    __slots__ = ("_keys", "_positions", "state", "total")

    def __init__(self, total: int, state: object = None) -> None:
        self.total = total
        self.state = state
        self._positions: list[int] = []
        self._keys: dict[int, Key] = {}

    def add(self, position: int, key: Sequence[Any]) -> None:
        if len(self._positions) == _KEYS:
            for dropped in self._positions[1::2]:
                del self._keys[dropped]
            del self._positions[1::2]
        if position not in self._keys:
            self._positions.insert(bisect_left(self._positions, position), position)
        self._keys[position] = tuple(key)

    def before(self, position: int) -> tuple[int, Key | None]:
        """The nearest known position that is not after this one, with its key; the list's begin has none."""
        index = bisect_right(self._positions, position)
        return (self._positions[index - 1], self._keys[self._positions[index - 1]]) if index else (0, None)

    def after(self, position: int) -> tuple[int, Key | None]:
        """The nearest known position that is not before this one, with its key; the list's last row has none."""
        index = bisect_left(self._positions, position)
        if index == len(self._positions):
            return self.total - 1, None
        return self._positions[index], self._keys[self._positions[index]]


def places(connection: Connection, name: Hashable, count: Callable[[], int]) -> Places:
    """What is known of the list that goes by this name on every connection; `count` tells how long it is now."""
    memory: dict[Hashable, Places] = connection.info.setdefault(_MEMORY, {})
    question = connection.get_execution_options().get(STATE)
    known = memory.get(name) if question else None
    # Asked before counting, since PostgreSQL's next statement may see more; short lists need not ask.
    state = _state(connection, question) if known and question else None
    if known is None or state is None or known.state != state:
        known = Places(count(), state)
    if question:
        _remember(memory, name, known)
    return known


def totals(
    connection: Connection, scope: str, keys: Sequence[int], count: Callable[[Sequence[int]], dict[int, int]]
) -> dict[int, int]:
    """How long the lists of these keys are; `count` counts all that it is given at once and leaves out what is empty.
    The lists of a key are told apart from others by the scope.
    """
    memory: dict[Hashable, Places] = connection.info.setdefault(_MEMORY, {})
    question = connection.get_execution_options().get(STATE)
    known = {key: memory[scope, key] for key in keys if (scope, key) in memory} if question else {}
    state = _state(connection, question) if known and question else None
    told = {key: each.total for key, each in known.items() if state is not None and each.state == state}
    rest = [key for key in keys if key not in told]
    counted = count(rest) if rest else {}
    if question:
        for key in rest:
            _remember(memory, (scope, key), Places(counted.get(key, 0), state))
    return told | counted


def _state(connection: Connection, question: str) -> object:
    """The state that the database was in when it was first asked for on this connection: a read takes no time."""
    asked: object = connection.get_execution_options().get(_ASKED)
    if asked is None:
        asked = connection.exec_driver_sql(question).scalar_one()
        connection.execution_options(**{_ASKED: asked})
    return asked


def _remember(memory: dict[Hashable, Places], name: Hashable, known: Places) -> None:
    if known.total < _LONG:
        memory.pop(name, None)
        return
    memory[name] = known
    while len(memory) > _LISTS:
        del memory[next(iter(memory))]
