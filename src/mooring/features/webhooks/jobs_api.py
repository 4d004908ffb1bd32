"""Deliveries as older clients ask for them: /projects/{project}/webhook/jobs."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import Connection

from mooring.core.errors import NotFound
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.projects.queries import Project
from mooring.features.webhooks import queries
from mooring.features.webhooks.queries import Delivery
from mooring.features.webhooks.wire import WebhookJob
from mooring.http.access import project as within
from mooring.http.links import listed


@get(
    "/projects/{project_name_or_id:str}/webhook/jobs",
    access=within("notification-policy", "list"),
    deprecated=True,
    operation_id="ListWebhookJobs",
)
async def list_jobs(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    policy_id: FromQuery[int],
    status: FromQuery[str] = "",
) -> Response[Sequence[WebhookJob]]:
    """What a policy has delivered, or tries to, the latest first."""
    statuses = [each for each in status.split(",") if each]

    def work(connection: Connection) -> tuple[list[Delivery], int]:
        policy = queries.find(connection, policy_id)
        if policy is None:
            raise NotFound(f"notificationPolicy {policy_id} not found")
        if policy.project_id != project.id:
            raise NotFound(f"resource not found: project id {project.id} does not match")
        return queries.deliveries(connection, policy.id, listing, statuses)

    found, total = await db.read(work)
    return listed(request, [WebhookJob.of(each) for each in found], total, listing)


HANDLERS: Final = (list_jobs,)
