"""When a schedule is due: Harbor's six fields with the seconds first, or the five that everybody else writes. UTC."""

from datetime import UTC, datetime

from croniter import croniter
from croniter.croniter import CroniterError

from mooring.core.clock import SECOND
from mooring.core.errors import BadRequest


def six_fields(cron: str, what: str) -> str:
    """The cron with its seconds; `what` names in Harbor's messages the thing that it is for.

    Raises BadRequest for what is no cron, and for one that has other seconds than 0.
    """
    fields = cron.split()
    reason = ""
    if not fields:
        reason = "empty cron string is invalid"
    elif len(fields) not in (5, 6):
        reason = f"expected exactly 6 fields, found {len(fields)}: [{cron}]"
    elif len(fields) == 5:
        fields.insert(0, "0")
    text = " ".join(fields)
    try:
        if not reason:
            croniter(text, datetime(2026, 1, 1, tzinfo=UTC), second_at_beginning=True).get_next(datetime)
    except (CroniterError, ValueError) as error:
        reason = str(error)
    if not reason and fields[0] != "0":
        reason = "the 1st field (indicating Seconds of time) of the cron setting must be 0"
    if reason:
        raise BadRequest(f"invalid cron string for scheduled {what}: {cron}, error: {reason}")
    return text


def next_after(cron: str, moment: int) -> int:
    """The first moment after this one that the cron (of `six_fields`) names."""
    start = datetime.fromtimestamp(moment / SECOND, UTC)
    due: datetime = croniter(cron, start, second_at_beginning=True).get_next(datetime)
    return int(due.timestamp()) * SECOND
