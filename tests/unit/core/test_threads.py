"""Threads of a pool run where the process could when the pool was made."""

import os
import sys
from concurrent.futures import Future
from threading import Thread

import pytest

from mooring.core.threads import pool


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a thread choose its cores")
def test_a_pool_roams_though_its_maker_stays_on_one_core() -> None:
    seen: Future[set[int]] = Future()
    every = os.sched_getaffinity(0)

    def stay_and_ask() -> None:
        with pool(1, "test") as threads:
            os.sched_setaffinity(0, {min(every)})
            seen.set_result(threads.submit(os.sched_getaffinity, 0).result())

    asking = Thread(target=stay_and_ask)
    asking.start()
    asking.join()
    assert seen.result() == every
