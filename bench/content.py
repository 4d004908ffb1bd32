"""What every contender holds before it is measured."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.parts.client import OCI_MANIFEST, Client, digest_of, expect

from bench.contenders import Contender, trusting
from bench.load import Blob, Pusher, noise

KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30

REPOSITORIES: Final = [f"library/bench-{number}" for number in range(16)]
TAG: Final = "latest"
_CONFIG: Final = json.dumps(
    {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
).encode()
_IMAGE_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"


class Content:
    """The same blobs for every contender: three sizes to pull, and the config and layer that manifests name."""

    def __init__(self, folder: Path) -> None:
        self.blobs: Final = {size: noise(size) for size in (KIB, MIB, GIB)}
        manifest = self._manifest({})
        self.manifest: Final = manifest
        self.digest: Final = digest_of(manifest)
        # As large as the other, and told apart by what the load puts in place of the @.
        self.template: Final = folder / "manifest.json"
        self.template.write_bytes(self._manifest({"org.opencontainers.image.version": "@"}))

    def push(self, contender: Contender) -> None:
        """Bring all of it into the first repository, and into the others what manifests name."""
        client = Client(contender.url, tls=trusting())
        for repository in REPOSITORIES:
            token = contender.token([repository])
            pusher = Pusher(contender.url, token, repository)
            wanted = self.blobs.values() if repository == REPOSITORIES[0] else [self.blobs[KIB]]
            for blob in (*wanted, Blob(_CONFIG, len(_CONFIG))):
                pusher.push(blob)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": OCI_MANIFEST}
            expect(client.send("PUT", f"/v2/{repository}/manifests/{TAG}", self.manifest, headers), 201)

    def _manifest(self, annotations: dict[str, str]) -> bytes:
        layer = self.blobs[KIB]
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": _IMAGE_CONFIG, "digest": digest_of(_CONFIG), "size": len(_CONFIG)},
            "layers": [{"mediaType": _LAYER, "digest": layer.digest, "size": layer.size}],
            "annotations": annotations,
        }
        return json.dumps(manifest).encode()


def forget(folder: Path, blobs: Sequence[Blob]) -> None:
    """Delete the files of pushed blobs, which nothing asks for again, and have the disk done: a run must fit."""
    sizes = {blob.size for blob in blobs}
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size in sizes:
            path.unlink()
    os.sync()
