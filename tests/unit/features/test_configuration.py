"""The configuration: one list of keys everywhere, secrets sealed, and what is refused."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from msgspec import structs
from sqlalchemy import Connection, select
from tests.parts.databases import Databases

import mooring
from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, Forbidden, StartError
from mooring.core.events import ConfigurationChanged
from mooring.db.engine import Database
from mooring.features.configuration import service
from mooring.features.configuration.keys import HIDDEN, SECRET, Configuration
from mooring.features.configuration.overwrite import overwritten
from mooring.features.configuration.queries import Current, Value
from mooring.features.configuration.tables import configuration
from mooring.features.configuration.vault import Vault
from mooring.features.configuration.wire import Configurations, ConfigurationsResponse

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "configuration.md"
ADMIN = Actor(kind="user", id=1, name="admin", is_admin=True)
KEYS = structs.asdict(Configuration())
TYPES = {bool: "yes or no", int: "number", str: "text"}


@pytest.fixture
def events() -> list[ConfigurationChanged]:
    return []


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, databases: Databases, events: list[ConfigurationChanged]) -> Iterator[Database]:
    database = Database(databases.url(request.param))
    database.follow({ConfigurationChanged: [lambda _, event: events.append(event)]})
    yield database
    database.close_now()


@pytest.fixture
def current(db: Database) -> Current:
    return Current(db.reader, vault=Vault(Fernet.generate_key().decode()))


def change(db: Database, current: Current, **values: Value) -> None:
    db.write_now(service.change, ADMIN, current, values, people_exist=False)


def stored(connection: Connection) -> dict[str, str]:
    return dict(map(tuple, connection.execute(select(configuration.c.name, configuration.c.value))))


def rows() -> dict[str, tuple[str, str, str]]:
    """Type, default and whether it acts, by key, as the page says it."""
    table = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|(.*?)\| ([\w ]+) \| .+ \|$", PAGE.read_text(), re.MULTILINE)
    return {name: (kind, default.strip(" `"), acts) for name, kind, default, acts in table}


def test_the_api_knows_every_key_and_shows_no_secret() -> None:
    assert set(Configurations.__struct_fields__) == KEYS.keys() - HIDDEN
    assert set(ConfigurationsResponse.__struct_fields__) - {"scan_all_policy", "uaa_client_secret"} == (
        KEYS.keys() - HIDDEN - SECRET
    )
    kinds = {name: type(value) for name, value in KEYS.items() if name not in HIDDEN}
    assert {name: hint.__args__[0] for name, hint in Configurations.__annotations__.items()} == kinds


def test_the_page_lists_every_key_as_it_is() -> None:
    shown = {True: "true", False: "false"}
    expected = {
        name: (TYPES[type(value)], shown[value] if isinstance(value, bool) else str(value))
        for name, value in KEYS.items()
    }
    assert {name: row[:2] for name, row in rows().items()} == expected


def test_keys_act_as_the_page_says() -> None:
    """A key that acts is read somewhere; one that does not is read at most to be shown."""
    sources = Path(mooring.__file__).parent.rglob("*.py")
    read = "\n".join(path.read_text() for path in sources if path.parent.name not in ("configuration", "settings"))
    for name, (_, _, acts) in rows().items():
        is_read = re.search(rf"\.(is_)?{name}\b", read) is not None
        assert acts in ("yes", "shown only", "not yet"), name
        assert is_read == (acts != "not yet") or name.startswith(("http_authproxy", "oidc_name")), name


def test_a_change_is_seen_by_every_process_and_told_to_listeners(
    db: Database, current: Current, events: list[ConfigurationChanged]
) -> None:
    async def scenario() -> None:
        other = Current(db.reader, Configuration(token_expiration=77))
        assert (await other.read()).token_expiration == 77
        await db.write(service.change, ADMIN, current, {"token_expiration": 5, "read_only": True}, people_exist=False)
        assert (await other.read()).token_expiration == (await current.read()).token_expiration == 5
        assert await other.is_read_only()
        await db.write(service.change, ADMIN, current, {"read_only": False}, people_exist=False)
        assert not await other.is_read_only()
        assert (await other.read()).token_expiration == 5
        await db.reader.close()

    asyncio.run(scenario())
    assert [(event.actor, event.names) for event in events] == [
        (ADMIN, ("read_only", "token_expiration")),
        (ADMIN, ("read_only",)),
    ]


def test_secrets_are_sealed_at_rest_and_opened_for_who_has_the_key(db: Database, current: Current) -> None:
    change(db, current, ldap_search_password="Open-sesame", oidc_client_secret="Open-sesame", ldap_url="ldap://l")
    rows = db.read_now(stored)
    assert rows["ldap_url"] == '"ldap://l"'
    assert "Open-sesame" not in "".join(rows.values())
    assert rows["ldap_search_password"] != rows["oidc_client_secret"]
    assert db.read_now(current.inside).ldap_search_password == "Open-sesame"
    assert "Open-sesame" not in repr(db.read_now(current.inside))
    other = Current(db.reader, vault=Vault(Fernet.generate_key().decode()))
    assert db.read_now(other.inside).ldap_search_password == ""
    change(db, current, ldap_search_password="")
    assert db.read_now(current.inside).ldap_search_password == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"auth_mode": "magic"}, "item name auth_mode: invalid auth_mode"),
        ({"robot_name_prefix": "a:b"}, "cannot contain a colon"),
        ({"robot_name_prefix": "a\tb"}, "control characters"),
        ({"ldap_group_search_scope": 3}, "item name ldap_group_search_scope: invalid scope"),
        ({"ldap_base_dn": ""}, "item name ldap_base_dn: the configure value can not be empty"),
        ({"ldap_group_search_filter": "(a=b)"}, "ldap_group_attribute_name cannot be empty"),
        (
            {
                "ldap_group_search_filter": "f",
                "ldap_group_attribute_name": "cn",
                "ldap_group_membership_attribute": "",
            },
            "ldap_group_membership_attribute cannot be empty",
        ),
        ({"skip_audit_log_database": True}, "audit log forward endpoint should be configured"),
        ({"session_timeout": 10**10}, "over the limit value"),
        ({"storage_per_project": 1024**5 + 1}, "exceeded 1024TB"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    db: Database, current: Current, events: list[ConfigurationChanged], values: dict[str, Value], message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        change(db, current, banner_message="lost", **values)
    assert db.read_now(stored) == {}
    assert events == []


def test_the_limits_themselves_are_taken(db: Database, current: Current) -> None:
    values = {"session_timeout": 10**10 - 1, "token_expiration": 1, "storage_per_project": 1024**5, "ldap_scope": 0}
    change(db, current, **values, robot_name_prefix="  bot-  ")
    assert structs.asdict(db.read_now(current.inside)).items() >= {**values, "robot_name_prefix": "bot-"}.items()


def test_the_forward_endpoint_stays_while_nothing_else_keeps_the_log(db: Database, current: Current) -> None:
    change(db, current, audit_log_forward_endpoint="syslog:514", skip_audit_log_database=True)
    with pytest.raises(BadRequest, match="should be configured"):
        change(db, current, audit_log_forward_endpoint="")
    change(db, current, audit_log_forward_endpoint="", skip_audit_log_database=False)


def test_the_way_to_sign_in_changes_only_before_there_are_people(db: Database, current: Current) -> None:
    for mode in ("ldap_auth", "db_auth"):
        change(db, current, auth_mode=mode)
    db.write_now(service.change, ADMIN, current, {"auth_mode": "db_auth"}, people_exist=True)
    with pytest.raises(BadRequest, match="the auth mode cannot be modified as new users have been inserted"):
        db.write_now(service.change, ADMIN, current, {"auth_mode": "oidc_auth"}, people_exist=True)


def test_what_the_machine_sets_holds_and_freezes_the_rest(db: Database, current: Current) -> None:
    change(db, current, read_only=True, session_timeout=7, token_expiration=8)
    frozen = Current(db.reader, overwritten=overwritten('{"read_only": false, "session_timeout": 9}'))

    async def scenario() -> None:
        now = await frozen.read()
        assert (now.read_only, now.session_timeout, now.token_expiration) == (False, 9, 8)
        assert not await frozen.is_read_only()
        await db.reader.close()

    asyncio.run(scenario())
    with pytest.raises(Forbidden, match="CONFIG_OVERWRITE_JSON"):
        change(db, frozen, token_expiration=10)
    assert Current(db.reader, overwritten=overwritten("{}")).is_frozen
    assert not Current(db.reader, overwritten=overwritten(None)).is_frozen


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("read_only", "is no JSON object"),
        ("[]", "is no JSON object"),
        ('{"read_only": null}', "is no JSON object"),
        ('{"read_onyl": true}', "read_onyl is no key"),
        ('{"read_only": 1}', "read_only is of type bool"),
        ('{"token_expiration": true}', "token_expiration is of type int"),
        ('{"token_expiration": 0}', "must be positive"),
    ],
)
def test_nonsense_from_the_environment_stops_the_start(text: str, sentence: str) -> None:
    with pytest.raises(StartError, match=f"CONFIG_OVERWRITE_JSON.*{sentence}"):
        overwritten(text)
