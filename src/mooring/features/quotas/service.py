"""Setting quotas, and keeping projects within them."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection, update

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, NotFound, OverQuota
from mooring.core.events import QuotaExceeded, QuotaWarning
from mooring.db.engine import Database
from mooring.db.events import emit
from mooring.db.turns import take_turns
from mooring.features.configuration.queries import Current
from mooring.features.configuration.service import check_storage
from mooring.features.quotas import queries
from mooring.features.quotas.queries import Quota
from mooring.features.quotas.tables import quota

P = ParamSpec("P")
T = TypeVar("T")

STORAGE: Final = "storage"  # the only resource
WARNS_AT: Final = 85  # percent of the limit


def read(connection: Connection, quota_id: int) -> Quota:
    """Raises NotFound."""
    found = queries.find(connection, quota_id)
    if found is None:
        raise NotFound(f"quota {quota_id} not found")
    return found


def change(connection: Connection, quota_id: int, hard: Mapping[str, int]) -> None:
    """Set other limits, of which there is one, `storage` in bytes; it may be below what the project holds.

    Raises NotFound, BadRequest.
    """
    read(connection, quota_id)
    for resource in hard:
        if resource != STORAGE:
            raise BadRequest(f"resource {resource} not support")
    check_storage(hard[STORAGE])
    connection.execute(update(quota).where(quota.c.id == quota_id).values(hard=hard[STORAGE], update_time=now()))


class Quotas:
    """Keeps projects within their quotas. Whether that is done at all, and what a new project may hold, is
    configuration.
    """

    def __init__(self, db: Database, configuration: Current) -> None:
        self._db = db
        self._configuration = configuration
        self._pushed: Mapping[str, str] = {}

    def pushing(self, digest: str, tag: str = "") -> "Quotas":
        """The same for the push of a manifest, which events name then."""
        mine = copy.copy(self)
        mine._pushed = {"digest": digest, "tag": tag}
        return mine

    def begin(self, connection: Connection, project_id: int, limit: int | None = None) -> None:
        """Give a new project its quota, by default the configured one; none while quotas are off."""
        configured = self._configuration.inside(connection)
        if configured.quota_per_project_enable:
            moment = now()
            hard = configured.storage_per_project if limit is None else limit
            times = {"creation_time": moment, "update_time": moment}
            connection.execute(quota.insert().values(project_id=project_id, hard=hard, **times))

    def shown(self, connection: Connection, project_id: int) -> tuple[int, int] | None:
        """The project's limit and what it holds, in bytes; None for one without a quota and while quotas are off."""
        found = queries.of_project(connection, project_id)
        if found is None or not self._configuration.inside(connection).quota_per_project_enable:
            return None
        return found.hard, found.used

    async def check(self, actor: Actor, project_id: int, repository: str) -> None:
        """Raise OverQuota for a project that holds more than it may already."""
        row = await self._db.reader.one(queries.OVER, project=project_id)
        if row is not None and (await self._configuration.read()).quota_per_project_enable:
            refusal = OverQuota(used=row[1], hard=row[0], wanted=0)
            await self._tell(actor, project_id, repository, refusal)
            raise refusal

    async def write(
        self,
        actor: Actor,
        project_id: int,
        repository: str,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run the function in a transaction, as Database.write does, in which it may add to what the project holds.
        When that takes it near its quota, an event tells of it.

        Raises OverQuota, and leaves nothing, when the project would then hold more than its quota. `repository` is
        the one that is written to.
        """

        def work(connection: Connection) -> T:
            home = (actor, project_id, repository)
            return self._within(connection, *home, lambda: function(connection, *args, **kwargs))

        try:
            return await self._db.write(work)
        except OverQuota as refusal:
            await self._tell(actor, project_id, repository, refusal)
            raise

    def _within(
        self, connection: Connection, actor: Actor, project_id: int, repository: str, work: Callable[[], T]
    ) -> T:
        """Those of one limited project take turns from here to the end of their transactions; others wait for nobody,
        and nobody waits for them.
        """
        row = queries.LIMIT.one(connection, project=project_id)
        if row is None or not self._configuration.inside(connection).quota_per_project_enable:
            return work()
        take_turns(connection, [f"quota {project_id}"])
        hard, before = row[0], queries.used(connection, project_id)
        result = work()
        after = queries.used(connection, project_id)
        if after > max(hard, before):
            raise OverQuota(used=before, hard=hard, wanted=after - before)
        if after > before and WARNS_AT * hard <= after * 100:
            facts = self._facts(actor, project_id, repository)
            emit(connection, QuotaWarning(**facts, used=after, hard=hard))
        return result

    async def _tell(self, actor: Actor, project_id: int, repository: str, refusal: OverQuota) -> None:
        """Emit the event in a transaction of its own, since the refused one leaves nothing."""
        facts = self._facts(actor, project_id, repository)
        event = QuotaExceeded(**facts, used=refusal.used, hard=refusal.hard, wanted=refusal.wanted)
        await self._db.write(emit, event)

    def _facts(self, actor: Actor, project_id: int, repository: str) -> dict[str, Any]:
        project = repository.partition("/")[0]
        return {"actor": actor, "project_id": project_id, "project": project, "repository": repository, **self._pushed}
