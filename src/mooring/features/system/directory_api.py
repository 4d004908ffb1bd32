"""Asking directories of people (LDAP, OpenID Connect), which this version does not: 412 for those who may ask."""

from typing import Final, NoReturn

from litestar import get, post
from litestar.params import FromQuery, JSONBody
from msgspec import Struct, field

from mooring.core.errors import Precondition
from mooring.http.access import system


class LdapConf(Struct):
    ldap_url: str = ""
    ldap_search_dn: str = ""
    ldap_search_password: str = ""
    ldap_base_dn: str = ""
    ldap_filter: str = ""
    ldap_uid: str = ""
    ldap_scope: int = 0
    ldap_connection_timeout: int = 0
    ldap_verify_cert: bool = False


class LdapImportUsers(Struct):
    ldap_uid_list: list[str] = field(default_factory=list)


class PingOIDCBody(Struct):
    url: str = ""
    verify_cert: bool = False


@post(
    "/ldap/ping",
    access=system("configuration", "read"),
    body="ldapconf",
    tag="Ldap",
    operation_id="pingLdap",
    refuses=(412,),
    status_code=200,
)
async def ping_ldap(data: JSONBody[LdapConf]) -> None:
    _refuse("LDAP")


@get(
    "/ldap/users/search", access=system("ldap-user", "list"), tag="Ldap", operation_id="searchLdapUser", refuses=(412,)
)
async def search_ldap_users(username: FromQuery[str] = "") -> None:
    _refuse("LDAP")


@post(
    "/ldap/users/import",
    access=system("ldap-user", "create"),
    body="uidList",
    tag="Ldap",
    operation_id="importLdapUser",
    refuses=(412,),
    status_code=200,
)
async def import_ldap_users(data: JSONBody[LdapImportUsers]) -> None:
    _refuse("LDAP")


@get(
    "/ldap/groups/search",
    access=system("ldap-user", "list"),
    tag="Ldap",
    operation_id="searchLdapGroup",
    refuses=(412,),
)
async def search_ldap_groups(groupname: FromQuery[str] = "", groupdn: FromQuery[str] = "") -> None:
    _refuse("LDAP")


@post(
    "/system/oidc/ping",
    access=system("configuration", "update"),
    body="endpoint",
    tag="oidc",
    operation_id="pingOIDC",
    refuses=(412,),
    status_code=200,
)
async def ping_oidc(data: JSONBody[PingOIDCBody]) -> None:
    _refuse("OpenID Connect")


def _refuse(what: str) -> NoReturn:
    raise Precondition(f"people do not sign in over {what} in this version; their accounts are in the database")


HANDLERS: Final = (ping_ldap, search_ldap_users, import_ldap_users, search_ldap_groups, ping_oidc)
