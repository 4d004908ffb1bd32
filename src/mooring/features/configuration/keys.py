"""The keys of the configuration that the API changes, with types and defaults (Harbor's)."""

from msgspec import Struct


class Configuration(Struct, frozen=True, kw_only=True):
    """One value for every key."""

    auth_mode: str = "db_auth"
    project_creation_restriction: str = "everyone"  # or adminonly
    self_registration: bool = False
    read_only: bool = False
    token_expiration: int = 30  # minutes
    session_timeout: int = 60  # minutes
    robot_token_duration: int = 30  # days
    robot_name_prefix: str = "robot$"
    quota_per_project_enable: bool = True
    storage_per_project: int = -1  # bytes, -1 for no limit
