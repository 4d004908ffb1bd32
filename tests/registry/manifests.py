"""Manifests as small as they may be, and what they need pushed before them."""

import json
from typing import Any

from tests.parts.client import OCI_INDEX, OCI_MANIFEST, Answer, Client, digest_of

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

Document = dict[str, Any]


def described(client: Client, repository: str, data: bytes, media_type: str = LAYER) -> Document:
    """Push a blob; returns its descriptor."""
    return {"mediaType": media_type, "digest": client.push_blob(repository, data), "size": len(data)}


def image(client: Client, repository: str, *layers: bytes, config: bytes = b"{}", **members: Any) -> Document:
    """An image manifest whose blobs have been pushed; `members` replace or add to its own."""
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(client, repository, config, CONFIG),
        "layers": [described(client, repository, data) for data in layers],
        **members,
    }


def index(*children: Document, **members: Any) -> Document:
    """An index over descriptors."""
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children), **members}


def encoded(document: Document) -> bytes:
    return json.dumps(document).encode()


def put(
    client: Client, repository: str, reference: str, document: Document | bytes, media_type: str | None = None
) -> Answer:
    """Put a manifest under its own media type, or another."""
    data = document if isinstance(document, bytes) else encoded(document)
    if media_type is None:
        media_type = OCI_MANIFEST if isinstance(document, bytes) else document.get("mediaType", OCI_MANIFEST)
    return client.registry("PUT", f"/v2/{repository}/manifests/{reference}", data, {"Content-Type": str(media_type)})


def descriptor(document: Document, **members: Any) -> Document:
    """The descriptor of a manifest."""
    data = encoded(document)
    return {"mediaType": document["mediaType"], "digest": digest_of(data), "size": len(data), **members}
