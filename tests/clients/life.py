"""A project's life through harborapi. It runs in the environment that has harborapi, not in that of the tests.

python life.py URL USERNAME PASSWORD PROJECT/REPOSITORY DIGEST

The named artifact, an image with a tag, is what the new project gets as a copy. Every answer passes harborapi's models.
"""

import asyncio
import secrets
import sys

from harborapi import HarborAsyncClient
from harborapi.exceptions import Conflict, NotFound, PreconditionFailed
from harborapi.models import (
    Access,
    Configurations,
    CVEAllowlist,
    CVEAllowlistItem,
    ImmutableRule,
    ImmutableSelector,
    Label,
    ProjectMetadata,
    ProjectReq,
    QuotaUpdateReq,
    Repository,
    ResourceList,
    RobotCreate,
    RobotCreateV1,
    RobotPermission,
    Tag,
    UserCreationReq,
    UserGroup,
    UserProfile,
)

GIB = 1 << 30


class Life:
    """One run: the client, and the names of what it makes."""

    def __init__(self, client: HarborAsyncClient) -> None:
        self.harbor = client
        self.word = f"h{secrets.token_hex(4)}"
        self.project = f"{self.word}-project"

    async def system(self) -> None:
        harbor = self.harbor
        assert (await harbor.health_check()).status == "healthy"
        assert await harbor.ping() == "Pong"
        assert (await harbor.get_system_info()).harbor_version
        assert (await harbor.get_system_volume_info()).storage
        assert (await harbor.get_statistics()).total_project_count
        assert (await harbor.get_permissions()).project
        before = await harbor.get_config()
        await harbor.update_config(Configurations(scanner_skip_update_pulltime=True))
        assert (await harbor.get_config()).scanner_skip_update_pulltime.value is True
        await harbor.update_config(
            Configurations(scanner_skip_update_pulltime=before.scanner_skip_update_pulltime.value)
        )
        kept = await harbor.get_cve_allowlist()
        await harbor.update_cve_allowlist(CVEAllowlist(items=[CVEAllowlistItem(cve_id="CVE-2021-44228")]))
        assert [each.cve_id for each in (await harbor.get_cve_allowlist()).items] == ["CVE-2021-44228"]
        await harbor.update_cve_allowlist(CVEAllowlist(items=kept.items or []))

    async def begin(self) -> None:
        harbor, project = self.harbor, self.project
        request = ProjectReq(project_name=project, storage_limit=GIB, metadata=ProjectMetadata(public="false"))
        assert (await harbor.create_project(request)).startswith("/api/v2.0/projects/")
        assert await harbor.project_exists(project)
        try:
            await harbor.create_project(request)
        except Conflict:
            pass
        else:
            raise AssertionError("a project was made twice")
        await harbor.update_project(project, ProjectReq(metadata=ProjectMetadata(auto_scan="true")))
        await harbor.update_project_metadata_entry(project, "severity", {"severity": "high"})
        shown = await harbor.get_project(project)
        self.project_id = shown.project_id
        assert (shown.metadata.public, shown.metadata.auto_scan, shown.metadata.severity) == (
            "false",
            "true",
            "high",
        )
        assert await harbor.get_project(shown.project_id) == shown
        assert [each.name for each in await harbor.get_projects(query=f"name={project}")] == [project]
        (quota,) = await harbor.get_quotas(reference="project", reference_id=str(shown.project_id))
        assert quota.hard.root == {"storage": GIB}
        await harbor.update_quota(quota.id, QuotaUpdateReq(hard=ResourceList({"storage": 2 * GIB})))
        assert (await harbor.get_project_summary(project)).quota.hard.root == {"storage": 2 * GIB}

    async def people(self) -> None:
        harbor, name = self.harbor, f"{self.word}-user"
        user = UserCreationReq(username=name, email=f"{name}@example.org", realname="Ada", password="Sesame-opens-2")
        await harbor.create_user(user)
        (found,) = await harbor.search_users_by_username(name)
        await harbor.update_user(found.user_id, UserProfile(email=f"{name}@example.com", realname="Ada L", comment=""))
        await harbor.set_user_admin(found.user_id, True)
        assert (await harbor.get_user_by_username(name)).sysadmin_flag is True
        await harbor.set_user_admin(found.user_id, False)
        await harbor.set_user_password(found.user_id, "Sesame-opens-3")
        await harbor.add_project_member_user(self.project, name, 2)
        (member,) = await harbor.get_project_members(self.project, entity_name=name)
        await harbor.update_project_member_role(self.project, member.id, 4)
        assert (await harbor.get_project_member(self.project, member.id)).role_name == "maintainer"
        await harbor.remove_project_member(self.project, member.id)
        await harbor.delete_user(found.user_id)
        await harbor.create_usergroup(UserGroup(group_name=self.word, group_type=3))
        (group,) = await harbor.get_usergroups(group_name=self.word)
        await harbor.update_usergroup(group.id, UserGroup(group_name=f"{self.word}2"))
        await harbor.delete_usergroup(group.id)

    async def robots(self) -> None:
        harbor = self.harbor
        rights = [Access(resource="repository", action=action) for action in ("pull", "push")]
        system = await harbor.create_robot(
            RobotCreate(
                name=self.word,
                level="system",
                duration=30,
                permissions=[RobotPermission(kind="project", namespace="*", access=rights)],
            )
        )
        robot = await harbor.get_robot(system.id)
        assert robot.name == f"robot${self.word}"
        robot.description = "changed"
        await harbor.update_robot(system.id, robot)
        assert (await harbor.get_robot(system.id)).description == "changed"
        assert (await harbor.refresh_robot_secret(system.id, "Sesame-opens-4")).secret in (None, "", "Sesame-opens-4")
        await harbor.delete_robot(system.id)
        legacy = await harbor.create_robot_v1(self.project, RobotCreateV1(name="ci", expires_at=-1, access=rights))
        assert legacy.secret
        assert [each.id for each in await harbor.get_robots_v1(self.project)] == [legacy.id]
        await harbor.delete_robot_v1(self.project, legacy.id)

    async def content(self, source: str, digest: str) -> None:
        harbor, place = self.harbor, (self.project, "team/app")
        await harbor.copy_artifact(*place, f"{source}@{digest}")
        await harbor.create_artifact_tag(*place, digest, Tag(name="rel-1"))
        assert {each.name for each in await harbor.get_artifact_tags(*place, digest)} == {"1.0", "rel-1"}
        await harbor.create_label(Label(name=self.word, scope="p", project_id=self.project_id))
        (label,) = await harbor.get_labels(scope="p", project_id=self.project_id)
        await harbor.add_artifact_label(*place, digest, label)
        shown = await harbor.get_artifact(*place, "rel-1", with_label=True, with_accessory=True)
        assert (shown.digest, shown.labels[0].id) == (digest, label.id)
        assert len(shown.accessories) == 1
        await harbor.delete_artifact_label(*place, digest, label.id)
        assert [each.digest for each in await harbor.get_artifacts(*place, query="tags=rel-1")] == [digest]
        assert await harbor.get_artifact_build_history(*place, digest)
        assert len(await harbor.get_artifact_accessories(*place, digest)) == 1
        await harbor.update_repository(*place, Repository(description="# App"))
        assert (await harbor.get_repository(*place)).description == "# App"
        assert [each.base_name for each in await harbor.get_repositories(self.project)] == ["team/app"]
        await self.immutability(place, digest)
        await harbor.delete_label(label.id)

    async def immutability(self, place: tuple[str, str], digest: str) -> None:
        harbor = self.harbor
        rule = ImmutableRule(
            action="immutable",
            template="immutable_template",
            tag_selectors=[ImmutableSelector(kind="doublestar", decoration="matches", pattern="rel-*")],
            scope_selectors={
                "repository": [ImmutableSelector(kind="doublestar", decoration="repoMatches", pattern="**")]
            },
        )
        await harbor.create_project_immutable_tag_rule(self.project, rule)
        try:
            await harbor.delete_artifact_tag(*place, digest, "rel-1")
        except PreconditionFailed:
            pass
        else:
            raise AssertionError("an immutable tag was deleted")
        (kept,) = await harbor.get_project_immutable_tag_rules(self.project)
        kept.disabled = True
        await harbor.update_project_immutable_tag_rule(self.project, kept.id, kept)
        await harbor.delete_project_immutable_tag_rule(self.project, kept.id)
        await harbor.delete_artifact_tag(*place, digest, "rel-1")

    async def end(self, digest: str) -> None:
        harbor = self.harbor
        found = await harbor.search(self.project)
        assert [each.project_name for each in found.repository] == [self.project]
        query = f"operation=create,resource_type=project,resource={self.project}"
        assert len(await harbor.get_audit_logs(query=query)) <= 1
        await harbor.get_project_logs(self.project, limit=20)
        await harbor.delete_artifact(self.project, "team/app", digest)
        await harbor.delete_repository(self.project, "team/app")
        await harbor.delete_project(self.project)
        try:
            await harbor.get_project(self.project)
        except NotFound:
            return
        raise AssertionError("the project is still there")


async def main(url: str, username: str, password: str, source: str, digest: str) -> None:
    """Live through all of it. Raises what harborapi raises, or AssertionError."""
    life = Life(HarborAsyncClient(url=f"{url}/api/v2.0", username=username, secret=password, timeout=120))
    await life.system()
    await life.begin()
    await life.people()
    await life.robots()
    await life.content(source, digest)
    await life.end(digest)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
