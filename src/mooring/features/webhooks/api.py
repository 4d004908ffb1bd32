"""Webhooks of a project: /projects/{project}/webhook."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import MediaType, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import Connection

from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.configuration.vault import Vault
from mooring.features.projects.queries import Project
from mooring.features.webhooks import queries, service
from mooring.features.webhooks.queries import Attempted, Delivery
from mooring.features.webhooks.wire import (
    Execution,
    SignedWebhookTarget,
    SupportedWebhookEventTypes,
    Task,
    WebhookLastTrigger,
    WebhookPolicy,
    WebhookSigning,
)
from mooring.http.access import project as within
from mooring.http.links import begun, created, listed
from mooring.jobs import logs

_WEBHOOK: Final = "/projects/{project_name_or_id:str}/webhook"
_POLICIES: Final = f"{_WEBHOOK}/policies"
_POLICY: Final = f"{_POLICIES}/{{webhook_policy_id:str}}"
_SECRETS: Final = f"{_POLICY}/signing-secrets"
_RUNS: Final = f"{_POLICY}/executions"
_RUN: Final = f"{_RUNS}/{{execution_id:str}}"
_TASKS: Final = f"{_RUN}/tasks"
_READ: Final = within("notification-policy", "read")
_LIST: Final = within("notification-policy", "list")
_UPDATE: Final = within("notification-policy", "update")


@get(f"{_WEBHOOK}/events", access=_READ, operation_id="GetSupportedEventTypes")
async def read_event_types() -> SupportedWebhookEventTypes:
    """What policies can be made of."""
    return SupportedWebhookEventTypes.known()


@get(f"{_WEBHOOK}/lasttrigger", access=_READ, deprecated=True, operation_id="LastTrigger")
async def read_last_triggers(
    db: NamedDependency[Database], project: NamedDependency[Project]
) -> list[WebhookLastTrigger]:
    """When each policy last delivered an event of each of its types."""
    return [WebhookLastTrigger.of(*each) for each in await db.read(queries.last_triggers, project.id)]


@get(_POLICIES, access=_LIST, operation_id="ListWebhookPoliciesOfProject")
async def list_policies(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    vault: NamedDependency[Vault],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
) -> Response[Sequence[WebhookPolicy]]:
    policies, total = await db.read(queries.page, project.id, listing)
    return listed(request, [WebhookPolicy.of(each, vault) for each in policies], total, listing)


@post(
    _POLICIES,
    access=within("notification-policy", "create"),
    body="policy",
    operation_id="CreateWebhookPolicyOfProject",
    refuses=(409,),
)
async def create_policy(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    vault: NamedDependency[Vault],
    project: NamedDependency[Project],
    data: JSONBody[WebhookPolicy],
) -> Response[None]:
    """Have events delivered to targets from now on."""
    return created(request, await db.write(service.create, vault, project.id, data.content()))


@get(_POLICY, access=_READ, operation_id="GetWebhookPolicyOfProject")
async def read_policy(
    db: NamedDependency[Database],
    vault: NamedDependency[Vault],
    project: NamedDependency[Project],
    webhook_policy_id: FromPath[int],
) -> WebhookPolicy:
    return WebhookPolicy.of(await db.read(service.read, project.id, webhook_policy_id), vault)


@put(_POLICY, access=_UPDATE, body="policy", operation_id="UpdateWebhookPolicyOfProject", refuses=(409,))
async def change_policy(
    db: NamedDependency[Database],
    vault: NamedDependency[Vault],
    project: NamedDependency[Project],
    webhook_policy_id: FromPath[int],
    data: JSONBody[WebhookPolicy],
) -> None:
    """Replace a policy, or switch it off and on with `enabled`. What waits to be delivered still is, to the targets
    whose addresses stay.
    """

    def work(connection: Connection) -> None:
        service.change(connection, vault, service.read(connection, project.id, webhook_policy_id), data.content())

    await db.write(work)


@delete(
    _POLICY,
    access=within("notification-policy", "delete"),
    status_code=200,
    operation_id="DeleteWebhookPolicyOfProject",
    refuses=(412,),
)
async def delete_policy(
    db: NamedDependency[Database], project: NamedDependency[Project], webhook_policy_id: FromPath[int]
) -> None:
    """Delete a policy with what is kept of its deliveries, none of which may be under way."""

    def work(connection: Connection) -> None:
        service.remove(connection, service.read(connection, project.id, webhook_policy_id))

    await db.write(work)


@get(_SECRETS, access=_READ, operation_id="listWebhookSigningSecrets")
async def list_signed_targets(
    db: NamedDependency[Database], project: NamedDependency[Project], webhook_policy_id: FromPath[int]
) -> list[SignedWebhookTarget]:
    """Which targets' deliveries are signed."""
    policy = await db.read(service.read, project.id, webhook_policy_id)
    return [SignedWebhookTarget(each.address) for each in policy.targets if each.secret]


@put(_SECRETS, access=_UPDATE, body="signing", operation_id="setWebhookSigningSecret")
async def sign_target(
    db: NamedDependency[Database],
    vault: NamedDependency[Vault],
    project: NamedDependency[Project],
    webhook_policy_id: FromPath[int],
    data: JSONBody[WebhookSigning],
) -> None:
    """Sign what goes to one of the policy's targets, so that it can tell that it comes from here."""

    def work(connection: Connection) -> None:
        policy = service.read(connection, project.id, webhook_policy_id)
        service.sign(connection, vault, policy, data.address, data.secret)

    await db.write(work)


@get(_RUNS, access=_READ, operation_id="ListExecutionsOfWebhookPolicy")
async def list_deliveries(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    webhook_policy_id: FromPath[int],
) -> Response[Sequence[Execution]]:
    """What a policy has delivered, or tries to, the latest first."""

    def work(connection: Connection) -> tuple[list[Delivery], int]:
        policy = service.read(connection, project.id, webhook_policy_id)
        return queries.deliveries(connection, policy.id, listing)

    found, total = await db.read(work)
    return listed(request, [Execution.of(each) for each in found], total, listing)


@post(f"{_RUN}/replay", access=_UPDATE, operation_id="replayWebhookExecution")
async def replay_delivery(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    webhook_policy_id: FromPath[int],
    execution_id: FromPath[int],
) -> Response[None]:
    """Deliver once more what was delivered, or was not."""

    def work(connection: Connection) -> int:
        policy = service.read(connection, project.id, webhook_policy_id)
        return service.replay(connection, policy, execution_id)

    return begun(request, await db.write(work), above=2)


@get(_TASKS, access=_READ, operation_id="ListTasksOfWebhookExecution")
async def list_attempts(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    webhook_policy_id: FromPath[int],
    execution_id: FromPath[int],
) -> Response[Sequence[Task]]:
    """The task of a delivery, with how often it was tried."""

    def work(connection: Connection) -> tuple[list[Attempted], int]:
        policy = service.read(connection, project.id, webhook_policy_id)
        service.require_delivery(connection, policy, execution_id)
        return queries.attempts(connection, execution_id, listing)

    found, total = await db.read(work)
    return listed(request, [Task.of(each) for each in found], total, listing)


@get(
    f"{_TASKS}/{{task_id:str}}/log",
    access=_READ,
    produces="text/plain",
    media_type=MediaType.TEXT,
    operation_id="GetLogsOfWebhookTask",
)
async def read_log(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    webhook_policy_id: FromPath[int],
    execution_id: FromPath[int],
    task_id: FromPath[int],
) -> str:
    """What was sent, and how each try ended. What a receiver answers is not repeated."""

    def work(connection: Connection) -> str:
        policy = service.read(connection, project.id, webhook_policy_id)
        service.require_delivery(connection, policy, execution_id, task_id)
        return logs.read(connection, task_id) or ""

    return await db.read(work)


HANDLERS: Final = (
    read_event_types,
    read_last_triggers,
    list_policies,
    create_policy,
    read_policy,
    change_policy,
    delete_policy,
    list_signed_targets,
    sign_target,
    list_deliveries,
    replay_delivery,
    list_attempts,
    read_log,
)
