import asyncio
import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mooring.http.cookies import cookies, setting
from mooring.http.csrf import Csrf, masked
from mooring.http.exchange import Message, Origin, Receive, Scope, Send

KEY = b"k" * 32


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body."""
    body = (await receive()).get("body", b"")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(guard: Csrf, method: str, path: str, *headers: tuple[str, str], body: bytes = b"") -> tuple[int, Any, bytes]:
    """Status, headers and body of the answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "method": method, "path": path, "headers": lines, "query_string": b""}
    asyncio.run(guard(scope, receive, send))
    return sent[0]["status"], sent[0]["headers"], sent[1]["body"]


def values(headers: list[tuple[bytes, bytes]], name: str) -> list[str]:
    return [value.decode() for key, value in headers if key == name.encode()]


def guard(key: bytes = KEY) -> Csrf:
    return Csrf(echo, key, Origin("", []))


def opened(guarded: Csrf) -> tuple[str, str]:
    """A cookie line and a token that belong together."""
    _, headers, _ = ask(guarded, "GET", "/c/log_out", ("cookie", "sid=x"))
    (cookie,) = values(headers, "set-cookie")
    (token,) = values(headers, "x-harbor-csrf-token")
    return "sid=x; " + cookie.partition(";")[0], token


def test_nodes_with_one_key_agree_and_others_do_not() -> None:
    cookie, token = opened(guard())
    for key, status in ((KEY, 200), (b"j" * 32, 403)):
        answer = ask(guard(key), "POST", "/c/login", ("cookie", cookie), ("x-harbor-csrf-token", token), body=b"a=b")
        assert answer[0] == status
    assert answer[2].startswith(b'{"errors":[{"code":"FORBIDDEN","message":"CSRF token invalid"}]}')


def test_who_sends_no_session_is_not_asked_below_api_and_always_below_c() -> None:
    assert ask(guard(), "DELETE", "/api/v2.0/users/3")[0] == 200
    assert ask(guard(), "POST", "/c/login")[0] == 403
    assert ask(guard(), "POST", "/api/v2.0/users", ("cookie", "other=1"))[0] == 200
    assert ask(guard(), "POST", "/api/v2.0/users", ("cookie", "other=1"), ("cookie", "sid="))[0] == 403


def test_a_form_that_is_searched_reaches_the_application_whole() -> None:
    cookie, token = opened(guard())
    form = b"gorilla.csrf.Token=" + token.replace("+", "%2B").encode() + b"&principal=ann"
    kind = ("content-type", "application/x-www-form-urlencoded")
    assert ask(guard(), "POST", "/c/login", ("cookie", cookie), kind, body=form)[2] == form
    assert ask(guard(), "POST", "/c/login", ("cookie", cookie), kind, body=b"x" * (1 << 20))[0] == 413


@given(st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"])), st.binary(max_size=80))
def test_no_cookie_and_no_token_trips_it(cookie: str, token: bytes) -> None:
    headers = [("cookie", f"sid=x; _gorilla_csrf={cookie}"), ("x-harbor-csrf-token", base64.b64encode(token).decode())]
    status, answer, _ = ask(guard(), "PUT", "/api/v2.0/users/3", *headers)
    assert status == 403
    assert values(answer, "x-harbor-csrf-token")


def test_a_token_is_masked_anew_and_holds_its_secret() -> None:
    secret = bytes(range(32))
    one, other = base64.b64decode(masked(secret)), base64.b64decode(masked(secret))
    assert one != other
    for token in (one, other):
        assert bytes(a ^ b for a, b in zip(token[:32], token[32:], strict=True)) == secret


def test_cookies_of_several_lines() -> None:
    lines = [(b"cookie", b"sid=1; a=x=y"), (b"accept", b"*/*"), (b"cookie", b" b=2;sid=3; nothing")]
    assert cookies({"headers": lines}) == {"sid": "1", "a": "x=y", "b": "2"}


def test_a_cookie_to_be_set() -> None:
    assert setting("sid", "v", secure=False) == "sid=v; Path=/; HttpOnly; SameSite=Lax"
    assert setting("c", "", secure=True, same_site="Strict", max_age=0).endswith("SameSite=Strict; Max-Age=0; Secure")
