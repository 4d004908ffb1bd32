"""When a schedule is due: Harbor's six fields with the seconds first, or the five that everybody else writes. UTC."""

from datetime import UTC, datetime
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterError

from mooring.core.clock import SECOND
from mooring.core.errors import BadRequest

# What the words of a schedule's type mean where no cron comes with them; the portal sends these.
WORDS: Final = {"Hourly": "0 0 * * * *", "Daily": "0 0 0 * * *", "Weekly": "0 0 0 * * 0"}


def six_fields(cron: str) -> str:
    """The cron with its seconds. Raises BadRequest for what is none, and for one that has other seconds than 0."""
    fields = cron.split()
    if len(fields) == 5:
        fields.insert(0, "0")
    text = " ".join(fields)
    try:
        if len(fields) != 6:
            raise CroniterError(f"{len(fields)} fields where 6 are expected")  # noqa: TRY301
        croniter(text, datetime(2026, 1, 1, tzinfo=UTC), second_at_beginning=True).get_next(datetime)
    except (CroniterError, ValueError) as error:
        raise BadRequest(f"the cron {cron!r} is not understood: {error}") from error
    if fields[0] != "0":
        raise BadRequest("the 1st field (indicating Seconds of time) of the cron setting must be 0")
    return text


def next_after(cron: str, moment: int) -> int:
    """The first moment after this one that the cron (of `six_fields`) names."""
    start = datetime.fromtimestamp(moment / SECOND, UTC)
    due: datetime = croniter(cron, start, second_at_beginning=True).get_next(datetime)
    return int(due.timestamp()) * SECOND
