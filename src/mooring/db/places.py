"""Where the pages of long lists are: what was counted once holds for as long as the database stays as it was.

A page is asked for by its number. To reach row 100 000 its 99 999 forerunners would be read each time, and all rows to
say how many there are. So each reading connection remembers, of lists that are long, their length and the sort keys at
some positions, together with the state of the database that they were true in. A read that begins at a remembered key
(keyset paging) costs the same wherever in the list it is. Nothing is ever told that is not so: another state, and all
is counted anew.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection

Key = tuple[Any, ...]
T = TypeVar("T")

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

    __slots__ = ("_keys", "_positions", "total")

    def __init__(self, total: int) -> None:
        self.total = total
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


class _Known(NamedTuple):
    """What was found out, and the database's state before that; None when it was not asked for."""

    state: object
    value: Any


_Memory = dict[Hashable, _Known]


def places(connection: Connection, name: Hashable, count: Callable[[], int]) -> Places:
    """What is known of the list that goes by this name on every connection; `count` tells how long it is now."""
    memory = _memory(connection)
    known = memory.get(name)
    # Asked before counting, since PostgreSQL's next statement may see more; short lists need not ask.
    state = _state(connection) if known else None
    if known is not None and state is not None and known.state == state:
        found: Places = known.value
        return found
    found = Places(count())
    _remember(memory, name, _Known(state, found), worth=found.total >= _LONG)
    return found


def totals(
    connection: Connection, scope: str, keys: Sequence[int], count: Callable[[Sequence[int]], dict[int, int]]
) -> dict[int, int]:
    """How long the lists of these keys are; `count` counts all that it is given at once and leaves out what is empty.
    The lists of a key are told apart from others by the scope.
    """
    memory = _memory(connection)
    known = {key: memory[scope, key] for key in keys if (scope, key) in memory}
    state = _state(connection) if known else None
    told = {key: each.value for key, each in known.items() if state is not None and each.state == state}
    rest = [key for key in keys if key not in told]
    counted = count(rest) if rest else {}
    for key in rest:
        total = counted.get(key, 0)
        _remember(memory, (scope, key), _Known(state, total), worth=total >= _LONG)
    return told | counted


def lasting(connection: Connection, name: Hashable, find: Callable[[], T]) -> T:
    """What `find` finds, which is worth remembering as long as the database stays as it was; the name is for nothing
    else on any connection.
    """
    memory = _memory(connection)
    known, state = memory.get(name), _state(connection)
    if known is not None and state is not None and known.state == state:
        found: T = known.value
        return found
    found = find()
    _remember(memory, name, _Known(state, found), worth=state is not None)
    return found


def _memory(connection: Connection) -> _Memory:
    """What the connection remembers; nothing where a state is not told, since there it could not be relied on."""
    if STATE not in connection.get_execution_options():
        return {}
    memory: _Memory = connection.info.setdefault(_MEMORY, {})
    return memory


def _state(connection: Connection) -> object:
    """The state that the database was in when it was first asked for on this connection: a read takes no time."""
    options = connection.get_execution_options()
    if STATE not in options:
        return None
    asked: object = options.get(_ASKED)
    if asked is None:
        driver: Any = connection.connection.driver_connection
        (asked,) = driver.execute(options[STATE]).fetchone()
        connection.execution_options(**{_ASKED: asked})
    return asked


def _remember(memory: _Memory, name: Hashable, known: _Known, *, worth: bool) -> None:
    memory.pop(name, None)
    if worth:
        memory[name] = known
    while len(memory) > _LISTS:
        del memory[next(iter(memory))]
