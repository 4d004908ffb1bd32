"""Measure the lists of the control API and its sign-in: 95th percentiles at 50 connections, on both databases.

python -m bench.lists                          all of it
python -m bench.lists --records 100000         a shorter audit log
python -m bench.lists --database sqlite        on one database
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.parts import tools
from tests.parts.postgres import Postgres
from tests.parts.server import PASSWORD as ADMINISTRATOR
from tests.parts.server import Server

from bench import audit_rows, list_rows, machine
from bench.list_rows import CROWDED, MEMBER, PASSWORD, SIZE
from mooring.db.engine import Database

CONNECTIONS: Final = 50
BAR: Final = 150  # milliseconds
_ARTIFACTS: Final = f"/api/v2.0/projects/{CROWDED}/repositories/app/artifacts"
_TAGS: Final = f"/api/v2.0/projects/{CROWDED}/repositories/all/artifacts/latest/tags"


class Row(NamedTuple):
    """A call that is measured. `username` signs in with Basic."""

    name: str
    path: str
    username: str = "admin"


def rows(records: int) -> Iterator[Row]:
    """What is measured: of each list the first page, the last, and one far inside where there is one."""
    lists = {
        "projects (10 000)": ("/api/v2.0/projects?page_size={}", list_rows.PROJECTS),
        "repositories (10 000)": ("/api/v2.0/repositories?page_size={}", list_rows.REPOSITORIES),
        "artifacts with tags (100 000)": (_ARTIFACTS + "?with_tag=true&page_size={}", list_rows.TAGS),
        "tags of one artifact (100 000)": (_TAGS + "?page_size={}", list_rows.TAGS),
        f"audit log ({records:,})".replace(",", " "): ("/api/v2.0/auditlog-exts?page_size={}", records),
    }
    for name, (path, count) in lists.items():
        pages = {"first page": 1, "row 100 000": 100_000 // SIZE, "last page": max(count // SIZE, 1)}
        for place, page in pages.items():
            if place != "row 100 000" or count > 100_000:
                yield Row(f"{name}, {place}", f"{path.format(SIZE)}&page={page}")
    yield Row("sign-in: GET /users/current", "/api/v2.0/users/current")
    yield Row(
        "sign-in: GET /service/token", f"/service/token?service=harbor-registry&scope=repository:{CROWDED}/app:pull"
    )
    yield Row("permission: GET of a project as a member", f"/api/v2.0/projects/{CROWDED}", MEMBER)


def main() -> None:
    """Run what the command line asks for, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.lists", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=5_000_000, help="how long the audit log is")
    parser.add_argument("--seconds", type=int, default=5, help="how long one measurement takes")
    parser.add_argument("--database", default="", help="sqlite or postgresql; both when it is not given")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mooring-lists-", dir="/var/tmp"))
    folder.chmod(0o755)  # PostgreSQL runs as another account
    figures: dict[Row, list[float]] = {}
    names = [name for name in ("sqlite", "postgresql") if options.database in name]
    try:
        for name in names:
            with _database(name, folder) as url, _filled(folder / name, url, options.records) as server:
                for row in rows(options.records):
                    figures.setdefault(row, []).append(p95(server.url, row, options.seconds))
                    print(f"{name}: {row.name}: {figures[row][-1]:.1f} ms", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder)
    print("\n".join(_table(names, figures)))


def p95(address: str, row: Row, seconds: int) -> float:
    """Milliseconds in which 95 of 100 calls are answered. Raises RuntimeError when an answer is no success."""
    password = ADMINISTRATOR if row.username == "admin" else PASSWORD
    credentials = b64encode(f"{row.username}:{password}".encode()).decode()
    script = Path(__file__).with_name("latency.lua")
    command = [tools.path("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script)]
    command += ["-H", f"Authorization: Basic {credentials}", address + row.path]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"p95 ([\d.]+) failed 0$", output, re.MULTILINE)
    if found is None or "Socket errors" in output:
        raise RuntimeError(f"{row.path}: {output}")
    return float(found[1])


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    """The address of an empty database."""
    if name == "sqlite":
        yield ""
        return
    cluster = folder / "cluster"
    cluster.mkdir()
    postgres = Postgres(cluster, fsync=True)
    try:
        yield postgres.url(postgres.create())
    finally:
        postgres.stop()


@contextmanager
def _filled(folder: Path, url: str, records: int) -> Iterator[Server]:
    """A server whose database holds the rows; it makes the tables and the accounts itself."""
    server = Server(folder, environment={"MOORING_DATABASE__URL": url} if url else {})
    try:
        list_rows.begin(server.client())
        server.stop()
        db = Database(url or f"sqlite:///{next(server.data.glob('*.db'))}")
        list_rows.fill(db)
        audit_rows.fill(db, records)
        db.close_now()
        server.start(seconds=120)
        yield server
    finally:
        server.stop()


def _table(names: Sequence[str], figures: dict[Row, list[float]]) -> Iterator[str]:
    yield from (f"- {line}" for line in machine.description(Path("/var/tmp")))
    yield ""
    yield f"| p95 at {CONNECTIONS} connections, pages of {SIZE} | {' | '.join(names)} | bar |"
    yield f"|---|{'---:|' * (len(names) + 1)}"
    for row, values in figures.items():
        verdict = f"{BAR} ms" if max(values) < BAR else f"{BAR} ms, missed"
        yield f"| {row.name} | {' | '.join(f'{value:.0f} ms' for value in values)} | {verdict} |"


if __name__ == "__main__":
    main()
