"""What the processes of an installation share, made from its settings: database, storage and configuration."""

from pathlib import Path

from mooring.db.engine import Database
from mooring.features.configuration.keys import Configuration
from mooring.features.configuration.overwrite import overwritten
from mooring.features.configuration.queries import Current
from mooring.features.configuration.vault import Vault
from mooring.settings import Settings
from mooring.storage.driver import Count, Driver, uncounted
from mooring.storage.filesystem import Filesystem


def database(settings: Settings) -> Database:
    configured = settings.database
    return Database(
        settings.database_url,
        synchronous=configured.synchronous.upper(),
        connections=configured.connections,
    )


def driver(settings: Settings, count: Count = uncounted) -> Driver:
    storage = settings.storage
    if storage.kind == "filesystem":
        return Filesystem(Path(settings.storage_root), fsync=storage.fsync == "always", count=count)
    from mooring.storage.objectstore import from_settings  # which takes a tenth of a second to load

    return from_settings(storage, count)


def configuration(settings: Settings, db: Database, vault: Vault | None = None) -> Current:
    """The configuration; what no administrator has set is as the settings say. Secrets are read with a vault alone."""
    defaults = Configuration(token_expiration=settings.token_expiration, robot_name_prefix=settings.robot_name_prefix)
    return Current(db.reader, defaults, overwritten=overwritten(settings.config_overwrite_json), vault=vault)
