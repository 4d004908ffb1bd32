"""Counts in shared memory, by real processes."""

import multiprocessing

from mooring.observe.board import BOUNDS, Board


def _count(board: Board, number: int, times: int) -> None:
    place = board.take(number)
    for _ in range(times):
        place.series("request", "GET").add(0.002, received=7)
    place.begun[1] += 1  # and dies before it ends


def _in_children(board: Board, *turns: tuple[int, int]) -> None:
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_count, args=(board, *turn)) for turn in turns]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0


def test_the_sums_are_of_all_processes_that_there_have_been() -> None:
    board = Board(2)
    _in_children(board, (0, 3), (1, 4))
    _in_children(board, (0, 5))
    _in_children(board, (0, 6))
    row = board.totals()["request", "GET"]
    assert row.count == row.buckets[2] == 18, "0.002 is above 0.001 and not above 0.0025"
    assert (round(row.total, 9), row.received, row.sent) == (0.036, 18 * 7, 0)


def test_what_a_process_had_begun_ends_with_its_successor() -> None:
    board = Board(1)
    _in_children(board, (0, 1))
    assert board.under_way() == (0, 1)
    board.take(0)
    board.take(0)
    assert board.under_way() == (0, 0)


def test_a_place_that_is_full_counts_the_rest_together() -> None:
    place = Board(1).take(0)
    for number in range(2000):
        place.series("path", str(number)).add(1)
    place.series("long", "x" * 500).add(1)
    totals = place.totals()
    assert len(totals) == 1024
    assert totals[("rest",)].count == 2001 - 1023
    assert totals["path", "0"].buckets[BOUNDS.index(1.0)] == 1
