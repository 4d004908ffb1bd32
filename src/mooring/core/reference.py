"""Names, tags and digests: parse, validate.

Grammars: OCI distribution specification, "Pulling manifests"; OCI image specification, "Digests"; project names as
Harbor has them.
"""

import hashlib
import re
from typing import Final

PROJECT: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+")
TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

MAX_NAME: Final = 255

# Hex digits of every algorithm that a digest may name; blobs and manifests are kept under these.
ALGORITHMS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_DIGEST: Final = re.compile(r"(sha256):[0-9a-f]{64}|(sha384):[0-9a-f]{96}|(sha512):[0-9a-f]{128}")
_SHAPE: Final = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+", re.IGNORECASE)


def is_digest(text: str) -> bool:
    """Whether the text is a digest that content can be verified against."""
    return _DIGEST.fullmatch(text) is not None


def digest_fault(text: str) -> str:
    """Why the text is no digest, in the words clients of Harbor know."""
    if _SHAPE.fullmatch(text) is None:
        return "invalid checksum digest format"
    if text.partition(":")[0] not in ALGORITHMS:
        return "unsupported digest algorithm"
    if len(text.partition(":")[2]) != ALGORITHMS[text.partition(":")[0]]:
        return "invalid checksum digest length"
    return "invalid checksum digest format"


def is_tag(text: str) -> bool:
    return TAG.fullmatch(text) is not None


def is_project(text: str) -> bool:
    return len(text) <= MAX_NAME and PROJECT.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether the text is a full repository name: a project, a slash and at least one more component."""
    return len(text) <= MAX_NAME and REPOSITORY.fullmatch(text) is not None


def algorithm(digest: str) -> str:
    return digest.partition(":")[0]


def digest_of(content: bytes, name: str = "sha256") -> str:
    """The digest of the content under the named algorithm, as `algorithm:hex`."""
    return f"{name}:{hashlib.new(name, content).hexdigest()}"
