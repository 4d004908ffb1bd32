"""The log: JSON and lines, for structlog's users and the libraries', without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from mooring.observe.logging import configure, hide_secrets
from mooring.settings import Log


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Other tests log as they did before."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def logged(format: Literal["json", "console"], level: Literal["debug", "info", "error"] = "info") -> io.StringIO:
    stream = io.StringIO()
    configure(Log(level=level, format=format), stream)
    return stream


def test_json_has_one_object_a_line() -> None:
    stream = logged("json")
    structlog.get_logger().info("pushed", repository="library/hello", size=3)
    logging.getLogger("granian").warning("worker %d ended", 1)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["repository"], first["size"], first["level"]) == (
        "pushed",
        "library/hello",
        3,
        "info",
    )
    assert first["time"].endswith("Z")
    assert (second["event"], second["level"]) == ("worker 1 ended", "warning")


def test_people_get_lines() -> None:
    stream = logged("console")
    structlog.get_logger().warning("pushed", repository="library/hello")
    assert "pushed" in stream.getvalue()
    assert "repository=library/hello" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_a_level_holds_back_what_is_below() -> None:
    stream = logged("json", "error")
    structlog.get_logger().warning("no")
    structlog.get_logger().error("yes")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["yes"]


def test_an_exception_is_in_the_line() -> None:
    stream = logged("json")
    try:
        raise ValueError("of https://user:hidden-word@host/")  # noqa: TRY301 - what is logged is what was raised
    except ValueError:
        structlog.get_logger().exception("failed")
    [line] = stream.getvalue().splitlines()
    assert "ValueError: of https://***@host/" in json.loads(line)["exception"]
    assert "hidden-word" not in line


@pytest.mark.parametrize(
    "event",
    [
        {"password": "hidden-word"},
        {"admin_password": "hidden-word", "event": "start"},
        {"headers": {"Authorization": "Basic hidden-word"}},
        {"headers": [("Authorization", "Bearer hidden-word"), ("Accept", "*/*")]},
        {"headers": [(b"authorization", b"Basic hidden-word")]},
        {"secret_key": "hidden-word"},
        {"access_key": "hidden-word"},
        {"token": "hidden-word"},
        {"Set-Cookie": "sid=hidden-word"},
        {"event": "connecting to postgresql://mooring:hidden-word@db:5432/mooring"},
        {"event": "sent Authorization: Bearer hidden-word.x.y"},
        {"settings": {"storage": {"secret_key": "hidden-word"}}},
    ],
)
def test_no_secret_is_logged(event: dict[str, Any]) -> None:
    hidden = json.dumps(hide_secrets(None, "info", dict(event)))
    assert "hidden-word" not in hidden
    assert "***" in hidden


def test_what_is_no_secret_stays() -> None:
    event = {"event": "pulled https://host:5000/v2/a", "repository": "a", "headers": [("Accept", "*/*")], "size": 1}
    assert hide_secrets(None, "info", dict(event)) == {**event, "headers": [["Accept", "*/*"]]}
