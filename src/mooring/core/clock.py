"""The time, as everything in Mooring keeps it: microseconds since the epoch, UTC."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
NEVER: Final = "0001-01-01T00:00:00.000Z"
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def rfc3339(moment: int) -> str:
    """A moment as Harbor's API writes it: `2026-11-24T02:57:27.251Z`; what has not come, 0, is Go's zero time."""
    if not moment:
        return NEVER
    # A page of a list holds forty of these, and strftime would be slower.
    return (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
