"""The key space; every key is built here and nowhere else.

    <root>
    ├── blobs
    │   └── ab                    the first two hex digits of the segment's id: 256 folders
    │       └── abcdef0123...     one segment: the body of one PATCH or PUT, or on a folder all bodies of an upload
    └── quarantine
        └── blobs/ab/abc...       a segment that `mooring scrub` has set aside, for an administrator to look at

A folder that distribution or Harbor wrote is adopted by rows that point at its own keys,
`docker/registry/v2/blobs/sha256/ab/<hex>/data`.
"""

from typing import Final
from uuid import uuid4

SEGMENTS: Final = "blobs/"
QUARANTINE: Final = "quarantine/"


def segment() -> str:
    """A key that nothing was written under before."""
    name = uuid4().hex
    return f"{SEGMENTS}{name[:2]}/{name}"
