"""`mooring scrub`."""

import asyncio
from typing import Annotated, Final

from cyclopts import Parameter

from mooring.cli.options import Config, Data, load
from mooring.settings import Settings

_SHOWN: Final = 3  # repositories of a line


def scrub(
    *,
    quarantine: Annotated[
        bool, Parameter(negative=(), help="Set what is bad aside: pulls get 404, and the next push makes it whole.")
    ] = False,
    config: Config = None,
    data: Data = None,
) -> int:
    """Read and hash everything that is stored, and say what is missing or damaged. It may run beside the server."""
    settings, _ = load(config, data)
    return asyncio.run(_scrub(settings, quarantine=quarantine))


async def _scrub(settings: Settings, *, quarantine: bool) -> int:
    """0 when all is well, 1 when something is bad."""
    from mooring import installation
    from mooring.db import schema
    from mooring.features.gc import scrub

    db, store = installation.database(settings), installation.driver(settings)
    tally, bad = scrub.Tally(), 0
    try:
        await db.read(schema.check)
        async for fault in scrub.faults(db, store, tally):
            bad += 1
            names = await db.read(scrub.repositories, fault)
            where = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else "")
            print(f"{fault.what} {fault.digest} of {where or 'no repository'}: {fault.reason}", flush=True)
            if quarantine:
                await scrub.quarantine(db, store, fault)
    finally:
        await store.close()
        await db.close()
    read = f"{tally.blobs} blobs and {tally.manifests} manifests, {tally.size} bytes, were read"
    print(f"{read}: {_verdict(bad, is_quarantined=quarantine)}")
    if tally.waiting:
        print(f"{tally.waiting} blobs that were set aside before wait for somebody to push them again")
    return 1 if bad else 0


def _verdict(bad: int, *, is_quarantined: bool) -> str:
    if not bad:
        return "all are whole"
    if is_quarantined:
        return f"{bad} are bad and were set aside; push their images again"
    return f"{bad} are bad; restore them from a backup, or set them aside with --quarantine and push their images again"
