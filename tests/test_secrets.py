"""The watch over secrets sees those that come out."""

from email.message import Message
from http.client import HTTPMessage
from pathlib import Path

import pytest

from tests.parts.client import Answer
from tests.parts.secrets import Watch

SECRET = "Planted-secret-1"


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    message: Message = HTTPMessage()
    for name, value in {"Content-Type": "application/json", **headers}.items():
        message[name.replace("_", "-")] = value
    return Answer(status, message, body)  # type: ignore[arg-type]


def test_a_secret_in_a_log(watch: Watch, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("it starts\n")
    watch.follow(log)
    watch.keep(SECRET)
    assert watch.leaks() == []
    log.write_text(f'it starts\n{{"event":"signing in","with":"{SECRET}"}}\n')
    (leak,) = watch.leaks()
    assert "signing in" in leak


def test_what_is_handed_out_stands_in_no_other_answer(watch: Watch) -> None:
    body = f'{{"id":1,"secret":"{SECRET}"}}'.encode()
    watch.hear("POST", "/api/v2.0/robots", b'{"name":"r"}', answer(body, 201))
    assert watch.leaks() == []
    watch.hear("GET", "/api/v2.0/robots/1", None, answer(body))
    (leak,) = watch.leaks()
    assert "GET /api/v2.0/robots/1 200" in leak


def test_a_password_that_was_sent_in_an_error(watch: Watch) -> None:
    sent = f'{{"username":"u","password":"{SECRET}"}}'.encode()
    watch.hear("POST", "/api/v2.0/users", sent, answer(f'{{"errors":[{{"message":"{SECRET}"}}]}}'.encode(), 400))
    assert len(watch.leaks()) == 1


def test_a_password_of_a_form_in_a_header(watch: Watch) -> None:
    watch.hear("POST", "/c/login", f"principal=u&password={SECRET}".encode(), answer(b"", Location=f"/?p={SECRET}"))
    assert len(watch.leaks()) == 1


def test_a_cookie_in_an_answer(watch: Watch) -> None:
    sid = "0ab1c2d3e4f5a6b7"
    watch.hear("GET", "/api/v2.0/systeminfo", None, answer(b"{}", Set_Cookie=f"sid={sid}; Path=/; HttpOnly"))
    assert watch.leaks() == []
    watch.hear("GET", "/api/v2.0/users/current", None, answer(f'{{"session":"{sid}"}}'.encode()))
    assert len(watch.leaks()) == 1
