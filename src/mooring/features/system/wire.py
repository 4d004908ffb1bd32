"""The installation as the API spells it."""

from collections.abc import Mapping

from msgspec import Struct

from mooring.core.access import STRENGTH
from mooring.core.clock import NEVER, rfc3339
from mooring.features.configuration.keys import Configuration
from mooring.features.projects.queries import View
from mooring.features.system.queries import Counts, Hit


class AuthproxySetting(Struct, omit_defaults=True):
    """The misspelled name is Harbor's."""

    endpoint: str = ""
    tokenreivew_endpoint: str = ""
    skip_search: bool = False
    verify_cert: bool = False
    server_certificate: str = ""


class GeneralInfo(Struct, omit_defaults=True, kw_only=True):
    """What everybody may know comes always, the rest for those who are signed in."""

    auth_mode: str
    primary_auth_mode: bool
    self_registration: bool
    banner_message: str
    oidc_provider_name: str
    authproxy_settings: AuthproxySetting | None = None
    current_time: str | None = None
    registry_url: str | None = None
    external_url: str | None = None
    harbor_version: str | None = None
    has_ca_root: bool | None = None
    project_creation_restriction: str | None = None
    read_only: bool | None = None
    registry_storage_provider_name: str | None = None
    notification_enable: bool | None = None

    @classmethod
    def of(cls, configuration: Configuration) -> "GeneralInfo":
        """What everybody may know."""
        proxy = None
        if configuration.auth_mode == "http_auth":
            proxy = AuthproxySetting(
                configuration.http_authproxy_endpoint,
                configuration.http_authproxy_tokenreview_endpoint,
                configuration.http_authproxy_skip_search,
                configuration.http_authproxy_verify_cert,
                configuration.http_authproxy_server_certificate,
            )
        return cls(
            auth_mode=configuration.auth_mode,
            primary_auth_mode=configuration.primary_auth_mode,
            self_registration=configuration.self_registration,
            banner_message=configuration.banner_message,
            oidc_provider_name=configuration.oidc_name if configuration.auth_mode == "oidc_auth" else "",
            authproxy_settings=proxy,
        )


class ComponentHealthStatus(Struct, omit_defaults=True):
    name: str
    status: str
    error: str = ""


class OverallHealthStatus(Struct):
    status: str
    components: list[ComponentHealthStatus]


class Version(Struct):
    version: str


class Storage(Struct):
    """A volume's size and what is free of it, in bytes."""

    total: int
    free: int


class SystemInfo(Struct):
    storage: list[Storage]


class Permission(Struct):
    resource: str
    action: str


class Permissions(Struct):
    """What may be given to robots of each level."""

    system: list[Permission] | None
    project: list[Permission]


class SearchedAllowlist(Struct):
    """What stands in the place of an allowlist where no detail is given."""

    items: None
    creation_time: str
    update_time: str


class SearchProject(Struct, omit_defaults=True, kw_only=True):
    """A project as a search shows it: without its owner's name and its allowlist."""

    project_id: int
    owner_id: int
    name: str
    creation_time: str
    update_time: str
    current_user_role_id: int = 0
    current_user_role_ids: list[int] | None
    repo_count: int
    metadata: Mapping[str, str]
    cve_allowlist: SearchedAllowlist

    @classmethod
    def of(cls, view: View) -> "SearchProject":
        project = view.project
        return cls(
            project_id=project.id,
            owner_id=project.owner_id,
            name=project.name,
            creation_time=rfc3339(project.creation_time),
            update_time=rfc3339(project.update_time),
            current_user_role_id=int(next((role for role in STRENGTH if role in view.roles), 0)),
            current_user_role_ids=sorted(int(role) for role in view.roles) or None,
            repo_count=view.repositories,
            metadata=view.metadata,
            cve_allowlist=SearchedAllowlist(None, NEVER, NEVER),
        )


class SearchRepository(Struct, omit_defaults=True, kw_only=True):
    repository_name: str
    project_id: int
    project_name: str
    project_public: bool = False
    pull_count: int = 0
    artifact_count: int = 0

    @classmethod
    def of(cls, hit: Hit) -> "SearchRepository":
        return cls(
            repository_name=hit.name,
            project_id=hit.project_id,
            project_name=hit.project,
            project_public=hit.is_public,
            pull_count=hit.pulls,
            artifact_count=hit.artifacts,
        )


class Search(Struct):
    project: list[SearchProject]
    repository: list[SearchRepository]


class Statistic(Struct, kw_only=True):
    private_project_count: int
    private_repo_count: int
    public_project_count: int
    public_repo_count: int
    total_project_count: int
    total_repo_count: int
    total_storage_consumption: int

    @classmethod
    def of(cls, counts: Counts) -> "Statistic":
        return cls(
            private_project_count=counts.private_projects,
            private_repo_count=counts.private_repositories,
            public_project_count=counts.public_projects,
            public_repo_count=counts.public_repositories,
            total_project_count=counts.total_projects,
            total_repo_count=counts.total_repositories,
            total_storage_consumption=counts.size,
        )
