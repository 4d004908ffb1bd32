"""The one settings model: file (mooring.yml, or a harbor.yml as it is) < environment < flags."""

from mooring.settings.load import SETTINGS_VARIABLE, decode, encode, load
from mooring.settings.model import Database, Http, Https, Log, Metric, Settings, Storage, UploadPurging

__all__ = [
    "SETTINGS_VARIABLE",
    "Database",
    "Http",
    "Https",
    "Log",
    "Metric",
    "Settings",
    "Storage",
    "UploadPurging",
    "decode",
    "encode",
    "load",
]
