"""Signing in with a browser: sessions, and what keeps other sites from using them."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import PASSWORD, NewUser, user_id
from tests.parts.browser import CSRF, Browser
from tests.parts.client import Client, expect
from tests.parts.deployments import Deployments
from tests.parts.process import wait_for
from tests.parts.server import Server
from tests.registry.contents import execute, query

FRESH = "Fresh-word-12345"


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server)


@pytest.fixture
def signed_in(browser: Browser, user: Client) -> Browser:
    expect(browser.sign_in(user.username, PASSWORD), 200)
    return browser


def message(body: object) -> str:
    text: str = body["errors"][0]["message"]  # type: ignore[index]
    return text


def fingerprint(browser: Browser) -> str:
    return hashlib.sha256(browser.cookies["sid"].encode()).hexdigest()


def used_ago(server: Server, browser: Browser, minutes: float) -> None:
    """Let the session's last use have been so long ago."""
    moment = int((time.time() - 60 * minutes) * 1e6)
    execute(server, "UPDATE session SET last_used = ? WHERE fingerprint = ?", moment, fingerprint(browser))


def last_used(server: Server, browser: Browser) -> int:
    (row,) = query(server, "SELECT last_used FROM session WHERE fingerprint = ?", fingerprint(browser))
    return int(row["last_used"])


def test_somebody_signs_in_acts_and_signs_out(server: Server, browser: Browser, user: Client, word: str) -> None:
    before = browser.open().cookies["sid"]
    expect(browser.api("GET", "/users/current"), 401)
    answer = expect(browser.sign_in(user.username, PASSWORD), 200)
    assert answer.body == b""
    assert browser.cookies["sid"] != before
    assert expect(browser.api("GET", "/users/current"), 200).json()["username"] == user.username
    expect(browser.api("POST", "/projects", {"project_name": word}), 201)
    mine = dict(browser.cookies)
    out = expect(browser.send("GET", "/c/log_out"), 200)
    assert out.body == b""
    assert "sid" not in browser.cookies
    browser.cookies = mine
    expect(browser.api("GET", "/users/current"), 401)
    expect(browser.api("POST", "/projects", {"project_name": f"{word}2"}), 401)
    expect(browser.send("GET", "/c/log_out"), 200)


def test_by_mail_address_and_with_the_form_in_the_query(browser: Browser, user: Client) -> None:
    browser.open()
    expect(browser.post(f"/c/login?principal={user.username}@example.org&password={PASSWORD}"), 200)
    assert expect(browser.api("GET", "/users/current"), 200).json()["username"] == user.username


def test_a_cookie_from_before_the_sign_in_opens_nothing(server: Server, browser: Browser, user: Client) -> None:
    """Else whoever plants one in somebody's browser is signed in with them."""
    planted = browser.open().cookies["sid"]
    expect(browser.sign_in(user.username, PASSWORD), 200)
    thief = Browser(server)
    thief.cookies = {"sid": planted}
    expect(thief.api("GET", "/users/current"), 401)
    first = browser.cookies["sid"]
    expect(browser.sign_in(user.username, PASSWORD), 200)
    thief.cookies = {"sid": first}
    expect(thief.api("GET", "/users/current"), 401)


def test_what_is_stored_is_no_cookie(server: Server, signed_in: Browser) -> None:
    assert [row["fingerprint"] for row in query(server, "SELECT fingerprint FROM session")].count(
        fingerprint(signed_in)
    ) == 1
    thief = Browser(server)
    thief.cookies = {"sid": fingerprint(signed_in)}
    expect(thief.api("GET", "/users/current"), 401)


def test_cookies_are_not_for_scripts_nor_for_other_sites(browser: Browser, user: Client) -> None:
    first = browser.api("GET", "/systeminfo").headers.get_all("Set-Cookie", [])
    second = browser.api("GET", "/systeminfo").headers.get_all("Set-Cookie", [])
    third = expect(browser.sign_in(user.username, PASSWORD), 200).headers.get_all("Set-Cookie", [])
    for lines, name, site in ((first, "sid", "Lax"), (second, "_gorilla_csrf", "Strict"), (third, "sid", "Lax")):
        (line,) = lines
        assert line.startswith(f"{name}=")
        assert {"HttpOnly", "Path=/", f"SameSite={site}"} <= set(line.split("; "))
        assert "Secure" not in line
    secure = browser.api("GET", "/systeminfo", headers={"Cookie": "", "X-Forwarded-Proto": "https"})
    assert "Secure" in secure.headers["Set-Cookie"].split("; ")


def test_credentials_make_no_session(server: Server, admin: Client, user: Client) -> None:
    for client in (admin, user, server.client(user.username, "Wrong-1234567")):
        for method, path in (("GET", "/systeminfo"), ("GET", "/users/current"), ("DELETE", "/users/1")):
            answer = client.api(method, path)
            assert "Set-Cookie" not in answer.headers
            assert CSRF not in answer.headers
    for path in ("/v2/", "/service/token?service=harbor-registry", "/"):
        assert "Set-Cookie" not in Client(server.url).send("GET", path).headers


def test_wrong_names_and_passwords(browser: Browser, user: Client, word: str) -> None:
    for principal, password in ((user.username, "Wrong-1234567"), (word, PASSWORD), ("", PASSWORD), (f"{word}\0", "x")):
        answer = expect(browser.sign_in(principal, password), 401)
        assert answer.body == b""
    expect(browser.send("POST", "/c/login"), 401)
    expect(browser.send("GET", "/c/login"), 404)


def lock(server: Server, username: str, until: int | None = None) -> int:
    """Let the lock that a wrong password has put on the account end later, or then; when it was to end."""
    (row,) = query(server, "SELECT locked_until FROM signin_failure WHERE principal = ?", username)
    end = until or int((time.time() + 3600) * 1e6)
    execute(server, "UPDATE signin_failure SET locked_until = ? WHERE principal = ?", end, username)
    return int(row["locked_until"])


def test_a_wrong_password_locks_every_way_in_for_a_moment(
    server: Server, browser: Browser, user: Client, admin: Client
) -> None:
    other = Browser(server).open()
    expect(browser.sign_in(user.username, "Wrong-1234567"), 401)
    end = lock(server, user.username)
    expect(other.sign_in(user.username, PASSWORD), 401)
    expect(user.api("GET", "/users/current"), 401)
    expect(user.token(), 401)
    expect(admin.api("GET", "/users/current"), 200)
    lock(server, user.username, end)
    wait_for(lambda: other.sign_in(user.username, PASSWORD).status == 200, "the lock to go")
    expect(user.token(), 200)


class TestForgery:
    def test_a_change_needs_the_token(self, signed_in: Browser, word: str) -> None:
        project = {"project_name": word}
        good, signed_in.token = signed_in.token, ""
        missing = expect(signed_in.api("POST", "/projects", project), 403)
        assert (missing.codes(), message(missing.json())) == (["FORBIDDEN"], "CSRF token not found in request")
        for bad in ("bm9uc2Vuc2U=", "?", "ü", good[:-4], good[:44] + good[:44]):
            refused = expect(signed_in.api("POST", "/projects", project, {CSRF: bad}), 403)
            assert message(refused.json()) == "CSRF token invalid"
        expect(signed_in.api("POST", "/projects", project, {CSRF: refused.headers[CSRF]}), 201)
        expect(signed_in.api("DELETE", f"/projects/{word}", headers={CSRF: good}), 200)

    def test_it_looks_different_each_time_and_comes_with_every_answer(self, signed_in: Browser) -> None:
        answers = [signed_in.api("GET", path) for path in ("/systeminfo", "/projects/no-such", "/nothing", "/users")]
        assert len({answer.headers[CSRF] for answer in answers}) == len(answers)
        assert all("Cookie" in answer.headers["Vary"] for answer in answers)
        assert not any("Set-Cookie" in answer.headers for answer in answers)

    def test_of_another_browser_it_is_invalid(self, server: Server, signed_in: Browser, word: str) -> None:
        stranger = Browser(server).open()
        refused = signed_in.api("POST", "/projects", {"project_name": word}, {CSRF: stranger.token})
        assert message(expect(refused, 403).json()) == "CSRF token invalid"

    def test_a_cookie_that_we_have_not_sealed_is_replaced(self, signed_in: Browser, word: str) -> None:
        sealed = signed_in.cookies["_gorilla_csrf"]
        changed = ("B" if sealed[0] == "A" else "A") + sealed[1:]
        for forged in ("", "x", "A" * 86, changed, "\xfc"):
            signed_in.cookies["_gorilla_csrf"] = forged
            refused = signed_in.api("POST", "/projects", {"project_name": word})
            assert message(expect(refused, 403).json()) == "CSRF token invalid"
            assert signed_in.cookies["_gorilla_csrf"] != forged
            assert "=" not in signed_in.cookies["_gorilla_csrf"]
        expect(signed_in.api("POST", "/projects", {"project_name": word}), 201)

    def test_a_form_may_bring_it_in_a_field(self, browser: Browser, user: Client) -> None:
        token, browser.token = browser.open().token, ""
        login = {"principal": user.username, "password": PASSWORD}
        assert message(expect(browser.post("/c/login", **login), 403).json()) == "CSRF token not found in request"
        browser.token = ""
        expect(browser.post("/c/login", **login | {"gorilla.csrf.Token": token}), 200)
        expect(browser.api("GET", "/users/current"), 200)

    def test_a_session_asks_for_it_whatever_else_is_sent(self, signed_in: Browser, user: Client, word: str) -> None:
        signed_in.token = ""
        refused = signed_in.api("POST", "/projects", {"project_name": word}, user.basic())
        assert message(expect(refused, 403).json()) == "CSRF token not found in request"
        expect(user.api("POST", "/projects", {"project_name": word}), 201)

    def test_cookies_in_several_lines(self, server: Server, signed_in: Browser, word: str) -> None:
        """As Terraform's provider sends them after a refusal."""
        connection = Client(server.url).connection()
        connection.putrequest("POST", "/api/v2.0/projects")
        body = b'{"project_name":"%s"}' % word.encode()
        lines = [(CSRF, signed_in.token), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        lines += [("Cookie", f"{name}={value}") for name, value in signed_in.cookies.items()]
        for name, value in lines:
            connection.putheader(name, value)
        connection.endheaders(body)
        assert connection.getresponse().status == 201
        connection.close()


class TestEnds:
    def test_with_the_password(self, server: Server, signed_in: Browser, user: Client) -> None:
        own = f"/users/{user_id(user)}/password"
        elsewhere = Browser(server)
        expect(elsewhere.sign_in(user.username, PASSWORD), 200)
        expect(signed_in.api("PUT", own, {"old_password": PASSWORD, "new_password": FRESH}), 200)
        for browser in (signed_in, elsewhere):
            expect(browser.api("GET", "/users/current"), 401)
        expect(signed_in.sign_in(user.username, FRESH), 200)

    def test_with_the_account(self, server: Server, signed_in: Browser, user: Client, admin: Client) -> None:
        expect(admin.api("DELETE", f"/users/{user_id(user)}"), 200)
        expect(signed_in.api("GET", "/users/current"), 401)
        assert not query(server, "SELECT 1 FROM session WHERE fingerprint = ?", fingerprint(signed_in))

    def test_an_administrators_rights_end_at_once_and_begin_with_the_next(
        self, server: Server, signed_in: Browser, user: Client, admin: Client
    ) -> None:
        flag = f"/users/{user_id(user)}/sysadmin"
        expect(admin.api("PUT", flag, {"sysadmin_flag": True}), 200)
        expect(signed_in.api("GET", "/users"), 403)
        later = Browser(server)
        expect(later.sign_in(user.username, PASSWORD), 200)
        expect(later.api("GET", "/users"), 200)
        expect(admin.api("PUT", flag, {"sysadmin_flag": False}), 200)
        expect(later.api("GET", "/users"), 403)
        expect(later.api("GET", "/users/current"), 200)

    def test_an_hour_after_its_last_use(self, server: Server, signed_in: Browser) -> None:
        used_ago(server, signed_in, 59)
        before = last_used(server, signed_in)
        expect(signed_in.api("GET", "/users/current"), 200)
        wait_for(lambda: last_used(server, signed_in) > before, "the use to be written")
        used_ago(server, signed_in, 61)
        expect(signed_in.api("GET", "/users/current"), 401)

    def test_a_page_that_polls_does_not_keep_it(self, server: Server, signed_in: Browser, user: Client) -> None:
        other = Browser(server)
        expect(other.sign_in(user.username, PASSWORD), 200)
        for browser in (signed_in, other):
            used_ago(server, browser, 59)
        before, others = last_used(server, signed_in), last_used(server, other)
        expect(signed_in.api("GET", "/users/current", headers={"X-Harbor-No-Session-Renewal": "true"}), 200)
        expect(other.api("GET", "/users/current"), 200)
        wait_for(lambda: last_used(server, other) > others, "a later use to be written")
        assert last_used(server, signed_in) == before

    def test_a_use_within_the_minute_is_not_written(self, server: Server, signed_in: Browser) -> None:
        before = last_used(server, signed_in)
        for _ in range(5):
            expect(signed_in.api("GET", "/users/current"), 200)
        assert last_used(server, signed_in) == before


@pytest.fixture
def own(request: pytest.FixtureRequest, deployments: Deployments, tmp_path: Path) -> Iterator[Server]:
    """A server whose configuration no other test minds."""
    started = deployments.start(getattr(request, "param", "sqlite"), tmp_path)
    yield started
    started.stop()


def test_the_timeout_acts_on_sessions_that_are(own: Server) -> None:
    browser = Browser(own)
    expect(browser.sign_in("admin", own.password), 200)
    used_ago(own, browser, 10)
    expect(own.client().api("PUT", "/configurations", {"session_timeout": 9}), 200)
    expect(browser.api("GET", "/users/current"), 401)
    expect(own.client().api("PUT", "/configurations", {"session_timeout": 20}), 200)
    expect(browser.api("GET", "/users/current"), 200)
    used_ago(own, browser, 30)
    stale = fingerprint(browser)
    expect(browser.sign_in("admin", own.password), 200)
    assert not query(own, "SELECT 1 FROM session WHERE fingerprint = ?", stale)


@pytest.mark.parametrize("own", ["postgresql"], indirect=True)
def test_any_node_serves_it(own: Server, tmp_path: Path) -> None:
    node = Server(tmp_path / "node", environment={"MOORING_DATABASE__URL": own.settings["MOORING_DATABASE__URL"]})
    browser = Browser(own)
    expect(browser.sign_in("admin", own.password), 200)
    elsewhere = Browser(node)
    elsewhere.cookies, elsewhere.token = browser.cookies, browser.token
    expect(elsewhere.api("POST", "/projects", {"project_name": "roaming"}), 201)
    wrong = Browser(own)
    expect(wrong.sign_in("admin", "Wrong-1234567"), 401)
    lock(own, "admin")
    expect(node.client().api("GET", "/users/current"), 401)
    expect(elsewhere.send("GET", "/c/log_out"), 200)
    expect(browser.api("GET", "/users/current"), 401)
    node.stop()


def test_registering_oneself(own: Server) -> None:
    ann = {"username": "ann", "email": "ann@example.org", "realname": "Ann", "password": PASSWORD}
    visitor, scripted = Browser(own).open(), own.client("", "")
    expect(visitor.api("POST", "/users", ann), 401)
    refused = expect(visitor.post("/c/userExists", target="username", value="ann"), 412)
    assert refused.body == b"self registration deactivated, only sysadmin can check user existence"
    expect(own.client().api("PUT", "/configurations", {"self_registration": True}), 200)
    told = expect(scripted.api("POST", "/users", ann), 403)
    assert message(told.json()) == "self-registration cannot be triggered via API"
    for target, value, taken in (("username", "ann", False), ("username", "ADMIN", True), ("email", "a@b.c", False)):
        assert expect(visitor.post("/c/userExists", target=target, value=value), 200).json() is taken
    expect(visitor.post("/c/userExists", target="realname", value="ann"), 400)
    expect(visitor.api("POST", "/users", ann | {"sysadmin_flag": True, "admin_role_in_auth": True}), 201)
    assert expect(visitor.post("/c/userExists", target="email", value="Ann@Example.org"), 200).json() is True
    expect(visitor.sign_in("ann", PASSWORD), 200)
    assert expect(visitor.api("GET", "/users/current"), 200).json()["sysadmin_flag"] is False


def test_read_only_mode_lets_people_in(own: Server) -> None:
    expect(own.client().api("PUT", "/configurations", {"read_only": True}), 200)
    browser = Browser(own)
    expect(browser.sign_in("admin", own.password), 200)
    assert expect(browser.post("/c/userExists", target="username", value="admin"), 200).json() is True
    assert expect(browser.api("POST", "/projects", {"project_name": "p1"}), 403).codes() == ["DENIED"]


def test_everybody_stays_apart(server: Server, new_user: NewUser) -> None:
    """Credentials go before the session; wrong ones do not undo it."""
    one, other = new_user(), new_user()
    browser = Browser(server)
    expect(browser.sign_in(one.username, PASSWORD), 200)
    for headers, who in ((other.basic(), other), (server.client(other.username, "Wrong-1234567").basic(), one)):
        assert expect(browser.api("GET", "/users/current", headers=headers), 200).json()["username"] == who.username


def test_a_failure_is_recorded_with_as_much_as_a_name_can_have(server: Server, admin: Client, word: str) -> None:
    expect(Browser(server).sign_in(word + "x" * 100_000, "Wrong-1234567"), 401)
    (record,) = expect(admin.api("GET", f"/auditlog-exts?q=resource=~{word}"), 200).json()
    assert len(record["resource"]) == 255
    assert record["operation_result"] is False
