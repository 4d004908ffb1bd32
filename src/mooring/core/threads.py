"""Threads beside an event loop."""

import os
from concurrent.futures import ThreadPoolExecutor


def pool(size: int, name: str) -> ThreadPoolExecutor:
    """A pool whose threads may run on every core that the process may use when the pool is made.

    The loop of a web process stays on one core afterwards (cli/web.py), and a thread begins where the one is that
    starts it.
    """
    if not hasattr(os, "sched_setaffinity"):
        return ThreadPoolExecutor(size, thread_name_prefix=name)
    cores = os.sched_getaffinity(0)
    return ThreadPoolExecutor(size, thread_name_prefix=name, initializer=os.sched_setaffinity, initargs=(0, cores))
