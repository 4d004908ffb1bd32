"""What a project's metadata may hold. Every value is text, as in Harbor, and is kept in one spelling."""

from collections.abc import Callable, Mapping
from typing import Final

from mooring.core.errors import BadRequest

# As strconv.ParseBool of Go takes them, in any case.
_BOOLEANS: Final = dict.fromkeys(("1", "t", "true"), "true") | dict.fromkeys(("0", "f", "false"), "false")
_SEVERITIES: Final = {
    "none": "none",
    "negligible": "none",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}
_FILTERS: Final = ("doublestar", "regex")
_INT32: Final = range(-(2**31), 2**31)


def normal(name: str, value: str) -> str:
    """The value in the spelling that is kept. Raises BadRequest for a name or a value that there is not."""
    kind = _KINDS.get(name)
    if kind is None:
        raise BadRequest(f"invalid key: {name}")
    kept = kind(value)
    if kept is None:
        raise BadRequest(f"invalid value: {value}")
    return kept


def normal_all(values: Mapping[str, str]) -> dict[str, str]:
    """As `normal`, for all of them."""
    return {name: normal(name, value) for name, value in values.items()}


def _boolean(text: str) -> str | None:
    return _BOOLEANS.get(text.lower())


def _severity(text: str) -> str | None:
    return _SEVERITIES.get(text.lower())


def _int32(text: str) -> str | None:
    return text if text.removeprefix("-").isdecimal() and text.isascii() and int(text) in _INT32 else None


def _connections(text: str) -> str | None:
    return _int32(text) if text == "-1" or not text.startswith("-") else None


def _filter(text: str) -> str | None:
    return text if text in _FILTERS else None


def _text(text: str) -> str | None:
    return text


_KINDS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "public": _boolean,
    "enable_content_trust": _boolean,
    "enable_content_trust_cosign": _boolean,
    "prevent_vul": _boolean,
    "severity": _severity,
    "auto_scan": _boolean,
    "auto_sbom_generation": _boolean,
    "reuse_sys_cve_allowlist": _boolean,
    "proxy_speed_kb": _int32,
    "max_upstream_conn": _connections,
    "proxy_cache_local_on_not_found": _boolean,
    "proxy_referrer_api": _boolean,
    "proxy_cache_filter_pattern": _text,
    "proxy_cache_filter_kind": _filter,
}
