"""Counts that many processes keep and one reads, in memory that they share.

Each process writes to a place of its own, so that nothing is locked and a count costs less than a microsecond. A place
outlives its process: the one that replaces it goes on counting, and no series begins again at nought.
"""

import json
import mmap
from bisect import bisect_left
from collections.abc import Mapping
from typing import Final, TypeAlias

# Upper bounds in seconds of what a series sorts its values into; from a manifest out of memory to the slowest pull.
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

Labels: TypeAlias = tuple[str, ...]

_CELLS: Final = len(BOUNDS) + 2  # one for each bound, one for what is beyond, and the sum
_SERIES: Final = 1024  # of one place; what is beyond goes into one of them together
_KEY: Final = 192  # bytes of a series' labels, as JSON
_HEAD: Final = 3  # numbers before a place's series: how many there are, and what was begun in two ways
_BYTES: Final = 8 * (_HEAD + _SERIES * _CELLS) + _KEY * _SERIES
_REST: Final[Labels] = ("rest",)


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

    def totals(self) -> dict[Labels, list[float]]:
        """For each series how many values there were up to each bound and beyond them all, and their sum."""
        return {labels: list(self._cells(at)) for at, labels in enumerate(self._labels())}

    def _labels(self) -> list[Labels]:
        rows = (bytes(self._keys[at * _KEY : (at + 1) * _KEY]) for at in range(int(self._numbers[0])))
        return [tuple(json.loads(row.rstrip(b"\0"))) for row in rows]

    def _cells(self, at: int) -> "memoryview[float]":
        start = _HEAD + at * _CELLS
        return self._numbers[start : start + _CELLS]

    def _at(self, at: int) -> "Series":
        return Series(self._cells(at))


class Series:
    """One row of counts."""

    __slots__ = ("_cells",)

    def __init__(self, cells: "memoryview[float]") -> None:
        self._cells = cells

    def add(self, value: float) -> None:
        """Count a value."""
        cells = self._cells
        cells[bisect_left(BOUNDS, value)] += 1
        cells[-1] += value

    @property
    def count(self) -> float:
        return float(sum(self._cells[:-1]))


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

    def totals(self) -> Mapping[Labels, list[float]]:
        """The sums over all places."""
        sums: dict[Labels, list[float]] = {}
        for place in map(_place, self._regions):
            for labels, cells in place.totals().items():
                known = sums.get(labels)
                sums[labels] = [a + b for a, b in zip(known, cells, strict=True)] if known else cells
        return sums

    def under_way(self) -> tuple[int, int]:
        """How much has begun and not ended: of all, and of the second kind."""
        places = [_place(region) for region in self._regions]
        return int(sum(place.begun[0] for place in places)), int(sum(place.begun[1] for place in places))


def _place(region: "memoryview[int]") -> Place:
    numbers = 8 * (_HEAD + _SERIES * _CELLS)
    return Place(region[:numbers].cast("d"), region[numbers:])
