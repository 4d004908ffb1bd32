import pytest

from mooring.core.errors import BadRequest
from mooring.jobs.cron import six_fields


@pytest.mark.parametrize(
    ("cron", "fields"),
    [
        ("0 3 * * *", "0 0 3 * * *"),
        ("0 0 2 * * *", "0 0 2 * * *"),
        (" 0  0 0 * * 0 ", "0 0 0 * * 0"),
        ("0 */15 8-18 1,15 JAN-MAR mon-FRI", "0 */15 8-18 1,15 JAN-MAR mon-FRI"),
        ("0 0 0 ? * 7", "0 0 0 ? * 7"),
        ("0 5/10 * * * *", "0 5/10 * * * *"),
    ],
)
def test_what_is_a_cron(cron: str, fields: str) -> None:
    assert six_fields(cron, "gc") == fields


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("", "empty cron string is invalid"),
        ("often", "expected exactly 6 fields, found 1: [often]"),
        ("0 0 0 * * * *", "expected exactly 6 fields, found 7: [0 0 0 * * * *]"),
        ("@daily", "parser does not accept descriptors: @daily"),
        ("@every 1h", "parser does not accept descriptors: @every 1h"),
        ("10 0 0 * * *", "the 1st field (indicating Seconds of time) of the cron setting must be 0"),
        ("0 60 0 * * *", "end of range (60) above maximum (59): 60"),
        ("0 0 24 * * *", "end of range (24) above maximum (23): 24"),
        ("0 0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("0 5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("0 */0 * * * *", "step of range should be a positive number: */0"),
        ("0 1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("0 1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("0 1,x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("0 0 0 L * *", 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax'),
        ("0 0 0 30 2 *", "failed to find next date"),
    ],
)
def test_what_is_none_is_refused_in_harbors_words(cron: str, reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        six_fields(cron, "gc")
    assert refused.value.message == f"invalid cron string for scheduled gc: {cron}, error: {reason}"


def test_a_cron_without_end_is_refused() -> None:
    with pytest.raises(BadRequest, match="longer than 1024 characters"):
        six_fields(f"0 0 {'1,' * 1000}1 * * *", "gc")
