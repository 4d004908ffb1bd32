"""The time, as everything in Mooring keeps it: microseconds since the epoch, UTC."""

import time
from datetime import UTC, datetime
from typing import Final

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def rfc3339(moment: int) -> str:
    """A moment as Harbor's API writes it: `2026-11-24T02:57:27.251Z`."""
    return (
        datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % SECOND // 1000:03d}Z"
    )
