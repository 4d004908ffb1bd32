"""Settings from where they are given to the processes that need them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from mooring.settings import harbor
from mooring.settings.convert import convert, paths
from mooring.settings.model import Settings
from mooring.settings.sources import from_environment, from_file, from_flags, merge

# Holds the settings, as `encode` writes them, for an ASGI server of somebody's choice (app.web).
SETTINGS_VARIABLE: Final = "MOORING_SETTINGS_JSON"


def load(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> tuple[Settings, list[str]]:
    """Settings from a file, the environment and flags (by dotted key); a sentence for what is given but not used.

    Raises StartError, which names the place, the key, the value and what is allowed.
    """
    section = from_file(path) if path is not None else {}
    notices: list[str] = []
    if path is not None and harbor.is_harbor(path, section):
        section, notices = harbor.translate(section)
    given, ignored = from_environment(environ, paths(Settings))
    section = merge(merge(section, given), from_flags(flags))
    default = from_flags({"data_volume": data_folder(environ)})
    return convert(merge(default, section), Settings), notices + ignored


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where data goes when nothing is said: /var/lib/mooring for root, else the user's own data folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/mooring")
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "mooring"


def encode(settings: Settings) -> str:
    """The settings as JSON, secrets in clear."""
    return msgspec.json.encode(settings).decode()


def decode(text: str) -> Settings:
    """What `encode` has written."""
    return msgspec.json.decode(text, type=Settings)
