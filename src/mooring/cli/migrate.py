"""`mooring migrate`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mooring.cli import folder
from mooring.cli.options import Config, Data, load


def migrate(
    *,
    config: Config = None,
    data: Data = None,
    to: Annotated[
        str, Parameter(help="A revision such as 0001, head for the newest, base to take everything away.")
    ] = "head",
) -> None:
    """Bring the database to this program's schema, as `mooring serve` does too, or up or down to a revision."""
    import os

    from mooring.db import schema
    from mooring.db.engine import Database

    settings, _ = load(config, data)
    with ExitStack() as held:
        if settings.sqlite_file is not None:
            folder.make(Path(settings.data_volume))
            held.callback(os.close, folder.lock(Path(settings.data_volume)))
        db = Database(settings.database_url)
        held.callback(db.close_now)
        before, after = schema.migrate(db, to)
    if before == after:
        print(f"the database is at schema {after}; nothing is to be done")
    else:
        print(f"the database went from schema {before or 'none'} to {after or 'none'}")
