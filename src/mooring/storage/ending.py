"""What must be over before an exception passes on."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def to_the_end(work: Coroutine[Any, Any, object]) -> None:
    """Wait until the work is over, however often the task is cancelled meanwhile.

    For the clearing up after an exception that is raised again behind it: the next attempt must not begin before.
    """
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            continue
    task.result()
