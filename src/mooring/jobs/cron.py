"""When a schedule is due: Harbor's six fields with the seconds first, or the five that everybody else writes. UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterError
from msgspec import Struct

from mooring.core.clock import SECOND
from mooring.core.errors import BadRequest

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST: Final = 1024  # characters: croniter takes minutes for some megabytes of commas
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class _Field(Struct, frozen=True):
    """What may stand in a field: numbers from `least` to `most`, or names for them."""

    least: int
    most: int
    names: Mapping[str, int] = {}


# Seconds, minutes, hours, days, months, days of the week; 7 is the Sunday too, as everywhere but in Harbor.
_FIELDS: Final = (
    _Field(0, 59),
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field(0, 7, {name: number for number, name in enumerate(_DAYS)}),
)


def six_fields(cron: str, what: str) -> str:
    """The cron with its seconds; `what` names in Harbor's messages the thing that it is for.

    Raises BadRequest for what is no cron, and for one that has other seconds than 0.
    """
    if len(cron) > _LONGEST:
        raise BadRequest(f"invalid cron string for scheduled {what}: it is longer than {_LONGEST} characters")
    fields = cron.split()
    if len(fields) == 5 and not cron.startswith("@"):
        fields.insert(0, "0")
    text = " ".join(fields)
    try:
        _check(fields)
        croniter(text, datetime(2026, 1, 1, tzinfo=UTC), second_at_beginning=True).get_next(datetime)
    except (CroniterError, ValueError) as error:
        raise BadRequest(f"invalid cron string for scheduled {what}: {cron}, error: {error}") from None
    return text


def next_after(cron: str, moment: int) -> int:
    """The first moment after this one that the cron (of `six_fields`) names."""
    start = datetime.fromtimestamp(moment / SECOND, UTC)
    due: datetime = croniter(cron, start, second_at_beginning=True).get_next(datetime)
    return int(due.timestamp()) * SECOND


def _check(fields: list[str]) -> None:
    """Raise ValueError in the words of Harbor's parser."""
    if not fields:
        raise ValueError("empty cron string is invalid")
    if fields[0].startswith("@"):
        raise ValueError(f"parser does not accept descriptors: {' '.join(fields)}")
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly 6 fields, found {len(fields)}: [{' '.join(fields)}]")
    for text, field in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            _check_part(part, field)
    if fields[0] != "0":
        raise ValueError("the 1st field (indicating Seconds of time) of the cron setting must be 0")


def _check_part(part: str, field: _Field) -> None:
    """One of those that commas divide: `*`, a number or a range, with or without a step."""
    span, *steps = part.split("/")
    low, *highs = span.split("-")
    if len(highs) > 1:
        raise ValueError(f"too many hyphens: {part}")
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {part}")
    first, last = field.least, field.most
    if low not in ("*", "?"):
        first = last = _number(low, field.names)
    if highs:
        last = _number(highs[0], field.names)
    elif steps:
        last = field.most
    step = _number(steps[0], {}) if steps else 1
    if first < field.least:
        raise ValueError(f"beginning of range ({first}) below minimum ({field.least}): {part}")
    if last > field.most:
        raise ValueError(f"end of range ({last}) above maximum ({field.most}): {part}")
    if first > last:
        raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {part}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {part}")


def _number(text: str, names: Mapping[str, int]) -> int:
    known = names.get(text.lower())
    if known is not None:
        return known
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text[:32])
