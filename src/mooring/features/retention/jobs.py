"""Carrying a policy out in one repository, as a task."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import structs
from sqlalchemy import Connection, select

from mooring.core.actor import JOBS, Actor
from mooring.core.clock import SECOND, now
from mooring.core.errors import WireError
from mooring.core.events import RetentionFinished, Retired
from mooring.db.events import emit
from mooring.features.repositories.tables import repository
from mooring.features.retention import plan, service
from mooring.features.retention.plan import Decision, Plan
from mooring.features.retention.queries import NAME, Policy, find
from mooring.features.retention.rules import Candidate
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind

_LINES: Final = 500  # of a plan between two writes of the log
_HEADER: Final = "| Digest | Tag | Kind | Labels | PushedTime | PulledTime | CreatedTime | Retention | Rules |"


def kind() -> Kind:
    return Kind(NAME, run)


async def run(context: Context) -> None:
    """Plan, say so in the log, and unless it is a dry run delete. It can be stopped between any two artifacts."""
    repository_id, dry_run = int(context.payload["repository_id"]), bool(context.payload["dry_run"])
    policy = await context.db.read(find, int(context.payload["policy_id"]))
    name = await context.db.read(_name, repository_id)
    if policy is None or name is None:
        context.log.info("the policy or the repository is not there any more")
        return
    context.log.info(
        f"Run retention process.\n Repository: {name}\n Rule Algorithm: or\n Dry Run: {str(dry_run).lower()}"
    )
    made = await context.db.read(plan.make, policy.content.rules, policy.project_id, repository_id, name, now())
    if made is None:
        context.log.info("no rule is about the repository any more")
        return
    await _describe(context, made, await context.db.read(plan.labels, repository_id))
    deleted = made.order if dry_run else await _delete(context, repository_id, made)
    retained = made.total - len(deleted)
    await context.note(total=made.total, retained=retained)
    done = "would be deleted" if dry_run else "were deleted"
    context.log.info(f"{len(deleted)} of {made.total} artifacts {done}")
    if deleted and not dry_run:
        operator = structs.replace(JOBS, name=context.payload.get("operator") or JOBS.name)
        await context.db.write(emit, _finished(operator, policy, name, made.total, deleted))


def _name(connection: Connection, repository_id: int) -> str | None:
    name: str | None = connection.execute(select(repository.c.name).where(repository.c.id == repository_id)).scalar()
    return name


async def _describe(context: Context, made: Plan, labels: Mapping[int, Sequence[str]]) -> None:
    context.log.info(f"Load {made.total} candidates")
    context.log.info(f"\n{_HEADER}")
    for start in range(0, made.total, _LINES):
        some = made.decisions[start : start + _LINES]
        rows = [_line(each, labels.get(each.candidate.id, ())) for each in some]
        context.log.info("\n".join(["", *rows]))
        await context.flush()


def _line(decision: Decision, labels: Sequence[str]) -> str:
    """A decision as the log shows it; rules are counted from 1."""
    each = decision.candidate
    rules = ",".join(str(place + 1) for place in decision.rules)
    times = (_time(moment) for moment in (each.push_time, each.pull_time, each.creation_time))
    cells = (each.digest, ",".join(each.tags), each.type.lower(), ",".join(labels), *times)
    return f"| {' | '.join((*cells, decision.verdict, rules))} |"


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y/%m/%d %H:%M:%S") if moment else ""


async def _delete(context: Context, repository_id: int, made: Plan) -> list[Candidate]:
    """Delete what the plan says, one after the other; what went."""
    deleted = []
    for each in made.order:
        try:
            await context.db.write(service.delete_unchanged, JOBS, repository_id, each)
        except WireError as error:
            context.log.warning(f"{each.digest} stays: {error.message}")
        else:
            deleted.append(each)
    return deleted


def _finished(
    operator: Actor, policy: Policy, name: str, total: int, deleted: Sequence[Candidate]
) -> RetentionFinished:
    return RetentionFinished(
        actor=operator,
        project_id=policy.project_id,
        project=name.partition("/")[0],
        repository=name,
        policy_id=policy.id,
        total=total,
        retained=total - len(deleted),
        deleted=tuple(Retired(each.type, each.digest, next(iter(each.tags), "")) for each in deleted),
        rules=tuple(msgspec.to_builtins(each) for each in policy.content.rules),
    )
