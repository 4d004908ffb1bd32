"""The configuration as the API spells it. A test holds both lists of keys to be those of keys.py."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct, structs

from mooring.features.configuration.keys import HIDDEN, SECRET, Configuration


class StringConfigItem(Struct):
    value: str
    editable: bool


class BoolConfigItem(Struct):
    value: bool
    editable: bool


class IntegerConfigItem(Struct):
    value: int
    editable: bool


_ITEMS: Final[Mapping[type, Any]] = {str: StringConfigItem, bool: BoolConfigItem, int: IntegerConfigItem}


class Configurations(Struct):
    """What is to change: a key that is absent or null keeps its value."""

    auth_mode: str | None = None
    primary_auth_mode: bool | None = None
    project_creation_restriction: str | None = None
    self_registration: bool | None = None
    read_only: bool | None = None
    token_expiration: int | None = None
    session_timeout: int | None = None
    robot_token_duration: int | None = None
    robot_name_prefix: str | None = None
    notification_enable: bool | None = None
    quota_per_project_enable: bool | None = None
    storage_per_project: int | None = None
    audit_log_forward_endpoint: str | None = None
    skip_audit_log_database: bool | None = None
    disabled_audit_log_event_types: str | None = None
    scanner_skip_update_pulltime: bool | None = None
    banner_message: str | None = None
    ldap_base_dn: str | None = None
    ldap_filter: str | None = None
    ldap_group_base_dn: str | None = None
    ldap_group_admin_dn: str | None = None
    ldap_group_attribute_name: str | None = None
    ldap_group_search_filter: str | None = None
    ldap_group_search_scope: int | None = None
    ldap_group_attach_parallel: bool | None = None
    ldap_scope: int | None = None
    ldap_search_dn: str | None = None
    ldap_search_password: str | None = None
    ldap_timeout: int | None = None
    ldap_uid: str | None = None
    ldap_url: str | None = None
    ldap_verify_cert: bool | None = None
    ldap_group_membership_attribute: str | None = None
    uaa_client_id: str | None = None
    uaa_client_secret: str | None = None
    uaa_endpoint: str | None = None
    uaa_verify_cert: bool | None = None
    http_authproxy_endpoint: str | None = None
    http_authproxy_tokenreview_endpoint: str | None = None
    http_authproxy_admin_groups: str | None = None
    http_authproxy_admin_usernames: str | None = None
    http_authproxy_verify_cert: bool | None = None
    http_authproxy_skip_search: bool | None = None
    http_authproxy_server_certificate: str | None = None
    oidc_name: str | None = None
    oidc_endpoint: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_groups_claim: str | None = None
    oidc_admin_group: str | None = None
    oidc_group_filter: str | None = None
    oidc_scope: str | None = None
    oidc_user_claim: str | None = None
    oidc_verify_cert: bool | None = None
    oidc_auto_onboard: bool | None = None
    oidc_extra_redirect_parms: str | None = None
    oidc_logout: bool | None = None

    def values(self) -> dict[str, bool | int | str]:
        """What was sent."""
        return {name: value for name, value in structs.asdict(self).items() if value is not None}


class ConfigurationsResponse(Struct, omit_defaults=True, kw_only=True):
    """Every key with its value but the secrets. `scan_all_policy` is a leftover of Harbor's and always empty."""

    auth_mode: StringConfigItem
    primary_auth_mode: BoolConfigItem
    project_creation_restriction: StringConfigItem
    self_registration: BoolConfigItem
    read_only: BoolConfigItem
    token_expiration: IntegerConfigItem
    session_timeout: IntegerConfigItem
    robot_token_duration: IntegerConfigItem
    robot_name_prefix: StringConfigItem
    notification_enable: BoolConfigItem
    quota_per_project_enable: BoolConfigItem
    storage_per_project: IntegerConfigItem
    audit_log_forward_endpoint: StringConfigItem
    skip_audit_log_database: BoolConfigItem
    disabled_audit_log_event_types: StringConfigItem
    scanner_skip_update_pulltime: BoolConfigItem
    banner_message: StringConfigItem
    ldap_base_dn: StringConfigItem
    ldap_filter: StringConfigItem
    ldap_group_base_dn: StringConfigItem
    ldap_group_admin_dn: StringConfigItem
    ldap_group_attribute_name: StringConfigItem
    ldap_group_search_filter: StringConfigItem
    ldap_group_search_scope: IntegerConfigItem
    ldap_group_attach_parallel: BoolConfigItem
    ldap_scope: IntegerConfigItem
    ldap_search_dn: StringConfigItem
    ldap_timeout: IntegerConfigItem
    ldap_uid: StringConfigItem
    ldap_url: StringConfigItem
    ldap_verify_cert: BoolConfigItem
    ldap_group_membership_attribute: StringConfigItem
    uaa_client_id: StringConfigItem
    uaa_endpoint: StringConfigItem
    uaa_verify_cert: BoolConfigItem
    http_authproxy_endpoint: StringConfigItem
    http_authproxy_tokenreview_endpoint: StringConfigItem
    http_authproxy_admin_groups: StringConfigItem
    http_authproxy_admin_usernames: StringConfigItem
    http_authproxy_verify_cert: BoolConfigItem
    http_authproxy_skip_search: BoolConfigItem
    http_authproxy_server_certificate: StringConfigItem
    oidc_name: StringConfigItem
    oidc_endpoint: StringConfigItem
    oidc_client_id: StringConfigItem
    oidc_groups_claim: StringConfigItem
    oidc_admin_group: StringConfigItem
    oidc_group_filter: StringConfigItem
    oidc_scope: StringConfigItem
    oidc_user_claim: StringConfigItem
    oidc_verify_cert: BoolConfigItem
    oidc_auto_onboard: BoolConfigItem
    oidc_extra_redirect_parms: StringConfigItem
    oidc_logout: BoolConfigItem
    uaa_client_secret: StringConfigItem | None = None  # while there is none
    scan_all_policy: Mapping[str, str]

    @classmethod
    def of(cls, configuration: Configuration, is_editable: Callable[[str], bool]) -> "ConfigurationsResponse":
        items = {
            name: _ITEMS[type(value)](value, is_editable(name))
            for name, value in structs.asdict(configuration).items()
            if name not in HIDDEN and (name not in SECRET or (name == "uaa_client_secret" and not value))
        }
        return cls(**items, scan_all_policy={})
