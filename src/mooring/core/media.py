"""Manifests and indexes: parse and check what a client pushes, without changing a byte of it.

OCI image specification, "Image Manifest" and "Image Index"; Docker's schema 2 manifest and manifest list, which have
the same shape.
"""

import json
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from mooring.core import syntax
from mooring.core.errors import ManifestInvalid
from mooring.core.reference import is_digest

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"

MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})

OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"

ARTIFACT_TYPE: Final = "org.opencontainers.artifactType"  # an index's annotation that stands for its media type

MAX_MANIFEST: Final = 4 << 20  # bytes; OCI distribution specification, "Pushing Manifests"
_MAX_TYPE: Final = 255


class _Platform(Struct, frozen=True):
    """OCI image specification, "Image Index Property Descriptions"; as in Go, what is null is not there."""

    architecture: str | None = None
    os: str | None = None
    version: str | None = field(default=None, name="os.version")
    features: list[str] | None = field(default=None, name="os.features")
    variant: str | None = None


class Descriptor(Struct, frozen=True):
    """OCI image specification, "Descriptors"."""

    mediaType: str = ""
    digest: str = ""
    size: int = 0
    urls: list[str] | None = None
    annotations: dict[str, str] | None = None
    artifactType: str | None = None
    platform: msgspec.Raw = msgspec.Raw()


class _Document(Struct, frozen=True):
    """The members of a manifest or an index that Mooring reads, as JSON spells them."""

    schemaVersion: int = 0
    mediaType: str | None = None
    artifactType: str | None = None
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    manifests: list[Descriptor] | None = None
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None


class Manifest(Struct, frozen=True):
    """A manifest or an index; which of the two, its media type says. An index has no config and no layers."""

    media_type: str
    artifact_type: str
    config: Descriptor | None
    layers: list[Descriptor]
    children: list[Descriptor]
    subject: Descriptor | None
    annotations: dict[str, str]

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEXES

    @property
    def blobs(self) -> list[Descriptor]:
        """The config and the layers, in order. Layers with urls may lie elsewhere: they are left out."""
        layers = [layer for layer in self.layers if not layer.urls]
        return layers if self.config is None else [self.config, *layers]


_decoder: Final = msgspec.json.Decoder(_Document)
_platform: Final = msgspec.json.Decoder(_Platform | None)


def parse(content: bytes, content_type: str) -> Manifest:
    """The manifest that was pushed under a content type. Raises ManifestInvalid with a sentence that says what is
    wrong.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in MANIFESTS and media_type not in INDEXES:
        raise _invalid(f"the content type {media_type[:_MAX_TYPE]!r} is none of an OCI or Docker manifest or index")
    try:
        document = _decoder.decode(content)
        json.loads(content, object_pairs_hook=_unique)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _invalid(syntax.fault(content) or str(error) or "the JSON is nested too deeply") from error
    _check_shape(document, media_type)
    layers, children = document.layers or [], document.manifests or []
    for descriptor in (document.config, document.subject, *layers, *children):
        if descriptor is not None:
            _check_descriptor(descriptor)
    return Manifest(
        media_type=media_type,
        artifact_type=document.artifactType or "",
        config=document.config,
        layers=layers,
        children=children,
        subject=document.subject,
        annotations=document.annotations or {},
    )


def _check_shape(document: _Document, media_type: str) -> None:
    if media_type in INDEXES and (document.config is not None or document.layers is not None):
        raise _invalid("index: expected index but found manifest")
    if media_type in MANIFESTS and document.manifests is not None:
        raise _invalid("ocimanifest: expected manifest but found index")
    declared = document.mediaType or ""
    if declared != media_type and (declared or media_type in (DOCKER_MANIFEST, DOCKER_LIST)):
        raise _invalid(f"mediaType in manifest should be '{media_type}' not '{declared}'")
    if document.schemaVersion != 2:
        raise _invalid(f"schemaVersion must be 2, not {document.schemaVersion}")
    if media_type in MANIFESTS and document.config is None:
        raise _invalid("config is missing")
    if media_type in INDEXES and document.manifests is None:
        raise _invalid("manifests is missing")
    _check_type(document.artifactType or "", "artifactType")
    _check_type((document.annotations or {}).get(ARTIFACT_TYPE, ""), ARTIFACT_TYPE)


def _check_descriptor(descriptor: Descriptor) -> None:
    if not is_digest(descriptor.digest):
        raise _invalid(f"{descriptor.digest[:_MAX_TYPE]!r} is not a digest")
    if not 0 <= descriptor.size < 1 << 63:
        raise _invalid(f"the size {descriptor.size} of {descriptor.digest} is not a length in bytes")
    _check_type(descriptor.mediaType, f"the media type of {descriptor.digest}")
    platform = bytes(descriptor.platform)
    if platform:
        try:
            _platform.decode(platform)
        except msgspec.MsgspecError as error:
            raise _invalid(f"the platform of {descriptor.digest} is none: {error}") from None


def _check_type(text: str, what: str) -> None:
    if len(text) > _MAX_TYPE:
        raise _invalid(f"{what} is longer than {_MAX_TYPE} characters")
    if not text.isprintable():
        raise _invalid(f"{what} holds control characters: {text!r}")


def _unique(pairs: list[tuple[str, Any]]) -> None:
    """Two readers could each believe another one of equal keys (compare CVE-2021-41190)."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ValueError(f"the key {key[:_MAX_TYPE]!r} stands twice in one object")
        seen.add(key)


def _invalid(fault: str) -> ManifestInvalid:
    return ManifestInvalid(f"unmarshal manifest failed: {fault}")
