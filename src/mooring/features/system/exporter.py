"""The installation's figures and health as Prometheus sees them, under the names of Harbor's exporter."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from mooring.core.errors import MooringError
from mooring.db.engine import Database
from mooring.features.configuration.keys import Configuration
from mooring.features.configuration.queries import Current
from mooring.features.operations.queries import seconds_since
from mooring.features.system import figures
from mooring.features.system.api import HARBOR_VERSION
from mooring.features.system.figures import Figures, ProjectFigures
from mooring.features.system.health import Component, Health

_KEPT: Final = 23.0  # seconds that figures hold, as in Harbor

_Row = tuple[tuple[str, ...], float]


class Exporter:
    """What is read from the database is kept for 23 s, so that nobody makes work by asking again and again."""

    def __init__(self, db: Database, configuration: Current, health: Health) -> None:
        self._db = db
        self._configuration = configuration
        self._health = health
        self._asking = asyncio.Lock()
        self._until = 0.0
        self._figures: Figures | None = None
        self._current = Configuration()
        self._components: list[Component] = []

    async def refresh(self) -> None:
        """Look again, if the last look is too old. While the database is away only the health is told."""
        self._components = await self._health.components()
        async with self._asking:
            if time.monotonic() < self._until:
                return
            try:
                self._figures = await self._db.read(figures.read)
                self._current = await self._configuration.read()
            except MooringError:
                self._figures = None
            else:
                self._until = time.monotonic() + _KEPT

    def collect(self) -> Iterator[Metric]:
        """What the last look found."""
        yield _gauge("harbor_health", "Whether all components are healthy", [((), not self._faults())])
        up = [((part.name,), float(not part.fault)) for part in self._components]
        yield _gauge("harbor_up", "Whether the component is healthy", up, "component")
        if self._figures is None:
            return
        current = self._current
        registration = str(current.self_registration).lower()
        info = (current.auth_mode, HARBOR_VERSION, registration)
        labels = ("auth_mode", "harbor_version", "self_registration")
        yield _gauge("harbor_system_info", "What is installed", [(info, 1)], *labels)
        yield from _statistics(self._figures)
        yield from _projects(self._figures.projects)

    def collect_tasks(self) -> Iterator[Metric]:
        """What is known of the jobs in the whole installation."""
        known = self._figures
        if known is None:
            return
        size = [((queue.kind,), float(queue.waiting)) for queue in known.queues]
        yield _gauge("harbor_task_queue_size", "Tasks that wait", size, "type")
        latency = [((queue.kind,), float(seconds_since(queue.oldest))) for queue in known.queues]
        yield _gauge("harbor_task_queue_latency", "Seconds that the first of them has waited", latency, "type")
        running = dict.fromkeys(((queue.kind, pool.id) for queue in known.queues for pool in known.pools), 0.0)
        for each in known.busy:
            running[each.kind, each.pool] = running.get((each.kind, each.pool), 0.0) + 1
        yield _gauge("harbor_task_concurrency", "Tasks that run", running.items(), "type", "pool")
        scheduled = [((), float(known.schedules))]
        yield _gauge("harbor_task_scheduled_total", "Schedules", scheduled)

    def collect_pools(self) -> Iterator[Metric]:
        """The jobs processes."""
        pools = self._figures.pools if self._figures else []
        rows = [((pool.id.rpartition("-")[0], pool.id, str(pool.concurrency)), 1.0) for pool in pools]
        yield _gauge("harbor_jobservice_info", "A jobs process", rows, "node", "pool", "workers")

    def _faults(self) -> bool:
        return any(part.fault for part in self._components)


def _statistics(known: Figures) -> Iterator[Metric]:
    public = [each for each in known.projects if each.is_public]
    private = [each for each in known.projects if not each.is_public]
    size = "harbor_statistics_total_storage_consumption"
    yield _gauge(size, "Bytes that blobs and manifests take", [((), known.stored)])
    for what, projects in (("total", known.projects), ("public", public), ("private", private)):
        number: list[_Row] = [((), len(projects))]
        yield _gauge(f"harbor_statistics_{what}_project_amount", f"Projects ({what})", number)
        repositories: list[_Row] = [((), sum(each.repositories for each in projects))]
        yield _gauge(f"harbor_statistics_{what}_repo_amount", f"Repositories ({what})", repositories)
    totals = [(("true",), len(public)), (("false",), len(private))]
    yield _gauge("harbor_project_total", "Projects", totals, "public")


def _projects(projects: list[ProjectFigures]) -> Iterator[Metric]:
    named = [((each.name,), each) for each in projects]
    seen = [((each.name, str(each.is_public).lower()), each) for each in projects]
    name, public = "project_name", "public"
    repositories = [(labels, each.repositories) for labels, each in seen]
    yield _gauge("harbor_project_repo_total", "Repositories of a project", repositories, name, public)
    members = [(labels, each.members) for labels, each in named]
    yield _gauge("harbor_project_member_total", "Members of a project", members, name)
    used = [(labels, each.used) for labels, each in named]
    yield _gauge("harbor_project_quota_usage_byte", "Bytes that a project holds", used, name)
    hard = [(labels, each.hard) for labels, each in named]
    yield _gauge("harbor_project_quota_byte", "Bytes that a project may hold, -1 for no limit", hard, name)
    pulls = [(labels, each.pulls) for labels, each in named]
    yield _gauge("harbor_artifact_pulled", "Pulls of a project's artifacts", pulls, name)
    kinds = [
        ((*labels, kind), count) for labels, each in seen for kind, count in (each.artifacts or {"IMAGE": 0}).items()
    ]
    yield _gauge("harbor_project_artifact_total", "Artifacts of a project", kinds, name, public, "artifact_type")


def _gauge(name: str, help_text: str, rows: Iterable[Any], *labels: str) -> Metric:
    """A family with a value for each row of labels."""
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
