"""Artifacts as the API spells them."""

import json
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, field

from mooring.core.clock import rfc3339
from mooring.core.media import INDEXES
from mooring.features.artifacts import queries
from mooring.features.artifacts.queries import View

# Harbor's built-in pictures, by their digests.
_DEFAULT_ICON: Final = "sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f"
_ICONS: Final = {
    "IMAGE": "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06",
    "CHART": "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518",
}
_ACCESSORY_ICONS: Final = {
    "signature.cosign": "sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882",
}
_ADDITIONS: Final = {
    "IMAGE": ("build_history",),
    "CHART": ("values.yaml", "readme.md", "dependencies"),
    "CNAI": ("readme.md", "license", "files"),
    "WASM": ("build_history",),
    "SBOM": ("sbom",),
}


class Tag(Struct, omit_defaults=True, kw_only=True):
    id: int
    repository_id: int
    artifact_id: int
    name: str
    push_time: str
    pull_time: str
    immutable: bool

    @classmethod
    def of(cls, tag: queries.Tag) -> "Tag":
        return cls(
            id=tag.id,
            repository_id=tag.repository_id,
            artifact_id=tag.artifact_id,
            name=tag.name,
            push_time=rfc3339(tag.push_time),
            pull_time=rfc3339(tag.pull_time),
            immutable=False,
        )


class NewTag(Struct):
    name: Annotated[str, Meta(min_length=1)] = ""


class Platform(Struct, omit_defaults=True, kw_only=True):
    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = field(default="", name="OsVersion")
    os_features: list[str] | None = field(name="OsFeatures")


class Reference(Struct, omit_defaults=True, kw_only=True):
    parent_id: int
    child_id: int = 0
    child_digest: str
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None

    @classmethod
    def of(cls, reference: queries.Reference) -> "Reference":
        named = reference.platform
        platform = named and Platform(
            architecture=named.get("architecture", ""),
            os=named.get("os", ""),
            variant=named.get("variant", ""),
            os_version=named.get("os.version", ""),
            os_features=named.get("os.features"),
        )
        return cls(
            parent_id=reference.parent_id,
            child_id=reference.child_id or 0,
            child_digest=reference.child_digest,
            platform=platform or None,
            annotations=dict(reference.annotations) if reference.annotations else None,
            urls=reference.urls,
        )


class Accessory(Struct, kw_only=True):
    id: int
    artifact_id: int
    subject_artifact_id: int
    subject_artifact_digest: str
    subject_artifact_repo: str
    size: int
    digest: str
    type: str
    icon: str
    creation_time: str

    @classmethod
    def of(cls, accessory: queries.Accessory) -> "Accessory":
        return cls(
            id=accessory.id,
            artifact_id=accessory.artifact_id,
            subject_artifact_id=accessory.subject_id,
            subject_artifact_digest=accessory.subject_digest,
            subject_artifact_repo=accessory.repository,
            size=accessory.size,
            digest=accessory.digest,
            type=accessory.type,
            icon=_ACCESSORY_ICONS.get(accessory.type, ""),
            creation_time=rfc3339(accessory.creation_time),
        )


class AdditionLink(Struct):
    href: str
    absolute: bool


class Label(Struct):
    id: int
    name: str


class Artifact(Struct, omit_defaults=True, kw_only=True):
    id: int
    type: str
    media_type: str
    manifest_media_type: str
    artifact_type: str = ""
    project_id: int
    repository_id: int
    repository_name: str
    digest: str
    size: int
    icon: str
    push_time: str
    pull_time: str
    extra_attrs: dict[str, Any] | None = None
    annotations: dict[str, str] | None = None
    references: list[Reference] | None
    tags: list[Tag] | None
    addition_links: dict[str, AdditionLink] | None = None
    labels: list[Label] | None
    accessories: list[Accessory] | None

    @classmethod
    def of(cls, view: View) -> "Artifact":
        found = view.artifact
        return cls(
            id=found.id,
            type=found.type,
            media_type=found.media_type,
            manifest_media_type=found.manifest_media_type,
            artifact_type=found.artifact_type,
            project_id=found.project_id,
            repository_id=found.repository_id,
            repository_name=view.repository,
            digest=found.digest,
            size=found.size,
            icon=found.icon or _ICONS.get(found.type, _DEFAULT_ICON),
            push_time=rfc3339(found.push_time),
            pull_time=rfc3339(found.pull_time),
            extra_attrs=json.loads(found.extra_attrs or "null"),
            annotations=json.loads(found.annotations or "null"),
            references=[Reference.of(each) for each in view.references] or None,
            tags=[Tag.of(each) for each in view.tags] or None,
            addition_links=_additions(view),
            labels=None,
            accessories=[Accessory.of(each) for each in view.accessories] or None,
        )


def _additions(view: View) -> dict[str, AdditionLink] | None:
    """Where to read what else the artifact's kind has. Repository names are escaped twice, as Harbor's clients do."""
    found = view.artifact
    if found.manifest_media_type in INDEXES:
        return None
    project, _, name = view.repository.partition("/")
    base = f"/api/v2.0/projects/{project}/repositories/{name.replace('/', '%252F')}/artifacts/{found.digest}/additions"
    return {each: AdditionLink(f"{base}/{each}", False) for each in _ADDITIONS.get(found.type, ())} or None
