"""What is kept of executions that have ended: for each policy the newest so many of its kind."""

from typing import Final

from sqlalchemy import Connection, func, select

from mooring.jobs.context import Context, run_name
from mooring.jobs.engine import Engine
from mooring.jobs.kinds import FINAL, Kinds
from mooring.jobs.tables import execution, task

NAME: Final = "EXECUTION_SWEEP"
CRON: Final = "0 0 0 * * *"
_BATCH: Final = 500


async def sweep(context: Context, kinds: Kinds, engine: Engine) -> None:
    """Delete executions that are too many, with their tasks and logs and what the engine kept of these."""
    total = 0
    for kind in kinds:
        if not kind.kept:
            continue
        while old := await context.db.read(surplus, kind.name, kind.kept):
            await engine.forget(await context.db.read(run_names, old))
            await context.db.write(remove, old)
            total += len(old)
    context.log.info(f"{total} executions were deleted")


def surplus(connection: Connection, vendor_type: str, kept: int) -> list[int]:
    """Ids of executions that have ended and are older than the newest `kept` of their policy."""
    rank = func.row_number().over(
        partition_by=execution.c.vendor_id, order_by=(execution.c.start_time.desc(), execution.c.id.desc())
    )
    ranked = (
        select(execution.c.id, execution.c.status, rank.label("rank"))
        .where(execution.c.vendor_type == vendor_type)
        .subquery()
    )
    statement = select(ranked.c.id).where(ranked.c.rank > kept, ranked.c.status.in_(FINAL)).limit(_BATCH)
    return list(connection.execute(statement).scalars())


def run_names(connection: Connection, executions: list[int]) -> list[str]:
    """The names under which the engine knows the runs of these executions' tasks."""
    rows = connection.execute(select(task.c.job_id, task.c.run_count).where(task.c.execution_id.in_(executions)))
    return [run_name(job_id, number) for job_id, count in rows for number in range(1, count + 1)]


def remove(connection: Connection, executions: list[int]) -> None:
    connection.execute(execution.delete().where(execution.c.id.in_(executions)))
