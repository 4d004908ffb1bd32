"""The keys of the configuration that the API changes, with types and defaults (Harbor's)."""

from typing import Final

from msgspec import Struct

# Kept sealed, and shown by no GET.
SECRET: Final = frozenset({"ldap_search_password", "oidc_client_secret", "uaa_client_secret"})
# Only CONFIG_OVERWRITE_JSON sets these; the API does not know them, as in Harbor.
HIDDEN: Final = frozenset({"pull_time_update_disable", "pull_count_update_disable", "pull_audit_log_disable"})


class Configuration(Struct, frozen=True, kw_only=True):
    """One value for every key."""

    auth_mode: str = "db_auth"
    primary_auth_mode: bool = False
    project_creation_restriction: str = "everyone"  # or adminonly
    self_registration: bool = False
    read_only: bool = False
    token_expiration: int = 30  # minutes
    session_timeout: int = 60  # minutes
    robot_token_duration: int = 30  # days
    robot_name_prefix: str = "robot$"
    notification_enable: bool = True
    quota_per_project_enable: bool = True
    storage_per_project: int = -1  # bytes, -1 for no limit
    audit_log_forward_endpoint: str = ""  # host:port
    skip_audit_log_database: bool = False
    disabled_audit_log_event_types: str = ""  # <operation>_<resource type>, separated by commas
    scanner_skip_update_pulltime: bool = False
    banner_message: str = ""  # JSON, which only browsers read
    pull_time_update_disable: bool = False
    pull_count_update_disable: bool = False
    pull_audit_log_disable: bool = False

    ldap_base_dn: str = ""
    ldap_filter: str = ""
    ldap_group_base_dn: str = ""
    ldap_group_admin_dn: str = ""
    ldap_group_attribute_name: str = ""
    ldap_group_search_filter: str = ""
    ldap_group_search_scope: int = 2  # as ldap_scope
    ldap_group_attach_parallel: bool = False
    ldap_scope: int = 2  # 0 base, 1 one level, 2 subtree
    ldap_search_dn: str = ""
    ldap_search_password: str = ""
    ldap_timeout: int = 5  # seconds
    ldap_uid: str = "cn"
    ldap_url: str = ""
    ldap_verify_cert: bool = True
    ldap_group_membership_attribute: str = "memberof"

    uaa_client_id: str = ""
    uaa_client_secret: str = ""
    uaa_endpoint: str = ""
    uaa_verify_cert: bool = False

    http_authproxy_endpoint: str = ""
    http_authproxy_tokenreview_endpoint: str = ""
    http_authproxy_admin_groups: str = ""
    http_authproxy_admin_usernames: str = ""
    http_authproxy_verify_cert: bool = True
    http_authproxy_skip_search: bool = False
    http_authproxy_server_certificate: str = ""

    oidc_name: str = ""
    oidc_endpoint: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_groups_claim: str = ""
    oidc_admin_group: str = ""
    oidc_group_filter: str = ""
    oidc_scope: str = ""
    oidc_user_claim: str = ""
    oidc_verify_cert: bool = True
    oidc_auto_onboard: bool = False
    oidc_extra_redirect_parms: str = "{}"
    oidc_logout: bool = False

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.__struct_fields__ if name not in SECRET)
        return f"Configuration({', '.join(f'{name}={value!r}' for name, value in shown)})"
