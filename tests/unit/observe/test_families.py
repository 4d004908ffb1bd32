"""Quantiles, and the ten minutes they are of."""

import math

import pytest

from mooring.observe.board import BOUNDS, Board, Row, Rows
from mooring.observe.families import Recent, quantile


def counted(*values: float) -> Row:
    board = Board(1)
    series = board.take(0).series("any")
    for value in values:
        series.add(value)
    return board.totals()[("any",)]


@pytest.mark.parametrize(
    ("share", "lower", "upper"), [(0.5, 0.001, 0.0025), (0.9, 0.001, 0.0025), (0.99, 1.0, 2.5), (1.0, 1.0, 2.5)]
)
def test_a_quantile_lies_between_the_bounds_that_its_value_does(share: float, lower: float, upper: float) -> None:
    assert lower < quantile(counted(*[0.002] * 95, *[2.0] * 5), share) <= upper


def test_a_quantile_of_nothing_is_none_and_beyond_all_bounds_it_is_the_last() -> None:
    assert math.isnan(quantile(Row(), 0.5))
    assert quantile(counted(1000.0), 0.5) == BOUNDS[-1]


def test_only_the_last_ten_minutes_count() -> None:
    moment = 0.0
    recent = Recent(lambda: moment)
    totals: Rows = {}
    seen = []
    for minute in range(30):
        moment = 60.0 * minute
        totals = {("a",): Row(total=10.0 * minute)}
        seen.append(recent.since(totals)["a",].total)
    assert seen[5] == 50, "all, while there is not more"
    assert seen[29] == 100
    moment += 3600
    assert recent.since(totals)["a",].total == 0
