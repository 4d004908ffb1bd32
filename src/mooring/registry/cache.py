"""A cache of immutable bytes, bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable


def _untold() -> None:
    """Tell nobody."""


class ByteCache:
    """Content by its digest, the least lately used forgotten first. What a digest names never changes, so nothing
    expires. `hit` and `missed` are told of each time something was looked for.
    """

    def __init__(self, limit: int, hit: Callable[[], None] = _untold, missed: Callable[[], None] = _untold) -> None:
        self._limit = limit
        self._hit = hit
        self._missed = missed
        self._size = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def get(self, digest: str) -> bytes | None:
        content = self._kept.get(digest)
        if content is None:
            self._missed()
        else:
            self._hit()
            self._kept.move_to_end(digest)
        return content

    def put(self, digest: str, content: bytes) -> None:
        if digest in self._kept or len(content) > self._limit:
            return
        self._kept[digest] = content
        self._size += len(content)
        while self._size > self._limit:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped)
