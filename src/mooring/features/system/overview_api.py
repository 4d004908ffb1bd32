"""What there is in the installation: /search, /statistics."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.db.engine import Database
from mooring.features.system import queries
from mooring.features.system.wire import Search, SearchProject, SearchRepository, Statistic
from mooring.http.access import ANYBODY, SIGNED_IN


@get("/search", access=ANYBODY, tag="search", operation_id="search")
async def search(actor: NamedDependency[Actor], db: NamedDependency[Database], q: FromQuery[str]) -> Search:
    """Everything that the caller may know of and whose name contains the text; not in pages."""

    def work(connection: Connection) -> Search:
        return Search(
            [SearchProject.of(view) for view in queries.search_projects(connection, actor, q)],
            [SearchRepository.of(hit) for hit in queries.search_repositories(connection, actor, q)],
        )

    return await db.read(work)


@get("/statistics", access=SIGNED_IN, tag="statistic", operation_id="getStatistic")
async def read_statistics(actor: NamedDependency[Actor], db: NamedDependency[Database]) -> Statistic:
    return Statistic.of(await db.read(queries.count, actor))


HANDLERS: Final = (search, read_statistics)
