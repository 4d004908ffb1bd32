"""Changing the configuration. What is refused is refused in Harbor's words, since scripts look for them."""

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, Forbidden
from mooring.core.events import ConfigurationChanged
from mooring.db.events import emit
from mooring.db.turns import take_turns
from mooring.features.configuration.keys import SECRET, Configuration
from mooring.features.configuration.queries import Current, Value
from mooring.features.configuration.tables import configuration

AUTH_MODES: Final = ("db_auth", "ldap_auth", "uaa_auth", "http_auth", "oidc_auth")
UNLIMITED: Final = -1

_MAX_STORAGE: Final = 1024**5  # bytes
_MAX_NUMBER: Final = 9_999_999_999
_POSITIVE: Final = ("token_expiration", "robot_token_duration", "session_timeout")
_SCOPES: Final = ("ldap_scope", "ldap_group_search_scope")
_NEEDED: Final = ("ldap_url", "ldap_base_dn", "ldap_uid")
_GROUPS: Final = frozenset({"ldap_group_search_filter", "ldap_group_attribute_name", "ldap_group_membership_attribute"})


def change(
    connection: Connection, actor: Actor, current: Current, values: Mapping[str, Value], *, people_exist: bool
) -> None:
    """Set these keys and leave the others. Raises Forbidden, BadRequest; then nothing is set.

    `people_exist` tells whether anybody but the first administrator has an account: they would be shut out by another
    way to sign in.
    """
    if current.is_frozen:
        raise Forbidden("the configuration comes from the environment (CONFIG_OVERWRITE_JSON), so it is changed there")
    take_turns(connection, ["configuration"])
    before = current.inside(connection)
    values = {name: str(value).strip() if name == "robot_name_prefix" else value for name, value in values.items()}
    if people_exist and values.get("auth_mode", before.auth_mode) != before.auth_mode:
        raise BadRequest("the auth mode cannot be modified as new users have been inserted into database")
    check(values, msgspec.structs.replace(before, **values))
    for name, value in values.items():
        if name in SECRET and value and current.vault:
            value = current.vault.seal(str(value))
        _store(connection, name, value)
    emit(connection, ConfigurationChanged(actor=actor, names=tuple(sorted(values))))


def check(values: Mapping[str, Value], after: Configuration) -> None:
    """Raise BadRequest for a value that none can be; `after` is the whole with these values."""
    for name, value in values.items():
        if isinstance(value, int):
            _check_number(name, value)
        else:
            _check_text(name, value)
    if not _GROUPS.isdisjoint(values) and after.ldap_group_search_filter:
        for name in ("ldap_group_attribute_name", "ldap_group_membership_attribute"):
            if not getattr(after, name):
                raise BadRequest(f"bad request: {name} cannot be empty while ldap_group_search_filter is set")
    if after.skip_audit_log_database and not after.audit_log_forward_endpoint:
        raise BadRequest(
            "bad request: audit log forward endpoint should be configured before enable skip audit log in database"
        )


def check_storage(size: int, *, prefix: str = "") -> None:
    """Raise BadRequest for what is no limit of a project's bytes; -1 is none. The prefix goes before the message."""
    if size <= 0 and size != UNLIMITED:
        raise BadRequest(f"{prefix}invalid non-positive value for quota limit, value={size}")
    if size > _MAX_STORAGE:
        raise BadRequest(f"{prefix}exceeded 1024TB, which is {_MAX_STORAGE} Bytes, value={size}")


def _check_number(name: str, value: int) -> None:
    if name in _POSITIVE and value <= 0:
        raise BadRequest(f"the {name} value must be positive")
    if name in _POSITIVE and value > _MAX_NUMBER:
        raise BadRequest(f"the {name} value is over the limit value: {_MAX_NUMBER}")
    if name in _SCOPES and value not in (0, 1, 2):
        raise _item(name, "invalid scope, should be 0, 1 or 2")
    if name == "storage_per_project":
        check_storage(value, prefix="bad request: ")


def _check_text(name: str, value: str) -> None:
    if name in _NEEDED and not value:
        raise _item(name, "the configure value can not be empty")
    if name == "auth_mode" and value not in AUTH_MODES:
        raise _item(name, f"invalid auth_mode, should be one of {', '.join(AUTH_MODES)}")
    if name == "project_creation_restriction" and value not in ("everyone", "adminonly"):
        raise _item(name, "invalid project_creation_restriction, should be adminonly or everyone")
    if name == "robot_name_prefix":
        if not value:
            raise BadRequest("bad request: robot_name_prefix cannot be empty or contain only spaces")
        if ":" in value or not value.isprintable():
            # A colon ends the name in Basic credentials (RFC 7617 section 2): no robot could sign in any more.
            raise BadRequest("bad request: robot_name_prefix cannot contain a colon or control characters")


def _item(name: str, what: str) -> BadRequest:
    return BadRequest(f"bad request: item name {name}: {what}")


def _store(connection: Connection, name: str, value: Value) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    text = msgspec.json.encode(value).decode()
    statement = dialect.insert(configuration).values(name=name, value=text)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": text}))
