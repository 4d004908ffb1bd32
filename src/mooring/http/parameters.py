"""Values of query parameters and headers as Harbor's binder takes them."""

from typing import Final

_TRUE: Final = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})


def is_true(text: str) -> bool:
    """Whether the text means yes; whatever else it is means no, and is never an error."""
    return text.lower() in _TRUE
