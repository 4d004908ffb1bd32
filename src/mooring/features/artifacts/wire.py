"""Artifacts as the API spells them."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, field

from mooring.core.clock import rfc3339
from mooring.core.media import INDEXES
from mooring.features.artifacts import additions, icons, queries, tags
from mooring.features.artifacts.queries import View
from mooring.features.labels.wire import Label


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
            immutable=tag.is_immutable,
        )


class NewTag(Struct):
    name: Annotated[str, Meta(min_length=1)] = ""


class Platform(Struct, omit_defaults=True, kw_only=True):
    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = field(default="", name="OsVersion")
    os_features: list[str] | None = field(name="OsFeatures")

    @classmethod
    def of(cls, named: Mapping[str, Any]) -> "Platform":
        return cls(
            architecture=named.get("architecture") or "",
            os=named.get("os") or "",
            variant=named.get("variant") or "",
            os_version=named.get("os.version") or "",
            os_features=named.get("os.features"),
        )


class Reference(Struct, omit_defaults=True, kw_only=True):
    parent_id: int
    child_id: int = 0
    child_digest: str
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None

    @classmethod
    def of(cls, reference: queries.Reference) -> "Reference":
        return cls(
            parent_id=reference.parent_id,
            child_id=reference.child_id or 0,
            child_digest=reference.child_digest,
            platform=Platform.of(reference.platform) if reference.platform else None,
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
            icon=icons.OF_ACCESSORY.get(accessory.type, ""),
            creation_time=rfc3339(accessory.creation_time),
        )


class AdditionLink(Struct):
    href: str
    absolute: bool


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
    inherited_accessories: list[Accessory] | None = None

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
            icon=found.icon or icons.OF_TYPE.get(found.type, icons.DEFAULT),
            push_time=rfc3339(found.push_time),
            pull_time=rfc3339(found.pull_time),
            extra_attrs=_stored(found.extra_attrs),
            annotations=_stored(found.annotations),
            references=[Reference.of(each) for each in view.references] or None,
            tags=[Tag.of(each) for each in view.tags] or None,
            addition_links=_additions(view),
            labels=[Label.of(each) for each in view.labels] or None,
            accessories=[Accessory.of(each) for each in view.accessories] or None,
            inherited_accessories=[Accessory.of(each) for each in view.inherited] or None,
        )


def _stored(text: str) -> Any:
    """What is kept as JSON, as it is: nothing of it is built for lists of many. None where nothing is kept."""
    return Raw(text.encode()) if text else None


def _additions(view: View) -> dict[str, AdditionLink] | None:
    """Where to read what else the artifact's kind has. Repository names are escaped twice, as Harbor's clients do."""
    found = view.artifact
    if found.manifest_media_type in INDEXES:
        return None
    project, _, name = view.repository.partition("/")
    base = f"/api/v2.0/projects/{project}/repositories/{name.replace('/', '%252F')}/artifacts/{found.digest}/additions"
    return {each: AdditionLink(f"{base}/{each}", False) for each in additions.OF_TYPE.get(found.type, ())} or None


class NamedArtifact(Struct, kw_only=True):
    """A tag with what it names. Times are those of the tag."""

    name: str
    digest: str
    artifact_id: int
    type: str
    platforms: list[Platform]
    size: int
    push_time: str
    pull_time: str
    labels: list[Label]
    immutable: bool

    @classmethod
    def of(cls, named: tags.NamedArtifact) -> "NamedArtifact":
        return cls(
            name=named.tag.name,
            digest=named.artifact.digest,
            artifact_id=named.artifact.id,
            type=named.artifact.type,
            platforms=[Platform.of(each) for each in named.platforms],
            size=named.artifact.size,
            push_time=rfc3339(named.tag.push_time),
            pull_time=rfc3339(named.tag.pull_time),
            labels=[Label.of(each) for each in named.labels],
            immutable=named.tag.is_immutable,
        )


class Icon(Struct):
    """A picture; its content is in base64."""

    content: bytes
    content_type: str = field(name="content-type")
