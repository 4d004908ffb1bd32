"""What artifacts of some kinds have beside their attributes: an image's history, a chart's values and readme.

An addition is found in one blob of the artifact and rendered from its bytes. Names are those of Harbor's API.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, Self

import msgspec
from msgspec import Struct

from mooring.core.errors import BadRequest, NotFound
from mooring.core.media import DOCKER_CONFIG, INDEXES, OCI_CONFIG, Descriptor, Manifest
from mooring.features.artifacts.queries import Found

Name = Literal["build_history", "values.yaml", "readme.md", "dependencies", "sbom", "license", "files"]
OF_TYPE: Final[Mapping[str, tuple[str, ...]]] = {
    "IMAGE": ("build_history",),
    "CHART": ("values.yaml", "readme.md", "dependencies"),
    "CNAI": ("readme.md", "license", "files"),
    "WASM": ("build_history",),
    "SBOM": ("sbom",),
}
_PROCESSED: Final = frozenset({"IMAGE", "CHART", "CNAB", "CNAI", "WASM", "SBOM"})

MAX_BLOB: Final = 32 << 20  # bytes of a blob that is read for an addition
_MAX_FILE: Final = 4 << 20  # bytes of a file inside one
_MAX_READ: Final = 100 << 20  # bytes that are unpacked while one is looked for; helm takes no more either
_MAX_FOLDERS: Final = 10_000  # that a model's files may be in
_MAX_DEPTH: Final = 64  # folders in each other
_EXTENSIONS: Final = frozenset(
    {
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
        tarfile.GNUTYPE_SPARSE,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
    }
)
_UNKNOWN: Final = b"?"  # what tarfile takes for a file of a kind that it does not know
_GZIP: Final = b"\x1f\x8b"
_JSON: Final = "application/json; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"
_MARKDOWN: Final = "text/markdown; charset=utf-8"

_CHART_LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_FILE_PATH: Final = "org.cncf.model.filepath"  # CNCF ModelPack specification, annotations of layers
_DOCUMENTS: Final = "application/vnd.cncf.model.doc.v1"


class Addition(Struct, frozen=True):
    content_type: str
    content: bytes


class Plan(Struct, frozen=True):
    """How an addition is made: of this blob's bytes, or of nothing but the manifest where `blob` is None.

    `render` raises NotFound when what is looked for is not inside.
    """

    blob: Descriptor | None
    render: Callable[[bytes], Addition]


def plan(name: str, found: Found, manifest: Manifest) -> Plan:
    """Raises BadRequest for what artifacts of this kind never have, NotFound for what this one lacks."""
    shown = name.upper()
    if found.manifest_media_type in INDEXES:
        raise BadRequest(f"addition {shown} isn't supported")
    if found.type not in _PROCESSED:
        raise BadRequest(f"the processor for artifact {found.type} not found, cannot get the addition")
    if name not in OF_TYPE.get(found.type, ()):
        version = "(manifest version 2)" if found.type == "IMAGE" else ""
        raise BadRequest(f"addition {shown} isn't supported for {found.type}{version}")
    if found.type == "CHART":
        return _of_chart(name, manifest)
    if found.type == "CNAI":
        return _of_model(name, manifest)
    if found.type == "SBOM":
        return Plan(_first(manifest.layers, "the bill of materials"), lambda content: Addition(_JSON, content))
    return _history(manifest)


def _history(manifest: Manifest) -> Plan:
    if manifest.config is None or manifest.config.mediaType not in (OCI_CONFIG, DOCKER_CONFIG):
        raise NotFound("the artifact's config has no history")
    return Plan(manifest.config, lambda content: _as_json(_member(content, "history") or []))


def _of_chart(name: str, manifest: Manifest) -> Plan:
    if name == "dependencies":
        return Plan(manifest.config, lambda content: _as_json(_member(content, "dependencies") or []))
    packed = [layer for layer in manifest.layers if layer.mediaType == _CHART_LAYER]
    kind = _MARKDOWN if name == "readme.md" else _TEXT
    return Plan(_first(packed, "the chart"), lambda content: Addition(kind, _unpacked(content, name, depth=2)))


def _of_model(name: str, manifest: Manifest) -> Plan:
    if name == "files":
        return Plan(None, lambda _: _as_json(_tree(manifest.layers)))
    stem, kind = ("readme", _MARKDOWN) if name == "readme.md" else ("license", _TEXT)
    documents = [
        layer
        for layer in manifest.layers
        if layer.mediaType.startswith(_DOCUMENTS) and _path(layer).lower().partition(".")[0] == stem
    ]
    layer = _first(documents, f"the {stem}")
    if layer.mediaType.endswith(".raw"):
        return Plan(layer, lambda content: Addition(kind, content))
    return Plan(layer, lambda content: Addition(kind, _unpacked(content, _path(layer), depth=1)))


def _unpacked(content: bytes, name: str, *, depth: int) -> bytes:
    """A file out of a tar, which may be gzipped, found by its name in any case where it lies so deep."""
    unpacked = 0
    packed = io.BytesIO(content)
    # tarfile's own reader stumbles over the extra field that helm puts into the header.
    stream = gzip.GzipFile(fileobj=packed) if content.startswith(_GZIP) else packed
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
            for member in archive:
                unpacked += member.size
                if unpacked > _MAX_READ:
                    break
                parts = member.name.removeprefix("./").lower().split("/")
                if member.isfile() and len(parts) == depth and parts[-1] == name.lower():
                    file = archive.extractfile(member)
                    if file is None or member.size > _MAX_FILE:
                        raise NotFound(f"{name} is longer than {_MAX_FILE} bytes")
                    return file.read(_MAX_FILE)
    except (tarfile.TarError, zlib.error, EOFError, OSError):
        raise NotFound(f"{name} not found: the layer is no archive that can be read") from None
    raise NotFound(f"{name} not found")


class _Header(tarfile.TarInfo):
    """A member's header. Those that say more of the next one are skipped: they may be of any length, and of a hundred
    kilobytes tarfile makes gigabytes. What is looked for has a short name.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENSIONS:
            header.type = _UNKNOWN
        return header


def _tree(layers: Iterable[Descriptor]) -> list[dict[str, Any]]:
    """The files of a model, as folders within folders. Raises NotFound for too many folders to show."""
    root: list[dict[str, Any]] = []
    known: dict[str, Any] = {}
    made = 0
    for layer in layers:
        *folders, name = _path(layer).split("/")
        inside, beside = root, known
        for folder in folders:
            if folder not in beside:
                made += 1
                beside[folder] = [], {}
                inside.append({"name": folder, "type": "directory", "children": beside[folder][0]})
            inside, beside = beside[folder]
        if len(folders) > _MAX_DEPTH or made > _MAX_FOLDERS:
            raise NotFound(f"the files are in more than {_MAX_FOLDERS} folders, or lie more than {_MAX_DEPTH} deep")
        if name:
            inside.append({"name": name, "type": "file", "size": layer.size})
    return root


def _path(layer: Descriptor) -> str:
    return (layer.annotations or {}).get(_FILE_PATH, "").strip("/")


def _first(layers: list[Descriptor], what: str) -> Descriptor:
    if not layers:
        raise NotFound(f"{what} not found")
    return layers[0]


def _member(content: bytes, name: str) -> Any:
    try:
        value = msgspec.json.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return value.get(name) if isinstance(value, dict) else None


def _as_json(value: Any) -> Addition:
    return Addition(_JSON, msgspec.json.encode(value))
