"""Writes docs/api.md, the table of what is served: `python -m tests.contract.table`."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.contract.contract import (
    NOT_SERVED,
    SERVED,
    Operation,
    Routes,
    by_route,
    folder,
    listed,
    load,
    matched,
    operations,
)
from tests.parts.client import expect
from tests.parts.server import Server

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
LATER = {
    **dict.fromkeys(("scan", "scanner", "scanAll", "securityhub", "scan data export"), "scanning"),
    **dict.fromkeys(("replication", "registry"), "replication"),
    **dict.fromkeys(("purge", "jobservice", "schedule"), "jobs"),
    **dict.fromkeys(("webhook", "webhookjob"), "webhooks"),
    "preheat": "preheat",
}
INTRODUCTION = """# The API, operation by operation

<!-- Written by `python -m tests.contract.table`; a test holds it to what the server publishes. -->

The server describes itself at `/api/v2.0/swagger.json` (OpenAPI 3.1), and `/api/v2.0/docs` is a page to try it.
Paths are below `/api/v2.0`. What differs from Harbor 2.16 is said beside each operation.

"""


def page(contract: Mapping[str, Any], served: Routes) -> str:
    """The page: what Harbor has and whether it is served, then what is served beside."""
    wanted = operations(contract)
    theirs = {(each.method, matched(each.path)) for each in wanted}
    own = [each for key, each in served.items() if key not in theirs]
    count = sum((each.method, matched(each.path)) in served for each in wanted)
    return INTRODUCTION + "\n".join(
        [
            f"{count} of Harbor's {len(wanted)} operations are served, and {len(own)} of Mooring's own.",
            *_harbors(wanted, served),
            "",
            "## Mooring's own",
            "",
            "| operation | what it does |",
            "|---|---|",
            *(f"| `{each.name}` | {each.described['summary']} |" for each in sorted(own, key=lambda each: each.path)),
            "",
        ]
    )


def _harbors(wanted: list[Operation], served: Routes) -> Iterator[str]:
    meant = listed()
    for tag in sorted({each.tag for each in wanted}, key=str.lower):
        yield from ("", f"## {tag}", "", "| operation | served | what differs |", "|---|---|---|")
        for each in wanted:
            if each.tag != tag:
                continue
            is_served = (each.method, matched(each.path)) in served
            state = "yes" if is_served else f"not yet ({LATER.get(tag, LATER['scan'])})"
            why = dict.fromkeys(why for what, why in meant.get(each.name, {}).items() if what != NOT_SERVED)
            yield f"| `{each.name}` | {state} | {'; '.join(why) if tag in SERVED else ''} |"


def main() -> int:
    """Start a server, ask it, write the page."""
    contract = folder()
    if contract is None:
        print("the contract is not here: set MOORING_CONTRACT to the folder of harbor-v2.json", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as data:
        server = Server(Path(data))
        published = expect(server.client().api("GET", "/swagger.json"), 200).json()
        server.stop()
    PAGE.write_text(page(load(contract), by_route(published)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
