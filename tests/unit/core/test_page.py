from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.errors import BadRequest
from mooring.core.page import AllOf, AnyOf, Exact, Fuzzy, Listing, Order, Range, parse_filters, parse_sort

WORDS = st.text("abcXYZ019._/-", min_size=1)


@pytest.mark.parametrize(
    ("q", "filters"),
    [
        ("", {}),
        ("name=a", {"name": Exact("a")}),
        ("name=a=b", {"name": Exact("a=b")}),
        (r"name=\~a", {"name": Exact("~a")}),
        ("name=~a,project_id=7", {"name": Fuzzy("a"), "project_id": Exact("7")}),
        ("name=a,name=b", {"name": Exact("b")}),
        ("tags%3Dnil", {"tags": Exact("nil")}),
        ("n=[1~3]", {"n": Range(1, 3)}),
        ("n=[~3]", {"n": Range(None, 3)}),
        ("n=[1~]", {"n": Range(1, None)}),
        ("t=[2026-11-24T02:57:27~]", {"t": Range(datetime(2026, 11, 24, 2, 57, 27, tzinfo=UTC), None)}),
        ("name={a 'b' \"12\" 12}", {"name": AnyOf(("a", "b", "12", 12))}),
        ("name={}", {"name": AnyOf(())}),
        ("labels=(1 2)", {"labels": AllOf((1, 2))}),
    ],
)
def test_the_grammar(q: str, filters: object) -> None:
    assert parse_filters(q) == filters


@pytest.mark.parametrize(
    "q", ["name", "name=", "=a", "name=a,", ",", "n=[1]", "n=[~]", "n=[1~2~3]", "n={a", "n=(a", "n=~"]
)
def test_what_is_not_in_the_grammar(q: str) -> None:
    with pytest.raises(BadRequest):
        parse_filters(q)


@given(st.dictionaries(WORDS, WORDS))
def test_exact_values_come_back_as_sent(conditions: dict[str, str]) -> None:
    text = ",".join(f"{key}={value}" for key, value in conditions.items())
    expected = {key: Exact(value) for key, value in conditions.items()}
    assert parse_filters(text) == parse_filters(quote(text)) == expected


@given(st.text())
def test_no_text_is_more_than_a_bad_request(q: str) -> None:
    with suppress(BadRequest):
        assert all(parse_filters(q))


def test_sort() -> None:
    assert parse_sort("name,-creation_time") == (Order("name"), Order("creation_time", descending=True))
    assert parse_sort("") == parse_sort("-,,") == ()


def test_offsets() -> None:
    assert [Listing(page=page, size=10).offset for page in (-1, 0, 1, 3)] == [0, 0, 0, 20]
    assert Listing(page=3, size=0).offset == 0
