"""Cookies (RFC 6265): those of a request, in however many lines it sent them, and one to be set."""

from typing import Any, Final

SESSION: Final = "sid"  # as Harbor names it; clients look for it


def cookies(scope: Any) -> dict[str, str]:
    """The request's cookies; of equal names the first counts."""
    found: dict[str, str] = {}
    for name, line in scope["headers"]:
        if name == b"cookie":
            for pair in line.decode("latin-1").split(";"):
                key, equals, value = pair.strip().partition("=")
                if equals:
                    found.setdefault(key, value)
    return found


def setting(name: str, value: str, *, secure: bool, same_site: str = "Lax", max_age: int | None = None) -> str:
    """The value of a Set-Cookie that no script can read; without an age, in seconds, it ends with the browser."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", f"SameSite={same_site}"]
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    if secure:
        parts.append("Secure")
    return "; ".join(parts)
