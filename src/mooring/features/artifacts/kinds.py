"""What kind of artifact a manifest is, and what of its config is worth showing: Harbor's processors as one table.

A kind is found by the artifact type or else by the media type of the config. What none knows is named by its media
type's own words.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from mooring.core.media import ARTIFACT_TYPE, DOCKER_CONFIG, INDEXES, OCI_CONFIG, Descriptor, Manifest

MAX_CONFIG: Final = 4 << 20  # bytes of a config that are read for its attributes
MAX_ICON: Final = 1 << 20  # bytes of a picture
_MAX_ATTRIBUTES: Final = 256 << 10  # bytes of attributes as JSON: a list shows those of a hundred artifacts
_MAX_DEPTH: Final = 32  # of lists and objects in a value

CHART_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
CNAB: Final = "application/vnd.cnab.manifest.v1"
CNAI: Final = "application/vnd.cncf.model.manifest.v1+json"
WASM_CONFIG: Final = "application/vnd.wasm.config.v1+json"
HARBOR_SBOM: Final = "application/vnd.goharbor.harbor.sbom.v1"

COSIGN_LAYER: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_COSIGN_TAG: Final = re.compile(r"sha256-([0-9a-f]{64})\.sig")
_COSIGN_TYPES: Final = frozenset(
    {"application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.dev.sigstore.bundle.v0.3+json"}
)
_NOTATION: Final = "application/vnd.cncf.notary.signature"
_NYDUS: Final = "containerd.io/snapshot/nydus-bootstrap"

# application/vnd.<vendor>.<NAME>.config.<version>+json
_NAMED: Final = re.compile(r"application/vnd\.[^.]+\.(.+)\.config\.[^.]+\+json")
_SKIP: Final = "io.goharbor.artifact.v1alpha1.skip-list"
_ICON: Final = "io.goharbor.artifact.v1alpha1.icon"
_AUTHOR_LABELS: Final = ("org.opencontainers.image.authors", "maintainer")

Attributes = dict[str, Any]


class Kind(Struct, frozen=True):
    """The columns of an artifact that follow from its manifest and config. `icon` is the digest of a picture that it
    brings along, if it does.
    """

    type: str
    media_type: str
    artifact_type: str
    extra_attrs: Attributes
    icon: str = ""


def needs_config(manifest: Manifest) -> bool:
    """Whether the config has to be read to say what the artifact is."""
    config = manifest.config
    return config is not None and 0 < config.size <= MAX_CONFIG and _reader(manifest) is not None


def kind_of(manifest: Manifest, config: bytes) -> Kind:
    """`config` is the config's bytes, empty when `needs_config` says so or it cannot be read."""
    if manifest.is_index:
        media_type = manifest.annotations.get(ARTIFACT_TYPE, manifest.media_type)
        key = manifest.artifact_type or media_type
        name = "IMAGE" if key in INDEXES else _TYPES.get(key, (_named(media_type), None))[0]
        return Kind(name, media_type, manifest.artifact_type, {})
    media_type = _config_type(manifest)
    artifact_type = manifest.artifact_type or media_type
    name = _TYPES.get(artifact_type, (_named(media_type), None))[0]
    reader = _reader(manifest)
    attributes = _kept(reader(_object(config), manifest)) if reader and config else {}
    return Kind(name, media_type, artifact_type, attributes, _icon(manifest) if artifact_type not in _TYPES else "")


def accessory_of(manifest: Manifest, tags: list[str]) -> tuple[str, str] | None:
    """The subject's digest and the type of accessory, when the artifact is one to another."""
    for tag in tags:
        match = _COSIGN_TAG.fullmatch(tag)
        if match and any(layer.mediaType == COSIGN_LAYER for layer in manifest.layers):
            return f"sha256:{match[1]}", "signature.cosign"
    if manifest.subject is None:
        return None
    kind = manifest.artifact_type or _config_type(manifest)
    last = manifest.layers[-1] if manifest.layers else Descriptor()
    if kind in _COSIGN_TYPES:
        name = "signature.cosign"
    elif kind == _NOTATION:
        name = "signature.notation"
    elif kind == HARBOR_SBOM:
        name = "sbom.harbor"
    elif kind == OCI_CONFIG and _NYDUS in (last.annotations or {}):
        name = "accelerator.nydus"
    else:
        name = "subject.accessory"
    return manifest.subject.digest, name


def _icon(manifest: Manifest) -> str:
    """The first layer that says it is the artifact's picture, and is small enough to be one."""
    pictures = (layer for layer in manifest.layers if layer.annotations and _ICON in layer.annotations)
    layer = next(pictures, None)
    return layer.digest if layer is not None and layer.size <= MAX_ICON else ""


def _config_type(manifest: Manifest) -> str:
    return manifest.config.mediaType if manifest.config else ""


def _named(media_type: str) -> str:
    match = _NAMED.fullmatch(media_type)
    return match[1].upper() if match else "UNKNOWN"


def _reader(manifest: Manifest) -> Callable[[Attributes, Manifest], Attributes] | None:
    media_type = _config_type(manifest)
    key = manifest.artifact_type or media_type
    if key in _TYPES:
        return _TYPES[key][1]
    return _whole if _NAMED.fullmatch(media_type) else None


def _object(config: bytes) -> Attributes:
    """The config as a JSON object; what is none has no attributes to show."""
    try:
        value = msgspec.json.decode(config)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _kept(attributes: Attributes) -> Attributes:
    """Those of the attributes that are short and flat enough to stand in lists."""
    kept: Attributes = {}
    room = _MAX_ATTRIBUTES
    for name, value in attributes.items():
        if not _is_flat(value, _MAX_DEPTH):
            continue
        length = len(name) + len(msgspec.json.encode(value))
        if length <= room:
            kept[name] = value
            room -= length
    return kept


def _is_flat(value: Any, depth: int) -> bool:
    """Whether no more than so many lists and objects stand in each other."""
    if not isinstance(value, dict | list):
        return True
    members = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_flat(each, depth - 1) for each in members)


def _image(config: Attributes, manifest: Manifest) -> Attributes:
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    named = [labels[label] for label in _AUTHOR_LABELS if labels.get(label)] if isinstance(labels, dict) else []
    author = config.get("author") or next(iter(named), "")
    return {
        "created": config.get("created"),
        "architecture": config.get("architecture", ""),
        "os": config.get("os", ""),
        "config": inner,
        "author": author,
    }


def _whole(config: Attributes, manifest: Manifest) -> Attributes:
    skipped = ((manifest.config and manifest.config.annotations) or {}).get(_SKIP, "")
    return {key: value for key, value in config.items() if key not in skipped.split(",")}


def _wasm(config: Attributes, manifest: Manifest) -> Attributes:
    layer = manifest.layers[0] if manifest.layers else Descriptor()
    return {
        "manifest.config.mediaType": _config_type(manifest),
        "manifest.layers.mediaType": layer.mediaType,
        "org.opencontainers.image.title": (layer.annotations or {}).get("org.opencontainers.image.title", ""),
    }


_TYPES: Final[dict[str, tuple[str, Callable[[Attributes, Manifest], Attributes] | None]]] = {
    OCI_CONFIG: ("IMAGE", _image),
    DOCKER_CONFIG: ("IMAGE", _image),
    CHART_CONFIG: ("CHART", _whole),
    CNAB: ("CNAB", None),
    CNAI: ("CNAI", _whole),
    WASM_CONFIG: ("WASM", _wasm),
    HARBOR_SBOM: ("SBOM", _whole),
}
