"""Making, changing and deleting policies, starting and stopping their runs, and deleting what a run is to delete."""

from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound, Precondition
from mooring.db.turns import take_turns
from mooring.features.artifacts.deletion import delete_artifact
from mooring.features.projects import queries as projects
from mooring.features.projects.queries import Project
from mooring.features.projects.service import require
from mooring.features.projects.tables import project_metadata
from mooring.features.repositories import service as repositories
from mooring.features.repositories.tables import repository
from mooring.features.retention import plan
from mooring.features.retention.queries import NAME, Content, Policy, encoded, find, of_project
from mooring.features.retention.rules import Candidate
from mooring.features.retention.tables import retention_policy
from mooring.jobs import executions, schedules
from mooring.jobs.executions import NewTask
from mooring.jobs.kinds import SCHEDULE, Status
from mooring.jobs.schedules import Schedule

MOST_RULES: Final = 15

_RESOURCE: Final = "tag-retention"
_ID: Final = "retention_id"  # the project's metadata that names its policy
_ABSENT: Final = "no such Retention policy with id {}"
_WHAT: Final = "tag retention"  # in messages about the cron


def home_of(connection: Connection, actor: Actor, action: str, level: str, project_id: int) -> Project:
    """A policy's project, for somebody who may do this there. Raises BadRequest, Unauthorized, Forbidden."""
    if level != "project":
        raise BadRequest(f"bad request: scope {level} is not support")
    home = projects.by_id(connection, project_id)
    try:
        require(connection, actor, _RESOURCE, action, home, str(project_id))
    except NotFound:
        home = None
    if home is None:
        raise BadRequest(f"bad request: invalid Project id {project_id}")
    return home


def read(connection: Connection, actor: Actor, action: str, policy_id: int) -> Policy:
    """The policy, for somebody who may do this with it. Raises NotFound, Unauthorized, Forbidden."""
    found = find(connection, policy_id)
    if found is None:
        raise NotFound(_ABSENT.format(policy_id))
    require(connection, actor, _RESOURCE, action, projects.by_id(connection, found.project_id), str(found.project_id))
    return found


def use(connection: Connection, actor: Actor, action: str, policy_id: int) -> Policy:
    """The same for what is done with a policy. Raises BadRequest, which is Harbor's word, for one that is not there."""
    if find(connection, policy_id) is None:
        raise BadRequest(f"bad request: {_ABSENT.format(policy_id)}")
    return read(connection, actor, action, policy_id)


def create(connection: Connection, home: Project, content: Content) -> int:
    """Make the project's policy; its id. Raises BadRequest, also when it has one, and Conflict for equal rules."""
    check(content)
    take_turns(connection, [f"retention {home.id}"])
    known = of_project(connection, home.id)
    if known:
        raise BadRequest(f"bad request: project {home.id} already has retention policy {known.id}")
    moment = now()
    values = {
        "project_id": home.id,
        "content": encoded(content),
        "creation_time": moment,
        "update_time": moment,
    }
    statement = retention_policy.insert().values(values).returning(retention_policy.c.id)
    policy_id: int = connection.execute(statement).scalar_one()
    connection.execute(project_metadata.insert().values(project_id=home.id, name=_ID, value=str(policy_id)))
    _schedule(connection, policy_id, content)
    return policy_id


def change(connection: Connection, policy: Policy, content: Content) -> None:
    """Replace what the policy says. Raises BadRequest, Conflict for equal rules."""
    check(content)
    values = {"content": encoded(content), "update_time": now()}
    connection.execute(update(retention_policy).where(retention_policy.c.id == policy.id).values(values))
    _schedule(connection, policy.id, content)


def remove(connection: Connection, policy: Policy) -> None:
    """Delete the policy with what is kept of its runs. Raises Precondition while one is under way."""
    executions.delete(connection, NAME, policy.id)
    forget(connection, policy)


def forget(connection: Connection, policy: Policy) -> None:
    """Delete the policy; what is kept of its runs goes when old ones are swept."""
    schedules.remove(connection, NAME, policy.id)
    own = (project_metadata.c.project_id == policy.project_id) & (project_metadata.c.name == _ID)
    connection.execute(delete(project_metadata).where(own))
    connection.execute(delete(retention_policy).where(retention_policy.c.id == policy.id))


def check(content: Content) -> None:
    """Raise BadRequest for what would not work, Conflict for equal rules."""
    if content.algorithm != "or":
        raise BadRequest(f"bad request: invalid algorithm: {content.algorithm}; it is or")
    if len(content.rules) > MOST_RULES:
        raise BadRequest(f"bad request: only {MOST_RULES} rules are allowed at most")
    for place, rule in enumerate(content.rules):
        rule.check()
        if rule in content.rules[:place]:
            first = content.rules.index(rule)
            raise Conflict(f"resource conflict: rule {place} is conflict with rule {first}")


def start(connection: Connection, policy: Policy, trigger: str, *, dry_run: bool, operator: str = "") -> int:
    """Begin a run, one task for each repository that a rule is about; the execution's id. `operator` is who asked.

    Raises Conflict when the policy is being carried out already; dry runs are in nobody's way.
    """
    statement = select(repository.c.id, repository.c.name).where(repository.c.project_id == policy.project_id)
    tasks = []
    for repository_id, name in connection.execute(statement.order_by(repository.c.id)):
        own_name = name.partition("/")[2]
        if any(rule.is_about(own_name) for rule in policy.content.rules):
            ids = {"policy_id": policy.id, "repository_id": repository_id}
            payload = {**ids, "dry_run": dry_run, "operator": operator}
            shown: dict[str, Any] = {"repository": own_name, "dry_run": dry_run, "total": 0, "retained": 0}
            tasks.append(NewTask(payload, shown))
    flight = None if dry_run else f"{NAME} {policy.id}"
    attributes = {"dry_run": dry_run}
    number = executions.start(connection, NAME, policy.id, trigger, tasks, extra_attrs=attributes, flight=flight)
    if not tasks:
        executions.finish(connection, number, Status.SUCCESS, "no resources for retention")
    return number


def start_due(connection: Connection, due: Schedule) -> None:
    """Begin the run that a schedule asks for."""
    policy = find(connection, due.vendor_id)
    if policy is not None:
        start(connection, policy, SCHEDULE, dry_run=False)


def stop(connection: Connection, policy: Policy, execution_id: int) -> None:
    """Stop a run; one that has ended stays as it is. Raises NotFound."""
    require_run(connection, policy, execution_id)
    executions.stop(connection, execution_id)


def require_run(connection: Connection, policy: Policy, execution_id: int, task_id: int | None = None) -> None:
    """Raise NotFound for an execution, or a task, that is not the policy's."""
    elsewhere = NotFound(f"project: {policy.project_id}, execution id {execution_id} not found")
    owner = executions.policy_of(connection, execution_id)
    if owner is None:
        raise NotFound(f"execution {execution_id} not found")
    if owner != (NAME, policy.id):
        raise elsewhere
    home = execution_id if task_id is None else executions.of_task(connection, task_id)
    if home is None:
        raise NotFound(f"task {task_id} not found")
    if home != execution_id:
        raise elsewhere


def delete_unchanged(connection: Connection, actor: Actor, repository_id: int, candidate: Candidate) -> None:
    """Delete the artifact, if it is as it was when that was decided.

    Raises Precondition when it was tagged, pushed or pulled since, and what `delete_artifact` does.
    """
    repositories.hold(connection, repository_id)
    found = plan.candidates(connection, repository_id, candidate.id)
    if found != [candidate]:
        raise Precondition("it was pushed, pulled or tagged while the run was under way")
    delete_artifact(connection, actor, candidate.id)


def _schedule(connection: Connection, policy_id: int, content: Content) -> None:
    if content.cron:
        schedules.put(connection, NAME, policy_id, content.cron, what=_WHAT)
    else:
        schedules.remove(connection, NAME, policy_id)
