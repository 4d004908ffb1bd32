"""The installation as the API spells it."""

from msgspec import Struct


class GeneralInfo(Struct, omit_defaults=True, kw_only=True):
    """What everybody may know comes always, the rest for those who are signed in."""

    auth_mode: str
    primary_auth_mode: bool
    self_registration: bool
    banner_message: str
    oidc_provider_name: str
    current_time: str | None = None
    registry_url: str | None = None
    external_url: str | None = None
    harbor_version: str | None = None
    has_ca_root: bool | None = None
    project_creation_restriction: str | None = None
    read_only: bool | None = None
    registry_storage_provider_name: str | None = None
    notification_enable: bool | None = None


class ComponentHealthStatus(Struct, omit_defaults=True):
    name: str
    status: str
    error: str = ""


class OverallHealthStatus(Struct):
    status: str
    components: list[ComponentHealthStatus]


class Version(Struct):
    version: str
