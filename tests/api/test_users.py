"""People's accounts."""

import pytest

from tests.api.conftest import PASSWORD, NewUser, user_id
from tests.parts.client import Client, expect
from tests.parts.server import Server


def profile(word: str, **changes: str) -> dict[str, str]:
    return {"username": word, "email": f"{word}@example.org", "realname": "R", "password": PASSWORD} | changes


def test_a_new_user_is_listed_and_found(admin: Client, user: Client, word: str) -> None:
    made = expect(admin.api("POST", "/users", profile(word, comment="first")), 201)
    number = int(made.headers["Location"].removeprefix("/api/v2.0/users/"))
    found = expect(admin.api("GET", f"/users?q=username%3D{word}"), 200)
    (shown,) = found.json()
    assert {"creation_time", "update_time"} <= set(shown)
    assert {name: shown[name] for name in shown if not name.endswith("time")} == {
        "user_id": number,
        "username": word,
        "email": f"{word}@example.org",
        "realname": "R",
        "comment": "first",
        "sysadmin_flag": False,
        "admin_role_in_auth": False,
    }
    searched = expect(user.api("GET", f"/users/search?username={word[:-1]}"), 200)
    assert searched.json() == [{"user_id": number, "username": word}]


def test_the_first_administrator_is_not_listed(admin: Client) -> None:
    listed = expect(admin.api("GET", "/users?page_size=0"), 200).json()
    assert listed
    assert "admin" not in [user["username"] for user in listed]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"username": ""}, "username with illegal length"),
        ({"username": "a,b"}, "username contains illegal characters"),
        ({"email": ""}, "email can't be empty"),
        ({"email": "nothing"}, "email with illegal format"),
        ({"realname": ""}, "realname with illegal length"),
        ({"realname": "a#b"}, "realname contains illegal characters"),
        ({"comment": "c" * 31}, "comment with illegal length"),
        ({"password": "Abcdefgh"}, "the password or secret must be 8-128"),
        ({"password": "abcdefg1"}, "the password or secret must be 8-128"),
        ({"password": "Aa1" + "x" * 126}, "the password or secret must be 8-128"),
    ],
)
def test_what_nobody_can_be(admin: Client, word: str, change: dict[str, str], message: str) -> None:
    refused = expect(admin.api("POST", "/users", profile(word, **change)), 400)
    assert refused.json()["errors"][0]["message"].startswith(message)


@pytest.mark.parametrize("change", [{"username": "{0}"}, {"email": "{0}@EXAMPLE.org"}, {"username": "{0}@example.org"}])
def test_names_and_addresses_are_unique_in_any_case(
    admin: Client, user: Client, word: str, change: dict[str, str]
) -> None:
    taken = {name: value.format(user.username.upper()) for name, value in change.items()}
    assert expect(admin.api("POST", "/users", profile(word, **taken)), 409).codes() == ["CONFLICT"]


def test_everybody_reads_and_changes_themselves_alone(admin: Client, new_user: NewUser) -> None:
    one, other = new_user(), new_user()
    own = f"/users/{user_id(one)}"
    change = {"email": f"{one.username}@new.example.org", "realname": "New", "username": "ignored"}
    expect(one.api("PUT", own, change), 200)
    shown = expect(one.api("GET", own), 200).json()
    assert (shown["email"], shown["realname"], shown["username"]) == (change["email"], "New", one.username)
    for method, body in (("GET", None), ("PUT", change)):
        refused = expect(other.api(method, own, body), 403)
        assert refused.json()["errors"][0]["message"] == other.username
    taken = {"email": f"{other.username}@example.org", "realname": "R"}
    expect(one.api("PUT", own, taken), 409)
    expect(admin.api("GET", own), 200)


def test_a_new_password_ends_the_old_one(server: Server, user: Client, admin: Client) -> None:
    own = f"/users/{user_id(user)}/password"
    fresh = {"old_password": PASSWORD, "new_password": "Fresh-12345"}
    assert expect(user.api("PUT", own, fresh | {"old_password": "Wrong-12345"}), 403).codes() == ["FORBIDDEN"]
    expect(user.api("PUT", own, fresh | {"new_password": PASSWORD}), 400)
    expect(user.api("PUT", own, fresh | {"new_password": "weak"}), 400)
    expect(user.api("PUT", own, fresh), 200)
    expect(server.client(user.username, "Fresh-12345").api("GET", "/users/current"), 200)
    expect(admin.api("PUT", own, {"new_password": "Third-12345"}), 200)
    expect(server.client(user.username, "Third-12345").api("GET", "/users/current"), 200)
    expect(server.client(user.username, "Fresh-12345").api("GET", "/users/current"), 401)


def test_an_administrator_is_made_and_unmade(admin: Client, user: Client) -> None:
    own = f"/users/{user_id(user)}/sysadmin"
    expect(user.api("PUT", own, {"sysadmin_flag": True}), 403)
    expect(user.api("GET", "/users"), 403)
    expect(admin.api("PUT", own, {"sysadmin_flag": True}), 200)
    expect(user.api("GET", "/users"), 200)
    expect(user.api("PUT", own, {"sysadmin_flag": False}), 200)
    expect(user.api("GET", "/users"), 403)


def test_a_deleted_user_is_gone_and_the_name_free(admin: Client, user: Client) -> None:
    own = f"/users/{user_id(user)}"
    expect(user.api("DELETE", own), 403)
    expect(admin.api("DELETE", own), 200)
    expect(user.api("GET", "/users/current"), 401)
    assert expect(admin.api("GET", own), 404).codes() == ["NOT_FOUND"]
    expect(admin.api("DELETE", own), 404)
    expect(admin.api("POST", "/users", profile(user.username)), 201)


def test_the_first_administrator_stays(admin: Client) -> None:
    expect(admin.api("DELETE", "/users/1"), 403)


def test_ids_that_are_none(admin: Client) -> None:
    expect(admin.api("GET", "/users/abc"), 422)
    expect(admin.api("GET", "/users/99999999"), 404)


def test_a_parameter_goes_before_the_same_of_q(admin: Client, user: Client) -> None:
    listed = expect(admin.api("GET", f"/users?q=username%3Dnobody&username={user.username}"), 200).json()
    assert [each["username"] for each in listed] == [user.username]


def test_a_search_does_not_count_the_first_administrator(admin: Client, word: str) -> None:
    nobody = expect(admin.api("GET", f"/users/search?username={word}admin"), 200)
    assert (nobody.json(), nobody.headers["X-Total-Count"]) == ([], "0")
    expect(admin.api("POST", "/users", profile(f"{word}-admin")), 201)
    found = expect(admin.api("GET", "/users/search?username=admin&page_size=0"), 200)
    names = [each["username"] for each in found.json()]
    assert names[0] == "admin"
    assert f"{word}-admin" in names
    assert found.headers["X-Total-Count"] == str(len(names) - 1)


@pytest.mark.parametrize(
    "email", ["x", "x@y", "x@y.z", ".x@y.de", "x.@y.de", "x@y..de", "x@a_b.de", "a b@y.de", "x@y.de "]
)
def test_what_is_no_mail_address(admin: Client, word: str, email: str) -> None:
    refused = expect(admin.api("POST", "/users", profile(word, email=email)), 400).json()
    assert refused["errors"][0]["message"] == "email with illegal format"


@pytest.mark.parametrize("email", ["{}.b+c@sub.exa-mple.com", '"a {}"@example.com', "{}@[192.0.2.1]"])
def test_what_is_one(admin: Client, word: str, email: str) -> None:
    expect(admin.api("POST", "/users", profile(word, email=email.format(word))), 201)


def test_a_secret_for_the_command_line_needs_another_mode_whoever_asks(anonymous: Client) -> None:
    refused = expect(anonymous.api("PUT", "/users/1/cli_secret", {"secret": "x"}), 412).json()
    assert refused["errors"][0]["message"] == "unable to update CLI secret under authmode: db_auth"
