"""Counts that many processes keep and one reads, in memory that they share.

Each process writes to a place of its own, so that nothing is locked and a count costs less than a microsecond. A place
outlives its process: the one that replaces it goes on counting, and no series begins again at nought.
"""

import json
import mmap
import operator
from bisect import bisect_left
from typing import Final, TypeAlias

from msgspec import Struct

# Upper bounds in seconds of what a series sorts its values into; from a manifest out of memory to the slowest pull.
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

Labels: TypeAlias = tuple[str, ...]

_CELLS: Final = len(BOUNDS) + 4  # one for each bound, one for what is beyond, and three sums
_SERIES: Final = 1024  # of one place; what is beyond goes into one of them together
_KEY: Final = 192  # bytes of a series' labels, as JSON
_HEAD: Final = 3  # numbers before a place's series: how many there are, and what was begun in two ways
_BYTES: Final = 8 * (_HEAD + _SERIES * _CELLS) + _KEY * _SERIES
_REST: Final[Labels] = ("rest",)


class Row(Struct, frozen=True):
    """What a series has counted: how many values there were up to each bound and beyond them all, their sum, and the
    bytes that came and went with them.
    """

    buckets: tuple[float, ...] = (0.0,) * (len(BOUNDS) + 1)
    total: float = 0.0
    received: float = 0.0
    sent: float = 0.0

    @property
    def count(self) -> float:
        return sum(self.buckets)

    def plus(self, other: "Row") -> "Row":
        sums = (self.total + other.total, self.received + other.received, self.sent + other.sent)
        return Row(tuple(map(operator.add, self.buckets, other.buckets)), *sums)

    def since(self, earlier: "Row") -> "Row":
        """What was counted after that."""
        sums = (self.total - earlier.total, self.received - earlier.received, self.sent - earlier.sent)
        return Row(tuple(map(operator.sub, self.buckets, earlier.buckets)), *sums)


Rows = dict[Labels, Row]


class Place:
    """Where one process counts. Only one thread of it may."""

    def __init__(self, numbers: "memoryview[float]", keys: "memoryview[int]") -> None:
        self._numbers = numbers
        self._keys = keys
        self._known: dict[Labels, Series] = {labels: self._at(at) for at, labels in enumerate(self._labels())}
        self.begun: Final = numbers[1:_HEAD]

    def series(self, *labels: str) -> "Series":
        """The series with these labels, made when it is asked for the first time."""
        known = self._known.get(labels)
        if known is None:
            at = int(self._numbers[0])
            encoded = json.dumps(labels).encode()
            if at == _SERIES or len(encoded) > _KEY:
                return self._known[_REST]
            self._keys[at * _KEY : at * _KEY + len(encoded)] = encoded
            self._numbers[0] = at + 1  # a reader looks no further than this
            known = self._known[labels] = self._at(at)
        return known

    def totals(self) -> Rows:
        """What each series has counted."""
        rows = ((labels, self._cells(at).tolist()) for at, labels in enumerate(self._labels()))
        return {labels: Row(tuple(cells[:-3]), *cells[-3:]) for labels, cells in rows}

    def _labels(self) -> list[Labels]:
        rows = (bytes(self._keys[at * _KEY : (at + 1) * _KEY]) for at in range(int(self._numbers[0])))
        return [tuple(json.loads(row.rstrip(b"\0"))) for row in rows]

    def _cells(self, at: int) -> "memoryview[float]":
        start = _HEAD + at * _CELLS
        return self._numbers[start : start + _CELLS]

    def _at(self, at: int) -> "Series":
        return Series(self._cells(at))


class Series:
    """One row of the counts."""

    __slots__ = ("_cells",)

    def __init__(self, cells: "memoryview[float]") -> None:
        self._cells = cells

    def tick(self) -> None:
        """Count something that has no value."""
        self._cells[0] += 1

    def add(self, value: float, received: int = 0, sent: int = 0) -> None:
        """Count a value, and the bytes that came and went with it."""
        cells = self._cells
        cells[bisect_left(BOUNDS, value)] += 1
        cells[-3] += value
        if received:
            cells[-2] += received
        if sent:
            cells[-1] += sent


class Board:
    """The places of so many processes, by their number. It is to be made before they are forked."""

    def __init__(self, processes: int) -> None:
        # Two for each: at a reload a process and the one that takes over from it count beside each other for a while.
        memory = memoryview(mmap.mmap(-1, 8 * processes + 2 * processes * _BYTES))
        self._turns = memory[: 8 * processes].cast("q")
        self.last: Final = processes - 1
        self._regions = [memory[8 * processes + number * _BYTES :][:_BYTES] for number in range(2 * processes)]

    def take(self, number: int) -> Place:
        """The place of this process, which has just taken over the number."""
        self._turns[number] += 1
        place = _place(self._regions[2 * number + self._turns[number] % 2])
        place.series(*_REST)
        place.begun[0], place.begun[1] = 0.0, 0.0  # what its forerunner had begun will never end
        return place

    def totals(self) -> Rows:
        """The sums over all places."""
        sums: Rows = {}
        for place in map(_place, self._regions):
            for labels, row in place.totals().items():
                sums[labels] = sums[labels].plus(row) if labels in sums else row
        return sums

    def under_way(self) -> tuple[int, int]:
        """How much has begun and not ended: of all, and of the second kind."""
        places = [_place(region) for region in self._regions]
        return int(sum(place.begun[0] for place in places)), int(sum(place.begun[1] for place in places))


def _place(region: "memoryview[int]") -> Place:
    numbers = 8 * (_HEAD + _SERIES * _CELLS)
    return Place(region[:numbers].cast("d"), region[numbers:])
