"""Bytes for people to read, in the units of Harbor's messages."""


def readable(count: int) -> str:
    """A number of bytes as `772 B`, `2.0 KiB`."""
    if count < 1024:
        return f"{count} B"
    value = count / 1024
    for unit in ("KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
