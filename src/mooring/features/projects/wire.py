"""Projects and members as the API spells them."""

from typing import Annotated

from msgspec import Meta, Struct

from mooring.core.access import STRENGTH, Role
from mooring.core.clock import NEVER, rfc3339
from mooring.features.allowlists.queries import Allowlist
from mooring.features.projects.membership import Member
from mooring.features.projects.queries import View


class ProjectMetadata(Struct, omit_defaults=True):
    """What is kept beside a project; every value is text."""

    public: str | None = None
    enable_content_trust: str | None = None
    enable_content_trust_cosign: str | None = None
    prevent_vul: str | None = None
    severity: str | None = None
    auto_scan: str | None = None
    auto_sbom_generation: str | None = None
    reuse_sys_cve_allowlist: str | None = None
    retention_id: str | None = None
    proxy_speed_kb: str | None = None
    max_upstream_conn: str | None = None
    proxy_cache_local_on_not_found: str | None = None
    proxy_referrer_api: str | None = None
    proxy_cache_filter_pattern: str | None = None
    proxy_cache_filter_kind: str | None = None


class CVEAllowlistItem(Struct):
    cve_id: str = ""


class CVEAllowlist(Struct, omit_defaults=True, kw_only=True):
    id: int = 0
    project_id: int = 0
    expires_at: int | None = None
    items: list[CVEAllowlistItem] | None = None
    creation_time: str = ""
    update_time: str = ""


class ProjectReq(Struct):
    project_name: Annotated[str, Meta(max_length=255)] = ""
    public: bool | None = None
    metadata: ProjectMetadata | None = None
    cve_allowlist: CVEAllowlist | None = None
    storage_limit: int | None = None
    registry_id: int | None = None


class ShownAllowlist(Struct, omit_defaults=True, kw_only=True):
    """A project's allowlist. Its times are never set, as in Harbor; its id is of no use."""

    id: int = 0
    project_id: int = 0
    expires_at: int | None = None
    items: list[CVEAllowlistItem] | None
    creation_time: str
    update_time: str

    @classmethod
    def of(cls, allowlist: Allowlist) -> "ShownAllowlist":
        return cls(
            id=allowlist.project_id,
            project_id=allowlist.project_id,
            expires_at=allowlist.expires_at,
            items=[CVEAllowlistItem(item) for item in allowlist.items],
            creation_time=NEVER,
            update_time=NEVER,
        )


class Project(Struct, omit_defaults=True, kw_only=True):
    project_id: int
    owner_id: int
    name: str
    creation_time: str
    update_time: str
    owner_name: str = ""
    current_user_role_id: int = 0
    current_user_role_ids: list[int] | None
    repo_count: int
    metadata: ProjectMetadata | None = None
    cve_allowlist: ShownAllowlist

    @classmethod
    def of(cls, view: View, *, with_detail: bool = True) -> "Project":
        """Without detail, what stands in other tables is left out."""
        project = view.project
        nothing = ShownAllowlist(items=None, creation_time=NEVER, update_time=NEVER)
        strongest = next((role for role in STRENGTH if role in view.roles), 0)
        return cls(
            project_id=project.id,
            owner_id=project.owner_id,
            name=project.name,
            creation_time=rfc3339(project.creation_time),
            update_time=rfc3339(project.update_time),
            owner_name=view.owner if with_detail else "",
            current_user_role_id=int(strongest),
            current_user_role_ids=sorted(int(role) for role in view.roles) or None,
            repo_count=view.repositories,
            metadata=ProjectMetadata(**view.metadata) if with_detail else None,
            cve_allowlist=ShownAllowlist.of(view.allowlist) if with_detail else nothing,
        )


class ProjectDeletable(Struct, omit_defaults=True):
    deletable: bool = False
    message: str = ""


class ProjectSummaryQuota(Struct):
    hard: dict[str, int]
    used: dict[str, int]


class ProjectSummary(Struct, omit_defaults=True, kw_only=True):
    repo_count: int
    project_admin_count: int = 0
    maintainer_count: int = 0
    developer_count: int = 0
    guest_count: int = 0
    limited_guest_count: int = 0
    quota: ProjectSummaryQuota | None = None


class UserEntity(Struct):
    user_id: int = 0
    username: str = ""


class UserGroup(Struct):
    id: int = 0
    group_name: str = ""
    group_type: int = 0
    ldap_group_dn: str = ""


class ProjectMember(Struct):
    role_id: int = 0
    member_user: UserEntity | None = None
    member_group: UserGroup | None = None


class RoleRequest(Struct):
    role_id: int = 0


class ProjectMemberEntity(Struct):
    id: int
    project_id: int
    entity_name: str
    role_name: str
    role_id: int
    entity_id: int
    entity_type: str

    @classmethod
    def of(cls, member: Member) -> "ProjectMemberEntity":
        return cls(
            id=member.id,
            project_id=member.project_id,
            entity_name=member.name,
            role_name=Role(member.role).title,
            role_id=member.role,
            entity_id=member.entity_id,
            entity_type=member.entity_type,
        )
