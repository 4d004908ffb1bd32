"""Images made here from a few bytes: OCI layouts that any client can push."""

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.parts.client import OCI_INDEX, OCI_MANIFEST

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_PIECE = 1 << 20

Descriptor = dict[str, Any]


class Layer(NamedTuple):
    """A layer in a layout: its descriptor, and the digest of its tar before compression."""

    descriptor: Descriptor
    diff_id: str


class Layout:
    """An OCI image layout (image specification, image-layout.md)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tags: list[Descriptor] = []
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes, media_type: str) -> Descriptor:
        """Store bytes; returns their descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self._path(digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def read(self, digest: str) -> bytes:
        """The bytes of a blob."""
        return self._path(digest.removeprefix("sha256:")).read_bytes()

    def layer(self, files: Mapping[str, bytes]) -> Layer:
        """A layer of these files."""
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for name, data in files.items():
                archive.addfile(_member(name, len(data)), io.BytesIO(data))
        plain = tar.getvalue()
        return Layer(self.blob(gzip.compress(plain, mtime=0), LAYER), f"sha256:{hashlib.sha256(plain).hexdigest()}")

    def big_layer(self, size: int, *, seed: int = 0) -> Layer:
        """A layer with one file of `size` bytes that do not compress, written as it comes."""
        plain = hashlib.sha256()
        staged = self.folder / "staged"
        with staged.open("wb") as file, gzip.GzipFile("", "wb", compresslevel=0, fileobj=file, mtime=0) as packed:
            for piece in _tar_of_noise(size, seed):
                plain.update(piece)
                packed.write(piece)
        with staged.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        length = staged.stat().st_size
        staged.replace(self._path(digest))
        return Layer({"mediaType": LAYER, "digest": f"sha256:{digest}", "size": length}, f"sha256:{plain.hexdigest()}")

    def image(self, layers: Sequence[Layer], *, architecture: str = "amd64") -> Descriptor:
        """An image manifest over the layers."""
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [{"created": "2026-01-02T03:04:05Z", "created_by": "tests"} for _ in layers],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.blob(json.dumps(config).encode(), CONFIG),
            "layers": [layer.descriptor for layer in layers],
        }
        platform = {"architecture": architecture, "os": "linux"}
        return self.blob(json.dumps(manifest).encode(), OCI_MANIFEST) | {"platform": platform}

    def index(self, images: Sequence[Descriptor]) -> Descriptor:
        """An index over images of several architectures."""
        return self.blob(
            json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(images)}).encode(), OCI_INDEX
        )

    def tag(self, name: str, descriptor: Descriptor) -> str:
        """Name a manifest of the layout; returns its digest."""
        self._tags.append(descriptor | {"annotations": {"org.opencontainers.image.ref.name": name}})
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self._tags}
        (self.folder / "index.json").write_text(json.dumps(index))
        return str(descriptor["digest"])

    def _path(self, hexadecimal: str) -> Path:
        return self.folder / "blobs" / "sha256" / hexadecimal


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o755
    return member


def _tar_of_noise(size: int, seed: int) -> Iterator[bytes]:
    noise = random.Random(seed)
    yield _member("noise", size).tobuf()
    for start in range(0, size, _PIECE):
        yield noise.randbytes(min(_PIECE, size - start))
    yield bytes(-size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
