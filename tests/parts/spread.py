"""How the tests are spread over several pytest processes.

Tests of one file that use the same kind of server stay together, for they share what is costly to start. What takes
longest begins first, so that nobody waits for it at the end.
"""

import os
import re
from collections.abc import Callable

import pytest
from xdist.scheduler import LoadScopeScheduling

_KIND = re.compile(r"\[(?:.*-)?(sqlite|postgresql|s3)(?:-.*)?\]")
_LONGEST = ("parity", "image", "jobs", "cli", "crash", "clients", "gc", "contract", "conformance", "wheel", "registry")


class Spread(LoadScopeScheduling):
    """Hands out the tests of one file and one kind of server as a whole, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Callable[..., None]) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        file, _, case = nodeid.partition("::")
        kind = _KIND.search(case)
        return f"{file} {kind[1]}" if kind else file


def rank(item: pytest.Item) -> int:
    """The place of a test in the order of what takes longest."""
    found = (place for place, folder in enumerate(_LONGEST) if item.nodeid.startswith(f"tests/{folder}/"))
    return next(found, len(_LONGEST))


def processes() -> int:
    """How many pytest processes: one more than there are cores, since tests wait half of their time."""
    return len(os.sched_getaffinity(0)) + 1
